//! The output of a command that runs beside its holder, as a handle that is used once.
//!
//! This is MLton's model: a stream is read, or given to another command, and the types and states make
//! sure that it is not done twice.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use crate::text::TextFormat;

use super::drain::MOST_LEFT;
use super::error::ErrorKind::{DoublyRedirected, Misuse};
use super::error::{Error, ErrorKind};
use super::lines::{Chunks, Lines};
use super::os::{self, PollFd};
use super::pump::HELD_OPEN_GRACE;
use super::readers::{Readers, Until, attend};
use super::stage::Identity;
use super::starts::Watch;
use super::tap::{Incoming, Tap};

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
    tap: Arc<Tap>,
    /// The command whose stream it is.
    identity: Identity,
    state: Mutex<State>,
    format: TextFormat,
    /// Reaches its end when the command is over.
    over: Option<Arc<PipeReader>>,
    readers: Arc<Readers>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotPiped,
    Ready,
    Read,
    Given,
}

/// A stream on its way to a child.
pub(crate) enum Gift {
    Pipe(PipeReader),
    /// Some of it was read ahead: it goes through us.
    Pieces(Chunks),
}

impl OutputStream {
    pub(crate) fn new(
        what: String,
        identity: &Identity,
        reader: Option<PipeReader>,
        format: TextFormat,
        limit: u64,
        over: Option<Arc<PipeReader>>,
        readers: Arc<Readers>,
    ) -> Self {
        let state = if reader.is_some() { State::Ready } else { State::NotPiped };
        let tap = Arc::new(Tap::new(what, reader, limit));
        if state == State::Ready {
            readers.offer(&tap);
        }
        Self(Arc::new(Shared { tap, identity: identity.clone(), state: Mutex::new(state), format, over, readers }))
    }

    /// Its lines. How the command ends is not their concern: ask [`wait`](super::Execution::wait).
    ///
    /// # Errors
    /// `Misuse` when the stream was not piped, has been read already, or was given to a command.
    pub fn lines(&self) -> Result<Lines, Error> {
        self.take(State::Read)?;
        Ok(Lines::of_stream(self.source(), self.0.format.clone()))
    }

    /// Its output in pieces, each as soon as something is there.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub fn chunks(&self) -> Result<Chunks, Error> {
        self.take(State::Read)?;
        Ok(Chunks::of_stream(self.source()))
    }

    fn source(&self) -> StreamSource {
        StreamSource {
            tap: self.0.tap.clone(),
            identity: self.0.identity.clone(),
            is_open: true,
            over: self.0.over.clone(),
            over_since: None,
            starts: self.0.readers.overlap().watch(),
            last_activity: Instant::now(),
            readers: self.0.readers.clone(),
            held_open: false,
            left: MOST_LEFT,
            until: Until::default(),
        }
    }

    /// The stream for the child that it is given to.
    pub(crate) fn give(&self) -> Result<Gift, Error> {
        self.take(State::Given)?;
        // As between the stages of a pipeline: a reader that leaves early is the normal end of its source.
        self.0.readers.leave();
        Ok(match self.0.tap.give() {
            Some(pipe) => Gift::Pipe(pipe),
            None => Gift::Pieces(Chunks::of_stream(self.source())),
        })
    }

    /// Whether a command can have it that is about to start. Another thread may be quicker: [`give`](Self::give)
    /// decides.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Ready => Ok(()),
            earlier => Err(self.refused(earlier, State::Given)),
        }
    }

    /// What is wrong when a second stage of a command is to have it.
    pub(crate) fn given_twice(&self) -> Error {
        self.refused(State::Given, State::Given)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn take(&self, next: State) -> Result<(), Error> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = *state;
        if earlier == State::Ready {
            *state = next;
            self.0.readers.is_taken(&self.0.tap, next == State::Read);
            return Ok(());
        }
        Err(self.refused(earlier, next))
    }

    fn refused(&self, earlier: State, next: State) -> Error {
        let what = &self.0.tap.what;
        let error = match earlier {
            State::Given if next == State::Given => {
                Error::new(DoublyRedirected, format!("{what} has been given to a command already"))
            }
            State::Given => Error::new(Misuse, format!("{what} has been given to a command")),
            State::Read => Error::misuse(format!("{what} has been read already"), "a stream can be used once"),
            _ => Error::misuse(format!("{what} is not piped"), "set it with .stdout_piped() or .stderr_piped()"),
        };
        // A command that it cannot be given to is the one that is not started.
        if next == State::Given { error } else { self.0.identity.describe(error) }
    }

    /// Closes the stream if nobody has used it.
    pub(crate) fn close(&self) {
        if self.take(State::Read).is_ok() {
            self.0.readers.is_closed(&self.0.tap);
            // Before it is closed, as above.
            self.0.readers.leave();
            self.0.tap.close();
        }
    }
}

impl std::fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OutputStream").field(&self.0.tap.what).finish()
    }
}

