//! The output of commands as JSON.

use rhai::{Dynamic, EvalAltResult};

use crate::data::json::{self, BigIntegers};

use super::apart::apart;
use super::api::at_byte;
use super::error::CallPlace;
use super::values::into_script;
use super::world::World;

/// A text of this size is read in some ten milliseconds.
const LARGE: usize = 256 * 1024;

/// The value of a JSON text, or what is wrong with it: the offset in bytes, and the text there.
///
/// # Errors
/// The outer one when the script must stop.
pub(crate) fn parse(
    world: &World,
    place: &CallPlace,
    text: &str,
) -> Result<Result<Dynamic, String>, Box<EvalAltResult>> {
    // A byte order mark is none of the text, as for `parse_json`.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value = if text.len() < LARGE {
        json::parse(text, BigIntegers::Refused).map(into_script)
    } else {
        let text = text.to_string();
        apart(world, place, move || json::parse(&text, BigIntegers::Refused).map(into_script))?
    };
    Ok(value.map_err(|problem| at_byte(&problem, text, &world.secrets)))
}
