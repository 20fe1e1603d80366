//! The keys that mean something else than they do to rustyline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::history::History;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, Helper, KeyCode, KeyEvent, Modifiers,
    Movement, RepeatCount,
};

use crate::script::Completeness;

/// One level of brackets, as the formatter has it.
const INDENT: usize = 4;

/// What has to be known about Ctrl-C, which is not the same everywhere.
#[derive(Debug, Default)]
pub(super) struct InterruptState {
    /// Whether candidates are being listed, page by page: set while they are looked at, cleared by the next prompt.
    pub is_listing: AtomicBool,
    /// Whether the line that was sent off is to be dropped.
    pub is_dropped: AtomicBool,
}

pub(super) fn bind<H: Helper, P: History>(
    editor: &mut Editor<H, P>,
    completeness: Arc<Completeness>,
    state: Arc<InterruptState>,
) {
    let mut bind = |key: KeyEvent, handler: EventHandler| {
        editor.bind_sequence(key, handler);
    };
    for key in [KeyEvent::from('\r'), KeyEvent::from('\n'), KeyEvent(KeyCode::Enter, Modifiers::NONE)] {
        bind(key, EventHandler::Conditional(Box::new(Enter(completeness.clone()))));
    }
    for key in [KeyCode::Enter, KeyCode::Char('\r'), KeyCode::Char('\n'), KeyCode::Char('M'), KeyCode::Char('J')] {
        for modifiers in [Modifiers::ALT, Modifiers::CTRL_ALT, Modifiers::SHIFT] {
            if !matches!((key, modifiers), (KeyCode::Char('M' | 'J'), Modifiers::ALT | Modifiers::SHIFT)) {
                bind(KeyEvent(key, modifiers), EventHandler::Conditional(Box::new(Newline)));
            }
        }
    }
    bind(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(Interrupt(state))));
    // It would stop our whole process group, with everything that is running in it.
    bind(KeyEvent::ctrl('Z'), Cmd::Noop.into());
    for key in [KeyEvent(KeyCode::End, Modifiers::NONE), KeyEvent::ctrl('E'), KeyEvent::ctrl('F')] {
        bind(key, EventHandler::Conditional(Box::new(AcceptHint)));
    }
    for key in [KeyEvent::alt('f'), KeyEvent(KeyCode::Right, Modifiers::ALT), KeyEvent(KeyCode::Right, Modifiers::CTRL)]
    {
        bind(key, EventHandler::Conditional(Box::new(AcceptWord)));
    }
}

/// Sends an entry off that is complete, and goes on in a new line with one that is not.
struct Enter(Arc<Completeness>);

impl ConditionalEventHandler for Enter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        // What a paste has left is not part of the entry.
        let entry = context.line();
        Some(match needs_more(&self.0, entry) {
            true => newline(context),
            false => Cmd::AcceptLine,
        })
    }
}

/// Whether an entry goes on. A meta command and a line for the shell are complete as they are.
pub(super) fn needs_more(completeness: &Completeness, entry: &str) -> bool {
    !entry.trim_start().starts_with(':') && !entry.starts_with('!') && completeness.needs_more(entry)
}

/// Drops what was typed. Of a list, only the list is left: rustyline would not hear the key there.
struct Interrupt(Arc<InterruptState>);

impl ConditionalEventHandler for Interrupt {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        if self.0.is_listing.load(Ordering::Relaxed) {
            // What the backspace key does there; a letter might be taken for the repetition of the last insertion.
            return Some(Cmd::Kill(Movement::BackwardChar(1)));
        }
        // Not as an interruption: rustyline would throw away what was typed behind the key.
        self.0.is_dropped.store(true, Ordering::Relaxed);
        Some(Cmd::AcceptLine)
    }
}

/// Goes on in a new line, whatever the entry is.
struct Newline;

impl ConditionalEventHandler for Newline {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        Some(newline(context))
    }
}

fn newline(context: &EventContext) -> Cmd {
    let (before, after) = context.line().split_at(context.pos());
    Cmd::Insert(1, format!("\n{}", indent(before, after)))
}

/// The indentation of a new line between two parts of an entry.
fn indent(before: &str, after: &str) -> String {
    let closes = after.trim_start_matches(' ').starts_with([')', ']', '}']);
    let levels = crate::script::open_levels(before).saturating_sub(usize::from(closes));
    " ".repeat(INDENT * levels.min(20))
}

/// Takes the hint at the end of the line, as the right arrow does.
struct AcceptHint;

impl ConditionalEventHandler for AcceptHint {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        hint(context).map(|_| Cmd::CompleteHint)
    }
}

/// Takes the first word of the hint.
struct AcceptWord;

impl ConditionalEventHandler for AcceptWord {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let hint = hint(context)?;
        let is_word = |char: char| char.is_alphanumeric() || char == '_';
        let start = hint.find(is_word).unwrap_or(hint.len());
        let end = hint[start..].find(|char| !is_word(char)).map_or(hint.len(), |length| start + length);
        Some(Cmd::Insert(1, hint[..end].to_string()))
    }
}

/// What the hint would add at the cursor.
fn hint<'a>(context: &'a EventContext) -> Option<&'a str> {
    context.hint_text().filter(|hint| !hint.is_empty() && context.pos() == context.line().len())
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn a_new_line_is_indented_by_what_is_open() {
        for (before, after, wanted) in [
            ("fn f() {", "", 4),
            ("f(|x| {", "", 4),
            ("{\nf(|x| {", "", 8),
            ("fn f() {", "}", 0),
            ("if x { g([", " ]) }", 0),
            ("f(1", ")", 0),
            ("let x = ", "", 0),
            // White space in a text is text.
            ("{ let s = `a", "", 0),
            ("{ $`a", "", 0),
            ("{ `a ${ f(", "", 0),
            ("{ // (", "", 4),
        ] {
            assert_eq!(indent(before, after).len(), wanted, "{before:?} {after:?}");
        }
    }
}
