//! The surroundings that a command is started in: directory, environment, streams, cancellation.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cancel::CancelToken;
use super::env::EnvChanges;
use super::error::{Error, ErrorKind};
use super::expression::Expression;
use super::output::Output;
use super::program::Program;

/// Where "inherited" output goes.
#[derive(Clone, Default)]
pub enum HostStream {
    /// To the same stream of this process.
    #[default]
    Inherit,
    /// Nowhere.
    Null,
    /// To a function, called with each piece as it arrives, from the thread that runs the command.
    Sink(Arc<dyn Fn(&[u8]) + Send + Sync>),
}

impl fmt::Debug for HostStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "Inherit",
            Self::Null => "Null",
            Self::Sink(_) => "Sink",
        })
    }
}

/// Shows a command that is about to be started.
type Announcement = Arc<dyn Fn(&Expression) + Send + Sync>;

/// Is shown the result of a command that has ended.
type Observer = Arc<dyn Fn(&Output) + Send + Sync>;

/// The surroundings of commands: what a shell would keep as its own process's state.
///
/// Nothing of it is global. A program that embeds the engine has as many contexts as it likes, and
/// neither its working directory nor its environment ever changes.
///
/// ```
/// use procscript::process::{Context, Expression};
///
/// let context = Context::new().with_dir("/").with_env("GREETING", "hello");
/// let text = Expression::new("printenv").arg("GREETING").within(&context).read()?;
/// assert_eq!(text, "hello");
/// # Ok::<(), procscript::process::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Context {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) env: EnvChanges,
    pub(crate) cancel: CancelToken,
    pub(crate) stdout: HostStream,
    pub(crate) stderr: HostStream,
    pub(crate) before_start: Option<Arc<dyn Fn() -> std::io::Result<()> + Send + Sync>>,
    pub(crate) announcement: Option<Announcement>,
    pub(crate) observer: Option<Observer>,
    pub(crate) grace: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) owns_process: bool,
    pub(crate) is_without_input: bool,
}

impl Context {
    /// The surroundings of this process: its directory, environment and streams.
    pub fn new() -> Self {
        Self::default()
    }

    /// The directory that relative paths, and commands without one of their own, start from.
    pub fn with_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// An environment variable for every command.
    pub fn with_env(mut self, name: impl Into<std::ffi::OsString>, value: impl Into<std::ffi::OsString>) -> Self {
        self.env.set(name.into(), Some(value.into()));
        self
    }

    /// An environment variable for every command whose value is not for people: it is not told in the shell line of a
    /// command.
    pub fn with_secret_env(
        mut self,
        name: impl Into<std::ffi::OsString>,
        value: impl Into<std::ffi::OsString>,
    ) -> Self {
        self.env.set_secret(name.into(), value.into());
        self
    }

    /// Takes a variable away from every command.
    pub fn without_env(mut self, name: impl Into<std::ffi::OsString>) -> Self {
        self.env.set(name.into(), None);
        self
    }

    /// The value of a variable that commands see.
    pub fn env(&self, name: impl AsRef<std::ffi::OsStr>) -> Option<std::ffi::OsString> {
        self.env.get(name.as_ref())
    }

