//! Temporary files and directories, which go with the script that made them.

use std::path::PathBuf;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::files::{Location, TempKind, Temporary, Watch};
use crate::process::{Error, os};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::world::World;

use super::files::{Call, called, options};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    for (name, kind) in [("temp_dir", TempKind::Dir), ("temp_file", TempKind::File)] {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext| -> Result<PathBuf> {
            Ok(make(&context, &shared, name, kind, &Map::new())?.shown)
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, options: Map| -> Result<PathBuf> {
            Ok(make(&context, &shared, name, kind, &options)?.shown)
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, body: FnPtr| {
            with_temporary(&context, &shared, name, kind, &Map::new(), &body)
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, options: Map, body: FnPtr| {
            with_temporary(&context, &shared, name, kind, &options, &body)
        });
    }
}

fn make(
    context: &NativeCallContext,
    world: &World,
    function: &'static str,
    kind: TempKind,
    options: &Map,
) -> Result<Location> {
    called(context, world, |call| world.temporaries.make(&described(call, function, kind, options)?))
}

fn described(call: &Call, function: &'static str, kind: TempKind, map: &Map) -> std::result::Result<Temporary, Error> {
    let options = options(function, map, &["dir", "prefix", "suffix"])?;
    let part = |name: &str| match options.map.get(name) {
        None => Ok(Default::default()),
        Some(value) => {
            let what = format!("the option `{name}` of {function}");
            let part = convert::text(value, &what).map_err(Error::invalid_argument)?;
            match part.as_encoded_bytes().contains(&b'/') {
                true => Err(Error::invalid_argument(format!("{what} is a part of a name, without `/`"))),
                false => Ok(part),
            }
        }
    };
    let dir = match options.map.get("dir") {
        Some(dir) => call.location(dir, &format!("the option `dir` of {function}"))?,
        None => {
            let said = call.surroundings.env("TMPDIR").filter(|dir| !dir.is_empty());
            let dir = said.map_or_else(|| os::default_temp_dir().into(), PathBuf::from);
            // A later `with dir(…)` must not change what the path means.
            let path = call.surroundings.absolute(&dir)?;
            Location { shown: path.clone(), path }
        }
    };
    Ok(Temporary { kind, dir, prefix: part("prefix")?, suffix: part("suffix")? })
}

/// Removed at the end of the closure, whatever the end is; its error comes first.
fn with_temporary(
    context: &NativeCallContext,
    world: &World,
    function: &'static str,
    kind: TempKind,
    options: &Map,
    body: &FnPtr,
) -> Result<Dynamic> {
    let made = make(context, world, function, kind, options)?;
    let result = body.call_within_context::<Dynamic>(context, (made.shown.clone(),));
    let stops = || world.cleanup.is_killed();
    let removed = world.temporaries.remove(&made, &Watch { stops: &stops, cancel: world.cleanup.clone() });
    let value = result?;
    removed.map_err(|error| CallPlace::of(context).raise(world, error))?;
    Ok(value)
}
