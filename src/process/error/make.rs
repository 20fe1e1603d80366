//! How errors come about: from a sentence, or from a failed system call.

use std::fmt;
use std::sync::Arc;

use super::{Details, Error, ErrorKind};
use crate::process::os;
use crate::process::quote::escape_controls;

impl Error {
    /// The message is one line that cannot act on a terminal, whatever the names in it are.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self(Box::new(Details {
            kind,
            message: escape_controls(message.as_ref()),
            help: None,
            command: None,
            argv: Vec::new(),
            program: None,
            dir: None,
            errno: None,
            status: None,
            core_dumped: false,
            stages: Vec::new(),
            stage: None,
            stdout: None,
            stderr: None,
            elapsed: None,
            attempts: 1,
            source: None,
        }))
    }

    /// An error of this kind from a failed system call: `what: why`.
    ///
    /// Where the system has run out of something, that is its kind, whatever it was wanted for, and the
    /// help names the limit.
    pub(crate) fn from_io(kind: ErrorKind, what: impl fmt::Display, error: &std::io::Error) -> Self {
        let Some(errno) = error.raw_os_error() else { return Self::new(kind, format!("{what}: {error}")) };
        let kind = match errno {
            os::EMFILE | os::ENFILE | os::ENOMEM => ErrorKind::Resource,
            _ => kind,
        };
        let failure = Self::new(kind, format!("{what}: {}", os::errno_text(errno))).with_errno(errno);
        match (errno, kind) {
            (os::EMFILE, _) => failure.with_help(format!(
                "this process may have {} files, pipes and the like open at once: run fewer commands at a time, \
                 or raise the limit (ulimit -n)",
                os::descriptor_limit()
            )),
            (os::EAGAIN, ErrorKind::Resource) => failure.with_help(match (os::address_limit(), os::process_limit()) {
                // What a thread is refused for is not told; its stack is in question first.
                (Some(limit), _) => format!(
                    "this process may have {limit} bytes of memory: run fewer things at a time, or raise the limit \
                     (ulimit -v; if it is that of processes: ulimit -u)"
                ),
                (None, Some(limit)) => format!(
                    "its user may have {limit} processes and threads at once: run fewer commands at a time, \
                     or raise the limit (ulimit -u)"
                ),
                (None, None) => "the system has no room for another process: run fewer commands at a time".to_string(),
            }),
            _ => failure,
        }
    }

    /// An error of kind `InvalidArgument`, for front ends.
    pub fn invalid_argument(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// An error of kind `DecodeFailed`, for front ends.
    pub fn not_decoded(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::DecodeFailed, message)
    }

    /// An error of kind `TimedOut`, for front ends.
    pub fn timed_out(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::TimedOut, message)
    }

    /// An error of kind `NotFound` about several programs at once.
    pub(crate) fn not_found(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message).with_errno(os::ENOENT).with_help(help)
    }

    /// An error of kind `IoFailed`, for front ends.
    pub(crate) fn io_failed(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::IoFailed, message)
    }

    /// An error of kind `ControlFailed`, with the system's error number.
    pub(crate) fn control_failed(message: impl AsRef<str>, errno: Option<i32>) -> Self {
        let error = Self::new(ErrorKind::ControlFailed, message);
        match errno {
            Some(errno) => error.with_errno(errno),
            None => error,
        }
    }

    /// An error of kind `Unanswered`, for front ends.
    pub fn unanswered(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unanswered, message).with_help(help)
    }

    /// An error of kind `Misuse`, for front ends.
    pub fn misuse(message: impl AsRef<str>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, message).with_help(help)
    }

    /// An error of kind `WriteFailed` for input whose making failed, for front ends: what failed is its
    /// [`source`](std::error::Error::source).
    pub fn input_failed(message: impl AsRef<str>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        let mut error = Self::new(ErrorKind::WriteFailed, message);
        error.0.source = Some(Arc::new(source));
        error
    }
}
