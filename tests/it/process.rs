//! The Rust API of the engine, with `testkid` as the child.

use std::ffi::OsString;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use procscript::process::{Error, ErrorKind, Expression, cmd};

use crate::support::procs;
use crate::support::testkid;

mod blame;
mod cancel;
mod capture;
mod closure;
mod control;
mod env;
mod errors;
mod execution;
mod held;
mod hooks;
mod hosts;
mod input;
mod isolation;
mod known;
mod lines;
mod load;
mod options;
mod pipeline;
mod program;
mod redirect;
mod run;
mod shell_line;
mod shortage;
mod strangers;
mod streams;
mod surroundings;
mod teardown;
mod tee;
mod timeout;
mod unattended;
mod unread;

/// `testkid` with the words of the line as its arguments.
fn kid(line: &str) -> Expression {
    cmd(testkid(), line.split(' '))
}

/// `testkid` with arguments that a line could not hold.
fn kid_with<A: Into<OsString>>(verb: &str, args: impl IntoIterator<Item = A>) -> Expression {
    kid(verb).args(args)
}

#[track_caller]
fn failure<T: Debug>(result: Result<T, Error>) -> Error {
    result.expect_err("a failure was expected")
}

#[track_caller]
fn fails<T: Debug>(kind: ErrorKind, result: Result<T, Error>) -> Error {
    let error = failure(result);
    assert_eq!(error.kind(), kind, "{error:?}");
    error
}

/// Far more than anything here needs, and far less than a hang.
const SOON: Duration = Duration::from_secs(5);

#[track_caller]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    within(SOON, work)
}

#[track_caller]
fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < procs::under_load(limit), "it took {:?}", started.elapsed());
    result
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// A time to sleep that no other test uses, by which the process is found again.
fn unique_sleep(number: u32) -> String {
    format!("sleep {number}{:07}", std::process::id())
}

/// The running children and grandchildren whose command line holds the words.
fn strays(words: &str) -> Vec<procs::Process> {
    let mut strays = procs::running(&testkid());
    strays.retain(|stray| stray.words.contains(words));
    strays
}

/// Waits until there are as many: a program that is just being started shows no words for a moment.
fn await_strays(words: &str, count: usize) -> usize {
    procs::until(SOON, || strays(words).len(), |found| *found == count)
}

/// Kills as many processes as the command is known to have left, and fails when there are others.
#[track_caller]
fn kill_strays(words: &str, count: usize) {
    assert_eq!(await_strays(words, count), count, "processes with `{words}`");
    strays(words).iter().for_each(|stray| procs::kill(stray.pid));
}
