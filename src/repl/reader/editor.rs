//! Entries that are typed, by means of rustyline.

use std::io;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::{History, Input, LineReader, Settings};
use crate::script::Session;

const CONTINUATION: &str = "… ";

/// The editor at a terminal.
pub(crate) struct Editor {
    editor: DefaultEditor,
    history: History,
    settings: Settings,
}

impl Editor {
    /// # Errors
    /// The terminal cannot be used.
    pub(crate) fn new(_session: &Session) -> io::Result<Self> {
        Ok(Self {
            editor: DefaultEditor::new().map_err(unusable)?,
            history: History::in_memory(),
            settings: Settings::default(),
        })
    }
}

impl LineReader for Editor {
    fn read(&mut self, prompt: &str, _session: &Session) -> io::Result<Input> {
        let mut entry = String::new();
        loop {
            match self.editor.readline(if entry.is_empty() { prompt } else { CONTINUATION }) {
                Ok(line) => {
                    entry.push_str(&line);
                    entry.push('\n');
                }
                Err(ReadlineError::Interrupted) => return Ok(Input::Interrupted),
                Err(ReadlineError::Eof) => return Ok(Input::End),
                Err(error) => return Err(unusable(error)),
            }
            if !Session::is_incomplete(&entry) {
                if !entry.trim().is_empty() {
                    let _ = self.editor.add_history_entry(entry.trim_end());
                }
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

fn unusable(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
