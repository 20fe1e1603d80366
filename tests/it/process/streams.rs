//! Streams of one command given to another: each is used once, and misuse has a name.

use procscript::process::{Error, ErrorKind, Expression, OutputStream};

use super::{fails, kid, kill_strays, soon, unique_sleep};
use crate::support::leaks::Guard;

fn fed_by(stream: OutputStream) -> Expression {
    kid("cat-upper").stdin_stream(stream)
}

#[test]
fn a_stream_is_given_once() {
    let _guard = Guard::new();
    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    assert_eq!(fed_by(source.stdout()).read().expect("it succeeds"), "HI");
    let error = fails(ErrorKind::DoublyRedirected, fed_by(source.stdout()).read());
    assert!(error.message().contains("echo hi"), "{error}");
    fails(ErrorKind::DoublyRedirected, fed_by(source.stdout()).start());
    // The command that it came from has nothing to do with it.
    assert!(source.wait().expect("it succeeds").success());
    assert!(source.wait().expect("each time").success());
}

#[test]
fn what_was_given_is_not_read_and_what_was_read_is_not_given() {
    let _guard = Guard::new();
    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    fed_by(source.stdout()).read().expect("it succeeds");
    fails(ErrorKind::Misuse, source.stdout().lines());
    fails(ErrorKind::Misuse, source.stdout().chunks());
    source.wait().expect("it succeeds");

    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    let lines: Result<Vec<_>, _> = source.stdout().lines().expect("the first").collect();
    assert_eq!(lines.expect("it succeeds"), ["hi"]);
    fails(ErrorKind::Misuse, source.stdout().lines());
    fails(ErrorKind::Misuse, source.stdout().chunks());
    fails(ErrorKind::Misuse, fed_by(source.stdout()).read());
    source.wait().expect("it succeeds");
}

#[test]
fn what_was_not_piped_is_no_stream() {
    let _guard = Guard::new();
    let source = kid("cat").stdin_piped().stdout_capture().start().expect("it starts");
    for stream in [source.stdout(), source.stderr()] {
        let error = fails(ErrorKind::Misuse, stream.lines());
        assert!(error.help().is_some_and(|help| help.contains("piped")), "{error:?}");
        fails(ErrorKind::Misuse, stream.chunks());
        fails(ErrorKind::Misuse, fed_by(stream).read());
    }
    // It is as usable as before.
    source.write(b"still here").expect("it reads");
    assert_eq!(source.wait().expect("it succeeds").stdout.as_deref(), Some(&b"still here"[..]));
}

#[test]
fn a_stream_survives_a_start_that_never_came_to_it() {
    let _guard = Guard::new();
    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    fails(ErrorKind::NotFound, Expression::new("no-such-program-x").stdin_stream(source.stdout()).read());
    fails(ErrorKind::BadDirectory, fed_by(source.stdout()).dir("/no/such").read());
    assert_eq!(fed_by(source.stdout()).read().expect("it succeeds"), "HI");
    source.wait().expect("it succeeds");
}

#[test]
fn one_stream_for_two_stages_starts_neither() {
    let _guard = Guard::new();
    let sleep = unique_sleep(44);
    let source = kid("echo hi").stdout_piped().start().expect("it starts");
    let first = kid(&sleep).stdin_stream(source.stdout());
    let error = soon(|| fails(ErrorKind::DoublyRedirected, first.pipe(fed_by(source.stdout())).read()));
    assert_eq!(error.stage(), Some(1));
    kill_strays(&sleep, 0);
    // Nothing has begun, so that nothing was given.
    assert_eq!(fed_by(source.stdout()).read().expect("it succeeds"), "HI");
    source.wait().expect("it succeeds");
}

