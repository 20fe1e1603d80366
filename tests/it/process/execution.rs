//! Commands that run beside the program.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use procscript::process::{ErrorKind, Expression, TerminationStatus, signal_number};

use super::{await_strays, fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

/// Runs until the child has said that it is ready.
macro_rules! ready {
    ($execution:expr) => {
        procs::until(
            Duration::from_secs(5),
            || $execution.pids().iter().all(|pid| procs::process(*pid).is_some_and(|p| p.words.contains("testkid"))),
            |ready| *ready,
        )
    };
}

#[test]
fn waiting_has_the_same_answer_each_time() {
    let _guard = Guard::new();
    let execution = kid("exit 0").start().expect("it starts");
    // Each is the caller's own.
    let taken = kid("echo hi").stdout_capture().start().expect("it starts");
    for _ in 0..2 {
        assert_eq!(taken.wait().expect("success").stdout.take().as_deref(), Some(&b"hi\n"[..]));
    }
    for _ in 0..3 {
        assert!(execution.wait().expect("success").success());
        assert!(execution.try_wait().expect("success").is_some());
        assert!(execution.wait_timeout(Duration::MAX).expect("success").is_some());
    }
    assert!(!execution.is_running());
    let failing = kid("exit 6").start().expect("it starts");
    for _ in 0..3 {
        fails(ErrorKind::ExitStatus, failing.wait());
        fails(ErrorKind::ExitStatus, failing.try_wait());
    }
}

#[test]
fn a_look_does_not_wait() {
    let _guard = Guard::new();
    let execution = kid("forever").start().expect("it starts");
    within(millis(1000), || assert!(execution.try_wait().expect("no error").is_none()));
    assert!(execution.wait_timeout(Duration::ZERO).expect("no error").is_none());
    let started = Instant::now();
    assert!(execution.wait_timeout(millis(100)).expect("no error").is_none());
    assert!(started.elapsed() >= millis(99) && execution.is_running());
    execution.kill().expect("it is ours");
    // Longer than the clock can say.
    let error = soon(|| fails(ErrorKind::Signaled, execution.wait_timeout(Duration::MAX)));
    assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGKILL)));
    // No time at all is enough for what has ended, also when nobody has looked before.
    let execution = kid("exit 0").start().expect("it starts");
    let ended = || procs::process(execution.pids()[0]).is_none_or(|process| process.is_zombie());
    assert!(procs::until(super::SOON, ended, |ended| *ended));
    assert!(execution.wait_timeout(Duration::ZERO).expect("it succeeds").is_some());
}

#[test]
fn any_number_of_threads_may_wait() {
    let _guard = Guard::new();
    for (line, kill) in [("forever", true), ("sleep 200", false)] {
        let execution = kid(line).unchecked().start().expect("it starts");
        std::thread::scope(|scope| {
            let wait = || scope.spawn(|| execution.clone().wait().expect("unchecked").status);
            let waiters: Vec<_> = (0..10).map(|_| wait()).collect();
            if kill {
                execution.kill().expect("it is ours");
            }
            let expected = if kill { TerminationStatus::Signaled(9) } else { TerminationStatus::Exited(0) };
            waiters.into_iter().for_each(|waiter| assert_eq!(waiter.join().expect("no panic"), expected));
        });
    }
}

#[test]
fn signals_reach_the_command_and_nobody_afterwards() {
    let _guard = Guard::new();
    let execution = kid("trap-exit USR1 42 -- echo ready -- forever").stdout_null().start().expect("it starts");
    // No sign but the disposition itself tells that the child is ready.
    let caught = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
        u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & (1 << (libc::SIGUSR1 - 1)) != 0)
    };
    assert!(procs::until(Duration::from_secs(5), || caught(execution.pids()[0]), |caught| *caught));
    execution.signal(libc::SIGUSR1).expect("it is ours");
    let error = fails(ErrorKind::ExitStatus, execution.wait());
    assert_eq!(error.status(), Some(TerminationStatus::Exited(42)));
    // The process is gone: signals are no errors, and hit nobody.
    execution.signal(libc::SIGTERM).expect("a no-op");
    execution.kill().expect("a no-op");
    soon(|| execution.terminate());
    // Ended, but not waited for by us.
    let execution = kid("exit 0").start().expect("it starts");
    procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running);
    execution.signal(libc::SIGTERM).expect("a no-op");
    execution.kill().expect("a no-op");
    assert!(execution.wait().expect("it ended by itself").success());
}

