//! What `catch (e)` gets for an error that is the interpreter's own: a value with the fields of ours.
//!
//! Rhai hands over a map without most of them. The [spelling](super::spelling) has every `catch` look at it first.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Position};

use super::check::lower_first;
use super::error::FIELDS;
use super::facts::or_unit;
use super::failure::{Failure, Place};
use super::parallel::Batch;
use super::registry::Registry;
use super::secret::Secrets;
use super::spelling::CAUGHT;
use super::template::error as parse_error;
use super::words::{hint, message_of_value, plain_message};
use super::world::World;

/// An error of the interpreter: a division by zero, a missing property.
#[derive(Debug, Clone)]
pub(crate) struct ScriptError {
    pub message: String,
    pub help: Option<String>,
    /// Rhai's name for it.
    name: String,
    pub place: Option<Place>,
    attempts: u32,
    kind: String,
    /// Those that failed beside it.
    pub batch: Option<Arc<Batch>>,
}

impl ScriptError {
    /// What `catch` would get for an error: the thrown value, or the interpreter's error as a value.
    pub fn value_of(error: EvalAltResult, world: &World) -> Dynamic {
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
                    let name = name_of(&error);
                    let place = world.place(file.as_deref(), error.position());
                    let error = Self { name, help: hint(&error), ..Self::new(plain_message(&error), place) };
                    return Dynamic::from(error.masked(&world.secrets));
                }
            }
        }
    }

    fn new(message: String, place: Option<Place>) -> Self {
        let kind = "script_error".to_string();
        let name = "ErrorRuntime".to_string();
        Self { message, help: None, name, place, attempts: 1, kind, batch: None }
    }

    /// Of a text that could not be loaded.
    pub fn of_failure(failure: &Failure) -> Self {
        let help = failure.help().map(str::to_string);
        let name = "ErrorParsing".to_string();
        Self { name, help, ..Self::new(failure.message().to_string(), failure.place().cloned()) }
    }

    /// One that a script has thrown as a value of its own.
    pub fn thrown(value: &Dynamic, place: Option<Place>) -> Self {
        let kind = value.read_lock::<Map>().and_then(|map| map.get("kind").map(ToString::to_string));
        Self { kind: kind.unwrap_or_else(|| "thrown".to_string()), ..Self::new(message_of_value(value), place) }
    }

    /// After so many tries.
    pub fn after(self, tries: u32) -> Self {
        Self { attempts: tries, ..self }
    }

    fn from_map(map: &Map, world: &World) -> Option<Self> {
        let text = |key: &str| map.get(key).filter(|value| value.is_string()).map(ToString::to_string);
        let number = |key: &str| map.get(key).and_then(|value| value.as_int().ok()).and_then(|n| u16::try_from(n).ok());
        let name = text("error").filter(|name| name.starts_with("Error"))?;
        let message = text("message")?;
        let told = Told::of(&message);
        let here = number("line").map(|line| Position::new(line, number("position").unwrap_or(1)));
        // What was called has failed, and Rhai tells where the call is.
        let position = told.position.filter(|_| told.was_called).or(here).unwrap_or(Position::NONE);
        let file = told.source.map(str::to_string).filter(|_| told.was_called).or(text("source"));
        let place = world.place(file.as_deref(), position);
        let (name, message, help) = match told.error() {
            Some(error) => (name_of(&error), plain_message(&error), hint(&error)),
            None => (name, lower_first(told.text), None),
        };
        Some(Self { name, help, ..Self::new(message, place) })
    }

    fn masked(self, secrets: &Secrets) -> Self {
        let help = self.help.map(|help| secrets.mask(&help).into_owned());
        Self { message: secrets.mask(&self.message).into_owned(), help, ..self }
    }

    fn field(&self, name: &str) -> Dynamic {
        let place = |part: fn(&Place) -> Dynamic| self.place.as_ref().map_or(Dynamic::UNIT, part);
        match name {
            "kind" => self.kind.clone().into(),
            "message" => self.message.clone().into(),
            "help" => or_unit(self.help.clone()),
            "file" => place(|place| or_unit(Some(place.file.clone()).filter(|file| !file.is_empty()))),
            "line" => place(|place| (place.line as i64).into()),
            "column" => place(|place| (place.column as i64).into()),
            "failures" => self.batch.as_ref().map_or(Dynamic::UNIT, |batch| batch.failures().into()),
            "attempts" => i64::from(self.attempts).into(),
            _ => Dynamic::UNIT,
        }
    }
}

