//! Entries that are typed at a terminal, by means of rustyline.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::{Behavior, ColorMode, CompletionType, Config, ExternalPrinter};

use super::helper::{self, Helper, Prompt};
use super::past::{Past, Prefix};
use super::typing::Typing;
use super::{EditMode, GoOn, History, Input, LineReader, MetaCommand, Printer, Repair, Settings, dumb, keys};
use crate::process::os;
use crate::script::{Completeness, Session};

/// What stands in front of further lines where nothing can be drawn.
const CONTINUATION: &str = "… ";

/// rustyline's handlers of signals are there once for a process, and a second editor would panic over them.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// The editor at a terminal. There is one at a time.
pub(crate) struct Editor {
    source: Source,
    completeness: Arc<Completeness>,
    settings: Settings,
    printer: Option<Printer>,
    repair: Option<Repair>,
    typing: Typing,
    /// What was entered in this session and is kept: any of it may turn out to hold a secret.
    recent: Vec<String>,
}

enum Source {
    Drawn(Box<rustyline::Editor<Helper, Past>>),
    /// A terminal that can only be written to from left to right.
    Dumb(History),
}

impl Editor {
    /// An editor for the entries of a session, which says where the history is and whether there are colours.
    ///
    /// # Errors
    /// The terminal cannot be used, or there is an editor already.
    pub(crate) fn new(session: &Session) -> io::Result<Self> {
        if IN_USE.swap(true, Ordering::AcqRel) {
            return Err(io::Error::other("another editor has it"));
        }
        Self::only(session).inspect_err(|_| IN_USE.store(false, Ordering::Release))
    }

    fn only(session: &Session) -> io::Result<Self> {
        let context = session.runtime().context();
        let completeness = Arc::new(session.completeness());
        let history = history(session);
        let is_dumb = context.env("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let settings = Settings { color: session.shows_colors() && !is_dumb, ..Settings::default() };
        let source = match is_dumb {
            true => Source::Dumb(history),
            false => Source::Drawn(Box::new(drawn(history, completeness.clone())?)),
        };
        Ok(Self {
            source,
            completeness,
            settings,
            printer: None,
            repair: None,
            typing: Typing::default(),
            recent: Vec::new(),
        })
    }

    fn repair(&mut self) {
        if let Some(repair) = &mut self.repair {
            repair();
        }
    }

    /// Takes entries out again that hold something of which the last one has made a secret. Those of earlier sessions
    /// stay: a secret may be a word that stands in many of them.
    fn forget_secrets(&mut self, session: &Session) {
        let runtime = session.runtime();
        let told: Vec<String> = self.recent.extract_if(.., |entry| runtime.mask(entry) != *entry).collect();
        if !told.is_empty() {
            self.history().forget(|entry| told.iter().any(|told| told == entry));
        }
    }

    fn read_once(&mut self, prompt: &str, session: &Session) -> io::Result<Input> {
        let input = match &mut self.source {
            Source::Dumb(_) => read_dumb(prompt, &self.completeness, &self.typing),
            Source::Drawn(editor) => read_drawn(editor, prompt, session, &self.settings, &self.typing),
        };
        self.typing.end();
        input
    }
}

impl LineReader for Editor {
    fn read(&mut self, prompt: &str, session: &Session) -> io::Result<Input> {
        self.forget_secrets(session);
        self.tell_problem()?;
        self.repair();
        if let Some(printer) = &self.printer {
            printer.begin_reading();
        }
        let mut input = self.read_once(prompt, session);
        if input.as_ref().is_err_and(passes) {
            self.repair();
            input = self.read_once(prompt, session);
        }
        if let Some(printer) = &self.printer {
            printer.end_reading();
        }
        if let Ok(Input::Entry(entry)) = &input
            && !session.tells_secret(entry)
            && self.history().add(entry)
        {
            self.recent.push(entry.trim_end().to_string());
        }
        self.tell_problem()?;
        input
    }

    fn history(&mut self) -> &mut History {
        match &mut self.source {
            Source::Drawn(editor) => &mut editor.history_mut().history,
            Source::Dumb(history) => history,
        }
    }

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn printer(&mut self) -> Option<Printer> {
        if self.printer.is_none() {
            let Source::Drawn(editor) = &mut self.source else { return None };
            let mut above = editor.create_external_printer().ok()?;
            self.printer = Printer::new(move |text| above.print(text).is_ok()).ok();
        }
        self.printer.clone()
    }

    fn set_commands(&mut self, commands: Vec<MetaCommand>) {
        if let Source::Drawn(editor) = &mut self.source
            && let Some(helper) = editor.helper_mut()
        {
            helper.commands = commands;
        }
    }

    fn go_on(&mut self) -> Option<GoOn> {
        let (typing, printer) = (self.typing.clone(), self.printer());
        Some(Box::new(move || {
            if let Some(printer) = printer.as_ref().filter(|_| typing.go_on()) {
                // The line is drawn again below it.
                let _ = printer.print("\n");
            }
        }))
    }

