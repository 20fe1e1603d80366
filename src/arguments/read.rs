//! What the arguments of a script mean: from the command line, else from the environment, else the default.

use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;

use super::clap_command::{Width, command};
use super::item::{Item, truth};
use super::{Declaration, rules};

/// A variable of the environment.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    /// `None` when it is not UTF-8.
    pub text: Option<String>,
    pub is_secret: bool,
}

/// What comes of reading the arguments.
#[derive(Debug)]
pub(crate) enum Answer<'d> {
    /// The words that chose a command, and every item of the levels that they go through.
    Values { commands: Vec<&'d str>, given: Vec<Given<'d>> },
    /// Help or the version was asked for.
    Print(String),
    /// They are wrong: what, in one line, and the whole text for whoever called.
    Wrong { message: String, text: String },
}

/// What one item is.
#[derive(Debug)]
pub(crate) struct Given<'d> {
    pub item: &'d Item,
    pub raw: Raw,
    /// Whether it was a secret before.
    pub is_secret: bool,
}

/// The texts fit the type of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    Missing,
    Flag(bool),
    Count(u64),
    One(String),
    Many(Vec<String>),
}

/// Reads the arguments of a script called `name`. The declaration has passed its [`check`](super::check).
pub(crate) fn read<'d>(
    declaration: &'d Declaration,
    name: &str,
    arguments: &[String],
    variable: &dyn Fn(&str) -> Option<Variable>,
    width: Width,
) -> Answer<'d> {
    // An empty one is what is left of a variable that somebody did not set.
    let variable = |item: &Item| {
        let found = item.env.as_deref().and_then(variable);
        found.filter(|variable| variable.text.as_deref() != Some(""))
    };
    let mut command = command(declaration, name, width);
    let words = std::iter::once(name).chain(arguments.iter().map(String::as_str));
    let matches = match command.try_get_matches_from_mut(words) {
        Ok(matches) => matches,
        Err(error) => {
            let text = error.render().to_string();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::Print(text),
                _ => wrong(text),
            };
        }
    };
    let (commands, levels) = levels(declaration, &matches);
    match values(&levels, &variable) {
        Ok(given) => Answer::Values { commands, given },
        Err((kind, message)) => {
            command.build();
            wrong(error_text(&mut command, &commands, kind, &message))
        }
    }
}

/// The error of the innermost command, with the usage of that.
fn error_text(command: &mut clap::Command, path: &[&str], kind: ErrorKind, message: &str) -> String {
    if let [first, rest @ ..] = path
        && let Some(next) = command.find_subcommand_mut(first)
    {
        return error_text(next, rest, kind, message);
    }
    command.error(kind, message).render().to_string()
}

fn wrong<'d>(text: String) -> Answer<'d> {
    let first = text.split("\n\n").next().unwrap_or(&text);
    let words: Vec<&str> = first.strip_prefix("error: ").unwrap_or(first).split_whitespace().collect();
    Answer::Wrong { message: words.join(" "), text }
}

type Levels<'d, 'm> = Vec<(&'d Declaration, &'m ArgMatches)>;

/// The declarations that the words go through, the outermost first, with what clap has found there.
fn levels<'d, 'm>(declaration: &'d Declaration, matches: &'m ArgMatches) -> (Vec<&'d str>, Levels<'d, 'm>) {
    let (mut commands, mut levels) = (Vec::new(), vec![(declaration, matches)]);
    let (mut declaration, mut matches) = (declaration, matches);
    while let Some((name, below)) = matches.subcommand() {
        let Some((name, next)) = declaration.commands.iter().find(|(known, _)| known == name) else { break };
        commands.push(name.as_str());
        levels.push((next, below));
        (declaration, matches) = (next, below);
    }
    (commands, levels)
}

type Wrong = (ErrorKind, String);

/// An item with what was found of it.
struct Found<'d> {
    item: &'d Item,
    raw: Raw,
    source: Source,
    is_secret: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    CommandLine,
    Environment,
    Default,
    Nothing,
}

fn values<'d>(levels: &Levels<'d, '_>, variable: &dyn Fn(&Item) -> Option<Variable>) -> Result<Vec<Given<'d>>, Wrong> {
    let mut found = Vec::new();
    for (depth, (declaration, _)) in levels.iter().enumerate() {
        for item in &declaration.items {
            // It may stand behind every command below.
            let raw = on_command_line(item, levels[depth..].iter().map(|(_, matches)| *matches))?;
            let source = if raw.is_some() { Source::CommandLine } else { Source::Nothing };
            found.push(Found { item, raw: raw.unwrap_or(Raw::Missing), source, is_secret: false });
        }
    }
    for index in 0..found.len() {
        if found[index].source == Source::Nothing {
            // What the command line says goes before the environment.
            let variable = if is_excluded(&found, index) { None } else { variable(found[index].item) };
            fill(&mut found[index], variable)?;
        }
    }
    for (index, one) in found.iter().enumerate() {
        if one.source == Source::Nothing && one.item.is_required && !is_excluded(&found, index) {
            let message = format!("the following required arguments were not provided:\n  {}", one.item.title());
            return Err((ErrorKind::MissingRequiredArgument, message));
        }
        relations(one, &found)?;
    }
    Ok(found.into_iter().map(|Found { item, raw, is_secret, .. }| Given { item, raw, is_secret }).collect())
}

