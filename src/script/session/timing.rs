//! How long an entry took, and what it waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Beside;
use crate::process::{Output, TerminationStatus, Usage, duration_text};

/// How long an entry took: by the clock, and of processor time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Timing {
    /// By the clock.
    pub elapsed: Duration,
    /// Processor time of this program: in the program, and in the kernel for it. What other threads used in the
    /// same time is in it. Zero where it is not measured.
    pub own: Usage,
    /// The commands that the entry has waited for, in the order of their ends.
    pub commands: Vec<Output>,
}

pub(super) struct Start {
    beside: Arc<Beside>,
    at: Instant,
    processor: (Duration, Duration),
}

impl Start {
    pub fn now(beside: &Arc<Beside>) -> Self {
        beside.take_ended();
        Self { beside: beside.clone(), at: Instant::now(), processor: processor_time() }
    }

    pub fn finish(self) -> Timing {
        let (user, system) = processor_time();
        let own = Usage {
            user: user.saturating_sub(self.processor.0),
            system: system.saturating_sub(self.processor.1),
            peak_memory: 0,
        };
        Timing { elapsed: self.at.elapsed(), own, commands: self.beside.take_ended() }
    }
}

#[cfg(feature = "cli")]
fn processor_time() -> (Duration, Duration) {
    crate::process::os::own_processor_time()
}

#[cfg(not(feature = "cli"))]
fn processor_time() -> (Duration, Duration) {
    Default::default()
}

/// How a command ended, in one short line: `exit 1 · git diff --quiet · 12 ms`.
pub fn ending_line(command: &str, status: TerminationStatus, elapsed: Duration) -> String {
    let ending = match (status, status.signal_name()) {
        (TerminationStatus::Exited(code), _) => format!("exit {code}"),
        (TerminationStatus::Signaled(_), Some(name)) => format!("signal {name}"),
        (TerminationStatus::Signaled(number), None) => format!("signal {number}"),
    };
    format!("{ending} · {command} · {}", duration_text(elapsed))
}
