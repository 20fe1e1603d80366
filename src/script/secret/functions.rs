//! What scripts do with secrets.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString as Text, NativeCallContext};

use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::world::World;

use super::{MASK_IN_TEXT, Secret};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Secret>("Secret");
    let shared = world.clone();
    engine.register_fn("secret", move |context: NativeCallContext, value: Dynamic| {
        make(&shared, &value).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    engine.register_fn("reveal", |secret: &mut Secret| secret.0.clone());
    engine.register_fn("to_string", |_: &mut Secret| MASK_IN_TEXT);
    engine.register_fn("to_debug", |_: &mut Secret| MASK_IN_TEXT);
    register_questions(engine);
    register_joining(engine, world);

    // A thrown one has what a thrown text has.
    engine.register_get("kind", |_: &mut Secret| "thrown");
    engine.register_get("message", |secret: &mut Secret| secret.clone());
    engine.register_fn("fail", |context: NativeCallContext, message: Secret| -> Result<()> {
        Err(EvalAltResult::ErrorRuntime(Dynamic::from(message), context.call_position()).into())
    });
}

fn make(world: &World, value: &Dynamic) -> std::result::Result<Secret, String> {
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(secret.clone());
    }
    let text = convert::text(value, "a secret")?;
    let text = text.to_str().ok_or("a secret must be UTF-8 text")?;
    world.secrets.add(text)?;
    Ok(Secret(text.into()))
}

fn register_questions(engine: &mut Registry) {
    let length = |secret: &mut Secret| secret.reveal().chars().count() as i64;
    let is_empty = |secret: &mut Secret| secret.reveal().is_empty();
    engine.register_fn("len", length).register_get("len", length);
    engine.register_fn("is_empty", is_empty).register_get("is_empty", is_empty);
    engine.register_fn("contains", |secret: &mut Secret, part: Text| secret.reveal().contains(part.as_str()));
    engine.register_fn("starts_with", |secret: &mut Secret, part: Text| secret.reveal().starts_with(part.as_str()));
    engine.register_fn("ends_with", |secret: &mut Secret, part: Text| secret.reveal().ends_with(part.as_str()));

    engine.register_fn("==", |one: Secret, other: Secret| one == other);
    engine.register_fn("!=", |one: Secret, other: Secret| one != other);
    engine.register_fn("==", |secret: Secret, text: Text| secret.0 == text);
    engine.register_fn("!=", |secret: Secret, text: Text| secret.0 != text);
    engine.register_fn("==", |text: Text, secret: Secret| secret.0 == text);
    engine.register_fn("!=", |text: Text, secret: Secret| secret.0 != text);
}

/// What is joined to a secret becomes a part of it.
fn register_joining(engine: &mut Registry, world: &Arc<World>) {
    engine.register_fn("trim", |secret: &mut Secret| Secret(secret.reveal().trim().into()));
    engine.register_fn("+", |one: Secret, other: Secret| one.between("", other.reveal()));
    engine.register_fn("+", |secret: Secret, text: Text| secret.between("", &text));
    engine.register_fn("+", |text: Text, secret: Secret| secret.between(&text, ""));
    engine.register_fn("+", |secret: Secret, c: char| secret.between("", c.encode_utf8(&mut [0; 4])));
    engine.register_fn("+", |c: char, secret: Secret| secret.between(c.encode_utf8(&mut [0; 4]), ""));
    engine.register_fn("+", |secret: Secret, number: i64| secret.between("", &number.to_string()));
    engine.register_fn("+=", |one: &mut Secret, other: Secret| *one = one.between("", other.reveal()));
    engine.register_fn("+=", |secret: &mut Secret, text: Text| *secret = secret.between("", &text));
    engine.register_fn("+=", |secret: &mut Secret, c: char| *secret = secret.between("", c.encode_utf8(&mut [0; 4])));
    // A text cannot become a secret where it stands.
    for name in ["+=", "append"] {
        let world = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, _: &mut Text, _: Secret| -> Result<()> {
            let message = "a secret cannot be put into a text: write `text = text + token`, which gives a secret";
            Err(CallPlace::of(&context).invalid(&world, message.to_string()))
        });
    }
}
