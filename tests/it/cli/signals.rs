//! Signals to the runner: commands are ended, then it dies of the signal itself.
//!
//! The commands send the signals, to their parent: so it is certain that they run by then.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{eval, shell};
use crate::support::pty::{Terminal, signal_of};
use crate::support::run::{Outcome, Run};
use crate::support::scratch::Scratch;
use crate::support::{leaks, procs, procscript_bin, testkid};

/// A command that signals the runner and then goes on for ever.
fn signaller(signal: &str) -> String {
    format!("cmd(\"sh\", \"-c\", \"kill -{signal} $PPID; exec testkid forever\")")
}

/// One that also ignores what it is sent.
fn stubborn(signal: &str) -> String {
    format!("cmd(\"sh\", \"-c\", \"trap '' {signal}; kill -{signal} $PPID; exec testkid forever\")")
}

#[track_caller]
fn quick(outcome: &Outcome, limit: u64) {
    outcome.check(outcome.elapsed < procs::under_load(Duration::from_millis(limit)), "it took too long");
}

#[test]
fn it_dies_of_the_signal_that_told_it_to_stop() {
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let outcome = eval(&format!("print(\"a\"); {}.run(); print(\"b\");", signaller(name))).run();
        outcome.signal(number).stdout("a\n").stderr("");
        quick(&outcome, 3000);
    }
}

#[test]
fn whatever_waits_is_ended() {
    let command = signaller("INT");
    for code in [
        format!("{command}.output();"),
        format!("{command}.read();"),
        format!("{command}.test();"),
        format!("{command}.code();"),
        format!("{command}.unchecked().run();"),
        format!("for line in {command}.lines() {{ print(line) }}"),
        format!("for line in {command}.lines() {{ }}"),
        format!("for piece in {command}.chunks() {{ }}"),
        format!("{command}.lines().to_array();"),
        format!("{command}.lines().each(|line| print(line));"),
        format!("let e = {command}.start(); e.wait();"),
        format!("let e = {command}.start(); e.wait_timeout(\"1h\");"),
        format!("let e = {command}.start(); sleep(\"1h\");"),
        format!("let e = {command}.start(); sleep(3600);"),
        format!("let e = {command}.start(); loop {{ }}"),
        format!("let e = {command}.start(); while true {{ let x = 1 + 1; }}"),
        format!("let e = {command}.start(); [1].for_each(|| {{ loop {{ }} }});"),
        format!("let e = {command}.start(); cmd(\"testkid\", \"forever\").run();"),
        format!("({command} | cmd(\"testkid\", \"cat\")).run();"),
        format!("(cmd(\"testkid\", \"forever\") | {command}).read();"),
        format!("cmd(\"testkid\", \"cat\").stdin({command}).read();"),
        format!("fn f(c) {{ c.run() }} f({command});"),
        format!("[1, 2].map(|n| {command}.run());"),
        format!("let e = {command}.start(); [3, 2, 1].sort(|a, b| {{ sleep(\"1h\"); 0 }});"),
    ] {
        let outcome = eval(&format!("{code} print(\"went on\");")).run();
        outcome.signal(2).stdout("").stderr("");
        quick(&outcome, 3000);
    }
}

#[test]
fn it_cannot_be_caught_and_loops_stop_at_the_first() {
    let command = signaller("INT");
    eval(&format!("try {{ {command}.run(); }} catch (e) {{ print(\"caught \" + e) }} print(\"went on\");"))
        .run()
        .signal(2)
        .stdout("");
    let outcome = eval(&format!("for i in 0..1000 {{ print(i); {command}.unchecked().run(); }}")).run();
    outcome.signal(2).stdout("0\n");
    let outcome = eval(&format!("for i in 0..1000 {{ print(i); try {{ {command}.run(); }} catch {{ }} }}")).run();
    outcome.signal(2).stdout("0\n");
    // Also when the command that is under way ends by itself, as if nothing had been.
    let polite = "cmd(\"sh\", \"-c\", \"kill -INT $PPID; exec testkid trap-exit INT 0 -- sleep 20000\")";
    eval(&format!("for i in 0..1000 {{ print(i); {polite}.run(); }}")).run().signal(2).stdout("0\n");
}

