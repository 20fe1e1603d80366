//! What the text of an argument has to be, and the value that it becomes.

use std::path::PathBuf;

use rhai::{Dynamic, ImmutableString};

use crate::arguments::ValueType;
use crate::script::convert;
use crate::script::secret::{Secret, Secrets};
use crate::script::world::World;

type Check = fn(&str) -> Result<(), String>;

const fn of(name: &'static str, check: Check) -> ValueType {
    ValueType { name, check, is_path: false, is_number: false, is_secret: false }
}

/// The types, that of a value without one first.
pub(super) const TYPES: &[ValueType] = &[
    of("text", |_| Ok(())),
    ValueType { is_number: true, ..of("int", |text| number::<i64>(text, "a whole number")) },
    ValueType { is_number: true, ..of("float", |text| number::<f64>(text, "a number")) },
    of("bool", |text| truth(text).map(|_| ()).ok_or_else(|| "it must be true or false".to_string())),
    ValueType { is_path: true, ..of("path", path) },
    of("duration", |text| convert::duration(text).map(|_| ())),
    of("size", |text| convert::size(text).map(|_| ())),
    // A short text cannot be masked.
    ValueType { is_secret: true, ..of("secret", |text| Secrets::default().add(text)) },
];

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ()).map_err(|_| format!("it must be {what}"))
}

fn path(text: &str) -> Result<(), String> {
    match text {
        "" => Err("it is empty".to_string()),
        text if text.contains('\0') => Err("it holds a NUL byte".to_string()),
        _ => Ok(()),
    }
}

fn truth(text: &str) -> Option<bool> {
    crate::arguments::truth(text)
}

/// The value for a text that was checked. What was a secret in the environment stays one.
pub(super) fn value(world: &World, value_type: ValueType, text: &str, is_secret: bool) -> Dynamic {
    if is_secret || value_type.is_secret {
        // One too short to be masked was refused, here or where it was made.
        let _ = world.secrets.add(text);
        return Secret::from(text.to_string()).into();
    }
    let as_text = || Dynamic::from(ImmutableString::from(text));
    match value_type.name {
        "int" => text.parse::<i64>().map_or_else(|_| as_text(), Dynamic::from_int),
        "float" => text.parse::<f64>().map_or_else(|_| as_text(), Dynamic::from_float),
        "bool" => truth(text).map_or_else(as_text, Dynamic::from_bool),
        "path" => Dynamic::from(PathBuf::from(text)),
        // Durations and sizes are text with a unit wherever scripts give them.
        _ => as_text(),
    }
}
