//! The reading end of a pipe, and what was taken from it before its reader asked.
//!
//! Who waits for one thing only while a command fills the pipe of another waits for ever. So whoever
//! waits for a command empties the pipes that nobody reads meanwhile into memory, up to a limit, and
//! their reader finds everything there.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use super::drain::CHUNK;
use super::error::{Error, ErrorKind};
use super::os;

#[derive(Debug)]
pub(crate) struct Tap {
    /// What flows here, for messages.
    pub what: String,
    /// The most bytes that are kept for a reader who has not asked yet.
    limit: u64,
    flow: Mutex<Flow>,
    /// The thread that has begun to read, or has read last, by [`here`].
    reader: AtomicUsize,
    /// Whether its reader may be on its way to another thread, which will read on.
    is_moving: AtomicBool,
}

#[derive(Debug)]
struct Flow {
    /// `None` at the end.
    pipe: Option<Arc<PipeReader>>,
    ahead: VecDeque<u8>,
    /// Since when there is no room for more.
    full_since: Option<Instant>,
    failure: Option<io::Error>,
}

/// How long a reader may take from one thread to another: a new thread on a busy machine is late.
const MOVING: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(5);

/// A number that no other running thread has, and that is had for less than the thread's id.
fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Where the next bytes come from.
pub(crate) enum Incoming<'a> {
    Pipe(&'a PipeReader),
    Ahead(&'a mut VecDeque<u8>),
}

impl Incoming<'_> {
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => (&**pipe).read(buffer),
            Self::Ahead(ahead) => ahead.read(buffer),
        }
    }

    /// Reads once to the end of `buffer`.
    pub fn append_to(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => os::read_append(*pipe, buffer, CHUNK),
            Self::Ahead(ahead) => {
                let count = ahead.len();
                buffer.extend(ahead.drain(..));
                Ok(count)
            }
        }
    }
}

impl Tap {
    pub fn new(what: String, pipe: Option<PipeReader>, limit: u64) -> Self {
        let flow = Flow { pipe: pipe.map(Arc::new), ahead: VecDeque::new(), full_since: None, failure: None };
        Self { what, limit, flow: Mutex::new(flow), reader: AtomicUsize::new(0), is_moving: AtomicBool::new(false) }
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this thread reads: it reads nothing while it waits for something else.
    pub fn reads_here(&self) {
        self.reader.store(here(), Ordering::Relaxed);
    }

    pub fn is_read_here(&self) -> bool {
        self.reader.load(Ordering::Relaxed) == here()
    }

    /// Whether there is time for another thread to go on with what this one has begun.
    pub fn may_go_elsewhere(&self, is_moving: bool) {
        self.is_moving.store(is_moving, Ordering::Relaxed);
    }

    /// What to wait on for more; `None` at the end.
    pub fn pipe(&self) -> Option<Arc<PipeReader>> {
        self.flow().pipe.clone()
    }

    pub fn has_ahead(&self) -> bool {
        !self.flow().ahead.is_empty()
    }

    /// Takes what is there for a later reader; whether there was something. Does not wait for it.
    ///
    /// # Errors
    /// `OutputLimit` when that would be more than the limit.
    pub fn take_ahead(&self) -> Result<bool, Error> {
        let mut flow = self.flow();
        let is_full = flow.ahead.len() as u64 >= self.limit;
        if is_full && self.is_moving.load(Ordering::Relaxed) {
            let since = *flow.full_since.get_or_insert_with(Instant::now);
            if since.elapsed() < MOVING {
                drop(flow);
                // The pipe stays readable: whoever polls it must not spin.
                std::thread::sleep(TICK);
                return Ok(false);
            }
        }
        let Some(pipe) = flow.pipe.clone().filter(|pipe| os::is_readable(&**pipe)) else { return Ok(false) };
        let mut bytes = Vec::new();
        match os::read_append(&*pipe, &mut bytes, CHUNK) {
            Ok(0) => flow.pipe = None,
            Ok(_) => flow.ahead.extend(bytes),
            Err(error) => {
                flow.pipe = None;
                flow.failure = Some(error);
            }
        }
        let has_waited = flow.full_since.is_some() || !self.is_moving.load(Ordering::Relaxed);
        match flow.ahead.len() as u64 > self.limit && has_waited {
            true => {
                let message = format!("{} was not read, and is more than the limit of {} bytes", self.what, self.limit);
                let help =
                    "read it while the command runs, raise the limit with .limit(\"1GiB\"), or send it to a file";
                Err(Error::new(ErrorKind::OutputLimit, message).with_help(help))
            }
            false => Ok(true),
        }
    }

    /// Reads what is there. `Ok(None)` when another thread was faster, `Ok(Some(0))` at the end.
    pub fn read(&self, read: impl FnOnce(&mut Incoming) -> io::Result<usize>) -> io::Result<Option<usize>> {
        let mut flow = self.flow();
        if !flow.ahead.is_empty() {
            flow.full_since = None;
            return read(&mut Incoming::Ahead(&mut flow.ahead)).map(Some);
        }
        if let Some(error) = flow.failure.take() {
            return Err(error);
        }
        let Some(pipe) = flow.pipe.clone() else { return Ok(Some(0)) };
        if !os::is_readable(&*pipe) {
            return Ok(None);
        }
        match read(&mut Incoming::Pipe(&pipe)) {
            Ok(count) => {
                if count == 0 {
                    flow.pipe = None;
                }
                Ok(Some(count))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => {
                flow.pipe = None;
                Err(error)
            }
        }
    }

    /// Closes the pipe. What was taken ahead is dropped.
    pub fn close(&self) {
        let mut flow = self.flow();
        flow.ahead = VecDeque::new();
        flow.pipe = None;
    }

    /// The bare pipe, for somebody else, when nothing was taken ahead.
    pub fn give(&self) -> Option<PipeReader> {
        let mut flow = self.flow();
        if !flow.ahead.is_empty() || flow.failure.is_some() {
            return None;
        }
        let pipe = flow.pipe.take()?;
        // Another thread may be waiting on it just now; then it goes through us.
        Arc::try_unwrap(pipe).map_err(|pipe| flow.pipe = Some(pipe)).ok()
    }
}
