//! Readers that are slow, processes that stay behind, places that take no output.

use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::sync::Arc;
use std::time::Duration;

use procscript::process::{CancelToken, Context, Error, ErrorKind, Execution, Expression, HostStream, Teardown};

use super::{await_strays, fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

/// Longer than silence is taken for the end.
const SLOW: Duration = Duration::from_millis(700);
/// Less than what a slow reader takes, and enough for a busy machine to start a process.
const TIME: Duration = Duration::from_millis(1300);

#[test]
fn a_slow_reader_hears_of_nothing_that_is_not_there() {
    // The command is over long before its output is read.
    let _guard = Guard::new();
    for command in [
        kid("lines 3"),
        kid("lines 3").timeout(TIME),
        kid("lines 3").idle_timeout(TIME),
        kid("lines 3").pipe(kid("cat")).timeout(TIME),
    ] {
        let mut lines = command.lines().expect("it starts");
        assert_eq!(lines.next().expect("a line").expect("good"), "line-0");
        std::thread::sleep(2 * SLOW);
        let rest: Result<Vec<_>, _> = lines.collect();
        assert_eq!(rest.expect("nothing was wrong"), ["line-1", "line-2"], "{command}");
        let execution = command.clone().stdout_piped().start().expect("it starts");
        let mut lines = execution.stdout().lines().expect("piped");
        assert!(lines.next().is_some());
        std::thread::sleep(2 * SLOW);
        assert_eq!(lines.inspect(|line| assert!(line.is_ok(), "nothing was wrong")).count(), 2);
        execution.wait().expect("nothing was wrong");
        // All is over before the first look.
        let execution = command.clone().stdout_piped().start().expect("it starts");
        procs::until(super::SOON, || execution.is_running(), |running| !running);
        std::thread::sleep(SLOW);
        let mut lines = execution.stdout().lines().expect("piped");
        for line in ["line-0", "line-1", "line-2"] {
            assert_eq!(lines.next().expect("a line").expect("nothing was wrong"), line, "{command}");
            std::thread::sleep(SLOW);
        }
        assert!(lines.next().is_none(), "{command}");
    }
}

#[test]
fn a_slow_reader_gives_a_late_writer_its_time() {
    // What was left behind writes only after the reader has come back.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let go = scratch.path().join("go");
    let command = kid("grandchild wait-for").arg(&go).args(["+", "echo", "late", "--", "echo", "early"]);
    let mut lines = command.lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "early");
    std::thread::sleep(SLOW);
    std::fs::write(&go, "").expect("ours");
    let rest: Result<Vec<_>, _> = lines.collect();
    assert_eq!(rest.expect("it came in time"), ["late"]);
}

/// Until the process that is to be left behind is there, which has its words at the end of its own line.
fn await_daemon(words: &str) {
    let is_daemon = |stray: &procs::Process| stray.words.ends_with(words);
    procs::until(super::SOON, || super::strays(words).iter().any(is_daemon), |there| *there);
}

#[test]
fn a_trickle_from_what_was_left_behind_keeps_nobody() {
    // It never is silent for long enough to be given up, and has escaped from the group.
    let _guard = Guard::new();
    let words = "burst 102 50 tick";
    let command = || kid(&format!("daemon {words} -- echo GO -- sleep 100"));
    let gone = |how: &str| assert_eq!(await_strays(words, 0), 0, "{how}: it dies of the closed pipe");

    let execution = command().stdout_capture().start().expect("it starts");
    await_daemon(words);
    within(millis(2500), || drop(execution));
    gone("drop");
    let mut lines = command().lines().expect("it starts");
    assert!(lines.next().is_some());
    within(millis(2500), || drop(lines));
    gone("lines");
    let execution = command().stdout_capture().start().expect("it starts");
    await_daemon(words);
    within(millis(2500), || execution.terminate());
    gone("terminate");
    let execution = command().stdout_capture().start().expect("it starts");
    await_daemon(words);
    within(millis(2500), || {
        execution.kill().expect("it is ours");
        drop(execution.wait());
    });
    gone("kill");
    within(millis(2500), || command().timeout(millis(400)).grace(millis(200)).output().expect_err("timed out"));
    gone("timeout");
    let token = CancelToken::new().expect("a pipe");
    let context = Context::new().with_cancel(token.clone());
    let execution = command().stdout_capture().within(&context).start().expect("it starts");
    await_daemon(words);
    token.cancel();
    within(millis(2500), || drop(execution.wait()));
    gone("cancel");
}

#[test]
fn a_trickle_into_a_stream_keeps_no_reader() {
    // The same for whoever reads a stream beside the loop that serves the command.
    let _guard = Guard::new();
    let words = "burst 203 50 tick";
    let ended = || kid(&format!("daemon {words} -- echo GO")).timeout(millis(450));
    let running = || kid(&format!("daemon {words} -- echo GO -- forever")).grace(millis(200));
    let read = |process: &Execution| process.stdout().chunks()?.try_for_each(|piece| piece.map(drop));
    let gone = |how: &str| assert_eq!(await_strays(words, 0), 0, "{how}: it dies of the closed pipe");

    within(millis(4000), || fails(ErrorKind::TimedOut, running().timeout(millis(600)).run_with(read)));
    gone("timeout");
    // The time of the command holds after its end.
    within(millis(4000), || fails(ErrorKind::TimedOut, ended().run_with(read)));
    gone("timeout of what has ended");
    let token = CancelToken::new().expect("a pipe");
    let context = Context::new().with_cancel(token.clone());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            await_daemon(words);
            token.cancel();
        });
        within(millis(4000), || fails(ErrorKind::Cancelled, running().within(&context).run_with(read)));
    });
    gone("cancel");
    let ends: [(&str, fn(&Execution)); 3] = [
        ("kill", |execution| execution.kill().expect("it is ours")),
        ("terminate", |execution| execution.terminate()),
        ("teardown", |execution| execution.teardown(&Teardown::kill())),
    ];
    for (how, end) in ends {
        let execution = running().stdout_piped().start().expect("it starts");
        await_daemon(words);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read(&execution));
            end(&execution);
            let result = within(millis(2500), || reader.join()).expect("no panic");
            assert!(result.is_ok(), "{how}: nobody is told of what was ended on purpose: {result:?}");
        });
        gone(how);
    }
}

