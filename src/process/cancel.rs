//! A request to stop, that every wait of the engine notices.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use os_pipe::{PipeReader, PipeWriter};

/// Asks everything that runs under it to stop.
///
/// Clones share one state. Every blocking call of the engine that was given the token wakes when
/// it is cancelled, ends its processes (the given signal first, then after the grace period KILL)
/// and returns an error of kind [`Cancelled`](super::ErrorKind::Cancelled).
///
/// ```
/// use procscript::process::CancelToken;
///
/// let token = CancelToken::new()?;
/// assert!(!token.is_cancelled());
/// token.cancel();
/// assert!(token.is_cancelled());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    urgency: AtomicU8,
    signal: AtomicI32,
    /// Whether the terminal sent the signal, so that children in our process group have it already.
    from_terminal: AtomicU8,
    /// When the signal came, which may be some time before its news.
    came: Mutex<Option<Instant>>,
    /// Holds one byte while the token is cancelled. Nobody takes it out, so that `poll` shows it to
    /// every waiter.
    reader: PipeReader,
    writer: PipeWriter,
    /// Which commands have the keys of the terminal for themselves; the same for a token and its children.
    shields: Arc<Mutex<Shields>>,
    /// What is cancelled with it: what still runs under a child may have left the code that made the child.
    children: Mutex<Vec<Weak<Shared>>>,
}

/// The commands that have the keys of the terminal for themselves, and when the last of them had them.
#[derive(Debug, Default)]
struct Shields {
    count: usize,
    raised: Option<Instant>,
    /// The time before: the news of a key may come when the next command has them.
    last: Option<(Instant, Instant)>,
    /// Whether a key has come since they were raised.
    has_heard: bool,
    /// Whether a command has died of one.
    has_felt: bool,
    /// Until when the key is expected that a command has died of before we heard of it.
    awaited: Option<Instant>,
}

/// The terminal signals a command and us at once, but a command may be dead before the thread of ours has run that the
/// kernel has chosen for the signal. After this time it was another signal.
const LATE: Duration = Duration::from_millis(250);

impl Shields {
    /// Whether a key that was typed then was for such a command.
    fn take_key(&mut self, then: Instant) -> bool {
        if self.count > 0 && self.raised.is_some_and(|raised| then >= raised) {
            self.has_heard = true;
            return true;
        }
        let awaited = self.awaited.take();
        self.last.is_some_and(|(raised, lifted)| raised <= then && then < lifted)
            || awaited.is_some_and(|end| then < end)
    }

    fn lift(&mut self) {
        self.count -= 1;
        if self.count == 0 {
            let now = Instant::now();
            self.last = self.raised.map(|raised| (raised, now));
            let is_awaited = std::mem::take(&mut self.has_felt) && !std::mem::take(&mut self.has_heard);
            self.awaited = is_awaited.then(|| now + LATE);
        }
    }
}

/// How far a cancellation has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    None,
    /// Signal, wait for the grace period, KILL.
    Polite,
    /// KILL.
    Now,
}

impl CancelToken {
    /// A token that can be cancelled.
    ///
    /// # Errors
    /// When no pipe can be made (the process has too many open files).
    pub fn new() -> std::io::Result<Self> {
        Self::with_shields(Arc::default())
    }

    fn with_shields(shields: Arc<Mutex<Shields>>) -> std::io::Result<Self> {
        let (reader, writer) = os_pipe::pipe()?;
        Ok(Self(Some(Arc::new(Shared {
            urgency: AtomicU8::new(0),
            signal: AtomicI32::new(super::os::SIGTERM),
            from_terminal: AtomicU8::new(0),
            came: Mutex::default(),
            shields,
            reader,
            writer,
            children: Mutex::default(),
        }))))
    }

