//! Comments.

use super::{Scanner, Unclosed};

impl Scanner<'_> {
    pub(super) fn comment_to(&mut self, is_end: impl Fn(u8) -> bool) {
        let start = self.at;
        let length = self.bytes[start..].iter().position(|&byte| is_end(byte));
        self.at = length.map_or(self.bytes.len(), |length| start + length);
        self.found.comments.push(start..self.at);
    }

    pub(super) fn block_comment(&mut self) {
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
            self.broken_off = Some((Unclosed::Comment, start));
            self.unclosed(Unclosed::Comment, start);
        }
    }
}
