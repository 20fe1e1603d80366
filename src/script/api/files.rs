//! Questions about files, and small changes to them. Relative paths count from the runtime's directory.
//!
//! Every function here takes a path as text or as a `Path`, so that it is a method of both.

use std::fs::Metadata;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext, Variant};

use crate::data::quantity::Size;
use crate::data::time::Moment;
use crate::files::{self, Location, Watch};
use crate::process::{Context, Error, os::FileFacts};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::quantities::{local_zone, moment};
use crate::script::registry::Registry;
use crate::script::world::World;

/// One call of a function that works with files.
pub(super) struct Call<'a> {
    pub world: &'a World,
    pub surroundings: Context,
}

impl Call<'_> {
    /// The file that a value of the script names.
    pub fn location(&self, value: &Dynamic, what: &str) -> Result<Location, Error> {
        let path = convert::path(value, what).map_err(Error::invalid_argument)?;
        Location::new(&self.surroundings, path)
    }

    /// The same for the value that a function is about.
    pub fn path(&self, value: &Dynamic) -> Result<Location, Error> {
        self.location(value, "the argument")
    }

    /// Does work that may take long: a signal, a deadline or a limit ends it.
    pub fn watched<T>(&self, work: impl FnOnce(&Watch) -> Result<T, Error>) -> Result<T, Error> {
        let stops = || self.world.stops();
        work(&Watch { stops: &stops, cancel: self.surroundings.cancel_token().clone() })
    }
}

/// Registers functions whose first values are paths.
pub(super) struct Functions<'a> {
    pub engine: &'a mut Registry,
    pub world: &'a Arc<World>,
}

impl Functions<'_> {
    /// `name(path)`.
    pub fn one<T: Variant + Clone>(&mut self, name: &str, work: fn(&Call, &Dynamic) -> Result<T, Error>) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, value: Dynamic| {
            called(&context, &world, |call| work(call, &value))
        });
    }

    /// `name(path, value)`; the value may be the options.
    pub fn two<A: Variant + Clone, T: Variant + Clone>(
        &mut self,
        name: &str,
        work: fn(&Call, &Dynamic, &A) -> Result<T, Error>,
    ) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, value: Dynamic, other: A| {
            called(&context, &world, |call| work(call, &value, &other))
        });
    }

    /// `name(path)` and `name(path, #{…})`.
    pub fn one_with_options<T: Variant + Clone>(
        &mut self,
        name: &str,
        work: fn(&Call, &Dynamic, &Map) -> Result<T, Error>,
    ) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, value: Dynamic| {
            called(&context, &world, |call| work(call, &value, &Map::new()))
        });
        self.two(name, work);
    }

    /// `name(path, value)` and `name(path, value, #{…})`.
    pub fn two_with_options<T: Variant + Clone>(
        &mut self,
        name: &str,
        work: fn(&Call, &Dynamic, &Dynamic, &Map) -> Result<T, Error>,
    ) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, value: Dynamic, other: Dynamic| {
            called(&context, &world, |call| work(call, &value, &other, &Map::new()))
        });
        let world = self.world.clone();
        self.engine.register_fn(
            name,
            move |context: NativeCallContext, value: Dynamic, other: Dynamic, options: Map| {
                called(&context, &world, |call| work(call, &value, &other, &options))
            },
        );
    }
}

/// Does what a function is called for, and gives its error the place of the call.
pub(super) fn called<T>(
    context: &NativeCallContext,
    world: &World,
    work: impl FnOnce(&Call) -> Result<T, Error>,
) -> Result<T, Box<EvalAltResult>> {
    called_at(&CallPlace::of(context), world, work)
}

/// The same, where the place of the call is known.
pub(super) fn called_at<T>(
    place: &CallPlace,
    world: &World,
    work: impl FnOnce(&Call) -> Result<T, Error>,
) -> Result<T, Box<EvalAltResult>> {
    let call = Call { world, surroundings: world.context() };
    work(&call).map_err(|error| place.raise(world, error))
}

