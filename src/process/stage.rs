//! One process of a running command, and which of several decides.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::expression::Command;
use super::os::{self, Ending};
use super::output::Stage;
use super::settings::Scoped;
use super::status::TerminationStatus;

/// What is remembered of a stage, for reports.
#[derive(Debug, Clone)]
pub(crate) struct StageInfo {
    pub command: Arc<Command>,
    pub scoped: Scoped,
    pub program: PathBuf,
    pub dir: Option<PathBuf>,
}

impl StageInfo {
    /// The shell line of the stage, or the name that it was given.
    pub fn shown(&self) -> String {
        self.scoped.name.clone().unwrap_or_else(|| self.command.shell_line())
    }

    pub fn describe(&self, error: Error) -> Error {
        let argv = self.command.argv(self.scoped.arg0.as_deref());
        let shown = self.shown();
        error.about(&shown, &argv, self.dir.as_deref())
    }
}

/// A process of the command.
pub(crate) struct Running {
    pub pid: u32,
    pub info: StageInfo,
    /// Becomes readable when the process ends. Opened by the first wait that needs it.
    pub descriptor: Option<OwnedFd>,
    pub ending: Option<Ending>,
    pub elapsed: Duration,
}

impl Running {
    pub fn new(pid: u32, info: StageInfo) -> Self {
        Self { pid, info, descriptor: None, ending: None, elapsed: Duration::ZERO }
    }
}

impl Running {
    pub fn report(&self, has_reader: bool) -> Stage {
        // A process that survived KILL (stuck in the kernel) has no status: it died as far as we
        // could make it.
        let ending = self.ending.unwrap_or(Ending {
            status: TerminationStatus::Signaled(os::SIGKILL),
            core_dumped: false,
            usage: Default::default(),
        });
        Stage {
            command: self.info.shown(),
            pid: self.pid,
            status: ending.status,
            core_dumped: ending.core_dumped,
            elapsed: self.elapsed,
            usage: ending.usage,
            accepted: self.info.scoped.acceptance.accepts(ending.status, has_reader),
        }
    }
}

/// Duct's precedence: a checked error beats an unchecked one, an error beats success, and otherwise
/// the right-most stage wins.
pub(crate) fn decisive_stage(running: &[Running], stages: &[Stage]) -> usize {
    let failed = |index: &usize| !stages[*index].accepted;
    let checked = |index: &usize| !running[*index].info.scoped.acceptance.is_unchecked();
    let from_right = || (0..stages.len()).rev();
    from_right()
        .find(|index| failed(index) && checked(index))
        .or_else(|| from_right().find(failed))
        .unwrap_or(stages.len() - 1)
}
