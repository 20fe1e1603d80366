//! Whose failure it is: the source's or the reader's, one stage's or the whole pipeline's.

use procscript::process::{Error, ErrorKind, Expression};

use super::{fails, kid, millis, soon};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

/// The lines of a command as the input of another.
fn fed_by(source: &Expression) -> Expression {
    let lines = source.lines().expect("it starts");
    kid("cat").stdin_items(lines.map(|line| line.map(String::into_bytes)))
}

/// What an error tells about whom it is about.
#[track_caller]
fn is_about(error: &Error, whole: &Expression, stage: Option<usize>, argv_end: &[&str]) {
    assert_eq!(error.command(), Some(whole.to_string().as_str()), "{error:?}");
    assert_eq!(error.stage(), stage, "{error:?}");
    let argv: Vec<&str> = error.argv().iter().map(String::as_str).collect();
    assert!(argv.ends_with(argv_end) && argv.is_empty() == argv_end.is_empty(), "{argv:?}, not {argv_end:?}");
}

#[test]
fn the_failure_of_a_source_is_its_own() {
    let _guard = Guard::new();
    let source = kid("echo a -- exit 3");
    let verbs: [fn(&Expression) -> Result<(), Error>; 5] = [
        |e| e.read().map(drop),
        |e| e.output().map(drop),
        |e| e.lines()?.try_for_each(|line| line.map(drop)),
        |e| e.clone().stdout_null().start()?.wait().map(drop),
        |e| e.clone().pipe(kid("cat")).read().map(drop),
    ];
    for verb in verbs {
        let error = soon(|| fails(ErrorKind::ExitStatus, verb(&fed_by(&source))));
        is_about(&error, &source, Some(0), &["exit", "3"]);
        assert_eq!(error.status().and_then(|status| status.code()), Some(3), "{error:?}");
        assert_eq!((error.stages().len(), error.stdout()), (1, None), "{error:?}");
        assert!(error.stages()[0].command.ends_with("exit 3") && error.program().is_some(), "{error:?}");
    }
    // A pipeline as source, and one that is killed.
    let source = kid("echo a").pipe(kid("cat -- exit 4")).pipe(kid("cat"));
    let error = fails(ErrorKind::ExitStatus, fed_by(&source).read());
    is_about(&error, &source, Some(1), &["exit", "4"]);
    assert_eq!(error.stages().len(), 3);
    let source = kid("echo a -- signal TERM");
    let error = fails(ErrorKind::Signaled, fed_by(&source).read());
    is_about(&error, &source, Some(0), &["signal", "TERM"]);
    assert_eq!(error.status().and_then(|status| status.signal_name()), Some("TERM"));
    // It counts before what the reader makes of half of its input.
    let lines = source.lines().expect("it starts").map(|line| line.map(String::into_bytes));
    fails(ErrorKind::Signaled, kid("cat -- exit 5").stdin_items(lines).read());
}

#[test]
fn other_errors_of_a_source_are_about_its_reader() {
    let _guard = Guard::new();
    let reader = kid("cat").stdin_items([Ok(b"a".to_vec()), Err(Error::invalid_argument("no more of it"))]);
    let error = fails(ErrorKind::InvalidArgument, reader.output());
    is_about(&error, &reader, Some(0), &["cat"]);
    assert_eq!((error.stdout(), error.stages().len()), (Some(&b"a"[..]), 1));
    let reader = kid("exit 0").pipe(kid("cat").stdin_items([Err(Error::invalid_argument("none"))]));
    is_about(&fails(ErrorKind::InvalidArgument, reader.output()), &reader, Some(1), &["cat"]);
}

#[test]
fn a_timeout_is_of_the_stage_that_set_it() {
    let _guard = Guard::new();
    let slow = || kid("forever").timeout(millis(100));
    let left = slow().pipe(kid("cat"));
    let error = soon(|| fails(ErrorKind::TimedOut, left.read()));
    is_about(&error, &left, Some(0), &["forever"]);
    assert!(error.message().contains("(stage 1 of 2 of `") && error.message().ends_with("after 100 ms"), "{error}");
    assert_eq!(error.status().and_then(|status| status.signal_name()), Some("TERM"), "its own status");
    let right = kid("forever").pipe(slow()).timeout(millis(60_000));
    is_about(&soon(|| fails(ErrorKind::TimedOut, right.read())), &right, Some(1), &["forever"]);
    // Of the whole, of several stages, or of one that has ended: nobody in particular.
    for whole in [
        kid("forever").pipe(kid("cat")).timeout(millis(100)),
        slow().pipe(slow()),
        kid("forever").timeout(millis(60_000)).pipe(kid("cat")).timeout(millis(100)),
    ] {
        let error = soon(|| fails(ErrorKind::TimedOut, whole.read()));
        is_about(&error, &whole, None, &[]);
        assert_eq!(error.message(), format!("`{whole}` timed out after 100 ms"));
        assert_eq!((error.program(), error.stages().len()), (None, 2));
    }
    let ended = kid("exit 0").timeout(millis(1500)).pipe(kid("forever"));
    is_about(&soon(|| fails(ErrorKind::TimedOut, ended.read())), &ended, None, &[]);
    // Alone it is the one.
    is_about(&soon(|| fails(ErrorKind::TimedOut, slow().read())), &slow(), Some(0), &["forever"]);
    // Silence likewise.
    let idle = kid("forever").idle_timeout(millis(100)).pipe(kid("cat"));
    is_about(&soon(|| fails(ErrorKind::TimedOut, idle.read())), &idle, Some(0), &["forever"]);
    let idle = kid("forever").pipe(kid("cat")).idle_timeout(millis(100));
    is_about(&soon(|| fails(ErrorKind::TimedOut, idle.read())), &idle, None, &[]);
}

