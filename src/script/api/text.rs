//! Text: where Rhai changes in place and returns nothing, these return the result.

use rhai::{Dynamic, ImmutableString as Text};

use crate::script::registry::Registry;

pub(super) fn register(engine: &mut Registry) {
    engine.register_fn("trim", |text: &mut Text| Text::from(text.trim()));
    engine.register_fn("trim_start", |text: &mut Text| Text::from(text.trim_start()));
    engine.register_fn("trim_end", |text: &mut Text| Text::from(text.trim_end()));
    engine.register_fn("replace", |text: &mut Text, from: Text, to: Text| Text::from(text.replace(&*from, &to)));
    engine.register_fn("starts_with", |text: &mut Text, part: Text| text.starts_with(part.as_str()));
    engine.register_fn("ends_with", |text: &mut Text, part: Text| text.ends_with(part.as_str()));

    // For a key that may be missing: `m.key` raises then.
    engine.register_fn("get", |map: &mut rhai::Map, key: Text| map.get(key.as_str()).cloned().unwrap_or(Dynamic::UNIT));
    engine.register_fn("get", |map: &mut rhai::Map, key: Text, otherwise: Dynamic| {
        map.get(key.as_str()).cloned().unwrap_or(otherwise)
    });
}
