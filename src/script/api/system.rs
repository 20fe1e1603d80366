//! The script and its surroundings: arguments, environment, output, time, the end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, NativeCallContext, Position};

use crate::process::{Error, ErrorKind};
use crate::script::console::Console;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::failure::Place;
use crate::script::registry::Registry;
use crate::script::resolver::is_importing;
use crate::script::secret::{self, Secret};
use crate::script::world::{Halt, Why, World, lock};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    register_output(engine, world);
    register_script(engine, world);
    register_environment(engine, world);
    register_end(engine, world);

    let shared = world.clone();
    engine.register_fn("sleep", move |context: NativeCallContext, value: Dynamic| -> Result<()> {
        let duration =
            convert::waiting(&value, "sleep").map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
        sleep(&shared, duration, context.call_position())
    });
    // Rhai's own, in seconds, cannot be interrupted.
    let shared = world.clone();
    engine.register_fn("sleep", move |context: NativeCallContext, seconds: i64| {
        sleep_seconds(&shared, &context, seconds as f64)
    });
    let shared = world.clone();
    engine.register_fn("sleep", move |context: NativeCallContext, seconds: f64| {
        sleep_seconds(&shared, &context, seconds)
    });
}

fn sleep_seconds(world: &World, context: &NativeCallContext, seconds: f64) -> Result<()> {
    match std::time::Duration::try_from_secs_f64(seconds.max(0.0)) {
        Ok(duration) => sleep(world, duration, context.call_position()),
        Err(_) => Err(CallPlace::of(context).invalid(world, format!("cannot sleep for {seconds} seconds"))),
    }
}

pub(crate) fn sleep(world: &World, duration: std::time::Duration, position: Position) -> Result<()> {
    print_out(&world.out(), &world.halt, None);
    let surroundings = world.context();
    // No longer than the block around it has.
    let left = surroundings.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let goes_on = surroundings.cancel_token().sleep(left.map_or(duration, |left| left.min(duration)));
    // A script may be waiting for a process that it does not have as a command.
    #[cfg(feature = "cli")]
    crate::process::orphans::sweep();
    match goes_on && !world.must_stop() {
        true => Ok(()),
        false => Err(World::terminated(position)),
    }
}

/// Prints a line (or just writes out what was kept back). A failure stops the script: going on as if
/// the output had been seen would be a lie.
fn print_out(console: &Console, halt: &Halt, line: Option<&str>) {
    let result = match line {
        Some(line) => console.print_line(line),
        None => console.flush(),
    };
    if let Err(error) = result {
        halt.request(Why::Output(error.raw_os_error()));
    }
}

fn register_output(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.on_print(move |text| print_out(&shared.out(), &shared.halt, Some(text)));
    let shared = world.clone();
    let eprint = move |text: &str| {
        // So that the two streams keep their order where both lead to the same place.
        print_out(&shared.out(), &shared.halt, None);
        // A script must not stop because nobody listens to its messages; that they are lost is told at its end.
        if let Err(error) = shared.err().print_line(text) {
            lock(&shared.unheard).get_or_insert(error.raw_os_error());
        }
    };
    let (debug, at) = (eprint.clone(), world.clone());
    engine.on_debug(move |text, source, position| {
        let place = at.place(source, position);
        let place = place.map(|Place { file, line, column, .. }| format!("{file}:{line}:{column}:"));
        debug(format!("{} {text}", place.unwrap_or_default().trim_start_matches(':')).trim_start());
    });
    engine.register_fn("eprint", move |value: Dynamic| eprint(&secret::shown(&value)));
}

fn register_script(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("args", move || -> Array {
        shared.args.iter().map(|argument| Dynamic::from(Text::from(argument.as_str()))).collect()
    });
    let shared = world.clone();
    engine.register_fn("script_path", move || or_unit(lock(&shared.script).clone()));
    let shared = world.clone();
    engine.register_fn("script_dir", move || {
        or_unit(lock(&shared.script).as_ref().and_then(|path| path.parent()).map(PathBuf::from))
    });
    let shared = world.clone();
    engine.register_fn("cwd", move |context: NativeCallContext| -> Result<PathBuf> {
        shared.context().base_dir().map_err(|error| CallPlace::of(&context).raise(&shared, error))
    });
    let shared = world.clone();
    engine.register_fn("invocation_dir", move || or_unit(shared.invocation_dir.clone()));
}

/// Paths stay paths: as text, a name that is not UTF-8 would be another one.
fn or_unit(path: Option<PathBuf>) -> Dynamic {
    path.map_or(Dynamic::UNIT, Dynamic::from)
}

