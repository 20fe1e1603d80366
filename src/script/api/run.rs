//! The verbs, each as method and as function, and as `verb(program, [arguments])`.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString as Text, NativeCallContext};

use crate::process::{self, ErrorKind, Execution, Expression, Output};
use crate::script::convert;
use crate::script::error::{CallPlace, Stop};
use crate::script::registry::Registry;
use crate::script::stream::Stream;
use crate::script::world::{World, lock};
use crate::terminal::Suspended;

use super::output::Outcome;

type ScriptResult = Result<Dynamic, Box<EvalAltResult>>;
/// Verbs whose command is waited for with our streams as its own: it has the terminal for itself.
const ALONE: &[&str] = &["run", "code"];

/// Verbs that are called the same where files are read.
const READS: &[&str] = &["read", "read_raw"];

type Verb = fn(&Expression) -> Result<Dynamic, process::Error>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let simple: [(&'static str, Verb); 7] = [
        ("run", |command| command.run().map(outcome)),
        ("output", |command| command.output().map(outcome)),
        ("read", |command| command.read().map(Dynamic::from)),
        ("read_raw", |command| command.read_raw().map(Dynamic::from)),
        ("bytes", |command| command.bytes().map(Dynamic::from_blob)),
        ("test", |command| command.test().map(Dynamic::from)),
        ("code", |command| command.code().map(|code| Dynamic::from(i64::from(code)))),
    ];
    for (name, verb) in simple {
        register_verb(engine, world, name, move |_, command| verb(command));
        // Text has a function `bytes` already, its length.
        if name != "bytes" {
            let shared = world.clone();
            register_for_program(engine, world, name, move |_, command| {
                verb(command).map_err(|error| if READS.contains(&name) { about_file(&shared, error) } else { error })
            });
        }
    }
    let shared = world.clone();
    register_verb(engine, world, "json", move |place, command| {
        command.read_with(|text| {
            // The script ends then, whatever the error is.
            let stopped = |_| process::Error::timed_out(format!("the output of `{command}` was read no further"));
            crate::script::json::parse(&shared, place, text).map_err(stopped)?.map_err(|problem| {
                process::Error::not_decoded(format!("the output of `{command}` is not JSON: {problem}"))
            })
        })
    });
    // The failure of a started command comes later, when nobody may be waiting: it has the place of
    // its start.
    let shared = world.clone();
    let start = move |place: &CallPlace, command: &Expression| {
        let (unobserved, secrets, place) = (shared.unobserved.clone(), shared.secrets.clone(), place.clone());
        let library = shared.library.clone();
        // That it was told to stop has a reason, which is told where it is one: by the error of `parallel`, or by
        // the end of the script.
        let report = move |error: process::Error| match error.kind() {
            ErrorKind::Cancelled => {}
            _ => lock(&unobserved).push(place.masked_error(&secrets, &library.sources, error)),
        };
        // What is kept longer than a block with a deadline goes on; the block ends it when its time is over.
        let command = shared.in_background(command.clone().beyond_deadline());
        let execution = command.on_unobserved_failure(report).start()?;
        execution.use_from_one_thread();
        shared.note_start(&execution);
        shared.out().is_shared();
        Ok(Dynamic::from(execution))
    };
    register_verb(engine, world, "start", start.clone());
    register_for_program(engine, world, "start", start);
    register_closure_form(engine, world);
    // `"text".lines()` splits the text: no shorthand for a program without arguments.
    register_verb(engine, world, "lines", |place, command| Ok(Dynamic::from(Stream::lines(command.lines()?, place))));
    register_verb(engine, world, "chunks", |place, command| {
        Ok(Dynamic::from(Stream::chunks(command.chunks()?, place)))
    });
}

/// Who writes `read("notes.txt")` may mean the file, if there is one that is no program.
fn about_file(world: &World, error: process::Error) -> process::Error {
    let program = error.argv().first().cloned().unwrap_or_default();
    if !world.context().absolute(program.as_ref()).is_ok_and(|file| file.is_file()) {
        return error;
    }
    let advice = format!("read runs a program; what is in the file is read_text({program:?})");
    match (error.kind(), error.help()) {
        (ErrorKind::NotFound, _) => error.with_help(advice),
        (ErrorKind::NotExecutable | ErrorKind::BadFormat, Some(help)) => {
            let help = format!("{help}; {advice}");
            error.with_help(help)
        }
        _ => error,
    }
}

fn outcome(output: Output) -> Dynamic {
    Dynamic::from(Outcome::from(output))
}

/// `run(command, |process| …)`: the closure talks to the command while it runs.
fn register_closure_form(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_fn("run", move |context: NativeCallContext, command: Expression, body: FnPtr| -> ScriptResult {
        let place = CallPlace::of(&context);
        let result = world.surround(command).run_with(|execution| {
            let handle = Execution::clone(execution);
            handle.use_from_one_thread();
            world.out().is_shared();
            body.call_within_context::<Dynamic>(&context, (handle,)).map_err(Stop::Script)
        });
        match result {
            Ok((output, value)) => Ok(Dynamic::from(Outcome { output, value })),
            Err(stop) => Err(place.stop(&world, stop)),
        }
    });
}

/// `verb(command)` and `verb(program, [arguments])`.
fn register_verb(
    engine: &mut Registry,
    world: &Arc<World>,
    name: &'static str,
    verb: impl Fn(&CallPlace, &Expression) -> Result<Dynamic, process::Error> + Send + Sync + Clone + 'static,
) {
    let (shared, run) = (world.clone(), verb.clone());
    engine.register_fn(name, move |context: NativeCallContext, command: Expression| {
        let _alone = alone(&shared, name);
        start(&context, &shared, command, &run)
    });
    let (shared, run) = (world.clone(), verb);
    engine.register_fn(name, move |context: NativeCallContext, program: Text, arguments: Array| {
        let arguments = convert::arguments(&arguments, "args")
            .map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
        let _alone = alone(&shared, name);
        start(&context, &shared, Expression::new(program.as_str()).args(arguments), &run)
    });
}

/// `verb(program)`.
fn register_for_program(
    engine: &mut Registry,
    world: &Arc<World>,
    name: &'static str,
    verb: impl Fn(&CallPlace, &Expression) -> Result<Dynamic, process::Error> + Send + Sync + 'static,
) {
    let world = world.clone();
    engine.register_fn(name, move |context: NativeCallContext, program: Text| {
        let _alone = alone(&world, name);
        start(&context, &world, Expression::new(program.as_str()), &verb)
    });
}

/// Takes changing lines off the screen while the command runs, unless what it writes is collected.
fn alone(world: &World, verb: &str) -> Option<Suspended> {
    let has_screen = || world.live.is_shown() && !world.has_own_consoles();
    (ALONE.contains(&verb) && has_screen()).then(|| world.live.suspend())
}

fn start(
    context: &NativeCallContext,
    world: &World,
    command: Expression,
    verb: &impl Fn(&CallPlace, &Expression) -> Result<Dynamic, process::Error>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let place = CallPlace::of(context);
    verb(&place, &world.surround(command)).map_err(|error| place.raise(world, error))
}
