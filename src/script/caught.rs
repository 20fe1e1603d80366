//! What `catch (e)` gets for an error that is the interpreter's own: a value with the fields of ours.
//!
//! Rhai hands over a map without most of them. The [spelling](super::spelling) has every `catch` look at it first.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, Map, Position};

use super::error::FIELDS;
use super::facts::or_unit;
use super::parallel::Batch;
use super::registry::Registry;
use super::secret::Secrets;
use super::spelling::CAUGHT;
use super::words::{message_of_value, plain_message};
use super::world::World;

/// An error of the interpreter: a division by zero, a missing property.
#[derive(Debug, Clone)]
pub(crate) struct ScriptError {
    pub message: String,
    /// Rhai's name for it.
    name: String,
    pub file: Option<String>,
    pub position: Position,
    attempts: u32,
    kind: String,
    /// Those that failed beside it.
    pub batch: Option<Arc<Batch>>,
}

impl ScriptError {
    /// What `catch` would get for an error: the thrown value, or the interpreter's error as a value.
    pub fn value_of(error: EvalAltResult, secrets: &Secrets) -> Dynamic {
        let mut error = error;
        let mut file = None;
        loop {
            error = match error {
                EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
                    file = Some(source).filter(|source| !source.is_empty()).or(file);
                    *inner
                }
                EvalAltResult::ErrorInModule(path, inner, _) => {
                    file = Some(path).filter(|path| !path.is_empty()).or(file);
                    *inner
                }
                EvalAltResult::ErrorRuntime(value, _) => return value,
                error => {
                    let name = format!("{error:?}").split(['(', ' ']).next().unwrap_or_default().to_string();
                    let (message, position) = (plain_message(&error), error.position());
                    return Dynamic::from(Self { name, file, ..Self::new(message, position) }.masked(secrets));
                }
            }
        }
    }

    fn new(message: String, position: Position) -> Self {
        let kind = "script_error".to_string();
        Self { message, name: "ErrorRuntime".to_string(), file: None, position, attempts: 1, kind, batch: None }
    }

    /// One that a script has thrown as a value of its own.
    pub fn thrown(value: &Dynamic, position: Position) -> Self {
        let kind = value.read_lock::<Map>().and_then(|map| map.get("kind").map(ToString::to_string));
        Self { kind: kind.unwrap_or_else(|| "thrown".to_string()), ..Self::new(message_of_value(value), position) }
    }

    /// After so many tries.
    pub fn after(self, tries: u32) -> Self {
        Self { attempts: tries, ..self }
    }

    fn from_map(map: &Map) -> Option<Self> {
        let text = |key: &str| map.get(key).filter(|value| value.is_string()).map(ToString::to_string);
        let number = |key: &str| map.get(key).and_then(|value| value.as_int().ok()).and_then(|n| u16::try_from(n).ok());
        let name = text("error").filter(|name| name.starts_with("Error"))?;
        let message = text("message")?;
        // Rhai adds the place, which is in fields of its own.
        let message = message.rsplit_once(" (line ").map_or(message.clone(), |(message, _)| message.to_string());
        let position =
            number("line").map_or(Position::NONE, |line| Position::new(line, number("position").unwrap_or(1)));
        let file = text("source").filter(|file| !file.is_empty());
        Some(Self { name, file, ..Self::new(message, position) })
    }

    fn masked(self, secrets: &Secrets) -> Self {
        Self { message: secrets.mask(&self.message).into_owned(), ..self }
    }

    fn field(&self, name: &str) -> Dynamic {
        let number = |number: Option<usize>| number.map_or(Dynamic::UNIT, |number| (number as i64).into());
        match name {
            "kind" => self.kind.clone().into(),
            "message" => self.message.clone().into(),
            "file" => or_unit(self.file.clone()),
            "line" => number(self.position.line()),
            "column" => number(self.position.position()),
            "failures" => self.batch.as_ref().map_or(Dynamic::UNIT, |batch| batch.failures().into()),
            "attempts" => i64::from(self.attempts).into(),
            _ => Dynamic::UNIT,
        }
    }
}

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let secrets = world.secrets.clone();
    engine.register_type_with_name::<ScriptError>("ScriptError");
    engine.register_fn("to_string", |error: &mut ScriptError| error.message.clone());
    engine.register_fn("to_debug", |error: &mut ScriptError| format!("{} (script_error)", error.message));
    engine.register_get("error", |error: &mut ScriptError| error.name.clone());
    for (name, _) in FIELDS {
        engine.register_get(*name, move |error: &mut ScriptError| error.field(name));
    }
    engine.register_fn(CAUGHT, move |value: Dynamic| {
        let error = value.read_lock::<Map>().and_then(|map| ScriptError::from_map(&map));
        error.map_or(value.clone(), |error| Dynamic::from(error.masked(&secrets)))
    });
}
