//! Which processes are being started, on whatever thread.
//!
//! Between its `fork` and its `exec` a child has copies of all our descriptors, also of the pipes of a command that
//! another thread is starting. That takes a moment, or as long as a file system takes to give the program. Who finds a
//! pipe open after the end of its command must not take such a child for a process that the command has left behind.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long a start is waited for: a program on a file system that does not answer takes for ever.
const PATIENCE: Duration = Duration::from_secs(10);

static UNDER_WAY: Mutex<UnderWay> = Mutex::new(UnderWay { next: 0, numbers: BTreeSet::new() });

struct UnderWay {
    next: u64,
    numbers: BTreeSet<u64>,
}

fn under_way() -> MutexGuard<'static, UnderWay> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A start that is under way until this is dropped.
pub(crate) struct Start(u64);

impl Start {
    pub fn begin() -> Self {
        let mut under_way = under_way();
        let number = under_way.next;
        under_way.next += 1;
        under_way.numbers.insert(number);
        Self(number)
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        under_way().numbers.remove(&self.0);
    }
}

/// A moment, in starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(u64);

impl Moment {
    pub fn now() -> Self {
        Self(under_way().next)
    }
}

/// The starts that began while the pipes of a command were open for writing in this process: only those have copies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overlap(Range<u64>);

impl Overlap {
    pub fn since(moment: Moment) -> Self {
        Self(moment.0..under_way().next)
    }

    pub fn watch(&self) -> Watch {
        let now = Instant::now();
        Watch { overlap: self.clone(), began: now, last_seen: Cell::new(now) }
    }
}

/// A look at them, after the end of the command.
#[derive(Debug)]
pub(crate) struct Watch {
    overlap: Overlap,
    began: Instant,
    last_seen: Cell<Instant>,
}

impl Watch {
    /// When one of them was last seen under way; when the look began, if none was.
    pub fn last_seen(&self) -> Instant {
        if self.began.elapsed() < PATIENCE && under_way().numbers.range(self.overlap.0.clone()).next().is_some() {
            self.last_seen.set(Instant::now());
        }
        self.last_seen.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the time at which one was last seen moves on.
    fn is_under_way(watch: &Watch) -> bool {
        let before = watch.last_seen();
        std::thread::sleep(Duration::from_millis(2));
        watch.last_seen() > before
    }

    #[test]
    fn only_those_count_that_began_in_between() {
        let earlier = Start::begin();
        let moment = Moment::now();
        let none = Overlap(moment.0..moment.0);
        assert!(!is_under_way(&none.watch()), "an earlier one has no copies");
        let start = Start::begin();
        let overlap = Overlap(start.0..start.0 + 1);
        let _later = Start::begin();
        let watch = overlap.watch();
        assert!(is_under_way(&watch));
        assert!(Overlap::since(moment).0.contains(&start.0) && !Overlap::since(moment).0.contains(&earlier.0));
        drop(start);
        assert!(!is_under_way(&watch), "neither has a later one");
    }

    #[test]
    fn one_that_never_comes_to_its_end_is_given_up() {
        let start = Start::begin();
        let mut watch = Overlap(start.0..start.0 + 1).watch();
        watch.began = watch.began.checked_sub(PATIENCE).expect("the machine runs for longer");
        assert!(!is_under_way(&watch));
    }
}
