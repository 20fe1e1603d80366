//! Platform options: who a command runs as, what it may use, whose session and group it is in.

use std::os::unix::fs::PermissionsExt;

use procscript::process::{ErrorKind, Expression, cmd};

use super::{SOON, fails, kid, kid_with, millis, soon, unique_sleep};
use crate::support::leaks::{self, Guard};
use crate::support::scratch::Scratch;
use crate::support::users::{as_ordinary_user, public_copy, skipped};
use crate::support::{procs, testkid};

mod descriptors;
mod groups;
mod paths;

/// A change that needs the fork path and is none.
fn forked(command: Expression) -> Expression {
    command.nice(0)
}

fn read(command: &Expression) -> String {
    command.read().unwrap_or_else(|error| panic!("{command}: {error}"))
}

#[test]
fn umask_niceness_and_limits_arrive() {
    let _guard = Guard::new();
    for umask in [0, 0o027, 0o777] {
        assert_eq!(read(&kid("umask").umask(umask)), format!("{umask:03o}"));
    }
    let ours: i32 = read(&kid("nice")).parse().expect("a number");
    assert_eq!(read(&kid("nice").nice(0)), ours.to_string());
    assert_eq!(read(&kid("nice").nice(5)), (ours + 5).min(19).to_string());
    assert_eq!(read(&kid("rlimit nofile").rlimit("nofile", Some(50), Some(60))), "50 60");
    let several = kid("rlimit core -- rlimit fsize").rlimit("core", Some(0), Some(0)).rlimit("fsize", Some(7), Some(8));
    assert_eq!(read(&several), "0 0\n7 8");
    // The last one wins, and the others stay as they are.
    assert_eq!(read(&several.rlimit("core", Some(1), Some(2))), "1 2\n7 8");
    let default = read(&kid("rlimit stack -- umask"));
    assert_eq!(read(&kid("rlimit stack -- umask").rlimit("core", Some(0), Some(0))), default);
}

#[test]
fn limits_hold() {
    let _guard = Guard::new();
    // A second of processor time takes long on a busy machine.
    let spin = kid("spin 55000").rlimit("cpu", Some(1), Some(1));
    let error = fails(ErrorKind::Signaled, spin.run());
    assert!(matches!(error.status().and_then(|status| status.signal()), Some(libc::SIGKILL | libc::SIGXCPU)));
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    let writer = kid("flood 1000").stdout_path(&file).rlimit("fsize", Some(100), Some(100));
    let error = fails(ErrorKind::Signaled, writer.run());
    assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGXFSZ));
    assert_eq!(std::fs::metadata(&file).expect("it is there").len(), 100);
}

#[test]
fn settings_of_a_pipeline_hold_for_stages_without_their_own() {
    let _guard = Guard::new();
    let show = |command: Expression| read(&command.stderr_to_stdout()).lines().map(str::to_string).collect::<Vec<_>>();
    let stages = || kid("umask -- rlimit core").umask(0o011).pipe(kid("cat -- umask -- rlimit core"));
    let plain = stages().umask(0o022).rlimit("core", Some(1), Some(1));
    assert_eq!(show(plain), ["011", "1 1", "022", "1 1"]);
    let inner = kid("rlimit core").rlimit("core", Some(2), Some(2)).pipe(kid("cat -- rlimit core"));
    assert_eq!(show(inner.rlimit("core", Some(3), Some(3))), ["2 2", "3 3"]);
}

#[test]
fn wrong_values_are_refused_before_anything_starts() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let touch = || kid_with("touch", [scratch.path().join("marker")]);
    let table: Vec<(Expression, &str)> = vec![
        (touch().uid(u32::MAX), "4294967295 is no user"),
        (touch().groups([0, u32::MAX]), "4294967295 is no user"),
        (touch().umask(0o1000), "0o1000 is no umask"),
        (touch().nice(20), "20 is no niceness"),
        (touch().rlimit("nofiles", Some(1), None), "did you mean `nofile`?"),
        (touch().rlimit("x", Some(1), None), "there are as, core, cpu"),
        (touch().rlimit("core", Some(2), Some(1)), "above the hard one: 2 > 1"),
        (touch().rlimit("core", None, Some(1)), "above the hard one: unlimited > 1"),
        (touch().fd(2, 1), "from 3 on, not 2; use stderr_fd"),
        (touch().fd(-1, 1), "from 3 on, not -1"),
        (touch().fd(3, 1).fd(3, -5), "-5 is no descriptor"),
        (touch().fd(3, -5), "-5 is no descriptor"),
        (touch().fd(i32::MAX, 1), "ulimit -n"),
        (touch().fd(3, 99_999), "descriptor 99999 is not open in this process"),
        (touch().stdin_fd(99_999), "descriptor 99999 is not open in this process"),
        (touch().stdout_fd(-7), "descriptor -7 is not open in this process"),
        (touch().pipe(kid("cat").nice(-21)), "-21 is no niceness"),
    ];
    for (command, part) in table {
        let error = fails(ErrorKind::InvalidArgument, command.run());
        assert!(error.message().contains(part), "{error}");
    }
    assert!(scratch.listing().is_empty(), "something was started");
}

