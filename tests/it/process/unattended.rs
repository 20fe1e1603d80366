//! Data on its way while the holder of the command does something else, and how much of it at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use procscript::process::{Error, ErrorKind, Execution, Expression, Scope, Teardown};

use super::{fails, kid, millis, soon, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

/// More than any pipe holds.
const MUCH: usize = 4 << 20;

/// Adds to the command that it makes a file when it has come so far, and waits for the file.
struct Sign(Scratch);

impl Sign {
    fn after(&self, command: Expression) -> Expression {
        command.args(["--", "touch"]).arg(self.0.path().join("sign"))
    }

    #[track_caller]
    fn is_given(&self) {
        let file = self.0.path().join("sign");
        assert!(procs::until(super::SOON, || file.exists(), |exists| *exists), "it did not come so far");
    }
}

#[test]
fn input_goes_on_while_nobody_waits() {
    let _guard = Guard::new();
    let sign = Sign(Scratch::new());
    let command = sign.after(kid("count")).stdin_bytes(vec![b'x'; MUCH]);
    let execution = command.stdout_capture().start().expect("it starts");
    sign.is_given();
    let output = execution.wait().expect("it succeeds");
    assert_eq!(output.stdout, Some(format!("{MUCH}\n").into_bytes()));
}

#[test]
fn output_is_taken_while_nobody_waits() {
    let _guard = Guard::new();
    let sign = Sign(Scratch::new());
    let command = sign.after(kid(&format!("flood-both {MUCH}")));
    let execution = command.stdout_capture().stderr_capture().start().expect("it starts");
    sign.is_given();
    let output = execution.wait().expect("it succeeds");
    let sizes = [output.stdout, output.stderr].map(|bytes| bytes.map(|bytes| bytes.len()));
    assert_eq!(sizes, [Some(MUCH); 2]);
}

#[test]
fn a_writer_is_slowed_by_its_reader() {
    // Nothing is kept for a command that does not read: the writer waits as soon as the pipe is full.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let go = scratch.path().join("go");
    let command = kid("wait-for").arg(&go).args(["--", "count"]).stdin_piped().stdout_capture();
    let execution = command.start().expect("it starts");
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for piece in vec![b'x'; MUCH].chunks(1024) {
                execution.write(piece).expect("it reads in the end");
                written.fetch_add(piece.len(), Ordering::SeqCst);
            }
        });
        let progress = || written.load(Ordering::SeqCst);
        assert!(procs::until(super::SOON, progress, |bytes| *bytes > 0) > 0, "the pipe takes something");
        // Who keeps everything would be done with it in this time.
        let bytes = procs::until(millis(500), progress, |bytes| *bytes == MUCH);
        assert!(bytes < MUCH && !writer.is_finished(), "{bytes} bytes");
        std::fs::write(&go, "").expect("ours");
        soon(|| writer.join()).expect("no panic");
    });
    let output = soon(|| execution.wait()).expect("it succeeds");
    assert_eq!(output.stdout, Some(format!("{MUCH}\n").into_bytes()));
}

#[test]
fn clean_up_may_write_more_than_a_pipe_holds() {
    // Who waits for the end of what it has told to end empties the pipes that nobody reads: else the command could not
    // finish, and would be killed in the middle.
    let _guard = Guard::new();
    let start = |command: &Expression| command.start().expect("it starts");
    type End<'a> = (&'a str, Box<dyn Fn(&Expression, &dyn Fn()) + 'a>);
    let ends: [End; 4] = [
        (
            "terminate",
            Box::new(|command, await_ready| {
                let execution = start(command);
                await_ready();
                execution.terminate();
            }),
        ),
        (
            "drop",
            Box::new(|command, await_ready| {
                let execution = start(command);
                await_ready();
                drop(execution);
            }),
        ),
        (
            "teardown",
            Box::new(|command, await_ready| {
                let execution = start(command);
                await_ready();
                execution.teardown(&Teardown::kill().after(libc::SIGTERM, Scope::Tree, Duration::from_secs(30)));
            }),
        ),
        (
            "a body that fails",
            Box::new(|command, await_ready| {
                let body = |_: &Execution| -> Result<(), Error> {
                    await_ready();
                    Err(Error::invalid_argument("mine"))
                };
                fails(ErrorKind::InvalidArgument, command.run_with(body));
            }),
        ),
    ];
    for (how, end) in ends {
        let scratch = Scratch::new();
        let file = |name: &str| scratch.path().join(name).into_os_string();
        let words =
            ["--", "wait-for"].map(Into::into).into_iter().chain([file("go"), "--".into(), "flood-both".into()]);
        let rest = [MUCH.to_string().into(), "--".into(), "touch".into(), file("clean")];
        let command = kid("ignore TERM -- touch").arg(file("ready")).args(words).args(rest);
        let command = command.stdout_piped().stderr_piped().grace(Duration::from_secs(30));
        let await_ready = || {
            let is_there = || scratch.path().join("ready").exists();
            assert!(procs::until(super::SOON, is_there, |ready| *ready), "{how}");
            std::fs::write(file("go"), "").expect("ours");
        };
        within(millis(20_000), || end(&command, &await_ready));
        assert!(scratch.path().join("clean").exists(), "{how}: it was not let finish");
    }
}

#[test]
fn pieces_are_as_large_as_the_pipe_gives() {
    // What was written at once comes in pieces of many bytes: each is a system call of its own.
    const BURST: usize = 64 * 1024;
    let _guard = Guard::new();
    let burst = || kid(&format!("flood {BURST}"));
    let is_coarse = |pieces: Vec<Vec<u8>>| {
        let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), BURST);
        assert!(sizes.len() <= BURST / 4096, "{sizes:?}");
    };
    is_coarse(burst().chunks().expect("it starts").collect::<Result<_, _>>().expect("good"));
    let execution = burst().stdout_piped().start().expect("it starts");
    is_coarse(execution.stdout().chunks().expect("piped").collect::<Result<_, _>>().expect("good"));
    execution.wait().expect("it succeeds");
}
