//! The output of commands as JSON.

use rhai::Dynamic;

use crate::data::json::{self, BigIntegers};

use super::api::at_byte;
use super::secret::Secrets;
use super::values::into_script;

/// The value of a JSON text, or what is wrong with it: the offset in bytes, and the text there.
pub(crate) fn parse(text: &str, secrets: &Secrets) -> Result<Dynamic, String> {
    json::parse(text, BigIntegers::Refused).map(into_script).map_err(|problem| at_byte(&problem, text, secrets))
}
