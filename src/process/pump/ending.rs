//! Ending a command early: when, why, and step by step.

use std::sync::PoisonError;
use std::time::Instant;

use super::{KILL_PATIENCE, Phase, Pump};
use crate::process::cancel::Urgency;
use crate::process::duration_text;
use crate::process::error::{Error, ErrorKind};
use crate::process::input::Written;
use crate::process::os;
use crate::process::teardown::{POLITE, Scope, Step, Teardown};

impl Pump {
    pub(super) fn is_stopping(&self) -> bool {
        !matches!(self.phase, Phase::Running)
    }

    pub(super) fn idle_deadline(&self) -> Option<Instant> {
        let silence = self.stop.idle_timeout?;
        // The command may be unable to write: whoever reads what we hand on does not.
        if self.is_blocked() {
            return None;
        }
        let since = match &self.readers {
            // Output that nobody waits for is not missing.
            Some(readers) => readers.waiting_since()?.max(self.last_activity),
            None => self.last_activity.max(self.entered),
        };
        since.checked_add(silence)
    }

    pub(super) fn advance_is_over(&mut self) -> bool {
        self.advance();
        self.is_over()
    }

    /// Moves on to the next step of ending the command when it is time.
    pub(super) fn advance(&mut self) {
        let now = Instant::now();
        let urgency = self.stop.cancel.urgency().max(self.stop.request.urgency());
        match &self.phase {
            Phase::Running if self.stop.cancel.is_cancelled() => self.begin_cancellation(),
            // `kill()`, as opposed to `terminate()`: how it ends is worth knowing.
            Phase::Running if self.stop.request.urgency() == Urgency::Now => self.kill(),
            Phase::Running if self.stop.request.is_cancelled() => match self.take_steps() {
                Some(steps) => {
                    self.close_stream();
                    self.take_step(steps, 0, None);
                }
                None => self.abandon(),
            },
            Phase::Running if self.stop.deadline.is_some_and(|deadline| now >= deadline) => {
                let after = duration_text(self.stop.timeout.unwrap_or_default());
                let why = if self.stop.is_outer_deadline {
                    "together with the block around it".to_string()
                } else {
                    format!("after {after}")
                };
                self.begin_timeout(self.stop.timeout_stage, &why);
            }
            Phase::Running if self.idle_deadline().is_some_and(|deadline| now >= deadline) => {
                let silence = self.stop.idle_timeout.unwrap_or_default();
                let why = format!("after {} without output", duration_text(silence));
                self.begin_timeout(self.stop.idle_stage, &why);
            }
            Phase::Asked { .. } if urgency == Urgency::Now => self.kill(),
            Phase::Asked { .. } if let Some(steps) = self.take_steps() => self.take_step(steps, 0, None),
            Phase::Asked { teardown, step, until } => {
                let (scope, step) = (teardown.scope_at(*step), *step);
                let is_time = until.is_some_and(|until| now >= until);
                let teardown = is_time.then(|| teardown.clone());
                if self.nothing_left(scope) {
                    self.kill();
                } else if let Some(teardown) = teardown {
                    self.take_step(teardown, step + 1, None);
                }
            }
            _ => {}
        }
        // Who has it ended writes no more, and some commands clean up when there is nothing more to read. Not before
        // the signal, or half of the input would pass for the whole.
        if self.is_stopping() && self.stop.request.is_cancelled() {
            self.written.take().inspect(Written::cut);
        }
    }

    pub(super) fn nothing_left(&self, scope: Scope) -> bool {
        self.all_ended.is_some()
            && match scope {
                Scope::Process => true,
                Scope::Group => !self.tree.has_living_members(),
                Scope::Tree => !self.tree.has_living_descendants(),
            }
    }

    fn begin_cancellation(&mut self) {
        let message = format!("`{}` was cancelled", self.identity.command());
        self.fail(Error::new(ErrorKind::Cancelled, message));
        // Ctrl-C at a terminal reaches the children that share our group without us.
        // One may have come too late for the key: the one before it has handled it and ended well, and the loop around
        // both went on before we heard of the key.
        let is_young = self.stop.cancel.came().is_none_or(|came| self.under_way >= came);
        let is_told = self.stop.cancel.is_from_terminal() && !self.tree.is_apart() && !is_young;
        self.ask(self.stop.cancel.signal(), is_told);
    }

    /// `stage`: the one whose time it was. One that has ended is not what took so long.
    fn begin_timeout(&mut self, stage: Option<usize>, why: &str) {
        let stage = stage.filter(|stage| self.stages[*stage].ending.is_none());
        let message = format!("{} timed out {why}", self.identity.subject(stage));
        self.fail(Error::new(ErrorKind::TimedOut, message).at_stage(stage));
        self.ask(POLITE, false);
    }

    /// Ends the command because it is not wanted any more: how it ends is then not a failure.
    pub fn abandon(&mut self) {
        self.close_stream();
        self.is_abandoned = true;
        if !self.is_stopping() {
            self.ask(POLITE, false);
        }
    }

    /// Begins to end the command: as it asked for, else with `signal` and the grace period. `is_told`: the
    /// processes have the signal of the first step already.
    fn ask(&mut self, signal: i32, is_told: bool) {
        let teardown = self.stop.teardown.clone();
        let is_told = is_told && teardown.is_none();
        let teardown = teardown.unwrap_or_else(|| Teardown::polite(signal, self.stop.grace));
        self.take_step(teardown, 0, is_told.then_some(signal));
    }

    /// How its holder wants it ended, who may then ask how that went.
    fn take_steps(&self) -> Option<Teardown> {
        self.stop.steps.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn take_step(&mut self, teardown: Teardown, step: usize, told: Option<i32>) {
        let Some(Step { signal, scope, wait }) = teardown.step(step) else {
            return self.kill_within(teardown.scope_at(step));
        };
        match told == Some(signal) {
            true => self.tree.signal_untold(signal),
            false => self.tree.end_within(scope, signal),
        }
        self.phase = Phase::Asked { teardown, step, until: Instant::now().checked_add(wait) };
    }

    pub fn kill(&mut self) {
        let scope = match &self.phase {
            Phase::Asked { teardown, step, .. } => teardown.scope_at(*step),
            Phase::Running | Phase::Killed { .. } => Scope::Tree,
        };
        self.kill_within(scope);
    }

    fn kill_within(&mut self, scope: Scope) {
        if !matches!(self.phase, Phase::Killed { .. }) {
            let _ = self.tree.signal_within(scope, os::SIGKILL);
            self.phase = Phase::Killed { scope, until: Instant::now() + KILL_PATIENCE };
        }
    }
}
