//! What a finished command left: plain data.

use std::time::Duration;

use super::status::TerminationStatus;

/// Processor time and memory of one process, as the kernel accounts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time spent in the program.
    pub user: Duration,
    /// Processor time spent in the kernel for it.
    pub system: Duration,
    /// Largest resident size, in bytes.
    pub peak_memory: u64,
}

/// One process of a finished command.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The shell line that the stage stands for.
    pub command: String,
    /// The process id it had.
    pub pid: u32,
    /// How it ended.
    pub status: TerminationStatus,
    /// Whether it left a core dump.
    pub core_dumped: bool,
    /// From its start until it was seen to have ended.
    pub elapsed: Duration,
    /// What it used.
    pub usage: Usage,
    /// Whether its ending was accepted (see [`Expression::ok_codes`](super::Expression::ok_codes),
    /// [`unchecked`](super::Expression::unchecked) and the SIGPIPE rule).
    pub accepted: bool,
}

/// The result of a command that has ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The status of the whole: of the right-most failing stage, else of the last.
    pub status: TerminationStatus,
    /// Every process, from left to right.
    pub stages: Vec<Stage>,
    /// Captured standard output; `None` when it was not captured.
    pub stdout: Option<Vec<u8>>,
    /// Captured standard error; `None` when it was not captured.
    pub stderr: Option<Vec<u8>>,
    /// From the start of the first process to the end of the last.
    pub elapsed: Duration,
    /// Whether a surviving descendant still held a pipe open when reading stopped, so that the
    /// captured text may be incomplete.
    pub held_open: bool,
}

impl Output {
    /// Whether the whole counts as code 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }
}
