//! Where entries come from: the one place that knows of a line editor.

mod dumb;
mod editor;
mod helper;
mod history;
mod keys;
mod past;
mod printer;
mod typing;

use std::io;

use crate::script::Session;

pub(crate) use editor::Editor;
pub(crate) use history::History;
pub(crate) use printer::Printer;

/// What came of asking for an entry.
#[derive(Debug)]
pub(crate) enum Input {
    /// A whole entry, of one line or several.
    Entry(String),
    /// Ctrl-C: what was typed is dropped, if there was something.
    Interrupted { has_dropped: bool },
    /// Ctrl-D on an empty line, or the end of what there was to read.
    End,
}

/// Reads entries. The session is there to be asked (for names to complete, for instance), never to be changed.
pub(crate) trait LineReader {
    /// Reads until an entry is complete. What it reads is in the history when it returns.
    ///
    /// # Errors
    /// The terminal cannot be read, not even after it was repaired.
    fn read(&mut self, prompt: &str, session: &Session) -> io::Result<Input>;

    /// What was entered before, in earlier sessions and in this.
    fn history(&mut self) -> &mut History;

    /// How it is read: changes count from the next entry on.
    fn settings(&mut self) -> &mut Settings;

    /// Whether somebody types the entries, who can be asked, and sees what was wrong with one.
    fn is_typed(&self) -> bool {
        false
    }

    /// For what other threads have to say while an entry is being typed: it goes above the line. `None` where nothing
    /// is typed at a terminal, so that everybody may write as usual.
    fn printer(&mut self) -> Option<Printer> {
        None
    }

    /// Tells which meta commands there are, to complete them.
    fn set_commands(&mut self, _commands: Vec<MetaCommand>) {}

    /// What has typing go on when this process was stopped and is continued: a shell has set the terminal for itself
    /// meanwhile. Called from any thread, it does nothing while no entry is being typed. `None` where nothing is typed
    /// at a terminal.
    fn go_on(&mut self) -> Option<GoOn> {
        None
    }

    /// What puts the terminal in order. It is called before each read, and again when reading fails all the same.
    fn set_repair(&mut self, _repair: Repair) {}
}

/// Puts the terminal in order: our process group in the foreground, its modes sane, its descriptors blocking.
pub(crate) type Repair = Box<dyn FnMut()>;

/// Has typing go on after a stop.
pub(crate) type GoOn = Box<dyn Fn() + Send + Sync>;

/// How entries are typed and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub edit_mode: EditMode,
    /// Whether what is typed is shown in colours.
    pub color: bool,
    /// Whether the rest of an earlier entry, or what a function takes, is shown behind the cursor.
    pub hints: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { edit_mode: EditMode::Emacs, color: false, hints: true }
    }
}

/// Whose keys count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EditMode {
    #[default]
    Emacs,
    Vi,
}

/// A meta command, as far as completing it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetaCommand {
    /// With its colon.
    pub name: String,
    /// One sentence.
    pub summary: String,
    pub argument: Argument,
}

/// What follows a meta command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing that could be completed.
    None,
    /// An expression.
    Code,
    /// The path of a file.
    Path,
    /// One of these words.
    OneOf(Vec<String>),
    /// The name of something that is documented: a function, a type, a module.
    Documented,
}