#[test]
fn a_dropped_command_is_torn_down_with_what_it_started() {
    let _guard = Guard::new();
    let sleep = unique_sleep(21);
    let lines =
        [sleep.clone(), format!("grandchild {sleep} -- {sleep}"), format!("grandchild-detached {sleep} -- {sleep}")];
    for line in lines {
        let execution = kid(&line).start().expect("it starts");
        ready!(execution);
        // Until the grandchild is there as well.
        let wanted = line.matches("grandchild").count() + 1;
        assert_eq!(await_strays(&sleep, wanted), wanted);
        let second = execution.clone();
        drop(execution);
        assert!(second.is_running(), "a clone keeps it");
        soon(|| drop(second));
        kill_strays(&sleep, 0);
    }
    let stubborn = kid("ignore TERM -- forever").grace(millis(150)).start().expect("it starts");
    soon(|| drop(stubborn));
}

#[test]
fn a_detached_command_goes_on() {
    let _guard = Guard::new();
    let sleep = unique_sleep(22);
    let execution = kid(&sleep).start().expect("it starts");
    ready!(execution);
    execution.detach();
    within(millis(1000), || drop(execution));
    kill_strays(&sleep, 1);
    // A start later at the latest there is no zombie either; the guard looks.
    kid("exit 0").run().expect("it succeeds");
}

#[test]
fn many_that_were_let_go_leave_no_zombies() {
    // Whether they end at once, or when nobody has had a handle for long.
    let _guard = Guard::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let let_go = |command: Expression| {
        let execution = command.start().expect("it starts");
        execution.detach();
        execution.pids()[0]
    };
    let reading =
        || kid("cat").stdin_file(OwnedFd::from(reader.try_clone().expect("a duplicate")).into()).stdout_null();
    let short: Vec<u32> = (0..10).map(|_| let_go(kid("exit 0"))).collect();
    let long: Vec<u32> = (0..10).map(|_| let_go(reading())).collect();
    let gone = |pids: &[u32]| {
        // What is started next takes away what has ended.
        kid("exit 0").run().expect("it succeeds");
        pids.iter().all(|pid| procs::process(*pid).is_none())
    };
    assert!(procs::until(super::SOON, || gone(&short), |gone| *gone), "those that ended at once");
    assert!(long.iter().all(|pid| procs::process(*pid).is_some_and(|process| !process.is_zombie())), "they read");
    drop(writer);
    assert!(procs::until(super::SOON, || gone(&long), |gone| *gone), "those that ended later");
}

#[test]
fn a_process_id_is_enough_for_a_command_that_was_let_go() {
    // As a shell's `&` and `$!`: no handle is kept.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let sleep = unique_sleep(58);
    let pids = {
        let command = kid(&format!("pid -- {sleep}")).stdout_path(scratch.path().join("pid"));
        let execution = command.detach().start().expect("it starts");
        execution.pids()
    };
    let said = || scratch.read("pid").trim().parse::<u32>().ok();
    assert_eq!(procs::until(Duration::from_secs(5), said, Option::is_some), Some(pids[0]));
    assert_eq!(pids.len(), 1);
    let running = procs::process(pids[0]).expect("it goes on");
    assert!(running.words.contains(&sleep), "{running}");
    procs::kill(pids[0]);
    kill_strays(&sleep, 0);
    // The start of another one takes its zombie away; the guard looks.
    kid("exit 0").run().expect("it succeeds");
}