/// A stream that is being read.
pub(crate) struct StreamSource {
    tap: Arc<Tap>,
    pub identity: Identity,
    is_open: bool,
    over: Option<Arc<PipeReader>>,
    over_since: Option<Instant>,
    /// Those that may have a copy of the pipe for a moment, watched from then on.
    starts: Watch,
    last_activity: Instant,
    readers: Arc<Readers>,
    pub held_open: bool,
    /// How much is still taken of what others may be writing, when nobody waits for them any more.
    left: usize,
    pub until: Until,
}

impl StreamSource {
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    pub fn what(&self) -> &str {
        &self.tap.what
    }

    /// Says that this thread reads.
    pub fn reads_here(&self) {
        self.tap.reads_here();
    }

    /// Waits for output and takes it with `read`; `Ok(false)` at the end.
    pub fn fill(&mut self, read: impl FnOnce(&mut Incoming) -> io::Result<usize>) -> Result<bool, Error> {
        self.reads_here();
        self.readers.wait_begins(self.what());
        let is_more = self.wait();
        self.readers.wait_ends(self.what(), matches!(is_more, Ok(true)));
        self.is_open = matches!(is_more, Ok(true));
        if is_more.is_err() {
            // It is closed before its end, by us.
            self.readers.leave();
        }
        if !is_more? {
            return Ok(false);
        }
        self.last_activity = Instant::now();
        let is_from_pipe = !self.tap.has_ahead();
        match self.tap.read(read) {
            Ok(count) => {
                self.is_open = count != Some(0);
                if is_from_pipe && self.is_late() {
                    self.left = self.left.saturating_sub(count.unwrap_or(0));
                }
            }
            Err(error) => {
                self.is_open = false;
                return Err(Error::from_io(ErrorKind::ReadFailed, format!("cannot read {}", self.what()), &error));
            }
        }
        Ok(self.is_open)
    }

    /// Whether the command is over, so that only others can write.
    fn is_over(&self) -> bool {
        self.over_since.is_some()
    }

    /// Whether what others write is not waited for any more: the command was ended early, or its time has passed since.
    fn is_late(&self) -> bool {
        self.is_over() && (self.readers.are_cut() || self.readers.limits().is_some_and(Until::is_reached))
    }

    /// `false` when the command is over and what somebody else may still write is not waited for any more.
    fn wait(&mut self) -> Result<bool, Error> {
        // Silence is counted while somebody waits.
        let entered = Instant::now();
        loop {
            // First of all: a flood of output never lets a wait begin.
            self.until.check(self.what())?;
            // At its end there is something to read: that it is the end.
            let Some(pipe) = self.tap.pipe().filter(|_| !self.tap.has_ahead()) else { return Ok(true) };
            // The loop that serves the command has looked at them as long as it ran.
            let limits = self.readers.limits().filter(|_| self.is_over());
            if self.is_late() {
                // As for a capture: what the pipe holds, which was written in time, and no more than a pipe can hold.
                if self.left > 0 && os::is_readable(&*pipe) {
                    return Ok(true);
                }
                // Why a command was ended is the answer of whoever waits for it.
                let limits = limits.filter(|_| !self.readers.are_cut());
                return limits.map_or(Ok(()), |limits| limits.check(self.what())).map(|()| false);
            }
            let mut fds = vec![PollFd::readable(&*pipe)];
            let over = self.over.as_deref().filter(|_| !self.is_over());
            fds.extend(over.map(PollFd::readable));
            let others = fds.len();
            let unattended = self.readers.unattended(Some(&self.tap));
            fds.extend(unattended.iter().map(|(_, pipe)| PollFd::readable(&**pipe)));
            let ends = || [Some(&self.until), limits].into_iter().flatten();
            fds.extend(ends().filter_map(|end| end.cancel.reader()).map(PollFd::readable));
            let patience = self.over_since.map(|since| {
                let silent_since = since.max(self.last_activity).max(entered).max(self.starts.last_seen());
                (silent_since + HELD_OPEN_GRACE).saturating_duration_since(Instant::now())
            });
            if patience.is_some_and(|patience| patience.is_zero()) {
                self.held_open = !os::is_readable(&*pipe);
                return Ok(!self.held_open);
            }
            if os::poll(&mut fds, patience.into_iter().chain(ends().filter_map(Until::left)).min()).is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
            // Also when there is output: somebody else may be writing all the time.
            if others > 1 && fds[1].is_ready() {
                self.over_since = Some(Instant::now());
                self.starts = self.readers.overlap().watch();
            }
            if fds[0].is_ready() {
                return Ok(true);
            }
            attend(&unattended, &fds[others..])?;
        }
    }
}

impl Drop for StreamSource {
    fn drop(&mut self) {
        self.readers.is_closed(&self.tap);
        // Not at its end yet: whoever writes on dies of SIGPIPE, and it is our doing. Said before, because that may be
        // heard of at once.
        if self.is_open {
            self.readers.leave();
        }
        self.tap.close();
    }
}
