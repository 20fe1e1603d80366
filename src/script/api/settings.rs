//! What a command can be told: arguments, directory, environment, streams, what counts as failure.

use std::path::PathBuf;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::process::{Expression, Scope, Teardown, signal_number};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::input;
use crate::script::quantities::size;
use crate::script::registry::Registry;
use crate::script::secret::Secret;
use crate::script::world::World;
use crate::text::{Encoding, Separators};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// The names of all settings. The check before running has to know them; a test compares them with
/// what is registered.
#[rustfmt::skip]
pub(crate) const SETTINGS: &[&str] = &[
    "arg", "args", "arg0", "name", "dir", "env", "secret_env", "env_remove", "env_clear", "stdin", "stdin_path",
    "stdin_null", "stdin_inherit", "stdin_piped", "stdout_path", "stdout_append", "stdout_null", "stdout_inherit",
    "stdout_capture", "stdout_to_stderr", "stderr_path", "stderr_append", "stderr_null", "stderr_inherit",
    "stderr_capture", "stderr_to_stdout", "tee", "idle_timeout", "teardown", "swap_outputs", "unchecked", "detach",
    "strict_sigpipe", "ok_codes", "ok_signals", "timeout", "grace", "limit", "max_line", "encoding", "separators",
    "lossy", "stdout_piped", "stderr_piped", "uid", "gid", "groups", "umask", "nice", "rlimit", "new_session",
    "own_group", "process_group", "interactive", "stdin_fd", "stdout_fd", "stderr_fd", "fd",
];

/// Registers methods, each of which makes a new command from the old one.
pub(super) struct Methods<'a> {
    pub engine: &'a mut Registry,
    pub world: &'a Arc<World>,
}

impl Methods<'_> {
    /// Without parameters.
    pub fn plain(&mut self, name: &str, change: fn(Expression) -> Expression) {
        self.engine.register_fn(name, change);
    }

    /// With one value that may be refused.
    pub fn with<T>(&mut self, name: &'static str, change: fn(Expression, T) -> std::result::Result<Expression, String>)
    where
        T: rhai::Variant + Clone,
    {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, command: Expression, value: T| {
            change(command, value).map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
        });
    }

    /// With a path.
    fn with_path(&mut self, name: &'static str, change: fn(Expression, PathBuf) -> Expression) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, command: Expression, value: Dynamic| {
            let path = convert::path(&value, &format!("the argument of {name}"));
            let path = path.map_err(|problem| CallPlace::of(&context).invalid(&world, problem))?;
            Result::Ok(change(command, path))
        });
    }
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut methods = Methods { engine, world };
    register_arguments(&mut methods);
    register_environment(&mut methods);
    register_streams(&mut methods);
    register_endings(&mut methods);
    register_text(&mut methods);
    super::platform::register(&mut methods);
}

fn register_arguments(methods: &mut Methods) {
    methods.with::<Dynamic>("arg", |command, value| Ok(command.arg(convert::argument(&value, "the argument")?)));
    methods.with::<Array>("args", |command, values| Ok(command.args(convert::arguments(&values, "args")?)));
    methods.with::<Text>("arg0", |command, name| Ok(command.arg0(name.as_str())));
    methods.with::<Text>("name", |command, name| Ok(command.name(name.as_str())));
}

fn register_environment(methods: &mut Methods) {
    methods.with_path("dir", |command, dir| command.dir(dir));
    methods.with::<Text>("env_remove", |command, name| Ok(command.env_remove(name.as_str())));
    methods.plain("env_clear", Expression::env_clear);
    for (name, is_secret) in [("env", false), ("secret_env", true)] {
        let world = methods.world.clone();
        methods.engine.register_fn(name, move |context: NativeCallContext, command: Expression, map: Map| {
            let set = |command, (name, value): (&_, &_)| set_variable(&world, command, name, value, is_secret);
            let all = map.iter().map(|(name, value)| (name.as_str(), value)).try_fold(command, set);
            all.map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
        });
        let world = methods.world.clone();
        methods.engine.register_fn(
            name,
            move |context: NativeCallContext, command: Expression, name: Text, value: Dynamic| {
                set_variable(&world, command, &name, &value, is_secret)
                    .map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
            },
        );
    }
}

