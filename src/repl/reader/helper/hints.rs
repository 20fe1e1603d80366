//! What is shown behind the cursor: the rest of an earlier entry, or what a call takes.

use rustyline::Context;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;

use super::Helper;

impl Helper {
    /// The rest of the newest entry that begins so.
    fn from_history(line: &str, context: &Context) -> Option<String> {
        let last = context.history().len().checked_sub(1)?;
        let mut index = last;
        loop {
            let found = context.history().starts_with(line, index, SearchDirection::Reverse).ok()??;
            if let Some(rest) = found.entry.strip_prefix(line).filter(|rest| !rest.is_empty()) {
                return Some(rest.to_string());
            }
            index = found.idx.checked_sub(1)?;
        }
    }

    /// How the function is called whose arguments are about to be written.
    fn signature(&self, line: &str) -> Option<String> {
        if !line.trim_end().ends_with(['(', ',']) || line.starts_with([':', '!']) {
            return None;
        }
        let text = line.to_string();
        self.ask(move |session| session.signature_at(&text, text.len())).flatten().filter(|text| !text.is_empty())
    }
}

/// What is shown behind the cursor.
pub(in crate::repl::reader) enum Suggestion {
    /// The rest of an entry, which can be accepted.
    Rest(String),
    /// Something to know.
    Note(String),
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        let (Self::Rest(text) | Self::Note(text)) = self;
        text
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Self::Rest(text) => Some(text),
            Self::Note(_) => None,
        }
    }
}

impl Hinter for Helper {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        let is_back = context.history_index() < context.history().len();
        if !is_back {
            self.prefix.set(line);
        }
        // Without colours it could not be told from what was typed.
        if !self.settings.hints || !self.settings.color || is_back || pos < line.len() || line.is_empty() {
            return None;
        }
        let rest = Self::from_history(line, context).map(Suggestion::Rest);
        rest.or_else(|| self.signature(line).map(|text| Suggestion::Note(format!("  {text}"))))
    }
}
