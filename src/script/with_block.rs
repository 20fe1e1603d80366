//! `with dir("web"), env(#{A: 1}), timeout("30m") { … }`: settings for a block, given back however it is left.

use std::sync::Arc;
use std::time::Instant;

use rhai::{Array, Dynamic, EvalAltResult, EvalContext, Expression as Part, ImmutableString, ParseError, Position};

use crate::process::{self, CancelToken, ErrorKind, Expression, nearest_name};

use super::convert;
use super::error::{CallPlace, CommandError};
use super::registry::Registry;
use super::template::error as parse_error;
use super::world::World;

/// Says that the syntax is complete, and gives it a position.
const COMPLETE: &str = "$$with";

/// One token, for the interpreter.
const NOTHING: &str = "()";

/// What can be set for a block: everything about a command but what it is, and where its streams go.
const SETTINGS: &[&str] = &[
    "dir",
    "env",
    "secret_env",
    "env_remove",
    "env_clear",
    "timeout",
    "idle_timeout",
    "grace",
    "teardown",
    "limit",
    "encoding",
    "lossy",
    "separators",
    "max_line",
    "unchecked",
    "ok_codes",
    "ok_signals",
    "strict_sigpipe",
    "uid",
    "gid",
    "groups",
    "umask",
    "nice",
    "rlimit",
    "new_session",
    "own_group",
    "process_group",
];

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_custom_syntax_with_state_raw("with", parse, false, move |context, inputs, state| {
        evaluate(&world, context, inputs, state)
    });
}

/// Leaves in the state, for each setting, its name and the number of its values.
fn parse(symbols: &[ImmutableString], next: &str, state: &mut Dynamic) -> Result<Option<ImmutableString>, ParseError> {
    let is_inside = symbols.iter().rev().find_map(|symbol| match symbol.as_str() {
        "(" => Some(true),
        ")" | NOTHING => Some(false),
        _ => None,
    });
    let after = symbols.last().map_or("", |symbol| symbol.as_str());
    Ok(Some(match (after, is_inside) {
        ("with", None) => {
            *state = Dynamic::from_array(Vec::new());
            match next {
                "{" => return Err(parse_error("with needs a setting: with dir(\"web\") { … }".to_string())),
                _ => "$ident$".into(),
            }
        }
        ("(", _) => "$expr$".into(),
        (",", Some(true)) => "$expr$".into(),
        (",", _) => "$ident$".into(),
        ("$expr$", _) => {
            count(state);
            if next == "," { ",".into() } else { ")".into() }
        }
        (")" | NOTHING, _) if next == "," => ",".into(),
        (")" | NOTHING, _) => "$block$".into(),
        ("$block$", _) => COMPLETE.into(),
        (name, _) => {
            if !SETTINGS.contains(&name) {
                let names = SETTINGS.iter().map(|name| name.to_string());
                let hint = nearest_name(name, names).map(|similar| format!("; did you mean `{similar}`?"));
                let message = format!("`{name}` cannot be set for a block{}", hint.unwrap_or_default());
                return Err(parse_error(message));
            }
            if let Some(mut settings) = state.write_lock::<Array>() {
                settings.extend([name.into(), Dynamic::from_int(0)]);
            }
            if next == NOTHING { NOTHING.into() } else { "(".into() }
        }
    }))
}

/// One more value for the last setting.
fn count(state: &mut Dynamic) {
    if let Some(mut settings) = state.write_lock::<Array>()
        && let Some(last) = settings.last_mut()
    {
        *last = Dynamic::from_int(last.as_int().unwrap_or(0) + 1);
    }
}

