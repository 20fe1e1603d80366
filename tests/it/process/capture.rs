//! What is captured, up to which byte, and what happens to the other streams meanwhile.

use procscript::process::{Error, ErrorKind, Execution, Expression};

use super::{fails, kid, kid_with, soon};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

/// Captured bytes as text.
fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.expect("captured")).expect("text")
}

#[test]
fn a_limit_may_fall_into_the_middle_of_a_character() {
    // Bytes are counted and bytes are kept: the part of a character is there, and is not called bad text.
    let _guard = Guard::new();
    let whole = "aé€😀";
    let command = || kid_with("bytes", [r"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"]);
    type Verb = fn(&Expression) -> Result<(), Error>;
    let verbs: [(&str, Verb); 5] = [
        ("read", |e| e.read().map(drop)),
        ("lossy", |e| e.clone().lossy().read().map(drop)),
        ("bytes", |e| e.bytes().map(drop)),
        ("output", |e| e.output().map(drop)),
        ("start", |e| e.clone().stdout_capture().start()?.wait().map(drop)),
    ];
    for limit in 0..whole.len() {
        for (name, verb) in verbs {
            let error = fails(ErrorKind::OutputLimit, verb(&command().limit(limit as u64)));
            assert_eq!(error.stdout(), Some(&whole.as_bytes()[..limit]), "{name}, {limit} bytes");
        }
    }
    let exactly = command().limit(whole.len() as u64);
    assert_eq!(exactly.read().expect("within the limit"), whole);
}

#[test]
fn what_a_process_left_behind_still_holds_is_waited_for() {
    // The command itself has ended, which a look at it does not take for the end.
    let _guard = Guard::new();
    let execution = kid("grandchild burst 100 20 x -- echo GO").stdout_capture().start().expect("it starts");
    let ended = || procs::process(execution.pids()[0]).is_some_and(|process| process.is_zombie());
    assert!(procs::until(super::SOON, ended, |ended| *ended), "a zombie, which is not reaped before all is over");
    for _ in 0..3 {
        assert!(execution.try_wait().expect("no error").is_none());
    }
    let output = soon(|| execution.wait()).expect("it closes the pipe in the end");
    assert_eq!((output.held_open, text(output.stdout).len()), (false, 103));
    let again = execution.try_wait().expect("no error").expect("over");
    assert_eq!(text(again.stdout).len(), 103);
}

#[test]
fn one_stream_is_read_while_the_other_is_captured() {
    // What is captured is more than a pipe holds, and comes before what is read.
    let _guard = Guard::new();
    const SIZE: usize = 300_000;
    let texts = ["one".to_string(), "two".to_string()];
    let read = |stream: procscript::process::OutputStream| -> Result<Vec<String>, Error> { stream.lines()?.collect() };

    let errors = kid(&format!("flood {SIZE} -- err one -- err two")).stdout_capture().stderr_piped();
    let execution = errors.start().expect("it starts");
    assert_eq!(soon(|| read(execution.stderr())).expect("good"), texts);
    let output = execution.wait().expect("it succeeds");
    assert_eq!((output.stdout.map(|bytes| bytes.len()), output.stderr), (Some(SIZE), None));
    fails(ErrorKind::Misuse, execution.stdout().lines());
    let body = |process: &Execution| read(process.stderr());
    let (output, lines) = soon(|| errors.run_with(body)).expect("it succeeds");
    assert_eq!((output.stdout.map(|bytes| bytes.len()), lines), (Some(SIZE), texts.to_vec()));

    let lines = kid(&format!("flood-err {SIZE} -- echo one -- echo two")).stdout_piped().stderr_capture();
    let execution = lines.start().expect("it starts");
    assert_eq!(soon(|| read(execution.stdout())).expect("good"), texts);
    let output = execution.wait().expect("it succeeds");
    assert_eq!((output.stdout, output.stderr.map(|bytes| bytes.len())), (None, Some(SIZE)));
    let body = |process: &Execution| read(process.stdout());
    let (output, lines) = soon(|| lines.run_with(body)).expect("it succeeds");
    assert_eq!((output.stderr.map(|bytes| bytes.len()), lines), (Some(SIZE), texts.to_vec()));
}

#[test]
fn a_stage_that_is_captured_gives_nothing_to_the_next() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    let left = || kid("echo left").stdout_capture();
    // The next one finds the end of its input at once.
    let output = left().pipe(kid("count").stdout_path(&file)).run().expect("it succeeds");
    assert_eq!((text(output.stdout).as_str(), scratch.read("file").as_str()), ("left\n", "0\n"));
    // Two that are captured meet in one text.
    let output = soon(|| left().pipe(kid("cat -- echo right")).output()).expect("it succeeds");
    let text = text(output.stdout);
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["left", "right"]);
    assert_eq!(soon(|| left().pipe(kid("count").stdout_null()).read()).expect("it succeeds"), "left");
    // And what throws its output away leaves nothing to read.
    assert_eq!(kid("echo x").stdout_null().read().expect("it succeeds"), "");
    assert_eq!(kid("echo x").stdout_null().pipe(kid("cat")).read().expect("it succeeds"), "");
}
