//! One line of a declaration, as the help of programs writes it:
//!
//! ```text
//! -n, --dry-run            show what would be done
//! -v, --verbose...         say more (how often is counted)
//! -j, --jobs=N             how many at once [int] [default: 4] [env: JOBS]
//! --include=GLOB...        can be repeated
//! TARGET                   where to [values: staging, prod]
//! [FILES...]               any number, none included [path]
//! -- COMMAND...            everything behind `--`
//! ```
//!
//! Two spaces, or the bracket of a property, end the names; properties in brackets end the line.

use crate::process::nearest_name;

use super::Mistake;
use super::item::{Item, ValueType};

/// What can stand in brackets besides a type; those that take a value first.
const WITH_VALUE: &[&str] = &["default", "values", "env", "needs", "conflicts", "name"];
const WITHOUT_VALUE: &[&str] = &["required", "hidden"];

const TWO_SPACES: &str = "two spaces stand between the names and the help: \"-n, --dry-run  change nothing\"";

/// Reads a line. The first of `types` is that of a value without a type.
pub(crate) fn item(line: &str, types: &[ValueType]) -> Result<Item, Mistake> {
    let line = line.trim();
    if line.contains('\n') {
        return Err(Mistake::new("an argument is declared in one line"));
    }
    let (head, rest) = line.split_at(end_of_head(line));
    let mut item = match head.starts_with('-') && !head.starts_with("-- ") {
        true => named(head)?,
        false => positional(head)?,
    };
    let (help, properties) = properties(rest.trim())?;
    item.help = help.to_string();
    if let Some(first) = types.first() {
        item.value_type = *first;
    }
    let mut seen: Vec<&str> = Vec::new();
    for property in properties {
        set(&mut item, property, types, &mut seen)?;
    }
    Ok(item)
}

/// The names end where two spaces or a bracket begin.
fn end_of_head(line: &str) -> usize {
    let ends = ["  ", "\t", " ["].iter().filter_map(|end| line.find(end));
    // What is optional may stand in brackets itself: `[-- COMMAND...]` has no space before its bracket.
    ends.min().unwrap_or(line.len())
}

fn empty(key: String) -> Item {
    Item {
        key,
        short: None,
        long: None,
        placeholder: None,
        is_many: false,
        is_last: false,
        is_required: false,
        is_hidden: false,
        help: String::new(),
        value_type: ValueType { name: "", check: |_| Ok(()), is_path: false, is_number: false, is_secret: false },
        values: Vec::new(),
        default: None,
        env: None,
        needs: Vec::new(),
        conflicts: Vec::new(),
    }
}

/// `-v, --verbose...`, `-j, --jobs=N`, `--include GLOB...`.
fn named(head: &str) -> Result<Item, Mistake> {
    let mut item = empty(String::new());
    for word in head.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (word, is_many) = match word.strip_suffix("...") {
            Some(word) => (word, true),
            None => (word, false),
        };
        item.is_many |= is_many;
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if name.ends_with('[') || name.contains('[') {
                return Err(optional_value(head));
            }
            if !is_long(name) {
                return Err(Mistake::new(format!("`--{name}` is no name of an option"))
                    .with_help("a long name has letters, digits and `-`: --dry-run"));
            }
            if let Some(other) = item.long.replace(name.to_string()) {
                return Err(Mistake::new(format!("an option has one long name, not both --{other} and --{name}")));
            }
            take_value(&mut item, value)?;
        } else if let Some(short) = word.strip_prefix('-') {
            let (name, value) = short.split_once('=').map_or((short, None), |(name, value)| (name, Some(value)));
            let mut chars = name.chars();
            let (Some(name), None) = (chars.next().filter(char::is_ascii_alphanumeric), chars.next()) else {
                return Err(Mistake::new(format!("`-{short}` is no name of an option"))
                    .with_help("a short name is one letter or digit: -n; a longer one has two dashes: --dry-run"));
            };
            if let Some(other) = item.short.replace(name) {
                return Err(Mistake::new(format!("an option has one short name, not both -{other} and -{name}")));
            }
            take_value(&mut item, value)?;
        } else if !word.is_empty() {
            if !is_placeholder(word) {
                return Err(
                    Mistake::new(format!("`{word}` is no name of an option and no value")).with_help(TWO_SPACES)
                );
            }
            take_value(&mut item, Some(word))?;
        }
    }
    let name = item.long.clone().or_else(|| item.short.map(String::from));
    item.key = key_of(&name.ok_or_else(|| Mistake::new(format!("`{head}` names no option")))?);
    Ok(item)
}

fn take_value(item: &mut Item, value: Option<&str>) -> Result<(), Mistake> {
    let Some(value) = value else { return Ok(()) };
    let name = bare(value);
    if name.is_empty() || name.contains(['<', '>', '[', ']', '=']) {
        return Err(Mistake::new(format!("`{value}` cannot stand for a value")).with_help("write --jobs=N"));
    }
    match &item.placeholder {
        Some(other) if other != name => {
            Err(Mistake::new(format!("an option has one value, not both {other} and {name}")).with_help(TWO_SPACES))
        }
        _ => {
            item.placeholder = Some(name.to_string());
            Ok(())
        }
    }
}

fn optional_value(head: &str) -> Mistake {
    let help = "declare a flag and an option: --color and --color-when=WHEN";
    Mistake::new(format!("`{head}`: an option takes a value always or never")).with_help(help)
}

