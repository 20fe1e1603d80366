//! Commands that run beside the script.

use std::sync::Arc;

use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, ImmutableString as Text, NativeCallContext};

use crate::process::{self, Execution};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::world::World;

use super::settings::parse_signal;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine, world: &Arc<World>) {
    engine.register_type_with_name::<Execution>("Execution");
    engine.register_fn("to_string", |execution: &mut Execution| execution.command().to_string());
    engine.register_fn("to_debug", |execution: &mut Execution| {
        let state = if execution.is_running() { "running" } else { "ended" };
        format!("Execution(`{}`, {state}, pids {:?})", execution.command(), execution.pids())
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
    method("wait", |execution| execution.wait().map(Dynamic::from));
    method("try_wait", |execution| Ok(execution.try_wait()?.map_or(Dynamic::UNIT, Dynamic::from)));
    method("kill", |execution| execution.kill().map(Dynamic::from));

    let shared = world.clone();
    engine.register_fn(
        "wait_timeout",
        move |context: NativeCallContext, execution: &mut Execution, text: Text| -> Result<Dynamic> {
            let place = CallPlace::of(&context);
            let timeout = convert::duration(&text).map_err(|problem| place.invalid(&shared, problem))?;
            let output = execution.wait_timeout(timeout).map_err(|error| place.raise(&shared, error))?;
            Ok(output.map_or(Dynamic::UNIT, Dynamic::from))
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
        "write",
        move |context: NativeCallContext, execution: &mut Execution, text: Text| -> Result<()> {
            execution.write(text.as_bytes()).map_err(|error| CallPlace::of(&context).raise(&shared, error))
        },
    );
    let shared = world.clone();
    engine.register_fn(
        "write",
        move |context: NativeCallContext, execution: &mut Execution, bytes: Blob| -> Result<()> {
            execution.write(&bytes).map_err(|error| CallPlace::of(&context).raise(&shared, error))
        },
    );
}