fn register_environment(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("env", move |context: NativeCallContext, name: Text| -> Result<Dynamic> {
        let place = CallPlace::of(&context);
        let Some(value) = shared.context().env(name.as_str()) else {
            let message = format!("the environment variable `{name}` is not set");
            let help = format!("set it, or say what holds without it: env(\"{name}\", \"…\")");
            return Err(place.raise(&shared, Error::invalid_argument(message).with_help(help)));
        };
        variable(&shared, &name, value).map_err(|problem| place.invalid(&shared, problem))
    });
    let shared = world.clone();
    engine.register_fn("env", move |context: NativeCallContext, name: Text, otherwise: Dynamic| -> Result<Dynamic> {
        match shared.context().env(name.as_str()) {
            None => Ok(otherwise),
            Some(value) => {
                variable(&shared, &name, value).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
            }
        }
    });
    let shared = world.clone();
    engine.register_fn("which", move |context: NativeCallContext, name: Text| -> Result<Dynamic> {
        let found = shared.context().which(name.as_str()).map(Dynamic::from);
        or_nothing(found).map_err(|error| CallPlace::of(&context).raise(&shared, error))
    });
    let shared = world.clone();
    engine.register_fn("which", move |context: NativeCallContext, path: PathBuf| -> Result<Dynamic> {
        let found = shared.context().which_file(&path).map(|_| Dynamic::from(path));
        or_nothing(found).map_err(|error| CallPlace::of(&context).raise(&shared, error))
    });
}

/// A program that is not there is an answer, too.
fn or_nothing(found: std::result::Result<Dynamic, Error>) -> std::result::Result<Dynamic, Error> {
    match found {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotExecutable) => Ok(Dynamic::UNIT),
        found => found,
    }
}

/// The value of a variable; one that was set as a secret is one.
fn variable(world: &World, name: &str, value: OsString) -> std::result::Result<Dynamic, String> {
    let text = value.into_string();
    let text = text.map_err(|_| format!("the value of the environment variable `{name}` is not UTF-8 text"))?;
    Ok(match world.context().is_secret(name) {
        true => Secret::from(text).into(),
        false => text.into(),
    })
}

fn register_end(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("exit", move |context: NativeCallContext| -> Result<()> { exit(&shared, &context, 0) });
    let shared = world.clone();
    engine.register_fn("exit", move |context: NativeCallContext, code: i64| -> Result<()> {
        exit(&shared, &context, code)
    });
    // Rhai's own `exit` takes any value, and would end the script as if nothing were wrong.
    let shared = world.clone();
    engine.register_fn("exit", move |context: NativeCallContext, value: Dynamic| -> Result<()> {
        let kind = convert::kind_of(&value);
        Err(CallPlace::of(&context).invalid(&shared, format!("exit takes a whole number from 0 to 255, not {kind}")))
    });
    let shared = world.clone();
    engine.register_fn("requires", move |context: NativeCallContext, version: Text| -> Result<()> {
        requires(&version).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    engine.register_fn("fail", |context: NativeCallContext, message: Text| -> Result<()> {
        Err(EvalAltResult::ErrorRuntime(message.into(), context.call_position()).into())
    });
}

fn exit(world: &World, context: &NativeCallContext, code: i64) -> Result<()> {
    if !(0..=255).contains(&code) {
        // The system would keep eight bits of it: 256 would become success.
        let message = format!("exit({code}): an exit code is a number from 0 to 255");
        return Err(CallPlace::of(context).invalid(world, message));
    }
    if world.is_cleaning_up() {
        let error = Error::misuse("exit cannot be called in clean-up", "say how the script ends outside defer { … }");
        return Err(CallPlace::of(context).raise(world, error));
    }
    if is_importing() {
        let help = "an import must not end the program that imports it: throw an error, or put it into a function";
        let error = Error::misuse("exit cannot be called while a module is imported", help);
        return Err(CallPlace::of(context).raise(world, error));
    }
    world.halt.request(Why::Exit(code as i32));
    Err(World::terminated(context.call_position()))
}

/// Whether this is at least that version, and one that promises to be compatible with it.
fn requires(wanted: &str) -> std::result::Result<(), String> {
    let parse = |version: &str| -> Option<Vec<u64>> {
        let numbers: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| (1..=3).contains(&numbers.len()))
    };
    let ours = env!("CARGO_PKG_VERSION");
    let wrong = || format!("`{wanted}` is no version: write 1, 1.2 or 1.2.3");
    let (Some(wanted_parts), Some(our_parts)) = (parse(wanted.trim()), parse(ours)) else { return Err(wrong()) };
    let is_same_major = wanted_parts[0] == our_parts[0];
    match is_same_major && our_parts >= wanted_parts {
        true => Ok(()),
        false => Err(format!("this script needs procscript {wanted}, and this is {ours}")),
    }
}
