//! The walk behind [`scan`](super::scan).

mod comments;
mod texts;
mod words;

use std::collections::HashSet;
use std::ops::Range;

use super::{Scan, Template, Unclosed};

pub(super) fn walk(source: &str) -> Scan {
    let mut scanner = Scanner {
        source,
        bytes: source.as_bytes(),
        at: 0,
        open: Vec::new(),
        texts: 0,
        deferred: Vec::new(),
        with_defer: HashSet::new(),
        broken_off: None,
        found: Scan::default(),
    };
    scanner.run();
    scanner.found
}

/// Something open around the current position.
enum Frame {
    /// A bracket and where it is.
    Bracket(Unclosed, usize),
    /// A `${`; `template` is the index of the template that it belongs to, if to one.
    Slot { start: usize, template: Option<usize> },
    /// The text of a backtick string.
    Backtick { start: usize },
    /// The text of a template; `piece` is where its current literal piece starts.
    Template { index: usize, piece: usize },
}

impl Frame {
    /// Where it opens.
    fn start(&self) -> usize {
        match self {
            Self::Bracket(_, start) | Self::Slot { start, .. } | Self::Backtick { start } => *start,
            Self::Template { piece, .. } => *piece,
        }
    }

    fn is_brace(&self) -> bool {
        matches!(self, Self::Bracket(Unclosed::Brace, _) | Self::Slot { .. })
    }
}

/// The walk. Everything that means something is ASCII, so it goes by bytes: the bytes of other
/// characters are never mistaken for one, and all offsets are character boundaries.
///
/// The nesting is a stack of frames and not recursion, because a script may nest as deep as it
/// likes without taking our stack with it.
struct Scanner<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<Frame>,
    /// How many of the open frames are texts of backtick strings and templates.
    texts: usize,
    /// The braces of the `defer` blocks that are open, where their words are, and whether they are the first.
    deferred: Vec<(usize, usize, bool)>,
    /// The blocks that have one, by where they open.
    with_defer: HashSet<Option<usize>>,
    /// The string, character or comment in which the source ends.
    broken_off: Option<(Unclosed, usize)>,
    found: Scan,
}