#[test]
fn who_ignores_it_is_killed_after_the_grace() {
    for signal in ["INT", "TERM", "HUP"] {
        let outcome = eval(&format!("{}.grace(\"300ms\").run();", stubborn(signal))).run();
        quick(&outcome, 3000);
        outcome.check(outcome.elapsed >= Duration::from_millis(300), "no grace was given").stderr("");
    }
    let outcome = eval(&format!("let e = {}.grace(\"300ms\").start(); loop {{ }}", stubborn("TERM"))).run();
    outcome.signal(15);
    quick(&outcome, 3000);
}

#[test]
fn the_second_signal_does_not_wait() {
    let twice = "cmd(\"sh\", \"-c\", \"trap '' INT; kill -INT $PPID; testkid sleep 1000; kill -INT $PPID; exec testkid forever\")";
    for verb in ["run()", "read()", "lines().count()"] {
        let outcome = eval(&format!("{twice}.grace(\"1h\").{verb};")).run();
        outcome.signal(2).stderr("");
        quick(&outcome, 6000);
    }
    let outcome = eval(&format!("let e = {twice}.grace(\"1h\").start(); sleep(\"1h\");")).run();
    outcome.signal(2);
    quick(&outcome, 6000);
}

#[test]
fn everything_that_was_started_is_ended() {
    // The harness looks for what is left.
    let code = format!(
        "let a = cmd(\"testkid\", [\"grandchild\", \"forever\", \"--\", \"forever\"]).start();
         let b = cmd(\"testkid\", [\"ignore\", \"TERM\", \"--\", \"forever\"]).grace(\"200ms\").start();
         let c = (cmd(\"testkid\", \"forever\") | cmd(\"testkid\", \"cat\")).start();
         {}.run();",
        signaller("TERM")
    );
    let outcome = eval(&code).run();
    outcome.signal(15).stderr("");
    quick(&outcome, 4000);
}

#[test]
fn who_cleans_up_is_given_the_time() {
    let tidy =
        "cmd(\"sh\", \"-c\", \"trap 'echo tidy; exit 0' TERM; kill -TERM $PPID; while :; do testkid sleep 20; done\")";
    let outcome = eval(&format!("{tidy}.grace(\"1m\").run(); print(\"went on\");")).run();
    outcome.signal(15).stdout("tidy\n");
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    // As `nohup` has it.
    let code = "cmd(\"sh\", \"-c\", \"kill -HUP $PPID\").run(); print(\"went on\");";
    shell(&format!("trap '' HUP; exec \"$0\" -e '{code}'")).run().success().stdout("went on\n");
}

/// Runs a script under a parent that changes the signals which the runner inherits: ignores these, and blocks those.
#[allow(unsafe_code)]
fn under_a_parent_that(ignores: &'static [i32], blocks: &'static [i32], code: &str) -> std::process::Output {
    let _shared = leaks::shared();
    let mut runner = Command::new(procscript_bin());
    runner.args(["-e", code]).env("KID", testkid()).stdin(Stdio::null());
    // SAFETY: only async-signal-safe calls between fork and exec.
    unsafe {
        runner.pre_exec(move || {
            let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
            libc::sigemptyset(set.as_mut_ptr());
            blocks.iter().for_each(|signal| _ = libc::sigaddset(set.as_mut_ptr(), *signal));
            libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut());
            ignores.iter().for_each(|signal| _ = libc::signal(*signal, libc::SIG_IGN));
            Ok(())
        });
    }
    runner.output().expect("it starts")
}

#[test]
fn a_parent_that_ignores_or_blocks_signals_is_survived() {
    // With SIGCHLD ignored the kernel would reap our children, and every wait would fail.
    let code = r#"
        let kid = path(env("KID"));
        let run = |words| cmd(kid, words.split(" "));
        print(run.call("signals").read());
        print(run.call("exit 7").code());
        print((run.call("echo hi") | run.call("cat-upper")).read());
        let jobs = [];
        for n in 0..20 { jobs.push(run.call(`sleep ${n} -- exit ${n}`).unchecked().start()); }
        print(jobs.map(|job| job.wait().code).sum());
        try { run.call("forever").timeout("50ms").run(); } catch (e) { print(`${e.kind} ${e.signal_name}`); }
        print(parallel([1, 2, 3, 4].map(|n| run.call(`echo ${n}`)), #{show: "quiet"}).len());
        run.call("grandchild sleep 20").run();
        for line in run.call("lines 2000000000").lines() { print(line); break; }
    "#;
    let said = "ignored:\nblocked:\n7\nHI\n190\ntimed_out TERM\n4\nline-0\n";
    let all: &[i32] = &[libc::SIGCHLD, libc::SIGPIPE, libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGALRM];
    for (ignores, blocks) in [(&[libc::SIGCHLD][..], &[][..]), (&[], &[libc::SIGCHLD]), (&[libc::SIGCHLD], all)] {
        let output = under_a_parent_that(ignores, blocks, code);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{ignores:?} {blocks:?}: {}\n{out}\n{err}", output.status);
        assert_eq!(out, said, "{ignores:?} {blocks:?}");
    }
    // It is told to stop all the same.
    let code = "cmd(\"sh\", \"-c\", \"kill -TERM $PPID; exec sleep 60\").run();";
    let output = under_a_parent_that(&[libc::SIGCHLD], all, code);
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(libc::SIGTERM));
}

#[test]
fn ctrl_c_reaches_a_command_that_is_stopped() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let text = "trap \"echo cleaned; exit 1\" INT; (kill -STOP $$; echo ready); while :; do testkid sleep 10; done";
    let code = format!("cmd(\"sh\", \"-c\", `{text}`).grace(\"1h\").run();");
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &["-e", &code]);
    terminal.expect("ready").type_text("\x03").expect("cleaned");
    assert_eq!(signal_of(terminal.ended()), Some(libc::SIGINT));
}

#[test]
fn what_was_printed_before_is_not_lost() {
    let outcome = shell(&format!(
        "\"$0\" -e 'print(\"kept\"); let e = {}.start(); loop {{ }}' > out; echo $?",
        signaller("TERM")
    ));
    let outcome = outcome.allow_file("out").run();
    outcome.stdout("143\n").check(outcome.scratch.read("out") == "kept\n", "the line is in the file");
    Run::new().script(format!("print(\"kept\"); {}.run();", signaller("INT"))).run().signal(2).stdout("kept\n");
}

#[test]
fn one_key_is_one_signal_wherever_it_comes() {
    // A child that has not got to its program has the handlers of the runner.
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let code = "defer { sleep(\"400ms\"); print(\"CLEAN\"); } print(\"GO\"); loop { cmd(\"true\").umask(0o22).run(); }";
    for round in 0..15 {
        let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &["-e", code]);
        terminal.expect("GO");
        std::thread::sleep(Duration::from_millis(7 * round));
        terminal.type_text("\x03").expect("CLEAN");
        assert_eq!(signal_of(terminal.ended()), Some(libc::SIGINT));
    }
}

