//! Where entries come from: the one place that knows of a line editor.

mod editor;

use std::io;

use crate::script::Session;

pub(crate) use editor::Editor;

/// What came of asking for an entry.
#[derive(Debug)]
pub(crate) enum Input {
    /// A whole entry, of one line or several.
    Entry(String),
    /// Ctrl-C: what was typed is dropped.
    Interrupted,
    /// Ctrl-D on an empty line, or the end of what there was to read.
    End,
}

/// Reads entries. The session is there to be asked (for names to complete, for instance), never to be changed.
pub(crate) trait LineReader {
    /// Reads until an entry is complete.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn read(&mut self, prompt: &str, session: &Session) -> io::Result<Input>;
}
