//! Time limits always return.

use std::time::{Duration, Instant};

use procscript::process::{Error, ErrorKind, Execution, Expression};

use super::{await_strays, fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;

#[test]
fn a_timeout_ends_the_command() {
    let _guard = Guard::new();
    let started = Instant::now();
    let error = fails(ErrorKind::TimedOut, kid("echo before -- forever").timeout(millis(2000)).output());
    assert!(
        started.elapsed() >= millis(2000) && started.elapsed() < procs::under_load(millis(4000)),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(error.stdout(), Some(&b"before\n"[..]), "what came before is kept");
    assert!(error.message().ends_with("timed out after 2 s"), "{error}");
    assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGTERM));
    // `unchecked` is about endings.
    fails(ErrorKind::TimedOut, kid("forever").timeout(millis(50)).unchecked().run());
    fails(ErrorKind::TimedOut, kid("forever").timeout(millis(50)).test());
    kid("exit 0").timeout(millis(20_000)).run().expect("in time");
    fails(ErrorKind::ExitStatus, kid("exit 3").timeout(millis(20_000)).run());
}

#[test]
fn odd_times_are_times() {
    let _guard = Guard::new();
    soon(|| fails(ErrorKind::TimedOut, kid("forever").timeout(Duration::ZERO).run()));
    kid("exit 0").timeout(Duration::MAX).grace(Duration::MAX).run().expect("in time");
    soon(|| fails(ErrorKind::TimedOut, kid("ignore TERM -- forever").timeout(millis(50)).grace(Duration::ZERO).run()));
    soon(|| fails(ErrorKind::TimedOut, kid("forever").timeout(millis(50)).grace(Duration::MAX).run()));
}

#[test]
fn who_ignores_the_first_signal_is_killed_after_the_grace() {
    let _guard = Guard::new();
    let started = Instant::now();
    let stubborn = kid("ignore-term -- forever").timeout(millis(2000)).grace(millis(300));
    let error = fails(ErrorKind::TimedOut, stubborn.output());
    assert!(
        started.elapsed() >= millis(2300) && started.elapsed() < procs::under_load(millis(4000)),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGKILL));
    assert_eq!(error.stdout(), Some(&b"ready\n"[..]));
    // Who cleans up is not disturbed, and not waited for longer than needed.
    let clean = kid("trap-exit TERM 42 -- echo ready -- forever").timeout(millis(2000));
    let error = within(millis(6000), || fails(ErrorKind::TimedOut, clean.output()));
    assert_eq!(error.status().and_then(|status| status.code()), Some(42));
}

#[test]
fn the_whole_tree_is_ended() {
    let _guard = Guard::new();
    let sleep = unique_sleep(31);
    let trees = [
        format!("grandchild {sleep} -- {sleep}"),
        format!("grandchild ignore TERM + {sleep} -- {sleep}"),
        format!("grandchild-detached ignore TERM + {sleep} -- ignore TERM -- {sleep}"),
        format!("grandchild setpgid + {sleep} -- {sleep}"),
    ];
    for line in trees {
        let command = kid(&line).timeout(millis(300)).grace(millis(200));
        within(millis(1500), || fails(ErrorKind::TimedOut, command.output()));
        assert_eq!(await_strays(&sleep, 0), 0, "{line}");
    }
    // Every stage of a pipeline.
    let stages = kid("forever").pipe(kid("ignore TERM -- forever")).pipe(kid("forever"));
    within(millis(1500), || fails(ErrorKind::TimedOut, stages.timeout(millis(300)).grace(millis(200)).output()));
}

#[test]
fn an_escaped_process_that_holds_the_pipe_cannot_hold_up_the_return() {
    // In a session of its own, with another parent: nobody can find it.
    let _guard = Guard::new();
    let sleep = unique_sleep(32);
    for verb in ["read", "lines", "output"] {
        let command = kid(&format!("daemon ignore TERM + {sleep} -- echo GO -- ignore TERM -- forever"));
        let command = command.timeout(millis(1500)).grace(millis(200));
        let error = within(millis(4000), || match verb {
            "read" => fails(ErrorKind::TimedOut, command.read()),
            "output" => fails(ErrorKind::TimedOut, command.output()),
            _ => {
                let last = command.lines().expect("it starts").last();
                fails(ErrorKind::TimedOut, last.expect("an error"))
            }
        });
        if verb != "lines" {
            assert_eq!(error.stdout(), Some(&b"GO\n"[..]), "{verb}");
        }
        kill_strays(&sleep, 1);
    }
}

#[test]
fn an_escaped_process_that_keeps_writing_cannot_hold_up_the_return() {
    // Something arrives all the time, so that silence never ends the wait for the end of the pipe.
    let _guard = Guard::new();
    let words = "burst 1000 50 tick";
    let command = kid(&format!("daemon {words} -- echo GO -- forever")).timeout(millis(400)).grace(millis(200));
    within(millis(1600), || fails(ErrorKind::TimedOut, command.read()));
    assert_eq!(await_strays(words, 0), 0, "it dies of the closed pipe");
}

