//! What the interpreter's errors say, in our words.

use rhai::{Dynamic, EvalAltResult};

use super::caught::ScriptError;
use super::check::lower_first;
use super::error::CommandError;
use super::keys;
use super::secret;

/// What an error says, in one line, without the calls around it.
pub(crate) fn message_of(error: &EvalAltResult) -> String {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => message_of_value(value),
        error => plain_message(error),
    }
}

/// What a thrown value says.
pub(crate) fn message_of_value(value: &Dynamic) -> String {
    if let Some(error) = value.read_lock::<CommandError>() {
        return error.error().message().to_string();
    }
    if let Some(error) = value.read_lock::<ScriptError>() {
        return error.message.clone();
    }
    if let Some(map) = value.read_lock::<rhai::Map>()
        && let Some(message) = map.get("message")
    {
        return secret::shown(message);
    }
    if value.is_unit() { "the script threw an error".to_string() } else { secret::shown(value) }
}

pub(crate) fn plain_message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("there is no variable `{name}` here"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.starts_with("anon$") {
            true => "a function was called with a number of arguments that it does not take".to_string(),
            false => cannot_be_called(signature),
        },
        EvalAltResult::ErrorPropertyNotFound(text, _) => keys::parts(text).0,
        EvalAltResult::ErrorDotExpr(text, _) => unknown_property(text).unwrap_or_else(|| lower_first(text)),
        EvalAltResult::ErrorDataRace(name, _) => {
            let name = if is_name(name) { format!("`{name}`") } else { "a variable".to_string() };
            format!("{name} is in use: by one of its own methods, or by something else that runs in parallel")
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _) if expected.is_empty() => {
            format!("{} cannot be used here", readable_type(found))
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _) => {
            format!("expected {}, but found {}", readable_type(expected), readable_type(found))
        }
        EvalAltResult::ErrorIndexingType(types, _) => match types.trim_end_matches(']').split_once(" [") {
            Some((value, index)) => {
                format!("{} has no elements that are named by {}", readable_type(value), readable_type(index))
            }
            None => lower_first(&without_place(error)),
        },
        EvalAltResult::ErrorUnboundThis(_) => "there is no `this`: the function is not called on anything".to_string(),
        EvalAltResult::ErrorFor(_) => "`for` needs something to go through: an array, a range, lines()".to_string(),
        EvalAltResult::ErrorStackOverflow(_) => "the functions call each other too deeply".to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => "the script took more operations than its limit".to_string(),
        // Rhai's text goes on with "too large", which ours says itself.
        EvalAltResult::ErrorDataTooLarge(text, _) if text.contains(" more than ") => text.clone(),
        error => lower_first(&without_place(error)),
    }
}

/// Rhai does not know the variable everywhere, and says then which argument of which function it was.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// `map` of `argument #2 of function 'map'`, unless that is a closure.
fn method_of(what: &str) -> Option<&str> {
    let (_, name) = what.strip_suffix('\'')?.rsplit_once(" of function '")?;
    is_name(name).then_some(name)
}

