//! Other processes (`processes`, `find_processes`, `process_tree`, `end_process`), and ports.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::quantity::Size;
use crate::data::time::Moment;
use crate::process::{DEFAULT_GRACE, Error, os};
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::quantities::local_zone;
use crate::script::registry::Registry;
use crate::script::world::World;
use crate::system::{self, How, Process};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// How long a host may take to say whether it takes a connection.
const PORT_PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("processes", move |context: NativeCallContext| -> Result<Array> {
        let all = list(&shared, &CallPlace::of(&context))?;
        Ok(all.into_iter().map(|p| shown(&shared, p).into()).collect())
    });
    let shared = world.clone();
    engine.register_fn("find_processes", move |context: NativeCallContext, options: Map| -> Result<Array> {
        let place = CallPlace::of(&context);
        let found = find(&shared, &place, &options)?;
        Ok(found.into_iter().map(|process| shown(&shared, process).into()).collect())
    });
    let shared = world.clone();
    engine.register_fn("process_tree", move |context: NativeCallContext, pid: i64| -> Result<Map> {
        let place = CallPlace::of(&context);
        let number = number(pid).map_err(|problem| place.invalid(&shared, problem))?;
        tree(&shared, list(&shared, &place)?, number).ok_or_else(|| {
            let message = format!("cannot look at the process {pid}: {}", os::errno_text(os::ESRCH));
            place.raise(&shared, Error::control_failed(message, Some(os::ESRCH)))
        })
    });
    let shared = world.clone();
    engine.register_fn("end_process", move |context: NativeCallContext, process: Dynamic| {
        end(&shared, &context, &process, &Map::new())
    });
    let shared = world.clone();
    engine.register_fn("end_process", move |context: NativeCallContext, process: Dynamic, options: Map| {
        end(&shared, &context, &process, &options)
    });
    let shared = world.clone();
    engine.register_fn("port_is_open", move |context: NativeCallContext, port: i64| {
        port_is_open(&shared, &context, port, "127.0.0.1")
    });
    let shared = world.clone();
    engine.register_fn("port_is_open", move |context: NativeCallContext, port: i64, host: Text| {
        port_is_open(&shared, &context, port, &host)
    });
    let shared = world.clone();
    engine.register_fn("free_port", move |context: NativeCallContext| -> Result<i64> {
        system::free_port().map(i64::from).map_err(|error| {
            let error = Error::from_io(crate::process::ErrorKind::IoFailed, "cannot find a free port", &error);
            CallPlace::of(&context).raise(&shared, error)
        })
    });
}

fn number(pid: i64) -> std::result::Result<u32, String> {
    let number = i32::try_from(pid).ok().and_then(|pid| u32::try_from(pid).ok());
    number.ok_or_else(|| format!("{pid} is no number of a process"))
}

/// A process as a script sees it. Its arguments may be secrets, when it was started from here.
fn shown(world: &World, process: Process) -> Map {
    let zone = local_zone(world).unwrap_or(jiff::tz::TimeZone::UTC);
    let started = i64::try_from(process.started).map_err(|error| error.to_string());
    let started = started.and_then(|seconds| Moment::from_epoch(seconds, 0, zone));
    Map::from([
        ("pid".into(), i64::from(process.pid).into()),
        ("parent".into(), process.parent.map_or(Dynamic::UNIT, |parent| i64::from(parent).into())),
        ("name".into(), world.secrets.mask(&process.name).into_owned().into()),
        ("command".into(), world.secrets.mask(&process.command).into_owned().into()),
        ("user".into(), process.user.map_or(Dynamic::UNIT, Dynamic::from)),
        ("memory".into(), Dynamic::from(Size(process.memory))),
        ("started".into(), started.map_or(Dynamic::UNIT, Dynamic::from)),
    ])
}

fn find(world: &World, place: &CallPlace, options: &Map) -> Result<Vec<Process>> {
    let invalid = |problem: String| place.invalid(world, problem);
    let options = Options::new("find_processes", options, &["name", "command", "user", "port"]).map_err(invalid)?;
    if options.map.is_empty() {
        return Err(invalid("find_processes takes name, command, user or port; processes() gives all".to_string()));
    }
    let text = |name| options.value::<String>(name, "text").map_err(invalid);
    let (name, command, user) = (text("name")?, text("command")?, text("user")?);
    let holders = match options.value::<i64>("port", "a number").map_err(invalid)? {
        None => None,
        Some(port) => Some(holders(world, place, self::port(port).map_err(invalid)?)?),
    };
    let own = std::process::id();
    let fits = |process: &Process| {
        process.pid != own
            && name.as_ref().is_none_or(|name| process.is_called(name))
            && command.as_ref().is_none_or(|part| process.command.contains(part.as_str()))
            && user.as_ref().is_none_or(|user| process.user.as_ref() == Some(user))
            && holders.as_ref().is_none_or(|holders| holders.contains(&process.pid))
    };
    Ok(list(world, place)?.into_iter().filter(fits).collect())
}

