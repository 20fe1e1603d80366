//! The type `Path`: a value that names a file. Its bytes are the system's, whether they are text or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::{Array, Blob, Dynamic, ImmutableString as Text, NativeCallContext};

use crate::process::{Context, Error, ErrorKind, os};
use crate::script::convert::{self, path_text};
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::world::World;

use super::files::Functions;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<PathBuf>("Path");
    engine.register_fn("to_string", |path: &mut PathBuf| path_text(path));
    engine.register_fn("to_debug", |path: &mut PathBuf| format!("path({:?})", path.display().to_string()));
    engine.register_fn("to_blob", |path: &mut PathBuf| path.as_os_str().as_encoded_bytes().to_vec());
    register_parts(engine);
    register_relations(engine);
    register_changes(engine, world);
    register_places(engine, world);

    let shared = world.clone();
    engine.register_fn("path", move |context: NativeCallContext, value: Dynamic| {
        let made = match value.read_lock::<Blob>() {
            Some(bytes) if bytes.is_empty() => Err("the path is empty".to_string()),
            Some(bytes) => Ok(os::path_of_bytes(bytes.clone())),
            None => convert::path(&value, "the argument of path"),
        };
        made.map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    let shared = world.clone();
    engine.register_fn("home", move |context: NativeCallContext| {
        home(&shared.context()).map_err(|error| CallPlace::of(&context).raise(&shared, error))
    });
}

fn home(context: &Context) -> Result<PathBuf, Error> {
    let home = context.env("HOME").map(PathBuf::from);
    match home {
        Some(home) if home.is_absolute() => Ok(home),
        Some(home) if !home.as_os_str().is_empty() => {
            let message = format!("the home directory is not known: HOME is `{}`, no absolute path", home.display());
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
        _ => Err(Error::new(ErrorKind::InvalidArgument, "the home directory is not known: HOME is not set")),
    }
}

/// The properties.
fn register_parts(engine: &mut Registry) {
    let text = |part: Option<&std::ffi::OsStr>| part.map_or(Dynamic::UNIT, |part| path_text(Path::new(part)).into());
    engine.register_get("name", move |path: &mut PathBuf| text(path.file_name()));
    engine.register_get("stem", move |path: &mut PathBuf| text(path.file_stem()));
    engine.register_get("extension", |path: &mut PathBuf| {
        path.extension().map(|part| path_text(Path::new(part))).unwrap_or_default()
    });
    engine.register_get("parent", |path: &mut PathBuf| parent(path).map_or(Dynamic::UNIT, Dynamic::from));
    engine.register_get("parts", |path: &mut PathBuf| -> Array {
        path.components().map(|part| path_text(Path::new(part.as_os_str())).into()).collect()
    });
    engine.register_get("is_absolute", |path: &mut PathBuf| path.is_absolute());
}

/// The directory that a path is in, as far as the path says: of `a` that is `.`, and of `..` only the system knows.
fn parent(path: &Path) -> Option<PathBuf> {
    path.file_name()?;
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }.into())
}

type Relation = (&'static str, fn(&Path, &Path) -> bool);

/// Part by part, so that `a//b` is `a/b`, and what is in a directory comes right behind it.
const RELATIONS: [Relation; 6] = [
    ("==", |a, b| a == b),
    ("!=", |a, b| a != b),
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
];

fn register_relations(engine: &mut Registry) {
    for (name, holds) in RELATIONS {
        engine.register_fn(name, move |a: PathBuf, b: PathBuf| holds(&a, &b));
        engine.register_fn(name, move |a: PathBuf, b: Text| holds(&a, Path::new(b.as_str())));
        engine.register_fn(name, move |a: Text, b: PathBuf| holds(Path::new(a.as_str()), &b));
    }
}

fn register_changes(engine: &mut Registry, world: &Arc<World>) {
    // Text in front, too: `script_dir() / "templates"`.
    let shared = world.clone();
    engine.register_fn("/", move |context: NativeCallContext, path: PathBuf, part: Dynamic| {
        join(&path, &part).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    let shared = world.clone();
    engine.register_fn("/", move |context: NativeCallContext, text: Text, part: Dynamic| {
        let path = convert::path(&text.into(), "the path in front of `/`");
        let joined = path.and_then(|path| join(&path, &part));
        joined.map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    let changes: [(&'static str, Change); 3] = [
        ("with_name", |path, name| path.with_file_name(name)),
        ("with_extension", |path, extension| path.with_extension(extension)),
        ("with_stem", |path, stem| {
            let mut name = stem.to_os_string();
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            path.with_file_name(name)
        }),
    ];
    for (name, change) in changes {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, path: PathBuf, part: Dynamic| {
            changed(&path, name, &part, change).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
        });
    }
    let questions: [Relation; 2] =
        [("starts_with", |path, part| path.starts_with(part)), ("ends_with", |path, part| path.ends_with(part))];
    for (name, holds) in questions {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, path: PathBuf, part: Dynamic| {
            let part = convert::path(&part, &format!("the argument of {name}"));
            let part = part.map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
            Ok::<bool, Box<rhai::EvalAltResult>>(holds(&path, &part))
        });
    }
}

/// What needs to know where relative paths count from.
fn register_places(engine: &mut Registry, world: &Arc<World>) {
    let mut functions = Functions { engine, world };
    functions.one::<PathBuf>("absolute", |call, path| Ok(call.path(path)?.path.components().collect()));
    functions.one::<PathBuf>("resolve", |call, path| {
        let at = call.path(path)?;
        at.path.canonicalize().map_err(|error| at.failed("resolve", &error))
    });
    functions.two::<Dynamic, PathBuf>("relative_to", |call, path, base| {
        let (path, base) = (call.path(path)?, call.location(base, "the base of relative_to")?);
        // As they are written, unless only one of them says where it begins.
        let is_alike = path.shown.is_absolute() == base.shown.is_absolute();
        let (from, below) = if is_alike { (&base.shown, &path.shown) } else { (&base.path, &path.path) };
        let plain = |path: &Path| path.components().filter(|part| part.as_os_str() != ".").collect::<PathBuf>();
        match plain(below).strip_prefix(plain(from)) {
            Ok(rest) if rest.as_os_str().is_empty() => Ok(".".into()),
            Ok(rest) => Ok(rest.into()),
            Err(_) => Err(Error::invalid_argument(format!("{path} is not below {base}"))),
        }
    });
}

/// An empty part would silently name the directory itself: `rm -rf "$dir/$empty"`.
fn join(path: &Path, part: &Dynamic) -> Result<PathBuf, String> {
    Ok(path.join(convert::path(part, "the part after `/`")?))
}

type Change = fn(&Path, &std::ffi::OsStr) -> PathBuf;

fn changed(path: &Path, method: &str, part: &Dynamic, change: Change) -> Result<PathBuf, String> {
    let part = convert::text(part, &format!("the argument of {method}"))?;
    let bytes = part.as_encoded_bytes();
    if path.file_name().is_none() {
        return Err(format!("`{}` has no name to change", path.display()));
    }
    if bytes.contains(&b'/') {
        return Err(format!("the argument of {method} is a part of a name, without `/`"));
    }
    match method {
        "with_extension" if bytes.first() == Some(&b'.') => {
            Err(format!("an extension has no dot in front: {method}(\"{}\")", part.to_string_lossy().trim_matches('.')))
        }
        "with_extension" => Ok(change(path, &part)),
        _ if bytes.is_empty() || bytes == b"." || bytes == b".." => {
            Err(format!("the argument of {method} is no name: `{}`", part.to_string_lossy()))
        }
        _ => Ok(change(path, &part)),
    }
}
