//! Threads that take one item after another.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};
use super::os::{self, PollFd};

/// How an item came out.
pub(crate) enum Fate<T, E> {
    Done(T),
    Failed(E),
    /// It was told to stop, because another failed or everything is to stop.
    Stopped,
    NotBegun,
}

/// What comes of an item; see [`Pool::run`].
pub(crate) enum Step<T, E> {
    Done(T),
    Failed(E),
    /// It ended because it was told to.
    Stopped,
    /// Nothing else may begin, and what runs is told to stop.
    Over(E),
}

pub(crate) struct Pool<'a> {
    /// How many items run at once.
    pub limit: usize,
    /// Whether one failure stops the others.
    pub stops: bool,
    /// What stops everything.
    pub outer: &'a CancelToken,
    /// What stops the items: cancelled when the outer one is.
    pub inner: &'a CancelToken,
    /// The stack of a thread, in bytes; the second where so much cannot be had.
    pub stacks: [usize; 2],
}

/// How often it is looked whether a second request has come, after the first.
const URGENCY_INTERVAL: Duration = Duration::from_millis(20);

struct Shared<T, E> {
    next: AtomicUsize,
    is_over: AtomicBool,
    fates: Vec<Mutex<Fate<T, E>>>,
    /// The numbers of those that failed, in the order in which they did.
    failed: Mutex<Vec<usize>>,
    panic: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

/// What has become of all items, and which failed, in the order in which they did.
pub(crate) struct Results<T, E> {
    pub fates: Vec<Fate<T, E>>,
    pub failed: Vec<usize>,
}

impl Pool<'_> {
    /// Does `work` for the numbers below `count`, so many at once as the limit says, and waits for all of them. A
    /// panic of the work goes on here, after the others have ended.
    ///
    /// # Errors
    /// `Resource` when no thread can be started at all; fewer than the limit do as well.
    pub fn run<T: Send, E: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Step<T, E> + Sync,
    ) -> Result<Results<T, E>, Error> {
        let shared = Shared {
            next: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            fates: (0..count).map(|_| Mutex::new(Fate::NotBegun)).collect(),
            failed: Mutex::default(),
            panic: Mutex::default(),
        };
        let no_thread = |error: &std::io::Error| Error::from_io(ErrorKind::Resource, "cannot start a thread", error);
        // At its end when the last thread has dropped its side.
        let (reader, writer) = os_pipe::pipe().map_err(|error| no_thread(&error))?;
        std::thread::scope(|scope| {
            for started in 0..self.limit.min(count) {
                let start = |stack| {
                    let (shared, work, done) = (&shared, &work, writer.try_clone()?);
                    std::thread::Builder::new().name("procscript-parallel".into()).stack_size(stack).spawn_scoped(
                        scope,
                        move || {
                            self.serve(shared, work);
                            drop(done);
                        },
                    )
                };
                let [stack, smaller] = self.stacks;
                match start(stack).or_else(|_| start(smaller)) {
                    Ok(_) => {}
                    Err(error) if started == 0 => return Err(no_thread(&error)),
                    Err(_) => break,
                }
            }
            drop(writer);
            self.attend(&reader);
            Ok(())
        })?;
        if let Some(panic) = lock(&shared.panic).take() {
            resume_unwind(panic);
        }
        let fates = shared.fates.into_iter().map(|fate| fate.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(Results {
            fates: fates.collect(),
            failed: shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner),
        })
    }

    fn serve<T, E>(&self, shared: &Shared<T, E>, work: &impl Fn(usize) -> Step<T, E>) {
        while !shared.is_over.load(Ordering::Acquire) && !self.inner.is_cancelled() {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(fate) = shared.fates.get(index) else { return };
            let step = match catch_unwind(AssertUnwindSafe(|| work(index))) {
                Ok(step) => step,
                Err(panic) => {
                    lock(&shared.panic).get_or_insert(panic);
                    self.stop(shared);
                    return;
                }
            };
            *lock(fate) = match step {
                Step::Done(value) => Fate::Done(value),
                Step::Stopped => Fate::Stopped,
                Step::Failed(error) => {
                    lock(&shared.failed).push(index);
                    if self.stops {
                        self.stop(shared);
                    }
                    Fate::Failed(error)
                }
                Step::Over(error) => {
                    lock(&shared.failed).insert(0, index);
                    self.stop(shared);
                    Fate::Failed(error)
                }
            };
        }
    }

    fn stop<T, E>(&self, shared: &Shared<T, E>) {
        shared.is_over.store(true, Ordering::Release);
        self.inner.cancel();
    }

    /// Hands a request to stop on, until all threads have ended.
    fn attend(&self, done: &os_pipe::PipeReader) {
        loop {
            let mut fds = vec![PollFd::readable(done)];
            let is_stopped = self.outer.is_cancelled();
            if is_stopped {
                self.inner.follow(self.outer);
            } else {
                fds.extend(self.outer.reader().map(PollFd::readable));
            }
            let polled = os::poll(&mut fds, is_stopped.then_some(URGENCY_INTERVAL));
            if polled.is_err() {
                // No memory: the scope waits for the threads.
                return;
            }
            if fds[0].is_ready() {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
