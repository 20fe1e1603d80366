//! From script values to what the engine takes, with errors that say what was expected.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use rhai::{Array, Dynamic, ImmutableString};

use crate::data::quantity::Size;
use crate::data::time::{Local, Moment};
use crate::process::{Expression, Output};

use super::api::Outcome;
use super::error::CommandError;
use super::quantities::readable;
use super::secret::{Secret, unmasked};
use super::stream::Stream;

/// What stands in the text of a path for bytes that are no text. The second character is seen nowhere: it tells the
/// text from one that had the first in it from the start, so that no file of another name is written or read.
pub(crate) const NOT_TEXT: &str = "\u{fffd}\u{fe01}";

/// A path as text for people.
pub(crate) fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_string(),
        None => {
            let chunks = path.as_os_str().as_encoded_bytes().utf8_chunks();
            let marked = |chunk: std::str::Utf8Chunk| {
                let mark = if chunk.invalid().is_empty() { "" } else { NOT_TEXT };
                format!("{}{mark}", chunk.valid())
            };
            chunks.map(marked).collect()
        }
    }
}

/// A value as one argument of a command. A relative path gets a `./`, so that it is none of the program's options.
pub(crate) fn argument(value: &Dynamic, place: &str) -> Result<OsString, String> {
    if let Some(path) = value.read_lock::<PathBuf>() {
        let is_plain = path.is_absolute() || path.starts_with(".") || path.starts_with("..");
        let is_given = is_plain || path.as_os_str().is_empty();
        return Ok(if is_given { path.clone() } else { PathBuf::from(".").join(&*path) }.into_os_string());
    }
    text(value, place)
}

/// A value as text that is no argument of its own.
pub(crate) fn text(value: &Dynamic, place: &str) -> Result<OsString, String> {
    let value = value.flatten_clone();
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(unmasked(&text, place)?.into());
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(secret.reveal().into());
    }
    if let Some(path) = value.read_lock::<PathBuf>() {
        return Ok(path.clone().into_os_string());
    }
    if let Some(outcome) = value.read_lock::<Outcome>() {
        return Ok(captured_text(&outcome.output).into());
    }
    if value.is_int() || value.is_float() || value.is_bool() || value.is_char() {
        return Ok(value.to_string().into());
    }
    Err(format!("{place} must be text, but is {}", kind_of(&value)))
}

/// The values of an array as arguments; `name` is what the array is called in the error.
pub(crate) fn arguments(values: &Array, name: &str) -> Result<Vec<OsString>, String> {
    values.iter().enumerate().map(|(index, value)| argument(value, &format!("{name}[{index}]"))).collect()
}

/// Text, or a path, as a path.
pub(crate) fn path(value: &Dynamic, place: &str) -> Result<PathBuf, String> {
    if let Some(path) = value.read_lock::<PathBuf>() {
        return Ok(path.clone());
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(secret.reveal().into());
    }
    match value.read_lock::<ImmutableString>() {
        Some(text) if text.is_empty() => Err(format!("{place} must be a path, but is empty")),
        // A directory of that name would be made in silence; it can be had as `./~`.
        Some(text) if *text == "~" || text.starts_with("~/") => {
            Err(format!("{place} begins with `~`, which means nothing here: write home() / \"…\""))
        }
        Some(text) => Ok(unmasked(&text, place)?.into()),
        None => Err(format!("{place} must be a path, but is {}", kind_of(value))),
    }
}

/// What standard output held, as a shell's `$(…)` gives it: without the final line ending.
pub(crate) fn captured_text(output: &Output) -> String {
    let text = String::from_utf8_lossy(output.stdout.as_deref().unwrap_or_default()).into_owned();
    let text = text.strip_suffix('\n').unwrap_or(&text);
    text.strip_suffix('\r').unwrap_or(text).to_string()
}

/// A duration to wait for or to limit something with: a duration, or text that stands for one. `what` begins the error.
pub(crate) fn waiting(value: &Dynamic, what: &str) -> Result<Duration, String> {
    if let Some(duration) = value.read_lock::<SignedDuration>() {
        let negative = |_| format!("{what} takes a duration that is not negative, not {}", readable(*duration));
        return Duration::try_from(*duration).map_err(negative);
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return duration(&text);
    }
    let example = if value.is_int() { value.to_string() } else { "30".to_string() };
    Err(format!("{what} takes a duration as text with a unit: \"{example}s\", not {}", kind_of(value)))
}

/// The kind of a value, for the end of a sentence.
pub(crate) fn kind_of(value: &Dynamic) -> String {
    if value.is::<Expression>() {
        return "a command (run it first: .read())".to_string();
    }
    if value.is::<Stream>() {
        return "a stream (read it first: .to_array())".to_string();
    }
    if value.is::<CommandError>() {
        return "an error".to_string();
    }
    if value.is::<SignedDuration>() {
        return "a duration (a number is .seconds)".to_string();
    }
    if value.is::<Size>() {
        return "a size (a number is .bytes)".to_string();
    }
    if value.is::<Moment>() || value.is::<Local>() {
        return "a time (text is .to_string() or .format(…))".to_string();
    }
    if value.is::<PathBuf>() {
        return "a path".to_string();
    }
    if value.is::<regex::Regex>() {
        return "a regular expression".to_string();
    }
    if value.is::<Secret>() {
        return "a secret".to_string();
    }
    match value.type_name() {
        "()" => "`()`, which is nothing".to_string(),
        "i64" => "an integer".to_string(),
        "f64" => "a float".to_string(),
        "bool" => "a truth value".to_string(),
        "char" => "a character".to_string(),
        "string" => "text".to_string(),
        "array" => "an array".to_string(),
        "blob" => "a blob".to_string(),
        "map" => "a map".to_string(),
        "Fn" => "a function".to_string(),
        "timestamp" => "a point in time".to_string(),
        other => format!("a value of type {}", other.rsplit("::").next().unwrap_or(other)),
    }
}

/// `"300ms"`, `"30s"`, `"5m"`, `"1h 30m"`, `"2d"`.
///
/// A bare number is refused: whether it is seconds or milliseconds is what scripts get wrong.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = |why: &str| {
        Err(format!("`{text}` is not a duration: {why}; write a number with a unit: 300ms, 30s, 5m, 1h 30m, 2d"))
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return wrong("it is empty");
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let Ok(number) = number.parse::<f64>() else { return wrong("it does not start with a number") };
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "" => return wrong("it has no unit"),
            _ => return wrong(&format!("the unit `{unit}` is not known")),
        };
        let Ok(part) = Duration::try_from_secs_f64(number * seconds) else { return wrong("it is too long") };
        total = match total.checked_add(part) {
            Some(total) => total,
            None => return wrong("it is too long"),
        };
        rest = tail.trim_start();
    }
    Ok(total)
}

/// `"64MiB"`, `"10kB"`, `"512"` (bytes).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong =
        |why: &str| Err(format!("`{text}` is not a size: {why}; write bytes with or without a unit: 512, 10kB, 64MiB"));
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let Ok(fraction) = number.parse::<f64>() else { return wrong("it does not start with a number") };
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return wrong(&format!("the unit `{}` is not known", unit.trim())),
    };
    // A float does not hold every large number.
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(factor),
        Err(_) => Some(fraction * factor as f64).filter(|bytes| *bytes < i64::MAX as f64).map(|bytes| bytes as u64),
    };
    match bytes.filter(|bytes| i64::try_from(*bytes).is_ok()) {
        Some(bytes) => Ok(bytes),
        None => wrong("it is too large"),
    }
}
