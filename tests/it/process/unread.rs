//! Output that nobody reads while something else is waited for.

use procscript::process::{Error, ErrorKind, Execution};

use super::{fails, kid, millis, soon, within};
use crate::support::leaks::Guard;

/// More than a pipe holds, which is 64 KiB, or 1 MiB at most.
const MUCH: usize = 3_000_000;

#[test]
fn waiting_keeps_what_nobody_has_read_yet() {
    let _guard = Guard::new();
    type Wait = fn(&Execution) -> Result<(), Error>;
    let waits: [Wait; 3] = [
        |execution| execution.wait().map(drop),
        |execution| {
            let output = execution.wait_timeout(super::SOON)?;
            output.map(drop).ok_or_else(|| Error::misuse("it is still running", ""))
        },
        |execution| loop {
            if execution.try_wait()?.is_some() {
                return Ok(());
            }
        },
    ];
    for wait in waits {
        let both = kid(&format!("flood-both {MUCH}")).stdout_piped().stderr_piped().start().expect("it starts");
        soon(|| wait(&both)).expect("it succeeds");
        let size = |chunks: procscript::process::Chunks| chunks.map(|chunk| chunk.expect("bytes").len()).sum::<usize>();
        assert_eq!(size(both.stdout().chunks().expect("nobody has read it")), MUCH);
        assert_eq!(size(both.stderr().chunks().expect("nobody has read it")), MUCH);
    }
}

#[test]
fn what_was_kept_can_still_be_given_to_a_command() {
    let _guard = Guard::new();
    let source = kid(&format!("flood {MUCH}")).stdout_piped().start().expect("it starts");
    soon(|| source.wait()).expect("it succeeds");
    let counted = kid("count").stdin_stream(source.stdout()).read().expect("it succeeds");
    assert_eq!(counted, MUCH.to_string());
}

#[test]
fn no_more_is_kept_than_may_be_captured() {
    let _guard = Guard::new();
    let endless = kid("flood 1000000000").stdout_piped().limit(1_000_000).start().expect("it starts");
    let error = soon(|| fails(ErrorKind::OutputLimit, endless.wait()));
    assert!(error.message().contains("standard output") && error.message().contains("1000000 bytes"), "{error}");
    assert!(error.help().is_some_and(|help| help.contains(".limit(")), "{error:?}");
    within(millis(5000), || drop(endless));
}

#[test]
fn one_thread_reads_both_outputs_and_writes() {
    let _guard = Guard::new();
    let talk = |execution: &Execution| {
        execution.use_from_one_thread();
        execution.write(&vec![b'y'; MUCH])?;
        execution.finish_input();
        let count = execution.stdout().chunks()?.map(|chunk| chunk.map_or(0, |chunk| chunk.len())).sum::<usize>();
        let errors = execution.stderr().chunks()?.map(|chunk| chunk.map_or(0, |chunk| chunk.len())).sum::<usize>();
        Ok::<_, Error>((count, errors))
    };
    let (_, counts) = soon(|| kid("tee-err").stderr_piped().run_with(talk)).expect("it succeeds");
    assert_eq!(counts, (MUCH, MUCH));
    // A stream that somebody has begun to read.
    let begin = |execution: &Execution| {
        execution.use_from_one_thread();
        let mut lines = execution.stdout().lines()?;
        assert_eq!(lines.next().transpose()?.as_deref(), Some("line-0"));
        assert_eq!(execution.stderr().lines()?.count(), 0);
        Ok::<_, Error>(lines.count())
    };
    let (_, count) = soon(|| kid("lines 300000").stderr_piped().run_with(begin)).expect("it succeeds");
    assert_eq!(count, 299_999);
}

#[test]
fn a_stream_belongs_to_the_thread_that_reads_it() {
    // Which cannot read it while it waits for something else: so that is kept, without a word to say so.
    let _guard = Guard::new();
    let size = |chunks: procscript::process::Chunks| chunks.map(|chunk| chunk.expect("bytes").len()).sum::<usize>();
    let flood = || kid(&format!("flood-both {MUCH}")).stdout_piped().stderr_piped().start().expect("it starts");
    let execution = flood();
    let (out, err) = (execution.stdout().chunks().expect("piped"), execution.stderr().chunks().expect("piped"));
    soon(|| execution.wait()).expect("it succeeds");
    assert_eq!((size(out), size(err)), (MUCH, MUCH));
    let execution = flood();
    let (out, err) = (execution.stdout().chunks().expect("piped"), execution.stderr().chunks().expect("piped"));
    assert_eq!((soon(|| size(err)), soon(|| size(out))), (MUCH, MUCH), "one after the other");
    execution.wait().expect("it succeeds");
    let echo = kid("tee-err").stdin_piped().stdout_piped().stderr_piped().start().expect("it starts");
    let (out, err) = (echo.stdout().chunks().expect("piped"), echo.stderr().chunks().expect("piped"));
    soon(|| echo.write(&vec![b'y'; MUCH])).expect("it reads");
    echo.finish_input();
    assert_eq!((soon(|| size(out)), soon(|| size(err))), (MUCH, MUCH));
    echo.wait().expect("it succeeds");
}

