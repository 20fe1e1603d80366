//! The harness on trial: it must notice what it promises to notice. It is tried on `testkid`, so that
//! a fault in procscript does not look like a fault in here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::support::leaks::{self, Guard};
use crate::support::procs::{self, PATIENCE};
use crate::support::run::Run;
use crate::support::testkid;

mod cases;
mod pieces;
mod verbs;

/// For what is left on purpose; waiting longer would not make it go.
const SHORT: Duration = Duration::from_millis(500);

fn kid(line: &str) -> Run {
    Run::program(testkid()).args(line.split(' '))
}

#[track_caller]
fn failure(run: Run) -> String {
    match run.patience(SHORT).try_run() {
        Ok(outcome) => panic!("{}", outcome.report("this run should have been faulted")),
        Err(report) => report,
    }
}

/// A verb that lasts, and that no other run of these tests uses at the same time.
fn long_sleep(number: u32) -> String {
    format!("sleep {number}{:07}", std::process::id())
}

/// The message of the panic that the closure must end with.
#[track_caller]
fn panic_of(work: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("a panic was expected");
    let text = payload.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap_or(&"").to_string())
}

#[test]
fn right_expectations_hold() {
    let outcome = kid("echo hi -- err oh -- dir -- exit 3").run();
    outcome.status(3).stdout("hi\n$TMP\n").stderr("oh\n").stdout_contains("TMP").stderr_lacks("hi");
    kid("cat-upper").stdin("abc").run().success().stdout("ABC");
    kid("signal TERM").run().signal(15);
}

#[test]
fn wrong_expectations_are_told_with_everything_known() {
    let outcome = kid("echo hi -- err oh -- touch here").allow_file("here").run();
    let report = panic_of(|| _ = outcome.stdout("ho\n"));
    for part in ["exactly\nho", "command: testkid echo hi", "files: here", "status: 0", "\nhi\n", "\noh\n"] {
        assert!(report.contains(part), "`{part}` is not in:\n{report}");
    }
    assert!(panic_of(|| _ = outcome.status(1)).contains("status 1 was expected, not 0"));
    assert!(panic_of(|| _ = outcome.stderr_contains("hi")).contains("stderr lacks `hi`"));
}

#[test]
fn the_place_is_clean_and_its_own() {
    let outcome = kid("env -- dir").env("EXTRA", "1").run();
    let text = outcome.shown(&outcome.stdout);
    let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let known = ["EXTRA", "HOME", "LANG", "LLVM_PROFILE_FILE", "PATH", "PROCSCRIPT_TEST_TOKEN", "TMPDIR"];
    let others = names.filter(|name| !known.contains(name)).collect::<Vec<_>>();
    outcome.check(others.is_empty() || cfg!(windows), &format!("unexpected: {others:?}"));
    outcome.stdout_contains("HOME=$TMP\n").stdout_contains("PATH=$BIN");
    kid("env PATH").env_remove("PATH").run().stdout("PATH unset\n");
    kid("dir").dir("a/b").run().stdout(if cfg!(windows) { "$TMP\\a/b\n" } else { "$TMP/a/b\n" });
}

#[cfg(unix)]
#[test]
fn a_run_has_its_own_session_and_no_terminal() {
    let outcome = kid("pid -- sid -- tty").run();
    let text = outcome.shown(&outcome.stdout);
    let lines = text.lines().collect::<Vec<_>>();
    outcome.check(lines[0] == lines[1], "the process must lead its session");
    outcome.check(lines[2] == "0:no 1:no 2:no", "no stream may be a terminal");
}

