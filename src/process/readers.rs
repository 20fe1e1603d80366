//! What the readers of a command's streams and the loop that serves the command know of each other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};
use super::os::PollFd;
use super::starts::Overlap;
use super::tap::Tap;

/// What the readers of a command's streams, outside the loop that serves it, have it know.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// A stream was closed before its end, so that SIGPIPE is nobody's fault.
    left: AtomicBool,
    waits: Mutex<Waits>,
    /// The streams that nobody has taken yet.
    untaken: Mutex<Vec<Arc<Tap>>>,
    /// Those that somebody reads.
    taken: Mutex<Vec<Arc<Tap>>>,
    /// Whether none is read while something else is waited for, on whatever thread it was read last.
    is_one_thread: AtomicBool,
    /// Whether the command was ended early: what is left of it may write on, and nobody waits for that.
    is_cut: AtomicBool,
    /// What ends the command as long as it runs, and the wait for what it has left behind afterwards.
    limits: OnceLock<Until>,
    /// The starts whose processes have copies of the streams for a moment.
    overlap: OnceLock<Overlap>,
}

#[derive(Debug, Default)]
struct Waits {
    /// Since when each reader that waits has been waiting, by the stream it reads.
    since: BTreeMap<String, Instant>,
    /// When output last came to one of them.
    last_output: Option<Instant>,
}

impl Readers {
    pub fn have_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    pub fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    pub fn are_one_thread(&self) {
        self.is_one_thread.store(true, Ordering::Release);
    }

    /// Says that the command is ended before its own end. To be called before it is over.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    pub fn are_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    pub fn limits(&self) -> Option<&Until> {
        self.limits.get()
    }

    pub fn limit_to(&self, limits: Until) {
        let _ = self.limits.set(limits);
    }

    pub fn started_beside(&self, overlap: Overlap) {
        let _ = self.overlap.set(overlap);
    }

    pub fn overlap(&self) -> Overlap {
        self.overlap.get().cloned().unwrap_or_default()
    }

    /// The pipes, but for `own`, that would fill up while the caller waits: those that nobody has taken, and those
    /// whose reader is the caller.
    pub fn unattended(&self, own: Option<&Arc<Tap>>) -> Vec<(Arc<Tap>, Arc<PipeReader>)> {
        let list = |taps: &Mutex<Vec<Arc<Tap>>>| taps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut taps = list(&self.untaken);
        let is_one_thread = self.is_one_thread.load(Ordering::Acquire);
        let taken = list(&self.taken).into_iter().filter(|tap| is_one_thread || tap.is_read_here());
        taps.extend(taken.inspect(|tap| tap.may_go_elsewhere(!is_one_thread)));
        let others = taps.into_iter().filter(|tap| own.is_none_or(|own| !Arc::ptr_eq(own, tap)));
        others.filter_map(|tap| tap.pipe().map(|pipe| (tap, pipe))).collect()
    }

    /// A stream that somebody may take.
    pub fn offer(&self, tap: &Arc<Tap>) {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner).push(tap.clone());
    }

    pub fn is_taken(&self, tap: &Arc<Tap>, is_read: bool) {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, tap));
        if is_read {
            tap.reads_here();
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(tap.clone());
        }
    }

    pub fn is_closed(&self, tap: &Arc<Tap>) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, tap));
    }

    /// Since when somebody has been waiting while nothing came to anybody.
    pub fn waiting_since(&self) -> Option<Instant> {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = waits.since.values().min().copied()?;
        Some(waits.last_output.map_or(earliest, |last| last.max(earliest)))
    }

    pub fn wait_begins(&self, what: &str) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).since.insert(what.to_string(), Instant::now());
    }

    pub fn wait_ends(&self, what: &str, with_output: bool) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.since.remove(what);
        if with_output {
            waits.last_output = Some(Instant::now());
        }
    }
}

/// What ends a wait for output besides the command: the surroundings of whoever reads, which need not be those in
/// which the command was started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Until {
    pub cancel: CancelToken,
    pub deadline: Option<Instant>,
}

impl Until {
    pub fn check(&self, what: &str) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, format!("the wait for {what} was cancelled")));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::timed_out(format!("the wait for {what} timed out")));
        }
        Ok(())
    }

    pub fn is_reached(&self) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// Empties those pipes that are ready; whether there was something in them.
pub(crate) fn attend(unattended: &[(Arc<Tap>, Arc<PipeReader>)], fds: &[PollFd]) -> Result<bool, Error> {
    let ready = unattended.iter().zip(fds).filter(|(_, fd)| fd.is_ready());
    ready.map(|((tap, _), _)| tap).try_fold(false, |any, tap| tap.take_ahead().map(|some| any | some))
}
