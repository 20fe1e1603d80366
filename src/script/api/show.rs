//! Text for people: `style`, `table`, and what `std/log` asks.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::process::nearest_name;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::script::secret;
use crate::script::world::World;
use crate::terminal::{self, Align, Stream, Table};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("style", move |context: NativeCallContext, text: Dynamic, words: Text| {
        // Which stream it is for is not known: a file must not get colours because the other one is a terminal.
        let is_on = || shared.shows_colors(Stream::Stdout) && shared.shows_colors(Stream::Stderr);
        styled(&text, &words, is_on).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    let shared = world.clone();
    engine.register_fn("style", move |context: NativeCallContext, text: Dynamic, words: Text, stream: Text| {
        let invalid = |problem| CallPlace::of(&context).invalid(&shared, problem);
        let stream = match stream.as_str() {
            "stdout" => Stream::Stdout,
            "stderr" => Stream::Stderr,
            other => return Err(invalid(format!("style is for \"stdout\" or \"stderr\", not for \"{other}\""))),
        };
        styled(&text, &words, || shared.shows_colors(stream)).map_err(invalid)
    });
    let shared = world.clone();
    engine.register_fn("table", move |context: NativeCallContext, rows: Array| {
        table(&shared, &context, &rows, &Map::new())
    });
    let shared = world.clone();
    engine.register_fn("table", move |context: NativeCallContext, rows: Array, options: Map| {
        table(&shared, &context, &rows, &options)
    });
    let shared = world.clone();
    engine.register_fn("__log_shows", move |level: Text| shared.shows_messages(&level));
    let shared = world.clone();
    engine.register_fn("__log_mark", move |level: Text| shared.message_mark(&level));
}

fn styled(text: &Dynamic, words: &str, is_on: impl FnOnce() -> bool) -> std::result::Result<String, String> {
    let style = terminal::style(words).map_err(|word| {
        let similar = nearest_name(&word, terminal::style_words().into_iter());
        let hint = similar.map(|similar| format!("; did you mean `{similar}`?")).unwrap_or_else(|| {
            "; there are bold, dim, italic, underline, reverse, strike, and colours such as red, bright-red, on-red"
                .to_string()
        });
        format!("style has no word `{word}`{hint}")
    })?;
    let text = secret::shown(text);
    Ok(if is_on() { terminal::paint(&text, style) } else { text })
}

fn table(world: &World, context: &NativeCallContext, rows: &Array, options: &Map) -> Result<String> {
    let place = CallPlace::of(context);
    let table = layout(world, rows, options).map_err(|problem| place.invalid(world, problem))?;
    match world.must_stop() {
        true => Err(World::terminated(place.position)),
        false => Ok(table.render()),
    }
}

fn layout(world: &World, rows: &Array, options: &Map) -> std::result::Result<Table, String> {
    let options = Options::new("table", options, &["columns", "header", "align", "width"])?;
    let keys = columns(rows, &options)?;
    let cell = |value: &Dynamic| if value.is_unit() { String::new() } else { secret::shown(value) };
    let mut cells = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        if let Some(row) = row.read_lock::<Map>() {
            cells.push(keys.iter().map(|key| row.get(key.as_str()).map(cell).unwrap_or_default()).collect());
        } else if let Some(row) = row.read_lock::<Array>() {
            cells.push(row.iter().map(cell).collect());
        } else {
            return Err(format!("rows[{index}] must be an array or a map, but is {}", convert::kind_of(row)));
        }
        if world.stops() {
            break;
        }
    }
    let header = match options.map.get("header") {
        None => (!keys.is_empty()).then(|| keys.clone()),
        Some(value) if value.is_bool() => (value.as_bool() == Ok(true)).then(|| keys.clone()),
        Some(_) => options
            .value::<Array>("header", "an array of titles, or false")?
            .map(|titles| titles.iter().map(cell).collect()),
    };
    let count = cells.iter().chain(&header).map(Vec::len).max().unwrap_or(0);
    let align = alignment(&options, &keys, count, rows)?;
    let columns = match options.map.get("width") {
        None => world.out.columns(),
        Some(width) if width.is_unit() => None,
        Some(width) => {
            let width = width.as_int().ok().and_then(|width| usize::try_from(width).ok()).filter(|width| *width > 0);
            Some(width.ok_or("the option `width` of table is a number of columns, at least 1, or `()`")?)
        }
    };
    Ok(Table { header: header.filter(|header| !header.is_empty()), rows: cells, align, columns })
}

