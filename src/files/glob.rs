//! Names that match a pattern.
//!
//! The library `glob` says whether one name matches one part of a pattern. Going through directories is done here: the
//! library's own way starts at the directory of this process, passes over names that are not UTF-8, and
//! knows no `{a,b}`.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::process::Error;

use super::walk::{is_hidden, is_unreadable, read_dir};
use super::{Location, Watch};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Globbing {
    /// Whether `*` and `**` match what begins with a dot.
    pub hidden: bool,
    /// Whether a directory that may not be read is passed over; it is an error otherwise.
    pub skip_unreadable: bool,
}

/// More alternatives than anybody means: `{a,b}` doubles them each time.
const MOST_ALTERNATIVES: usize = 4096;

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// One level of a pattern.
#[derive(Debug)]
enum Part {
    /// A name as it is.
    Name(OsString),
    Matching {
        pattern: Pattern,
        /// It begins with a dot itself.
        has_dot: bool,
    },
    /// Any number of directories, none included.
    Anywhere,
}

/// What matches the pattern in `base`, sorted by the bytes of the names; nothing is an answer. Relative patterns give
/// paths as relative as `base` is shown.
pub(crate) fn glob(base: &Location, pattern: &str, options: &Globbing, watch: &Watch) -> Result<Vec<PathBuf>, Error> {
    let invalid = |why: String| Error::invalid_argument(format!("`{pattern}` is not a pattern: {why}"));
    if pattern.is_empty() {
        return Err(invalid("it is empty".to_string()));
    }
    let mut found = BTreeSet::new();
    for alternative in alternatives(pattern).map_err(invalid)? {
        let is_absolute = alternative.starts_with('/');
        let parts = alternative.split('/').filter(|part| !part.is_empty());
        let mut parts = parts.map(parse).collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        // Two in a row stand for what one stands for, but by as many ways as there are directories.
        parts.dedup_by(|one, other| matches!((one, other), (Part::Anywhere, Part::Anywhere)));
        let root = || Location { shown: "/".into(), path: "/".into() };
        let start = if is_absolute { root() } else { base.clone() };
        let only_dirs = alternative.ends_with('/');
        let mut search = Search { options, watch, only_dirs, found: &mut found };
        search.go(&start, &parts)?;
    }
    Ok(found.into_iter().collect())
}

/// The name as a pattern that matches nothing else.
pub(crate) fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\' => escaped.extend(['[', c, ']']),
            c => escaped.push(c),
        }
    }
    escaped
}

fn parse(part: &str) -> Result<Part, String> {
    if part == "**" {
        return Ok(Part::Anywhere);
    }
    if part.contains("**") {
        return Err("`**` stands alone between two `/`".to_string());
    }
    if part == "~" {
        return Err("`~` stands for nothing here: home().glob(…)".to_string());
    }
    if let Some(name) = literal(part) {
        return Ok(Part::Name(name.into()));
    }
    // The shell's other way to say "not".
    let pattern = Pattern::new(&part.replace("[^", "[!")).map_err(|error| match error.msg {
        msg if msg.contains("range") => "a `[` is never closed; the sign itself is [[]".to_string(),
        msg => msg.to_string(),
    })?;
    Ok(Part::Matching { pattern, has_dot: part.starts_with('.') || part.starts_with("[.]") })
}

/// What a part without any magic names; `[*]` is the sign itself.
fn literal(part: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = part.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' | '?' => return None,
            '[' => {
                let (inner, end) = (rest.next()?, rest.next()?);
                if end != ']' || matches!(inner, '!' | '^') {
                    return None;
                }
                name.push(inner);
            }
            c => name.push(c),
        }
    }
    Some(name)
}

/// `a{b,c}d` is `abd` and `acd`. Braces without a comma in them are what they are, as in a shell.
fn alternatives(pattern: &str) -> Result<Vec<String>, String> {
    if pattern.contains('\\') && !pattern.contains("[\\]") {
        return Err("a backslash takes no sign its meaning: write [*] for the sign itself, or glob_escape(name)".into());
    }
    let mut done = Vec::new();
    let mut open = vec![pattern.to_string()];
    while let Some(next) = open.pop() {
        match expand(&next)? {
            Some(expanded) => open.extend(expanded.into_iter().rev()),
            None => done.push(next),
        }
        if done.len() + open.len() > MOST_ALTERNATIVES {
            return Err(format!("its braces stand for more than {MOST_ALTERNATIVES} patterns"));
        }
    }
    Ok(done)
}

/// The pattern without its first braces, once for each alternative in them.
fn expand(pattern: &str) -> Result<Option<Vec<String>>, String> {
    let (mut depth, mut start, mut commas) = (0_usize, 0, Vec::new());
    let mut in_class = false;
    let bytes = pattern.as_bytes();
    for (at, byte) in pattern.bytes().enumerate() {
        match byte {
            // In a class every sign is itself; a `]` that comes first does not close it.
            b']' if in_class && !matches!(bytes[at - 1], b'[' | b'!' | b'^') => in_class = false,
            _ if in_class => {}
            b'[' if pattern[at + 1..].contains(']') => in_class = true,
            b'{' => {
                if depth == 0 {
                    (start, commas) = (at, Vec::new());
                }
                depth += 1;
            }
            b',' if depth == 1 => commas.push(at),
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 && !commas.is_empty() {
                    let (before, after) = (&pattern[..start], &pattern[at + 1..]);
                    let ends = commas.iter().copied().chain([at]);
                    let starts = [start].into_iter().chain(commas.iter().copied());
                    let parts = starts.zip(ends).map(|(from, to)| &pattern[from + 1..to]);
                    return Ok(Some(parts.map(|part| format!("{before}{part}{after}")).collect()));
                }
            }
            _ => {}
        }
    }
    match depth > 0 && !commas.is_empty() {
        true => Err("a `{` is never closed; the sign itself is [{]".to_string()),
        false => Ok(None),
    }
}