/// `()` takes the variable away.
fn set_variable(
    world: &World,
    command: Expression,
    name: &str,
    value: &Dynamic,
    is_secret: bool,
) -> std::result::Result<Expression, String> {
    if value.is_unit() {
        return Ok(command.env_remove(name));
    }
    let text = convert::text(value, &format!("the value of {name}"))?;
    if is_secret {
        let shown = text.to_string_lossy();
        world.secrets.add(&shown).map_err(|problem| format!("the value of {name}: {problem}"))?;
    }
    Ok(match is_secret || value.is::<Secret>() {
        true => command.secret_env(name, text),
        false => command.env(name, text),
    })
}

fn register_streams(methods: &mut Methods) {
    let world = methods.world.clone();
    methods.engine.register_fn("stdin", move |context: NativeCallContext, command: Expression, value: Dynamic| {
        input::feed(&context, &world, command, value)
    });
    let world = methods.world.clone();
    methods.engine.register_fn(
        "stdin",
        move |context: NativeCallContext, command: Expression, text: Text, label: Text| {
            let encoding = Encoding::for_label(&label).map_err(|error| error.to_string());
            let fed = encoding.and_then(|e| command.stdin_text(&text, e).map_err(|error| error.to_string()));
            fed.map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
        },
    );
    methods.with_path("stdin_path", |command, path| command.stdin_path(path));
    methods.plain("stdin_null", Expression::stdin_null);
    methods.plain("stdin_inherit", Expression::stdin_inherit);
    methods.plain("stdin_piped", Expression::stdin_piped);

    methods.with_path("stdout_path", |command, path| command.stdout_path(path));
    methods.with_path("stdout_append", |command, path| command.stdout_append(path));
    methods.plain("stdout_null", Expression::stdout_null);
    methods.plain("stdout_inherit", Expression::stdout_inherit);
    methods.plain("stdout_capture", Expression::stdout_capture);
    methods.plain("stdout_piped", Expression::stdout_piped);
    methods.plain("stderr_piped", Expression::stderr_piped);
    methods.plain("stdout_to_stderr", Expression::stdout_to_stderr);

    methods.with_path("stderr_path", |command, path| command.stderr_path(path));
    methods.with_path("stderr_append", |command, path| command.stderr_append(path));
    methods.plain("stderr_null", Expression::stderr_null);
    methods.plain("stderr_inherit", Expression::stderr_inherit);
    methods.plain("stderr_capture", Expression::stderr_capture);
    methods.plain("stderr_to_stdout", Expression::stderr_to_stdout);
    methods.with_path("tee", |command, path| command.tee(path));
    methods.plain("swap_outputs", Expression::swap_outputs);
}

fn register_endings(methods: &mut Methods) {
    methods.plain("detach", Expression::detach);
    methods.plain("interactive", Expression::interactive);
    methods.plain("unchecked", Expression::unchecked);
    methods.plain("strict_sigpipe", Expression::strict_sigpipe);
    methods.with::<Array>("ok_codes", |command, codes| {
        let codes = codes.iter().map(|code| {
            let code = code.as_int().ok().filter(|code| (0..=255).contains(code));
            code.map(|code| code as i32).ok_or("ok_codes takes whole numbers from 0 to 255".to_string())
        });
        Ok(command.ok_codes(codes.collect::<std::result::Result<Vec<_>, _>>()?))
    });
    methods.with::<Array>("ok_signals", |command, signals| {
        let signals = signals.iter().map(|signal| parse_signal(&signal.to_string()));
        Ok(command.ok_signals(signals.collect::<std::result::Result<Vec<_>, _>>()?))
    });
    methods.with::<Array>("teardown", |command, steps| Ok(command.teardown(parse_teardown(&steps)?)));
    // A bare number is the commonest mistake here: the error says what is missing instead of "no such function".
    methods.with::<Dynamic>("timeout", |command, value| Ok(command.timeout(convert::waiting(&value, "timeout")?)));
    methods.with::<Dynamic>("idle_timeout", |command, value| {
        Ok(command.idle_timeout(convert::waiting(&value, "idle_timeout")?))
    });
    methods.with::<Dynamic>("grace", |command, value| Ok(command.grace(convert::waiting(&value, "grace")?)));
}