#[test]
fn what_goes_wrong_while_it_ends_is_told() {
    // It dies of the signal all the same.
    let outcome = eval(&format!("defer {{ throw \"boom\"; }} {}.run();", signaller("TERM"))).run();
    outcome.signal(15).stderr_contains("interrupted").stderr_contains("and clean-up failed").stderr_contains("boom");
    let code = "let job = cmd(\"testkid\", \"exit\", \"3\").start(); while job.is_running { sleep(\"5ms\"); }";
    let outcome = eval(&format!("{code} {}.run();", signaller("TERM"))).run();
    outcome.signal(15).stderr_contains("nobody waited for").stderr_contains("code 3");
    // What was told to end with it has nothing to say.
    let code = "let job = cmd(\"testkid\", \"forever\").start();";
    eval(&format!("{code} {}.run();", signaller("TERM"))).run().signal(15).stderr("");
    // Nor is anything lost when nobody reads what it prints.
    let line = "\"$0\" -e 'defer { throw \"boom\"; } loop { print(\"xxxxxxxxxxxxxxxxxx\"); }' | head -n 1";
    shell(line).run().success().stderr_contains("boom");
}

#[test]
fn no_time_left_is_a_signal_like_another() {
    let code =
        "let dir = temp_dir(); let job = cmd(\"testkid\", \"forever\").start(); defer { print(\"clean\"); } loop { }";
    let outcome = shell(&format!("ulimit -S -t 1; exec \"$0\" -e '{code}'")).run();
    outcome.signal(libc::SIGXCPU).stdout("clean\n").stderr("");
}

