//! Regular expressions: `regex("…")`, and the same methods on text with a pattern.

use std::sync::Arc;

use regex::{Captures, Regex};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString as Text, Map, NativeCallContext};

use crate::data::pattern::{self, Cache};
use crate::data::problem::Problem;
use crate::process::{Error, ErrorKind};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::secret::unmasked;
use crate::script::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// What is asked of a pattern and a text. Those that gather much end when the last says so.
type Question = fn(&Regex, &str, &dyn Fn() -> bool) -> Dynamic;

const QUESTIONS: &[(&str, Question)] = &[
    ("matches", |regex, text, _| regex.is_match(text).into()),
    ("find", |regex, text, _| regex.find(text).map_or(Dynamic::UNIT, |found| found.as_str().into())),
    ("find_all", |regex, text, stops| {
        let found = regex.find_iter(text).take_while(|_| !stops());
        found.map(|found| found.as_str().into()).collect::<Array>().into()
    }),
    ("captures", |regex, text, _| regex.captures(text).map_or(Dynamic::UNIT, |found| group_map(regex, &found))),
    ("captures_all", |regex, text, stops| {
        let found = regex.captures_iter(text).take_while(|_| !stops());
        found.map(|found| group_map(regex, &found)).collect::<Array>().into()
    }),
    ("spans", |regex, text, stops| spans(regex, text, stops).into()),
];

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let cache: Arc<Cache> = Arc::default();
    engine.register_type_with_name::<Regex>("Regex");
    let shared = world.clone();
    engine.register_fn("regex", move |context: NativeCallContext, text: Text| -> Result<Regex> {
        compiled(pattern::compile, &text).map_err(|error| CallPlace::of(&context).raise(&shared, error))
    });
    engine.register_fn("to_string", |regex: &mut Regex| regex.as_str().to_string());
    engine.register_fn("to_debug", |regex: &mut Regex| format!("regex({:?})", regex.as_str()));
    engine.register_fn("==", |one: Regex, other: Regex| one.as_str() == other.as_str());
    engine.register_fn("!=", |one: Regex, other: Regex| one.as_str() != other.as_str());
    for (name, question) in QUESTIONS {
        let shared = world.clone();
        engine.register_fn(*name, move |context: NativeCallContext, regex: &mut Regex, text: Text| {
            answered(&context, &shared, |stops| Ok(question(regex, &text, stops)))
        });
        let (shared, cache) = (world.clone(), cache.clone());
        engine.register_fn(*name, move |context: NativeCallContext, text: &mut Text, pattern: Dynamic| {
            let text = text.clone();
            answered(&context, &shared, |stops| {
                given(&cache, &pattern, &text, |regex, text| question(regex, text, stops))
            })
        });
    }
    register_replacing(engine, world, &cache);
    register_splitting(engine, world);
}

/// An answer, unless the script must stop: then it may not be whole.
fn answered(
    context: &NativeCallContext,
    world: &World,
    answer: impl FnOnce(&dyn Fn() -> bool) -> std::result::Result<Dynamic, Error>,
) -> Result<Dynamic> {
    let place = CallPlace::of(context);
    let answer = answer(&|| world.stops()).map_err(|error| place.raise(world, error))?;
    match world.stops() {
        true => Err(World::terminated(place.position)),
        false => Ok(answer),
    }
}

/// The pattern that stands for itself, or that a text is.
fn given<T>(
    cache: &Cache,
    pattern: &Dynamic,
    text: &str,
    answer: impl FnOnce(&Regex, &str) -> T,
) -> std::result::Result<T, Error> {
    if let Some(regex) = pattern.read_lock::<Regex>() {
        return Ok(answer(&regex, text));
    }
    let Some(source) = pattern.read_lock::<Text>() else {
        let kind = convert::kind_of(pattern);
        return Err(Error::invalid_argument(format!("a pattern is text or a regular expression, not {kind}")));
    };
    Ok(answer(&compiled(|source| cache.get(source), &source)?, text))
}

/// A pattern, whose error says what is wrong and where.
pub(crate) fn compiled(
    compile: impl FnOnce(&str) -> std::result::Result<Regex, Problem>,
    source: &str,
) -> std::result::Result<Regex, Error> {
    unmasked(source, "the pattern").map_err(Error::invalid_argument)?;
    compile(source).map_err(|problem| {
        let message = format!("`{source}` is not a regular expression: {}", at_character(&problem, source));
        with_help(Error::new(ErrorKind::InvalidArgument, message), problem.help)
    })
}

fn at_character(problem: &Problem, source: &str) -> String {
    let Some(offset) = problem.offset else { return problem.reason.clone() };
    let (before, rest) = source.split_at(source.floor_char_boundary(offset.min(source.len())));
    let place = format!("{} at character {}", problem.reason, before.chars().count() + 1);
    match rest.is_empty() || before.is_empty() {
        true => place,
        false => format!("{place}, `{rest}`"),
    }
}

