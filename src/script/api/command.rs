//! Building commands: `cmd`, `pipe`, `|`, `sh`.

use std::path::PathBuf;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, NativeCallContext};

use crate::process::{Expression, pipe, quote_argument, sh};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::secret::{Secret, unmasked};
use crate::script::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Registers `cmd` for one number of text arguments. Rhai has no functions with any number of
/// parameters, and resolving untyped ones takes time exponential in their number.
macro_rules! cmd_with_texts {
    ($engine:ident, $world:ident, $($argument:ident),*) => {
        let world = $world.clone();
        $engine.register_fn("cmd", move |context: NativeCallContext, program: Text, $($argument: Text),*| {
            let texts = [&program, $(&$argument),*];
            match texts.iter().find_map(|text| unmasked(text, "an argument").err()) {
                None => Ok(Expression::new(program.as_str()).args([$($argument.as_str()),*])),
                Some(problem) => Err(CallPlace::of(&context).invalid(&world, problem)),
            }
        });
    };
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Expression>("Command");
    register_cmd(engine, world);
    register_pipe(engine, world);

    let shared = world.clone();
    engine.register_fn("sh", move |context: NativeCallContext, text: Text| {
        let problem = unmasked(&text, "the shell line").err();
        problem.map_or(Ok(sh(text.as_str())), |problem| Err(CallPlace::of(&context).invalid(&shared, problem)))
    });
    engine.register_fn("sh", |text: Secret| sh(text.reveal()));

    for name in ["to_string", "to_debug"] {
        let secrets = world.secrets.clone();
        engine.register_fn(name, move |command: &mut Expression| secrets.mask(&command.to_string()).into_owned());
    }

    let shared = world.clone();
    engine.register_fn("split_args", move |context: NativeCallContext, text: Text| -> Result<Array> {
        let words = shell_words::split(&text).map_err(|_| {
            CallPlace::of(&context).invalid(&shared, format!("`{text}` has a quote that is never closed"))
        })?;
        Ok(words.into_iter().map(Dynamic::from).collect())
    });
    let shared = world.clone();
    engine.register_fn("quote_args", move |context: NativeCallContext, values: Array| -> Result<Dynamic> {
        let words =
            convert::arguments(&values, "args").map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
        let line = words.iter().map(|word| quote_argument(word)).collect::<Vec<_>>().join(" ");
        let is_secret = values.iter().any(|value| value.is::<Secret>());
        Ok(if is_secret { Secret::from(line).into() } else { line.into() })
    });
}

fn register_cmd(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("cmd", move |context: NativeCallContext, program: Text| {
        let problem = unmasked(&program, "the program").err();
        let refuse = |problem| Err(CallPlace::of(&context).invalid(&shared, problem));
        problem.map_or_else(|| Ok(Expression::new(program.as_str())), refuse)
    });
    cmd_with_texts!(engine, world, a);
    cmd_with_texts!(engine, world, a, b);
    cmd_with_texts!(engine, world, a, b, c);
    cmd_with_texts!(engine, world, a, b, c, d);
    cmd_with_texts!(engine, world, a, b, c, d, e);
    cmd_with_texts!(engine, world, a, b, c, d, e, f);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j, k);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j, k, l);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j, k, l, m);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    cmd_with_texts!(engine, world, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);

    // Other values than text: few enough parameters that resolving them stays quick.
    let shared = world.clone();
    engine
        .register_fn("cmd", move |context: NativeCallContext, program: Dynamic| build(&context, &shared, program, &[]));
    let shared = world.clone();
    engine.register_fn("cmd", move |context: NativeCallContext, program: Dynamic, a: Dynamic| {
        match a.read_lock::<Array>() {
            Some(array) => build(&context, &shared, program, &array),
            None => build(&context, &shared, program, std::slice::from_ref(&a)),
        }
    });
    let shared = world.clone();
    engine.register_fn("cmd", move |context: NativeCallContext, program: Dynamic, a: Dynamic, b: Dynamic| {
        build(&context, &shared, program, &[a, b])
    });
    let shared = world.clone();
    engine.register_fn("cmd", move |context: NativeCallContext, p: Dynamic, a: Dynamic, b: Dynamic, c: Dynamic| {
        build(&context, &shared, p, &[a, b, c])
    });
    type Value = Dynamic;
    let shared = world.clone();
    engine.register_fn("cmd", move |context: NativeCallContext, p: Value, a: Value, b: Value, c: Value, d: Value| {
        build(&context, &shared, p, &[a, b, c, d])
    });
    let shared = world.clone();
    engine.register_fn(
        "cmd",
        move |context: NativeCallContext, p: Value, a: Value, b: Value, c: Value, d: Value, e: Value| {
            build(&context, &shared, p, &[a, b, c, d, e])
        },
    );
}

/// A command from a program (text, path, or an array of everything) and arguments.
fn build(context: &NativeCallContext, world: &World, program: Dynamic, arguments: &[Dynamic]) -> Result<Expression> {
    let invalid = |problem: String| CallPlace::of(context).invalid(world, problem);
    if let Some(array) = program.read_lock::<Array>() {
        if !arguments.is_empty() {
            return Err(invalid("the program must be text, but is an array".to_string()));
        }
        let Some((program, arguments)) = array.split_first() else {
            return Err(invalid("cmd([]) names no program".to_string()));
        };
        return build(context, world, program.flatten_clone(), arguments);
    }
    let arguments = convert::arguments(&arguments.to_vec(), "args").map_err(invalid)?;
    let command = match program.read_lock::<PathBuf>() {
        Some(path) => Expression::from_path(path.clone()),
        None => Expression::new(convert::argument(&program, "the program").map_err(invalid)?),
    };
    Ok(command.args(arguments))
}

fn register_pipe(engine: &mut Registry, world: &Arc<World>) {
    engine.register_fn("|", |left: Expression, right: Expression| left.pipe(right));
    engine.register_fn("pipe", |left: Expression, right: Expression| left.pipe(right));
    engine.register_fn("pipe", |a: Expression, b: Expression, c: Expression| a.pipe(b).pipe(c));
    engine.register_fn("pipe", |a: Expression, b: Expression, c: Expression, d: Expression| a.pipe(b).pipe(c).pipe(d));

    let shared = world.clone();
    engine.register_fn("pipe", move |context: NativeCallContext, stages: Array| -> Result<Expression> {
        let invalid = |problem: String| CallPlace::of(&context).invalid(&shared, problem);
        let mut commands = Vec::with_capacity(stages.len());
        for (index, stage) in stages.iter().enumerate() {
            let Some(command) = stage.read_lock::<Expression>() else {
                let kind = convert::kind_of(stage);
                return Err(invalid(format!("stage {} of the pipeline must be a command, but is {kind}", index + 1)));
            };
            commands.push(command.clone());
        }
        pipe(commands).ok_or_else(|| invalid("pipe([]) has no stage".to_string()))
    });

    // A pipe into something that is no command would otherwise be "no such operator".
    for on_left in [true, false] {
        let shared = world.clone();
        let refuse = move |context: NativeCallContext, other: Dynamic| -> Result<Expression> {
            let side = if on_left { "right" } else { "left" };
            let kind = convert::kind_of(&other);
            Err(CallPlace::of(&context)
                .invalid(&shared, format!("the {side} side of `|` must be a command, but is {kind}")))
        };
        match on_left {
            true => {
                engine.register_fn("|", move |c: NativeCallContext, _: Expression, other: Dynamic| refuse(c, other))
            }
            false => {
                engine.register_fn("|", move |c: NativeCallContext, other: Dynamic, _: Expression| refuse(c, other))
            }
        };
    }
}
