//! What a declaration must be besides readable. Whatever passes here, clap can be given, which panics on what it cannot
//! do.

use crate::process::nearest_name;

use super::item::{Item, truth};
use super::read::is_conflict;
use super::{Declaration, Mistake};

/// What `cli` itself provides.
const HELP: &str = "help";
const VERSION: &str = "version";
/// Where the result has the name of the command.
const COMMAND: &str = "command";

/// Looks at one level of a declaration; `inherited` are the options of those above it. The number is that of the
/// item with the mistake, where it is one item's.
pub(crate) fn check(declaration: &Declaration, inherited: &[&Item]) -> Result<(), (Option<usize>, Mistake)> {
    let items = &declaration.items;
    for (index, item) in items.iter().enumerate() {
        let mistake = |mistake| (Some(index), mistake);
        alone(item).map_err(mistake)?;
        names(declaration, item, inherited.iter().copied().chain(&items[..index])).map_err(mistake)?;
        for other in item.needs.iter().chain(&item.conflicts) {
            related(item, other, inherited.iter().copied().chain(items)).map_err(mistake)?;
        }
    }
    places(declaration)
}

/// What can be said about an item by itself.
fn alone(item: &Item) -> Result<(), Mistake> {
    let title = item.title();
    let wrong = |why: String| Err(Mistake::new(format!("`{title}`{why}")));
    let is_key = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    // What comes from an option such as `--2fa` is read as opt["2fa"].
    if !is_key(&item.key) && !item.key.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong(format!(": `{}` cannot be its name in the result", item.key));
    }
    if let Some(name) = item.env.as_deref().filter(|name| !is_key(name) || !name.is_ascii()) {
        return wrong(format!(": `{name}` is no name of an environment variable"));
    }
    if item.is_flag() {
        for (is_there, property, why) in [
            (item.default.is_some(), "default", "it is off unless it is given"),
            (!item.values.is_empty(), "values", "it is on or off"),
            (item.is_required, "required", "it is on or off"),
        ] {
            if is_there {
                return Err(Mistake::new(format!("the flag `{title}` cannot have [{property}]: {why}")));
            }
        }
        return Ok(());
    }
    if item.is_required && item.is_named() && item.default.is_some() {
        return wrong(" is [required] and has a [default]: one of them has no meaning".to_string());
    }
    if let Some(value) = item.values.iter().find(|value| (item.value_type.check)(value).is_err()) {
        let why = (item.value_type.check)(value).err().unwrap_or_default();
        return wrong(format!(": the value `{value}` is none: {why}"));
    }
    let default = item.default.as_deref().map(|default| item.parts(default)).unwrap_or_default();
    for value in default {
        if let Some(why) = item.refusal(value) {
            let help =
                nearest_name(value, item.values.iter().cloned()).map(|similar| format!("did you mean `{similar}`?"));
            return Err(Mistake { message: format!("`{title}`: the default `{value}` cannot be: {why}"), help });
        }
    }
    Ok(())
}

/// No two things have the same name, and none that `cli` needs itself.
fn names<'i>(
    declaration: &Declaration,
    item: &Item,
    mut others: impl Iterator<Item = &'i Item>,
) -> Result<(), Mistake> {
    let title = item.title();
    for (name, is_ours) in [(HELP, true), (VERSION, declaration.version.is_some())] {
        if is_ours && item.long.as_deref() == Some(name) {
            return Err(Mistake::new(format!("`--{name}` is there by itself")));
        }
    }
    if item.key == COMMAND && !declaration.commands.is_empty() {
        let help = "give it another name there: [name: what]";
        return Err(Mistake::new(format!("`{title}`: `command` is the name of the chosen command")).with_help(help));
    }
    let is_same = |other: &Item| {
        let has_same = |one: bool, text: String| one.then_some(text);
        has_same(item.long.is_some() && item.long == other.long, title.clone())
            .or_else(|| {
                has_same(item.short.is_some() && item.short == other.short, format!("-{}", item.short.unwrap_or(' ')))
            })
            .or_else(|| has_same(item.key == other.key, item.key.clone()))
    };
    match others.find_map(is_same) {
        None => Ok(()),
        Some(name) if name == item.key => {
            let help = "give one of them another name there: [name: what]";
            Err(Mistake::new(format!("two arguments are called `{name}` in the result")).with_help(help))
        }
        Some(name) => Err(Mistake::new(format!("`{name}` is declared twice"))),
    }
}

