//! Entries from a stream that nobody types at: `procscript -i < entries`.

use std::io::{self, BufRead};

use super::reader::{History, Input, LineReader, Settings};
use crate::script::Session;

/// Reads lines until they make an entry. A line that begins with `:` or `!` is one by itself.
pub(super) struct PlainReader<R> {
    lines: R,
    line: usize,
    history: History,
    settings: Settings,
    /// Whether the input ended in the middle of an entry.
    pub is_cut: bool,
}

impl<R: BufRead> PlainReader<R> {
    pub fn new(lines: R) -> Self {
        Self { lines, line: 0, history: History::in_memory(), settings: Settings::default(), is_cut: false }
    }
}

impl<R: BufRead> LineReader for PlainReader<R> {
    fn read(&mut self, _prompt: &str, session: &Session) -> io::Result<Input> {
        let mut entry = String::new();
        loop {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line)? == 0 {
                if entry.is_empty() {
                    return Ok(Input::End);
                }
                // It is evaluated all the same: what is missing is told.
                self.is_cut = true;
                return Ok(Input::Entry(entry));
            }
            self.line += 1;
            let text = String::from_utf8(line).map_err(|error| {
                let column = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
                let (line, column) = (self.line, column.chars().count() + 1);
                let message = format!("line {line}, column {column} is not UTF-8 text");
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
            let is_first = entry.is_empty();
            entry.push_str(&text);
            if (is_first && text.starts_with([':', '!'])) || !session.needs_more(&entry) {
                self.history.add(&entry);
                return Ok(Input::Entry(entry));
            }
        }
    }

    fn history(&mut self) -> &mut History {
        &mut self.history
    }

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }
}
