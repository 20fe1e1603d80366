//! What could stand in strings and in the words of command templates: programs, files, variables, modules.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::Context;
use crate::script::scan::Unclosed;
use crate::script::session::Session;
use crate::script::stdlib;

use super::place::{Template, Text};
use super::words::Role;
use super::{Candidate, Completions, MOST, base, common_beginning, members};

/// So long a directory is listed: who presses Tab does not want to wait.
const BUDGET: Duration = Duration::from_millis(300);
/// So large a module is read to find out what is in it.
const LARGEST_MODULE: u64 = 1024 * 1024;

/// How a path is written where it stands.
enum Spelling {
    Bare,
    /// In a string with escapes.
    String,
    /// In a text that has none.
    Raw,
    /// In a word of a template, with the quote that is open.
    Word(Option<char>),
}

pub(super) fn complete_string(session: &Session, context: &Context, before: &str, text: &Text) -> Completions {
    let code = &text.code;
    let end = code.tokens.len();
    let token = |back: usize| end.checked_sub(back).map_or("", |at| code.text(at));
    let (start, content) = (text.start, text.content);
    let spelling = match text.quote {
        Unclosed::RawString | Unclosed::Backtick => Spelling::Raw,
        _ => Spelling::String,
    };
    if token(1) == "import" {
        return modules(context, start, content);
    }
    // The first argument, also as the first element of an array.
    let callee = match (token(1), token(2)) {
        ("(", callee) => callee,
        ("[", "(") => token(3),
        _ => "",
    };
    if matches!(callee, "env" | "env_remove" | "secret_env") && token(1) == "(" {
        return variables(context, start, content);
    }
    if takes_program(session, callee) && !content.contains('/') {
        return programs(session, context, start, content);
    }
    let Some(path) = unescaped(content, &spelling) else { return Completions::default() };
    files(context, start..before.len(), &path, &spelling, |_| true)
}

/// Whether the first argument of a function is the name of a program.
fn takes_program(session: &Session, function: &str) -> bool {
    matches!(function, "which" | "require")
        || members::signatures(session.editing().reference()).any(|(topic, signature)| {
            let first = signature.parameters.first();
            topic.module.is_none()
                && signature.name == function
                && first.is_some_and(|first| first.name.starts_with("program"))
        })
}

pub(super) fn complete_template(
    session: &Session,
    context: &Context,
    before: &str,
    template: &Template,
) -> Completions {
    let word = &template.word;
    // What a value is a part of cannot be known.
    let Some(value) = word.value.as_deref() else { return Completions::default() };
    let start = word.range.start;
    if word.role == Role::Program && !value.contains('/') && template.source[start..] == *value {
        return programs(session, context, start, value);
    }
    files(context, start..before.len(), value, &Spelling::Word(word.open_quote), |_| true)
}

/// The files that a path goes on with, as it is typed behind a meta command.
pub(super) fn complete_plain(context: &Context, text: &str) -> Completions {
    files(context, 0..text.len(), text, &Spelling::Bare, |_| true)
}

fn programs(session: &Session, context: &Context, start: usize, partial: &str) -> Completions {
    let (names, are_all) = session.editing().programs.beginning_with(context, partial);
    let found = Completions::of(start, names.into_iter().map(Candidate::plain).collect());
    if are_all { found } else { found.partly_seen() }
}

fn variables(context: &Context, start: usize, partial: &str) -> Completions {
    let names = context.variables().filter_map(|(name, _)| name.into_string().ok());
    let names = names.filter(|name| name.starts_with(partial) && !name.contains(['"', '\\']));
    Completions::of(start, names.map(Candidate::plain).collect())
}

fn modules(context: &Context, start: usize, partial: &str) -> Completions {
    let own = stdlib::MODULES.iter().map(|(name, _)| *name).filter(|name| name.starts_with(partial));
    let mut candidates: Vec<Candidate> = own.map(Candidate::plain).collect();
    let end = start + partial.len();
    let found = files(context, start..end, partial, &Spelling::String, |name| name.ends_with(".rhai"));
    candidates.extend(found.candidates.into_iter().map(|candidate| {
        let without = |text: &str| text.strip_suffix(".rhai").unwrap_or(text).to_string();
        Candidate { label: without(&candidate.label), text: without(&candidate.text), about: candidate.about }
    }));
    let told = Completions::of(start, candidates);
    match found.more {
        0 => told,
        more => Completions { more, common: common_beginning(&told.common, &found.common).to_string(), ..told },
    }
}