fn list(world: &World, place: &CallPlace) -> Result<Vec<Process>> {
    system::list().map_err(|error| {
        let error = Error::from_io(crate::process::ErrorKind::IoFailed, "cannot look at the processes", &error);
        place.raise(world, error)
    })
}

fn holders(world: &World, place: &CallPlace, port: u16) -> Result<BTreeSet<u32>> {
    system::holders(port).map_err(|error| {
        let what = format!("cannot find out who listens at port {port}");
        place.raise(world, Error::from_io(crate::process::ErrorKind::IoFailed, what, &error))
    })
}

fn port(port: i64) -> std::result::Result<u16, String> {
    u16::try_from(port).map_err(|_| format!("{port} is no port: it is a number from 0 to 65535"))
}

/// The process with those that it has started in `children`, and theirs.
fn tree(world: &World, all: Vec<Process>, pid: u32) -> Option<Map> {
    let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
    let mut root = None;
    for process in all {
        if process.pid == pid {
            root = Some(process);
        } else if let Some(parent) = process.parent {
            children.entry(parent).or_default().push(process);
        }
    }
    // Deep trees are built without recursion: from the last that was found to the first.
    let mut order = vec![root?];
    let mut parents = vec![0];
    let mut index = 0;
    while index < order.len() {
        for child in children.remove(&order[index].pid).unwrap_or_default() {
            order.push(child);
            parents.push(index);
        }
        index += 1;
    }
    let mut below: Vec<Array> = order.iter().map(|_| Array::new()).collect();
    for (index, process) in order.into_iter().enumerate().rev() {
        let mut map = shown(world, process);
        let mut own = std::mem::take(&mut below[index]);
        own.reverse();
        map.insert("children".into(), own.into());
        if index == 0 {
            return Some(map);
        }
        below[parents[index]].push(map.into());
    }
    None
}

fn end(world: &World, context: &NativeCallContext, process: &Dynamic, options: &Map) -> Result<String> {
    let place = CallPlace::of(context);
    let invalid = |problem: String| place.invalid(world, problem);
    let options = Options::new("end_process", options, &["signal", "grace", "tree"]).map_err(invalid)?;
    let (pid, started) = target(process).map_err(invalid)?;
    let signal = match options.value::<String>("signal", "the name of a signal").map_err(invalid)? {
        None => os::SIGTERM,
        Some(name) => os::signal_number(&name).ok_or_else(|| invalid(format!("there is no signal `{name}`")))?,
    };
    let how = How {
        signal,
        grace: options.duration("grace").map_err(invalid)?.unwrap_or(DEFAULT_GRACE),
        has_tree: options.value::<bool>("tree", "true or false").map_err(invalid)?.unwrap_or(false),
        started,
    };
    let surroundings = world.context();
    let is_over = || world.must_stop() || surroundings.deadline.is_some_and(|end| Instant::now() >= end);
    let ended = system::end(pid, &how, surroundings.cancel_token(), is_over);
    // What has ended may have come to us from its parent.
    #[cfg(feature = "cli")]
    crate::process::orphans::sweep();
    match ended {
        Ok(Some(signal)) => Ok(os::signal_name(signal).map_or_else(|| signal.to_string(), str::to_string)),
        Ok(None) => Err(World::terminated(place.position)),
        Err(error) => Err(place.raise(world, error)),
    }
}

/// A number, or what `processes` gave: then it is that process and no later one of its number.
fn target(process: &Dynamic) -> std::result::Result<(u32, Option<u64>), String> {
    let field = |map: &Map, name: &str| map.get(name).and_then(|value| value.as_int().ok());
    if let Some(map) = process.read_lock::<Map>() {
        let pid = field(&map, "pid").ok_or("end_process takes a number, or one of processes(): a map with `pid`")?;
        let started = map.get("started").and_then(|started| started.read_lock::<Moment>().map(|time| time.clone()));
        return Ok((number(pid)?, started.and_then(|started| u64::try_from(started.seconds_and_nanos().0).ok())));
    }
    match process.as_int() {
        Ok(pid) => Ok((number(pid)?, None)),
        Err(_) => Err(format!("end_process takes a number, or one of processes(), not {}", convert::kind_of(process))),
    }
}

fn port_is_open(world: &World, context: &NativeCallContext, number: i64, host: &str) -> Result<bool> {
    let place = CallPlace::of(context);
    let port = port(number).map_err(|problem| place.invalid(world, problem))?;
    let answer = system::reach(host, port, PORT_PATIENCE, || world.must_stop());
    match answer.ok_or_else(|| World::terminated(place.position))? {
        Ok(()) => Ok(true),
        // That we could not ask is no answer.
        Err(error) if matches!(error.raw_os_error(), Some(os::EMFILE | os::ENFILE | os::ENOMEM | os::EAGAIN)) => {
            let what = format!("cannot try the port {port}");
            Err(place.raise(world, Error::from_io(crate::process::ErrorKind::IoFailed, what, &error)))
        }
        Err(_) => Ok(false),
    }
}
