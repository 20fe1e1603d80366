//! What each command of the session does.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::{COMMANDS, Command, SETTINGS, find, similar};
use crate::process::{Expression, duration_text, escape_controls, nearest_name, os};
use crate::repl::reader::EditMode;
use crate::repl::{Conversation, Next, reply_of};
use crate::script::docs::{self, Reference};
use crate::script::{Ending, Failure, Timing};
use crate::terminal::Table;

type Done = Result<Next, Failure>;

/// Nobody edits a longer entry; `:load` takes it.
const LONGEST_EDITED: u64 = 1024 * 1024;

/// So many entries of the history are listed.
const HISTORY: usize = 50;

pub(super) fn help(conversation: &mut Conversation, name: &str) -> Done {
    let name = name.trim_start_matches(':');
    if name.is_empty() {
        let rows = COMMANDS.iter().map(|command| vec![command.usage(), command.summary.to_string()]).collect();
        let table = Table { rows, ..Table::default() }.render();
        let general = find("help").map_or("", |help| help.help);
        return conversation.say(&format!("{}\n{table}\n", wrapped(general, 80)));
    }
    match find(name) {
        Some(command) => conversation.say(&manual(command)),
        None => {
            let hint =
                similar(name).map_or("`:help` lists them".to_string(), |name| format!("did you mean `:{name}`?"));
            conversation.complain(&format!("there is no command `:{name}`; {hint}"))
        }
    }
}

fn manual(command: &Command) -> String {
    let mut text = format!("{}\n    {}.\n", command.usage(), command.summary);
    if !command.aliases.is_empty() {
        let aliases: Vec<String> = command.aliases.iter().map(|alias| format!(":{alias}")).collect();
        let _ = writeln!(text, "    Also: {}", aliases.join(", "));
    }
    for line in wrapped(command.help, 76).lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

/// A text in lines of at most so many columns.
fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if length > 0 {
            let fits = length + 1 + width <= columns;
            lines.push(if fits { ' ' } else { '\n' });
            length = if fits { length + 1 } else { 0 };
        }
        lines.push_str(word);
        length += width;
    }
    lines.push('\n');
    lines
}

pub(super) fn doc(conversation: &mut Conversation, name: &str) -> Done {
    let reference = Reference::load();
    if name.is_empty() {
        return conversation.say(&reference.topics_in(conversation.view.columns));
    }
    match docs::find(&reference, name) {
        Ok(found) => conversation.say(&found.text()),
        Err(similar) => {
            let hint = similar.map_or("`:doc` lists the topics".to_string(), |name| format!("did you mean `{name}`?"));
            conversation.complain(&format!("nothing is called `{name}`; {hint}"))
        }
    }
}

pub(super) fn kind(conversation: &mut Conversation, expression: &str) -> Done {
    match conversation.session.kind_of(expression) {
        Ok(kind) => {
            conversation.say(&format!("{kind}\n"))?;
            conversation.after(true)
        }
        Err(failure) => conversation.fail(&failure, false),
    }
}

pub(super) fn time(conversation: &mut Conversation, entry: &str) -> Done {
    let next = conversation.evaluate(entry)?;
    if let Some(timing) = conversation.session.last_timing() {
        conversation.say(&timing_text(timing))?;
    }
    Ok(next)
}

fn timing_text(timing: &Timing) -> String {
    let row = |what: &str, elapsed, usage: &crate::process::Usage| {
        vec![what.to_string(), duration_text(elapsed), duration_text(usage.user), duration_text(usage.system)]
    };
    let mut rows = vec![row("procscript", timing.elapsed, &timing.own)];
    for stage in timing.commands.iter().flat_map(|output| &output.stages) {
        rows.push(row(&format!("{} (pid {})", stage.command, stage.pid), stage.elapsed, &stage.usage));
    }
    let header = ["", "wall", "user", "system"].map(String::from).to_vec();
    format!("{}\n", Table { header: Some(header), rows, ..Table::default() }.render())
}

pub(super) fn variables(conversation: &mut Conversation, _: &str) -> Done {
    let variables = conversation.session.variables();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for variable in variables {
        let name = if variable.is_constant { format!("const {}", variable.name) } else { variable.name };
        let first = variable.shown.lines().next().unwrap_or_default().to_string();
        rows.push(vec![name, variable.kind, first]);
    }
    for (name, parameters) in conversation.session.defined_functions() {
        rows.push(vec![format!("fn {name}({})", parameters.join(", ")), "a function".to_string()]);
    }
    if rows.is_empty() {
        return conversation.say("no variables\n");
    }
    let columns = Some(conversation.view.columns);
    conversation.say(&format!("{}\n", Table { rows, columns, ..Table::default() }.render()))
}

