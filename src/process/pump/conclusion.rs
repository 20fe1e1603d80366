//! What a command has left when it is over: the result, and whether it is a failure.

use std::time::Duration;

use super::{KILL_PATIENCE, Pump};
use crate::process::drain::Drain;
use crate::process::error::{Error, ErrorKind};
use crate::process::os;
use crate::process::output::{Output, Stage};
use crate::process::stage::Verdict;
use crate::process::status::TerminationStatus;

/// How long the news of an interruption may take from our own signal handler to the token: so many times so long. Where
/// the processor is wanted by many, each of our turns comes later, as do those of the handler.
const INTERRUPT_NEWS: (u32, Duration) = (25, Duration::from_millis(10));

impl Pump {
    /// Reaps, and gathers what the command has left; the failure, if it was ended early.
    pub fn finish(mut self) -> (Output, Option<Error>) {
        self.run();
        if let Some(readers) = self.readers.as_ref().filter(|_| self.is_stopping()) {
            readers.cut();
        }
        self.hear_of_interrupt();
        self.tree.reap();
        self.feeding_threads.iter().for_each(|thread| thread.end_source(KILL_PATIENCE));
        let mut captured = [None, None];
        for (channel, bytes) in std::mem::take(&mut self.drains).into_iter().filter_map(Drain::into_captured) {
            captured[channel as usize] = Some(bytes);
        }
        let [stdout, stderr] = captured;
        let last = self.stages.len() - 1;
        let reader_left = self.readers.as_ref().is_some_and(|readers| readers.have_left());
        let stages: Vec<Stage> =
            self.stages.iter().enumerate().map(|(i, stage)| stage.report(i < last || reader_left)).collect();
        let elapsed = stages.iter().map(|stage| stage.elapsed).max().unwrap_or_default();
        let verdict = Verdict::on(&self.expression, &stages, &mut 0);
        let decisive = verdict.stage;
        let output = Output {
            command: self.identity.command().to_string(),
            status: stages[decisive].status,
            stage: decisive,
            stages,
            stdout,
            stderr,
            elapsed,
            held_open: self.held_open,
        };
        if let Some(observe) = self.expression.settings.context.as_ref().and_then(|context| context.observer.as_ref()) {
            observe(&output);
        }
        if let Some(stage) = self.stages.iter().find(|stage| stage.ending.is_none()) {
            let help = format!("process {} could not be ended, and may still be running", stage.pid);
            // How it ended is not known, so that nothing can be said but this.
            let unended = || Error::new(ErrorKind::ControlFailed, format!("`{}` could not be ended", self.expression));
            self.failure = Some(self.failure.take().unwrap_or_else(unended).with_help(help));
            self.is_abandoned = false;
        }
        let failure = match self.is_abandoned {
            true => None,
            false => {
                self.failure.take().or_else(|| self.input_failure()).or_else(|| self.status_failure(&output, verdict))
            }
        };
        let failure = failure.map(|error| match error.command() {
            // A source of input that is a command of its own: what happened to it is not about this one.
            Some(_) => error,
            None => error.with_output(output.clone()),
        });
        (output, failure)
    }

    /// Ctrl-C at a terminal reaches the command and us at the same time. When the command has died of it
    /// first, that is the interruption of everything and no failure of the command: the news is waited
    /// for.
    fn hear_of_interrupt(&mut self) {
        let has = |is_meant: fn(TerminationStatus) -> bool| {
            self.stages.iter().any(|stage| stage.ending.is_some_and(|ending| is_meant(ending.status)))
        };
        let is_felt: fn(TerminationStatus) -> bool = match &self.shield {
            Some(shield) => {
                // Also one that has handled it, and says so as a shell would.
                const SAYS_SO: i32 = 128 + os::SIGINT;
                if has(|end| {
                    matches!(end, TerminationStatus::Signaled(os::SIGINT) | TerminationStatus::Exited(SAYS_SO))
                }) {
                    shield.note_death_by_key();
                }
                // The other key is for everybody.
                |end| matches!(end, TerminationStatus::Signaled(os::SIGQUIT))
            }
            None => |end| matches!(end, TerminationStatus::Signaled(os::SIGINT | os::SIGQUIT)),
        };
        if !has(is_felt) || self.tree.is_apart() || self.is_stopping() || self.stop.cancel.reader().is_none() {
            return;
        }
        for signal in [os::SIGINT, os::SIGQUIT] {
            os::hasten_signal(signal);
        }
        let (turns, turn) = INTERRUPT_NEWS;
        let is_news = (0..turns).any(|_| !self.stop.cancel.sleep(turn));
        if is_news {
            self.fail(Error::new(ErrorKind::Cancelled, format!("`{}` was cancelled", self.identity.command())));
        }
    }

    fn status_failure(&self, output: &Output, verdict: Verdict) -> Option<Error> {
        if !verdict.is_failure || !verdict.is_checked {
            return None;
        }
        let stage = &output.stages[verdict.stage];
        let kind = match stage.status {
            TerminationStatus::Exited(_) => ErrorKind::ExitStatus,
            TerminationStatus::Signaled(_) => ErrorKind::Signaled,
        };
        let status = stage.status;
        let message = match output.stages.len() {
            1 => format!("`{}` {status}", stage.command),
            _ => format!("{} {status}", self.identity.subject(Some(verdict.stage))),
        };
        // A plain success that is a failure here needs a word.
        let accepted = &self.stages[verdict.stage].info.scoped.acceptance.ok_codes;
        let message = match (status.success(), accepted) {
            (true, Some(codes)) => {
                let codes: Vec<String> = codes.iter().map(i32::to_string).collect();
                format!("{message}, and only {} is accepted", codes.join(", "))
            }
            _ => message,
        };
        Some(Error::new(kind, message).at_stage(verdict.stage))
    }
}
