//! Where the streams point.

use std::fs::{File, hard_link, read_to_string};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::{Arc, Mutex};

use procscript::process::{Context, ErrorKind, Expression, FdTarget, HostStream};

use super::{fails, kid, kid_with, millis, soon, within};
use crate::support::leaks::{self, Guard};
use crate::support::pty;
use crate::support::scratch::Scratch;

fn both() -> Expression {
    kid("echo out -- err err")
}

/// What is captured on the two streams; `-` for nothing captured.
fn captured(expression: Expression) -> (String, String) {
    let output = expression.output().expect("it succeeds");
    let text = |bytes: Option<Vec<u8>>| bytes.map_or("-".to_string(), |b| String::from_utf8_lossy(&b).into_owned());
    (text(output.stdout), text(output.stderr))
}

fn pair(out: &str, err: &str) -> (String, String) {
    (out.to_string(), err.to_string())
}

#[test]
fn each_stream_goes_where_it_is_sent() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    let table: Vec<(Expression, (String, String), &str)> = vec![
        (both(), pair("out\n", "err\n"), ""),
        (both().stdout_null(), pair("-", "err\n"), ""),
        (both().stderr_null(), pair("out\n", "-"), ""),
        (both().stdout_path(&file), pair("-", "err\n"), "out\n"),
        (both().stderr_path(&file), pair("out\n", "-"), "err\n"),
        (both().stdout_to_stderr(), pair("-", "out\nerr\n"), ""),
        (both().stderr_to_stdout(), pair("out\nerr\n", "-"), ""),
        (both().swap_outputs(), pair("err\n", "out\n"), ""),
        (both().stdout_path(&file).stderr_to_stdout(), pair("-", "-"), "out\nerr\n"),
        (both().stderr_to_stdout().stdout_path(&file), pair("-", "-"), "out\nerr\n"),
        (both().stderr_path(&file).stdout_to_stderr(), pair("-", "-"), "out\nerr\n"),
        (both().stdout_path(&file).swap_outputs(), pair("-", "out\n"), "err\n"),
        (both().swap_outputs().stdout_path(&file), pair("-", "out\n"), "err\n"),
        // The last setting wins.
        (both().stdout_null().stdout_capture(), pair("out\n", "err\n"), ""),
        (both().stdout_path(&file).stdout_null(), pair("-", "err\n"), ""),
    ];
    for (number, (expression, expected, in_file)) in table.into_iter().enumerate() {
        let _ = std::fs::remove_file(&file);
        let shown = expression.to_string();
        assert_eq!(captured(expression), expected, "row {number}: {shown}");
        assert_eq!(read_to_string(&file).unwrap_or_default(), in_file, "row {number}: {shown}");
    }
}

#[test]
fn exchanged_streams_in_pipelines() {
    let _guard = Guard::new();
    let upper = || kid("cat-upper -- err right");
    // On a stage: its errors go on, and its output goes where errors go.
    let output = both().swap_outputs().pipe(upper());
    assert_eq!(captured(output), pair("ERR\n", "out\nright\n"));
    let both_ways = both().swap_outputs().pipe(upper().swap_outputs());
    assert_eq!(captured(both_ways), pair("right\n", "out\nERR\n"));
    // On the whole: what it gives in the end.
    assert_eq!(captured(both().pipe(upper()).swap_outputs()), pair("err\nright\n", "OUT\n"));
    assert_eq!(captured(both().swap_outputs().pipe(upper()).swap_outputs()), pair("out\nright\n", "ERR\n"));
    // There and back again: from the stage's output to its errors, and with those to the output of the whole.
    let back = kid("echo out").pipe(kid("cat-upper").stdout_to_stderr()).stderr_to_stdout();
    assert_eq!(captured(back), pair("OUT\n", "-"));
    let read = both().pipe(kid("cat-upper")).swap_outputs().stderr_null();
    assert_eq!(read.read().expect("it succeeds"), "err");
}

#[test]
fn what_is_said_of_a_side_holds_for_it_alone() {
    let _guard = Guard::new();
    let (left, right) = (|| kid("echo out -- err left"), || kid("cat-upper -- err right"));
    let quiet = Expression::stderr_null;
    assert_eq!(captured(quiet(left()).pipe(right())), pair("OUT\n", "right\n"));
    assert_eq!(captured(left().pipe(quiet(right()))), pair("OUT\n", "left\n"));
    assert_eq!(captured(quiet(left().pipe(right()))), pair("OUT\n", "-"));
    assert_eq!(captured(quiet(left()).pipe(quiet(right()))), pair("OUT\n", "-"));
    // The input of the whole is that of the first stage; one that has its own does not read the pipe.
    let fed = kid("cat -- err left").pipe(kid("cat-upper -- err right"));
    assert_eq!(captured(fed.stdin_bytes("in\n")).0, "IN\n");
    for first in [kid("echo left"), kid("lines 2000000000")] {
        let own = first.pipe(kid("cat-upper").stdin_bytes("own"));
        assert_eq!(soon(|| own.read()).expect("nobody's fault"), "OWN");
    }
}

