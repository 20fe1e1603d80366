//! What can be done to a command that runs: signals, and ways to end it.

use std::sync::PoisonError;
use std::time::Instant;

use crate::process::error::{Error, ErrorKind};
use crate::process::os;
use crate::process::teardown::{Scope, Teardown};

use super::Execution;

impl Execution {
    /// Sends a signal to the command's own processes. After they have ended it does nothing.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        self.signal_within(Scope::Process, signal)
    }

    /// Sends a signal to the processes that `scope` names. After the command has ended it does nothing.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses it for one of the command's own processes.
    pub fn signal_within(&self, scope: Scope, signal: i32) -> Result<(), Error> {
        self.0.shared.tree.signal_within(scope, signal).map_err(|error| {
            let name = os::signal_name(signal).map_or_else(|| signal.to_string(), str::to_string);
            let what = format!("cannot send {name} to `{}`", self.0.command);
            self.0.identity.describe(Error::from_io(ErrorKind::ControlFailed, what, &error))
        })
    }

    /// Ends it with KILL, its descendants included, and does not wait. That it has died of this is
    /// then nothing to report.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses: a process runs as another user now (`sudo`).
    pub fn kill(&self) -> Result<(), Error> {
        self.is_not_wanted();
        // The serving thread must not wait for ever for one that does not die. It is told before, because the end of
        // the command, which it may hear of at once, is not yet that of its tree.
        self.0.shared.stop.kill();
        self.signal_within(Scope::Tree, os::SIGKILL)
    }

    /// Ends it with TERM, and after the grace period with KILL, its descendants included, and waits
    /// until it has ended. Its input ends behind the first signal. Its failing status is then not an error.
    pub fn terminate(&self) {
        self.is_not_wanted();
        self.0.shared.stop.cancel();
        self.0.await_end_until(None);
    }

    /// Stops it for a while (STOP), until [`resume`](Self::resume).
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn suspend(&self) -> Result<(), Error> {
        self.signal(os::SIGSTOP)
    }

    /// Lets it go on (CONT) after [`suspend`](Self::suspend).
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(os::SIGCONT)
    }

    /// Ends it by these steps, and waits until it has ended. Its input ends behind the first of them. How it has ended
    /// is told to who [waits](Self::wait) for it, and is nothing to report otherwise. Of two who want it ended, the
    /// last says how.
    pub fn teardown(&self, teardown: &Teardown) {
        self.teardown_until(teardown, None);
    }

    /// The same; at `end` KILL comes, whatever steps are left.
    pub(crate) fn teardown_until(&self, teardown: &Teardown, end: Option<Instant>) {
        self.is_not_wanted();
        let shared = &self.0.shared;
        *shared.steps.lock().unwrap_or_else(PoisonError::into_inner) = Some(teardown.clone());
        shared.stop.cancel();
        if !self.0.await_end_until(end) {
            shared.stop.kill();
            self.0.await_end_until(None);
        }
    }

    /// How it ends is then nothing to report, unless it has ended by itself before.
    fn is_not_wanted(&self) {
        if self.is_running() {
            self.0.state().observed = true;
            self.0.readers.cut();
        }
    }

    /// Lets the command go on when the last handle is dropped.
    pub fn detach(&self) {
        self.0.state().detached = true;
        #[cfg(feature = "cli")]
        {
            // What its processes start is known by the group that they are in.
            crate::process::orphans::let_go(&self.pids());
            crate::process::orphans::let_go(self.0.shared.tree.joined_groups());
        }
    }
}
