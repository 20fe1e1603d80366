//! `secret(text)`: a text that commands get and nobody sees.
//!
//! Everything that this program writes goes through the [`Secrets`] of its runtime: what is printed, messages, reports,
//! the fields of errors. So a secret is masked, too, where a command has repeated it, or a script has revealed it. What
//! a script reads from a command is its own and stays as it is.

mod functions;
mod registry;
mod spellings;

use std::path::PathBuf;

use rhai::{Dynamic, ImmutableString};

use super::convert::{NOT_TEXT, path_text};

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
    if text.contains(NOT_TEXT) {
        return Err(format!(
            "{place} holds a file name that is not UTF-8, and was changed when it became text: use the path itself"
        ));
    }
    match text.contains(MASK_IN_TEXT) {
        false => Ok(text),
        true => Err(format!(
            "{place} holds {MASK} where a secret was put into text: join them by `+`, as in \"Bearer \" + token"
        )),
    }
}

/// A value as text for people. Rhai shows the name of the type of what is not its own.
pub(crate) fn shown(value: &Dynamic) -> String {
    if let Some(path) = value.read_lock::<PathBuf>() {
        return path_text(&path);
    }
    value.to_string().replace(std::any::type_name::<Secret>(), MASK_IN_TEXT)
}
