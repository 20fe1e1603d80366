//! From the map that `cli` is given to a declaration.

use rhai::Position;

use crate::arguments::{Declaration, Item, Mistake, check, check_command, item};
use crate::process::nearest_name;

use super::literal::{Literal, Value};
use super::types::TYPES;

const KEYS: &[&str] = &["about", "version", "args", "examples", "commands", "command_optional"];

/// A mistake in a declaration, and where.
#[derive(Debug)]
pub(crate) struct Misdeclared {
    pub mistake: Mistake,
    pub position: Position,
}

type Result<T> = std::result::Result<T, Misdeclared>;

fn at<T>(position: Position, result: std::result::Result<T, Mistake>) -> Result<T> {
    result.map_err(|mistake| Misdeclared { mistake, position })
}

fn wrong<T>(position: Position, message: String) -> Result<T> {
    at(position, Err(Mistake::new(message)))
}

/// The declaration that a value is.
pub(crate) fn of_literal(literal: &Literal) -> Result<Declaration> {
    level(literal, None)
}

/// One level; `around` are the options of those around it, of which the whole has none.
fn level(literal: &Literal, around: Option<&[&Item]>) -> Result<Declaration> {
    let Value::Map(entries) = &literal.value else {
        return wrong(literal.position, format!("cli takes a map, not {}", literal.kind()));
    };
    let inherited = around.unwrap_or_default();
    let mut declaration = Declaration::default();
    let mut places = Vec::new();
    let mut commands: &[(String, Position, Literal)] = &[];
    for (key, position, literal) in entries {
        match key.as_str() {
            "about" => declaration.about = text(key, literal)?,
            "version" if around.is_none() => declaration.version = Some(text(key, literal)?),
            "args" => {
                for line in array(key, "an array of lines", literal)? {
                    places.push(line.position);
                    declaration.items.push(at(line.position, item(&text("a line of `args`", line)?, TYPES))?);
                }
            }
            "examples" => {
                let lines = array(key, "an array of lines", literal)?.iter();
                declaration.examples = lines.map(|line| text("a line of `examples`", line)).collect::<Result<_>>()?;
            }
            "commands" => match &literal.value {
                Value::Map(entries) => commands = entries,
                _ => return wrong(literal.position, format!("`commands` of cli is a map, not {}", literal.kind())),
            },
            "command_optional" => match &literal.value {
                Value::Bool(value) => declaration.command_is_optional = *value,
                _ => {
                    return wrong(literal.position, format!("`{key}` of cli is true or false, not {}", literal.kind()));
                }
            },
            _ => return at(*position, Err(unknown(key))),
        }
    }
    // What is looked at needs to know that there are commands, and not yet what they take.
    declaration.commands = commands.iter().map(|(name, ..)| (name.clone(), Declaration::default())).collect();
    check(&declaration, inherited).map_err(|(index, mistake)| {
        let position = index.and_then(|index| places.get(index)).copied().unwrap_or(literal.position);
        Misdeclared { mistake, position }
    })?;
    let below: Vec<&Item> = inherited.iter().copied().chain(&declaration.items).collect();
    let mut complete = Vec::with_capacity(commands.len());
    for (name, position, literal) in commands {
        at(*position, check_command(name))?;
        complete.push((name.clone(), level(literal, Some(&below))?));
    }
    declaration.commands = complete;
    Ok(declaration)
}

fn text(name: &str, literal: &Literal) -> Result<String> {
    let name = if name.contains('`') { name.to_string() } else { format!("`{name}` of cli") };
    match &literal.value {
        Value::Text(text) => Ok(text.clone()),
        _ => wrong(literal.position, format!("{name} is text, not {}", literal.kind())),
    }
}

fn array<'l>(name: &str, what: &str, literal: &'l Literal) -> Result<&'l [Literal]> {
    match &literal.value {
        Value::Array(values) => Ok(values),
        _ => wrong(literal.position, format!("`{name}` of cli is {what}, not {}", literal.kind())),
    }
}

fn unknown(key: &str) -> Mistake {
    let mistake = Mistake::new(format!("cli has no option `{key}`"));
    if key == "version" {
        return mistake.with_help("the version is that of the whole script: write it beside `commands`");
    }
    let elsewhere = ["flags", "options", "positionals", "arguments", "params"];
    match nearest_name(key, KEYS.iter().map(|key| (*key).to_string())) {
        Some(similar) => mistake.with_help(format!("did you mean `{similar}`?")),
        None if elsewhere.contains(&key) => mistake
            .with_help("all of them are lines of `args`: [\"TARGET  where to\", \"-n, --dry-run  change nothing\"]"),
        None => mistake.with_help(format!("it has {}", KEYS.join(", "))),
    }
}