    /// All variables that commands see.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)> {
        self.env.resolved().into_iter()
    }

    /// Whether the value of a variable was set as a secret.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.env.is_secret(name.as_ref())
    }

    /// What ends the commands early.
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// Where inherited standard output goes.
    pub fn with_stdout(mut self, stream: HostStream) -> Self {
        self.stdout = stream;
        self
    }

    /// Where inherited standard error goes.
    pub fn with_stderr(mut self, stream: HostStream) -> Self {
        self.stderr = stream;
        self
    }

    /// Called before each start, so that a host can write out what it has buffered: a command that
    /// shares the stream must not overtake it. When that fails, the command is not started.
    pub fn before_start(mut self, hook: impl Fn() -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        self.before_start = Some(Arc::new(hook));
        self
    }

    /// Called with each command that is about to be started, after [`before_start`](Self::before_start): what a
    /// shell's `set -x` shows. `Display` gives the shell line; secrets are spelt out in it.
    pub fn announcing(mut self, show: impl Fn(&Expression) + Send + Sync + 'static) -> Self {
        self.announcement = Some(Arc::new(show));
        self
    }

    /// Called with the result of each command that has ended, whether it is a failure or not, from the thread that
    /// waits for it: what a host counts, or shows of a run.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use procscript::process::{Context, Expression};
    ///
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let sink = seen.clone();
    /// let context = Context::new().observing(move |output| sink.lock().unwrap().push(output.command.clone()));
    /// Expression::new("true").within(&context).run()?;
    /// assert_eq!(*seen.lock().unwrap(), ["true"]);
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn observing(mut self, look: impl Fn(&Output) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(look));
        self
    }

    /// How long commands are given between the first signal and KILL (5 seconds by default).
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// When everything that runs here is ended, as by a [timeout](super::Expression::timeout).
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        self
    }

    /// These surroundings with more changes to the environment.
    pub(crate) fn with_variables(mut self, changes: &EnvChanges) -> Self {
        self.env = self.env.merged_with(changes);
        self
    }

    /// These surroundings in another directory, which must be there.
    pub(crate) fn entering(self, dir: &Path) -> Result<Self, Error> {
        let dir = self.absolute(dir)?;
        match super::program::directory_problem(&dir) {
            Some(problem) => Err(problem),
            None => Ok(self.with_dir(dir)),
        }
    }

    /// These surroundings for what has to run at the end, whatever the reason of the end is.
    pub(crate) fn for_cleanup(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self.deadline = None;
        self
    }

    /// Nobody answers here: a command that would read our standard input gets an empty one.
    pub(crate) fn without_input(mut self) -> Self {
        self.is_without_input = true;
        self
    }

    /// Says that this program owns its process and has marked its descriptors close-on-exec and
    /// left no signal ignored, so that starting a command need not look for either.
    #[cfg(feature = "cli")]
    pub(crate) fn owning_process(mut self) -> Self {
        self.owns_process = true;
        self
    }

    /// What stops commands early.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// The absolute directory that relative paths start from.
    ///
    /// # Errors
    /// When none was set and the working directory of the process has been deleted.
    pub fn base_dir(&self) -> Result<PathBuf, Error> {
        match &self.dir {
            Some(dir) if dir.is_absolute() => Ok(dir.clone()),
            dir => {
                let current = std::env::current_dir().map_err(|error| {
                    Error::from_io(ErrorKind::BadDirectory, "cannot find the working directory", &error)
                })?;
                Ok(dir.as_ref().map_or(current.clone(), |dir| current.join(dir)))
            }
        }
    }

    /// `path`, made absolute where it is relative; symbolic links are not resolved.
    ///
    /// # Errors
    /// As [`base_dir`](Self::base_dir), for a relative path.
    pub fn absolute(&self, path: &Path) -> Result<PathBuf, Error> {
        match path.is_absolute() {
            true => Ok(path.into()),
            false => Ok(self.base_dir()?.join(path)),
        }
    }

    /// The file that a command of this name would run.
    ///
    /// # Errors
    /// `NotFound` or `NotExecutable`, with where it was looked for.
    pub fn which(&self, name: impl Into<std::ffi::OsString>) -> Result<PathBuf, Error> {
        self.resolve(&Program::from_name(name.into()))
    }

    /// The file at `path`, made absolute, when it can be run. A path is never searched in `PATH`.
    ///
    /// # Errors
    /// As [`which`](Self::which).
    pub fn which_file(&self, path: impl Into<PathBuf>) -> Result<PathBuf, Error> {
        self.resolve(&Program::File(path.into()))
    }

    fn resolve(&self, program: &Program) -> Result<PathBuf, Error> {
        program.resolve(&self.env, || self.base_dir())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("dir", &self.dir)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}