#[test]
fn the_third_leaves_no_temporary_files_either() {
    let mut runner = Command::new(procscript_bin());
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let code = "let dir = temp_dir(); write_text(dir / \"a/b\", \"x\", #{ parents: true }); print(\"ready\");
        defer { sh(\"trap '' TERM; echo cleaning; while :; do sleep 0.05; done\").run(); } sleep(\"1h\");";
    runner.args(["-e", code]).env("TMPDIR", scratch.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = runner.spawn().expect("it starts");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), "ready");
    send(&child, libc::SIGTERM);
    assert_eq!(next(), "cleaning");
    for _ in 0..2 {
        send(&child, libc::SIGTERM);
        std::thread::sleep(Duration::from_millis(200));
    }
    let status = child.wait().expect("it ends");
    assert_eq!(signal_of(status), Some(libc::SIGTERM));
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it is there").count(), 0);
}

#[allow(unsafe_code)]
fn send(child: &std::process::Child, signal: i32) {
    // SAFETY: the child is not reaped yet.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

/// A program on a file system that does not answer keeps who starts it, and nobody else.
#[test]
#[allow(unsafe_code)]
fn a_start_that_hangs_keeps_nobody_else() {
    const F_SETSIG: libc::c_int = 10;
    use std::os::fd::AsRawFd;
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    let slow = scratch.path().join("slow");
    std::fs::copy("/bin/true", &slow).expect("there is a true");
    let file = std::fs::OpenOptions::new().write(true).open(&slow).expect("ours");
    // SAFETY: takes numbers only. Who opens the file waits until the lease is given back, and this process hears of it by
    // a signal that it ignores.
    let has_lease = unsafe {
        libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) == 0
    };
    if !has_lease {
        println!("SKIP: no lease can be had");
        return;
    }
    let code = format!(
        "let waits = (cmd(\"true\") | cmd(\"testkid\", \"forever\")).start();
         parallel([1, 2], |n| {{
             if n == 1 {{ return cmd({:?}).run(); }}
             sleep(\"300ms\"); cmd(\"true\").run(); sleep(\"10ms\"); print(\"through\");
         }});",
        slow.display().to_string()
    );
    let mut runner = Command::new(procscript_bin());
    runner.args(["-e", &code]).stdout(Stdio::piped()).env("PATH", path_with(&scratch));
    let mut child = runner.spawn().expect("it starts");
    let (sender, receiver) = std::sync::mpsc::channel();
    let out = child.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let line = std::io::BufRead::lines(std::io::BufReader::new(out)).next();
        let _ = sender.send(line.and_then(Result::ok));
    });
    // The kernel takes the lease back by itself after 45 seconds.
    let line = receiver.recv_timeout(Duration::from_secs(20));
    drop(file);
    reader.join().expect("no panic");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(line.ok().flatten().as_deref(), Some("through"));
}

fn path_with(scratch: &Scratch) -> std::ffi::OsString {
    let mut path = scratch.bin().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}