#[test]
fn a_reader_on_its_way_to_another_thread_is_waited_for() {
    // What is begun here and goes on elsewhere is the other thread's, also when that is late: nothing is lost, and the
    // command is slowed and not ended.
    let _guard = Guard::new();
    for begun in [false, true] {
        let execution = kid("lines 300000").stdout_piped().limit(1000).start().expect("it starts");
        let mut lines = execution.stdout().lines().expect("piped");
        assert!(!begun || lines.next().is_some());
        let reader = std::thread::spawn(move || {
            std::thread::sleep(millis(200));
            lines.inspect(|line| assert!(line.is_ok(), "within no limit")).count()
        });
        assert!(execution.wait_timeout(millis(50)).expect("no error").is_none(), "a look does not wait for it");
        soon(|| execution.wait()).expect("nothing is too much");
        assert_eq!(reader.join().expect("no panic"), 300_000 - usize::from(begun));
    }
    // One that comes too late has kept everybody long enough.
    let execution = kid("lines 2000000000").stdout_piped().limit(1000).start().expect("it starts");
    let lines = execution.stdout().lines().expect("piped");
    within(millis(20_000), || fails(ErrorKind::OutputLimit, execution.wait()));
    drop(lines);
}

#[test]
fn several_threads_share_no_limit() {
    // Each has its own stream, and a slow reader slows the command instead of filling our memory.
    let _guard = Guard::new();
    let talk = |execution: &Execution| {
        let errors = execution.stderr();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(millis(200));
            errors.chunks().expect("piped").map(|chunk| chunk.map_or(0, |chunk| chunk.len())).sum::<usize>()
        });
        let count = execution.stdout().chunks()?.map(|chunk| chunk.map_or(0, |chunk| chunk.len())).sum::<usize>();
        Ok::<_, Error>((count, reader.join().expect("no panic")))
    };
    let command = kid(&format!("flood-both {MUCH}")).stderr_piped().limit(MUCH as u64);
    let (_, counts) = soon(|| command.run_with(talk)).expect("it succeeds");
    assert_eq!(counts, (MUCH, MUCH));
}

#[test]
fn what_has_ended_is_not_running() {
    // As soon as the system says so; the news to this program come later.
    let _guard = Guard::new();
    for _ in 0..200 {
        let execution = kid("exit 0").start().expect("it starts");
        let pid = execution.pids()[0];
        crate::support::procs::until(
            super::SOON,
            || crate::support::procs::process(pid).is_none_or(|process| process.is_zombie()),
            |ended| *ended,
        );
        assert!(!execution.is_running());
        assert!(execution.try_wait().expect("it succeeds").is_some());
    }
}

#[test]
fn a_look_does_not_take_what_others_wait_for_as_running() {
    // At the very moment at which another thread learns of the end.
    let _guard = Guard::new();
    for _ in 0..200 {
        let execution = kid("exit 0").start().expect("it starts");
        let is_over = || crate::support::procs::process(execution.pids()[0]).is_some_and(|process| process.is_zombie());
        crate::support::procs::until(super::SOON, || is_over() || !execution.is_running(), |ended| *ended);
        let together = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            let wait = || scope.spawn(|| (together.wait(), execution.wait()).1.expect("it succeeds").success());
            let waiters = [wait(), wait()];
            together.wait();
            assert!(execution.try_wait().expect("it succeeds").is_some());
            assert!(waiters.into_iter().all(|waiter| waiter.join().expect("no panic")));
        });
    }
}

#[test]
fn ending_what_has_failed_before_does_not_hide_it() {
    let _guard = Guard::new();
    let ends: [fn(&Execution); 3] = [
        |execution| execution.kill().expect("a no-op"),
        |execution| execution.terminate(),
        |execution| execution.teardown(&procscript::process::Teardown::kill()),
    ];
    for end in ends {
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let heard = told.clone();
        let hook = move |error: Error| heard.lock().expect("no panic").push(error.kind());
        let failed = kid("exit 3").on_unobserved_failure(hook.clone()).start().expect("it starts");
        crate::support::procs::until(super::SOON, || failed.is_running(), |running| !running);
        end(&failed);
        drop(failed);
        assert_eq!(*told.lock().expect("no panic"), [ErrorKind::ExitStatus]);
        // What was running has ended because of us.
        let running = kid("forever").on_unobserved_failure(hook).start().expect("it starts");
        end(&running);
        drop(running);
        assert_eq!(told.lock().expect("no panic").len(), 1);
    }
}