    fn set_repair(&mut self, repair: Repair) {
        self.repair = Some(repair);
    }
}

impl Editor {
    /// Says once what is wrong with the history, since the session goes on without it.
    fn tell_problem(&mut self) -> io::Result<()> {
        match self.history().take_problem() {
            Some(problem) => os::write_standard_stream(2, format!("procscript: {problem}\n").as_bytes()),
            None => Ok(()),
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if let Some(printer) = &self.printer {
            printer.close();
        }
        IN_USE.store(false, Ordering::Release);
    }
}

fn drawn(history: History, completeness: Arc<Completeness>) -> io::Result<rustyline::Editor<Helper, Past>> {
    let config = Config::builder()
        .auto_add_history(false)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        // A list is shown in pages; a question before it would not hear Ctrl-C.
        .completion_prompt_limit(usize::MAX)
        .bracketed_paste(true)
        // Our output may go elsewhere: what is drawn must not.
        .behavior(if os::is_terminal(1) { Behavior::Stdio } else { Behavior::PreferTerm })
        .build();
    let prefix = Prefix::default();
    let past = Past { history, prefix: prefix.clone() };
    let mut editor = rustyline::Editor::with_history(config, past).map_err(unusable)?;
    let interrupts = Arc::<keys::InterruptState>::default();
    editor.set_helper(Some(Helper::new(prefix, interrupts.clone())));
    keys::bind(&mut editor, completeness, interrupts);
    Ok(editor)
}

fn read_drawn(
    editor: &mut rustyline::Editor<Helper, Past>,
    prompt: &str,
    session: &Session,
    settings: &Settings,
    typing: &Typing,
) -> io::Result<Input> {
    editor.set_edit_mode(match settings.edit_mode {
        EditMode::Emacs => rustyline::EditMode::Emacs,
        EditMode::Vi => rustyline::EditMode::Vi,
    });
    editor.set_color_mode(if settings.color { ColorMode::Forced } else { ColorMode::Disabled });
    let Some(helper) = editor.helper_mut() else { return Ok(Input::End) };
    let questions = helper.begin();
    let interrupts = helper.interrupts.clone();
    interrupts.is_dropped.store(false, Ordering::Relaxed);
    let prompt = Prompt { text: prompt, interrupts: interrupts.clone(), typing: typing.clone() };
    helper.settings = settings.clone();
    helper.classifier = settings.color.then(|| session.classifier());
    let result = std::thread::scope(|scope| {
        let answering = std::thread::Builder::new().name("completions".into());
        // Without a thread it is typed without help.
        let _ = answering.spawn_scoped(scope, move || helper::answer(session, &questions));
        let result = editor.readline(&prompt);
        if let Some(helper) = editor.helper_mut() {
            helper.end();
        }
        result
    });
    match result {
        Ok(line) if interrupts.is_dropped.load(Ordering::Relaxed) => {
            Ok(Input::Interrupted { has_dropped: !line.is_empty() })
        }
        Ok(entry) => Ok(Input::Entry(entry)),
        Err(ReadlineError::Interrupted) => Ok(Input::Interrupted { has_dropped: false }),
        Err(ReadlineError::Eof) => Ok(Input::End),
        Err(error) => Err(unusable(error)),
    }
}

fn read_dumb(prompt: &str, completeness: &Completeness, typing: &Typing) -> io::Result<Input> {
    let mut entry = String::new();
    loop {
        match dumb::read(if entry.is_empty() { prompt } else { CONTINUATION }, typing)? {
            dumb::Line::Text(line) => entry += &line,
            dumb::Line::Interrupted { has_dropped } => {
                return Ok(Input::Interrupted { has_dropped: has_dropped || !entry.is_empty() });
            }
            dumb::Line::End if entry.is_empty() => return Ok(Input::End),
            // What was typed so far is shown to be unfinished.
            dumb::Line::End => return Ok(Input::Entry(entry)),
        }
        if !keys::needs_more(completeness, &entry) {
            return Ok(Input::Entry(entry));
        }
        entry.push('\n');
    }
}

/// The history that the environment says: `PROCSCRIPT_HISTORY`, where no text is no history, or the file of this user.
fn history(session: &Session) -> History {
    let context = session.runtime().context();
    let absolute = |name: &str| context.env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let path = match context.env("PROCSCRIPT_HISTORY") {
        Some(path) if path.is_empty() => return History::in_memory(),
        Some(path) => context.absolute(path.as_ref()).ok(),
        None => {
            let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
            state.map(|state| state.join("procscript").join("history"))
        }
    };
    match path {
        Some(path) => History::at(&path),
        None => {
            let mut history = History::in_memory();
            history.note_problem("neither XDG_STATE_HOME nor HOME is set".to_string());
            history
        }
    }
}

/// Errors of a terminal that somebody else has left in a bad state: non-blocking, or with another group in front.
fn passes(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(os::EIO)
}

fn unusable(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(error) => io::Error::from_raw_os_error(error as i32),
        other => io::Error::other(other.to_string()),
    }
}
