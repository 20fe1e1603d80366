//! Many runs, at once and in a row: nothing piles up.

use std::process::{Command, Stdio};

use procscript::process::{ErrorKind, Expression};

use super::{fails, kid, soon};
use crate::support::leaks::Guard;
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
    for _ in 0..200 {
        fails(ErrorKind::NotFound, Expression::new("no-such-program-x").stdin_bytes("abc").output());
        fails(ErrorKind::BadDirectory, kid("echo").dir("/no/such").stdin_bytes("abc").output());
        fails(ErrorKind::WriteFailed, kid("echo").stdin_bytes("abc").stdout_path("/no/such/file").output());
        fails(ErrorKind::ReadFailed, kid("echo").pipe(kid("cat").stdin_path("/no/such/file")).output());
        fails(ErrorKind::NotFound, kid("forever").pipe(Expression::new("no-such-program-x")).output());
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
        let starter = scope.spawn(|| (0..60).map(|_| kid("forever").start().expect("it starts")).collect());
        for _ in 0..60 {
            let piped = kid("cat").pipe(kid("cat")).stdin_bytes("abc");
            assert_eq!(soon(|| piped.read().expect("it succeeds")), "abc");
        }
        starter.join().expect("it does not panic")
    });
    drop(long);
}
