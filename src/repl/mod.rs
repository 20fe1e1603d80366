//! The session at a terminal: read an entry, evaluate it, show its value.

mod commands;
mod notes;
mod plain;
mod reader;
mod terminal;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::process::{ErrorKind, Expression, escape_controls, orphans, os};
use crate::script::{Ending, Failure, FailureKind, Interrupter, Reply, Runtime, Session, View, ending_line};

use notes::Notes;
use plain::PlainReader;
use reader::{Editor, Input, LineReader};
use terminal::TerminalKeeper;

const PROMPT: &str = "> ";
/// When we are told to end while somebody types, background commands have so long to end.
const LAST_GRACE: Duration = Duration::from_secs(6);

/// How a session begins.
pub(crate) struct Options {
    /// A file that is evaluated before the first entry.
    pub file: Option<PathBuf>,
    /// Whether the file with the user's own settings is.
    pub has_rc: bool,
}

/// What the program knows of signals, and has to be told.
pub(crate) trait Signals {
    /// Says whether an entry is being typed, so that nothing runs.
    fn set_idle(&self, is_idle: bool);
    /// Whether a signal has come that ends the session.
    fn is_told_to_stop(&self) -> bool;
    /// Has Ctrl-C end the entry that runs, and not the session.
    fn interrupt_with(&self, interrupter: Interrupter);
    /// What is done when a signal ends the session while an entry is being typed.
    fn before_death(&self, last: Box<dyn Fn() + Send + Sync>);
    /// What is done when we were stopped and go on.
    fn when_continued(&self, go_on: Box<dyn Fn() + Send + Sync>);
}

/// Reads entries until the end of input or `exit()`.
pub(crate) fn run(runtime: Runtime, options: &Options, signals: &dyn Signals) -> Result<Ending, Failure> {
    let session = Session::new(runtime);
    signals.interrupt_with(session.interrupter());
    prepare_death(&session, signals);
    let term = session.runtime().context().env("TERM");
    let Some(keeper) = TerminalKeeper::of_stdin(term.as_deref().and_then(|term| term.to_str())) else {
        let mut reader = PlainReader::new(io::stdin().lock());
        let ending = Conversation::new(&mut reader, session, None, signals, &to_stream).hold(options);
        return match ending {
            Ok(Ending::Exited(0 | 1) | Ending::Finished(_)) if reader.is_cut => Ok(Ending::Exited(2)),
            ending => ending,
        };
    };
    let keeper = Arc::new(Mutex::new(keeper));
    let mut reader = Editor::new(&session).map_err(|error| unusable(&error))?;
    let repairing = keeper.clone();
    reader.set_repair(Box::new(move || lock(&repairing).repair()));
    let ending = Conversation::new(&mut reader, session, Some(keeper.clone()), signals, &to_stream).hold(options);
    lock(&keeper).restore();
    ending
}

/// Ends what the session has started, when there is no way back to it.
fn prepare_death(session: &Session, signals: &dyn Signals) {
    let (runtime, beside) = (session.runtime().clone(), session.beside().clone());
    signals.before_death(Box::new(move || {
        runtime.context().cancel_token().cancel();
        let end = Instant::now() + LAST_GRACE;
        while !beside.jobs().is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        orphans::end_leftovers(|| false);
        runtime.remove_temporaries();
    }));
}

/// Where it goes what a conversation shows: to standard output (1) or standard error (2).
type Write = dyn Fn(i32, &str) -> io::Result<()>;

fn to_stream(fd: i32, text: &str) -> io::Result<()> {
    os::write_standard_stream(fd, text.as_bytes())
}

/// What comes after an entry.
enum Next {
    Read,
    Leave(Result<Ending, Failure>),
}

/// A session with somebody who enters something.
struct Conversation<'a> {
    reader: &'a mut dyn LineReader,
    session: Session,
    keeper: Option<Arc<Mutex<TerminalKeeper>>>,
    signals: &'a dyn Signals,
    write: &'a Write,
    notes: Notes,
    view: View,
    /// Whether it was said how to leave.
    has_told_how_to_leave: bool,
    /// Whether it was said that commands are running.
    has_asked: bool,
    has_failed: bool,
}