fn related<'i>(item: &Item, name: &str, mut all: impl Iterator<Item = &'i Item> + Clone) -> Result<(), Mistake> {
    let title = item.title();
    if item.is_called(name) {
        return Err(Mistake::new(format!("`{title}` names itself")));
    }
    if all.clone().any(|other| other.is_called(name)) {
        return Ok(());
    }
    let known = all.by_ref().filter(|other| *other != item).map(|other| match (&other.long, other.short) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => other.placeholder.clone().unwrap_or_default(),
    });
    let known: Vec<String> = known.collect();
    let help = match nearest_name(name, known.iter().cloned()) {
        Some(similar) => Some(format!("did you mean `{similar}`?")),
        None => Some(format!("there are {}", known.join(", "))).filter(|_| !known.is_empty()),
    };
    Err(Mistake { message: format!("`{title}` names `{name}`, which is not declared"), help })
}

/// What goes by its place has to have one.
fn places(declaration: &Declaration) -> Result<(), (Option<usize>, Mistake)> {
    let all = declaration.items.iter().enumerate().filter(|(_, item)| !item.is_named());
    let all: Vec<(usize, &Item)> = all.collect();
    if let Some((index, item)) = all.first().filter(|_| !declaration.commands.is_empty()) {
        let message = format!("`{}`: a script with commands takes arguments by place in these only", item.title());
        return Err((Some(*index), Mistake::new(message).with_help("declare it in the command, or as an option")));
    }
    for (position, (index, item)) in all.iter().enumerate() {
        let (before, after) = (&all[..position], &all[position + 1..]);
        let wrong = |why: String| Err((Some(*index), Mistake::new(format!("`{}` {why}", item.title()))));
        if item.is_last && !after.is_empty() {
            return wrong("takes everything behind `--`: it has to be the last argument".to_string());
        }
        if item.is_last {
            continue;
        }
        let optional = before.iter().find(|(_, other)| can_be_missing(other, &declaration.items));
        if let Some((_, other)) = optional.filter(|_| !can_be_missing(item, &declaration.items)) {
            return wrong(format!(
                "is always there: it has to stand before `{}`, which may be left out",
                other.title()
            ));
        }
        // Nor one more, as in `cp FILES... DIR`: clap loses count when options stand between them.
        if item.is_many && after.iter().any(|(_, other)| !other.is_last) {
            return wrong("takes all the rest: nothing can stand behind it but `-- MORE...`".to_string());
        }
    }
    Ok(())
}

/// Whether a command line may be right without it, whatever else it has.
pub(super) fn can_be_missing(item: &Item, all: &[Item]) -> bool {
    let is_excused = all.iter().any(|other| is_conflict(item, other));
    !item.is_required || item.default.is_some() || item.env.is_some() || is_excused
}

/// The name of a command is a word.
pub(crate) fn check_command(name: &str) -> Result<(), Mistake> {
    let is_word = name.starts_with(|c: char| c.is_alphanumeric())
        && name.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c));
    match is_word {
        true => Ok(()),
        false => Err(Mistake::new(format!("`{name}` cannot be the name of a command: it is a word"))),
    }
}

/// What a variable of the environment says, when it cannot be used.
pub(super) fn variable_refusal(item: &Item, text: &str) -> Option<String> {
    match (item.is_flag(), item.is_many) {
        (true, false) => truth(text).is_none().then(|| "it must be true or false".to_string()),
        (true, true) => match text.parse::<u8>() {
            Ok(_) => None,
            Err(_) => truth(text).is_none().then(|| "it must be a number from 0 to 255".to_string()),
        },
        (false, _) => item.parts(text).into_iter().find_map(|part| item.refusal(part)),
    }
}
