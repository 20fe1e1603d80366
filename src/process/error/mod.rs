//! What can go wrong with a command, with everything that is known about it.

mod complete;
mod kind;
mod make;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::os;
use super::output::Stage;
use super::status::TerminationStatus;

pub use kind::ErrorKind;

/// A command that failed, could not be started, or was asked for something impossible.
///
/// `Display` is one line that says what failed, on what, and why. Everything else is in the methods.
///
/// ```
/// use procscript::process::{ErrorKind, Expression};
///
/// let error = Expression::new("no-such-program").run().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "command not found: `no-such-program`");
/// ```
#[derive(Clone)]
pub struct Error(pub(super) Box<Details>);

#[derive(Clone, Debug)]
pub(super) struct Details {
    pub kind: ErrorKind,
    pub message: String,
    pub help: Option<String>,
    pub command: Option<String>,
    pub argv: Vec<String>,
    pub program: Option<PathBuf>,
    pub dir: Option<PathBuf>,
    pub errno: Option<i32>,
    pub status: Option<TerminationStatus>,
    pub core_dumped: bool,
    pub stages: Vec<Stage>,
    pub stage: Option<usize>,
    pub stdout: Option<Vec<u8>>,
    pub stderr: Option<Vec<u8>>,
    pub elapsed: Option<Duration>,
    pub attempts: u32,
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What failed and why, in one line: the text of `Display`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where there is something to say.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The whole command as a shell line.
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The arguments of the stage that failed, the program's name first; empty when the failure is of the
    /// whole pipeline.
    pub fn argv(&self) -> &[String] {
        &self.0.argv
    }

    /// The file that was, or would have been, executed.
    pub fn program(&self) -> Option<&std::path::Path> {
        self.0.program.as_deref()
    }

    /// The working directory that this stage was given, when it was given one.
    pub fn dir(&self) -> Option<&std::path::Path> {
        self.0.dir.as_deref()
    }

    /// The system's error number, where a system call failed.
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// The symbolic name of [`errno`](Self::errno): `ENOENT`.
    pub fn errno_name(&self) -> Option<&'static str> {
        self.0.errno.and_then(os::errno_name)
    }

    /// How the stage that failed ended, or the whole, when it was started at all.
    pub fn status(&self) -> Option<TerminationStatus> {
        self.0.status
    }

    /// Whether the failing stage left a core dump.
    pub fn core_dumped(&self) -> bool {
        self.0.core_dumped
    }

    /// Every process of the command, when they were started.
    pub fn stages(&self) -> &[Stage] {
        &self.0.stages
    }

    /// The index in the pipeline of the stage that failed: 0 for a single command, and `None` when it is the
    /// whole pipeline that failed (it was cancelled, or took longer than the pipeline may).
    pub fn stage(&self) -> Option<usize> {
        self.0.stage
    }

    /// What was captured of standard output before the failure. Lines that were read one by one are not
    /// kept.
    pub fn stdout(&self) -> Option<&[u8]> {
        self.0.stdout.as_deref()
    }

    /// What was captured of standard error before the failure.
    pub fn stderr(&self) -> Option<&[u8]> {
        self.0.stderr.as_deref()
    }

    /// How long the command ran.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// How often it was tried to start the process that could not be started: a full process table and a
    /// program file that is being written are tried again. 1 for everything else.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// The message, so that the output of `unwrap` stays readable, and the kind.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
