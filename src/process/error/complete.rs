//! What an error learns on its way up: which command it is about, and what is known of it.

use super::Error;
use crate::process::output::Output;
use crate::process::quote::escape_controls;

impl Error {
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
}