#[test]
fn time_limits_end_a_run_and_all_it_started() {
    let started = Instant::now();
    let run = kid("grandchild forever -- echo before -- forever").timeout(Duration::from_secs(5));
    let report = failure(run);
    assert!(report.contains("ran for more than 5s"), "{report}");
    assert!(report.contains("\nbefore\n"), "what came before the end is shown: {report}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn crashes_and_panics_are_noticed() {
    assert!(failure(kid("exit 101")).contains("it crashed: status 101"));
    assert!(failure(kid("exit 139")).contains("it crashed: status 139"));
    assert!(failure(kid("err thread main panicked at src")).contains("stderr tells of a panic"));
    #[cfg(unix)]
    assert!(failure(kid("signal ABRT")).contains("it crashed: status signal 6"));
    let meant = crate::support::verdict::Ended::Exit(139);
    kid("exit 139").may_end(meant).run().status(139);
}

#[test]
fn control_characters_on_stderr_are_noticed() {
    assert!(failure(kid(r"err-bytes \x1b[1m")).contains("raw control character U+001B"));
    kid(r"err-bytes a\tb\n").run().stderr("a\tb\n");
    kid(r"err-bytes \x1b").raw_stderr().run().stderr("\u{1b}");
}

#[test]
fn files_left_behind_are_noticed() {
    assert!(failure(kid("touch stray")).contains("did not declare: stray"));
    kid("touch stray").allow_file("stray").run().success();
    kid("append known more").file("known", "one\n").run().success();
    let temporary = kid("play s").file("s", "touch ../tmp/left");
    assert!(failure(temporary).contains("a temporary file was left: left"));
}

/// Whether processes can be looked at; without `/proc` the tests below have nothing to test.
fn can_look() -> bool {
    let _shared = leaks::shared();
    procs::process(std::process::id()).is_some()
}

#[test]
fn a_child_left_behind_is_noticed_and_killed() {
    if !can_look() {
        return;
    }
    let sleep = long_sleep(41);
    let report = failure(kid(&format!("grandchild close-in + close-out + close-err + {sleep}")));
    assert!(report.contains("a process was left: pid"), "{report}");
    assert!(report.contains(&sleep), "{report}");
    let _shared = leaks::shared();
    assert!(procs::running(&testkid()).iter().all(|process| !process.words.contains(&sleep)));
}

#[test]
fn a_daemon_is_found_by_its_token() {
    if !can_look() {
        return;
    }
    let report = failure(kid("daemon sleep 42000 -- echo gone"));
    assert!(report.contains("sleep 42000") && report.contains("\ngone\n"), "{report}");
    let report = failure(kid("grandchild-detached ignore TERM + sleep 42000"));
    assert!(report.contains("sleep 42000"), "{report}");
}

#[test]
fn detached_processes_may_stay_when_declared_and_go_with_the_outcome() {
    if !can_look() {
        return;
    }
    let outcome = kid("grandchild-detached close-out + close-err + sleep 43000").leaves_detached().run();
    outcome.success();
    let mark = outcome.mark.clone();
    assert_eq!(mark.processes().len(), 1);
    drop(outcome);
    let _shared = leaks::shared();
    assert!(mark.processes().iter().all(procs::Process::is_zombie));
}

#[test]
fn guards_notice_children_and_zombies() {
    if !can_look() {
        return;
    }
    let mut children = Vec::new();
    let message = panic_of(|| {
        let _guard = Guard::new().patience(SHORT);
        children.push(spawn("sleep 44000"));
    });
    assert!(message.contains("child left: pid") && message.contains("sleep 44000"), "{message}");
    let message = panic_of(|| {
        let _guard = Guard::new().patience(SHORT);
        let child = spawn("exit 0");
        let pid = child.id();
        children.push(child);
        let is_zombie = || procs::process(pid).is_some_and(|process| process.is_zombie());
        procs::until(Duration::from_secs(20), is_zombie, |is_zombie| *is_zombie);
    });
    assert!(message.contains("zombie left: pid"), "{message}");

    for mut child in children {
        child.kill().expect("it was not waited for");
        child.wait().expect("a child of ours can be waited for");
    }
}

fn spawn(line: &str) -> std::process::Child {
    let child = std::process::Command::new(testkid()).args(line.split(' ')).spawn();
    child.expect("testkid starts")
}

#[test]
fn guards_notice_strays_and_descriptors() {
    if !can_look() {
        return;
    }
    let sleep = long_sleep(45);
    let message = panic_of(|| {
        let _guard = Guard::new().patience(SHORT);
        spawn(&format!("grandchild-detached {sleep}")).wait().expect("a child of ours can be waited for");
    });
    assert!(message.contains("testkid left: pid") && message.contains(&sleep), "{message}");
    let strays = procs::running(&testkid()).into_iter().filter(|kid| kid.words.contains(&sleep));
    strays.for_each(|stray| procs::kill(stray.pid));

    let mut opened = None;
    let message = panic_of(|| {
        let _guard = Guard::new().patience(SHORT);
        opened = Some(std::fs::File::open("/dev/null"));
    });
    assert!(message.contains("is new: /dev/null"), "{message}");
    let message = panic_of(|| {
        let _guard = Guard::new().patience(SHORT);
        opened = None;
    });
    assert!(message.contains("is gone: /dev/null"), "{message}");
}

#[test]
fn guards_let_pass_what_is_cleaned_up() {
    let guard = Guard::new();
    let started = Instant::now();
    spawn("echo").wait().expect("a child of ours can be waited for");
    kid("echo within a guard").run().success();
    drop(guard);
    assert!(started.elapsed() < procs::under_load(PATIENCE), "nothing had to be waited for");
}
