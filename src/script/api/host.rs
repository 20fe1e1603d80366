//! The machine and the user: `require`, `env_vars`, `cpus`, `memory`, `user`, `hostname`, `platform`, `disk_space`.

use std::path::PathBuf;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::quantity::Size;
use crate::process::{Error, ErrorKind, os};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::secret::Secret;
use crate::script::world::World;
use crate::system;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Registers `require` for one number of names.
macro_rules! require_names {
    ($engine:ident, $world:ident, $($name:ident),*) => {
        let world = $world.clone();
        $engine.register_fn("require", move |context: NativeCallContext, $($name: Text),*| {
            let names: Array = vec![$($name.into()),*];
            require(&world, &context, &names)
        });
    };
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    require_names!(engine, world, a);
    require_names!(engine, world, a, b);
    require_names!(engine, world, a, b, c);
    require_names!(engine, world, a, b, c, d);
    require_names!(engine, world, a, b, c, d, e);
    require_names!(engine, world, a, b, c, d, e, f);
    let shared = world.clone();
    engine.register_fn("require", move |context: NativeCallContext, names: Array| require(&shared, &context, &names));
    let shared = world.clone();
    engine.register_fn("env_vars", move || env_vars(&shared));
    register_machine(engine, world);
}

fn require(world: &World, context: &NativeCallContext, names: &Array) -> Result<()> {
    let place = CallPlace::of(context);
    let surroundings = world.context();
    let mut missing: Vec<(String, Error)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let text = convert::text(name, &format!("names[{index}]")).map_err(|problem| place.invalid(world, problem))?;
        match surroundings.which(text.clone()) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotExecutable) => {
                missing.push((text.to_string_lossy().into_owned(), error));
            }
            Err(error) => return Err(place.raise(world, error)),
        }
    }
    match missing.len() {
        0 => Ok(()),
        // It says itself where it was looked for.
        1 => {
            Err(missing.pop().map_or_else(|| World::terminated(place.position), |(_, error)| place.raise(world, error)))
        }
        _ => Err(place.raise(world, none_of(&missing))),
    }
}

/// All that is missing in one error.
fn none_of(missing: &[(String, Error)]) -> Error {
    let names: Vec<String> = missing.iter().map(|(name, _)| format!("`{name}`")).collect();
    let hints = missing.iter().filter_map(|(name, error)| {
        let help = error.help()?;
        // Where it was looked for is the same for all.
        let similar = help.split_once("? (").map(|(hint, _)| format!("for `{name}`, {hint}?"));
        let blocked = (error.kind() == ErrorKind::NotExecutable).then(|| format!("`{name}`: {help}"));
        similar.or(blocked)
    });
    let hints: Vec<String> = hints.collect();
    let help = match hints.is_empty() {
        true => "install them, or add their directories to PATH".to_string(),
        false => hints.join("; "),
    };
    Error::not_found(format!("commands not found: {}", names.join(", ")), help)
}

/// Variables whose name or value is not UTF-8 are left out: a script could do nothing with them.
fn env_vars(world: &World) -> Map {
    let context = world.context();
    let texts =
        context.variables().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let values = texts.map(|(name, value)| {
        let value: Dynamic = if context.is_secret(&name) { Secret::from(value).into() } else { value.into() };
        (name.into(), value)
    });
    values.collect()
}

fn register_machine(engine: &mut Registry, world: &Arc<World>) {
    engine.register_fn("cpus", || system::cpus() as i64);
    let shared = world.clone();
    engine.register_fn("memory", move |context: NativeCallContext| -> Result<Map> {
        let memory = system::memory().ok_or_else(|| {
            let message = "the system does not tell how much memory there is";
            CallPlace::of(&context).raise(&shared, Error::io_failed(message))
        })?;
        Ok(sizes([("total", memory.total), ("available", memory.available)]))
    });
    let shared = world.clone();
    engine.register_fn("user", move |context: NativeCallContext| -> Result<Map> {
        user(&shared).map_err(|error| {
            let error = Error::from_io(ErrorKind::IoFailed, "cannot look up the user", &error);
            CallPlace::of(&context).raise(&shared, error)
        })
    });
    let shared = world.clone();
    engine.register_fn("hostname", move |context: NativeCallContext| -> Result<String> {
        let nameless = || CallPlace::of(&context).raise(&shared, Error::io_failed("this machine has no name"));
        system::host_name().ok_or_else(nameless)
    });
    engine.register_fn("platform", platform);
    let shared = world.clone();
    engine.register_fn("disk_space", move |context: NativeCallContext, path: Dynamic| -> Result<Map> {
        let place = CallPlace::of(&context);
        let given = convert::path(&path, "the path").map_err(|problem| place.invalid(&shared, problem))?;
        let path = shared.context().absolute(&given).map_err(|error| place.raise(&shared, error))?;
        let space = os::disk_space(&path).map_err(|error| {
            let what = format!("cannot look at the disk of `{}`", given.display());
            place.raise(&shared, Error::from_io(ErrorKind::IoFailed, what, &error))
        })?;
        Ok(sizes([("total", space.total), ("free", space.free), ("available", space.available)]))
    });
}

/// Bytes by name.
fn sizes<const N: usize>(sizes: [(&str, u64); N]) -> Map {
    sizes.into_iter().map(|(name, size)| (name.into(), Dynamic::from(Size(size)))).collect()
}

fn or_nothing(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

/// The user whose rights we have. In a container there may be no entry for it.
fn user(world: &World) -> std::io::Result<Map> {
    let (uid, gid) = os::own_ids();
    let entry = os::user(uid)?;
    let context = world.context();
    let said = context.env("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = said.or_else(|| entry.as_ref().map(|user| user.home.clone()));
    let shell = entry.as_ref().map(|user| user.shell.display().to_string());
    Ok(Map::from([
        ("name".into(), entry.map(|user| user.name).unwrap_or_else(|| uid.to_string()).into()),
        ("uid".into(), i64::from(uid).into()),
        ("gid".into(), i64::from(gid).into()),
        ("home".into(), home.map_or(Dynamic::UNIT, Dynamic::from)),
        ("shell".into(), or_nothing(shell.filter(|shell| !shell.is_empty()))),
        ("is_root".into(), (uid == 0).into()),
    ]))
}

fn platform() -> Map {
    let machine = system::machine();
    Map::from([
        ("os".into(), machine.os.into()),
        ("arch".into(), machine.arch.into()),
        ("family".into(), machine.family.into()),
        ("distribution".into(), machine.distribution.into()),
        ("version".into(), or_nothing(machine.version)),
        ("kernel".into(), or_nothing(machine.kernel)),
    ])
}
