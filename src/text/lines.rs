//! Bytes in, lines out.

use std::ops::Range;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};

use super::TextFormat;
use super::decode::Decoder;
use super::error::{DecodeError, LineTooLong, TextError};
use super::separators::{Search, Searcher};

/// Splits a stream of bytes into lines of text.
///
/// Bytes go in with [`push`](LineSplitter::push), or with [`space`](LineSplitter::space) and
/// [`filled`](LineSplitter::filled); lines come out of [`next_line`](LineSplitter::next_line).
/// Where the bytes are cut makes no difference to the lines or to the error. After the last
/// ending there is no extra empty line.
///
/// Whoever takes all lines after each piece needs memory for the longest line allowed and one
/// piece, with room to grow, however long the stream is. A failed splitter holds no text.
///
/// ```
/// use procscript::text::{LineSplitter, Separators, TextFormat};
///
/// let separators = Separators::parse("|")?;
/// let mut lines = LineSplitter::new(TextFormat { separators, ..TextFormat::default() });
/// lines.push("|1|zwei|".as_bytes());
/// lines.finish();
/// assert_eq!(lines.next_line()?, Some(""));
/// assert_eq!(lines.next_line()?, Some("1"));
/// assert_eq!(lines.next_line()?, Some("zwei"));
/// assert_eq!(lines.next_line()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LineSplitter {
    decoder: Decoder,
    searcher: Searcher,
    max_line: usize,
    /// Where a reader puts bytes; all of it is initialised.
    space: Vec<u8>,
    /// Decoded text. Before `head` it has been handed out.
    text: String,
    head: usize,
    /// No separator begins between `head` and here.
    searched: usize,
    /// Nothing that is looked for begins between `head` and here.
    passed: usize,
    lines: u64,
    finished: bool,
    /// What ends the stream after `text`.
    malformed: Option<DecodeError>,
    failed: Option<TextError>,
}

impl LineSplitter {
    /// A splitter at the beginning of a stream.
    ///
    /// See [`LineSplitter`] for an example.
    pub fn new(format: TextFormat) -> LineSplitter {
        LineSplitter {
            decoder: Decoder::new(format.encoding, format.malformed),
            searcher: Searcher::new(&format.separators),
            max_line: format.max_line.unwrap_or(usize::MAX),
            space: Vec::new(),
            text: String::new(),
            head: 0,
            searched: 0,
            passed: 0,
            lines: 0,
            finished: false,
            malformed: None,
            failed: None,
        }
    }

