//! Values of scripts as data, and data as values of scripts.

use std::path::PathBuf;

use jiff::SignedDuration;
use rhai::{Array, Dynamic, ImmutableString as Text, Map};

use crate::data::quantity::{self, Size};
use crate::data::time::{Local, Moment};
use crate::data::value::{DEEPEST, Path, Value};

use super::convert;
use super::secret::{Secret, unmasked};

/// A value without what only a script has, and whether there is a secret in it.
///
/// # Errors
/// The place in the value, and what stands there: a command, a function, a stream.
pub(crate) fn from_script(value: &Dynamic) -> Result<(Value, bool), String> {
    let mut has_secret = false;
    let value = convert(value, &mut Path::default(), &mut has_secret)?;
    Ok((value, has_secret))
}

fn convert(value: &Dynamic, path: &mut Path, has_secret: &mut bool) -> Result<Value, String> {
    if path.depth() > DEEPEST {
        return Err(format!("the value is nested more than {DEEPEST} times"));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(Value::Bool(value));
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::Integer(integer));
    }
    if let Ok(float) = value.as_float() {
        return Ok(Value::Float(float));
    }
    if let Ok(char) = value.as_char() {
        return Ok(Value::Text(char.to_string()));
    }
    if let Some(text) = value.read_lock::<Text>() {
        return Ok(Value::Text(unmasked(&text, &path.to_string())?.to_string()));
    }
    if let Some(array) = value.read_lock::<Array>() {
        let values = array.iter().enumerate();
        let values = values.map(|(index, value)| path.index(index, |path| convert(value, path, has_secret)));
        return Ok(Value::Array(values.collect::<Result<_, _>>()?));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entry = |(key, value): (&rhai::Identifier, &Dynamic)| -> Result<_, String> {
            Ok((key.to_string(), path.key(key, |path| convert(value, path, has_secret))?))
        };
        return Ok(Value::Map(map.iter().map(entry).collect::<Result<_, _>>()?));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        *has_secret = true;
        return Ok(Value::Text(secret.reveal().to_string()));
    }
    if let Some(file) = value.read_lock::<PathBuf>() {
        let text = file.to_str().ok_or_else(|| format!("{path} is a path that is not UTF-8 text"))?;
        return Ok(Value::Text(text.to_string()));
    }
    if let Some(moment) = value.read_lock::<Moment>() {
        return Ok(Value::Time(moment.clone()));
    }
    if let Some(local) = value.read_lock::<Local>() {
        return Ok(Value::Local(local.clone()));
    }
    if let Some(duration) = value.read_lock::<SignedDuration>() {
        return Ok(Value::Text(quantity::exact(*duration)));
    }
    if let Some(size) = value.read_lock::<Size>() {
        return i64::try_from(size.0).map(Value::Integer).map_err(|_| format!("{path} is too large a size"));
    }
    Err(format!("{path} is {}", convert::kind_of(value)))
}

/// A value for scripts. Their maps are sorted by key.
pub(crate) fn into_script(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Integer(integer) => integer.into(),
        Value::Float(float) => float.into(),
        Value::Text(text) => text.into(),
        Value::Time(moment) => Dynamic::from(moment),
        Value::Local(local) => Dynamic::from(local),
        Value::Array(values) => values.into_iter().map(into_script).collect::<Array>().into(),
        Value::Map(entries) => {
            entries.into_iter().map(|(key, value)| (key.into(), into_script(value))).collect::<Map>().into()
        }
    }
}
