//! The output of a command that runs beside its holder, as a handle that is used once.
//!
//! This is MLton's model: a stream is read, or given to another command, and the types and states make
//! sure that it is not done twice.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use crate::text::TextFormat;

use super::error::Error;
use super::error::ErrorKind::{DoublyRedirected, Misuse};
use super::lines::{Chunks, Lines};
use super::os::{self, PollFd};
use super::pump::HELD_OPEN_GRACE;
use super::stage::Identity;

/// A stream of an [`Execution`](super::Execution) that was set to be piped.
///
/// Clones are the same stream. It can be used once: read by [`lines`](Self::lines) or
/// [`chunks`](Self::chunks), or given to another command by
/// [`stdin_stream`](super::Expression::stdin_stream).
///
/// ```
/// use procscript::process::{Expression, cmd};
///
/// let source = cmd("printf", ["b\\na\\n"]).stdout_piped().start()?;
/// let sorted = Expression::new("sort").stdin_stream(source.stdout()).read()?;
/// assert_eq!(sorted, "a\nb");
/// assert_eq!(source.wait()?.status.code(), Some(0));
/// # Ok::<(), procscript::process::Error>(())
/// ```
#[derive(Clone)]
pub struct OutputStream(Arc<Shared>);

struct Shared {
    what: String,
    /// The command whose stream it is.
    identity: Identity,
    state: Mutex<State>,
    format: TextFormat,
    /// Reaches its end when the command is over.
    over: Option<Arc<PipeReader>>,
    readers: Arc<Readers>,
}

/// What the readers of a command's streams, outside the loop that serves it, have it know.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// A stream was closed before its end, so that SIGPIPE is nobody's fault.
    left: AtomicBool,
    waits: Mutex<Waits>,
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

    fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// Since when somebody has been waiting while nothing came to anybody.
    pub fn waiting_since(&self) -> Option<Instant> {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = waits.since.values().min().copied()?;
        Some(waits.last_output.map_or(earliest, |last| last.max(earliest)))
    }

    fn wait_begins(&self, what: &str) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).since.insert(what.to_string(), Instant::now());
    }

    fn wait_ends(&self, what: &str, with_output: bool) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.since.remove(what);
        if with_output {
            waits.last_output = Some(Instant::now());
        }
    }
}

enum State {
    NotPiped,
    Ready(PipeReader),
    Read,
    Given,
}

impl OutputStream {
    pub(crate) fn new(
        what: String,
        identity: &Identity,
        reader: Option<PipeReader>,
        format: TextFormat,
        over: Option<Arc<PipeReader>>,
        readers: Arc<Readers>,
    ) -> Self {
        let state = Mutex::new(reader.map_or(State::NotPiped, State::Ready));
        Self(Arc::new(Shared { what, identity: identity.clone(), state, format, over, readers }))
    }

    /// Its lines. How the command ends is not their concern: ask [`wait`](super::Execution::wait).
    ///
    /// # Errors
    /// `Misuse` when the stream was not piped, has been read already, or was given to a command.
    pub fn lines(&self) -> Result<Lines, Error> {
        let reader = self.take(State::Read)?;
        Ok(Lines::of_stream(self.source(reader), self.0.format.clone()))
    }

    /// Its output in pieces, each as soon as something is there.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub fn chunks(&self) -> Result<Chunks, Error> {
        let reader = self.take(State::Read)?;
        Ok(Chunks::of_stream(self.source(reader)))
    }

    fn source(&self, reader: PipeReader) -> StreamSource {
        StreamSource {
            what: self.0.what.clone(),
            identity: self.0.identity.clone(),
            reader: Some(reader),
            over: self.0.over.clone(),
            over_since: None,
            last_activity: Instant::now(),
            readers: self.0.readers.clone(),
            held_open: false,
            failure: None,
        }
    }

    /// The pipe, for the child that it is given to.
    pub(crate) fn give(&self) -> Result<PipeReader, Error> {
        let reader = self.take(State::Given)?;
        // As between the stages of a pipeline: a reader that leaves early is the normal end of its source.
        self.0.readers.leave();
        Ok(reader)
    }

    fn take(&self, next: State) -> Result<PipeReader, Error> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_gift = matches!(next, State::Given);
        match std::mem::replace(&mut *state, next) {
            State::Ready(reader) => Ok(reader),
            earlier => {
                let what = &self.0.what;
                let error = match &earlier {
                    State::Given if is_gift => {
                        Error::new(DoublyRedirected, format!("{what} has been given to a command already"))
                    }
                    State::Given => Error::new(Misuse, format!("{what} has been given to a command")),
                    State::Read => Error::misuse(format!("{what} has been read already"), "a stream can be used once"),
                    _ => {
                        Error::misuse(format!("{what} is not piped"), "set it with .stdout_piped() or .stderr_piped()")
                    }
                };
                *state = earlier;
                // A command that it cannot be given to is the one that is not started.
                Err(if is_gift { error } else { self.0.identity.describe(error) })
            }
        }
    }

    /// Closes the stream if nobody has used it.
    pub(crate) fn close(&self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Ready(reader) = std::mem::replace(&mut *state, State::Read) {
            self.0.readers.leave();
            drop(reader);
        }
    }
}

impl std::fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OutputStream").field(&self.0.what).finish()
    }
}

/// A stream that is being read.
pub(crate) struct StreamSource {
    pub what: String,
    pub identity: Identity,
    reader: Option<PipeReader>,
    over: Option<Arc<PipeReader>>,
    over_since: Option<Instant>,
    last_activity: Instant,
    readers: Arc<Readers>,
    pub held_open: bool,
    /// Why reading stopped before the end.
    pub failure: Option<io::Error>,
}

impl StreamSource {
    pub fn is_open(&self) -> bool {
        self.reader.is_some()
    }

    /// Waits for output and takes it with `read`; `Ok(false)` at the end.
    pub fn fill(&mut self, read: impl FnOnce(&mut PipeReader) -> io::Result<usize>) -> io::Result<bool> {
        self.readers.wait_begins(&self.what);
        let is_more = self.wait();
        self.readers.wait_ends(&self.what, is_more);
        if !is_more {
            self.reader = None;
            return Ok(false);
        }
        let Some(reader) = &mut self.reader else { return Ok(false) };
        self.last_activity = Instant::now();
        match read(reader) {
            Ok(0) => {
                self.reader = None;
                Ok(false)
            }
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => {
                self.reader = None;
                Err(error)
            }
        }
    }

    /// `false` when the command is over and somebody else holds the pipe in silence.
    fn wait(&mut self) -> bool {
        loop {
            let Some(reader) = &self.reader else { return false };
            let mut fds = vec![PollFd::readable(reader)];
            fds.extend(self.over.as_deref().filter(|_| self.over_since.is_none()).map(PollFd::readable));
            let patience = self.over_since.map(|since| {
                (since.max(self.last_activity) + HELD_OPEN_GRACE).saturating_duration_since(Instant::now())
            });
            if patience.is_some_and(|patience| patience.is_zero()) {
                self.held_open = true;
                return os::is_readable(reader);
            }
            if os::poll(&mut fds, patience).is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
            if fds[0].is_ready() {
                return true;
            }
            if fds.get(1).is_some_and(|fd| fd.is_ready()) {
                self.over_since = Some(Instant::now());
            }
        }
    }
}

impl Drop for StreamSource {
    fn drop(&mut self) {
        // Not at its end yet: whoever writes on dies of SIGPIPE, and it is our doing.
        if self.reader.is_some() {
            self.readers.leave();
        }
    }
}
