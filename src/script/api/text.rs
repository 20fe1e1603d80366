//! Text and arrays: where Rhai changes in place and returns nothing, these return the result.

use rhai::{Array, Dynamic, Engine, ImmutableString as Text};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("trim", |text: &mut Text| Text::from(text.trim()));
    engine.register_fn("trim_start", |text: &mut Text| Text::from(text.trim_start()));
    engine.register_fn("trim_end", |text: &mut Text| Text::from(text.trim_end()));
    engine.register_fn("replace", |text: &mut Text, from: Text, to: Text| Text::from(text.replace(&*from, &to)));
    engine.register_fn("starts_with", |text: &mut Text, part: Text| text.starts_with(part.as_str()));
    engine.register_fn("ends_with", |text: &mut Text, part: Text| text.ends_with(part.as_str()));

    engine.register_fn("join", |array: &mut Array, separator: Text| join(array, &separator));
    engine.register_fn("join", |array: &mut Array| join(array, ""));

    // For a key that may be missing: `m.key` raises then.
    engine.register_fn("get", |map: &mut rhai::Map, key: Text| map.get(key.as_str()).cloned().unwrap_or(Dynamic::UNIT));
    engine.register_fn("get", |map: &mut rhai::Map, key: Text, otherwise: Dynamic| {
        map.get(key.as_str()).cloned().unwrap_or(otherwise)
    });
}

fn join(array: &Array, separator: &str) -> String {
    let mut text = String::new();
    for (index, value) in array.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(&value.to_string());
    }
    text
}
