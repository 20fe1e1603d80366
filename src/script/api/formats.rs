//! Values as text and text as values: JSON, TOML, YAML, CSV, `.env`; each also to and from files.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::json::BigIntegers;
use crate::data::problem::{Problem, place as place_in};
use crate::data::value::Value;
use crate::data::{dotenv, json, toml, yaml};
use crate::files::{self, Encoded};
use crate::process::Error;
use crate::script::apart::apart;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::script::secret::{Secret, Secrets};
use crate::script::tables;
use crate::script::values;
use crate::script::world::World;

use super::contents::{self, WRITING, writing};
use super::files::called_at;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Why a text is no value: where in the text, or what is wrong with the options.
pub(crate) enum NotRead {
    Text(Problem),
    Options(String),
}

impl From<Problem> for NotRead {
    fn from(problem: Problem) -> Self {
        Self::Text(problem)
    }
}

impl From<String> for NotRead {
    fn from(problem: String) -> Self {
        Self::Options(problem)
    }
}

/// The environment, for lists of variables.
type Outside<'a> = &'a dyn Fn(&str) -> Option<String>;
type Read = fn(Outside, &str, &Options) -> std::result::Result<Dynamic, NotRead>;
type Write = fn(&Dynamic, &Options) -> std::result::Result<(String, bool), String>;

/// One way to write values as text.
struct Format {
    /// `parse_…`, `to_…`, `read_…` and `write_…`, and what they are called in messages.
    name: &'static str,
    names: [&'static str; 4],
    title: &'static str,
    read: Read,
    write: Write,
    reading: &'static [&'static str],
    writing: &'static [&'static str],
}

macro_rules! names {
    ($name:literal) => {
        [concat!("parse_", $name), concat!("to_", $name), concat!("read_", $name), concat!("write_", $name)]
    };
}

const FORMATS: &[Format] = &[
    Format {
        name: "json",
        names: names!("json"),
        title: "JSON",
        read: |_, text, options| Ok(values::into_script(json::parse(text, big_integers(options)?)?)),
        write: |value, options| {
            let pretty = options.value::<bool>("pretty", "true or false")?.unwrap_or(false);
            of_value(value, |value| json::write(value, pretty))
        },
        reading: &["big_integers"],
        writing: &["pretty"],
    },
    Format {
        name: "json_lines",
        names: names!("json_lines"),
        title: "JSON lines",
        read: |_, text, options| Ok(array_of(json::parse_lines(text, big_integers(options)?)?)),
        write: |value, _| of_array(value, json::write_lines),
        reading: &["big_integers"],
        writing: &[],
    },
    Format {
        name: "toml",
        names: names!("toml"),
        title: "TOML",
        read: |_, text, _| Ok(values::into_script(toml::parse(text)?)),
        write: |value, _| of_value(value, toml::write),
        reading: &[],
        writing: &[],
    },
    Format {
        name: "yaml",
        names: names!("yaml"),
        title: "YAML",
        read: |_, text, _| Ok(values::into_script(yaml::parse(text)?)),
        write: |value, _| of_value(value, yaml::write),
        reading: &[],
        writing: &[],
    },
    Format {
        name: "yaml_all",
        names: names!("yaml_all"),
        title: "YAML",
        read: |_, text, _| Ok(array_of(yaml::parse_all(text)?)),
        write: |value, _| of_array(value, yaml::write_all),
        reading: &[],
        writing: &[],
    },
    Format {
        name: "csv",
        names: names!("csv"),
        title: "CSV",
        read: |_, text, options| tables::read(text, options),
        write: tables::write,
        reading: tables::READING,
        writing: tables::WRITING,
    },
    Format {
        name: "env",
        names: ["parse_env", "", "dotenv", ""],
        title: "a list of variables",
        read: |outside, text, _| {
            let variables = dotenv::parse(text, outside)?;
            Ok(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Map>().into())
        },
        write: |_, _| Err(String::new()),
        reading: &[],
        writing: &[],
    },
];

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    for format in FORMATS {
        register_reading(engine, world, format);
        if format.name != "env" {
            register_writing(engine, world, format);
        }
    }
}

fn register_reading(engine: &mut Registry, world: &Arc<World>, format: &'static Format) {
    let [parse, _, read, _] = format.names;
    let has_options = !format.reading.is_empty();
    let shared = world.clone();
    engine.register_fn(parse, move |context: NativeCallContext, text: Text| {
        parse_text(&shared, &CallPlace::of(&context), format, parse, &text, &Map::new())
    });
    let shared = world.clone();
    engine.register_fn(read, move |context: NativeCallContext, path: Dynamic| {
        read_file(&shared, &CallPlace::of(&context), format, read, &path, &Map::new())
    });
    if has_options {
        let shared = world.clone();
        engine.register_fn(parse, move |context: NativeCallContext, text: Text, options: Map| {
            parse_text(&shared, &CallPlace::of(&context), format, parse, &text, &options)
        });
        let shared = world.clone();
        engine.register_fn(read, move |context: NativeCallContext, path: Dynamic, options: Map| {
            read_file(&shared, &CallPlace::of(&context), format, read, &path, &options)
        });
    }
}