/// `Unknown property 'x' - a getter is not registered for type 'i64'` in our words.
fn unknown_property(text: &str) -> Option<String> {
    let mut parts = text.split('\'');
    let (start, name, accessor, type_name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = start.ends_with(" property ") && accessor.contains("is not registered for type");
    let rest = if accessor.contains("setter") { " that can be set" } else { "" };
    is_known.then(|| format!("{} has no property `{name}`{rest}", readable_type(type_name)))
}

/// Rhai's text without the place that it adds in parentheses: the report shows it itself.
fn without_place(error: &EvalAltResult) -> String {
    let text = error.to_string();
    match error.position().is_none() {
        true => text,
        false => text.rsplit_once(" (line ").map_or(text.clone(), |(text, _)| text.to_string()),
    }
}

pub(crate) fn hint(error: &EvalAltResult) -> Option<String> {
    Some(match error {
        EvalAltResult::ErrorVariableNotFound(..) => {
            "a function sees its parameters and constants (global::NAME) only: pass the value to it".to_string()
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with("cmd ") => {
            "pass the arguments as one array: cmd(\"program\", [a, b, c])".to_string()
        }
        // A closure that was made before, and not in the call: that is found by the check.
        EvalAltResult::ErrorDataRace(what, _) if let Some(method) = method_of(what) => format!(
            "a closure cannot use the variable that `{method}` is called on: make a copy for it, let copy = list; \
             closures that run in parallel give results back instead of changing a variable of all"
        ),
        EvalAltResult::ErrorDataRace(name, _) if !is_name(name) => {
            "give results back from the closure instead of changing a variable of all: parallel(items, |item| result); \
             where a method of it takes long (.filter, .map), call that of a copy: let mine = it; mine.filter(…)"
                .to_string()
        }
        EvalAltResult::ErrorDataRace(name, _) => {
            format!("take the stream out first: let lines = {name}.lines(); for line in lines {{ … }}")
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _)
            if expected == "bool"
                && ["Expression", "Outcome", "Output", "Command"].iter().any(|name| found.ends_with(name)) =>
        {
            "to ask whether a command succeeds, run it: .test()".to_string()
        }
        // The index of a map; `import` and `Fn(…)` ask for a text in the same way, but nobody gives them a number.
        EvalAltResult::ErrorMismatchDataType(expected, found, _)
            if readable_type(expected) == "text" && readable_type(found) == "integer" =>
        {
            "the keys of a map are text: write [\"1\"] for [1], and [n.to_string()] for [n]".to_string()
        }
        EvalAltResult::ErrorFor(_) => {
            "a map is gone through by its keys: for key in map.keys() { … }; numbers are a range: for i in 0..n { … }"
                .to_string()
        }
        EvalAltResult::ErrorPropertyNotFound(text, _) => return keys::parts(text).1,
        EvalAltResult::ErrorUnboundThis(_) => "call it as a method: value.name()".to_string(),
        EvalAltResult::ErrorFunctionNotFound(signature, _)
            if is_arithmetic(signature) && signature.contains("tring") && signature.contains("64") =>
        {
            "make the text a number first: parse_int(…), parse_float(…)".to_string()
        }
        EvalAltResult::ErrorIndexingType(types, _) if types.starts_with("Stream") => {
            "a stream is read once, from its start: for x in stream { … }, or .to_array() for all of it".to_string()
        }
        EvalAltResult::ErrorStackOverflow(_) => "look for a function that calls itself without an end".to_string(),
        _ => return None,
    })
}

fn is_arithmetic(signature: &str) -> bool {
    ["- (", "* (", "/ (", "% (", "** ("].iter().any(|operator| signature.starts_with(operator))
}

/// `foo (i64, &str | ImmutableString | String)` as "`foo` cannot be called with (integer, text)".
fn cannot_be_called(signature: &str) -> String {
    let Some((name, types)) = signature.split_once(" (") else {
        return format!("there is no function `{signature}`");
    };
    let types = types.trim_end_matches(')').split(", ").filter(|name| !name.is_empty());
    let types: Vec<&str> = types.map(readable_type).collect();
    let is_operator = !name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match (is_operator, types.as_slice()) {
        (true, [left, right]) => format!("`{name}` does not work on {left} and {right}"),
        (true, [operand]) => format!("`{name}` does not work on {operand}"),
        _ => format!("`{name}` cannot be called with ({})", types.join(", ")),
    }
}

pub(crate) fn readable_type(name: &str) -> &str {
    match name.trim() {
        "i64" => "integer",
        "f64" => "float",
        "&str | ImmutableString | String" | "ImmutableString" | "string" | "&str" | "String" => "text",
        "()" => "()",
        name if name.ends_with("::Expression") => "Command",
        other => other.rsplit("::").next().unwrap_or(other),
    }
}