#[test]
fn two_commands_are_joined_by_a_pipe_of_ours() {
    let _guard = Guard::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let file = |end: OwnedFd| File::from(end);
    let source = kid("echo apple").stdout_file(file(writer.into()));
    let middle = kid("cat-upper").stdin_file(file(reader.into())).stdout_capture().start().expect("it starts");
    source.run().expect("it succeeds");
    assert!(middle.try_wait().expect("no error").is_none(), "the expression may be run once more");
    source.run().expect("it succeeds");
    // The last writing end.
    drop(source);
    let output = soon(|| middle.wait()).expect("it succeeds");
    assert_eq!(output.stdout.as_deref(), Some(&b"APPLE\nAPPLE\n"[..]));
}

#[test]
fn a_terminal_as_input_is_a_file() {
    let _guard = Guard::new();
    let (screen, terminal) = pty::open();
    let command = kid("tty -- read-line -- read-line").stdin_file(terminal.into());
    let execution = command.stdout_capture().stderr_capture().start().expect("it starts");
    File::from(screen.try_clone().expect("a descriptor")).write_all(b"one\ntwo\n").expect("it is typed");
    let output = soon(|| execution.wait()).expect("it succeeds");
    assert_eq!(output.stdout.as_deref(), Some(&b"0:yes 1:no 2:no\none\ntwo\n"[..]));
    drop(screen);
}

#[test]
fn merged_streams_keep_their_order() {
    // Both are one descriptor: 300 alternations arrive as they were written.
    let _shared = leaks::shared();
    let line = ["echo o -- err e"; 300].join(" -- ");
    assert_eq!(kid(&line).stderr_to_stdout().read().expect("it succeeds"), ["o\ne"; 300].join("\n"));
    let output = kid(&line).stdout_to_stderr().output().expect("it succeeds");
    assert_eq!(output.stderr, Some(["o\ne\n"; 300].concat().into_bytes()));
}

#[test]
fn both_to_each_other_is_refused() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let command = kid_with("touch", [scratch.path().join("marker")]);
    let error = fails(ErrorKind::DoublyRedirected, command.stdout_to_stderr().stderr_to_stdout().output());
    assert!(error.help().is_some_and(|help| help.contains("swap_outputs")), "{error:?}");
    assert!(scratch.listing().is_empty());
}

#[test]
fn files_are_emptied_or_appended_to() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("file", "old and long\n");
    kid("echo new").stdout_path(&file).run().expect("it succeeds");
    kid("echo more").stdout_append(&file).run().expect("it succeeds");
    kid("err errors").stderr_append(&file).run().expect("it succeeds");
    assert_eq!(scratch.read("file"), "new\nmore\nerrors\n");
    kid("echo made").stdout_append(scratch.path().join("fresh")).run().expect("it succeeds");
    assert_eq!(scratch.read("fresh"), "made\n");
    // Whoever makes it is asked for the mode, which is us, and not the command.
    let umask = u32::from_str_radix(&kid("umask").read().expect("it succeeds"), 8).expect("an octal number");
    kid("echo made").umask(0o777).stdout_path(scratch.path().join("made")).run().expect("it succeeds");
    for name in ["fresh", "made"] {
        let mode = std::fs::metadata(scratch.path().join(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o666 & !umask, "{name}: {mode:o}");
    }
    // Several writers at the end of one file lose nothing.
    let log = scratch.path().join("log");
    let writer = |name: &str| kid(&format!("err {name}")).stderr_append(&log);
    let stages = (0..8).map(|n| writer(&format!("w{n}")));
    procscript::process::pipe(stages).expect("eight").run().expect("it succeeds");
    let text = scratch.read("log");
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"]);
}

