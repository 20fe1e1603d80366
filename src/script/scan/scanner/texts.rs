//! Texts: strings, characters, backtick strings and templates.

use super::{Frame, Scanner, Template, Unclosed};

impl Scanner<'_> {
    /// Walks over a `"…"` or a `'…'`.
    pub(super) fn quoted(&mut self, quote: u8) {
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
        if self.at == self.bytes.len() {
            self.broken_off = Some((what, start));
        }
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
    pub(super) fn hashes(&mut self) {
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
        self.broken_off = Some((Unclosed::RawString, start));
        self.unclosed(Unclosed::RawString, start);
    }

    fn count_hashes(&self, from: usize) -> usize {
        let rest = self.bytes[from..].iter();
        rest.take_while(|&&byte| byte == b'#').count()
    }

    /// Walks over the text of a backtick string, to its end or into a `${`.
    pub(super) fn backtick_text(&mut self, start: usize) {
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

    pub(super) fn open_template(&mut self, start: usize) {
        let index = self.found.templates.len();
        let is_shell = start < self.at;
        self.found.templates.push(Template { start, is_shell, end: None, literals: Vec::new(), slots: Vec::new() });
        self.at += 2;
        let piece = self.at;
        self.texts += 1;
        self.open.push(Frame::Template { index, piece });
    }

    /// Walks over the text of a template, to its end or into a slot.
    pub(super) fn template_text(&mut self, index: usize, piece: usize) {
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
}