/// The keys of the maps, in the order of the option, or else sorted, as maps are.
fn columns(rows: &Array, options: &Options) -> std::result::Result<Vec<String>, String> {
    let Some(wanted) = options.value::<Array>("columns", "an array of names")? else {
        let mut keys: Vec<String> = Vec::new();
        for row in rows.iter().filter_map(|row| row.read_lock::<Map>()) {
            keys.extend(
                row.keys()
                    .filter(|key| !keys.iter().any(|known| known == key.as_str()))
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            );
        }
        return Ok(keys);
    };
    let wanted: Vec<String> = wanted.iter().map(secret::shown).collect();
    let is_there =
        |name: &String| rows.iter().filter_map(|row| row.read_lock::<Map>()).any(|row| row.contains_key(name.as_str()));
    let has_maps = rows.iter().any(|row| row.is_map());
    match wanted.iter().find(|name| has_maps && !is_there(name)) {
        None => Ok(wanted),
        Some(missing) => {
            let all: Vec<String> = rows
                .iter()
                .filter_map(|row| row.read_lock::<Map>())
                .flat_map(|row| row.keys().map(ToString::to_string).collect::<Vec<_>>())
                .collect();
            let hint = nearest_name(missing, all.into_iter())
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            Err(format!("no row has the column `{missing}`{hint}"))
        }
    }
}

/// What is said for a column, or else: numbers stand on the right.
fn alignment(
    options: &Options,
    keys: &[String],
    count: usize,
    rows: &Array,
) -> std::result::Result<Vec<Align>, String> {
    let is_number = |value: &Dynamic| value.is_int() || value.is_float();
    let holds_numbers = |index: usize| {
        let mut found = false;
        let all = rows.iter().all(|row| {
            let value = match row.read_lock::<Map>() {
                Some(row) => keys.get(index).and_then(|key| row.get(key.as_str()).cloned()),
                None => row.read_lock::<Array>().and_then(|row| row.get(index).cloned()),
            };
            let value = value.filter(|value| !value.is_unit());
            found |= value.is_some();
            value.is_none_or(|value| is_number(&value))
        });
        all && found
    };
    let own = |index| if holds_numbers(index) { Align::Right } else { Align::Left };
    let mut align: Vec<Align> = (0..count).map(own).collect();
    let side = |value: &Dynamic| match value.read_lock::<Text>().as_ref().map(|text| text.as_str()) {
        Some("left") => Ok(Align::Left),
        Some("right") => Ok(Align::Right),
        Some("center") => Ok(Align::Center),
        _ => Err("the option `align` of table says \"left\", \"right\" or \"center\" for a column".to_string()),
    };
    match options.map.get("align") {
        None => {}
        Some(value) if value.is_map() => {
            for (name, value) in options.value::<Map>("align", "a map")?.unwrap_or_default() {
                let index = keys.iter().position(|key| *key == name.as_str());
                let index = index.ok_or_else(|| format!("the option `align` of table names no column `{name}`"))?;
                if let Some(place) = align.get_mut(index) {
                    *place = side(&value)?;
                }
            }
        }
        Some(_) => {
            let sides = options.value::<Array>("align", "a map, or an array")?.unwrap_or_default();
            for (place, value) in align.iter_mut().zip(&sides) {
                *place = side(value)?;
            }
        }
    }
    Ok(align)
}
