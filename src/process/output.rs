//! What a finished command left: plain data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::status::TerminationStatus;

/// Processor time and memory of one process, as the kernel accounts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time spent in the program.
    pub user: Duration,
    /// Processor time spent in the kernel for it.
    pub system: Duration,
    /// Largest resident size, in bytes. Linux counts from the start of the process, when it still was a copy of
    /// this one: it is never less than what this program held then.
    pub peak_memory: u64,
}

impl Usage {
    /// What all of them used: the sum of the times, and the size of the largest.
    pub fn total(usages: impl IntoIterator<Item = Self>) -> Self {
        usages.into_iter().fold(Self::default(), |total, usage| Self {
            user: total.user + usage.user,
            system: total.system + usage.system,
            peak_memory: total.peak_memory.max(usage.peak_memory),
        })
    }
}

/// One process of a finished command.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The shell line that the stage stands for.
    pub command: String,
    /// Its arguments, the program's name first.
    pub argv: Vec<String>,
    /// The file that was executed.
    pub program: PathBuf,
    /// The working directory that it was given, when it was given one.
    pub dir: Option<PathBuf>,
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
    /// The whole command as a shell line.
    pub command: String,
    /// The status of the whole: of the right-most failing stage, else of the last.
    pub status: TerminationStatus,
    /// The index of the stage that the status is of.
    pub stage: usize,
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

    fn decisive(&self) -> Option<&Stage> {
        self.stages.get(self.stage)
    }

    /// The arguments of the [stage](Self::stage) that the status is of, the program's name first.
    ///
    /// ```
    /// # use procscript::process::cmd;
    /// let output = cmd("echo", ["a b"]).stdout_null().run()?;
    /// assert_eq!(output.command, "echo 'a b' > /dev/null");
    /// assert_eq!(output.argv(), ["echo", "a b"]);
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn argv(&self) -> &[String] {
        self.decisive().map_or(&[], |stage| &stage.argv)
    }

    /// The file that this stage executed.
    pub fn program(&self) -> Option<&Path> {
        self.decisive().map(|stage| stage.program.as_path())
    }

    /// The working directory that this stage was given, when it was given one.
    pub fn dir(&self) -> Option<&Path> {
        self.decisive().and_then(|stage| stage.dir.as_deref())
    }

    /// Whether this stage left a core dump.
    pub fn core_dumped(&self) -> bool {
        self.decisive().is_some_and(|stage| stage.core_dumped)
    }

    /// What all stages used: the sum of their times, and the memory of the largest.
    pub fn usage(&self) -> Usage {
        Usage::total(self.stages.iter().map(|stage| stage.usage))
    }
}
