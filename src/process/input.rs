//! Input on its way to a command: bytes that are there, what the holder writes, and what a thread fetches.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use os_pipe::PipeWriter;

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};
use super::os;
use super::redirect::{BoxedItems, Feeding, Supplied};

/// Bytes on their way to a child's standard input.
pub(crate) struct Feeder {
    pub writer: PipeWriter,
    bytes: Supplied,
    written: usize,
}

impl Feeder {
    /// `None` when there is nothing to write: the pipe is closed at once.
    pub fn new(writer: PipeWriter, bytes: Supplied) -> Result<Option<Self>, Error> {
        if bytes.is_empty() {
            return Ok(None);
        }
        os::set_nonblocking(&writer)
            .map_err(|error| Error::from_io(ErrorKind::IoFailed, "cannot prepare a pipe", &error))?;
        Ok(Some(Self { writer, bytes, written: 0 }))
    }

    /// Writes what the pipe takes; `true` when all is written, or nobody reads any more: input that
    /// a command does not want is not an error.
    pub fn is_done(&mut self) -> bool {
        while self.written < self.bytes.len() {
            match os::write_once(&self.writer, &self.bytes[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

/// The pipe by which the holder of a command writes its input.
#[derive(Clone)]
pub(crate) struct Written(Arc<Mutex<Writing>>);

#[derive(Clone)]
pub(crate) enum Writing {
    /// Not to be kept longer than for one write: the input has not ended before.
    Open(Arc<PipeWriter>),
    /// There was none, or the holder has said that it is complete.
    Finished,
    /// The command has been told to end, and is written no more.
    Cut,
}

impl Written {
    pub fn new(pipe: Option<PipeWriter>) -> Self {
        let writing = pipe.map_or(Writing::Finished, |pipe| Writing::Open(Arc::new(pipe)));
        Self(Arc::new(Mutex::new(writing)))
    }

    pub fn now(&self) -> Writing {
        self.lock().clone()
    }

    pub fn finish(&self) {
        *self.lock() = Writing::Finished;
    }

    pub fn cut(&self) {
        let mut writing = self.lock();
        if matches!(*writing, Writing::Open(_)) {
            *writing = Writing::Cut;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that feeds a stage.
pub(crate) struct FeedingThread {
    pub stage: Option<usize>,
    /// Where it leaves the error that it found among the pieces.
    pub failure: Arc<Mutex<Option<Error>>>,
    /// Ends what it takes the pieces from.
    source: CancelToken,
    /// Nothing comes out of it; it is closed when the thread is done.
    done: mpsc::Receiver<()>,
}

impl FeedingThread {
    /// Says that nobody reads any more, and waits for the source to end, unless that takes too long.
    pub fn end_source(&self, patience: Duration) {
        if self.source.reader().is_some() {
            self.source.cancel();
            let _ = self.done.recv_timeout(patience);
        }
    }
}

impl Drop for FeedingThread {
    /// The command may not even have been started.
    fn drop(&mut self) {
        self.source.cancel();
    }
}

/// Starts a thread that feeds pieces to a child's standard input as they come.
///
/// Nobody joins it: an iterator may wait for ever, and the command may have ended long before.
pub(crate) fn feed(
    items: BoxedItems,
    Feeding { stack, source }: Feeding,
    writer: PipeWriter,
    stage: Option<usize>,
) -> Result<FeedingThread, Error> {
    let failure = Arc::new(Mutex::new(None));
    let slot = failure.clone();
    let (is_done, done) = mpsc::channel::<()>();
    let work = move || {
        let _is_done = is_done;
        let fed = catch_unwind(AssertUnwindSafe(|| write_items(items, &writer)));
        let panicked = || Error::new(ErrorKind::WriteFailed, "what makes the input panicked");
        if let Some(error) = fed.unwrap_or_else(|_| Some(panicked())) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        // Only now: who sees the end of the input must see what was wrong with it, too.
        drop(writer);
    };
    start_thread(stack, work).map_err(|error| Error::from_io(ErrorKind::Resource, "cannot start a thread", &error))?;
    Ok(FeedingThread { stage, failure, source, done })
}

/// Starts a thread; where so large a stack cannot be reserved (`ulimit -v`), with an eighth of it.
fn start_thread(stack: Option<usize>, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = || std::thread::Builder::new().name("procscript-input".into());
    let Some(stack) = stack else { return thread().spawn(work).map(drop) };
    // A thread that cannot be started takes its closure with it.
    let work = Arc::new(Mutex::new(Some(work)));
    let start = |stack| {
        let work = work.clone();
        let run = move || {
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(work) = work {
                work();
            }
        };
        thread().stack_size(stack).spawn(run).map(drop)
    };
    start(stack).or_else(|_| start(stack / 8))
}

/// Writes until the end, or until nobody reads any more; the error among the items, if there was one.
fn write_items(items: BoxedItems, writer: &PipeWriter) -> Option<Error> {
    for item in items {
        match item {
            Ok(bytes) if os::write_all(writer, &bytes).is_ok() => {}
            Ok(_) => return None,
            Err(error) => return Some(error),
        }
    }
    None
}