pub(super) fn all(conversation: &mut Conversation, _: &str) -> Done {
    match conversation.session.show_last() {
        Some(shown) => conversation.say(&format!("{shown}\n")),
        None => conversation.complain("there is no value yet"),
    }
}

pub(super) fn error(conversation: &mut Conversation, _: &str) -> Done {
    match conversation.session.last_failure().map(Failure::render) {
        Some(report) => conversation.say(&report),
        None => conversation.say("no error yet\n"),
    }
}

pub(super) fn load(conversation: &mut Conversation, path: &str) -> Done {
    let Some(path) = path_of(conversation, path) else {
        return conversation.complain("`:load` is followed by the path of a file");
    };
    let result = conversation.session.load(path).map(|ending| reply_of(&ending));
    conversation.show(result)
}

pub(super) fn save(conversation: &mut Conversation, path: &str) -> Done {
    let Some(path) = path_of(conversation, path) else {
        return conversation.complain("`:save` is followed by the path of a file");
    };
    let script = conversation.session.script();
    if script.is_empty() {
        return conversation.complain("there is nothing to save: no entry has succeeded yet");
    }
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = written.and_then(|mut file| {
        file.write_all(format!("#!/usr/bin/env procscript\n{script}").as_bytes())?;
        file.sync_all().or_else(|error| if error.kind() == io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) })
    });
    match written {
        Ok(()) => {
            conversation.say(&format!("saved {} lines in {}\n", script.lines().count() + 1, path.display()))?;
            let problems = conversation.session.runtime().check("the saved script", &script).unwrap_or_default();
            match problems.first() {
                None => Ok(Next::Read),
                Some(problem) => conversation.complain(&format!("but it does not run as it is: {}", problem.message())),
            }
        }
        Err(error) => conversation.complain(&format!("cannot write `{}`: {}", path.display(), reason(&error))),
    }
}

/// A path as it was typed, perhaps in quotes; relative ones count from the directory of the session.
fn path_of(conversation: &Conversation, path: &str) -> Option<PathBuf> {
    let quoted = |quote: char| path.strip_prefix(quote).and_then(|path| path.strip_suffix(quote));
    let path = quoted('"').or_else(|| quoted('\'')).unwrap_or(path);
    let context = conversation.session.runtime().context();
    let path = match path.strip_prefix("~/") {
        Some(rest) => Path::new(&context.env("HOME")?).join(rest),
        None => PathBuf::from(path),
    };
    if path.as_os_str().is_empty() {
        return None;
    }
    Some(context.absolute(&path).unwrap_or(path))
}

fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), os::errno_text)
}

pub(super) fn edit(conversation: &mut Conversation, number: &str) -> Done {
    let entries = conversation.session.entries();
    let entry = match number {
        "" => entries.last(),
        number => {
            let name = format!("entry {number}");
            let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
                return conversation.complain(&format!("there is no entry {number}"));
            };
            Some(entry)
        }
    };
    let before = entry.map_or(String::new(), |entry| format!("{}\n", entry.source.trim_end()));
    match edited(conversation, &before) {
        Ok(Some(after)) => {
            conversation.say(&after)?;
            conversation.reader.history().add(&after);
            conversation.answer(&after)
        }
        Ok(None) => conversation.say("nothing was changed\n"),
        Err(Stopped::Editor(failure)) => conversation.fail(&failure, true),
        Err(Stopped::File(error)) => conversation.complain(&format!("cannot edit the entry: {}", reason(&error))),
        Err(Stopped::Text(why)) => conversation.complain(&format!("the edited text is no entry: {why}")),
        Err(Stopped::Name(name)) => conversation.complain(&format!("the editor `{name}` is no command line")),
    }
}

