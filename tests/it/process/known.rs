//! Every error carries what is known when it is made.

use std::time::Duration;

use procscript::process::{CancelToken, Context, Error, ErrorKind, Expression};

use super::{fails, kid, kill_strays, soon, unique_sleep};
use crate::support::leaks::Guard;
use crate::support::{procs, testkid};

/// The command, and its only or its named stage.
#[track_caller]
fn names(error: &Error, command: &Expression, stage: usize, last_word: &str) {
    assert_eq!(error.command(), Some(command.to_string().as_str()), "{error:?}");
    assert_eq!(error.stage(), Some(stage), "{error:?}");
    assert_eq!(error.argv().last().map(String::as_str), Some(last_word), "{error:?}");
}

/// What is known of a command that was started, besides.
#[track_caller]
fn tells_the_end(error: &Error, stages: usize) {
    assert_eq!(error.program(), Some(testkid().as_path()), "{error:?}");
    assert_eq!(error.dir(), Some("/".as_ref()), "{error:?}");
    assert_eq!(error.stages().len(), stages, "{error:?}");
    assert!(error.elapsed().is_some_and(|elapsed| elapsed > Duration::ZERO), "{error:?}");
    assert!(error.status().is_some(), "{error:?}");
}

#[test]
fn output_that_is_no_text_comes_with_the_error() {
    let _guard = Guard::new();
    let bad = || kid(r"err problem -- bytes good\nbad\xff").dir("/").stderr_capture();
    let piped = || kid(r"bytes good\nbad\xff").pipe(kid("cat")).stderr_capture().dir("/");
    let bytes = &b"good\nbad\xff"[..];
    let error = fails(ErrorKind::DecodeFailed, bad().read());
    names(&error, &bad(), 0, r"good\nbad\xff");
    tells_the_end(&error, 1);
    assert_eq!((error.stdout(), error.stderr()), (Some(bytes), Some(&b"problem\n"[..])));
    let error = fails(ErrorKind::DecodeFailed, piped().read_raw());
    names(&error, &piped(), 1, "cat");
    tells_the_end(&error, 2);
    assert_eq!(error.stdout(), Some(bytes));
    // Text, but not what was to be made of it.
    let error = fails(ErrorKind::DecodeFailed, kid("echo no").dir("/").read_with(refuse));
    names(&error, &kid("echo no"), 0, "no");
    tells_the_end(&error, 1);
    assert_eq!((error.message(), error.stdout()), ("never", Some(&b"no\n"[..])));
    // Lines that were given already are not kept.
    let error = soon(|| fails(ErrorKind::DecodeFailed, bad().lines().expect("it starts").last().expect("an item")));
    names(&error, &bad(), 0, r"good\nbad\xff");
    tells_the_end(&error, 1);
    assert_eq!((error.stdout(), error.stderr()), (None, Some(&b"problem\n"[..])));
    let long = kid("lines 10").pipe(kid("cat")).dir("/").max_line(Some(3));
    let error = fails(ErrorKind::OutputLimit, long.lines().expect("it starts").last().expect("an item"));
    names(&error, &long, 1, "cat");
    tells_the_end(&error, 2);
    // Of a stream beside us, what is known of its command.
    let execution = bad().stdout_piped().start().expect("it starts");
    let error = fails(ErrorKind::DecodeFailed, execution.stdout().lines().expect("piped").last().expect("an item"));
    names(&error, &bad(), 0, r"good\nbad\xff");
    assert_eq!(error.program(), Some(testkid().as_path()));
    execution.wait().expect("it succeeds");
}

fn refuse(_: &str) -> Result<(), Error> {
    Err(Error::not_decoded("never"))
}

#[test]
fn output_that_is_held_is_known() {
    let _guard = Guard::new();
    let sleep = unique_sleep(47);
    let held = kid(&format!("daemon {sleep} -- echo text")).dir("/");
    let last = sleep.replace("sleep ", "");
    let check = |error: Error| {
        assert_eq!((error.command(), error.stage()), (Some(held.to_string().as_str()), Some(0)));
        assert!(error.argv().contains(&last), "{error:?}");
        tells_the_end(&error, 1);
        error
    };
    assert_eq!(check(fails(ErrorKind::OutputHeld, held.read())).stdout(), Some(&b"text\n"[..]));
    let mut lines = held.lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("text"), "text");
    check(fails(ErrorKind::OutputHeld, lines.next().expect("an item")));
    kill_strays(&sleep, 2);
    procs::until(super::SOON, || super::strays(&sleep).len(), |count| *count == 0);
}

#[test]
fn what_is_done_to_a_running_command_is_told_with_it() {
    let _guard = Guard::new();
    let command = kid("exit 0").stdin_piped().dir("/");
    let execution = command.start().expect("it starts");
    procs::until(super::SOON, || execution.is_running(), |running| !running);
    let error = fails(ErrorKind::WriteFailed, execution.write(&vec![0; 1 << 20]));
    names(&error, &command, 0, "0");
    assert_eq!(
        (error.errno_name(), error.program(), error.dir()),
        (Some("EPIPE"), Some(testkid().as_path()), Some("/".as_ref()))
    );
    execution.finish_input();
    names(&fails(ErrorKind::Misuse, execution.write(b"x")), &command, 0, "0");
    names(&fails(ErrorKind::Misuse, execution.stdout().lines()), &command, 0, "0");
    execution.wait().expect("it succeeds");
    // Of a pipeline, the stage whose input it is.
    let line = kid("cat").stdin_piped().pipe(kid("count")).stdout_null();
    let execution = line.start().expect("it starts");
    execution.finish_input();
    names(&fails(ErrorKind::Misuse, execution.write(b"x")), &line, 0, "cat");
    let error = fails(ErrorKind::Misuse, execution.stdout().chunks());
    assert_eq!((error.command(), error.stage()), (Some(line.to_string().as_str()), None));
    execution.wait().expect("it succeeds");
}

#[test]
fn what_is_wrong_with_streams_is_told_with_the_command_that_was_to_have_them() {
    let _guard = Guard::new();
    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    let fed = kid("cat").stdin_stream(source.stdout());
    fed.read().expect("it succeeds");
    names(&fails(ErrorKind::DoublyRedirected, fed.read()), &fed, 0, "cat");
    source.wait().expect("it succeeds");
    let once = kid("cat").stdin_items([Ok(Vec::new())]);
    once.read().expect("it succeeds");
    names(&fails(ErrorKind::Misuse, once.read()), &once, 0, "cat");
    for (kind, command) in [
        (ErrorKind::InvalidArgument, kid("cat").stdin_fd(99_999)),
        (ErrorKind::InvalidArgument, kid("cat").stdout_fd(99_999)),
        (ErrorKind::InvalidArgument, kid("cat").fd(3, 99_999)),
        (ErrorKind::DoublyRedirected, kid("cat").stdout_to_stderr().stderr_to_stdout()),
        (ErrorKind::Misuse, kid("cat").stderr_piped()),
    ] {
        names(&fails(kind, command.read()), &command, 0, "cat");
        // As the program would have seen them.
        let error = fails(kind, command.arg0("other").read());
        assert_eq!(error.argv(), ["other", "cat"]);
    }
    let token = CancelToken::new().expect("a pipe");
    token.cancel();
    let context = Context::new().with_cancel(token);
    names(&fails(ErrorKind::Cancelled, kid("cat").within(&context).run()), &kid("cat"), 0, "cat");
}