/// `TARGET`, `[FILES...]`, `FILES...`, `-- COMMAND...`.
fn positional(head: &str) -> Result<Item, Mistake> {
    let wrong = |why: &str| Mistake::new(format!("`{head}` {why}"));
    let mut name = head;
    let mut is_many = false;
    let mut is_last = false;
    let mut is_required = true;
    // Each may stand outside or inside of brackets.
    loop {
        if let Some(inner) = name.strip_suffix("...") {
            (name, is_many) = (inner, true);
        } else if let Some(inner) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            (name, is_required) = (inner, false);
        } else if let Some(inner) = name.strip_prefix("-- ") {
            (name, is_last) = (inner.trim_start(), true);
        } else {
            break;
        }
    }
    if name.is_empty() {
        return Err(Mistake::new("an argument needs a name").with_help("write \"TARGET  where to\""));
    }
    if name.contains(' ') {
        return Err(wrong("is more than one name").with_help(TWO_SPACES));
    }
    let placeholder = bare(name);
    let is_plain = |c: char| c.is_alphanumeric() || "-_".contains(c);
    if !is_placeholder(name) || !placeholder.chars().all(is_plain) {
        let help = "write an argument in capitals, TARGET, or in angle brackets, <target>; options begin with a dash";
        return Err(wrong("is no argument and no option").with_help(help));
    }
    Ok(Item { placeholder: Some(placeholder.to_string()), is_many, is_last, is_required, ..empty(key_of(placeholder)) })
}

fn bare(name: &str) -> &str {
    name.strip_prefix('<').and_then(|name| name.strip_suffix('>')).unwrap_or(name)
}

/// What stands for a value where a space is in front of it: capitals, or angle brackets.
fn is_placeholder(word: &str) -> bool {
    let is_bracketed = bare(word).len() < word.len() && bare(word).contains(char::is_alphanumeric);
    is_bracketed || (word.contains(char::is_alphabetic) && !word.contains(char::is_lowercase))
}

fn is_long(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// The name in the result: a property of a map.
fn key_of(name: &str) -> String {
    match name.chars().count() {
        // `-v` and `-V` are two.
        1 => name.to_string(),
        _ => name.to_lowercase().replace('-', "_"),
    }
}

/// The help, and what stands in the brackets at its end.
fn properties(text: &str) -> Result<(&str, Vec<&str>), Mistake> {
    let mut help = text;
    let mut found = Vec::new();
    while help.ends_with(']') {
        let mut depth = 0_usize;
        let start = help.char_indices().rev().find(|(_, c)| {
            match c {
                ']' => depth += 1,
                '[' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((start, _)) = start else {
            return Err(Mistake::new(format!("a bracket is missing in `{text}`")));
        };
        found.push(help[start + 1..help.len() - 1].trim());
        help = help[..start].trim_end();
    }
    found.reverse();
    Ok((help, found))
}

fn set<'t>(item: &mut Item, property: &'t str, types: &[ValueType], seen: &mut Vec<&'t str>) -> Result<(), Mistake> {
    let (name, value) = match property.split_once(':') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (property, None),
    };
    let value_type = types.iter().find(|value_type| value_type.name == name);
    let kind = if value_type.is_some() { "a type" } else { name };
    if seen.contains(&kind) {
        return Err(Mistake::new(match value_type {
            Some(_) => format!("`[{property}]`: a value has one type"),
            None => format!("`[{name}]` is there twice"),
        }));
    }
    seen.push(kind);
    match (name, value) {
        ("default", Some(value)) => item.default = Some(value.to_string()),
        ("env", Some(value)) => item.env = Some(value.to_string()),
        ("name", Some(value)) => item.key = value.to_string(),
        ("values", Some(value)) => item.values = list(value),
        ("needs", Some(value)) => item.needs = list(value),
        ("conflicts", Some(value)) => item.conflicts = list(value),
        ("required", None) => item.is_required = true,
        ("hidden", None) => item.is_hidden = true,
        (name, _) if WITH_VALUE.contains(&name) => {
            return Err(Mistake::new(format!("`[{property}]` lacks its value")).with_help(format!("write [{name}: …]")));
        }
        (name, Some(_)) if value_type.is_some() || WITHOUT_VALUE.contains(&name) => {
            return Err(Mistake::new(format!("`[{name}]` takes no value")));
        }
        _ => match value_type {
            Some(_) if item.is_flag() => {
                let help = format!("one with a value is written --name=VALUE  … [{name}]");
                return Err(Mistake::new(format!("`[{name}]`: a flag has no value")).with_help(help));
            }
            Some(value_type) => item.value_type = *value_type,
            None => return Err(unknown(property, name, types)),
        },
    }
    Ok(())
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect()
}

fn unknown(property: &str, name: &str, types: &[ValueType]) -> Mistake {
    let types = || types.iter().map(|value_type| value_type.name);
    let all = || WITH_VALUE.iter().chain(WITHOUT_VALUE).copied().chain(types()).map(str::to_string);
    let help = match nearest_name(name, all()) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => {
            let (with, without) = (WITH_VALUE.join(": …], ["), WITHOUT_VALUE.join("], ["));
            format!("there are [{with}: …], [{without}] and the types {}", types().collect::<Vec<_>>().join(", "))
        }
    };
    Mistake::new(format!("`[{property}]` is no property of an argument")).with_help(help)
}
