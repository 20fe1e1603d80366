//! Copying, moving, removing, and what is in directories.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString as Text, Map, NativeCallContext};

use crate::files::{self, Copying, Globbing, Location, Removing, Walking};
use crate::process::Error;
use crate::script::convert;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::script::world::World;

use super::files::{Call, Functions, called, options};

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut functions = Functions { engine, world };
    functions.two_with_options("copy", |call, from, to, map| {
        let options = options("copy", map, &["overwrite", "merge", "parents"])?;
        let (from, to) = (call.location(from, "what is copied")?, call.location(to, "the name of the copy")?);
        let copying = copying(&options)?;
        call.watched(|watch| files::copy(&from, &to, &copying, watch))
    });
    functions.two_with_options("move", |call, from, to, map| {
        let options = options("move", map, &["overwrite", "parents"])?;
        let (from, to) = (call.location(from, "what is moved")?, call.location(to, "the new name")?);
        let copying = copying(&options)?;
        call.watched(|watch| files::move_to(&from, &to, &copying, watch))
    });
    functions.one_with_options("remove", |call, value, map| {
        let options = options("remove", map, &["recursive", "missing_ok"])?;
        let flag = |name| options.flag(name, false).map_err(Error::invalid_argument);
        let removing = Removing { recursive: flag("recursive")?, missing_ok: flag("missing_ok")?, force: false };
        let what = call.path(value)?;
        call.watched(|watch| files::remove(&what, &removing, watch))
    });
    functions.one("read_dir", |call, value| {
        let dir = call.path(value)?;
        let names = call.watched(|watch| files::entries(&dir, watch))?;
        Ok(names.iter().map(|(name, _)| Dynamic::from(dir.child(name).shown)).collect::<Array>())
    });
    functions.one_with_options("walk", |call, value, map| {
        let options = options("walk", map, &["max_depth", "hidden", "follow", "kind", "skip_unreadable"])?;
        let (root, walking) = (call.path(value)?, walking(&options)?);
        call.watched(|watch| files::walk(&root, &walking, watch)).map(paths)
    });
    register_glob(engine, world);
}

fn paths(paths: Vec<PathBuf>) -> Array {
    paths.into_iter().map(Dynamic::from).collect()
}

fn copying(options: &Options) -> Result<Copying, Error> {
    let flag = |name, otherwise| options.flag(name, otherwise).map_err(Error::invalid_argument);
    let (overwrite, merge, parents) = (flag("overwrite", true)?, flag("merge", false)?, flag("parents", false)?);
    Ok(Copying { overwrite, merge, parents, keeps_all: false })
}

fn walking(options: &Options) -> Result<Walking, Error> {
    let flag = |name, otherwise| options.flag(name, otherwise).map_err(Error::invalid_argument);
    let max_depth = match options
        .value::<i64>("max_depth", "a number of directories")
        .map_err(Error::invalid_argument)?
    {
        None => usize::MAX,
        Some(depth) => usize::try_from(depth).ok().filter(|depth| *depth > 0).ok_or_else(|| {
            Error::invalid_argument(format!("the option `max_depth` of walk is a number of at least 1, not {depth}"))
        })?,
    };
    const KIND: &str = "one of \"file\", \"dir\" and \"link\"";
    let kind = match options.value::<Text>("kind", KIND).map_err(Error::invalid_argument)?.as_deref() {
        None => None,
        Some("file") => Some("file"),
        Some("dir") => Some("dir"),
        Some("link") => Some("link"),
        Some(other) => {
            return Err(Error::invalid_argument(format!("the option `kind` of walk is {KIND}, not \"{other}\"")));
        }
    };
    Ok(Walking {
        max_depth,
        kind,
        hidden: flag("hidden", true)?,
        follow: flag("follow", false)?,
        skip_unreadable: flag("skip_unreadable", false)?,
    })
}

/// `glob(pattern)`, and `glob(directory, pattern)`, each with options.
fn register_glob(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("glob", move |context: NativeCallContext, pattern: Dynamic| {
        called(&context, &shared, |call| glob(call, None, &pattern, &Map::new()))
    });
    let shared = world.clone();
    engine.register_fn("glob", move |context: NativeCallContext, first: Dynamic, second: Dynamic| {
        called(&context, &shared, |call| match second.read_lock::<Map>() {
            Some(options) => glob(call, None, &first, &options),
            None => glob(call, Some(&first), &second, &Map::new()),
        })
    });
    let shared = world.clone();
    engine.register_fn("glob", move |context: NativeCallContext, dir: Dynamic, pattern: Dynamic, options: Map| {
        called(&context, &shared, |call| glob(call, Some(&dir), &pattern, &options))
    });
    engine.register_fn("glob_escape", |name: Text| files::escape_glob(&name));
}

fn glob(call: &Call, dir: Option<&Dynamic>, pattern: &Dynamic, map: &Map) -> Result<Array, Error> {
    let options = options("glob", map, &["required", "hidden", "skip_unreadable"])?;
    let flag = |name| options.flag(name, false).map_err(Error::invalid_argument);
    let globbing = Globbing { hidden: flag("hidden")?, skip_unreadable: flag("skip_unreadable")? };
    let Some(pattern) = pattern.read_lock::<Text>().map(|text| text.clone()) else {
        let kind = convert::kind_of(pattern);
        // Signs in the path would become magic.
        let help = "what matches in a directory is directory.glob(\"*.txt\")";
        return Err(Error::invalid_argument(format!("a pattern must be text, but is {kind}")).with_help(help));
    };
    let base = match dir {
        Some(dir) if pattern.starts_with('/') => {
            let why = format!("the pattern `{pattern}` begins at the root: it cannot be looked for in a directory");
            drop(call.path(dir)?);
            return Err(Error::invalid_argument(why));
        }
        Some(dir) => call.path(dir)?,
        // Nothing in front of what is found.
        None => Location { shown: OsStr::new("").into(), path: call.surroundings.base_dir()? },
    };
    let found = call.watched(|watch| files::glob(&base, &pattern, &globbing, watch))?;
    if found.is_empty() && flag("required")? {
        let place = dir.map(|_| format!(" in {base}")).unwrap_or_default();
        return Err(Error::invalid_argument(format!("nothing matches `{pattern}`{place}")));
    }
    Ok(paths(found))
}
