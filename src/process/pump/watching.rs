//! What the loop looks at besides the streams: the ends of the processes, and the time.

use std::io;
use std::time::Instant;

use super::{HELD_OPEN_GRACE, Phase, Pump, TICK};
use crate::process::error::{Error, ErrorKind};
use crate::process::os::{self, Ending};

/// Which processes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look<'a> {
    /// The only one there is, until it ends.
    Wait,
    /// Those whose descriptors say that they have ended, in their order, and those without a descriptor.
    Announced(&'a [bool]),
}

impl Pump {
    /// Whether there is nothing to do but to wait for one process: then a blocking wait does, and no
    /// descriptor is needed.
    pub(super) fn only_waits_for_one(&self) -> bool {
        matches!(self.phase, Phase::Running)
            && self.stages.len() == 1
            && self.stages[0].ending.is_none()
            && self.feeders.is_empty()
            && self.stream.is_none()
            && self.drains.is_empty()
            && self.stop.deadline.is_none()
            && self.stop.idle_timeout.is_none()
            && self.stop.cancel.reader().is_none()
            && self.stop.request.reader().is_none()
    }

    /// `false` when the kernel cannot announce the end of some running process.
    pub(super) fn open_descriptors(&mut self) -> bool {
        let mut all = true;
        for stage in self.stages.iter_mut().filter(|stage| stage.ending.is_none()) {
            if stage.descriptor.is_none() {
                stage.descriptor = os::process_descriptor(stage.pid);
            }
            all &= stage.descriptor.is_some();
        }
        all
    }

    pub(super) fn notice_endings(&mut self, look: Look) -> io::Result<()> {
        let mut lost = None;
        let mut announced = match look {
            Look::Wait => [].iter(),
            Look::Announced(announced) => announced.iter(),
        };
        for (index, stage) in self.stages.iter_mut().enumerate().filter(|(_, stage)| stage.ending.is_none()) {
            // Without a descriptor, looking is the only way to know.
            if stage.descriptor.is_some() && announced.next() == Some(&false) {
                continue;
            }
            stage.ending = match os::peek_ending(stage.pid, look == Look::Wait) {
                Err(error) if error.raw_os_error() == Some(os::ECHILD) => {
                    // Somebody else has reaped it: its id may be a stranger's by now.
                    self.tree.lose(stage.pid);
                    lost = Some((index, error));
                    Some(Ending::unknown())
                }
                ending => ending?,
            };
            if stage.ending.is_some() {
                stage.elapsed = self.started.elapsed();
                stage.descriptor = None;
            }
        }
        if let Some((stage, error)) = lost {
            let error = Error::from_io(ErrorKind::MonitorFailed, "cannot wait for the command", &error);
            self.fail(error.at_stage(stage));
            self.kill();
        }
        if self.all_ended.is_none() && self.stages.iter().all(|stage| stage.ending.is_some()) {
            self.all_ended = Some(Instant::now());
            self.starts = self.overlap.watch();
            self.feeders.clear();
        }
        Ok(())
    }

    /// When to look again although nothing was announced.
    pub(super) fn next_moment(&self, has_all_descriptors: bool) -> Option<Instant> {
        let now = Instant::now();
        let needs_ticks = !has_all_descriptors
            // A reader that begins to wait does not wake us.
            || (self.stop.idle_timeout.is_some() && self.readers.is_some())
            || (self.stop.is_requested() && !matches!(self.phase, Phase::Killed { .. }))
            || (self.is_stopping() && self.all_ended.is_some());
        let phase = match &self.phase {
            Phase::Running => [self.stop.deadline, self.idle_deadline()].into_iter().flatten().min(),
            Phase::Asked { until, .. } => *until,
            Phase::Killed { until, .. } => Some(*until),
        };
        let held = self.all_ended.filter(|_| !self.is_blocked());
        let held = held.map(|ended| self.silent_since(ended) + HELD_OPEN_GRACE);
        [phase, held, needs_ticks.then(|| now + TICK)].into_iter().flatten().min()
    }

    /// Since when nothing has come although somebody waited for it, and no start was under way that may have our pipes.
    pub(super) fn silent_since(&self, ended: Instant) -> Instant {
        ended.max(self.last_activity).max(self.entered).max(self.starts.last_seen())
    }
}