impl<'a> Conversation<'a> {
    fn new(
        reader: &'a mut dyn LineReader,
        session: Session,
        keeper: Option<Arc<Mutex<TerminalKeeper>>>,
        signals: &'a dyn Signals,
        write: &'a Write,
    ) -> Self {
        let printer = reader.printer();
        let notes = Notes::new(session.beside(), session.runtime(), printer.clone());
        if let Some(printer) = printer {
            let is_typing = notes.is_typing.clone();
            session.set_prompt(move |text| is_typing.load(Ordering::Acquire) && printer.print(text).is_ok());
        }
        if let Some(go_on) = reader.go_on() {
            signals.when_continued(go_on);
        }
        reader.set_commands(commands::for_completion());
        Self {
            reader,
            session,
            keeper,
            signals,
            write,
            notes,
            view: View::default(),
            has_told_how_to_leave: false,
            has_asked: false,
            has_failed: false,
        }
    }

    fn hold(&mut self, options: &Options) -> Result<Ending, Failure> {
        for next in self.begin(options) {
            if let Next::Leave(ending) = next? {
                return ending;
            }
        }
        loop {
            for line in self.notes.take() {
                self.write(1, &format!("{line}\n"))?;
            }
            match self.read()? {
                Input::Entry(entry) => {
                    self.has_asked = false;
                    match self.answer(&entry) {
                        Ok(Next::Read) => {}
                        Ok(Next::Leave(ending)) => return ending,
                        Err(failure) => return Err(failure),
                    }
                }
                Input::Interrupted { has_dropped } => {
                    if !has_dropped && !std::mem::replace(&mut self.has_told_how_to_leave, true) {
                        self.write(1, "(Ctrl-D leaves)\n")?;
                    }
                }
                Input::End => match self.session.jobs().len() {
                    count if count > 0 && self.reader.is_typed() && !std::mem::replace(&mut self.has_asked, true) => {
                        let what =
                            if count == 1 { "a command is".to_string() } else { format!("{count} commands are") };
                        self.write(
                            1,
                            &format!("{what} still running (:jobs); Ctrl-D again ends the session with it all\n"),
                        )?;
                    }
                    _ => return Ok(Ending::Exited(i32::from(!self.reader.is_typed() && self.has_failed))),
                },
            }
        }
    }

    /// The user's settings, and the file that was given.
    fn begin(&mut self, options: &Options) -> Vec<Result<Next, Failure>> {
        let mut steps = Vec::new();
        if let Some(rc) = options.has_rc.then(|| self.rc_file()).flatten() {
            let result = self.session.load_settings(&rc).map(|ending| reply_of(&ending));
            steps.push(self.show(result));
        }
        if let Some(file) = &options.file {
            let result = self.session.load(file).map(|ending| reply_of(&ending));
            steps.push(self.show(result));
        }
        steps
    }

    fn rc_file(&self) -> Option<PathBuf> {
        let context = self.session.runtime().context();
        let absolute = |name: &str| context.env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
        Some(config.join("procscript/rc.rhai")).filter(|path| path.exists())
    }

    fn read(&mut self) -> Result<Input, Failure> {
        self.notes.watch();
        self.notes.is_typing.store(true, Ordering::Release);
        self.signals.set_idle(true);
        let input = self.reader.read(PROMPT, &self.session);
        self.signals.set_idle(false);
        self.notes.is_typing.store(false, Ordering::Release);
        // It may have become another while somebody typed.
        if let Some((columns, _)) = os::terminal_size(&1) {
            self.view.columns = columns;
        }
        self.session.set_view(self.view.clone());
        input.map_err(|error| unusable(&error))
    }

    fn answer(&mut self, entry: &str) -> Result<Next, Failure> {
        let line = entry.trim();
        if let Some(command) = line.strip_prefix(':') {
            return commands::run(self, command);
        }
        // With a space in front it is the operator.
        if let Some(line) = entry.strip_prefix('!') {
            return self.shell(line.trim());
        }
        match line.is_empty() {
            true => Ok(Next::Read),
            false => self.evaluate(entry),
        }
    }

    fn evaluate(&mut self, entry: &str) -> Result<Next, Failure> {
        let result = self.session.enter(entry);
        self.show(result)
    }