    /// A token that is cancelled whenever this one is, and can be cancelled alone.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn child(&self) -> std::io::Result<Self> {
        let child = Self::with_shields(self.0.as_ref().map(|shared| shared.shields.clone()).unwrap_or_default())?;
        if let (Some(parent), Some(shared)) = (&self.0, &child.0) {
            let mut children = lock(&parent.children);
            children.retain(|other| other.strong_count() > 0);
            children.push(Arc::downgrade(shared));
            drop(children);
            // A cancellation that came before is not handed down any more.
            child.follow(self);
        }
        Ok(child)
    }

    /// A token that is never cancelled: the default.
    pub fn never() -> Self {
        Self(None)
    }

    /// Ends what runs under the token with TERM, and after the grace period with KILL.
    pub fn cancel(&self) {
        self.cancel_with(super::os::SIGTERM, false);
    }

    /// Ends what runs under the token with this signal, and after the grace period with KILL.
    ///
    /// `from_terminal`: the terminal has sent the signal to the whole foreground group; processes
    /// that share it are given their time but not the signal a second time.
    pub fn cancel_with(&self, signal: i32, from_terminal: bool) {
        self.cancel_since(signal, from_terminal, Instant::now());
    }

    /// [`cancel_with`](Self::cancel_with) for a signal that has come at that time.
    pub(crate) fn cancel_since(&self, signal: i32, from_terminal: bool, came: Instant) {
        if let Some(shared) = &self.0 {
            shared.cancel_with(signal, from_terminal, came);
        }
    }

    /// Leaves Ctrl-C to the command that has the terminal, as long as the value lives.
    pub(crate) fn shield(&self) -> Option<Shield> {
        let shields = self.0.as_ref()?.shields.clone();
        // One that was sent before is not for the command.
        super::os::hasten_signal(super::os::SIGINT);
        {
            let mut shields = lock(&shields);
            if shields.count == 0 {
                shields.raised = Some(Instant::now());
                (shields.has_heard, shields.has_felt) = (false, false);
            }
            shields.count += 1;
        }
        Some(Shield(shields))
    }

    /// Whether the two are handles to one state.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(one), Some(other)) if Arc::ptr_eq(one, other))
    }

    /// Ends what runs under the token with KILL, without waiting.
    pub fn kill(&self) {
        if let Some(shared) = &self.0 {
            shared.kill();
        }
    }

    /// Whether the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.urgency() > Urgency::None
    }

    /// Takes over how far another one was cancelled.
    fn follow(&self, other: &Self) {
        match other.urgency() {
            Urgency::None => {}
            Urgency::Polite => {
                self.cancel_since(other.signal(), other.is_from_terminal(), other.came().unwrap_or_else(Instant::now));
            }
            Urgency::Now => self.kill(),
        }
    }

    /// Whether even what is polite was told to end.
    pub(crate) fn is_killed(&self) -> bool {
        self.urgency() == Urgency::Now
    }

    pub(crate) fn urgency(&self) -> Urgency {
        match self.0.as_ref().map_or(0, |shared| shared.urgency.load(Ordering::Acquire)) {
            0 => Urgency::None,
            1 => Urgency::Polite,
            _ => Urgency::Now,
        }
    }

    pub(crate) fn signal(&self) -> i32 {
        self.0.as_ref().map_or(super::os::SIGTERM, |shared| shared.signal.load(Ordering::Relaxed))
    }

    pub(crate) fn is_from_terminal(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| shared.from_terminal.load(Ordering::Relaxed) != 0)
    }

    /// When the signal came for which it was cancelled.
    pub(crate) fn came(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|shared| *lock(&shared.came))
    }

    /// Makes the token as new, for the next entry of a session. Nothing may be running under it.
    pub(crate) fn renew(&self) {
        if let Some(shared) = &self.0
            && shared.urgency.swap(0, Ordering::AcqRel) != 0
        {
            let _ = (&shared.reader).read(&mut [0]);
        }
    }

    /// What `poll` waits on.
    pub(crate) fn reader(&self) -> Option<&PipeReader> {
        self.0.as_ref().map(|shared| &shared.reader)
    }

    /// Sleeps for `duration`; returns `false` at once when the token is cancelled.
    pub fn sleep(&self, duration: std::time::Duration) -> bool {
        let end = std::time::Instant::now().checked_add(duration);
        loop {
            if self.is_cancelled() {
                return false;
            }
            let left = end.map(|end| end.saturating_duration_since(std::time::Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return true;
            }
            super::os::wait_readable(self.reader(), left);
        }
    }
}

/// A command that has the keys of the terminal for itself: an editor, another shell.
pub(crate) struct Shield(Arc<Mutex<Shields>>);