/// Whether the command line has something that it cannot be used with.
fn is_excluded(found: &[Found], index: usize) -> bool {
    let one = found[index].item;
    found.iter().any(|other| other.source == Source::CommandLine && is_conflict(one, other.item))
}

pub(super) fn is_conflict(one: &Item, other: &Item) -> bool {
    let names = |one: &Item, other: &Item| one.conflicts.iter().any(|name| other.is_called(name));
    names(one, other) || names(other, one)
}

fn on_command_line<'m>(item: &Item, levels: impl Iterator<Item = &'m ArgMatches>) -> Result<Option<Raw>, Wrong> {
    let given = levels.filter(|matches| matches.value_source(&item.key) == Some(ValueSource::CommandLine));
    let given: Vec<&ArgMatches> = given.collect();
    if given.is_empty() {
        return Ok(None);
    }
    let texts = || given.iter().flat_map(|matches| matches.get_many::<String>(&item.key)).flatten().cloned();
    Ok(Some(match (item.is_flag(), item.is_many) {
        (true, true) => Raw::Count(given.iter().map(|matches| u64::from(matches.get_count(&item.key))).sum()),
        (true, false) => Raw::Flag(true),
        (false, true) => Raw::Many(texts().collect()),
        (false, false) if given.len() > 1 => {
            let message = format!("the argument '{}' cannot be used multiple times", item.title());
            return Err((ErrorKind::ArgumentConflict, message));
        }
        (false, false) => texts().next().map_or(Raw::Missing, Raw::One),
    }))
}

/// What holds where the command line says nothing.
fn fill(found: &mut Found, variable: Option<Variable>) -> Result<(), Wrong> {
    let item = found.item;
    if let Some(Variable { text, is_secret }) = variable {
        let name = item.env.as_deref().unwrap_or_default();
        let refuse = |shown: &str, why: String| {
            let title = item.title();
            let message = format!("invalid value {shown}for '{title}' in the environment variable {name}: {why}");
            Err((ErrorKind::ValueValidation, message))
        };
        let Some(text) = text else { return refuse("", "it is not UTF-8 text".to_string()) };
        if let Some(why) = rules::variable_refusal(item, &text) {
            let shown = match is_secret || item.value_type.is_secret {
                true => String::new(),
                false => format!("'{text}' "),
            };
            return refuse(&shown, why);
        }
        found.raw = raw(item, &text);
        found.source = Source::Environment;
        found.is_secret = is_secret;
        return Ok(());
    }
    found.raw = match &item.default {
        Some(default) => {
            found.source = Source::Default;
            raw(item, default)
        }
        None => match (item.is_flag(), item.is_many) {
            (true, true) => Raw::Count(0),
            (true, false) => Raw::Flag(false),
            (false, true) => Raw::Many(Vec::new()),
            (false, false) => Raw::Missing,
        },
    };
    Ok(())
}

/// A text that was not refused.
fn raw(item: &Item, text: &str) -> Raw {
    match (item.is_flag(), item.is_many) {
        (true, true) => Raw::Count(text.parse().unwrap_or_else(|_| u64::from(truth(text) == Some(true)))),
        (true, false) => Raw::Flag(truth(text) == Some(true)),
        (false, true) => Raw::Many(item.parts(text).into_iter().map(str::to_string).collect()),
        (false, false) => Raw::One(text.to_string()),
    }
}

/// A flag that the environment turns off is not given.
fn is_given(found: &Found) -> bool {
    let is_off = matches!(found.raw, Raw::Flag(false) | Raw::Count(0));
    matches!(found.source, Source::CommandLine | Source::Environment) && !is_off
}

fn relations(one: &Found, all: &[Found]) -> Result<(), Wrong> {
    if !is_given(one) {
        return Ok(());
    }
    let title = one.item.title();
    for other in all {
        if is_given(other) && one.item != other.item && is_conflict(one.item, other.item) {
            let message = format!("the argument '{title}' cannot be used with '{}'", other.item.title());
            return Err((ErrorKind::ArgumentConflict, message));
        }
        let is_needed = one.item.needs.iter().any(|name| other.item.is_called(name));
        let is_there = is_given(other) || other.source == Source::Default;
        if is_needed && !is_there {
            let message = format!("the argument '{title}' cannot be used without '{}'", other.item.title());
            return Err((ErrorKind::MissingRequiredArgument, message));
        }
    }
    Ok(())
}