#[test]
fn signals_have_names_and_numbers() {
    let _guard = Guard::new();
    let table = [
        ("HUP", libc::SIGHUP),
        ("INT", libc::SIGINT),
        ("ABRT", libc::SIGABRT),
        ("KILL", libc::SIGKILL),
        ("USR1", libc::SIGUSR1),
        ("USR2", libc::SIGUSR2),
        ("ALRM", libc::SIGALRM),
        ("TERM", libc::SIGTERM),
        ("SYS", libc::SIGSYS),
    ];
    for (name, number) in table {
        for spelling in [name.to_string(), format!("SIG{name}"), name.to_lowercase(), number.to_string()] {
            assert_eq!(signal_number(&spelling), Some(number), "{spelling}");
        }
        let execution = kid("forever").rlimit("core", Some(0), Some(0)).start().expect("it starts");
        execution.signal(number).expect("it is ours");
        let error = soon(|| fails(ErrorKind::Signaled, execution.wait()));
        let status = error.status().expect("it ended");
        assert_eq!((status.signal(), status.signal_name()), (Some(number), Some(name)));
    }
    // Those that end nobody have names, too.
    for (name, number) in [
        ("QUIT", libc::SIGQUIT),
        ("STOP", libc::SIGSTOP),
        ("CONT", libc::SIGCONT),
        ("TSTP", libc::SIGTSTP),
        ("WINCH", libc::SIGWINCH),
        ("CHLD", libc::SIGCHLD),
    ] {
        assert_eq!(signal_number(name), Some(number));
        assert_eq!(TerminationStatus::Signaled(number).signal_name(), Some(name));
    }
    // Those without a name have numbers all the same.
    let execution = kid("forever").start().expect("it starts");
    execution.signal(signal_number("40").expect("a number")).expect("it is ours");
    let status = soon(|| fails(ErrorKind::Signaled, execution.wait())).status();
    assert_eq!(status, Some(TerminationStatus::Signaled(40)));
    for wrong in ["", "NOPE", "SIG", "0", "-1", "65", "TERM ", "SIGSIGTERM"] {
        assert_eq!(signal_number(wrong), None, "{wrong:?}");
    }
}

#[test]
fn terminate_is_polite_first() {
    let _guard = Guard::new();
    let execution = kid("forever").start().expect("it starts");
    soon(|| execution.terminate());
    assert!(!execution.is_running());
    let stubborn = kid("ignore TERM -- forever").grace(millis(200)).start().expect("it starts");
    within(millis(2000), || stubborn.terminate());
    // One that is stopped hears it too.
    let stopped = kid("stop-self -- forever").start().expect("it starts");
    let state = |pid| procs::process(pid).map(|process| process.state);
    procs::until(Duration::from_secs(5), || state(stopped.pids()[0]), |state| *state == Some('T'));
    within(millis(3000), || stopped.terminate());
}

#[test]
fn input_is_written_while_it_runs() {
    let _guard = Guard::new();
    let cat = || kid("cat").stdin_piped().stdout_capture().start().expect("it starts");
    let execution = cat();
    execution.write(b"hello ").expect("it reads");
    execution.write(b"").expect("nothing");
    execution.write(b"world\n").expect("it reads");
    execution.finish_input();
    execution.finish_input();
    fails(ErrorKind::Misuse, execution.write(b"more"));
    let output = execution.wait().expect("it succeeds");
    assert_eq!(output.stdout.as_deref(), Some(&b"hello world\n"[..]));
    fails(ErrorKind::Misuse, execution.write(b"more"));
    // Forgetting to finish is forgiven by `wait`.
    let execution = cat();
    execution.write(b"x").expect("it reads");
    assert_eq!(soon(|| execution.wait()).expect("it succeeds").stdout.as_deref(), Some(&b"x"[..]));
    // Much of it, while the output is captured.
    let execution = cat();
    let data = vec![b'z'; 4 << 20];
    soon(|| execution.write(&data).expect("it reads"));
    assert!(soon(|| execution.wait()).expect("it succeeds").stdout == Some(data));
    // The input was not asked for.
    let execution = kid("exit 0").start().expect("it starts");
    fails(ErrorKind::Misuse, execution.write(b"x"));
    execution.wait().expect("it succeeds");
    // Dropping closes it.
    soon(|| drop(cat()));
}

