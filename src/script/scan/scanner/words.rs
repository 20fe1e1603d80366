//! Names and words of the language, and what stands behind some of them.

use std::ops::Range;

use crate::script::spelling;

use super::{Frame, Scanner, is_word};

impl Scanner<'_> {
    /// Walks over a name, a word of the language or a number.
    pub(super) fn word(&mut self) {
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
            // The other meaning of `_` is "everything else", in a `switch`.
            "_" if !self.source[self.skip_space(self.at)..].starts_with("=>") => {
                self.found.results.push((start..self.at, 1));
            }
            "catch" if !is_property => self.found.catches.extend(self.catch_clause()),
            _ => {
                if let [b'_', digit @ b'1'..=b'9'] = word.as_bytes() {
                    self.found.results.push((start..self.at, usize::from(digit - b'0')));
                }
            }
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
    pub(super) fn skip_space(&self, at: usize) -> usize {
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
}
