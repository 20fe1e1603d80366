//! How a running command is ended: steps as data.

use std::time::Duration;

use super::os;

/// Which processes a signal goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The stages themselves.
    Process,
    /// Their process group, when they have one of their own; else the stages.
    Group,
    /// The stages, their group, and every descendant that can be found.
    #[default]
    Tree,
}

/// Send a signal, and give the command time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub signal: i32,
    pub scope: Scope,
    pub wait: Duration,
}

/// The steps by which a command is ended, when it times out, is cancelled or is not wanted any more.
///
/// Each step sends a signal and waits; the next follows when something is still running. After the last
/// comes KILL, always, to the processes that the last step was for. (Swift's `teardownSequence`.)
///
/// ```
/// use std::time::Duration;
/// use procscript::process::{Expression, Scope, Teardown, signal_number};
///
/// let interrupt = signal_number("INT").expect("a signal");
/// let teardown = Teardown::kill().after(interrupt, Scope::Tree, Duration::from_millis(200));
/// let slow = Expression::new("sleep").arg("30").timeout(Duration::from_millis(20)).teardown(teardown);
/// let error = slow.run().unwrap_err();
/// assert_eq!(error.status().and_then(|status| status.signal_name()), Some("INT"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Teardown {
    steps: Vec<Step>,
    /// Whom KILL goes to when there are no steps.
    scope: Scope,
}

impl Teardown {
    /// KILL at once.
    pub fn kill() -> Self {
        Self::default()
    }

    /// This teardown, with one more step in front of the KILL.
    pub fn after(mut self, signal: i32, scope: Scope, wait: Duration) -> Self {
        self.steps.push(Step { signal, scope, wait });
        self.scope = scope;
        self
    }

    /// The default: one signal to the whole tree, and the grace period.
    pub(crate) fn polite(signal: i32, grace: Duration) -> Self {
        Self::kill().after(signal, Scope::Tree, grace)
    }

    pub(crate) fn step(&self, index: usize) -> Option<Step> {
        self.steps.get(index).copied()
    }

    /// The processes that the step at `index`, or the KILL behind the last, is for.
    pub(crate) fn scope_at(&self, index: usize) -> Scope {
        self.step(index).map_or(self.scope, |step| step.scope)
    }
}

/// The signal that asks politely.
pub(crate) const POLITE: i32 = os::SIGTERM;
