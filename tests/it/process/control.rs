//! What a holder can do with a running command: kill, suspend, wait from many threads.

use std::time::{Duration, Instant};

use procscript::process::{ErrorKind, Execution, TerminationStatus};

use super::{await_strays, fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;

const KILLED: Option<TerminationStatus> = Some(TerminationStatus::Signaled(libc::SIGKILL));

#[track_caller]
fn await_state(execution: &Execution, wanted: char) {
    let state = || procs::process(execution.pids()[0]).map(|process| process.state);
    assert_eq!(procs::until(super::SOON, state, |state| *state == Some(wanted)), Some(wanted));
}

#[test]
fn many_waiters_have_their_own_patience() {
    let _guard = Guard::new();
    let execution = kid("forever").start().expect("it starts");
    std::thread::scope(|scope| {
        let wait = |patience: Duration| {
            let execution = &execution;
            scope.spawn(move || {
                let started = Instant::now();
                (execution.wait_timeout(patience), started.elapsed())
            })
        };
        let short: Vec<_> = (0..10).map(|n| (millis(n * 20), wait(millis(n * 20)))).collect();
        let long: Vec<_> = (0..10).map(|n| wait(Duration::from_secs(60 + n))).chain([wait(Duration::MAX)]).collect();
        let looks: Vec<_> = (0..5).map(|_| scope.spawn(|| execution.try_wait())).collect();
        for (patience, waiter) in short {
            let (result, elapsed) = waiter.join().expect("no panic");
            assert!(result.expect("no error").is_none() && elapsed >= patience, "{elapsed:?}");
        }
        looks.into_iter().for_each(|look| assert!(look.join().expect("no panic").expect("no error").is_none()));
        execution.kill().expect("it is ours");
        for waiter in long {
            let (result, _) = soon(|| waiter.join()).expect("no panic");
            assert_eq!(fails(ErrorKind::Signaled, result).status(), KILLED);
        }
    });
    assert_eq!(fails(ErrorKind::Signaled, execution.try_wait()).status(), KILLED);
}

#[test]
fn a_kill_reaches_everything_and_can_be_repeated() {
    let _guard = Guard::new();
    let sleep = unique_sleep(55);
    let family = format!("ignore TERM -- grandchild {sleep} -- grandchild-detached {sleep} -- {sleep}");
    let execution = kid(&family).pipe(kid("ignore TERM -- forever")).start().expect("it starts");
    assert_eq!(await_strays(&sleep, 3), 3);
    within(millis(1000), || (0..3).for_each(|_| execution.kill().expect("it is ours")));
    soon(|| fails(ErrorKind::Signaled, execution.wait()));
    kill_strays(&sleep, 0);
    execution.kill().expect("a no-op");
    execution.suspend().expect("a no-op");
    execution.resume().expect("a no-op");
    soon(|| execution.teardown(&procscript::process::Teardown::kill()));
}

#[test]
fn threads_may_end_it_all_at_once() {
    let _guard = Guard::new();
    for _ in 0..5 {
        let execution = kid("forever").pipe(kid("cat")).start().expect("it starts");
        soon(|| {
            std::thread::scope(|scope| {
                for n in 0..8 {
                    let execution = &execution;
                    scope.spawn(move || match n % 4 {
                        0 => execution.kill().expect("it is ours"),
                        1 => execution.terminate(),
                        2 => execution.teardown(&procscript::process::Teardown::kill()),
                        _ => drop(execution.wait()),
                    });
                }
            });
        });
        assert!(!execution.is_running());
    }
}

#[test]
fn suspended_it_does_nothing_until_it_is_resumed() {
    let _guard = Guard::new();
    let execution = kid("cat-upper").stdin_piped().stdout_piped().start().expect("it starts");
    let mut lines = execution.stdout().lines().expect("piped");
    execution.suspend().expect("it is ours");
    await_state(&execution, 'T');
    execution.write(b"waiting\n").expect("the pipe takes it");
    assert!(execution.wait_timeout(millis(100)).expect("stopped is not ended").is_none());
    assert!(execution.is_running());
    execution.resume().expect("it is ours");
    assert_eq!(lines.next().expect("a line").expect("good"), "WAITING");
    execution.finish_input();
    execution.wait().expect("it succeeds");
}

#[test]
fn what_came_while_it_was_suspended_is_answered_in_order() {
    let _guard = Guard::new();
    let command = kid("echo ready -- cat").new_session().stdin_piped().stdout_piped();
    let execution = command.start().expect("it starts");
    let (sender, answers) = std::sync::mpsc::channel();
    let lines = execution.stdout().lines().expect("piped");
    let reader = std::thread::spawn(move || lines.for_each(|line| sender.send(line.expect("good")).expect("heard")));
    let answer = || answers.recv_timeout(super::SOON).expect("an answer");
    assert_eq!(answer(), "ready");
    execution.signal(libc::SIGSTOP).expect("it is ours");
    await_state(&execution, 'T');
    execution.write(b"first\n").expect("the pipe takes it");
    execution.write(b"second\n").expect("the pipe takes it");
    assert!(answers.recv_timeout(millis(200)).is_err(), "it is suspended");
    execution.signal(libc::SIGCONT).expect("it is ours");
    assert_eq!((answer(), answer()), ("first".to_string(), "second".to_string()));
    // A signal ends the lines, and is how the command has ended.
    execution.signal(libc::SIGTERM).expect("it is ours");
    soon(|| reader.join()).expect("no panic");
    let error = fails(ErrorKind::Signaled, execution.wait());
    assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGTERM)));
}

