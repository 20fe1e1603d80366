//! The result of a command. It shares its field names with the error of a command that fails.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString as Text};

use crate::process::Output;
use crate::script::convert;
use crate::script::facts::{Status, code, path_or_unit, signal, signal_name, stages, text_or_unit, texts, usage};
use crate::script::registry::Registry;
use crate::script::world::World;

/// What a verb gives to a script: the result of a command, and the value of the closure that talked to
/// it, when there was one.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The result of the command.
    pub output: Output,
    /// The value of the closure, or nothing.
    pub value: Dynamic,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self { output, value: Dynamic::UNIT }
    }
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Outcome>("Output");
    engine.register_fn("to_string", |outcome: &mut Outcome| convert::captured_text(&outcome.output));
    let secrets = world.secrets.clone();
    engine.register_fn("to_debug", move |outcome: &mut Outcome| {
        format!("Output(`{}` {})", secrets.mask(&outcome.output.command), outcome.output.status)
    });

    let mut get = |name: &str, value: fn(&Output) -> Dynamic| {
        engine.register_get(name, move |outcome: &mut Outcome| value(&outcome.output));
    };
    get("status", |output| Status { status: output.status, core_dumped: output.core_dumped() }.into());
    get("success", |output| output.success().into());
    get("code", |output| code(output.status));
    get("signal", |output| signal(output.status));
    get("signal_name", |output| signal_name(output.status));
    get("core_dumped", |output| output.core_dumped().into());
    get("stdout", |output| text_or_unit(output.stdout.as_deref()));
    get("stderr", |output| text_or_unit(output.stderr.as_deref()));
    get("stage", |output| (output.stage as i64).into());
    get("usage", |output| usage(output.usage()));
    get("elapsed", |output| output.elapsed.as_secs_f64().into());
    get("held_open", |output| output.held_open.into());
    // The first of a pipeline, as for a single command.
    get("pid", |output| output.stages.first().map_or(Dynamic::UNIT, |stage| i64::from(stage.pid).into()));

    let mut get_masked = |name: &str, value: fn(&Output) -> Dynamic| {
        let secrets = world.secrets.clone();
        engine.register_get(name, move |outcome: &mut Outcome| value(&secrets.mask_output(&outcome.output)));
    };
    get_masked("command", |output| output.command.clone().into());
    get_masked("argv", |output| texts(output.argv()));
    get_masked("program", |output| path_or_unit(output.program()));
    get_masked("dir", |output| path_or_unit(output.dir()));
    get_masked("stages", |output| stages(&output.stages).into());

    engine.register_get("value", |outcome: &mut Outcome| outcome.value.clone());
    engine.register_fn("lines", |outcome: &mut Outcome| split_lines(&convert::captured_text(&outcome.output)));
    engine.register_fn("lines", |text: Text| split_lines(&text));
}

/// Text that is there already, as an array of its lines.
fn split_lines(text: &str) -> rhai::Array {
    text.lines().map(|line| Dynamic::from(Text::from(line))).collect()
}