/// Why nothing was edited.
enum Stopped {
    Editor(Failure),
    File(io::Error),
    /// What the editor has left.
    Text(&'static str),
    Name(String),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// What a person makes of a text; `None` when that is the same.
fn edited(conversation: &mut Conversation, before: &str) -> Result<Option<String>, Stopped> {
    let mut file = tempfile::Builder::new().prefix("entry-").suffix(".rhai").tempfile()?;
    file.write_all(before.as_bytes())?;
    file.flush()?;
    let context = conversation.session.runtime().context();
    let named = |name: &str| context.env(name).filter(|value| !value.is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".into());
    let editor = editor.to_string_lossy().into_owned();
    let words = shell_words::split(&editor).ok().filter(|words| !words.is_empty());
    let Some((program, arguments)) = words.as_ref().and_then(|words| words.split_first()) else {
        return Err(Stopped::Name(editor));
    };
    let command = Expression::new(program).args(arguments).arg(file.path());
    conversation.session.run(command).map_err(Stopped::Editor)?;
    conversation.after(true).map_err(Stopped::Editor)?;
    // An editor may have put another file in its place, or none.
    let (left, _) = os::open_for_reading(file.path())?;
    if !left.metadata()?.is_file() {
        return Err(Stopped::Text("it is no regular file"));
    }
    let mut bytes = Vec::new();
    left.take(LONGEST_EDITED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_EDITED {
        return Err(Stopped::Text("it is longer than 1 MiB"));
    }
    let after = String::from_utf8(bytes).map_err(|_| Stopped::Text("it is not UTF-8"))?;
    Ok(Some(after).filter(|after| after != before && !after.trim().is_empty()))
}

pub(super) fn jobs(conversation: &mut Conversation, _: &str) -> Done {
    let row = |job: &crate::script::Job| {
        let pids: Vec<String> = job.pids().iter().map(ToString::to_string).collect();
        vec![pids.join(", "), duration_text(job.age()), escape_controls(job.command())]
    };
    let rows: Vec<Vec<String>> = conversation.session.jobs().iter().map(row).collect();
    if rows.is_empty() {
        return conversation.say("nothing is running\n");
    }
    let header = Some(["pid", "time", "command"].map(String::from).to_vec());
    let columns = Some(conversation.view.columns);
    conversation.say(&format!("{}\n", Table { header, rows, columns, ..Table::default() }.render()))
}

pub(super) fn history(conversation: &mut Conversation, text: &str) -> Done {
    let mut found: Vec<String> = conversation
        .reader
        .history()
        .search(text)
        .take(HISTORY)
        .map(|entry| entry.entry.lines().map(escape_controls).collect::<Vec<_>>().join("\n  "))
        .collect();
    found.reverse();
    let listed: String = found.iter().flat_map(|entry| [entry.as_str(), "\n"]).collect();
    conversation.say(if listed.is_empty() { "nothing was entered yet\n" } else { &listed })
}

pub(super) fn set(conversation: &mut Conversation, words: &str) -> Done {
    let (name, value) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() {
        let rows = conversation.view.rows;
        let settings = conversation.reader.settings();
        let on = |is_on: bool| if is_on { "on" } else { "off" };
        let edit = if settings.edit_mode == EditMode::Vi { "vi" } else { "emacs" };
        let (color, hints) = (on(settings.color), on(settings.hints));
        return conversation.say(&format!("edit {edit}\ncolor {color}\nhints {hints}\nrows {rows}\n"));
    }
    let Some((_, values)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
        let names = SETTINGS.iter().map(|(name, _)| name.to_string());
        let hint = match nearest_name(name, names.clone()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        return conversation.complain(&format!("`:set` knows no `{name}`; {hint}"));
    };
    if !values.is_empty() && !values.contains(&value) {
        return conversation.complain(&format!("`:set {name}` is followed by {}", values.join(" or ")));
    }
    let settings = conversation.reader.settings();
    match name {
        "edit" => settings.edit_mode = if value == "vi" { EditMode::Vi } else { EditMode::Emacs },
        "color" => settings.color = value == "on",
        "hints" => settings.hints = value == "on",
        _ => match value.parse::<usize>().ok().filter(|rows| *rows > 0) {
            Some(rows) => conversation.view.rows = rows,
            None => return conversation.complain("`:set rows` is followed by a number of at least 1"),
        },
    }
    Ok(Next::Read)
}

pub(super) fn reset(conversation: &mut Conversation, _: &str) -> Done {
    conversation.session.reset();
    Ok(Next::Read)
}

pub(super) fn quit(_: &mut Conversation, _: &str) -> Done {
    Ok(Next::Leave(Ok(Ending::Exited(0))))
}