/// The files whose path begins with a text. Directories end in a slash, and are there whatever `is_wanted` says.
fn files(
    context: &Context,
    range: std::ops::Range<usize>,
    path: &str,
    spelling: &Spelling,
    is_wanted: impl Fn(&str) -> bool,
) -> Completions {
    let (dir, partial) = path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1));
    let listed = match dir {
        "" => base(context),
        dir => context.absolute(Path::new(dir)).ok(),
    };
    // A directory that cannot be read has nothing to tell.
    let Some(entries) = listed.and_then(|dir| std::fs::read_dir(dir).ok()) else { return Completions::default() };
    let end = Instant::now() + BUDGET;
    let mut names = Vec::new();
    let mut are_all = true;
    for entry in entries {
        let Ok(entry) = entry else { break };
        // What is hidden is shown to those who ask for it; what is not UTF-8 cannot be written.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with(partial) && (partial.starts_with('.') || !name.starts_with('.')) {
            names.push((name, entry));
        }
        if Instant::now() >= end {
            are_all = false;
            break;
        }
    }
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = names.len().saturating_sub(MOST);
    // In this order the ends have the least in common.
    let ends = names.first().zip(names.last()).and_then(|((first, _), (last, _))| {
        Some((spelt(&format!("{dir}{first}"), spelling, false)?, spelt(&format!("{dir}{last}"), spelling, false)?))
    });
    let common = ends.map_or_else(String::new, |(first, last)| common_beginning(&first, &last).to_string());
    let mut candidates = Vec::new();
    for (name, entry) in names {
        if candidates.len() == MOST {
            break;
        }
        // Only what is told is looked at: a link may lead to a directory.
        let kind = entry.file_type();
        let is_dir = kind.is_ok_and(|kind| kind.is_dir() || (kind.is_symlink() && entry.path().is_dir()));
        if !is_dir && !is_wanted(&name) {
            continue;
        }
        let slash = if is_dir { "/" } else { "" };
        let Some(text) = spelt(&format!("{dir}{name}{slash}"), spelling, !is_dir) else { continue };
        candidates.push(Candidate { label: format!("{name}{slash}"), text, about: None });
    }
    let found = Completions { start: range.start, candidates, more, common };
    if are_all { found } else { found.partly_seen() }
}

/// A path as it is written; `None` for one that cannot be.
fn spelt(path: &str, spelling: &Spelling, is_whole: bool) -> Option<String> {
    if path.contains(char::is_control) {
        return None;
    }
    let escaped = |special: &dyn Fn(char) -> bool| {
        path.chars().fold(String::new(), |mut text, char| {
            text.extend(special(char).then_some('\\'));
            text.push(char);
            text
        })
    };
    Some(match spelling {
        Spelling::Bare => path.to_string(),
        Spelling::Raw if path.contains(['"', '`', '$']) => return None,
        Spelling::Raw => path.to_string(),
        Spelling::String => escaped(&|char| matches!(char, '"' | '\\')),
        Spelling::Word(Some('\'')) if !path.contains(['\'', '\\', '`', '$']) => {
            format!("'{path}{}", if is_whole { "'" } else { "" })
        }
        Spelling::Word(Some('"')) => {
            format!("\"{}{}", escaped(&|char| matches!(char, '"' | '\\' | '$' | '`')), if is_whole { "\"" } else { "" })
        }
        Spelling::Word(_) => escaped(&|char| {
            !char.is_alphanumeric() && !matches!(char, '_' | '.' | '/' | '-' | '+' | ':' | '=' | '@' | '%' | ',')
        }),
    })
}

/// The path that a string stands for so far. One with other escapes than these is nothing that anybody completes.
fn unescaped(content: &str, spelling: &Spelling) -> Option<String> {
    if !matches!(spelling, Spelling::String) {
        return Some(content.to_string());
    }
    let mut text = String::new();
    let mut chars = content.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(chars.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            char => text.push(char),
        }
    }
    Some(text)
}

/// The text of a file that is no larger than a module may be.
pub(super) fn read_small(path: &Path) -> Option<String> {
    // A FIFO would wait for a writer.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(LARGEST_MODULE).read_to_string(&mut text).ok()?;
    Some(text)
}