#[test]
fn a_timeout_holds_after_the_command_has_ended() {
    // A process left behind that writes now and then never is silent for long enough to be given up.
    let _guard = Guard::new();
    let words = "burst 100 50 tick";
    let command = kid(&format!("daemon {words} -- echo GO")).timeout(millis(700)).grace(millis(200));
    within(millis(2500), || command.read().expect_err("timed out, or held open"));
    assert_eq!(await_strays(words, 0), 0, "it dies of the closed pipe");
}

#[test]
fn a_timeout_holds_for_a_flood_after_the_end() {
    // What was left behind writes faster than anybody reads: there is always something to read.
    let _guard = Guard::new();
    let words = "lines 2000000001";
    // Before silence could be taken for the end.
    let flood = || kid(&format!("daemon {words} -- echo GO")).timeout(millis(400)).grace(millis(200));
    let count = |process: &Execution| process.stdout().chunks()?.try_for_each(|piece| piece.map(drop));
    type Read = fn(&Expression) -> Result<(), Error>;
    let table: [(&str, Read); 3] = [
        ("chunks", |e| e.chunks()?.try_for_each(|piece| piece.map(drop))),
        ("lines", |e| e.lines()?.try_for_each(|line| line.map(drop))),
        ("tee", |e| e.clone().stdout_null().tee("/dev/null").run().map(drop)),
    ];
    for (name, read) in table {
        let error = soon(|| fails(ErrorKind::TimedOut, read(&flood())));
        assert!(error.command().is_some(), "{name}: {error:?}");
        assert_eq!(await_strays(words, 0), 0, "{name}: it dies of the closed pipe");
    }
    soon(|| fails(ErrorKind::TimedOut, flood().run_with(count)));
    assert_eq!(await_strays(words, 0), 0, "it dies of the closed pipe");
}

#[test]
fn a_flood_that_begins_with_the_end_is_no_way_out() {
    // Silent until it is told to end, and then there is more than its reader ever takes.
    let _guard = Guard::new();
    let flood = "(trap 'exec yes' TERM; while :; do sleep 0.02; done) & exec sleep 100";
    let silent = Expression::new("sh").arg("-c").arg(flood).idle_timeout(millis(300)).grace(millis(200));
    let read = || {
        let mut lines = silent.lines()?.enumerate();
        lines.try_for_each(|(number, line)| {
            if number % 5000 == 0 {
                std::thread::sleep(millis(1));
            }
            line.map(drop)
        })
    };
    within(millis(20_000), || fails(ErrorKind::TimedOut, read()));
}

#[test]
fn a_timeout_holds_while_input_is_fed() {
    let _guard = Guard::new();
    let stuck = kid("never-read").stdin_bytes(vec![0; 4 << 20]).timeout(millis(200));
    within(millis(2000), || fails(ErrorKind::TimedOut, stuck.run()));
    let closed = kid("close-out -- close-err -- forever").timeout(millis(200));
    within(millis(2000), || fails(ErrorKind::TimedOut, closed.read()));
    let stopped = kid("stop-self -- forever").timeout(millis(200));
    within(millis(2000), || fails(ErrorKind::TimedOut, stopped.run()));
}

#[test]
fn a_timeout_holds_while_output_floods() {
    let _guard = Guard::new();
    let flood = || kid("lines 2000000000").timeout(millis(300)).grace(millis(200));
    within(millis(3000), || fails(ErrorKind::TimedOut, flood().stdout_null().run()));
    let counted = within(millis(3000), || flood().lines().expect("it starts").last());
    fails(ErrorKind::TimedOut, counted.expect("an error"));
    let chunks = within(millis(3000), || flood().chunks().expect("it starts").last());
    fails(ErrorKind::TimedOut, chunks.expect("an error"));
}

#[test]
fn a_reader_that_takes_its_time_still_sees_the_timeout() {
    // The loop's body may be slower than the command's time: the next turn must end it.
    let _guard = Guard::new();
    // Enough for a busy machine to start it.
    let mut lines = kid("echo a -- forever").timeout(millis(1500)).lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "a");
    std::thread::sleep(millis(2000));
    fails(ErrorKind::TimedOut, soon(|| lines.next()).expect("an error"));
    let execution = kid("forever").timeout(millis(100)).start().expect("it starts");
    fails(ErrorKind::TimedOut, soon(|| execution.wait()));
}

#[test]
fn the_verbs_of_many_threads_time_out_apart() {
    let _guard = Guard::new();
    let run = |wait: u64| {
        let command: Expression = kid("forever").timeout(millis(wait));
        let started = Instant::now();
        fails(ErrorKind::TimedOut, command.run());
        assert!(started.elapsed() >= millis(wait));
    };
    soon(|| std::thread::scope(|scope| (0..20).for_each(|n| _ = scope.spawn(move || run(50 + n * 20)))));
}