struct Search<'a> {
    options: &'a Globbing,
    watch: &'a Watch<'a>,
    only_dirs: bool,
    found: &'a mut BTreeSet<PathBuf>,
}

impl Search<'_> {
    /// Goes on from a place that matches what came before.
    fn go(&mut self, here: &Location, parts: &[Part]) -> Result<(), Error> {
        let Some((part, rest)) = parts.split_first() else {
            return self.keep(here);
        };
        match part {
            Part::Name(name) => {
                let here = here.child(name);
                match rest.is_empty() {
                    true => self.keep(&here),
                    false => self.go(&here, rest),
                }
            }
            Part::Matching { pattern, has_dot } => {
                for (name, _) in self.names(here)? {
                    let is_shown = *has_dot || self.options.hidden || !is_hidden(&name);
                    if is_shown && pattern.matches_with(&readable(&name), OPTIONS) {
                        self.go(&here.child(&name), rest)?;
                    }
                }
                Ok(())
            }
            Part::Anywhere => self.anywhere(here, rest),
        }
    }

    /// Here, and in every directory below; those behind links are not entered.
    fn anywhere(&mut self, here: &Location, rest: &[Part]) -> Result<(), Error> {
        if !rest.is_empty() {
            self.go(here, rest)?;
        }
        for (name, is_dir) in self.names(here)? {
            if !self.options.hidden && is_hidden(&name) {
                continue;
            }
            let child = here.child(&name);
            if rest.is_empty() {
                self.keep(&child)?;
            }
            if is_dir {
                self.anywhere(&child, rest)?;
            }
        }
        Ok(())
    }

    /// The names in a directory, with whether each is one; none where there is no directory.
    fn names(&self, dir: &Location) -> Result<Vec<(OsString, bool)>, Error> {
        let at = match dir.shown.as_os_str().is_empty() {
            true => Location { shown: ".".into(), path: dir.path.clone() },
            false => dir.clone(),
        };
        match read_dir(&at, self.watch)? {
            Ok(names) => Ok(names.into_iter().map(|(name, kind)| (name, kind.is_dir())).collect()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            Err(error) if !is_unreadable(error.raw_os_error()) => Err(at.cannot_be_read(&error)),
            Err(_) if self.options.skip_unreadable => Ok(Vec::new()),
            Err(error) => Err(at.cannot_be_read(&error).with_help("to pass it over: #{skip_unreadable: true}")),
        }
    }

    /// A match, when it is there. A link that leads nowhere is there, too.
    fn keep(&mut self, here: &Location) -> Result<(), Error> {
        let found = match super::is_there(here, self.only_dirs) {
            Err(error) if self.options.skip_unreadable && is_unreadable(error.errno()) => None,
            found => found?,
        };
        let is_there = found.is_some_and(|metadata| !self.only_dirs || metadata.is_dir());
        if is_there && here.shown != Path::new("") {
            self.found.insert(here.shown.clone());
        }
        Ok(())
    }
}

/// A name as text to be matched: what is no UTF-8 in it is a sign that `?` and `*` match.
fn readable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(pattern: &str) -> Vec<String> {
        alternatives(pattern).expect("it is a pattern")
    }

    #[test]
    fn braces_are_alternatives() {
        assert_eq!(expanded("a{b,c}d"), ["abd", "acd"]);
        assert_eq!(expanded("{a,b}{1,2}"), ["a1", "a2", "b1", "b2"]);
        assert_eq!(expanded("x{a,{b,c}}"), ["xa", "xb", "xc"]);
        assert_eq!(expanded("{,un}do"), ["do", "undo"]);
        assert_eq!(expanded("{a/x,b}/y"), ["a/x/y", "b/y"]);
        // As in a shell.
        assert_eq!(expanded("{a}"), ["{a}"]);
        assert_eq!(expanded("{}"), ["{}"]);
        assert_eq!(expanded("a,b}"), ["a,b}"]);
        // In a class they are signs.
        assert_eq!(expanded("[{]a,b[}]"), ["[{]a,b[}]"]);
        assert!(alternatives("{a,b").is_err());
        assert!(alternatives(&"{a,b}".repeat(40)).is_err());
        assert!(alternatives("\\*").is_err());
    }

    #[test]
    fn an_escaped_name_is_one_name() {
        for name in ["a", "*", "?", "[", "]", "[a]", "{a,b}", "a,b", "\\", "!x", "[!a]", "é*", "a b", "^", "[^]"] {
            let escaped = escape(name);
            assert_eq!(expanded(&escaped), std::slice::from_ref(&escaped), "{name}");
            match parse(&escaped) {
                Ok(Part::Name(literal)) => assert_eq!(literal, name),
                other => panic!("{name}: {escaped} is {other:?}"),
            }
        }
    }

    #[test]
    fn one_part_matches_one_name() {
        let matches = |pattern: &str, name: &str| match parse(pattern).expect("it is a pattern") {
            Part::Matching { pattern, .. } => pattern.matches_with(name, OPTIONS),
            Part::Name(literal) => literal == *name,
            Part::Anywhere => true,
        };
        for (pattern, name, expected) in [
            ("*.rs", "main.rs", true),
            ("*.rs", "main.rsx", false),
            ("?", "é", true),
            ("[é]", "é", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("[]]", "]", true),
            ("A*", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(parse("[a").is_err());
        assert!(parse("a**").is_err());
    }
}
