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

use super::width::{RESET, cut, one_line, width};

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

    fn write(&self, bytes: &[u8]) {
        if let Some(screen) = &self.screen
            && !bytes.is_empty()
        {
            (screen.write)(bytes);
        }
    }

    /// What takes the rows off the screen.
    fn erasure(&self, state: &mut State) -> Vec<u8> {
        let Some(screen) = &self.screen else { return Vec::new() };
        let rows = std::mem::take(&mut state.drawn);
        if rows.is_empty() {
            return Vec::new();
        }
        // A window that has become narrower has broken the longer ones.
        let columns = (screen.size)().0.max(1);
        let up: usize = rows.iter().map(|row| width(row).div_ceil(columns).max(1)).sum::<usize>() - 1;
        match up {
            0 => b"\r\x1b[J".to_vec(),
            up => format!("\r\x1b[{up}A\x1b[J").into_bytes(),
        }
    }

    fn erase(&self, state: &mut State) {
        let bytes = self.erasure(state);
        self.write(&bytes);
    }

    /// Leaves the screen as if there had never been lines on it.
    fn clear(&self, state: &mut State) {
        let mut bytes = self.erasure(state);
        state.tails.iter_mut().for_each(|tail| bytes.append(tail));
        self.write(&bytes);
    }

    /// Draws the lines, unless they are there already.
    fn redraw(&self, state: &mut State) {
        let Some(screen) = self.screen.as_ref().filter(|_| state.suspended == 0) else { return };
        let (columns, rows) = (screen.size)();
        // The last column stays free: a cursor behind it is in the next row for some terminals.
        let columns = columns.saturating_sub(1).max(1);
        let frame = Frame { columns, number: state.frame };
        let mut shown: Vec<String> =
            state.tails.iter().filter(|tail| !tail.is_empty()).map(|tail| last(tail)).collect();
        shown.extend(state.lines.iter().map(|(_, content)| match content {
            Content::Text(text) => (screen.mask)(text),
            Content::Drawing(drawing) => (screen.mask)(&drawing(&frame)),
        }));
        let most = rows.saturating_sub(1).max(1);
        if shown.len() > most {
            let more = shown.len() - (most - 1);
            shown.truncate(most - 1);
            shown.push(format!("… {more} more"));
        }
        let lines: Vec<String> = shown.iter().map(|line| cut(&one_line(line), columns).into_owned()).collect();
        if lines == state.drawn {
            return;
        }
        let mut bytes = self.erasure(state);
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(line.as_bytes());
            if line.contains('\u{1b}') {
                bytes.extend_from_slice(RESET.as_bytes());
            }
        }
        state.drawn = lines;
        self.write(&bytes);
    }
}

/// The part of an unfinished line that a terminal would show.
fn last(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or_default().to_string()
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
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::{Live, Screen, Stream};

    /// A screen that understands what we write, one row of 20 columns for each line.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Sheet>>);

    #[derive(Default)]
    struct Sheet {
        rows: Vec<Vec<char>>,
        row: usize,
        column: usize,
    }

    impl Sheet {
        fn put(&mut self, text: &str) {
            let mut rest = text.chars().peekable();
            while let Some(c) = rest.next() {
                while self.rows.len() <= self.row {
                    self.rows.push(Vec::new());
                }
                match c {
                    '\n' => (self.row, self.column) = (self.row + 1, 0),
                    '\r' => self.column = 0,
                    '\u{1b}' => {
                        rest.next();
                        let mut number = String::new();
                        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                            number.push(digit);
                        }
                        match rest.next() {
                            Some('A') => self.row -= number.parse().unwrap_or(1),
                            Some('J') => {
                                self.rows.truncate(self.row + 1);
                                self.rows[self.row].truncate(self.column);
                            }
                            _ => {}
                        }
                    }
                    c => {
                        let (row, column) = (&mut self.rows[self.row], self.column);
                        row.resize(row.len().max(column + 1), ' ');
                        row[column] = c;
                        self.column += 1;
                    }
                }
            }
        }
    }

    impl Paper {
        fn put(&self, bytes: &[u8]) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(&String::from_utf8_lossy(bytes));
        }

        fn live(&self) -> Arc<Live> {
            let paper = self.clone();
            Live::on(Screen {
                write: Box::new(move |bytes| paper.put(bytes)),
                size: Box::new(|| (20, 5)),
                mask: Box::new(|text| text.replace("s3cret", "***")),
            })
        }

        fn above(&self, live: &Live, text: &str) {
            let write = |bytes: &[u8]| {
                self.put(bytes);
                Ok(())
            };
            live.above(Stream::Stdout, text.as_bytes(), write).expect("paper takes everything");
        }

        fn shown(&self) -> Vec<String> {
            let sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let rows: Vec<String> = sheet.rows.iter().map(|row| row.iter().collect()).collect();
            rows.into_iter().filter(|row| !row.is_empty()).collect()
        }
    }

    #[test]
    fn text_goes_above_the_lines() {
        let paper = Paper::default();
        let live = paper.live();
        paper.above(&live, "before\n");
        let one = live.add("one");
        let two = live.add("two");
        paper.above(&live, "text\n");
        assert_eq!(paper.shown(), ["before", "text", "one", "two"]);
        drop(one);
        assert_eq!(paper.shown(), ["before", "text", "two"]);
        drop(two);
        paper.above(&live, "after\n");
        assert_eq!(paper.shown(), ["before", "text", "after"]);
    }

    #[test]
    fn an_unfinished_line_is_seen_and_stays() {
        let paper = Paper::default();
        let live = paper.live();
        let line = live.add("line");
        paper.above(&live, "half");
        assert_eq!(paper.shown(), ["half", "line"]);
        paper.above(&live, " a line\n10%\r20%");
        assert_eq!(paper.shown(), ["half a line", "20%", "line"]);
        drop(line);
        paper.above(&live, "!\n");
        assert_eq!(paper.shown(), ["half a line", "20%!"]);
    }

    #[test]
    fn nothing_is_drawn_while_somebody_else_has_the_screen() {
        let paper = Paper::default();
        let live = paper.live();
        let line = live.add("line");
        {
            let _theirs = live.suspend();
            paper.put(b"theirs\n");
            line.set("changed");
            assert!(!live.is_shown());
            assert_eq!(paper.shown(), ["theirs"]);
        }
        assert_eq!(paper.shown(), ["theirs", "changed"]);
        live.end();
        line.set("too late");
        assert_eq!(paper.shown(), ["theirs"]);
    }

    #[test]
    fn lines_fit_the_screen_and_cannot_act_on_it() {
        let paper = Paper::default();
        let live = paper.live();
        let _long = live.add("a line of more than twenty columns");
        let _wild = live.add("up\u{1b}[2Aand s3cret");
        let _others: Vec<_> = (1..=4).map(|number| live.add(format!("line {number}"))).collect();
        assert_eq!(paper.shown(), ["a line of more tha…", "up\\u{1b}[2Aand ***", "line 1", "… 3 more"]);
    }

    #[test]
    fn without_a_screen_nothing_happens() {
        let live = Live::off();
        let line = live.add("line");
        line.set("other");
        assert!(!live.is_shown());
        let mut written = Vec::new();
        let write = |bytes: &[u8]| {
            written.extend_from_slice(bytes);
            Ok(())
        };
        live.above(Stream::Stderr, b"text", write).expect("it is written");
        assert_eq!(written, b"text");
    }
}
