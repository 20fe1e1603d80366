//! The walk behind [`scan`](super::scan).

use std::collections::HashSet;
use std::ops::Range;

use crate::script::spelling;

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

    /// Walks over a name, a word of the language or a number.
    fn word(&mut self) {
        let start = self.at;
        self.at = self.skip(start, is_word);
        let word = &self.source[start..self.at];
        // A number ends where its digits do.
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        // A property may have any name.
        let is_property = !is_number && self.source[..start].trim_end().ends_with('.');
        let word = if is_number { word.trim_start_matches(|c: char| c != 's') } else { word };
        match word {
            "sh" if !is_property && self.starts_with("$`") => self.open_template(self.at - word.len()),
            // Elsewhere it is a name like any other.
            "defer" if self.begins_statement(start) => {
                let brace = self.skip_space(self.at);
                if self.bytes.get(brace) == Some(&b'{') {
                    let block = self.open.last().map(Frame::start);
                    let is_first = self.with_defer.insert(block);
                    self.deferred.push((brace, start, is_first));
                }
            }
            word if spelling::is_private(word) => self.found.private.push(start..self.at),
            "eval" if !is_property && self.bytes.get(self.skip_space(self.at)) == Some(&b'(') => {
                let before = self.source[..start].trim_end();
                if !before.ends_with("fn") {
                    self.found.evals.push(start);
                }
            }
            "catch" if !is_property => self.found.catches.extend(self.catch_clause()),
            _ => {}
        }
    }

    /// The offset behind the bytes from `at` on that are so.
    fn skip(&self, at: usize, is_so: impl Fn(u8) -> bool) -> usize {
        self.bytes[at..].iter().position(|byte| !is_so(*byte)).map_or(self.bytes.len(), |length| at + length)
    }

    /// Whether a statement can begin here: behind nothing, a brace or a semicolon.
    fn begins_statement(&self, at: usize) -> bool {
        let mut before = self.source[..at].trim_end();
        for comment in self.found.comments.iter().rev() {
            if comment.end != before.len() {
                break;
            }
            before = self.source[..comment.start].trim_end();
        }
        before.is_empty() || before.ends_with(['{', '}', ';'])
    }

    /// The offset behind white space and comments.
    fn skip_space(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            at = self.skip(at, |byte| byte.is_ascii_whitespace());
            let rest = &self.source[at..];
            if rest.starts_with("//") {
                at = self.skip(at, |byte| byte != b'\n' && byte != b'\r');
            } else if rest.starts_with("/*") {
                let mut depth = 0_usize;
                while at < self.bytes.len() {
                    let (length, change) = match &self.bytes[at..] {
                        [b'/', b'*', ..] => (2, 1),
                        [b'*', b'/', ..] => (2, -1),
                        _ => (1, 0),
                    };
                    at += length;
                    depth = depth.saturating_add_signed(change);
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                return at;
            }
        }
    }

    /// `(name) {` behind a `catch`.
    fn catch_clause(&self) -> Option<(Range<usize>, usize)> {
        let space = |at| self.skip_space(at);
        let past = |at: usize, wanted| (self.bytes.get(at) == Some(&wanted)).then_some(at + 1);
        let name = space(past(space(self.at), b'(')?);
        let end = self.skip(name, is_word);
        let brace = space(past(space(end), b')')?);
        (end > name).then_some((name..end, past(brace, b'{')?))
    }

    fn comment_to(&mut self, is_end: impl Fn(u8) -> bool) {
        let start = self.at;
        let length = self.bytes[start..].iter().position(|&byte| is_end(byte));
        self.at = length.map_or(self.bytes.len(), |length| start + length);
        self.found.comments.push(start..self.at);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            if self.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                self.at += 1;
            }
        }
        self.found.comments.push(start..self.at);
        if depth > 0 {
            self.unclosed(Unclosed::Comment, start);
        }
    }

    /// Walks over a `"…"` or a `'…'`.
    fn quoted(&mut self, quote: u8) {
        let start = self.at;
        let is_string = quote == b'"';
        let mut continued_at = None;
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == quote {
                self.at += 1;
                // A doubled quote stands for one and does not close.
                if self.bytes.get(self.at) != Some(&quote) {
                    if continued_at.is_some() {
                        self.found.continued.push(start..self.at);
                    }
                    self.closed_text(start);
                    return;
                }
                self.at += 1;
            } else if byte == b'\n' {
                break;
            } else if byte == b'\\' {
                if self.bytes.get(self.at + 1) == Some(&b'0') {
                    self.found.nul_escapes.push(self.at);
                }
                match self.line_ending_at(self.at + 1) {
                    Some(next_line) if is_string => {
                        self.at = next_line;
                        continued_at = Some(next_line);
                    }
                    // The line feed itself then ends the walk.
                    Some(_) => self.at += 1,
                    None => self.at = self.bytes.len().min(self.at + 2),
                }
            } else {
                self.at += 1;
            }
        }
        let what = match quote {
            b'"' if self.at == self.bytes.len() && continued_at == Some(self.at) => Unclosed::ContinuedString,
            b'"' => Unclosed::String,
            _ => Unclosed::Char,
        };
        self.unclosed(what, start);
    }

    /// Where the line after the line ending at `at` starts; the end of the source ends a line too.
    fn line_ending_at(&self, at: usize) -> Option<usize> {
        match self.bytes.get(at..).unwrap_or_default() {
            [] => Some(self.bytes.len()),
            [b'\n', ..] => Some(at + 1),
            [b'\r', b'\n', ..] => Some(at + 2),
            _ => None,
        }
    }

    /// Walks over a `#"…"#`, or over the `#` that begins something else, such as `#{`.
    fn hashes(&mut self) {
        let start = self.at;
        let count = self.count_hashes(start);
        self.at += count;
        if self.bytes.get(self.at) != Some(&b'"') {
            return;
        }
        self.at += 1;
        while let Some(length) = self.source[self.at..].find('"') {
            let after = self.at + length + 1;
            let closing = self.count_hashes(after).min(count);
            self.at = after + closing;
            if closing == count {
                self.closed_text(start);
                return;
            }
        }
        self.at = self.bytes.len();
        self.unclosed(Unclosed::RawString, start);
    }

    fn count_hashes(&self, from: usize) -> usize {
        let rest = self.bytes[from..].iter();
        rest.take_while(|&&byte| byte == b'#').count()
    }

    /// Walks over the text of a backtick string, to its end or into a `${`.
    fn backtick_text(&mut self, start: usize) {
        while self.at < self.bytes.len() {
            if self.starts_with("``") {
                self.at += 2;
            } else if self.starts_with("`") {
                self.at += 1;
                self.open.pop();
                self.texts -= 1;
                self.closed_text(start);
                return;
            } else if self.starts_with("\\${") {
                self.at += 3;
            } else if self.starts_with("${") {
                self.open_slot(None);
                return;
            } else {
                self.at += 1;
            }
        }
    }

    fn open_template(&mut self, start: usize) {
        let index = self.found.templates.len();
        let is_shell = start < self.at;
        self.found.templates.push(Template { start, is_shell, end: None, literals: Vec::new(), slots: Vec::new() });
        self.at += 2;
        let piece = self.at;
        self.texts += 1;
        self.open.push(Frame::Template { index, piece });
    }

    /// Walks over the text of a template, to its end or into a slot.
    fn template_text(&mut self, index: usize, piece: usize) {
        while self.at < self.bytes.len() {
            if self.starts_with("\\") {
                self.at = self.bytes.len().min(self.at + 2);
            } else if self.starts_with("`") {
                let template = &mut self.found.templates[index];
                template.literals.push(piece..self.at);
                self.at += 1;
                template.end = Some(self.at);
                let start = template.start;
                self.open.pop();
                self.texts -= 1;
                self.closed_text(start);
                return;
            } else if self.starts_with("${") {
                self.found.templates[index].literals.push(piece..self.at);
                self.open_slot(Some(index));
                return;
            } else {
                self.at += 1;
            }
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
        let Some(index) = template else { return };
        self.found.templates[index].slots.push(code);
        if let Some(Frame::Template { piece, .. }) = self.open.last_mut() {
            *piece = self.at;
        }
    }

    /// Notes what is open at the end.
    fn finish(&mut self) {
        let end = self.bytes.len();
        let innermost = self.open.last().map(|frame| match *frame {
            Frame::Bracket(what, start) => (what, start),
            Frame::Slot { start, .. } => (Unclosed::Slot, start),
            Frame::Backtick { start } => (Unclosed::Backtick, start),
            Frame::Template { index, .. } => (Unclosed::Template, self.found.templates[index].start),
        });
        if let Some((what, start)) = innermost {
            self.unclosed(what, start);
        }
        if let Some(&Frame::Template { index, piece }) = self.open.last() {
            self.found.templates[index].literals.push(piece..end);
        }
        for frame in &self.open {
            match *frame {
                Frame::Slot { start, template } => {
                    self.found.open_brackets += 1;
                    if let Some(index) = template {
                        self.found.templates[index].slots.push(start + 2..end);
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