fn register_writing(engine: &mut Registry, world: &Arc<World>, format: &'static Format) {
    let [_, to, _, write] = format.names;
    let has_options = !format.writing.is_empty();
    let shared = world.clone();
    engine.register_fn(to, move |context: NativeCallContext, value: Dynamic| {
        to_text(&shared, &CallPlace::of(&context), format, to, &value, &Map::new())
    });
    // Rhai's own for maps would go before.
    if to == "to_json" {
        let shared = world.clone();
        engine.register_fn(to, move |context: NativeCallContext, value: &mut Map| {
            let value = Dynamic::from_map(value.clone());
            to_text(&shared, &CallPlace::of(&context), format, to, &value, &Map::new())
        });
    }
    let shared = world.clone();
    engine.register_fn(write, move |context: NativeCallContext, path: Dynamic, value: Dynamic| {
        write_file(&shared, &CallPlace::of(&context), format, write, (&path, &value), &Map::new())
    });
    let shared = world.clone();
    engine.register_fn(
        write,
        move |context: NativeCallContext, path: Dynamic, value: Dynamic, options: Map| -> Result<()> {
            write_file(&shared, &CallPlace::of(&context), format, write, (&path, &value), &options)
        },
    );
    if has_options {
        let shared = world.clone();
        engine.register_fn(to, move |context: NativeCallContext, value: Dynamic, options: Map| {
            to_text(&shared, &CallPlace::of(&context), format, to, &value, &options)
        });
    }
}

fn parse_text(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    text: &Text,
    options: &Map,
) -> Result<Dynamic> {
    let what = format!("the text is not {}", format.title);
    let text = without_mark(text.clone());
    read(world, place, format, function, &text, options, |problem| match format.name {
        // As for the output of commands, which is JSON on one line more often than not.
        "json" => format!("{what}: {}", at_byte(problem, &text, &world.secrets)),
        _ => format!("{what}: {}", at_line(problem, &text, &world.secrets)),
    })
}

fn read_file(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    path: &Dynamic,
    options: &Map,
) -> Result<Dynamic> {
    let (file, text) = called_at(place, world, |call| contents::text(call, path, Encoded::default()))?;
    let text = without_mark(text.into());
    read(world, place, format, function, &text, options, |problem| {
        format!("{file} is not {}: {}", format.title, at_line(problem, &text, &world.secrets))
    })
}

/// A byte order mark is none of the text.
pub(super) fn without_mark(text: Text) -> Text {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.into(),
        None => text,
    }
}

/// A text of this size is read in some ten milliseconds.
const LARGE: usize = 256 * 1024;

fn read(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    text: &Text,
    options: &Map,
    message: impl Fn(&Problem) -> String,
) -> Result<Dynamic> {
    let known = Options::new(function, options, format.reading).map_err(|problem| place.invalid(world, problem))?;
    // Variables are those of the block around the call, which belong to this thread.
    let result = if text.len() < LARGE || format.name == "env" {
        let outside = |name: &str| world.context().env(name).and_then(|value| value.into_string().ok());
        (format.read)(&outside, text, &known)
    } else {
        let (text, options) = (text.clone(), options.clone());
        apart(world, place, move || {
            let options = Options { function, map: &options, known: format.reading };
            (format.read)(&|_| None, &text, &options)
        })?
    };
    result.map_err(|not_read| match not_read {
        NotRead::Options(problem) => place.invalid(world, problem),
        NotRead::Text(problem) => place.raise(world, not_decoded(message(&problem), problem.help)),
    })
}