#[test]
fn writers_of_one_file_do_not_overwrite_each_other() {
    // `> f 2> f` has two positions in the file in a shell, and what is written last wins.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("f", "old and long and longer than what comes\n");
    let link = scratch.path().join("link");
    hard_link(&file, &link).expect("one file system");
    let turns = || kid("echo aaaa -- err bb -- echo cc -- err ddd");
    let whole = "aaaa\nbb\ncc\nddd\n";
    for command in [
        turns().stdout_path(&file).stderr_path(&file),
        turns().stdout_path(&file).stderr_path(&link),
        turns().stdout_path(&file).stderr_path(&file).nice(0),
        kid("err aaaa").stderr_path(&file).pipe(kid("cat -- err bb -- err cc -- err ddd").stderr_path(&link)),
        kid("write-fd 7 aaaa -- echo bb -- err cc -- err ddd")
            .fd(7, FdTarget::write(&link))
            .stdout_path(&file)
            .stderr_path(&file),
    ] {
        command.run().expect("it succeeds");
        assert_eq!(scratch.read("f"), whole, "{command}");
    }
    // At the end of what one of them has emptied.
    for command in [turns().stdout_path(&file).stderr_append(&link), turns().stdout_append(&file).stderr_path(&link)] {
        command.run().expect("it succeeds");
        assert_eq!(scratch.read("f"), whole, "{command}");
    }
    // A copy of what goes there anyway is not written twice.
    let copied = turns().stdout_path(&file).stderr_null().tee(&link);
    copied.run().expect("it succeeds");
    assert_eq!(scratch.read("f"), "aaaa\ncc\n", "{copied}");
    let copied = turns().stdout_append(&file).stderr_to_stdout().tee(scratch.path().join("copy"));
    copied.run().expect("it succeeds");
    assert_eq!((scratch.read("f"), scratch.read("copy")), (format!("aaaa\ncc\n{whole}"), whole.to_string()));
}

#[test]
fn input_comes_from_files() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let input = scratch.write("in", "xxx\n");
    let output = scratch.path().join("out");
    kid("cat-upper").stdin_path(&input).stdout_path(&output).run().expect("it succeeds");
    assert_eq!(scratch.read("out"), "XXX\n");
    // Runs of one expression share the position of an open file.
    let open = kid("cat").stdin_file(File::open(&input).expect("just written"));
    assert_eq!((open.read().expect("it succeeds"), open.read().expect("it succeeds")), ("xxx".into(), String::new()));
    let file = File::create(&output).expect("ours");
    let open = kid("echo a -- err b").stdout_file(file.try_clone().expect("open")).stderr_file(file);
    open.run().expect("it succeeds");
    open.run().expect("it succeeds");
    assert_eq!(scratch.read("out"), "a\nb\na\nb\n");
    // Relative paths count from the directory of the context, not from the child's.
    let context = Context::new().with_dir(scratch.path());
    let moved = kid("cat").stdin_path("in").dir("/").within(&context);
    assert_eq!(moved.read().expect("it succeeds"), "xxx");
    kid("echo x").stdout_path("there").dir("/").within(&context).run().expect("it succeeds");
    assert_eq!(scratch.read("there"), "x\n");
}

#[test]
fn files_that_cannot_be_opened_start_nothing() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let marker = scratch.path().join("marker");
    let kept = scratch.write("kept", "old\n");
    let command = || kid_with("touch", [&marker]);
    let missing = scratch.path().join("missing/file");
    let table = [
        (ErrorKind::ReadFailed, command().stdin_path(&missing)),
        (ErrorKind::ReadFailed, command().stdin_path(scratch.path())),
        (ErrorKind::ReadFailed, command().stdin_path(&missing).stdout_path(&kept)),
        (ErrorKind::ReadFailed, command().stdout_path(&kept).pipe(command().stdin_path(&missing))),
        (ErrorKind::WriteFailed, command().stdout_path(&missing)),
        (ErrorKind::WriteFailed, command().stdout_append(&missing)),
        (ErrorKind::WriteFailed, command().stderr_path(&missing)),
        (ErrorKind::WriteFailed, command().stdout_path(scratch.path())),
        (ErrorKind::WriteFailed, command().pipe(command().stdout_path(&missing))),
    ];
    for (kind, expression) in table {
        let shown = expression.to_string();
        let error = fails(kind, expression.output());
        assert!(error.errno().is_some() && error.message().contains(&*scratch.path().to_string_lossy()), "{error:?}");
        assert!(!marker.exists(), "{shown}");
    }
    assert_eq!(scratch.read("kept"), "old\n", "a missing input must not cost an output its contents");
    let error = fails(ErrorKind::WriteFailed, command().stdout_path(&missing).run());
    assert!(error.help().is_some_and(|help| help.contains("mkdir -p")), "{error:?}");
}

#[test]
fn a_failed_start_does_not_cost_an_output_file_its_contents() {
    // Nothing is emptied before everything is known to be there.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let kept = scratch.write("kept", "old\n");
    fails(ErrorKind::NotFound, Expression::new("no-such-program-x").stdout_path(&kept).run());
    fails(ErrorKind::BadDirectory, kid("echo").dir("/no/such").stdout_path(&kept).run());
    assert_eq!(scratch.read("kept"), "old\n");
    fails(ErrorKind::WriteFailed, kid("echo").stdout_path(&kept).stderr_path("/no/such/file").run());
    assert_eq!(scratch.read("kept"), "old\n");
}