#[test]
fn who_holds_a_stream_does_not_hide_why_the_command_was_ended() {
    // It is silent, so that the reader could call the stream held.
    let _guard = Guard::new();
    let sleep = unique_sleep(58);
    let command = || kid(&format!("daemon {sleep} -- echo GO -- forever")).grace(millis(200));
    let read = |process: &Execution| process.stdout().lines()?.collect::<Result<Vec<_>, _>>();
    for slow in [command().timeout(millis(2000)), command().idle_timeout(millis(2000))] {
        within(millis(6000), || fails(ErrorKind::TimedOut, slow.run_with(read)));
        kill_strays(&sleep, 1);
        await_strays(&sleep, 0);
    }
    // What the pipe still holds when the command is ended is delivered, also what was not asked for before.
    let much = 60_000;
    let execution =
        kid(&format!("daemon {sleep} -- flood {much} -- forever")).stdout_piped().timeout(millis(2000)).start();
    let execution = execution.expect("it starts");
    std::thread::sleep(millis(2100));
    let pieces = soon(|| execution.stdout().chunks().expect("nobody has read it").collect::<Result<Vec<_>, _>>());
    assert_eq!(pieces.expect("no concern of the stream").concat().len(), much);
    fails(ErrorKind::TimedOut, execution.wait());
    kill_strays(&sleep, 1);
    await_strays(&sleep, 0);
    // Nobody has ended it: then the stream is held.
    let left = kid(&format!("daemon {sleep} -- echo GO"));
    soon(|| fails(ErrorKind::OutputHeld, left.run_with(read)));
    kill_strays(&sleep, 1);
    await_strays(&sleep, 0);
}

#[test]
fn a_function_that_panics_on_output_is_an_error() {
    // It runs in the middle of our loop: the command must be ended, and nobody may wait for ever.
    let _guard = Guard::new();
    let sleep = unique_sleep(56);
    let sink = || HostStream::Sink(Arc::new(|_: &[u8]| panic!("on purpose")));
    let family = |verb: &str| kid(&format!("grandchild {sleep} -- {verb} hi -- {sleep}")).grace(millis(300));
    let rows = [("echo", Context::new().with_stdout(sink())), ("err", Context::new().with_stderr(sink()))];
    for (verb, context) in rows {
        let command = || family(verb).within(&context);
        soon(|| fails(ErrorKind::ReadFailed, command().run()));
        kill_strays(&sleep, 0);
        let execution = command().start().expect("it starts");
        soon(|| fails(ErrorKind::ReadFailed, execution.wait()));
        kill_strays(&sleep, 0);
        let copied = family(verb).pipe(kid("cat")).within(&context);
        soon(|| fails(ErrorKind::ReadFailed, copied.run()));
        kill_strays(&sleep, 0);
    }
}

#[test]
fn a_socket_is_no_file_to_write() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let path = scratch.path().join("socket");
    let _listener = UnixListener::bind(&path).expect("a fresh name");
    let marker = scratch.path().join("marker");
    let touch = || kid("touch").arg(&marker).timeout(millis(5000));
    for command in [touch().stdout_path(&path), touch().stdout_append(&path), touch().stderr_path(&path)] {
        let error = within(millis(2500), || fails(ErrorKind::WriteFailed, command.run()));
        assert!(error.errno().is_some(), "{error:?}");
    }
    within(millis(2500), || fails(ErrorKind::WriteFailed, touch().tee(&path).run()));
    within(millis(2500), || fails(ErrorKind::ReadFailed, touch().stdin_path(&path).run()));
    assert!(!marker.exists());
}

#[test]
#[allow(unsafe_code)]
fn a_process_that_is_just_being_started_was_not_left_behind() {
    // Until its `exec` it has copies of all our pipes, also of those of a command that another thread is starting.
    let _guard = Guard::new();
    let slow = || {
        kid("exit 0").before_spawn(|command| {
            let wait = || {
                std::thread::sleep(Duration::from_millis(2500));
                Ok(())
            };
            // SAFETY: it only sleeps.
            unsafe { command.pre_exec(wait) };
            Ok(())
        })
    };
    // The pipe of its errors is open in this process until its second stage is started.
    let second = || {
        kid("cat").before_spawn(|_| {
            std::thread::sleep(Duration::from_millis(600));
            Ok(())
        })
    };
    let command = || kid("err hi").pipe(second());
    type Read = fn(Expression) -> Result<String, Error>;
    let reads: [Read; 2] = [
        |command| {
            let output = command.output()?;
            assert!(!output.held_open, "{output:?}");
            Ok(String::from_utf8_lossy(&output.stderr.expect("captured")).trim_end().to_string())
        },
        |command| {
            let execution = command.stderr_piped().start()?;
            let lines = execution.stderr().lines()?.collect::<Result<Vec<_>, _>>()?;
            execution.wait().map(|_| lines.concat())
        },
    ];
    for read in reads {
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read(command()));
            std::thread::sleep(millis(200));
            scope.spawn(|| slow().run().expect("it succeeds"));
            assert_eq!(reader.join().expect("no panic").expect("nothing holds it"), "hi");
        });
    }
}