    /// A line for the shell, with the terminal.
    fn shell(&mut self, line: &str) -> Result<Next, Failure> {
        if line.is_empty() {
            self.write(2, "error: `!` is followed by a line for /bin/sh: !ls -l\n")?;
            return Ok(Next::Read);
        }
        let command = Expression::new("/bin/sh").args(["-c", line]).name(line);
        match self.session.run(command) {
            Ok(_) => self.after(true),
            Err(failure) => self.fail(&failure, true),
        }
    }

    /// What came of an entry, for whoever entered it.
    fn show(&mut self, result: Result<Reply, Failure>) -> Result<Next, Failure> {
        match result {
            Ok(Reply { exited: Some(code), .. }) => Ok(Next::Leave(Ok(Ending::Exited(code)))),
            Ok(Reply { shown, .. }) => {
                self.after(true)?;
                if let Some(shown) = shown {
                    let has_more =
                        shown.lines().last().is_some_and(|line| line.starts_with('…')) || shown.contains("\n… ");
                    let hint = if has_more { "\n(:all shows everything)" } else { "" };
                    self.write(1, &format!("{shown}{hint}\n"))?;
                }
                Ok(Next::Read)
            }
            Err(failure) => {
                let was_command = self.session.entries().last().is_some_and(|entry| entry.was_command);
                self.fail(&failure, was_command)
            }
        }
    }

    fn fail(&mut self, failure: &Failure, was_command: bool) -> Result<Next, Failure> {
        self.after(false)?;
        match failure.kind() {
            FailureKind::Output(_) => return Err(failure.clone()),
            // Ctrl-C ends the entry; any other signal, told to the process, ends the session.
            FailureKind::Interrupted if self.signals.is_told_to_stop() => return Err(failure.clone()),
            _ => {}
        }
        let text = was_command.then(|| short(failure)).flatten();
        let text = text.map_or_else(|| failure.render(), |text| format!("{}\n", escape_controls(&text)));
        // Behind the `^C` that the terminal shows.
        let feed = if self.reader.is_typed() && is_by_key(failure) { "\n" } else { "" };
        self.write(2, &format!("{feed}{text}"))?;
        Ok(Next::Read)
    }

    /// Puts in order what an entry has left behind.
    fn after(&mut self, has_succeeded: bool) -> Result<Next, Failure> {
        self.has_failed = !has_succeeded;
        let has_crashed = self.session.beside().take_crashed();
        if let Some(keeper) = &self.keeper {
            lock(keeper).after_entry(has_succeeded, has_crashed);
        }
        Ok(Next::Read)
    }

    fn write(&self, fd: i32, text: &str) -> Result<(), Failure> {
        (self.write)(fd, text).map_err(|error| {
            Failure::new(FailureKind::Output(error.raw_os_error()), format!("cannot write to the terminal: {error}"))
        })
    }

    fn say(&self, text: &str) -> Result<Next, Failure> {
        self.write(1, &self.session.runtime().mask(text))?;
        Ok(Next::Read)
    }

    fn complain(&mut self, text: &str) -> Result<Next, Failure> {
        self.has_failed = true;
        self.write(2, &self.session.runtime().mask(&format!("error: {}\n", escape_controls(text))))?;
        Ok(Next::Read)
    }
}

fn reply_of(ending: &Ending) -> Reply {
    let exited = match ending {
        Ending::Exited(code) => Some(*code),
        Ending::Finished(_) => None,
    };
    Reply { exited, shown: None, was_command: false }
}

/// Whether it is most likely the end that somebody has typed a key for.
fn is_by_key(failure: &Failure) -> bool {
    let status = || failure.command_error()?.status()?.signal();
    matches!(failure.kind(), FailureKind::Interrupted) || matches!(status(), Some(os::SIGINT | os::SIGQUIT))
}

/// How a command ended that everybody has seen, in one line.
fn short(failure: &Failure) -> Option<String> {
    let error = failure.command_error()?;
    let is_ending = matches!(error.kind(), ErrorKind::ExitStatus | ErrorKind::Signaled);
    let (command, status) = (error.command().filter(|_| is_ending)?, error.status()?);
    Some(ending_line(command, status, error.elapsed().unwrap_or_default()))
}

fn lock(keeper: &Mutex<TerminalKeeper>) -> std::sync::MutexGuard<'_, TerminalKeeper> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unusable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData => Failure::load(format!("cannot read standard input: {error}")),
        _ => Failure::new(FailureKind::Output(None), format!("cannot read from the terminal: {error}")),
    }
}
