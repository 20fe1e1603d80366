//! Commands ended from another thread.

use std::time::Duration;

use procscript::process::{CancelToken, Context, Error, ErrorKind, Expression, Teardown, TerminationStatus};

use super::{await_strays, fails, kid, kid_with, millis, soon, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

type Verb = fn(&Expression) -> Result<(), Error>;

const VERBS: &[(&str, Verb)] = &[
    ("run", |e| e.run().map(drop)),
    ("output", |e| e.output().map(drop)),
    ("read", |e| e.read().map(drop)),
    ("bytes", |e| e.bytes().map(drop)),
    ("test", |e| e.test().map(drop)),
    ("code", |e| e.code().map(drop)),
    ("lines", |e| e.lines()?.try_for_each(|line| line.map(drop))),
    ("chunks", |e| e.chunks()?.try_for_each(|piece| piece.map(drop))),
    ("wait", |e| e.start()?.wait().map(drop)),
    ("wait_timeout", |e| e.start()?.wait_timeout(Duration::MAX).map(drop)),
];

/// Nobody needs it who ends when he is told to.
const LONG: Duration = Duration::from_secs(60);

/// Runs the verb and cancels as soon as the command has made the file `ready`.
fn cancelled_while(verb: Verb, line: &str, grace: Duration, token: &CancelToken, cancel: fn(&CancelToken)) -> Error {
    let scratch = Scratch::new();
    let ready = scratch.path().join("ready");
    let context = Context::new().with_cancel(token.clone()).with_grace(grace);
    let words = line.split(' ').collect::<Vec<_>>();
    let (before, after) = words.split_at(words.iter().position(|word| *word == "READY").expect("a place"));
    let command = kid("sleep 0 --").args(before).args(["touch"]).arg(&ready).args(&after[1..]);
    let command = command.stdout_null().within(&context);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            procs::until(Duration::from_secs(10), || ready.exists(), |exists| *exists);
            cancel(token);
        });
        fails(ErrorKind::Cancelled, verb(&command))
    })
}

#[test]
fn every_verb_ends_and_says_so() {
    let _guard = Guard::new();
    for (name, verb) in VERBS {
        let token = CancelToken::new().expect("a pipe");
        let error =
            within(millis(3000), || cancelled_while(*verb, "READY -- forever", LONG, &token, CancelToken::cancel));
        assert!(error.message().ends_with("was cancelled"), "{name}: {error}");
        assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGTERM), "{name}");
    }
}

#[test]
fn who_ignores_it_is_killed_after_the_grace() {
    let _guard = Guard::new();
    for (name, verb) in VERBS {
        let token = CancelToken::new().expect("a pipe");
        let line = "ignore TERM -- READY -- forever";
        let error = within(millis(3000), || cancelled_while(*verb, line, millis(300), &token, CancelToken::cancel));
        assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGKILL), "{name}");
    }
}

#[test]
fn killing_does_not_wait() {
    let _guard = Guard::new();
    let token = CancelToken::new().expect("a pipe");
    let line = "ignore TERM -- READY -- forever";
    let error = within(millis(3000), || {
        cancelled_while(|e| e.clone().grace(Duration::MAX).read().map(drop), line, LONG, &token, CancelToken::kill)
    });
    assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGKILL));
}

#[test]
fn another_signal_can_be_chosen() {
    let _guard = Guard::new();
    let token = CancelToken::new().expect("a pipe");
    let interrupt = |token: &CancelToken| token.cancel_with(libc::SIGINT, false);
    let line = "trap-exit INT 7 -- READY -- forever";
    let error = cancelled_while(|e| e.run().map(drop), line, LONG, &token, interrupt);
    assert_eq!(error.status().and_then(|status| status.code()), Some(7));
}

#[test]
fn nothing_starts_under_a_cancelled_token() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let token = CancelToken::new().expect("a pipe");
    token.cancel();
    let context = Context::new().with_cancel(token);
    let command = kid_with("touch", [scratch.path().join("marker")]).within(&context);
    for (name, verb) in VERBS {
        assert_eq!(verb(&command).expect_err(name).kind(), ErrorKind::Cancelled);
    }
    assert!(scratch.listing().is_empty());
}

#[test]
fn one_token_ends_many_commands() {
    let _guard = Guard::new();
    let token = CancelToken::new().expect("a pipe");
    let context = Context::new().with_cancel(token.clone());
    std::thread::scope(|scope| {
        let run = |_| scope.spawn(|| kid("forever").pipe(kid("cat")).within(&context).run());
        let runs: Vec<_> = (0..10).map(run).collect();
        token.cancel();
        within(millis(4000), || {
            runs.into_iter().for_each(|run| _ = fails(ErrorKind::Cancelled, run.join().expect("no panic")));
        });
    });
    let other = Context::new().with_cancel(CancelToken::new().expect("a pipe"));
    kid("exit 0").within(&other).run().expect("not cancelled");
}

#[test]
fn very_early_cancellations_hang_nobody() {
    let _guard = Guard::new();
    for round in 0_u64..60 {
        let token = CancelToken::new().expect("a pipe");
        let context = Context::new().with_cancel(token.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(round * 50));
                token.kill();
            });
            within(millis(3000), || fails(ErrorKind::Cancelled, kid("forever").within(&context).read()));
        });
    }
}

#[test]
fn however_early_kill_is_what_it_dies_of() {
    let _guard = Guard::new();
    let killed = TerminationStatus::Signaled(libc::SIGKILL);
    let early = |round: u64| Duration::from_micros(round * 7919 % 10_000);
    for round in 0..100 {
        let token = CancelToken::new().expect("a pipe");
        let context = Context::new().with_cancel(token.clone());
        let command = kid("forever").teardown(Teardown::kill()).within(&context);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(early(round));
                token.cancel();
            });
            let error = soon(|| fails(ErrorKind::Cancelled, command.read()));
            // None when it was cancelled before it was started.
            assert_eq!(error.status().unwrap_or(killed), killed);
        });
    }
    for round in 0..100 {
        let execution = kid("forever").start().expect("it starts");
        std::thread::sleep(early(round));
        soon(|| execution.teardown(&Teardown::kill()));
        assert_eq!(fails(ErrorKind::Signaled, execution.wait()).status(), Some(killed));
    }
}

#[test]
fn an_end_that_came_first_counts() {
    let _guard = Guard::new();
    let token = CancelToken::new().expect("a pipe");
    let context = Context::new().with_cancel(token.clone());
    let execution = kid("exit 0").within(&context).start().expect("it starts");
    procs::until(Duration::from_secs(5), || execution.is_running(), |running| !running);
    token.cancel();
    assert!(execution.wait().expect("it had ended before").success());
}

#[test]
fn a_cancellation_holds_after_the_command_has_ended() {
    // As with timeouts: a process left behind writes now and then.
    let _guard = Guard::new();
    let words = "burst 101 50 tick";
    let token = CancelToken::new().expect("a pipe");
    let context = Context::new().with_cancel(token.clone());
    let command = kid(&format!("daemon {words} -- echo GO")).within(&context);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            await_strays(words, 1);
            std::thread::sleep(millis(200));
            token.cancel();
        });
        within(millis(2500), || command.read().expect_err("cancelled"));
    });
    assert_eq!(await_strays(words, 0), 0, "it dies of the closed pipe");
}
