//! One process of a running command, and which of several decides.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::expression::{Command, Expression, Node};
use super::os::Ending;
use super::output::Stage;
use super::redirect::Input;
use super::settings::Scoped;

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
        self.named().shown()
    }

    /// Its arguments as they are shown.
    pub fn argv(&self) -> Vec<String> {
        self.named().argv()
    }

    pub fn describe(&self, error: Error) -> Error {
        self.named().describe(error)
    }

    fn named(&self) -> Named {
        Named {
            command: self.command.clone(),
            arg0: self.scoped.arg0.clone(),
            name: self.scoped.name.clone(),
            program: self.program.clone(),
            dir: self.dir.clone(),
        }
    }
}

/// What is said about a stage. It holds no descriptors: whoever keeps it keeps no pipe open.
#[derive(Debug, Clone)]
struct Named {
    command: Arc<Command>,
    arg0: Option<OsString>,
    name: Option<String>,
    program: PathBuf,
    dir: Option<PathBuf>,
}

impl Named {
    fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.command.shell_line())
    }

    fn argv(&self) -> Vec<String> {
        self.command.shown_argv(self.arg0.as_deref())
    }

    fn describe(&self, error: Error) -> Error {
        let error = error.with_argv(self.argv()).with_dir(self.dir.as_deref());
        // Empty while it has not been found yet.
        match self.program.as_os_str().is_empty() {
            true => error,
            false => error.with_program(&self.program),
        }
    }
}

/// A command and its stages, for what is said about it.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Arc<Names>);

#[derive(Debug)]
struct Names {
    command: String,
    stages: Vec<Named>,
}

impl Identity {
    pub fn new(expression: &Expression, stages: &[Running]) -> Self {
        let stages = stages.iter().map(|stage| stage.info.named()).collect();
        Self(Arc::new(Names { command: expression.to_string(), stages }))
    }

    /// The whole as a shell line.
    pub fn command(&self) -> &str {
        &self.0.command
    }

    /// `error` with what is known of the stage that it names, or of the only one, and of the whole.
    pub fn describe(&self, error: Error) -> Error {
        let Names { command, stages } = &*self.0;
        let error = error.at_stage((stages.len() == 1).then_some(0)).about(command);
        match error.stage().and_then(|stage| stages.get(stage)) {
            Some(stage) => stage.describe(error),
            None => error,
        }
    }

    /// A stage, or the whole, within a sentence.
    pub fn subject(&self, stage: Option<usize>) -> String {
        let Names { command, stages } = &*self.0;
        match stage.and_then(|index| Some((index, stages.get(index)?))) {
            Some((index, stage)) if stages.len() > 1 => {
                format!("`{}` {}", stage.shown(), place(index, stages.len(), command))
            }
            _ => format!("`{command}`"),
        }
    }
}

/// Where a stage stands in its pipeline.
pub(crate) fn place(stage: usize, count: usize, whole: &str) -> String {
    format!("(stage {} of {count} of `{whole}`)", stage + 1)
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
        let ending = self.ending.unwrap_or_else(Ending::unknown);
        Stage {
            command: self.info.shown(),
            argv: self.info.argv(),
            program: self.info.program.clone(),
            dir: self.info.dir.clone(),
            pid: self.pid,
            status: ending.status,
            core_dumped: ending.core_dumped,
            elapsed: self.elapsed,
            usage: ending.usage,
            accepted: self.info.scoped.acceptance.accepts(ending.status, has_reader),
        }
    }
}

/// Which stage decides how an expression ended, and whether it failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub stage: usize,
    pub is_failure: bool,
    /// Whether a failure counts: it was not declared not to.
    pub is_checked: bool,
}

impl Verdict {
    /// The verdict on `expression`, whose first process is `stages[*next]`.
    ///
    /// It follows the tree, as in Duct: within a pipeline a checked failure beats an unchecked one,
    /// and an unchecked failure beats success, whatever is said about the pipeline as a whole.
    pub fn on(expression: &Expression, stages: &[Stage], next: &mut usize) -> Self {
        let source = match &expression.settings.redirects.stdin {
            Some(Input::Command(source)) => Some(Self::on(source, stages, next)),
            _ => None,
        };
        let mut own = match &expression.node {
            Node::Command(_) => {
                let stage = *next;
                *next += 1;
                Self { stage, is_failure: !stages[stage].accepted, is_checked: true }
            }
            Node::Pipeline(parts) => {
                let verdicts: Vec<_> = parts.iter().map(|part| Self::on(part, stages, next)).collect();
                Self::rightmost(verdicts)
            }
        };
        own.is_checked &= !expression.settings.scoped.acceptance.is_unchecked();
        Self::rightmost(source.into_iter().chain([own]).collect())
    }

    /// A checked failure, else an unchecked one, else the last: the right-most of each.
    fn rightmost(verdicts: Vec<Self>) -> Self {
        let from_right = || verdicts.iter().rev().copied();
        from_right()
            .find(|verdict| verdict.is_failure && verdict.is_checked)
            .or_else(|| from_right().find(|verdict| verdict.is_failure))
            .or_else(|| from_right().next())
            // A pipeline has at least two parts.
            .unwrap_or(Self { stage: 0, is_failure: false, is_checked: true })
    }
}
