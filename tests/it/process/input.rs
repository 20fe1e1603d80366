//! Input that is made while the command runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use procscript::process::{Error, ErrorKind, Expression};

use super::{fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;

type Item = Result<Vec<u8>, Error>;

fn endless() -> impl Iterator<Item = Item> + Send + 'static {
    std::iter::repeat_with(|| Ok(vec![b'x'; 65_536]))
}

#[test]
fn pieces_arrive_in_order_and_then_the_end() {
    let _guard = Guard::new();
    let pieces = (0..5000).map(|n| Ok(format!("{n}\n").into_bytes()));
    let expected: String = (0..5000).map(|n| format!("{n}\n")).collect();
    assert_eq!(kid("cat").stdin_items(pieces).read_raw().expect("it succeeds"), expected);
    assert_eq!(kid("count").stdin_items(Vec::new()).read().expect("it succeeds"), "0");
    assert_eq!(kid("count").stdin_items([Ok(Vec::new()), Ok(vec![1]), Ok(Vec::new())]).read().expect("fine"), "1");
    // For the first stage of a pipeline, and while lines are read.
    let pipeline = kid("cat").stdin_items([Ok(b"a\nb\n".to_vec())]).pipe(kid("cat-upper"));
    assert_eq!(pipeline.lines().expect("it starts").map(|line| line.expect("good")).collect::<Vec<_>>(), ["A", "B"]);
}

#[test]
fn a_source_that_never_gives_anything_does_not_keep_the_run() {
    let _guard = Guard::new();
    let verbs: [fn(&Expression) -> Result<(), Error>; 3] =
        [|e| e.run().map(drop), |e| e.lines()?.try_for_each(|line| line.map(drop)), |e| e.start()?.wait().map(drop)];
    for verb in verbs {
        let (sender, receiver) = channel::<Item>();
        soon(|| verb(&kid("exit 0").stdin_items(receiver))).expect("it succeeds");
        drop(sender);
    }
    let (sender, receiver) = channel::<Item>();
    let stuck = kid("cat").stdin_items(receiver).timeout(millis(200));
    within(millis(2500), || fails(ErrorKind::TimedOut, stuck.read()));
    drop(sender);
}

#[test]
fn an_error_among_the_pieces_is_the_error_of_the_run() {
    let _guard = Guard::new();
    let broken = || [Ok(b"before".to_vec()), Err(Error::invalid_argument("no more of it")), Ok(b"after".to_vec())];
    let error = fails(ErrorKind::InvalidArgument, kid("cat").stdin_items(broken()).output());
    assert_eq!((error.message(), error.stdout()), ("no more of it", Some(&b"before"[..])));
    fails(
        ErrorKind::InvalidArgument,
        kid("cat").stdin_items(broken()).stdout_null().start().expect("it starts").wait(),
    );
    fails(ErrorKind::InvalidArgument, kid("cat").stdin_items(broken()).pipe(kid("count")).read());
    let last = kid("cat").stdin_items(broken()).lines().expect("it starts").last();
    fails(ErrorKind::InvalidArgument, last.expect("an error"));
}

#[test]
fn pieces_are_used_by_the_first_run() {
    let _guard = Guard::new();
    let command = kid("cat").stdin_items([Ok(b"once".to_vec())]);
    let copy = command.clone();
    assert_eq!(command.read().expect("it succeeds"), "once");
    fails(ErrorKind::Misuse, command.read());
    fails(ErrorKind::Misuse, copy.start());
}

#[test]
fn a_command_that_wants_no_more_ends_the_source() {
    // EPIPE is the normal end of supplied input.
    let _guard = Guard::new();
    soon(|| kid("exit 0").stdin_items(endless()).run()).expect("it succeeds");
    soon(|| kid("close-in -- sleep 50").stdin_items(endless()).run()).expect("it succeeds");
    assert_eq!(soon(|| kid("read-line").stdin_items([Ok(b"a\nb\n".to_vec())]).read()).expect("fine"), "a");
    fails(ErrorKind::ExitStatus, soon(|| kid("exit 3").stdin_items(endless()).run()));
}

#[test]
fn no_more_pieces_are_made_than_the_pipe_takes() {
    let _guard = Guard::new();
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let pieces = endless().inspect(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
    let stuck = kid("never-read").stdin_items(pieces).timeout(millis(300));
    soon(|| fails(ErrorKind::TimedOut, stuck.run()));
    assert!(made.load(Ordering::Relaxed) < 100, "{made:?}");
}

#[test]
fn a_source_that_panics_does_not_pass_for_one_that_ended() {
    // The command would work on half of its input, and nobody would know.
    let _guard = Guard::new();
    let pieces = (0..3).map(|n| if n < 2 { Ok(vec![b'x']) } else { panic!("on purpose") });
    let result = soon(|| kid("cat").stdin_items(pieces).read());
    assert!(result.is_err(), "{result:?}");
}

#[test]
fn writing_to_an_ended_command_returns_although_somebody_holds_its_pipe() {
    let _guard = Guard::new();
    let sleep = unique_sleep(45);
    let execution = kid(&format!("daemon {sleep} -- exit 0")).stdin_piped().stdout_null().start().expect("it starts");
    // More than the pipe holds, and nobody reads.
    let error = soon(|| fails(ErrorKind::WriteFailed, execution.write(&vec![0; 4 << 20])));
    assert_eq!(error.errno_name(), Some("EPIPE"));
    assert!(!execution.is_running());
    soon(|| execution.wait()).expect("it succeeds");
    kill_strays(&sleep, 1);
    procs::until(millis(2000), || super::strays(&sleep).len(), |count| *count == 0);
}