impl Shield {
    /// Says that the command has died of Ctrl-C, so that the news of it is for the command, however late it comes.
    pub fn note_death_by_key(&self) {
        lock(&self.0).has_felt = true;
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        // One that was sent while the command lived was for it, wherever our thread for it is.
        super::os::hasten_signal(super::os::SIGINT);
        lock(&self.0).lift();
    }
}

/// What is guarded is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn cancel_with(&self, signal: i32, from_terminal: bool, came: Instant) {
        if from_terminal && signal == super::os::SIGINT && lock(&self.shields).take_key(came) {
            return;
        }
        *lock(&self.came) = Some(came);
        self.signal.store(signal, Ordering::Relaxed);
        self.from_terminal.store(from_terminal.into(), Ordering::Relaxed);
        self.raise_to(Urgency::Polite);
        self.each_child(|child| child.cancel_with(signal, from_terminal, came));
    }

    fn kill(&self) {
        self.raise_to(Urgency::Now);
        self.each_child(Self::kill);
    }

    fn each_child(&self, tell: impl Fn(&Self)) {
        let children = lock(&self.children);
        children.iter().filter_map(Weak::upgrade).for_each(|child| tell(&child));
    }

    fn raise_to(&self, urgency: Urgency) {
        if self.urgency.fetch_max(urgency as u8, Ordering::AcqRel) == 0 {
            // An empty pipe takes a byte without blocking.
            let _ = (&self.writer).write(&[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CancelToken, Instant, Urgency};

    #[test]
    fn a_key_is_left_to_the_command_that_has_the_terminal() {
        use super::super::os::{SIGINT, SIGQUIT};
        let parent = CancelToken::new().expect("a pipe");
        let child = parent.child().expect("a pipe");
        let shield = child.shield();
        parent.cancel_with(SIGINT, true);
        assert!(!parent.is_cancelled() && !child.is_cancelled());
        // Another process has sent it: nobody typed it for the command.
        child.cancel_with(SIGINT, false);
        assert!(child.is_cancelled());
        child.renew();
        child.cancel_with(SIGQUIT, true);
        assert!(child.is_cancelled());
        let before = Instant::now();
        drop(shield);
        // The news of a key for a command may come when the command is over.
        parent.cancel_since(SIGINT, true, before);
        assert!(!parent.is_cancelled());
        // And even when the next command has them.
        let next = child.shield();
        parent.cancel_since(SIGINT, true, before);
        assert!(!parent.is_cancelled());
        drop(next);
        // And that of one for us, when the next command has begun.
        let between = Instant::now();
        let shield = child.shield();
        parent.cancel_since(SIGINT, true, between);
        assert!(parent.is_cancelled());
        drop(shield);
    }

    #[test]
    fn a_key_that_a_command_has_died_of_is_its_own() {
        use super::super::os::SIGINT;
        let token = CancelToken::new().expect("a pipe");
        // Its death was noticed before the key.
        let shield = token.shield().expect("a token");
        shield.note_death_by_key();
        drop(shield);
        token.cancel_with(SIGINT, true);
        assert!(!token.is_cancelled());
        // The next is ours.
        token.cancel_with(SIGINT, true);
        assert!(token.is_cancelled());
        token.renew();
        // Nothing is awaited when the key came first.
        let shield = token.shield().expect("a token");
        token.cancel_with(SIGINT, true);
        shield.note_death_by_key();
        drop(shield);
        token.cancel_with(SIGINT, true);
        assert!(token.is_cancelled());
    }

    #[test]
    fn a_child_is_cancelled_with_its_parent_and_alone() {
        let parent = CancelToken::new().expect("a pipe");
        let (one, two) = (parent.child().expect("a pipe"), parent.child().expect("a pipe"));
        let grandchild = one.child().expect("a pipe");
        one.cancel();
        assert!(one.is_cancelled() && grandchild.is_cancelled());
        assert!(!parent.is_cancelled() && !two.is_cancelled());
        parent.cancel_with(super::super::os::SIGINT, true);
        assert_eq!((two.signal(), two.is_from_terminal()), (super::super::os::SIGINT, true));
        parent.kill();
        assert_eq!(grandchild.urgency(), Urgency::Now);
        // One that comes late.
        assert_eq!(parent.child().expect("a pipe").urgency(), Urgency::Now);
    }
}
