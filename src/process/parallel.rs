//! Threads that take one item after another.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};

/// How an item came out.
pub(crate) enum Fate<T, E> {
    Done(T),
    Failed(E),
    /// It was told to stop, because another failed or everything is to stop.
    Stopped,
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
    /// What stops the items.
    pub inner: &'a CancelToken,
    /// The stack of a thread, in bytes; the second where so much cannot be had.
    pub stacks: [usize; 2],
}

struct Shared<T, E> {
    next: AtomicUsize,
    is_over: AtomicBool,
    count: usize,
    /// What has begun, in the order of its end: there may be many more that never begin.
    fates: Mutex<Vec<(usize, Fate<T, E>)>>,
    /// The numbers of those that failed, in the order in which they did.
    failed: Mutex<Vec<usize>>,
    panic: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

/// What has become of all items that have begun, in their order, and which failed, in the order in which they did.
pub(crate) struct Results<T, E> {
    pub fates: Vec<(usize, Fate<T, E>)>,
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
            count,
            fates: Mutex::default(),
            failed: Mutex::default(),
            panic: Mutex::default(),
        };
        std::thread::scope(|scope| {
            for started in 0..self.limit.min(count) {
                let start = |stack| {
                    let (shared, work) = (&shared, &work);
                    let thread = std::thread::Builder::new().name("procscript-parallel".into()).stack_size(stack);
                    thread.spawn_scoped(scope, move || self.serve(shared, work))
                };
                let [stack, smaller] = self.stacks;
                match start(stack).or_else(|_| start(smaller)) {
                    Ok(_) => {}
                    Err(error) if started == 0 => {
                        return Err(Error::from_io(ErrorKind::Resource, "cannot start a thread", &error));
                    }
                    Err(_) => break,
                }
            }
            Ok(())
        })?;
        if let Some(panic) = lock(&shared.panic).take() {
            resume_unwind(panic);
        }
        let mut fates = shared.fates.into_inner().unwrap_or_else(PoisonError::into_inner);
        fates.sort_unstable_by_key(|(index, _)| *index);
        Ok(Results { fates, failed: shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner) })
    }

    fn serve<T, E>(&self, shared: &Shared<T, E>, work: &impl Fn(usize) -> Step<T, E>) {
        while !shared.is_over.load(Ordering::Acquire) && !self.inner.is_cancelled() {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            if index >= shared.count {
                return;
            }
            let step = match catch_unwind(AssertUnwindSafe(|| work(index))) {
                Ok(step) => step,
                Err(panic) => {
                    lock(&shared.panic).get_or_insert(panic);
                    self.stop(shared);
                    return;
                }
            };
            let fate = match step {
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
            lock(&shared.fates).push((index, fate));
        }
    }

    fn stop<T, E>(&self, shared: &Shared<T, E>) {
        shared.is_over.store(true, Ordering::Release);
        self.inner.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