impl Scanner<'_> {
    fn run(&mut self) {
        if self.starts_with("#!") {
            self.comment_to(|byte| byte == b'\n');
        }
        while self.at < self.bytes.len() {
            match self.open.last() {
                Some(&Frame::Template { index, piece }) => self.template_text(index, piece),
                Some(&Frame::Backtick { start }) => self.backtick_text(start),
                _ => self.code(),
            }
        }
        self.finish();
    }

    fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    /// Notes something unclosed; the first mistake is the one to report.
    fn unclosed(&mut self, what: Unclosed, start: usize) {
        self.found.unclosed.get_or_insert((what, start));
    }

    /// Notes a string, character or template that has just been closed, unless it is in another.
    fn closed_text(&mut self, start: usize) {
        if self.texts == 0 {
            self.found.texts.push(start..self.at);
        }
    }

    /// Takes one step through Rhai code.
    fn code(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b'/' if self.starts_with("//") => {
                self.comment_to(|byte| byte == b'\n' || byte == b'\r');
            }
            b'/' if self.starts_with("/*") => self.block_comment(),
            b'"' => self.quoted(b'"'),
            b'\'' => self.quoted(b'\''),
            b'#' => self.hashes(),
            b'`' => {
                self.at += 1;
                self.texts += 1;
                self.open.push(Frame::Backtick { start });
            }
            b'$' if self.starts_with("$`") => self.open_template(start),
            b'(' => self.open_bracket(Unclosed::Paren),
            b'[' => self.open_bracket(Unclosed::Bracket),
            b'{' => self.open_bracket(Unclosed::Brace),
            b')' => self.close_bracket(Unclosed::Paren),
            b']' => self.close_bracket(Unclosed::Bracket),
            b'}' => self.close_brace(),
            byte if is_word(byte) => self.word(),
            _ => self.at += 1,
        }
    }

    fn open_slot(&mut self, template: Option<usize>) {
        let start = self.at;
        self.at += 2;
        self.open.push(Frame::Slot { start, template });
    }

    fn open_bracket(&mut self, what: Unclosed) {
        self.open.push(Frame::Bracket(what, self.at));
        self.at += 1;
    }

    fn close_bracket(&mut self, what: Unclosed) {
        match self.open.last() {
            Some(&Frame::Bracket(open, start)) if open == what => {
                self.open.pop();
                if what == Unclosed::Bracket && self.is_assigned_index(start) {
                    self.found.assigned_indexes.push(start + 1);
                }
            }
            _ => {
                self.found.mismatched.get_or_insert(self.at);
            }
        }
        self.at += 1;
    }

    /// Whether the bracket that opened at `start` and closes here is an index that a value is assigned to, and neither
    /// a number nor a text that is known.
    fn is_assigned_index(&self, start: usize) -> bool {
        let equals = self.skip_space(self.at + 1);
        if self.bytes.get(equals) != Some(&b'=') || matches!(self.bytes.get(equals + 1), Some(b'=' | b'>')) {
            return false;
        }
        let before = self.source[..start].trim_end().as_bytes().last();
        let is_index = before.is_some_and(|byte| is_word(*byte) || !byte.is_ascii() || b")]}?\"`".contains(byte));
        let inside = self.source[start + 1..self.at].trim();
        let is_number = inside.bytes().all(|byte| byte.is_ascii_digit());
        let is_text = self.found.texts.last().is_some_and(|text| {
            let is_all = self.source[text.clone()].len() == inside.len() && text.start > start;
            is_all && inside.starts_with('"')
        });
        is_index && !is_number && !is_text
    }

    /// Closes a block, a map or a slot.
    ///
    /// A brace also closes the parentheses forgotten inside (`${ f( }`), so that one mistake in a
    /// slot does not swallow the rest of the source.
    fn close_brace(&mut self) {
        let end = self.at;
        self.at += 1;
        let Some(brace) = self.open.iter().rposition(Frame::is_brace) else {
            self.found.mismatched.get_or_insert(end);
            return;
        };
        if brace + 1 < self.open.len() {
            self.found.mismatched.get_or_insert(end);
            self.open.truncate(brace + 1);
        }
        match self.open.pop() {
            Some(Frame::Slot { start, template }) => self.close_slot(start + 2..end, template),
            Some(Frame::Bracket(_, brace)) => {
                if let Some((_, start, is_first)) = self.deferred.pop_if(|(deferred, ..)| *deferred == brace) {
                    self.found.defers.push((start..self.at, is_first));
                }
            }
            _ => {}
        }
    }

    fn close_slot(&mut self, code: Range<usize>, template: Option<usize>) {
        let Some(index) = template else {
            self.found.interpolations.push(code);
            return;
        };
        self.found.templates[index].slots.push(code);
        if let Some(Frame::Template { piece, .. }) = self.open.last_mut() {
            *piece = self.at;
        }
    }

    /// Notes what is open at the end.
    fn finish(&mut self) {
        let end = self.bytes.len();
        let frames = self.open.iter().map(|frame| match *frame {
            Frame::Bracket(what, start) => (what, start),
            Frame::Slot { start, .. } => (Unclosed::Slot, start),
            Frame::Backtick { start } => (Unclosed::Backtick, start),
            Frame::Template { index, .. } => (Unclosed::Template, self.found.templates[index].start),
        });
        let frames: Vec<_> = frames.collect();
        if let Some((what, start)) = frames.last().copied() {
            self.unclosed(what, start);
        }
        self.found.open = frames;
        self.found.open.extend(self.broken_off.take());
        if let Some(&Frame::Template { index, piece }) = self.open.last() {
            self.found.templates[index].literals.push(piece..end);
        }
        for frame in &self.open {
            match *frame {
                Frame::Slot { start, template } => {
                    self.found.open_brackets += 1;
                    match template {
                        Some(index) => self.found.templates[index].slots.push(start + 2..end),
                        None => self.found.interpolations.push(start + 2..end),
                    }
                }
                Frame::Bracket(..) => self.found.open_brackets += 1,
                Frame::Backtick { .. } | Frame::Template { .. } => {}
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
