//! Lines at the bottom of the screen that change, while everything else scrolls past above them.
//!
//! There is one [`Live`] for a screen, and whatever writes to that screen goes [`above`](Live::above) its lines:
//! they are taken away, the text is written, and they are drawn again. The cursor is not hidden, and stands behind
//! the last line, so that also a process that is killed leaves a terminal that works.
//!
//! A thread draws the lines ten times a second while there are any: whoever changes one only says so.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod draw;

/// Between two drawings.
const TICK: Duration = Duration::from_millis(100);
/// A line of other output that has not ended yet is drawn with ours. A longer one goes to the screen as it is.
const LONGEST_TAIL: usize = 8 * 1024;

/// Where the lines are drawn.
pub(crate) struct Screen {
    pub write: Box<dyn Fn(&[u8]) + Send + Sync>,
    /// Columns and rows.
    pub size: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
    /// What is done to a text before anybody sees it.
    pub mask: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// What a line that draws itself is told.
pub(crate) struct Frame {
    /// How many columns it has.
    pub columns: usize,
    /// Counts the drawings, for what turns.
    pub number: usize,
}

/// What draws a line anew each time.
pub(crate) type Drawing = Arc<dyn Fn(&Frame) -> String + Send + Sync>;

// A text that changes from outside is simpler than a drawing; only panels have it.
#[cfg_attr(not(test), allow(dead_code))]
enum Content {
    Text(String),
    Drawing(Drawing),
}

/// A stream whose text goes above the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The changing lines of one screen, or of none.
pub(crate) struct Live {
    screen: Option<Screen>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<(u64, Content)>,
    next: u64,
    /// What is on the screen now.
    drawn: Vec<String>,
    frame: usize,
    /// How many want the screen for themselves.
    suspended: usize,
    is_ticking: bool,
    /// Of each stream the last line, as far as it has come.
    tails: [Vec<u8>; 2],
}

impl Live {
    pub fn on(screen: Screen) -> Arc<Self> {
        Self::new(Some(screen))
    }

    /// Lines that nobody sees.
    pub fn off() -> Arc<Self> {
        Self::new(None)
    }

    fn new(screen: Option<Screen>) -> Arc<Self> {
        Arc::new(Self { screen, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Whether there is a screen: without one, say what happens in lines that stay.
    pub fn is_on(&self) -> bool {
        self.screen.is_some()
    }

    /// Whether lines are on the screen, so that nothing else may write to it.
    pub fn is_shown(&self) -> bool {
        let state = self.lock();
        self.is_on() && !state.lines.is_empty() && state.suspended == 0
    }

    /// Adds a line below the others; it goes with the value that is returned.
    #[cfg_attr(not(test), allow(dead_code))]
    pub fn add(self: &Arc<Self>, text: impl Into<String>) -> LiveLine {
        self.push(Content::Text(text.into()))
    }

    /// Adds a line that draws itself. The function is called with the lock of the lines held, and must not call
    /// them.
    pub fn add_drawing(self: &Arc<Self>, drawing: Drawing) -> LiveLine {
        self.push(Content::Drawing(drawing))
    }

    fn push(self: &Arc<Self>, content: Content) -> LiveLine {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        if self.is_on() {
            state.lines.push((id, content));
            self.redraw(&mut state);
            if !state.is_ticking {
                let live = self.clone();
                // Without it the lines are drawn with the next text above them.
                let started = std::thread::Builder::new().name("procscript-live".into()).spawn(move || live.tick());
                state.is_ticking = started.is_ok();
            }
        }
        LiveLine { live: self.clone(), id }
    }

    /// Writes text of a stream above the lines; `write` gets it, whole lines at a time while there are any.
    pub fn above(&self, stream: Stream, bytes: &[u8], write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.lock();
        if !self.is_on() || state.lines.is_empty() || state.suspended > 0 {
            return write(bytes);
        }
        let mut text = std::mem::take(&mut state.tails[stream as usize]);
        text.extend_from_slice(bytes);
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let tail = text.split_off(whole);
        if tail.len() > LONGEST_TAIL {
            text.extend_from_slice(&tail);
            text.push(b'\n');
        } else {
            state.tails[stream as usize] = tail;
        }
        self.erase(&mut state);
        let result = if text.is_empty() { Ok(()) } else { write(&text) };
        self.redraw(&mut state);
        result
    }

    /// Takes the lines off the screen, for whoever needs it for itself, until the value that is returned goes.
    pub fn suspend(self: &Arc<Self>) -> Suspended {
        if self.is_on() {
            let mut state = self.lock();
            self.clear(&mut state);
            state.suspended += 1;
        }
        Suspended(self.clone())
    }

    /// Takes away all lines: nobody looks after them any more.
    pub fn end(&self) {
        let mut state = self.lock();
        if !state.lines.is_empty() {
            self.clear(&mut state);
            state.lines.clear();
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut state = self.lock();
        while !state.lines.is_empty() {
            self.redraw(&mut state);
            state.frame = state.frame.wrapping_add(1);
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_ticking = false;
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("is_on", &self.is_on()).finish_non_exhaustive()
    }
}

/// One line; it goes with this value.
#[derive(Debug)]
pub(crate) struct LiveLine {
    live: Arc<Live>,
    id: u64,
}

impl LiveLine {
    /// Another text, which is seen within a tenth of a second.
    #[cfg_attr(not(test), allow(dead_code))]
    pub fn set(&self, text: impl Into<String>) {
        let mut state = self.live.lock();
        if let Some((_, content)) = state.lines.iter_mut().find(|(id, _)| *id == self.id) {
            *content = Content::Text(text.into());
        }
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        let count = state.lines.len();
        state.lines.retain(|(id, _)| *id != self.id);
        if state.lines.len() == count {
            return;
        }
        match state.lines.is_empty() {
            true => {
                self.live.clear(&mut state);
                self.live.changed.notify_all();
            }
            false => self.live.redraw(&mut state),
        }
    }
}

/// The screen is somebody else's as long as it lives.
pub(crate) struct Suspended(Arc<Live>);

impl Drop for Suspended {
    fn drop(&mut self) {
        if self.0.is_on() {
            let mut state = self.0.lock();
            state.suspended -= 1;
            self.0.redraw(&mut state);
        }
    }
}

#[cfg(test)]
mod paper;
#[cfg(test)]
mod tests;