#[test]
fn reading_and_writing_one_file_is_refused_before_it_is_emptied() {
    // `sort f > f` leaves an empty file behind in a shell.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("file", "b\na\n");
    let hard = scratch.path().join("hard");
    let soft = scratch.path().join("soft");
    hard_link(&file, &hard).expect("one file system");
    symlink(&file, &soft).expect("a fresh name");
    let dotted = scratch.path().join("./file");
    for other in [&file, &hard, &soft, &dotted] {
        let cat = || kid("cat").stdin_path(&file);
        let table = [
            cat().stdout_path(other),
            cat().stdout_append(other),
            cat().stderr_path(other),
            cat().pipe(kid("cat").stdout_path(other)),
            kid("err").stderr_path(other).pipe(kid("cat").stdin_path(&file)),
            kid("cat").stdin_path(other).stdout_path(&file),
        ];
        for expression in table {
            fails(ErrorKind::InvalidArgument, expression.output());
            assert_eq!(scratch.read("file"), "b\na\n", "{expression}");
        }
    }
    // Open files are the caller's own affair; other files are fine; so is /dev/null on both sides.
    let copy = scratch.path().join("copy");
    kid("cat").stdin_path(&file).stdout_path(&copy).run().expect("two files");
    kid("cat").stdin_path("/dev/null").stdout_path("/dev/null").run().expect("not a regular file");
    assert_eq!(scratch.read("copy"), "b\na\n");
}

#[test]
fn a_fifo_that_nobody_opens_does_not_hang() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let fifo = scratch.path().join("fifo");
    procscript::process::cmd("mkfifo", [&fifo]).run().expect("mkfifo");
    let limited = |expression: Expression| expression.timeout(millis(150));
    let limit = millis(2500);
    within(limit, || fails(ErrorKind::TimedOut, limited(kid("cat").stdin_path(&fifo)).read()));
    within(limit, || fails(ErrorKind::TimedOut, limited(kid("echo").stdout_path(&fifo)).run()));
    // With somebody at the other end it is a stream like any other.
    let writer = kid("echo through").stdout_path(&fifo);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| writer.run());
        assert_eq!(kid("cat").stdin_path(&fifo).timeout(millis(10_000)).read().expect("it succeeds"), "through");
        writing.join().expect("no panic").expect("it succeeds");
    });
}

#[test]
fn inherited_streams_belong_to_the_context() {
    let _guard = Guard::new();
    let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let (out, err) = (seen.clone(), seen.clone());
    let lock = |seen: &Mutex<(Vec<u8>, Vec<u8>)>| seen.lock().expect("no panic").clone();
    let context = Context::new()
        .with_stdout(HostStream::Sink(Arc::new(move |bytes| out.lock().expect("no panic").0.extend_from_slice(bytes))))
        .with_stderr(HostStream::Sink(Arc::new(move |bytes| err.lock().expect("no panic").1.extend_from_slice(bytes))));
    both().within(&context).run().expect("it succeeds");
    assert_eq!(lock(&seen), (b"out\n".to_vec(), b"err\n".to_vec()));
    both().stderr_to_stdout().within(&context).run().expect("it succeeds");
    assert_eq!(lock(&seen), (b"out\nout\nerr\n".to_vec(), b"err\n".to_vec()));
    both().stdout_null().stderr_null().within(&context).run().expect("it succeeds");
    both().stdout_capture().within(&context).read().expect("it succeeds");
    assert_eq!(lock(&seen), (b"out\nout\nerr\n".to_vec(), b"err\nerr\n".to_vec()));
    kid("flood-both 300000").within(&context).run().expect("it succeeds");
    let (out, err) = lock(&seen);
    assert_eq!((out.len(), err.len()), (300_012, 300_008));
    let quiet = Context::new().with_stdout(HostStream::Null).with_stderr(HostStream::Null);
    kid("flood-both 300000").within(&quiet).run().expect("it succeeds");
    let output = both().stdout_to_stderr().within(&quiet).run().expect("it succeeds");
    assert_eq!((output.stdout, output.stderr), (None, None));
}

#[test]
fn a_full_disk_is_the_childs_failure() {
    let _shared = leaks::shared();
    let error = fails(ErrorKind::ExitStatus, kid("echo x").stdout_path("/dev/full").output());
    assert!(String::from_utf8_lossy(error.stderr().expect("captured")).contains("No space left"), "{error:?}");
}
