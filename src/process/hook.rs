//! A function of the host's that has the last word on each process before it is started.

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;

use super::error::{Error, ErrorKind};
use super::expression::Expression;
use super::os;
use super::stage::StageInfo;

/// Changes a command that is about to be started.
#[derive(Clone)]
pub(crate) struct SpawnHook(Arc<dyn Fn(&mut Command) -> io::Result<()> + Send + Sync>);

impl std::fmt::Debug for SpawnHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpawnHook")
    }
}

impl Expression {
    /// Called with the [`Command`] of each process before it is started: of each stage, in each run. (Duct's
    /// `before_spawn`.)
    ///
    /// Everything else has been set by then, so that what the hook changes has the last word: arguments,
    /// environment (the `Command` has all variables, also those that are inherited), directory, streams, and
    /// what `std::os::unix::process::CommandExt` has, `pre_exec` included. Such a function runs after
    /// the child's signals and descriptors have been put in order, and before the options of the command
    /// ([`umask`](Self::umask), [`uid`](Self::uid), …) are applied. Out of reach are the program, which
    /// has been found already: a hook may not put another `Command` in its place; and
    /// [`arg0`](Self::arg0), which std does not show: one set by the hook is not seen. Messages show
    /// the command as it was before. A command with a hook is started through `fork`.
    ///
    /// Hooks of a pipeline are called before those of its stages; of several on one expression the one that was
    /// added last is the outer one, and is called first. They may not wait for long: earlier stages
    /// are running.
    ///
    /// An error (or a panic) is an error of the start, of kind [`SpawnFailed`](ErrorKind::SpawnFailed);
    /// stages that are running already are killed.
    ///
    /// ```
    /// use procscript::process::Expression;
    ///
    /// let greeting = Expression::new("printenv").arg("GREETING").before_spawn(|command| {
    ///     command.env("GREETING", "hello");
    ///     Ok(())
    /// });
    /// assert_eq!(greeting.read()?, "hello");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn before_spawn(self, hook: impl Fn(&mut Command) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.set(|s| s.scoped.hooks.insert(0, SpawnHook(Arc::new(hook))))
    }
}

/// What is executed, where it is not what std would make of the command.
pub(crate) struct Image {
    pub argv: Vec<OsString>,
    /// `None`: as the stage has it.
    pub environment: Option<Vec<(OsString, OsString)>>,
}

/// Calls the hooks of a stage, and takes from `command` what they have made of it.
pub(crate) fn call(info: &StageInfo, command: &mut Command, image: Image) -> Result<Image, Error> {
    // Only what was set can be asked for, and not whether the rest is inherited.
    command.env_clear().envs(info.scoped.env.resolved());
    os::start_in_order(command);
    for SpawnHook(hook) in &info.scoped.hooks {
        let called = catch_unwind(AssertUnwindSafe(|| hook(command)));
        called.unwrap_or_else(|_| Err(io::Error::other("it panicked"))).map_err(|error| failed(info, &error))?;
    }
    if command.get_program() != info.program.as_os_str() {
        return Err(failed(info, &io::Error::other("it has put another command in its place")));
    }
    let arg0 = image.argv.into_iter().take(1);
    let environment = command.get_envs().filter_map(|(name, value)| Some((name.into(), value?.into())));
    Ok(Image {
        argv: arg0.chain(command.get_args().map(Into::into)).collect(),
        environment: Some(environment.collect()),
    })
}

/// Whatever the hook met, the process is what could not be started.
fn failed(info: &StageInfo, error: &io::Error) -> Error {
    let (errno, program) = (error.raw_os_error(), info.program.display());
    let why = errno.map_or_else(|| error.to_string(), os::errno_text);
    let failure = Error::new(ErrorKind::SpawnFailed, format!("a hook before the start of `{program}` failed: {why}"));
    errno.into_iter().fold(failure, Error::with_errno)
}