/// The options of a function.
pub(super) fn options<'m>(function: &'static str, map: &'m Map, known: &'m [&'m str]) -> Result<Options<'m>, Error> {
    Options::new(function, map, known).map_err(Error::invalid_argument)
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut functions = Functions { engine, world };
    functions.one("exists", |call, value| is(call, value, true, |_| true));
    functions.one("is_file", |call, value| is(call, value, true, Metadata::is_file));
    functions.one("is_dir", |call, value| is(call, value, true, Metadata::is_dir));
    functions.one("is_link", |call, value| is(call, value, false, Metadata::is_symlink));
    functions.one("file_size", |call, value| {
        let metadata = files::info(&call.path(value)?, true)?;
        Ok(Size(metadata.len()))
    });
    functions.one("mode", |call, value| Ok(i64::from(FileFacts::of(&files::info(&call.path(value)?, true)?).mode)));
    functions.one_with_options("metadata", |call, value, map| {
        let options = options("metadata", map, &["follow"])?;
        let follow = options.flag("follow", true).map_err(Error::invalid_argument)?;
        facts(call, &files::info(&call.path(value)?, follow)?)
    });
    functions.two("chmod", |call, value, mode: &Dynamic| {
        let mode = mode_of(mode, "the mode of chmod").map_err(Error::invalid_argument)?;
        files::set_mode(&call.path(value)?, mode)
    });
    functions.one_with_options("mkdir", |call, value, map| {
        let options = options("mkdir", map, &["mode"])?;
        files::make_dir(&call.path(value)?, mode_option(&options)?)
    });
    functions.one_with_options("touch", |call, value, map| {
        let options = options("touch", map, &["modified"])?;
        let modified = options.map.get("modified").map(|value| system_time(call, value));
        files::touch(&call.path(value)?, modified.transpose()?)
    });
}

fn is(call: &Call, value: &Dynamic, follow: bool, question: fn(&Metadata) -> bool) -> Result<bool, Error> {
    Ok(files::is_there(&call.path(value)?, follow)?.is_some_and(|metadata| question(&metadata)))
}

fn facts(call: &Call, metadata: &Metadata) -> Result<Map, Error> {
    let zone = local_zone(call.world).map_err(Error::invalid_argument)?;
    let FileFacts { kind, mode, uid, gid, device, inode, links } = FileFacts::of(metadata);
    let number = |number: u64| Dynamic::from(i64::try_from(number).unwrap_or(i64::MAX));
    let time = |time: std::io::Result<SystemTime>| {
        let moment = time.ok().and_then(|time| Moment::from_system(time, zone.clone()).ok());
        moment.map_or(Dynamic::UNIT, Dynamic::from)
    };
    Ok(Map::from([
        ("kind".into(), kind.into()),
        ("is_file".into(), metadata.is_file().into()),
        ("is_dir".into(), metadata.is_dir().into()),
        ("is_link".into(), metadata.is_symlink().into()),
        ("size".into(), Dynamic::from(Size(metadata.len()))),
        ("mode".into(), i64::from(mode).into()),
        ("modified".into(), time(metadata.modified())),
        ("accessed".into(), time(metadata.accessed())),
        ("created".into(), time(metadata.created())),
        ("uid".into(), i64::from(uid).into()),
        ("gid".into(), i64::from(gid).into()),
        ("device".into(), number(device)),
        ("inode".into(), number(inode)),
        ("links".into(), number(links)),
    ]))
}

/// A time, text that stands for one, or seconds since the beginning of 1970.
fn system_time(call: &Call, value: &Dynamic) -> Result<SystemTime, Error> {
    let number = value.as_float().ok().or_else(|| value.as_int().ok().map(|number| number as f64));
    let found = match number {
        Some(seconds) => time_of(seconds).ok_or_else(|| format!("{seconds:e} seconds after 1970 are no time")),
        None => moment(call.world, value, "the option `modified` of touch").map(|moment| moment.to_system()),
    };
    found.map_err(Error::invalid_argument)
}

fn time_of(seconds: f64) -> Option<SystemTime> {
    let distance = Duration::try_from_secs_f64(seconds.abs()).ok()?;
    match seconds < 0.0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    }
}

/// The option `mode`.
pub(super) fn mode_option(options: &Options) -> Result<Option<u32>, Error> {
    let Some(value) = options.map.get("mode") else { return Ok(None) };
    mode_of(value, "the option `mode`").map(Some).map_err(Error::invalid_argument)
}

/// The usual permissions, as somebody writes them who forgets that they are octal.
const USUAL: &[i64] = &[550, 555, 600, 640, 644, 660, 664, 666, 700, 711, 750, 755, 770, 775, 777];

fn mode_of(value: &Dynamic, what: &str) -> Result<u32, String> {
    let number = value.as_int().map_err(|_| {
        let kind = convert::kind_of(value);
        format!("{what} is a number such as 0o644, not {kind}")
    })?;
    if USUAL.contains(&number) {
        return Err(format!("{what} is octal: write 0o{number} ({number} would be {number:#o})"));
    }
    u32::try_from(number)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| format!("{what} is a number from 0 to 0o7777, not {number}"))
}
