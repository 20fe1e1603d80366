//! Copies of output: the file has all of it, and the output goes where it would have gone.

use std::sync::{Arc, Mutex};

use procscript::process::{Context, ErrorKind, Expression, HostStream};

use super::{fails, kid, kid_with, millis, soon, within};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

/// A place for a copy, and its contents.
struct Copy(Scratch);

impl Copy {
    fn new() -> Self {
        Self(Scratch::new())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("copy")
    }

    fn of(&self, expression: Expression) -> Expression {
        expression.tee(self.path())
    }

    #[track_caller]
    fn holds(&self, text: &str) {
        let copy = self.0.read("copy");
        assert!(copy == text, "the copy has {} bytes, not {}", copy.len(), text.len());
        std::fs::remove_file(self.path()).expect("it is there");
    }
}

fn numbered(count: usize) -> String {
    (0..count).map(|n| format!("line-{n}\n")).collect()
}

#[test]
fn wherever_the_output_goes_the_copy_is_whole() {
    let _guard = Guard::new();
    let copy = Copy::new();
    // More than pipes hold, so that reading and writing take turns.
    let text = numbered(30_000);
    let lines = || copy.of(kid("lines 30000"));

    assert!(lines().read_raw().expect("captured") == text);
    copy.holds(&text);
    assert_eq!(lines().lines().expect("streamed").inspect(|line| assert!(line.is_ok(), "good")).count(), 30_000);
    copy.holds(&text);
    assert_eq!(lines().chunks().expect("streamed").map(|piece| piece.expect("good").len()).sum::<usize>(), text.len());
    copy.holds(&text);
    lines().stdout_null().run().expect("nowhere");
    copy.holds(&text);
    lines().stdout_path(copy.0.path().join("main")).run().expect("a file");
    assert!(copy.0.read("main") == text);
    copy.holds(&text);
    let (_, count) = lines()
        .run_with(|process| {
            process.stdout().chunks()?.try_fold(0, |sum, piece| Ok::<_, procscript::process::Error>(sum + piece?.len()))
        })
        .expect("the closure form");
    assert_eq!(count, text.len());
    copy.holds(&text);
    let output = lines().stdout_capture().start().expect("it starts").wait().expect("it succeeds");
    assert!(output.stdout.expect("captured") == text.as_bytes());
    copy.holds(&text);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seeing = seen.clone();
    let sink = HostStream::Sink(Arc::new(move |bytes| seeing.lock().expect("no panic").extend_from_slice(bytes)));
    lines().within(&Context::new().with_stdout(sink)).run().expect("a function");
    assert!(*seen.lock().expect("no panic") == text.as_bytes());
    copy.holds(&text);
}

#[test]
fn any_stage_of_a_pipeline_can_be_copied() {
    let _guard = Guard::new();
    let copy = Copy::new();
    let (first, middle, last) = (|| kid("lines 20000"), || kid("cat-upper"), || kid("count"));
    let text = numbered(20_000);
    let count = format!("{}", text.len());
    assert_eq!(copy.of(first()).pipe(middle()).pipe(last()).read().expect("it succeeds"), count);
    copy.holds(&text);
    assert_eq!(first().pipe(copy.of(middle())).pipe(last()).read().expect("it succeeds"), count);
    copy.holds(&text.to_uppercase());
    assert_eq!(first().pipe(middle()).pipe(copy.of(last())).read().expect("it succeeds"), count);
    copy.holds(&format!("{count}\n"));
    // On the whole it is the output of the whole.
    assert_eq!(copy.of(first().pipe(middle()).pipe(last())).read().expect("it succeeds"), count);
    copy.holds(&format!("{count}\n"));
    // Several at once.
    let other = copy.0.path().join("other");
    assert_eq!(copy.of(first()).pipe(middle().tee(&other)).pipe(last()).read().expect("it succeeds"), count);
    copy.holds(&text);
    assert!(copy.0.read("other") == text.to_uppercase());
}

#[test]
fn errors_are_copied_when_they_follow_the_output() {
    let _guard = Guard::new();
    let copy = Copy::new();
    let both = || copy.of(kid("echo a -- err b -- echo c"));
    assert_eq!(both().stderr_to_stdout().read().expect("it succeeds"), "a\nb\nc");
    copy.holds("a\nb\nc\n");
    let output = both().output().expect("it succeeds");
    assert_eq!((output.stdout.as_deref(), output.stderr.as_deref()), (Some(&b"a\nc\n"[..]), Some(&b"b\n"[..])));
    copy.holds("a\nc\n");
}

