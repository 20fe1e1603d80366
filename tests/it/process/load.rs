//! Many runs, at once and in a row: nothing piles up.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use procscript::process::{ErrorKind, Expression};

use super::{await_strays, fails, kid, millis, soon, within};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;
use crate::support::testkid;

#[test]
fn hundreds_of_runs_in_a_row_leave_nothing() {
    let _guard = Guard::new();
    for number in 0..500 {
        assert_eq!(kid(&format!("echo hello-{number}")).read().expect("it succeeds"), format!("hello-{number}"));
    }
}

#[test]
fn hundreds_of_failures_in_a_row_leave_nothing() {
    // Error paths are where descriptors leak: pipes are open by then.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    // Executable, and refused by the kernel: the process has been made when that is known.
    let no_format = scratch.write("no-format", "echo\n");
    std::fs::set_permissions(&no_format, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let refused = || Expression::from_path(&no_format).stdin_bytes("abc");
    for _ in 0..200 {
        fails(ErrorKind::NotFound, Expression::new("no-such-program-x").stdin_bytes("abc").output());
        fails(ErrorKind::BadDirectory, kid("echo").dir("/no/such").stdin_bytes("abc").output());
        fails(ErrorKind::WriteFailed, kid("echo").stdin_bytes("abc").stdout_path("/no/such/file").output());
        fails(ErrorKind::ReadFailed, kid("echo").pipe(kid("cat").stdin_path("/no/such/file")).output());
        fails(ErrorKind::NotFound, kid("forever").pipe(Expression::new("no-such-program-x")).output());
        fails(ErrorKind::BadFormat, refused().output());
        fails(ErrorKind::BadFormat, refused().nice(0).output());
        fails(ErrorKind::BadFormat, refused().stdin_piped().stdout_piped().start());
    }
    for _ in 0..50 {
        soon(|| fails(ErrorKind::BadFormat, kid("forever").pipe(refused()).output()));
    }
}

#[test]
fn many_threads_do_different_things_at_once() {
    let _guard = Guard::new();
    let work = |thread: usize| {
        for round in 0..12 {
            let text = format!("{thread}-{round}");
            match (thread + round) % 6 {
                0 => assert_eq!(kid(&format!("echo {text}")).read().expect("it succeeds"), text),
                1 => {
                    let piped = kid(&format!("echo {text}")).pipe(kid("cat")).pipe(kid("cat"));
                    assert_eq!(piped.read().expect("it succeeds"), text);
                }
                2 => {
                    let data = text.repeat(50_000).into_bytes();
                    assert!(kid("cat").stdin_bytes(data.clone()).bytes().expect("it succeeds") == data);
                }
                3 => _ = fails(ErrorKind::ExitStatus, kid("exit 9").output()),
                4 => {
                    let first = kid("lines 100000").lines().expect("it starts").next();
                    assert_eq!(first.expect("a line").expect("it succeeds"), "line-0");
                }
                _ => {
                    let execution = kid("forever").start().expect("it starts");
                    execution.kill().expect("it can be killed");
                    fails(ErrorKind::Signaled, execution.wait());
                }
            }
        }
    };
    std::thread::scope(|scope| (0..16).for_each(|thread| _ = scope.spawn(move || work(thread))));
}

#[test]
fn children_of_others_are_not_reaped() {
    // The host's own children belong to the host.
    let _guard = Guard::new();
    let mut other = Command::new(testkid()).args(["exit", "5"]).stdin(Stdio::null()).spawn().expect("it starts");
    for _ in 0..20 {
        kid("exit 0").run().expect("it succeeds");
    }
    assert_eq!(other.wait().expect("not reaped by us").code(), Some(5));
}

#[test]
fn pipes_do_not_leak_into_commands_started_meanwhile() {
    // A writing end that another child inherited would keep `cat` waiting for as long as that lives.
    let _guard = Guard::new();
    let long: Vec<_> = std::thread::scope(|scope| {
        let starter = scope.spawn(|| (0..100).map(|_| kid("forever").start().expect("it starts")).collect());
        for _ in 0..100 {
            let piped = kid("cat").pipe(kid("cat")).stdin_bytes("abc");
            assert_eq!(soon(|| piped.read().expect("it succeeds")), "abc");
        }
        starter.join().expect("it does not panic")
    });
    drop(long);
}

#[test]
fn a_hundred_commands_end_when_they_like() {
    let _guard = Guard::new();
    let start = |number: u64| {
        let pause = number * 7919 % 1000;
        kid(&format!("sleep {pause} -- exit {number}")).unchecked().start().expect("it starts")
    };
    let codes = within(millis(60_000), || {
        let running: Vec<_> = (0..100).map(start).collect();
        running.iter().map(|execution| execution.wait().expect("unchecked").status.code()).collect::<Vec<_>>()
    });
    assert_eq!(codes, (0..100).map(Some).collect::<Vec<_>>(), "each has its own answer");
}

#[test]
fn commands_that_end_together_are_all_seen() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let go = scratch.path().join("go");
    let command = || kid("wait-for").arg(&go);
    within(millis(60_000), || {
        let running: Vec<_> = (0..16).map(|_| command().start().expect("it starts")).collect();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..16).map(|_| scope.spawn(|| command().run())).collect();
            assert_eq!(await_strays(&go.display().to_string(), 32), 32);
            std::fs::write(&go, "").expect("ours");
            waiting.into_iter().for_each(|thread| _ = thread.join().expect("no panic").expect("it succeeds"));
        });
        running.iter().for_each(|execution| _ = execution.wait().expect("it succeeds"));
    });
}

#[test]
fn hundreds_may_wait_for_one() {
    // With and without a time, and who has looked in vain before: all hear the same.
    let _guard = Guard::new();
    let execution = kid("forever").start().expect("it starts");
    let in_vain = AtomicUsize::new(0);
    within(millis(50_000), || {
        std::thread::scope(|scope| {
            let wait = |number: u64| {
                let (execution, in_vain) = (&execution, &in_vain);
                scope.spawn(move || match number % 3 {
                    0 => execution.wait(),
                    1 => execution.wait_timeout(Duration::MAX).map(|output| output.expect("it waits for the end")),
                    _ => {
                        assert!(execution.wait_timeout(millis(number)).expect("no error").is_none());
                        assert_eq!(execution.process_descriptors().len(), 1);
                        in_vain.fetch_add(1, Ordering::SeqCst);
                        execution.wait()
                    }
                })
            };
            let waiting: Vec<_> = (0..300).map(wait).collect();
            while in_vain.load(Ordering::SeqCst) < 100 {
                std::thread::sleep(millis(5));
            }
            execution.signal(libc::SIGTERM).expect("it is ours");
            for waiter in waiting {
                let error = fails(ErrorKind::Signaled, waiter.join().expect("no panic"));
                assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGTERM));
            }
        });
    });
}
