//! Hashes, base64 and its relatives, and templates for files.

use std::sync::Arc;

use rhai::{Blob, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::digest::{Hasher, NAMES};
use crate::data::problem::Problem;
use crate::data::{codes, template};
use crate::files::{self, Encoded};
use crate::process::{Error, nearest_name};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::secret::{Secret, unmasked};
use crate::script::values;
use crate::script::world::World;

use super::contents;
use super::files::called_at;
use super::formats::{at_line, not_decoded, secret_text, without_mark};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    register_hashes(engine, world);
    register_codes(engine, world);
    register_templates(engine, world);
}

/// The bytes of a text, a blob or a secret, and whether they are secret.
fn bytes_of(value: &Dynamic) -> std::result::Result<(Vec<u8>, bool), String> {
    if let Some(text) = value.read_lock::<Text>() {
        return Ok((unmasked(&text, "the text")?.as_bytes().to_vec(), false));
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        return Ok((blob.clone(), false));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok((secret.reveal().as_bytes().to_vec(), true));
    }
    Err(format!("this takes text or a blob, not {}", convert::kind_of(value)))
}

fn register_hashes(engine: &mut Registry, world: &Arc<World>) {
    for name in NAMES {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, value: Dynamic| -> Result<String> {
            let place = CallPlace::of(&context);
            let is_path = value.is::<std::path::PathBuf>();
            let hint =
                if is_path { format!("; the hash of a file is hash_file(path, \"{name}\")") } else { String::new() };
            let (bytes, _) = bytes_of(&value).map_err(|problem| place.invalid(&shared, format!("{problem}{hint}")))?;
            let mut hasher = hasher(name).map_err(|problem| place.invalid(&shared, problem))?;
            // A large blob takes a while.
            for piece in bytes.chunks(1 << 20) {
                if shared.stops() {
                    return Err(World::terminated(place.position));
                }
                hasher.update(piece);
            }
            Ok(hasher.finish())
        });
    }
    let shared = world.clone();
    engine.register_fn("hash_file", move |context: NativeCallContext, path: Dynamic, name: Text| -> Result<String> {
        let place = CallPlace::of(&context);
        let mut hasher = hasher(&name).map_err(|problem| place.invalid(&shared, problem))?;
        called_at(&place, &shared, |call| {
            let from = call.path(&path)?;
            call.watched(|watch| files::read_pieces(&from, watch, |piece| hasher.update(piece)))
        })?;
        Ok(hasher.finish())
    });
}

fn hasher(name: &str) -> std::result::Result<Hasher, String> {
    Hasher::new(name).ok_or_else(|| {
        let similar = nearest_name(name, NAMES.iter().map(ToString::to_string));
        let hint =
            similar.map_or_else(|| format!("there are {}", NAMES.join(", ")), |name| format!("did you mean `{name}`?"));
        format!("there is no hash `{name}`; {hint}")
    })
}

fn register_codes(engine: &mut Registry, world: &Arc<World>) {
    let encoders: [(&str, Encode); 4] = [
        ("base64_encode", codes::base64),
        ("base64url_encode", codes::base64_for_urls),
        ("hex_encode", codes::hex),
        ("url_encode", codes::percent),
    ];
    for (name, encode) in encoders {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, value: Dynamic| -> Result<Dynamic> {
            let (bytes, is_secret) =
                bytes_of(&value).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
            let text = encode(&bytes);
            Ok(if is_secret { secret_text(&shared, text) } else { text.into() })
        });
    }
    let decode = |engine: &mut Registry, name: &'static str, what: &'static str, decode: Decode| {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, text: Text| -> Result<Dynamic> {
            decode(&text).map_err(|problem| {
                let message = format!("the text is not {what}: {}", at_line(&problem, &text, &shared.secrets));
                CallPlace::of(&context).raise(&shared, Error::not_decoded(message))
            })
        });
    };
    decode(engine, "base64_decode", "base64", |text| codes::from_base64(text).map(Dynamic::from_blob));
    decode(engine, "hex_decode", "hexadecimal", |text| codes::from_hex(text).map(Dynamic::from_blob));
    decode(engine, "url_decode", "percent-encoded text", |text| {
        let bytes = codes::from_percent(text)?;
        let text = String::from_utf8(bytes);
        text.map(Dynamic::from).map_err(|error| {
            Problem::new(format!("what it stands for is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
        })
    });
    let shared = world.clone();
    engine.register_fn("to_text", move |context: NativeCallContext, bytes: &mut Blob| -> Result<String> {
        std::str::from_utf8(bytes).map(str::to_string).map_err(|error| {
            let message = format!("the blob is not UTF-8 text at byte {}", error.valid_up_to());
            CallPlace::of(&context).raise(&shared, Error::not_decoded(message))
        })
    });
}

type Encode = fn(&[u8]) -> String;
type Decode = fn(&str) -> std::result::Result<Dynamic, Problem>;

fn register_templates(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("render", move |context: NativeCallContext, text: Text, values: Map| {
        render(&shared, &CallPlace::of(&context), &text, values, "the template")
    });
    let shared = world.clone();
    engine.register_fn(
        "render_file",
        move |context: NativeCallContext, path: Dynamic, values: Map| -> Result<Dynamic> {
            let place = CallPlace::of(&context);
            let read = called_at(&place, &shared, |call| contents::text(call, &path, Encoded::default()));
            let (file, text) = read?;
            render(&shared, &place, &without_mark(text.into()), values, &file.to_string())
        },
    );
}

fn render(world: &World, place: &CallPlace, text: &str, values: Map, what: &str) -> Result<Dynamic> {
    let (values, has_secret) = values::from_script(&Dynamic::from_map(values))
        .map_err(|problem| place.invalid(world, format!("a template cannot show everything: {problem}")))?;
    match template::render(text, &values, &|| world.stops()) {
        Ok(text) if has_secret => Ok(secret_text(world, text)),
        Ok(text) => Ok(text.into()),
        Err(template::Failure::Stopped) => Err(World::terminated(place.position)),
        Err(template::Failure::Problem(problem)) => {
            let message = format!("cannot render {what}: {}", at_line(&problem, text, &world.secrets));
            Err(place.raise(world, not_decoded(message, problem.help)))
        }
    }
}
