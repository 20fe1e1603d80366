//! Values as the standard input of commands.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use jiff::SignedDuration;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, ImmutableString as Text, NativeCallContext, Scope};

use crate::data::quantity::{self, Size};
use crate::data::time::{Local, Moment};
use crate::process::{Expression, OutputStream, Supplied};

use super::convert;
use super::error::CallPlace;
use super::secret::{Secret, unmasked};
use super::stream::Stream;
use super::world::World;

/// Numbers that are written at once: a range of no more has no thread.
const PORTION: i128 = 4096;

/// The command with a value as its standard input: text and blobs as they are, of what can be iterated each element
/// with a line feed.
pub(crate) fn feed(
    context: &NativeCallContext,
    world: &Arc<World>,
    command: Expression,
    value: Dynamic,
) -> Result<Expression, Box<EvalAltResult>> {
    let value = value.flatten();
    if let Some(stream) = value.read_lock::<Stream>() {
        return stream.feed(command, world).map_err(|error| CallPlace::of(context).raise(world, error));
    }
    let invalid = |problem| CallPlace::of(context).invalid(world, problem);
    if let Some(fed) = feed_known(command.clone(), &value) {
        return fed.map_err(invalid);
    }
    match elements(context, value.clone())? {
        Some(elements) => lines(&elements).map(|bytes| command.stdin_bytes(bytes)).map_err(invalid),
        None => Err(invalid(refusal(&value))),
    }
}

/// `None` for what is none of our types.
fn feed_known(command: Expression, value: &Dynamic) -> Option<Result<Expression, String>> {
    if let Some(text) = value.read_lock::<Text>() {
        return Some(unmasked(&text, "the input").map(|_| command.stdin_supplied(Supplied::new(Held(text.clone())))));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Some(Ok(command.stdin_bytes(secret.reveal().as_bytes())));
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Some(Ok(command.stdin_bytes(bytes.as_slice())));
    }
    if let Some(array) = value.read_lock::<Array>() {
        return Some(lines(&array).map(|bytes| command.stdin_bytes(bytes)));
    }
    if let Some(source) = value.read_lock::<Expression>() {
        return Some(Ok(command.stdin_command(source.clone())));
    }
    if let Some(stream) = value.read_lock::<OutputStream>() {
        return Some(Ok(command.stdin_stream(stream.clone())));
    }
    if let Some(range) = value.read_lock::<Range<i64>>() {
        return Some(Ok(feed_numbers(command, range.start, range.end.into())));
    }
    if let Some(range) = value.read_lock::<RangeInclusive<i64>>() {
        return Some(Ok(feed_numbers(command, *range.start(), i128::from(*range.end()) + 1)));
    }
    None
}

/// A text of the script, which it shares with the command.
struct Held(Text);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The numbers from `first` to before `end`, which may be more than fit into memory.
fn feed_numbers(command: Expression, first: i64, end: i128) -> Expression {
    let portions = move || {
        let mut next = i128::from(first);
        std::iter::from_fn(move || {
            let portion = next..end.min(next + PORTION);
            next = portion.end;
            (!portion.is_empty()).then(|| portion.map(|number| format!("{number}\n")).collect::<String>().into_bytes())
        })
    };
    match end - i128::from(first) {
        ..=PORTION => command.stdin_bytes(portions().flatten().collect::<Vec<u8>>()),
        _ => command.stdin_items_from(move || portions().map(Ok)),
    }
}

fn lines(elements: &[Dynamic]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        bytes.extend(line(element, &format!("line {} of the input", index + 1))?);
    }
    Ok(bytes)
}

/// An element of what can be iterated: a text gets a line feed, a blob is what it is.
pub(crate) fn line(element: &Dynamic, place: &str) -> Result<Vec<u8>, String> {
    if let Some(bytes) = element.read_lock::<Blob>() {
        return Ok(bytes.clone());
    }
    let mut bytes = match exact_text(element) {
        Some(text) => text.into_bytes(),
        None => convert::text(element, place)?.into_encoded_bytes(),
    };
    bytes.push(b'\n');
    Ok(bytes)
}

/// Quantities as they are written to files: for programs, and not rounded for people.
fn exact_text(value: &Dynamic) -> Option<String> {
    (value.read_lock::<SignedDuration>().map(|duration| quantity::exact(*duration)))
        .or_else(|| value.read_lock::<Size>().map(|size| size.0.to_string()))
        .or_else(|| value.read_lock::<Moment>().map(|moment| moment.to_string()))
        .or_else(|| value.read_lock::<Local>().map(|local| local.to_string()))
}

/// The elements of anything else that a `for` loop goes through: `range(0, 9, 3)`, `text.chars()`, a type of the host;
/// `None` for what cannot be iterated. Rhai tells its iterators to nobody but its loops, so that a loop collects them.
fn elements(context: &NativeCallContext, value: Dynamic) -> Result<Option<Array>, Box<EvalAltResult>> {
    const LOOP: &str = "let elements = []; for element in value { elements += [element]; } elements";
    let mut scope = Scope::new();
    scope.push_dynamic("value", value);
    let engine: &Engine = context.engine();
    let result = engine.compile(LOOP).map_err(EvalAltResult::from).map_err(Box::new);
    match result.and_then(|ast| engine.eval_ast_with_scope::<Array>(&mut scope, &ast)) {
        Ok(elements) => Ok(Some(elements)),
        Err(error) if matches!(*error, EvalAltResult::ErrorFor(_)) => Ok(None),
        Err(mut error) => {
            error.clear_position();
            error.set_position(context.call_position());
            Err(error)
        }
    }
}

fn refusal(value: &Dynamic) -> String {
    let hint = match () {
        () if value.is::<std::path::PathBuf>() => "; a file is read with stdin_path",
        () if value.is_map() => "; as text it is value.to_json()",
        () if value.is_int() => "; numbers are a range (0..5) or text",
        () => "",
    };
    let kind = convert::kind_of(value);
    format!("the input must be text, a blob, a command, a stream, or lines (an array, a range), but is {kind}{hint}")
}
