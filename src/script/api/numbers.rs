//! Numbers from text, for what commands print. Rhai's own `parse_int` raises an error that tells less.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString as Text, NativeCallContext};

use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::world::World;

/// A text that is longer is cut in the message.
const SHOWN: usize = 60;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("to_int", move |context: NativeCallContext, text: Text| {
        number(&shared, &context, &text, "a whole number", |text| text.parse::<i64>().ok())
    });
    let shared = world.clone();
    engine.register_fn("to_float", move |context: NativeCallContext, text: Text| {
        number(&shared, &context, &text, "a number", |text| {
            text.parse::<f64>().ok().filter(|number| number.is_finite())
        })
    });
}

fn number<T: Into<Dynamic>>(
    world: &World,
    context: &NativeCallContext,
    text: &str,
    what: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    match parse(text.trim()) {
        Some(number) => Ok(number.into()),
        None => {
            let end = text.floor_char_boundary(SHOWN);
            let more = if end < text.len() { "…" } else { "" };
            let message = format!("`{}{more}` is not {what}", &text[..end]);
            Err(CallPlace::of(context).invalid(world, message))
        }
    }
}