#[test]
fn a_session_is_the_childs_own() {
    let _guard = Guard::new();
    let ids = |command: Expression| -> Vec<u32> {
        read(&command).lines().map(|line| line.parse().expect("a number")).collect()
    };
    let [pid, pgid, sid] = ids(kid("pid -- pgid -- sid").new_session())[..] else { panic!("three lines") };
    assert_eq!((pid, pid), (pgid, sid));
    // Each stage has its own; one that has none is in the group of the others.
    let show = "cat -- pid -- pgid -- sid";
    let all = kid(show).new_session().pipe(kid(show)).pipe(kid(show).new_session());
    let [a, ag, asid, b, bg, bsid, c, cg, csid] = ids(all)[..] else { panic!("nine lines") };
    assert_eq!((a, a, c, c), (ag, asid, cg, csid));
    assert!(b == bg && bsid != b);
}

#[test]
fn signals_reach_every_session_of_a_command() {
    let _guard = Guard::new();
    let sleep = unique_sleep(71);
    let stage = || kid(&format!("grandchild {sleep} -- forever")).new_session();
    let line = stage().pipe(kid(&format!("grandchild {sleep} -- forever"))).pipe(stage());
    let error = soon(|| fails(ErrorKind::TimedOut, line.clone().timeout(millis(300)).run()));
    assert_eq!(error.stages().len(), 3);
    let execution = line.start().expect("it starts");
    execution.terminate();
    let execution = line.start().expect("it starts");
    execution.kill().expect("they are ours");
    let _ = soon(|| execution.wait());
    drop(line.start().expect("it starts"));
    let gone = procs::until(super::SOON, || words_running(&sleep), |count| *count == 0);
    assert_eq!(gone, 0, "grandchildren are left");
}

fn words_running(words: &str) -> usize {
    procs::running(&testkid()).iter().filter(|kid| kid.words.contains(words)).count()
}

#[test]
fn a_stage_that_cannot_be_started_ends_the_sessions_before_it() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("no-format", "echo\n");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("it is ours");
    for last in [Expression::from_path(&file), Expression::from_path(&file).new_session()] {
        let line = kid("forever").new_session().pipe(kid("forever")).pipe(last);
        soon(|| fails(ErrorKind::BadFormat, line.run()));
    }
}

#[test]
fn users_and_groups() {
    if skipped("users_and_groups") {
        return;
    }
    let _guard = Guard::new();
    let (_dir, program) = public_copy(testkid());
    let ids = |change: &dyn Fn(Expression) -> Expression| read(&change(cmd(&program, ["ids"])));
    assert_eq!(ids(&|c| c.uid(1234).gid(2345)), "uid: 1234 gid: 2345 groups:");
    // A user without groups keeps none of root's.
    assert_eq!(ids(&|c| c.uid(1234)), "uid: 1234 gid: 0 groups:");
    assert_eq!(ids(&|c| c.uid(1234).gid(2345).groups([5, 6, 7, 8, 9])), "uid: 1234 gid: 2345 groups: 5 6 7 8 9");
    assert_eq!(ids(&|c| c.groups([5, 6]).groups([])), "uid: 0 gid: 0 groups:");
    assert_eq!(ids(&|c| c.gid(2345).groups([5])), "uid: 0 gid: 2345 groups: 5");
    let line = cmd(&program, ["cat", "--", "ids"]).uid(1).pipe(cmd(&program, ["cat", "--", "ids"]));
    assert_eq!(read(&line.uid(2).gid(3)), "uid: 1 gid: 3 groups:\nuid: 2 gid: 3 groups:");
    // Limits that only root may raise, and all the rest, come before the user.
    let all = cmd(&program, ["ids", "--", "rlimit", "nofile", "--", "sid"]).uid(1234).gid(2345);
    let all = all.rlimit("nofile", Some(70), Some(70)).umask(0o077).nice(1).new_session();
    assert!(read(&all).starts_with("uid: 1234 gid: 2345 groups:\n70 70\n"));
    // The kernel looks at the user who executes.
    let private = kid("ids").uid(1234).gid(2345);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("it is ours");
    let error = fails(ErrorKind::NotExecutable, cmd(&program, ["ids"]).uid(1234).run());
    assert!(error.help().is_some_and(|help| help.contains("the user 1234")), "{error:?}");
    drop(private);
}