/// `[["INT", "2s"], ["TERM", "5s", "process"]]`
pub(super) fn parse_teardown(steps: &Array) -> std::result::Result<Teardown, String> {
    let shape = || "teardown takes steps of a signal and a wait: [[\"INT\", \"2s\"], [\"TERM\", \"5s\"]]".to_string();
    let mut teardown = Teardown::kill();
    for step in steps {
        let step = step.read_lock::<Array>().ok_or_else(shape)?;
        let (signal, wait, scope) = match step.as_slice() {
            [signal, wait] => (signal, wait, "tree".to_string()),
            [signal, wait, scope] => (signal, wait, scope.to_string()),
            _ => return Err(shape()),
        };
        let wait = convert::waiting(wait, "a step of teardown")?;
        teardown = teardown.after(parse_signal(&signal.to_string())?, parse_scope(&scope)?, wait);
    }
    Ok(teardown)
}

/// Whom a signal goes to.
pub(super) fn parse_scope(name: &str) -> std::result::Result<Scope, String> {
    match name {
        "tree" => Ok(Scope::Tree),
        "group" => Ok(Scope::Group),
        "process" => Ok(Scope::Process),
        other => Err(format!("`{other}` is not whom a signal can go to: process, group or tree")),
    }
}

/// The number of a signal given by name or number.
pub(super) fn parse_signal(name: &str) -> std::result::Result<i32, String> {
    signal_number(name).ok_or_else(|| format!("there is no signal `{name}`; write its name: TERM, INT, KILL"))
}

fn register_text(methods: &mut Methods) {
    methods.with::<Dynamic>("limit", |command, value| Ok(command.limit(size(&value, "limit")?.0)));
    methods.with::<Dynamic>("max_line", |command, value| {
        Ok(command.max_line(Some(as_length(size(&value, "max_line")?.0))))
    });
    methods.with::<Text>("encoding", |command, label| {
        Ok(command.encoding(Encoding::for_label(&label).map_err(|error| error.to_string())?))
    });
    methods.with::<Text>("separators", |command, text| {
        Ok(command.separators(Separators::parse(&text).map_err(|error| error.to_string())?))
    });
    methods.plain("lossy", Expression::lossy);
}

fn as_length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::script::Runtime;

    /// A setting that is not in the list could be built and never run without anybody noticing.
    #[test]
    fn the_list_of_settings_is_complete() {
        let runtime = Runtime::builder().build().unwrap();
        let methods = |make: &str| -> BTreeSet<String> {
            // A method on a command gives a command: then it is a setting.
            runtime
                .engine()
                .collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), false)
                .into_iter()
                .filter(|name| make.contains(&format!("\"{name}\"")))
                .collect()
        };
        let source = include_str!("settings.rs").split("#[cfg(test)]").next().unwrap();
        let registrations: String = source
            .lines()
            .chain(include_str!("platform.rs").lines())
            .filter(|line| line.contains("methods."))
            .collect();
        let listed: BTreeSet<String> = super::SETTINGS.iter().map(|name| name.to_string()).collect();
        let mut registered = methods(&registrations);
        registered.extend(["env".into(), "secret_env".into()]);
        assert_eq!(listed, registered);
    }
}