/// Rhai's name for an error.
fn name_of(error: &EvalAltResult) -> String {
    format!("{error:?}").split(['(', ' ']).next().unwrap_or_default().to_string()
}

/// What Rhai's text for an error tells, which is all that a `catch` gets of one that a function has let through.
struct Told<'a> {
    text: &'a str,
    source: Option<&'a str>,
    position: Option<Position>,
    /// Whether it came out of a call.
    was_called: bool,
}

impl<'a> Told<'a> {
    /// Takes `text @ 'source' (line 1, position 2)` and the calls behind it apart.
    fn of(message: &'a str) -> Self {
        let calls = ["\nin call to function '", "\nin closure call", "\nin module"];
        let end = calls.iter().filter_map(|call| message.find(call)).min();
        let mut told = Self {
            text: &message[..end.unwrap_or(message.len())],
            source: None,
            position: None,
            was_called: end.is_some(),
        };
        if let Some((text, place)) = told.text.rsplit_once(" (line ")
            && let Some((line, column)) = place.strip_suffix(')').and_then(|place| place.split_once(", position "))
            && let (Ok(line), Ok(column)) = (line.parse(), column.parse())
        {
            told.text = text;
            told.position = Some(Position::new(line, column));
        }
        if let Some((text, source)) = told.text.rsplit_once(" @ '")
            && let Some(source) = source.strip_suffix('\'')
        {
            told.text = text;
            told.source = Some(source);
        }
        told
    }

    /// The error, as far as we have words of our own for it.
    fn error(&self) -> Option<EvalAltResult> {
        use EvalAltResult as E;
        let what = |start| self.text.strip_prefix(start).map(str::to_string);
        let nowhere = Position::NONE;
        let error = what("Property not found: ").map(|key| E::ErrorPropertyNotFound(key, nowhere));
        let error = error.or_else(|| Some(E::ErrorVariableNotFound(what("Variable not found: ")?, nowhere)));
        let error = error.or_else(|| Some(E::ErrorFunctionNotFound(what("Function not found: ")?, nowhere)));
        let error = error.or_else(|| Some(E::ErrorDataRace(what("Data race detected on ")?, nowhere)));
        error.or_else(|| match self.text {
            "For loop expects iterable type" => Some(E::ErrorFor(nowhere)),
            text if text.starts_with("Unknown property '") => Some(E::ErrorDotExpr(text.to_string(), nowhere)),
            text if text.starts_with("Division by zero") => Some(E::ErrorArithmetic(text.to_string(), nowhere)),
            _ => None,
        })
    }
}

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_type_with_name::<ScriptError>("ScriptError");
    engine.register_fn("to_string", |error: &mut ScriptError| error.message.clone());
    engine.register_fn("to_debug", |error: &mut ScriptError| format!("{} (script_error)", error.message));
    engine.register_get("error", |error: &mut ScriptError| error.name.clone());
    for (name, _) in FIELDS {
        engine.register_get(*name, move |error: &mut ScriptError| error.field(name));
    }
    let parse = |symbols: &[ImmutableString], _: &str, _: &mut Dynamic| match symbols.len() {
        1 => Ok(Some("$expr$".into())),
        _ => Ok(None),
    };
    engine.register_custom_syntax_with_state_raw(CAUGHT, parse, false, move |context, inputs, _| {
        let [caught] = inputs else { return Err(parse_error("broken catch".to_string()).into()) };
        let value = context.eval_expression_tree(caught)?.flatten();
        let error = value.read_lock::<Map>().and_then(|map| ScriptError::from_map(&map, &world));
        Ok(error.map_or(value.clone(), |error| Dynamic::from(error.masked(&world.secrets))))
    });
}