#[test]
fn writing_to_a_command_that_has_gone_is_an_error_and_no_death() {
    let _guard = Guard::new();
    let execution = kid("exit 0").stdin_piped().start().expect("it starts");
    procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running);
    let error = fails(ErrorKind::WriteFailed, execution.write(&[0; 65_536]));
    assert_eq!(error.errno_name(), Some("EPIPE"));
    // A writer that is stuck is set free when the reader is killed.
    let execution = kid("never-read").stdin_piped().start().expect("it starts");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| execution.write(&vec![0; 4 << 20]));
        let waits = |state: Option<procs::Process>| state.is_some();
        procs::until(Duration::from_secs(5), || waits(procs::process(execution.pids()[0])), |seen| *seen);
        execution.kill().expect("it is ours");
        fails(ErrorKind::WriteFailed, soon(|| writer.join()).expect("no panic"));
    });
    fails(ErrorKind::Signaled, execution.wait());
}

#[test]
fn killing_does_not_wait_for_streams() {
    // A grandchild holds the captured stream, and input is still to be written.
    let _guard = Guard::new();
    let sleep = unique_sleep(23);
    let execution = kid(&format!("grandchild {sleep} -- forever")).stderr_capture();
    let execution = execution.stdin_bytes(vec![0; 1_000_000]).start().expect("it starts");
    assert_eq!(await_strays(&sleep, 2), 2);
    within(millis(1000), || execution.kill().expect("it is ours"));
    soon(|| fails(ErrorKind::Signaled, execution.wait()));
    kill_strays(&sleep, 0);
}

#[test]
fn a_failure_that_nobody_waited_for_is_told() {
    let _guard = Guard::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let told = move |error: procscript::process::Error| told.lock().expect("no panic").push(error.to_string());
    let watched = |line: &str| kid(line).on_unobserved_failure(told.clone());
    let start = |line: &str| watched(line).start().expect("it starts");
    let ended = |execution: &procscript::process::Execution| {
        procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running)
    };
    let count = || heard.lock().expect("no panic").len();

    let execution = start("exit 3");
    ended(&execution);
    drop(execution);
    assert_eq!(count(), 1);
    assert!(heard.lock().expect("no panic")[0].contains("exited with code 3"));
    // Observed, successful, ended by us, or declared harmless.
    let execution = start("exit 3");
    fails(ErrorKind::ExitStatus, execution.wait());
    drop(execution);
    let execution = start("exit 0");
    ended(&execution);
    drop(execution);
    drop(start("forever"));
    let execution = start("forever");
    execution.terminate();
    drop(execution);
    let execution = watched("exit 3").unchecked().start().expect("it starts");
    ended(&execution);
    drop(execution);
    assert_eq!(count(), 1);
}

#[test]
fn a_failure_that_happened_before_the_drop_is_told_even_when_it_is_noticed_by_it() {
    // A poll that saw "running" does not count as waiting.
    let _guard = Guard::new();
    let heard = Arc::new(Mutex::new(0));
    let told = heard.clone();
    let command = kid("read-line -- exit 3").stdin_piped();
    let command = command.on_unobserved_failure(move |_| *told.lock().expect("no panic") += 1);
    let execution = command.start().expect("it starts");
    assert!(execution.try_wait().expect("no error").is_none());
    execution.write(b"go\n").expect("it reads");
    procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running);
    drop(execution);
    assert_eq!(*heard.lock().expect("no panic"), 1);
}

#[test]
fn a_look_does_not_wait_for_a_function_either() {
    // The command has ended, and who receives what it has written takes his time.
    let _guard = Guard::new();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = Mutex::new(receiver);
    let sink = move |_: &[u8]| {
        let _ = receiver.lock().expect("no panic").recv_timeout(Duration::from_secs(20));
    };
    let context = procscript::process::Context::new();
    let context = context.with_stdout(procscript::process::HostStream::Sink(Arc::new(sink)));
    let execution = kid("echo x").within(&context).start().expect("it starts");
    procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running);
    within(millis(2500), || assert!(execution.wait_timeout(millis(50)).expect("no error").is_none()));
    within(millis(2500), || assert!(execution.try_wait().expect("no error").is_none()));
    drop(sender);
    assert!(soon(|| execution.wait()).expect("success").success());
}