fn with_help(error: Error, help: Option<String>) -> Error {
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// Groups by number and, where they have one, by name; those that took no part are `()`.
fn group_map(regex: &Regex, captures: &Captures) -> Dynamic {
    let mut map = Map::new();
    for (index, name, text) in pattern::groups(regex, captures) {
        let text: Dynamic = text.map_or(Dynamic::UNIT, Into::into);
        map.insert(index.to_string().into(), text.clone());
        if let Some(name) = name {
            map.insert(name.into(), text);
        }
    }
    map.into()
}

/// Where the matches are, counted in characters as `sub_string` counts.
fn spans(regex: &Regex, text: &str, stops: &dyn Fn() -> bool) -> Array {
    let (mut bytes, mut chars) = (0, 0);
    let span = |found: regex::Match| {
        chars += text[bytes..found.start()].chars().count();
        bytes = found.start();
        let start = ("start".into(), Dynamic::from_int(chars as i64));
        let length = ("len".into(), Dynamic::from_int(found.as_str().chars().count() as i64));
        Dynamic::from_map(Map::from([start, length, ("text".into(), found.as_str().into())]))
    };
    regex.find_iter(text).take_while(|_| !stops()).map(span).collect()
}

/// `replace_all` and `replace_first` with a text or a function, and `replace`, which replaces all as it does for texts.
fn register_replacing(engine: &mut Registry, world: &Arc<World>, cache: &Arc<Cache>) {
    for (name, limit) in [("replace_all", 0), ("replace_first", 1)] {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, regex: &mut Regex, text: Text, by: Dynamic| {
            replace(&context, &shared, &regex.clone(), &text, &by, limit)
        });
        let (shared, cache) = (world.clone(), cache.clone());
        engine.register_fn(
            name,
            move |context: NativeCallContext, text: &mut Text, pattern: Dynamic, by: Dynamic| -> Result<Dynamic> {
                let text = text.clone();
                given(&cache, &pattern, &text, |regex, text| replace(&context, &shared, regex, text, &by, limit))
                    .map_err(|error| CallPlace::of(&context).raise(&shared, error))?
            },
        );
    }
    let shared = world.clone();
    engine.register_fn("replace", move |context: NativeCallContext, text: &mut Text, regex: Regex, by: Dynamic| {
        let text = text.clone();
        replace(&context, &shared, &regex, &text, &by, 0)
    });
}

/// The text with matches replaced: all, or so many.
fn replace(
    context: &NativeCallContext,
    world: &World,
    regex: &Regex,
    text: &str,
    by: &Dynamic,
    limit: usize,
) -> Result<Dynamic> {
    let place = CallPlace::of(context);
    if let Some(replacement) = by.read_lock::<Text>() {
        pattern::check_replacement(regex, &replacement).map_err(|problem| {
            let message = format!("the replacement `{}`: {}", &*replacement, at_character(&problem, &replacement));
            place.raise(world, with_help(Error::invalid_argument(message), problem.help))
        })?;
        return Ok(regex.replacen(text, limit, replacement.as_str()).into_owned().into());
    }
    let Some(function) = by.read_lock::<FnPtr>().map(|function| function.clone()) else {
        let kind = convert::kind_of(by);
        return Err(
            place.invalid(world, format!("a match is replaced by text or by what a function gives, not by {kind}"))
        );
    };
    let mut result = String::new();
    let mut done = 0;
    for (count, captures) in regex.captures_iter(text).enumerate() {
        if limit > 0 && count == limit {
            break;
        }
        let Some(whole) = captures.get(0) else { continue };
        // A function that takes the groups, too, asks for them with `captures`.
        let given: Dynamic = function.call_within_context(context, (group_map(regex, &captures),))?;
        let given = match given.read_lock::<Text>() {
            Some(text) => text.to_string(),
            None if given.is_int() || given.is_float() || given.is_char() => given.to_string(),
            None => {
                let kind = convert::kind_of(&given);
                return Err(place.invalid(world, format!("the function must give text for a match, but gave {kind}")));
            }
        };
        result.push_str(&text[done..whole.start()]);
        result.push_str(&given);
        done = whole.end();
    }
    result.push_str(&text[done..]);
    Ok(result.into())
}

fn register_splitting(engine: &mut Registry, world: &Arc<World>) {
    let parts = |parts: &mut dyn Iterator<Item = &str>| -> Array { parts.map(Into::into).collect() };
    engine.register_fn("split", move |regex: &mut Regex, text: Text| parts(&mut regex.split(&text)));
    engine.register_fn("split", move |text: &mut Text, regex: Regex| parts(&mut regex.split(text)));
    let shared = world.clone();
    engine.register_fn("split", move |context: NativeCallContext, regex: &mut Regex, text: Text, limit: i64| {
        most(&shared, &context, limit).map(|limit| parts(&mut regex.splitn(&text, limit)))
    });
    let shared = world.clone();
    engine.register_fn("split", move |context: NativeCallContext, text: &mut Text, regex: Regex, limit: i64| {
        most(&shared, &context, limit).map(|limit| parts(&mut regex.splitn(text, limit)))
    });
}

/// In no parts there would be nothing of the text.
fn most(world: &World, context: &NativeCallContext, limit: i64) -> Result<usize> {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or(limit);
    limit.map_err(|limit| {
        CallPlace::of(context).invalid(world, format!("the limit of split is a number of at least 1, not {limit}"))
    })
}
