//! Looking at a started command without keeping it: what tells a person which of them are running.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Execution, Handle, Shared};
#[cfg(feature = "cli")]
use crate::process::status::TerminationStatus;

/// A started command, seen from beside. It goes away with its last handle all the same.
#[derive(Clone)]
pub(crate) struct ExecutionWatch {
    shared: Arc<Shared>,
    handle: Weak<Handle>,
    started: Instant,
    command: String,
}

impl Execution {
    pub(crate) fn watch(&self) -> ExecutionWatch {
        let (shared, handle) = (self.0.shared.clone(), Arc::downgrade(&self.0));
        ExecutionWatch { shared, handle, started: Instant::now(), command: self.0.command.clone() }
    }
}

impl ExecutionWatch {
    pub fn command(&self) -> &str {
        &self.command
    }

    pub fn pids(&self) -> Vec<u32> {
        self.shared.tree.pids()
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn is_running(&self) -> bool {
        self.shared.lock().is_none() && self.shared.tree.is_running()
    }

    /// How it ended and after how long, once that is known.
    #[cfg(feature = "cli")]
    pub fn ending(&self) -> Option<(TerminationStatus, Duration)> {
        let mut ended = self.shared.lock();
        // About to be known, unless something has been left behind that has its output.
        let is_news = ended.is_none() && !self.shared.is_serving_here() && !self.shared.tree.is_running();
        if is_news && !self.shared.tree.is_lingering() {
            ended = self.shared.await_news(ended);
        }
        match &*ended {
            Some(Ok(output)) => Some((output.status, output.elapsed)),
            Some(Err(error)) => Some((error.status()?, error.elapsed().unwrap_or_default())),
            None => None,
        }
    }

    /// Whether somebody has waited for its end, or has given it up.
    pub fn is_observed(&self) -> bool {
        self.handle.upgrade().is_none_or(|handle| handle.state().observed)
    }

    /// Says that somebody knows how it ended.
    #[cfg(feature = "cli")]
    pub fn observe(&self) {
        if let Some(handle) = self.handle.upgrade() {
            handle.state().observed = true;
        }
    }

    /// Has it ended, without waiting for that.
    pub fn end(&self) {
        self.shared.stop.cancel();
    }
}
