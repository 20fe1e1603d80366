//! The exit codes, in one table.

use std::fmt::Write;

use crate::process::{Error, ErrorKind, os};
use crate::script::{Failure, FailureKind};

pub(super) const FAILURE: i32 = 1;
pub(super) const USAGE: i32 = 2;
const TIMED_OUT: i32 = 124;
pub(super) const INTERNAL: i32 = 125;
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;
const SIGNAL_BASE: i32 = 128;

/// Shown by `--help`, and the documentation of the constants above.
const TABLE: &[(&str, &str)] = &[
    ("0", "the script came to its end"),
    ("n", "the script called exit(n), or a command failed with code n"),
    ("1", "an error that the script did not catch, or output that could not be written"),
    ("2", "wrong usage, of the script too where it calls cli(…), or a mistake in it: nothing was run"),
    ("124", "a command timed out"),
    ("125", "a fault of procscript itself"),
    ("126", "a program was found but cannot be executed"),
    ("127", "a program was not found"),
    ("128+n", "a command was ended by signal n"),
];

/// What a failure is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum ErrorFormat {
    /// For people.
    #[default]
    Text,
    /// One line of JSON, for programs.
    Json,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    /// As if the signal had never been handled, so that whoever started us can see it.
    Signal(i32),
}

impl Exit {
    /// Reports a failure and says how the process ends because of it.
    pub fn because(failure: &Failure, signal: Option<i32>, format: ErrorFormat) -> Self {
        let signal = match (failure.kind(), signal) {
            (FailureKind::Interrupted, Some(signal)) => Some(signal),
            // Whoever read our output has left.
            (FailureKind::Output(errno), _) if *errno == Some(os::EPIPE) => Some(os::SIGPIPE),
            _ => None,
        };
        // A signal says itself what has happened, but for what went wrong besides.
        if signal.is_none() || !failure.notes().is_empty() {
            match format {
                ErrorFormat::Text => complain(&failure.render()),
                ErrorFormat::Json => complain(&format!("{}\n", failure.to_json())),
            }
        }
        signal.map_or(Self::Code(code_of(failure.kind())), Self::Signal)
    }

    pub fn leave(self) -> ! {
        match self {
            Self::Code(code) => std::process::exit(code),
            Self::Signal(signal) => os::die_of_signal(signal),
        }
    }
}

fn code_of(kind: &FailureKind) -> i32 {
    match kind {
        FailureKind::Load | FailureKind::Usage(_) => USAGE,
        FailureKind::Command(error) => command_code(error),
        FailureKind::Script | FailureKind::Limit | FailureKind::Output(_) | FailureKind::Interrupted => FAILURE,
        FailureKind::Internal => INTERNAL,
    }
}

fn command_code(error: &Error) -> i32 {
    let status = error.status();
    match error.kind() {
        // A code 0 that was not accepted (`ok_codes`) must not look like success.
        ErrorKind::ExitStatus => status.and_then(|status| status.code()).filter(|code| *code != 0).unwrap_or(FAILURE),
        ErrorKind::Signaled => status.and_then(|status| status.signal()).map_or(FAILURE, |signal| SIGNAL_BASE + signal),
        ErrorKind::TimedOut => TIMED_OUT,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::NotExecutable
        | ErrorKind::BadFormat
        | ErrorKind::BadInterpreter
        | ErrorKind::ArgumentTooLong
        | ErrorKind::Busy => NOT_EXECUTABLE,
        _ => FAILURE,
    }
}

/// The table as text, for `--help`.
pub(super) fn table() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in TABLE {
        let _ = writeln!(text, "  {code:<6} {meaning}");
    }
    text.push_str("\nTold to stop by a signal, procscript ends its commands and then itself by that signal.");
    text
}

/// Prints an answer (help, version); a failure to do so is a failure.
pub(super) fn print(text: &str) -> Exit {
    match os::write_standard_stream(1, text.as_bytes()) {
        Ok(()) => Exit::Code(0),
        Err(error) if error.raw_os_error() == Some(os::EPIPE) => Exit::Signal(os::SIGPIPE),
        Err(error) => {
            complain(&format!("error: cannot write to standard output: {error}\n"));
            Exit::Code(FAILURE)
        }
    }
}

/// Tells something that is no failure.
pub(super) fn note(format: ErrorFormat, text: &str) {
    match format {
        ErrorFormat::Text => complain(&format!("note: {text}\n")),
        ErrorFormat::Json => complain(&format!("{}\n", serde_json::json!({ "kind": "note", "message": text }))),
    }
}

/// Says something on standard error. When even that fails there is nobody left to tell.
pub(super) fn complain(text: &str) {
    let _ = os::write_standard_stream(2, text.as_bytes());
}