fn evaluate(
    world: &World,
    context: &mut EvalContext,
    inputs: &[Part],
    state: &Dynamic,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let [parts @ .., block, end] = inputs else { return Err(parse_error("broken block".to_string()).into()) };
    let place = CallPlace { file: context.source().map(str::to_string), position: end.position() };
    let settings: Vec<Dynamic> = state.read_lock::<Array>().map(|settings| settings.to_vec()).unwrap_or_default();
    let mut parts = parts.iter();
    let mut template = Expression::new("with");
    let mut timeout = None;
    let mut dir_place = place.clone();
    for setting in settings.chunks(2) {
        let [name, count] = setting else { continue };
        let (name, count) = (name.to_string(), count.as_int().unwrap_or(0));
        let position = parts.next().map_or(Position::NONE, Part::position);
        let here = CallPlace { file: place.file.clone(), position };
        let mut values = Vec::new();
        for part in parts.by_ref().take(count as usize) {
            values.push(context.eval_expression_tree(part)?.flatten());
        }
        match (name.as_str(), values.as_slice()) {
            ("timeout", [value]) => {
                let after = convert::waiting(value, "timeout").map_err(|problem| here.invalid(world, problem))?;
                timeout = Some(after);
            }
            _ => template = set(world, context, &here, template, &name, values)?,
        }
        if name == "dir" {
            dir_place = here;
        }
    }

    let mut layer = world.layer();
    let scoped = &template.settings.scoped;
    layer.context = layer.context.with_variables(&scoped.env);
    if let Some(dir) = &scoped.dir {
        layer.context = layer.context.entering(dir).map_err(|error| dir_place.raise(world, error))?;
    }
    // What is in the surroundings is not said twice.
    let mut defaults = template.clone();
    defaults = match &layer.defaults {
        Some(outer) => defaults.under(&outer.settings.scoped),
        None => defaults,
    };
    layer.defaults = Some(defaults.without_surroundings());
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    if let Some(deadline) = deadline {
        layer.context = layer.context.with_deadline(deadline);
        layer.deadline = Some(layer.deadline.map_or(deadline, |outer| outer.min(deadline)));
    }
    // What is started beside the script may be kept longer than the block, and is ended with it when its time is over.
    let started = match deadline {
        Some(_) => Some(layer.context.cancel_token().child().map_err(|error| no_token(world, &place, &error))?),
        None => None,
    };
    if let Some(token) = &started {
        layer.context = layer.context.with_cancel(token.clone());
    }

    let entered = world.enter(layer);
    let result = context.eval_expression_tree(block);
    let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let layer = entered.leave();
    let interrupted = layer.and_then(|layer| layer.interrupted);
    match (result, timeout) {
        // What else stops the script goes before its time.
        (Err(error), Some(timeout)) if is_over && is_termination(&error) && !world.is_told_to_stop() => {
            started.inspect(CancelToken::cancel);
            Err(timed_out(world, &place, timeout, interrupted).into())
        }
        (result, _) => {
            // It is for the block around this one to say.
            if let Some(error) = interrupted {
                world.note_interrupted(error);
            }
            result
        }
    }
}

/// The template with one more setting, made by the method of commands of that name.
fn set(
    world: &World,
    context: &mut EvalContext,
    place: &CallPlace,
    template: Expression,
    name: &str,
    values: Vec<Dynamic>,
) -> Result<Expression, Box<EvalAltResult>> {
    let mut arguments = vec![Dynamic::from(template)];
    arguments.extend(values);
    let mut references: Vec<&mut Dynamic> = arguments.iter_mut().collect();
    #[allow(deprecated, reason = "marked so because it may change")]
    let result = context.call_native_fn_raw(name, false, &mut references);
    match result.map(Dynamic::try_cast::<Expression>) {
        Ok(Some(template)) => Ok(template),
        Ok(None) => Err(place.invalid(world, format!("`{name}` cannot be set for a block"))),
        Err(error) => match *error {
            EvalAltResult::ErrorFunctionNotFound(..) => {
                let kinds: Vec<String> = arguments[1..].iter().map(convert::kind_of).collect();
                let given = if kinds.is_empty() { "nothing".to_string() } else { kinds.join(", ") };
                Err(place.invalid(world, format!("`{name}` does not take {given}")))
            }
            // The place of the setting, and not of a call that nobody wrote.
            EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<CommandError>() {
                Some(error) => Err(place.error(world, error.error().clone()).into()),
                None => Err(EvalAltResult::ErrorRuntime(value.clone(), place.position).into()),
            },
            error => Err(error.into()),
        },
    }
}

fn no_token(world: &World, place: &CallPlace, error: &std::io::Error) -> Box<EvalAltResult> {
    let error = process::Error::from_io(ErrorKind::Resource, "cannot watch over the time of the block", error);
    place.raise(world, error)
}

fn timed_out(
    world: &World,
    place: &CallPlace,
    timeout: std::time::Duration,
    interrupted: Option<CommandError>,
) -> CommandError {
    let after = process::duration_text(timeout);
    let running = interrupted.as_ref().and_then(|error| error.error().command());
    let message = match running {
        Some(command) => format!("the block timed out after {after}, while `{command}` was running"),
        None => format!("the block timed out after {after}"),
    };
    place.error(world, process::Error::timed_out(message)).caused_by(interrupted)
}

/// Whether this is how a native function stops the script, through whatever calls it came.
pub(crate) fn is_termination(error: &EvalAltResult) -> bool {
    matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..))
}
