//! What can go wrong with a command, with everything that is known about it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::os;
use super::output::{Output, Stage};
use super::quote::escape_controls;
use super::status::TerminationStatus;

/// What kind of failure an [`Error`] is.
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
    /// The command was torn down because its [`CancelToken`](super::CancelToken) was cancelled.
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
    #[cfg(test)]
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
            (os::EAGAIN, ErrorKind::Resource) => failure.with_help(match os::process_limit() {
                Some(limit) => format!(
                    "its user may have {limit} processes and threads at once: run fewer commands at a time, \
                     or raise the limit (ulimit -u)"
                ),
                None => "the system has no room for another process: run fewer commands at a time".to_string(),
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

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    pub(crate) fn with_errno(mut self, errno: i32) -> Self {
        self.0.errno = Some(errno);
        self
    }

    /// Which command this is about. What is set already stays, here and below: the innermost place knows
    /// best.
    pub(crate) fn about(mut self, command: &str) -> Self {
        self.0.command.get_or_insert_with(|| command.to_string());
        self
    }

    pub(crate) fn with_argv(mut self, argv: Vec<String>) -> Self {
        if self.0.argv.is_empty() {
            self.0.argv = argv;
        }
        self
    }

    pub(crate) fn with_dir(mut self, dir: Option<&std::path::Path>) -> Self {
        self.0.dir = self.0.dir.or_else(|| dir.map(Into::into));
        self
    }

    pub(crate) fn with_program(mut self, program: &std::path::Path) -> Self {
        self.0.program.get_or_insert_with(|| program.into());
        self
    }

    pub(crate) fn at_stage(mut self, stage: impl Into<Option<usize>>) -> Self {
        self.0.stage = self.0.stage.or(stage.into());
        self
    }

    /// More words at the end of the message.
    pub(crate) fn adding(mut self, words: &str) -> Self {
        self.0.message = format!("{} {}", self.0.message, escape_controls(words));
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// All that is known of the command, now that it has ended; the stage that is named, or the only one,
    /// is the one whose arguments and status are told.
    pub(crate) fn with_output(mut self, output: Output) -> Self {
        if output.stages.len() == 1 {
            self = self.at_stage(0);
        }
        self = self.about(&output.command);
        let named = self.0.stage.and_then(|index| output.stages.get(index));
        if let Some(stage) = named {
            self = self.with_argv(stage.argv.clone()).with_program(&stage.program).with_dir(stage.dir.as_deref());
        }
        let details = &mut *self.0;
        details.status = Some(named.map_or(output.status, |stage| stage.status));
        details.core_dumped = named.is_some_and(|stage| stage.core_dumped);
        details.elapsed = Some(output.elapsed);
        details.stdout = output.stdout;
        details.stderr = output.stderr;
        details.stages = output.stages;
        self
    }

    /// The last of the output that was not captured, where nobody has seen it.
    pub(crate) fn with_tails(mut self, stdout: Vec<u8>, stderr: Vec<u8>) -> Self {
        self.0.stdout.get_or_insert(stdout);
        self.0.stderr.get_or_insert(stderr);
        self
    }

    /// What was read of standard output before the failure, where it went to its reader.
    pub(crate) fn with_read(mut self, text: impl FnOnce() -> Vec<u8>) -> Self {
        self.0.stdout.get_or_insert_with(text);
        self
    }

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
