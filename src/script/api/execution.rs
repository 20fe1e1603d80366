//! Commands that run beside the script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::{Array, Blob, Dynamic, EvalAltResult, ImmutableString as Text, NativeCallContext};

use crate::process::{self, Execution, OutputStream};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::secret::{Secret, unmasked};
use crate::script::stream::Stream;
use crate::script::world::World;

use super::output::Outcome;
use super::settings::{parse_scope, parse_signal, parse_teardown};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Execution>("Execution");
    let secrets = world.secrets.clone();
    let command = move |execution: &Execution| secrets.mask(execution.command()).into_owned();
    let line = command.clone();
    engine.register_fn("to_string", move |execution: &mut Execution| line(execution));
    engine.register_fn("to_debug", move |execution: &mut Execution| {
        let state = if execution.is_running() { "running" } else { "ended" };
        format!("Execution(`{}`, {state}, pids {:?})", command(execution), execution.pids())
    });
    engine.register_get("is_running", |execution: &mut Execution| execution.is_running());
    engine.register_get("pids", |execution: &mut Execution| -> Array {
        execution.pids().into_iter().map(|pid| Dynamic::from(i64::from(pid))).collect()
    });
    engine.register_get("pid", |execution: &mut Execution| {
        execution.pids().first().map_or(Dynamic::UNIT, |pid| i64::from(*pid).into())
    });
    engine.register_fn("detach", |execution: &mut Execution| execution.detach());
    engine.register_fn("finish", |execution: &mut Execution| execution.finish_input());
    engine.register_fn("terminate", |execution: &mut Execution| execution.terminate());

    let mut method = |name: &'static str, act: fn(&Execution) -> std::result::Result<Dynamic, process::Error>| {
        let world = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, execution: &mut Execution| -> Result<Dynamic> {
            act(execution).map_err(|error| CallPlace::of(&context).raise(&world, error))
        });
    };
    method("try_wait", |execution| Ok(execution.try_wait()?.map_or(Dynamic::UNIT, outcome)));
    method("suspend", |execution| execution.suspend().map(Dynamic::from));
    method("resume", |execution| execution.resume().map(Dynamic::from));
    method("kill", |execution| execution.kill().map(Dynamic::from));

    register_streams(engine, world);
    let shared = world.clone();
    engine.register_fn("wait", move |context: NativeCallContext, execution: &mut Execution| {
        let place = CallPlace::of(&context);
        if shared.has_layers() {
            execution.finish_input();
            return waited(&shared, &place, execution, None).map(|output| output.map_or(Dynamic::UNIT, outcome));
        }
        execution.wait().map(outcome).map_err(|error| place.raise(&shared, error))
    });
    let shared = world.clone();
    engine.register_fn(
        "teardown",
        move |context: NativeCallContext, execution: &mut Execution, steps: Array| -> Result<()> {
            let teardown =
                parse_teardown(&steps).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
            execution.teardown_until(&teardown, shared.until().deadline);
            Ok(())
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "wait_timeout",
        move |context: NativeCallContext, execution: &mut Execution, value: Dynamic| -> Result<Dynamic> {
            let place = CallPlace::of(&context);
            let timeout =
                convert::waiting(&value, "wait_timeout").map_err(|problem| place.invalid(&shared, problem))?;
            let output = match shared.has_layers() {
                true => waited(&shared, &place, execution, Instant::now().checked_add(timeout))?,
                false => execution.wait_timeout(timeout).map_err(|error| place.raise(&shared, error))?,
            };
            Ok(output.map_or(Dynamic::UNIT, outcome))
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "signal",
        move |context: NativeCallContext, execution: &mut Execution, name: Dynamic| -> Result<()> {
            let place = CallPlace::of(&context);
            let signal = parse_signal(&name.to_string()).map_err(|problem| place.invalid(&shared, problem))?;
            execution.signal(signal).map_err(|error| place.raise(&shared, error))
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "signal",
        move |context: NativeCallContext, execution: &mut Execution, name: Dynamic, scope: Text| -> Result<()> {
            let place = CallPlace::of(&context);
            let signal = parse_signal(&name.to_string()).map_err(|problem| place.invalid(&shared, problem))?;
            let scope = parse_scope(&scope).map_err(|problem| place.invalid(&shared, problem))?;
            execution.signal_within(scope, signal).map_err(|error| place.raise(&shared, error))
        },
    );
    // How much was written, as the file methods of other languages tell.
    let shared = world.clone();
    engine.register_fn(
        "write",
        move |context: NativeCallContext, execution: &mut Execution, text: Text| -> Result<i64> {
            let place = CallPlace::of(&context);
            unmasked(&text, "the text").map_err(|problem| place.invalid(&shared, problem))?;
            let written = execution.write_until(text.as_bytes(), &shared.until()).map(|()| text.len() as i64);
            written.map_err(|error| place.raise(&shared, error))
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "write",
        move |context: NativeCallContext, execution: &mut Execution, secret: Secret| -> Result<i64> {
            let bytes = secret.reveal().as_bytes();
            let written = execution.write_until(bytes, &shared.until()).map(|()| bytes.len() as i64);
            written.map_err(|error| CallPlace::of(&context).raise(&shared, error))
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "write",
        move |context: NativeCallContext, execution: &mut Execution, bytes: Blob| -> Result<i64> {
            let written = execution.write_until(&bytes, &shared.until()).map(|()| bytes.len() as i64);
            written.map_err(|error| CallPlace::of(&context).raise(&shared, error))
        },
    );
}

fn outcome(output: process::Output) -> Dynamic {
    Dynamic::from(Outcome::from(output))
}

/// What is read from a command that runs beside the script, and what is given to another.
fn register_streams(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<OutputStream>("OutputStream");
    engine.register_fn("to_string", |_: &mut OutputStream| "the output of a running command");
    engine.register_get("stdout", |execution: &mut Execution| execution.stdout());
    engine.register_get("stderr", |execution: &mut Execution| execution.stderr());

    type Open = fn(&OutputStream, &CallPlace) -> std::result::Result<Dynamic, process::Error>;
    let lines: Open = |stream, place| Ok(Dynamic::from(Stream::lines(stream.lines()?, place)));
    let chunks: Open = |stream, place| Ok(Dynamic::from(Stream::chunks(stream.chunks()?, place)));
    for (name, open) in [("lines", lines), ("chunks", chunks)] {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, stream: OutputStream| {
            let place = CallPlace::of(&context);
            open(&stream, &place).map_err(|error| place.raise(&shared, error))
        });
    }
    type Pick = fn(&Execution) -> OutputStream;
    let readers: [(&str, Pick, Open); 4] = [
        ("lines", Execution::stdout, lines),
        ("chunks", Execution::stdout, chunks),
        ("error_lines", Execution::stderr, lines),
        ("error_chunks", Execution::stderr, chunks),
    ];
    for (name, pick, open) in readers {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, execution: &mut Execution| {
            let place = CallPlace::of(&context);
            open(&pick(execution), &place).map_err(|error| place.raise(&shared, error))
        });
    }
}

/// Between two looks at whether a wait must end.
const LOOK: Duration = Duration::from_millis(20);

/// Waits for the end, or until then. What was started outside of a block may take longer than the block has.
fn waited(
    world: &World,
    place: &CallPlace,
    execution: &Execution,
    until: Option<Instant>,
) -> Result<Option<process::Output>> {
    loop {
        let left = until.map_or(LOOK, |end| end.saturating_duration_since(Instant::now()).min(LOOK));
        let output = execution.wait_timeout(left).map_err(|error| place.raise(world, error))?;
        if output.is_some() || left.is_zero() {
            return Ok(output);
        }
        if world.must_stop() {
            let command = execution.command();
            let error = process::Error::timed_out(format!("`{command}` was waited for in vain")).about(command);
            return Err(place.raise(world, error));
        }
    }
}