#[test]
fn directories_and_files_are_opened_before_the_user_changes() {
    if skipped("directories_and_files_are_opened_before_the_user_changes") {
        return;
    }
    let _guard = Guard::new();
    let (_dir, program) = public_copy(testkid());
    let scratch = Scratch::new();
    let private = scratch.path().join("private");
    std::fs::create_dir(&private).expect("ours");
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).expect("it is ours");
    let input = scratch.write("private/in", "text\n");
    let run = |words: &str| cmd(&program, words.split(' ')).uid(1234).gid(2345).dir(&private);
    let shown = read(&run("ids -- dir -- cat").stdin_path(&input));
    assert_eq!(shown, format!("uid: 1234 gid: 2345 groups:\n{}\ntext", private.display()));
    run("echo written").stdout_path(private.join("out")).run().expect("it is opened by us");
    assert_eq!(scratch.read("private/out"), "written\n");
    // What it does itself, it does as that user.
    let error = fails(ErrorKind::ExitStatus, run("touch made").output());
    assert!(String::from_utf8_lossy(error.stderr().expect("captured")).contains("Permission denied"), "{error:?}");
}

#[test]
fn a_refused_step_is_named() {
    let _guard = Guard::new();
    let steps = [
        ("uid(0)", "cannot set the user id 0: Operation not permitted"),
        ("gid(0)", "cannot set the group id 0: Operation not permitted"),
        ("groups([])", "cannot drop the supplementary groups: Operation not permitted"),
        ("groups([1, 2])", "cannot set the supplementary groups [1, 2]: Operation not permitted"),
        ("nice(-1)", "cannot change the niceness by -1: Operation not permitted"),
    ];
    for (setting, message) in steps {
        let script = format!(
            "try {{ cmd(\"true\").{setting}.run(); }} catch (e) {{ print(`${{e.kind}} ${{e.errno_name}} ${{e.message}}`); }}"
        );
        let said = as_ordinary_user(&script).expect("it catches the error");
        let (first, rest) = said.split_once(' ').expect("three parts");
        assert!(first == "spawn_failed" && rest.ends_with(message), "{said}");
        assert!(rest.starts_with("EPERM") || rest.starts_with("EACCES"), "{said}");
    }
    let script = "try { cmd(\"true\").rlimit(\"nofile\", 5, \"unlimited\").run(); } catch (e) { print(e.message); }";
    let said = as_ordinary_user(script).expect("it catches the error");
    assert_eq!(said, "cannot set the limit `nofile` to 5 (hard: unlimited): Operation not permitted");
}

#[test]
fn what_is_too_large_is_named() {
    let _shared = leaks::shared();
    for command in [kid("echo"), forked(kid("echo"))] {
        let error = fails(ErrorKind::ArgumentTooLong, command.clone().arg("x".repeat(200_000)).run());
        assert!(error.message().contains("argument 2 has 200000 bytes, more than the 131071"), "{error}");
        assert_eq!((error.errno(), error.errno_name()), (Some(libc::E2BIG), Some("E2BIG")));
        assert!(error.help().is_some_and(|help| help.contains(".stdin")), "{error:?}");
        let error = fails(ErrorKind::ArgumentTooLong, command.clone().env("BIG", "x".repeat(200_000)).run());
        assert!(error.message().contains("the environment variable BIG has 200004 bytes"), "{error}");
        let error = fails(ErrorKind::ArgumentTooLong, command.clone().args(vec!["x".repeat(1000); 10_000]).run());
        assert!(error.message().contains("its arguments and environment have 10"), "{error}");
        assert_eq!(command.arg("x".repeat(131_071)).read().expect("it just fits").len(), 131_071);
    }
}