    /// Room for a reader to put bytes: `at_least` that many, and never none.
    ///
    /// The room is kept from call to call, so that reading needs no buffer of its own. What is
    /// in it counts only after [`filled`](LineSplitter::filled).
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// use procscript::text::{LineSplitter, TextFormat};
    ///
    /// let mut input: &[u8] = b"one\ntwo\n";
    /// let mut lines = LineSplitter::new(TextFormat::default());
    /// let count = input.read(lines.space(4096))?;
    /// lines.filled(count);
    /// assert_eq!(lines.next_line()?, Some("one"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn space(&mut self, at_least: usize) -> &mut [u8] {
        // A reader that gets no room reads nothing, which looks like the end of the input.
        let at_least = at_least.max(1);
        if self.space.len() < at_least {
            self.space.resize(at_least, 0);
        }
        &mut self.space
    }

    /// Takes the first `count` bytes of [`space`](LineSplitter::space) as the next bytes of the
    /// stream; `count` is at most the length of that room.
    ///
    /// See [`space`](LineSplitter::space) for an example.
    pub fn filled(&mut self, count: usize) {
        // Moved out for the time of the call, because `push` needs all of `self`.
        let space = std::mem::take(&mut self.space);
        self.push(&space[..count.min(space.len())]);
        self.space = space;
    }

    /// Takes the next bytes of the stream. After [`finish`](LineSplitter::finish), and after an
    /// error, they are ignored.
    ///
    /// See [`LineSplitter`] for an example.
    pub fn push(&mut self, bytes: &[u8]) {
        self.decode(bytes, false);
    }

    /// Says that the stream has ended: a last line without an ending becomes available.
    ///
    /// See [`LineSplitter`] for an example.
    pub fn finish(&mut self) {
        self.decode(&[], true);
        self.finished = true;
    }

    /// The next line, without its ending.
    ///
    /// `None` means that more input is needed, or after [`finish`](LineSplitter::finish) that
    /// there are no more lines.
    ///
    /// # Errors
    ///
    /// [`TextError`] when the bytes are not text or a line is too long, after all lines before
    /// that have been returned. The splitter stays failed: it gives the same error again.
    ///
    /// ```
    /// use procscript::text::{LineSplitter, TextFormat};
    ///
    /// let mut lines = LineSplitter::new(TextFormat::default());
    /// lines.push(b"one\ntwo \xff\nthree\n");
    /// assert_eq!(lines.next_line()?, Some("one"));
    /// let error = lines.next_line().unwrap_err();
    /// assert_eq!(error.to_string(), "invalid UTF-8 at byte 8 (0xff)");
    /// assert_eq!(lines.next_line(), Err(error));
    /// # Ok::<(), procscript::text::TextError>(())
    /// ```
    pub fn next_line(&mut self) -> Result<Option<&str>, TextError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.find_line() {
            Ok(line) => Ok(line.map(|line| &self.text[line])),
            Err(error) => {
                self.text = String::new();
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Passes over lines at hand that do not hold what is looked for. Others may still come: it only saves the work of
    /// splitting what nobody wants, where that is easy to tell.
    pub(crate) fn skip_lines_without(&mut self, part: &Finder) {
        if !self.has_plain_lines(Some(part)) {
            return;
        }
        let needle = part.needle();
        let text = self.text.as_bytes();
        let from = self.passed.max(self.head);
        let found = part.find(&text[from..]).map(|at| from + at);
        // A part that is cut off at the end may go on.
        self.passed = found.unwrap_or((text.len() + 1).saturating_sub(needle.len()).max(from));
        let unwanted = self.searched.max(self.head)..found.unwrap_or(text.len());
        if unwanted.is_empty() {
            return;
        }
        let Some(last) = memrchr(b'\n', &text[unwanted.clone()]) else { return };
        let next = unwanted.start + last + 1;
        // Any of the lines may be too long when all together are.
        if next - self.head > self.max_line {
            return;
        }
        self.lines += memchr_iter(b'\n', &text[unwanted.start..next]).count() as u64;
        self.head = next;
        self.searched = next;
    }

    /// Passes over all whole lines at hand, where that is easy, and tells how many of them hold what is looked for.
    pub(crate) fn count_at_hand(&mut self, part: Option<&Finder>) -> usize {
        let text = &self.text.as_bytes()[self.head..];
        let Some(last) = memrchr(b'\n', text).filter(|_| self.has_plain_lines(part)) else { return 0 };
        let lines = &text[..=last];
        // Any of the lines may be too long when all together are.
        if lines.len() > self.max_line {
            return 0;
        }
        let all = memchr_iter(b'\n', lines).count();
        let wanted = part.map_or(all, |part| count_holding(lines, part));
        self.lines += all as u64;
        self.head += lines.len();
        self.searched = self.head;
        wanted
    }

    /// Whether the line feeds in the text tell where lines end, and no part of what is looked for.
    fn has_plain_lines(&self, part: Option<&Finder>) -> bool {
        let is_plain = |part: &Finder| {
            let needle = part.needle();
            !needle.is_empty() && !needle.iter().any(|byte| b"\r\n".contains(byte))
        };
        self.searcher.is_lines() && self.failed.is_none() && part.is_none_or(is_plain)
    }

    fn find_line(&mut self) -> Result<Option<Range<usize>>, TextError> {
        let ended = self.finished || self.malformed.is_some();
        let text = self.text.as_bytes();
        match self.searcher.search(text, self.searched, ended) {
            Search::Found(end, next) => self.take_line(end, next).map(Some),
            Search::NotBefore(position) => {
                self.searched = position;
                self.check_length(position)?;
                if ended { self.find_last_line() } else { Ok(None) }
            }
        }
    }

    /// What comes after the last separator.
    ///
    /// The order of the checks keeps the error independent of the chunks: in small chunks, too
    /// much text is noticed before the malformed bytes behind it arrive.
    fn find_last_line(&mut self) -> Result<Option<Range<usize>>, TextError> {
        let end = self.text.len();
        self.check_length(end)?;
        if let Some(error) = &self.malformed {
            return Err(error.clone().into());
        }
        if self.head == end {
            return Ok(None);
        }
        self.take_line(end, end).map(Some)
    }

    fn take_line(&mut self, end: usize, next: usize) -> Result<Range<usize>, TextError> {
        self.check_length(end)?;
        let line = self.head..end;
        self.head = next;
        self.searched = next;
        self.lines += 1;
        Ok(line)
    }

    /// Checks the line at hand, of which the text up to `end` is known not to be an ending.
    fn check_length(&self, end: usize) -> Result<(), LineTooLong> {
        if end - self.head <= self.max_line {
            return Ok(());
        }
        Err(LineTooLong { limit: self.max_line, line: self.lines + 1 })
    }

    fn decode(&mut self, bytes: &[u8], last: bool) {
        if self.finished || self.malformed.is_some() || self.failed.is_some() {
            return;
        }
        self.compact(bytes.len());
        self.malformed = self.decoder.decode(bytes, last, &mut self.text).err();
    }

    /// Drops the text that has been handed out, unless that would move more than what was
    /// handed out or comes in, so that the moving is never more work than the splitting.
    fn compact(&mut self, incoming: usize) {
        let pending = self.text.len() - self.head;
        if self.head == 0 || pending > self.head.max(incoming) {
            return;
        }
        self.text.drain(..self.head);
        self.searched -= self.head;
        self.passed = self.passed.saturating_sub(self.head);
        self.head = 0;
    }

    /// How much memory the buffers hold, in bytes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.text.capacity() + self.space.capacity()
    }
}

/// How many lines hold the part, which holds no line feed.
fn count_holding(lines: &[u8], part: &Finder) -> usize {
    let (mut count, mut rest) = (0, lines);
    while let Some(at) = part.find(rest) {
        count += 1;
        rest = memchr(b'\n', &rest[at..]).map_or(&[], |feed| &rest[at + feed + 1..]);
    }
    count
}