#[test]
fn pieces_and_piped_input_are_for_one_stage() {
    let _guard = Guard::new();
    let sleep = unique_sleep(45);
    let once = kid("cat").stdin_items([Ok(b"x".to_vec())]);
    let error = soon(|| fails(ErrorKind::Misuse, kid(&sleep).pipe(once.clone()).pipe(once.clone()).read()));
    assert_eq!(error.stage(), Some(2));
    assert_eq!(once.read().expect("it has begun for the first time"), "x");
    assert_eq!(fails(ErrorKind::Misuse, kid(&sleep).pipe(once).read()).stage(), Some(1));
    let piped = kid(&sleep).stdin_piped().pipe(kid("cat").stdin_piped());
    assert_eq!(soon(|| fails(ErrorKind::DoublyRedirected, piped.start())).stage(), Some(1));
    kill_strays(&sleep, 0);
}

#[test]
fn streams_make_chains_and_both_may_go_different_ways() {
    // As long as somebody waits at the end, nobody has to read in between.
    let _guard = Guard::new();
    let source = kid("lines 100000 -- err problem").stdout_piped().stderr_piped().start().expect("it starts");
    let middle = kid("cat-upper").stdin_stream(source.stdout()).stdout_piped().start().expect("it starts");
    let counted = kid("count").stdin_stream(middle.stdout()).read().expect("it succeeds");
    assert_eq!(counted, "1088890");
    assert_eq!(fed_by(source.stderr()).read().expect("it succeeds"), "PROBLEM");
    middle.wait().expect("it succeeds");
    source.wait().expect("it succeeds");
}

#[test]
fn a_reader_that_leaves_is_the_normal_end_of_the_source() {
    let _guard = Guard::new();
    let flood = || kid("lines 2000000000").stdout_piped();
    // Read in part by us.
    let source = flood().start().expect("it starts");
    assert!(source.stdout().lines().expect("piped").next().is_some());
    soon(|| source.wait()).expect("nobody's fault");
    // Read in part by another command.
    let source = flood().start().expect("it starts");
    let head = kid("read-line").stdin_stream(source.stdout()).read().expect("it succeeds");
    assert_eq!(head, "line-0");
    // How it died is told, since who left was not us.
    let _: Result<_, Error> = soon(|| source.wait());
    // Never read: the drop of the handle ends it.
    soon(|| drop(flood().start().expect("it starts")));
}

#[test]
fn failures_are_told_where_they_are_asked_for() {
    // The end of the stream says nothing about how the command ended.
    let _guard = Guard::new();
    let source = kid("echo hi -- exit 3").stdout_piped().start().expect("it starts");
    let lines: Result<Vec<_>, _> = source.stdout().lines().expect("piped").collect();
    assert_eq!(lines.expect("no concern of the lines"), ["hi"]);
    fails(ErrorKind::ExitStatus, source.wait());
}

#[test]
fn a_pipe_without_a_handle_is_a_mistake_that_is_told() {
    // The command would die of SIGPIPE, which looks like its own fault.
    let _guard = Guard::new();
    let verbs: [fn(&Expression) -> Result<(), Error>; 7] = [
        |e| e.run().map(drop),
        |e| e.output().map(drop),
        |e| e.read().map(drop),
        |e| e.read_raw().map(drop),
        |e| e.bytes().map(drop),
        |e| e.test().map(drop),
        |e| e.code().map(drop),
    ];
    let flood = || kid("lines 100000");
    let commands = [
        (flood().stdout_piped(), "stdout_piped"),
        (flood().stderr_piped(), "stderr_piped"),
        (flood().stdin_piped(), "stdin_piped"),
        (flood().stdout_piped().tee("/dev/null"), "stdout_piped"),
        (kid("cat").pipe(flood().stdout_piped()), "stdout_piped"),
        (flood().pipe(kid("cat")).stderr_piped(), "stderr_piped"),
    ];
    for (command, setting) in &commands {
        for verb in verbs {
            let error = fails(ErrorKind::Misuse, verb(command));
            let help = error.help().expect("a help");
            assert!(help.contains(setting) && help.contains("start()"), "{help}");
            assert!(error.message().contains("set to be piped"), "{error}");
        }
    }
    // Lines are a handle to the output, and to nothing else.
    assert_eq!(flood().stdout_piped().lines().expect("it starts").count(), 100_000);
    fails(ErrorKind::Misuse, flood().stderr_piped().lines());
    fails(ErrorKind::Misuse, flood().stdin_piped().chunks());
}