#[test]
fn a_slow_reader_slows_the_copy_and_loses_nothing() {
    let _guard = Guard::new();
    let copy = Copy::new();
    let text = numbered(50_000);
    let slow = copy.of(kid("lines 50000")).pipe(kid("slow-read 10"));
    assert_eq!(within(millis(20_000), || slow.read()).expect("it succeeds"), text.len().to_string());
    copy.holds(&text);
    let mut lines = copy.of(kid("lines 50000")).lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "line-0");
    // Longer than silence is taken for the end.
    std::thread::sleep(millis(700));
    assert_eq!(lines.inspect(|line| assert!(line.is_ok(), "good")).count(), 49_999);
    copy.holds(&text);
}

#[test]
fn who_takes_the_output_after_the_end_of_the_command_gets_all_of_it() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let fifo = scratch.path().join("fifo");
    procscript::process::cmd("mkfifo", [&fifo]).run().expect("mkfifo");
    // More than the pipe of the reader holds, and less than that and the command's own: so the command ends before.
    let text = numbered(10_000);
    let (idle, failing) = (kid("lines 10000").idle_timeout(millis(2000)), kid("lines 10000 -- exit 3").unchecked());
    for command in [kid("lines 10000"), idle, failing] {
        let (path, command) = (fifo.clone(), command.stdout_null().tee(&fifo));
        let reader = std::thread::spawn(move || {
            let file = std::fs::File::open(path).expect("a writer comes");
            // Longer than silence is taken for the end.
            std::thread::sleep(millis(2500));
            std::io::read_to_string(file).expect("text")
        });
        let output = soon(|| command.run()).expect("only its reader is slow");
        assert!(!output.held_open, "{output:?}");
        assert!(reader.join().expect("no panic") == text, "all of it has arrived");
    }
}

#[test]
fn who_never_takes_the_output_does_not_hold_up_the_timeout() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let fifo = scratch.path().join("fifo");
    procscript::process::cmd("mkfifo", [&fifo]).run().expect("mkfifo");
    let _both_ends = std::fs::File::options().read(true).write(true).open(&fifo).expect("a FIFO");
    for command in [kid("lines 10000"), kid("flood 1000000")] {
        soon(|| fails(ErrorKind::TimedOut, command.stdout_null().tee(&fifo).timeout(millis(800)).run()));
    }
    let execution = kid("lines 10000").stdout_null().tee(&fifo).start().expect("it starts");
    soon(|| execution.terminate());
    let execution = kid("lines 10000").stdout_null().tee(&fifo).start().expect("it starts");
    soon(|| drop(execution));
}

#[test]
fn a_reader_that_leaves_ends_the_producer() {
    let _guard = Guard::new();
    let copy = Copy::new();
    let endless = || kid("lines 2000000000").tee("/dev/null");
    assert_eq!(soon(|| endless().pipe(kid("read-line")).read()).expect("nobody's fault"), "line-0");
    let first = soon(|| endless().lines().expect("it starts").next());
    assert_eq!(first.expect("a line").expect("good"), "line-0");
    // The copy has at least what the reader got.
    soon(|| copy.of(kid("lines 200000")).pipe(kid("read-line")).read()).expect("nobody's fault");
    assert!(copy.0.read("copy").starts_with("line-0\n"));
}

#[test]
fn a_copy_that_cannot_be_written_is_an_error() {
    let _guard = Guard::new();
    let flood = || kid("flood 300000").tee("/dev/full");
    for command in [flood().stdout_null(), flood().stdout_capture(), flood().pipe(kid("count")).stdout_capture()] {
        let error = soon(|| fails(ErrorKind::WriteFailed, command.run()));
        assert_eq!(error.errno_name(), Some("ENOSPC"), "{error:?}");
    }
    let error = soon(|| flood().lines().expect("it starts").last()).expect("an error");
    assert_eq!(error.expect_err("an error").errno_name(), Some("ENOSPC"));
    let execution = flood().stdout_null().start().expect("it starts");
    soon(|| fails(ErrorKind::WriteFailed, execution.wait()));
    // One that cannot be opened starts nothing.
    let scratch = Scratch::new();
    let command = kid_with("touch", [scratch.path().join("marker")]).tee(scratch.path().join("missing/copy"));
    fails(ErrorKind::WriteFailed, command.run());
    assert!(scratch.listing().is_empty());
}

#[test]
fn limits_hold_with_a_copy() {
    let _guard = Guard::new();
    let copy = Copy::new();
    let error = soon(|| fails(ErrorKind::OutputLimit, copy.of(kid("flood 300000")).limit(1000).read()));
    assert_eq!(error.stdout().map(<[u8]>::len), Some(1000));
    let stuck = copy.of(kid("echo before -- forever")).timeout(millis(2000));
    let error = soon(|| fails(ErrorKind::TimedOut, stuck.read()));
    assert_eq!(error.stdout(), Some(&b"before\n"[..]));
    copy.holds("before\n");
}