#[test]
fn output_that_cannot_be_handled_is_of_the_stage_that_wrote_it() {
    let _guard = Guard::new();
    let full = |e: Expression| e.tee("/dev/full");
    for (line, stage, argv) in [
        (full(kid("lines 9")).pipe(kid("cat")), Some(0), &["lines", "9"][..]),
        (kid("lines 9").pipe(full(kid("cat"))), Some(1), &["cat"]),
        (full(kid("lines 9").pipe(kid("cat"))), Some(1), &["cat"]),
        (full(kid("lines 9").stderr_to_stdout()).pipe(kid("cat")), Some(0), &["lines", "9"]),
        (full(kid("lines 9").pipe(kid("cat")).stderr_to_stdout()), None, &[]),
    ] {
        let error = soon(|| fails(ErrorKind::WriteFailed, line.output()));
        is_about(&error, &line, stage, argv);
        assert_eq!(error.errno_name(), Some("ENOSPC"));
        let shown = stage.map(|stage| format!("(stage {} of 2 of `", stage + 1)).unwrap_or_default();
        assert!(error.message().contains(&shown), "{error}");
    }
    let much = |e: Expression| e.limit(10).output();
    let line = kid("lines 100").pipe(kid("cat"));
    is_about(&fails(ErrorKind::OutputLimit, much(line.clone())), &line, Some(1), &["cat"]);
    let line = kid("flood-err 100").pipe(kid("cat"));
    is_about(&fails(ErrorKind::OutputLimit, much(line.clone())), &line, None, &[]);
}

#[test]
fn what_cannot_be_started_is_the_stage_and_the_whole() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let text = scratch.write("text", "no program\n");
    std::fs::set_permissions(&text, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let second = |bad: Expression| kid("forever").pipe(bad);
    let table = [
        (ErrorKind::NotFound, second(Expression::new("no-such-program-x"))),
        (ErrorKind::BadFormat, second(Expression::from_path(&text))),
        (ErrorKind::BadDirectory, second(kid("cat").dir("/no/such"))),
        (ErrorKind::ReadFailed, second(kid("cat").stdin_path("/no/such"))),
        (ErrorKind::WriteFailed, second(kid("cat").stdout_path("/no/such/file"))),
        (ErrorKind::WriteFailed, second(kid("cat").stderr_append("/no/such/file"))),
        (ErrorKind::WriteFailed, second(kid("cat").tee("/no/such/file"))),
        (ErrorKind::WriteFailed, second(kid("cat")).stdout_path("/no/such/file")),
        (ErrorKind::ReadFailed, second(kid("cat").fd(3, "/no/such".as_ref() as &std::path::Path))),
        (ErrorKind::InvalidArgument, second(kid("cat").stdin_fd(99_999))),
        (ErrorKind::InvalidArgument, second(kid("cat").fd(3, 99_999))),
        (ErrorKind::InvalidArgument, second(kid("cat").env("A=B", ""))),
        (ErrorKind::DoublyRedirected, second(kid("cat").stdout_to_stderr().stderr_to_stdout())),
        (ErrorKind::Misuse, second(kid("cat").stderr_piped())),
    ];
    for (kind, line) in table {
        let error = soon(|| fails(kind, line.read()));
        let end = if kind == ErrorKind::NotFound { "no-such-program-x" } else { "cat" };
        let end = if kind == ErrorKind::BadFormat { text.to_str().expect("plain") } else { end };
        is_about(&error, &line, Some(1), &[end]);
        assert!(error.message().ends_with(&format!("(stage 2 of 2 of `{line}`)")), "{error}");
        // The same alone, without the words about the pipeline.
        assert!(error.status().is_none() && error.stages().is_empty(), "{error:?}");
    }
    // In the tree the stages are counted from the left, inputs included.
    let line = kid("cat").stdin_command(kid("echo a").pipe(kid("cat"))).pipe(kid("cat").stdin_fd(99_999));
    is_about(&fails(ErrorKind::InvalidArgument, line.read()), &line, Some(3), &["cat"]);
    // A file that all stages share is nobody's in particular.
    let line = second(kid("cat")).stderr_path("/no/such/file");
    is_about(&fails(ErrorKind::WriteFailed, line.read()), &line, None, &[]);
    // Alone there is no stage to name.
    let alone = kid("cat").stdin_path("/no/such");
    let error = fails(ErrorKind::ReadFailed, alone.read());
    is_about(&error, &alone, Some(0), &["cat"]);
    assert!(!error.message().contains("stage"), "{error}");
}