/// An error about a text, with what to do about it.
pub(super) fn not_decoded(message: String, help: Option<String>) -> Error {
    let error = Error::not_decoded(message);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

fn to_text(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    value: &Dynamic,
    options: &Map,
) -> Result<Dynamic> {
    let options = Options::new(function, options, format.writing).map_err(|problem| place.invalid(world, problem))?;
    let (text, is_secret) = written(world, place, format, function, value, &options)?;
    Ok(if is_secret { secret_text(world, text) } else { text.into() })
}

/// With a secret in it, the whole is one.
pub(super) fn secret_text(world: &World, text: String) -> Dynamic {
    // Its parts are known already, so that it is masked even where this refuses it as too short.
    let _ = world.secrets.add(&text);
    Secret::from(text).into()
}

fn write_file(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    (path, value): (&Dynamic, &Dynamic),
    options: &Map,
) -> Result<()> {
    let mut options = options.clone();
    if format.name == "json" {
        // A file is for people, too.
        options.entry("pretty".into()).or_insert(true.into());
    }
    // Before the file is touched.
    let known = [format.writing, WRITING].concat();
    let options = Options::new(function, &options, &known).map_err(|problem| place.invalid(world, problem))?;
    let (mut text, is_secret) = written(world, place, format, function, value, &options)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    called_at(place, world, |call| {
        let (to, writing) = (call.path(path)?, writing(&options, is_secret)?);
        call.watched(|watch| files::write(&to, text.as_bytes(), &writing, watch))
    })
}

fn written(
    world: &World,
    place: &CallPlace,
    format: &'static Format,
    function: &'static str,
    value: &Dynamic,
    options: &Options,
) -> Result<(String, bool)> {
    let mut most = MANY;
    let written = if is_within(value, &mut most) {
        (format.write)(value, options)
    } else {
        let (value, map) = (value.clone(), options.map.clone());
        let known: Vec<String> = options.known.iter().map(|name| name.to_string()).collect();
        apart(world, place, move || {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            (format.write)(&value, &Options { function, map: &map, known: &known })
        })?
    };
    written.map_err(|problem| place.invalid(world, format!("{function}: {problem}")))
}

/// So many values are written in some ten milliseconds.
const MANY: usize = 32 * 1024;

/// Whether a value holds no more values than `most`, which is taken down by those that there are.
fn is_within(value: &Dynamic, most: &mut usize) -> bool {
    let Some(left) = most.checked_sub(1) else { return false };
    *most = left;
    if let Some(elements) = value.read_lock::<Array>() {
        return elements.len() <= *most && elements.iter().all(|element| is_within(element, most));
    }
    match value.read_lock::<Map>() {
        Some(map) => map.len() <= *most && map.values().all(|value| is_within(value, most)),
        // A long text counts for its length.
        None => value.read_lock::<Text>().is_none_or(|text| text.len() < LARGE),
    }
}

fn big_integers(options: &Options) -> std::result::Result<BigIntegers, String> {
    match options.value::<Text>("big_integers", "\"text\" or \"float\"")?.as_deref() {
        None => Ok(BigIntegers::Refused),
        Some("text") => Ok(BigIntegers::Text),
        Some("float") => Ok(BigIntegers::Float),
        Some(other) => Err(format!("the option `big_integers` is \"text\" or \"float\", not \"{other}\"")),
    }
}

fn array_of(values: Vec<Value>) -> Dynamic {
    values.into_iter().map(values::into_script).collect::<Array>().into()
}

fn of_value(
    value: &Dynamic,
    write: impl Fn(&Value) -> std::result::Result<String, String>,
) -> std::result::Result<(String, bool), String> {
    let (value, is_secret) = values::from_script(value)?;
    Ok((write(&value)?, is_secret))
}

fn of_array(
    value: &Dynamic,
    write: impl Fn(&[Value]) -> std::result::Result<String, String>,
) -> std::result::Result<(String, bool), String> {
    match values::from_script(value)? {
        (Value::Array(values), is_secret) => Ok((write(&values)?, is_secret)),
        _ => Err(format!("the value must be an array, but is {}", convert::kind_of(value))),
    }
}

/// How much of the text is shown around an error.
const EXCERPT: usize = 40;

/// The part of a text around an offset, without secrets.
fn excerpt(text: &str, offset: usize, secrets: &Secrets) -> String {
    let start = text.floor_char_boundary(offset.saturating_sub(EXCERPT / 2));
    let end = text.floor_char_boundary(offset + EXCERPT / 2);
    secrets.mask_part(text, start..end)
}

/// `unexpected end at byte 7, near …`
pub(crate) fn at_byte(problem: &Problem, text: &str, secrets: &Secrets) -> String {
    match problem.offset {
        Some(offset) => format!("{} at byte {offset}, near `{}`", problem.reason, excerpt(text, offset, secrets)),
        None => problem.reason.clone(),
    }
}

/// `unexpected end at line 3, column 7, near …`; the excerpt stays on its line.
pub(crate) fn at_line(problem: &Problem, text: &str, secrets: &Secrets) -> String {
    let Some(offset) = problem.offset else { return problem.reason.clone() };
    let (line, column) = place_in(text, offset);
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let line_start = text[..offset].rfind('\n').map_or(0, |index| index + 1);
    let line_end = text[offset..].find('\n').map_or(text.len(), |length| offset + length);
    let start = text.floor_char_boundary(offset.saturating_sub(EXCERPT / 2)).max(line_start);
    let end = text.floor_char_boundary(offset + EXCERPT / 2).min(line_end).max(start);
    let near = secrets.mask_part(text, start..end);
    let near = near.trim();
    let near = if near.is_empty() { String::new() } else { format!(", near `{near}`") };
    format!("{} at line {line}, column {column}{near}", problem.reason)
}
