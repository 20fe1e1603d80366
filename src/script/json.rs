//! JSON as script values.

use rhai::{Array, Dynamic, Map};
use serde_json::Value;

use super::secret::Secrets;

/// How much of the text is shown around an error.
const EXCERPT: usize = 40;

/// The value of a JSON text, or what is wrong with it: the offset in bytes, and the text there.
pub(crate) fn parse(text: &str, secrets: &Secrets) -> Result<Dynamic, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
        let start = text.floor_char_boundary(offset.saturating_sub(EXCERPT / 2));
        let end = text.floor_char_boundary(offset + EXCERPT / 2);
        // serde_json adds the line and column, which say less about the output of a command.
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        format!("{reason} at byte {offset}, near `{}`", secrets.mask_part(text, start..end))
    })?;
    Ok(from_value(value))
}

fn from_value(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().map_or_else(|| number.to_string().into(), Dynamic::from),
        },
        Value::String(text) => text.into(),
        Value::Array(values) => values.into_iter().map(from_value).collect::<Array>().into(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key.into(), from_value(value))).collect::<Map>().into()
        }
    }
}
