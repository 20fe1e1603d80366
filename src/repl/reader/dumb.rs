//! Entries that are typed at a terminal without an addressable cursor (`TERM=dumb`, an editor's shell window): the
//! system's own line editing, nothing drawn, no escape sequences.

use std::io::{self, BufRead};

use super::typing::Typing;
use crate::process::os;

/// What came of reading a line.
pub(super) enum Line {
    Text(String),
    Interrupted { has_dropped: bool },
    End,
}

/// Shows a prompt and reads a line, without its ending.
pub(super) fn read(prompt: &str, typing: &Typing) -> io::Result<Line> {
    let _quiet = os::QuietKeys::take()?;
    typing.begin();
    os::write_standard_stream(1, prompt.as_bytes())?;
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let end = bytes.iter().position(|byte| matches!(*byte, b'\n' | os::INTERRUPT));
        let last = end.map(|end| bytes[end]);
        let length = bytes.len();
        line.extend_from_slice(&bytes[..end.unwrap_or(length)]);
        input.consume(end.map_or(length, |end| end + 1));
        match last {
            Some(os::INTERRUPT) => {
                os::write_standard_stream(1, b"\n")?;
                return Ok(Line::Interrupted { has_dropped: !line.is_empty() });
            }
            None if length == 0 && line.is_empty() => {
                os::write_standard_stream(1, b"\n")?;
                return Ok(Line::End);
            }
            // Ctrl-D behind something sends it off, and a second one ends it.
            None if length > 0 => {}
            _ => return Ok(Line::Text(String::from_utf8_lossy(&line).into_owned())),
        }
    }
}
