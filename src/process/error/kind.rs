//! The kinds of failures, and their names.

use std::fmt;

/// What kind of failure an [`Error`](super::Error) is.
///
/// The kinds follow the error codes of Swift's Subprocess, with what Swift reports as data (a failing
/// status, a timeout) and MLton's stream errors added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The program does not exist: nothing of that name on the search path, or no such file.
    NotFound,
    /// The file exists but may not be executed, or is a directory.
    NotExecutable,
    /// The file is executable but in no format that the system runs (no `#!` line, another machine's).
    BadFormat,
    /// The interpreter that the `#!` line names cannot be run.
    BadInterpreter,
    /// The arguments or the environment are larger than the system allows.
    ArgumentTooLong,
    /// The program file is being written by somebody.
    Busy,
    /// The system has no process, descriptor or memory left.
    Resource,
    /// The program could not be started for another reason.
    SpawnFailed,
    /// The working directory does not exist or cannot be entered.
    BadDirectory,
    /// The command ended with a code that is not accepted.
    ExitStatus,
    /// The command was ended by a signal.
    Signaled,
    /// The command did not end in time and was torn down.
    TimedOut,
    /// The command was torn down because its [`CancelToken`](crate::process::CancelToken) was cancelled.
    Cancelled,
    /// The command has ended, but a descendant still holds its output open.
    OutputHeld,
    /// The command wrote more than the capture limit (or a line longer than the line limit).
    OutputLimit,
    /// A file could not be opened for the command, or its output could not be read.
    ReadFailed,
    /// Input could not be written, or an output file could not be opened.
    WriteFailed,
    /// The process could not be waited for.
    MonitorFailed,
    /// A signal could not be sent.
    ControlFailed,
    /// Another input or output operation failed.
    IoFailed,
    /// The output is not text in the expected encoding.
    DecodeFailed,
    /// A value cannot be used for what it was given for.
    InvalidArgument,
    /// A stream was redirected twice.
    DoublyRedirected,
    /// A stream or handle was used in a way that its state does not allow.
    Misuse,
    /// A question that nobody could answer, or that was answered by the end of input.
    Unanswered,
}

impl ErrorKind {
    /// Every kind, for tests of what is said about them.
    #[cfg(all(test, feature = "cli"))]
    pub(crate) const ALL: &'static [Self] = &[
        Self::NotFound,
        Self::NotExecutable,
        Self::BadFormat,
        Self::BadInterpreter,
        Self::ArgumentTooLong,
        Self::Busy,
        Self::Resource,
        Self::SpawnFailed,
        Self::BadDirectory,
        Self::ExitStatus,
        Self::Signaled,
        Self::TimedOut,
        Self::Cancelled,
        Self::OutputHeld,
        Self::OutputLimit,
        Self::ReadFailed,
        Self::WriteFailed,
        Self::MonitorFailed,
        Self::ControlFailed,
        Self::IoFailed,
        Self::DecodeFailed,
        Self::InvalidArgument,
        Self::DoublyRedirected,
        Self::Misuse,
        Self::Unanswered,
    ];

    /// The name that scripts and JSON use.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotExecutable => "not_executable",
            Self::BadFormat => "bad_format",
            Self::BadInterpreter => "bad_interpreter",
            Self::ArgumentTooLong => "argument_too_long",
            Self::Busy => "busy",
            Self::Resource => "resource",
            Self::SpawnFailed => "spawn_failed",
            Self::BadDirectory => "bad_directory",
            Self::ExitStatus => "exit_status",
            Self::Signaled => "signaled",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::OutputHeld => "output_held",
            Self::OutputLimit => "output_limit",
            Self::ReadFailed => "read_failed",
            Self::WriteFailed => "write_failed",
            Self::MonitorFailed => "monitor_failed",
            Self::ControlFailed => "control_failed",
            Self::IoFailed => "io_failed",
            Self::DecodeFailed => "decode_failed",
            Self::InvalidArgument => "invalid_argument",
            Self::DoublyRedirected => "doubly_redirected",
            Self::Misuse => "misuse",
            Self::Unanswered => "unanswered",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
