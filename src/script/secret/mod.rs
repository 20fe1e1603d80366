//! `secret(text)`: a text that commands get and nobody sees.
//!
//! Everything that this program writes goes through the [`Secrets`] of its runtime: what is printed, messages, reports,
//! the fields of errors. So a secret is masked, too, where a command has repeated it, or a script has revealed it. What
//! a script reads from a command is its own and stays as it is.

mod functions;
mod registry;
mod spellings;

use std::path::PathBuf;

use jiff::SignedDuration;
use regex::Regex;
use rhai::{Array, Dynamic, ImmutableString, Map};

use crate::data::quantity::Size;
use crate::data::time::{Local, Moment};
use crate::process::Expression;

use super::api::Outcome;
use super::convert::{NOT_TEXT, captured_text, path_text};
use super::error::CommandError;
use super::quantities::readable;

pub(crate) use functions::register;
pub(crate) use registry::{MASK, MASK_IN_TEXT, Secrets};

/// What `secret(text)` gives.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(ImmutableString);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// With more around it, which is part of the secret then.
    fn between(&self, before: &str, after: &str) -> Self {
        Self(format!("{before}{}{after}", self.0).into())
    }
}

/// Of a text that is masked already.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Secret> for Dynamic {
    fn from(secret: Secret) -> Self {
        Dynamic::from(secret)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// A text as it is, unless it holds the mask of a secret: whoever gets it would be given the mask.
pub(crate) fn unmasked<'t>(text: &'t str, place: &str) -> Result<&'t str, String> {
    // Texts that are fed to commands may be large.
    let holds = |part: &str| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
    if holds(NOT_TEXT) {
        return Err(format!(
            "{place} holds a file name that is not UTF-8, and was changed when it became text: use the path itself"
        ));
    }
    match holds(MASK_IN_TEXT) {
        false => Ok(text),
        true => Err(format!(
            "{place} holds {MASK} where a secret was put into text: join them by `+`, as in \"Bearer \" + token"
        )),
    }
}

/// A value as text for people. Rhai shows the name of the type of what is not its own.
pub(crate) fn shown(value: &Dynamic) -> String {
    text_of(value).unwrap_or_else(|| value.to_string())
}

/// The text of what Rhai would show as the name of its type, and of what may hold such values.
fn text_of(value: &Dynamic) -> Option<String> {
    if let Some(array) = value.read_lock::<Array>() {
        let values: Vec<String> = array.iter().map(quoted).collect();
        return Some(format!("[{}]", values.join(", ")));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key:?}: {}", quoted(value))).collect();
        return Some(format!("#{{{}}}", entries.join(", ")));
    }
    let path = value.read_lock::<PathBuf>().map(|path| path_text(&path));
    path.or_else(|| value.read_lock::<Secret>().map(|_| MASK_IN_TEXT.to_string()))
        .or_else(|| value.read_lock::<SignedDuration>().map(|duration| readable(*duration)))
        .or_else(|| as_text::<Size>(value))
        .or_else(|| as_text::<Moment>(value))
        .or_else(|| as_text::<Local>(value))
        .or_else(|| as_text::<Regex>(value))
        .or_else(|| as_text::<Expression>(value))
        .or_else(|| value.read_lock::<CommandError>().map(|error| error.error().message().to_string()))
        .or_else(|| value.read_lock::<Outcome>().map(|outcome| captured_text(&outcome.output)))
}

fn as_text<T: std::fmt::Display + Clone + 'static>(value: &Dynamic) -> Option<String> {
    value.read_lock::<T>().map(|value| value.to_string())
}

/// A value in an array or a map, as `print` shows it there.
fn quoted(value: &Dynamic) -> String {
    if let Some(path) = value.read_lock::<PathBuf>() {
        return format!("path({:?})", path.display().to_string());
    }
    if let Some(regex) = value.read_lock::<Regex>() {
        return format!("regex({:?})", regex.as_str());
    }
    match value.is_string() || value.is_char() {
        true => format!("{value:?}"),
        false => shown(value),
    }
}
