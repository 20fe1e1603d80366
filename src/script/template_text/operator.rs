//! The operators of the shell: those that a template has, and what to write for the others.

use super::RedirectKind;

/// An operator that a template has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    Pipe,
    Redirect(RedirectKind),
}

/// An operator that a template does not have.
pub(super) struct Refused {
    /// Its length in bytes, without the number before it.
    pub length: usize,
    pub help: String,
}

/// What a spelling means.
enum Meaning {
    Takes(Operator),
    Refuses(&'static str),
    /// `>&`, whose meaning hangs on what stands around it.
    Duplicates,
}

use Meaning::{Duplicates, Refuses, Takes};

/// Every operator of sh and bash; the longer one comes before the one that it begins with.
#[rustfmt::skip] // One operator, one line.
const SPELLINGS: &[(&str, Meaning)] = &[
    ("<<<", Refuses(HELP_HERE_DOCUMENT)),
    ("<<", Refuses(HELP_HERE_DOCUMENT)),
    ("<(", Refuses("use .stdin(command), or write its output to a temp_file() and name that")),
    ("<&", Refuses("use .stdin_fd(n)")),
    ("<>", Refuses("use `<` to read the file, or .stdin_fd(n)")),
    ("<", Takes(Operator::Redirect(RedirectKind::StdinFrom))),
    (">>&", Refuses("write `>>file 2>&1`")),
    (">>", Takes(Operator::Redirect(RedirectKind::StdoutAppend))),
    (">&", Duplicates),
    (">|", Refuses("write `>`: it always overwrites")),
    (">(", Refuses("write a pipeline, or use .tee(path) for a copy")),
    (">", Takes(Operator::Redirect(RedirectKind::StdoutTo))),
    ("&>>", Refuses("write `>>file 2>&1`")),
    ("&>", Takes(Operator::Redirect(RedirectKind::BothTo))),
    ("&&", Refuses("write two statements: the second runs only if the first succeeds; or quote it: '&&'")),
    ("&", Refuses("use .start() to run it in the background, or quote it: '&'")),
    ("||", Refuses("write `if !cmd.test() { … }`, or quote it: '||'")),
    ("|&", Refuses("write `2>&1 |`")),
    ("|", Takes(Operator::Pipe)),
    (";", Refuses("write two statements, or quote it: ';'")),
    ("(", Refuses("quote it: '(', or use sh(…) for the syntax of the shell")),
    (")", Refuses("quote it: ')', or use sh(…) for the syntax of the shell")),
];

const HELP_HERE_DOCUMENT: &str = "use .stdin(\"text\") to feed text to the program";

/// Whether an unquoted character ends a word because an operator begins with it.
pub(super) fn begins_operator(character: char) -> bool {
    matches!(character, '<' | '>' | '&' | '|' | ';' | '(' | ')')
}

/// Whether an unquoted character separates words.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Whether an unquoted character cannot be a part of a word.
pub(super) fn ends_word(character: char) -> bool {
    is_blank(character) || begins_operator(character)
}

/// Reads the operator at the start of `rest`, and its length.
///
/// `number` is the file descriptor written directly before it, or nothing. `glued` tells that a
/// slot follows `rest`, which makes it a part of the last word in it.
pub(super) fn read(number: &str, rest: &str, glued: bool) -> Result<(Operator, usize), Refused> {
    let spelling = SPELLINGS.iter().find(|(text, _)| rest.starts_with(text));
    let Some((text, meaning)) = spelling else {
        return Err(refused(rest.chars().next().map_or(0, char::len_utf8), "quote it"));
    };
    match meaning {
        Takes(Operator::Redirect(kind)) => match numbered(number, *kind) {
            Some(kind) => Ok((Operator::Redirect(kind), text.len())),
            None => Err(refused(text.len(), format!("use .fd({number}, target)"))),
        },
        Takes(operator) => Ok((*operator, text.len())),
        Refuses(help) => Err(refused(text.len(), *help)),
        Duplicates => duplicate(number, &rest[text.len()..], glued, text.len()),
    }
}

fn refused(length: usize, help: impl Into<String>) -> Refused {
    let help = help.into();
    Refused { length, help }
}

/// The redirection of a numbered descriptor, if it is one of the standard streams.
fn numbered(number: &str, kind: RedirectKind) -> Option<RedirectKind> {
    match (number, kind) {
        ("", _) | ("0", RedirectKind::StdinFrom) => Some(kind),
        ("1", RedirectKind::StdoutTo | RedirectKind::StdoutAppend) => Some(kind),
        ("2", RedirectKind::StdoutTo) => Some(RedirectKind::StderrTo),
        ("2", RedirectKind::StdoutAppend) => Some(RedirectKind::StderrAppend),
        _ => None,
    }
}

/// Reads what follows `>&`. Only `2>&1` has a meaning; its `1` has to be a word of its own.
fn duplicate(number: &str, after: &str, glued: bool, length: usize) -> Result<(Operator, usize), Refused> {
    let end = after.find(ends_word);
    let word = &after[..end.unwrap_or(after.len())];
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if (glued && end.is_none()) || !(is_number || word == "-") {
        return Err(refused(length, "write `&>file` for both streams, or `2>&1`"));
    }
    let length = length + word.len();
    match (number, word) {
        ("2", "1") => Ok((Operator::Redirect(RedirectKind::StderrToStdout), length)),
        ("" | "1", "2") => Err(refused(length, "use .stdout_to_stderr()")),
        ("" | "1", "-") => Err(refused(length, "use .stdout_null()")),
        ("2", "-") => Err(refused(length, "use .stderr_null()")),
        ("", _) => Err(refused(length, format!("use .fd(1, {word})"))),
        (_, "-") => Err(refused(length, "leave it out: the program has only the descriptors that are given to it")),
        _ => Err(refused(length, format!("use .fd({number}, {word})"))),
    }
}