#[test]
fn a_tree_that_is_stopped_goes_on_when_it_is_told_to() {
    let _guard = Guard::new();
    let tree = procscript::process::Scope::Tree;
    let execution = kid("forever").pipe(kid("cat")).start().expect("it starts");
    for stop in [libc::SIGSTOP, libc::SIGTSTP] {
        execution.signal_within(tree, stop).expect("it is ours");
        await_state(&execution, 'T');
        execution.signal_within(tree, libc::SIGWINCH).expect("it is ours");
        await_state(&execution, 'T');
        execution.signal_within(tree, libc::SIGCONT).expect("it is ours");
        await_state(&execution, 'S');
    }
    execution.terminate();
}

#[test]
fn a_step_reaches_what_is_stopped_whatever_its_scope() {
    use procscript::process::{Scope, Teardown};
    let _guard = Guard::new();
    for scope in [Scope::Process, Scope::Group, Scope::Tree] {
        let step = Teardown::kill().after(libc::SIGTERM, scope, Duration::from_secs(30));
        let execution = kid("forever").start().expect("it starts");
        execution.suspend().expect("it is ours");
        await_state(&execution, 'T');
        soon(|| execution.teardown(&step));
        let execution = kid("forever").teardown(step).timeout(millis(1500)).start().expect("it starts");
        execution.suspend().expect("it is ours");
        let error = soon(|| fails(ErrorKind::TimedOut, execution.wait()));
        assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGTERM)));
    }
}

#[test]
fn a_suspended_command_can_be_ended_in_every_way() {
    // A stopped process sees no signal but KILL before it goes on.
    let _guard = Guard::new();
    let ways: [fn(Execution); 4] = [
        drop,
        |execution| execution.terminate(),
        |execution| {
            execution.kill().expect("it is ours");
            fails(ErrorKind::Signaled, execution.wait());
        },
        |execution| {
            let tree = procscript::process::Scope::Tree;
            let step = procscript::process::Teardown::kill().after(libc::SIGTERM, tree, Duration::from_secs(30));
            execution.teardown(&step);
        },
    ];
    for end in ways {
        let execution = kid("forever").pipe(kid("cat")).start().expect("it starts");
        execution.suspend().expect("it is ours");
        await_state(&execution, 'T');
        within(millis(3000), || end(execution));
    }
    let execution = kid("forever").timeout(millis(1500)).start().expect("it starts");
    execution.suspend().expect("it is ours");
    within(millis(4000), || fails(ErrorKind::TimedOut, execution.wait()));
}

#[test]
fn two_stages_that_are_captured_give_both_texts() {
    let _guard = Guard::new();
    let pipeline = kid("err one -- echo out").stderr_capture().pipe(kid("err two -- cat-upper").stderr_capture());
    let output = pipeline.stdout_capture().run().expect("it succeeds");
    let errors = String::from_utf8(output.stderr.expect("captured")).expect("text");
    let mut errors: Vec<_> = errors.lines().collect();
    errors.sort_unstable();
    assert_eq!((errors, output.stdout.as_deref()), (vec!["one", "two"], Some(&b"OUT\n"[..])));
}

#[test]
fn nested_pipelines_have_their_own_redirections() {
    let _guard = Guard::new();
    let scratch = crate::support::scratch::Scratch::new();
    let path = |name: &str| scratch.path().join(name);
    let inner = kid("echo a -- err e1").pipe(kid("cat-upper -- err e2")).stderr_path(path("inner"));
    let outer = inner.pipe(kid("cat -- err e3").pipe(kid("cat -- err e4").stderr_path(path("last"))));
    let output = outer.stderr_capture().stdout_path(path("out")).run().expect("it succeeds");
    assert_eq!(output.stderr.as_deref(), Some(&b"e3\n"[..]));
    let sorted = |name: &str| {
        let text = scratch.read(name);
        let mut lines: Vec<_> = text.lines().map(str::to_string).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted("inner"), ["e1", "e2"]);
    assert_eq!((sorted("last"), sorted("out")), (vec!["e4".to_string()], vec!["A".to_string()]));
}

#[test]
#[cfg(target_os = "linux")]
fn process_descriptors_tell_the_end() {
    let _guard = Guard::new();
    let execution = kid("forever").pipe(kid("cat")).unchecked().start().expect("it starts");
    let descriptors = execution.process_descriptors();
    assert_eq!(descriptors.len(), 2);
    assert!(descriptors.iter().all(|descriptor| !has_ended(descriptor, 0)));
    execution.kill().expect("it is ours");
    assert!(descriptors.iter().all(|descriptor| has_ended(descriptor, 5000)));
    soon(|| execution.wait()).expect("unchecked");
    assert!(execution.process_descriptors().is_empty());
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn has_ended(descriptor: &std::os::fd::OwnedFd, patience: i32) -> bool {
    use std::os::fd::AsRawFd;
    let mut wanted = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives as long as the call.
    unsafe { libc::poll(&mut wanted, 1, patience) == 1 }
}
