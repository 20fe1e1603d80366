//! Functions that run a closure in a way of their own: `attempt`, `retry`, `wait_for`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::process;
use crate::script::caught::ScriptError;
use crate::script::convert;
use crate::script::error::{CallPlace, CommandError};
use crate::script::options::Options;
use crate::script::with_block::is_termination;
use crate::script::world::World;
use crate::system;

use super::system::sleep;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("attempt", move |context: NativeCallContext, body: FnPtr| attempt(&shared, &context, &body));
    let shared = world.clone();
    engine.register_fn("retry", move |context: NativeCallContext, times: i64, body: FnPtr| {
        retry(&shared, &context, times, &Map::new(), &body)
    });
    let shared = world.clone();
    engine.register_fn("retry", move |context: NativeCallContext, times: i64, options: Map, body: FnPtr| {
        retry(&shared, &context, times, &options, &body)
    });
    let shared = world.clone();
    engine
        .register_fn("wait_for", move |context: NativeCallContext, options: Map| wait_for(&shared, &context, &options));
}

/// The error as `catch` would get it, unless it is none that can be caught.
fn caught(world: &World, error: Box<EvalAltResult>) -> Result<Dynamic> {
    match is_termination(&error) || world.must_stop() || !error.unwrap_inner().is_catchable() {
        true => Err(error),
        false => Ok(ScriptError::value_of(*error, &world.secrets)),
    }
}

fn attempt(world: &World, context: &NativeCallContext, body: &FnPtr) -> Result<Map> {
    let (ok, value, error) = match body.call_within_context::<Dynamic>(context, ()) {
        Ok(value) => (true, value, Dynamic::UNIT),
        Err(error) => (false, Dynamic::UNIT, caught(world, error)?),
    };
    Ok(Map::from([("ok".into(), ok.into()), ("value".into(), value), ("error".into(), error)]))
}

/// How long to wait between two tries.
struct Pauses {
    next: Duration,
    factor: f64,
    longest: Duration,
}

impl Pauses {
    fn take(&mut self) -> Duration {
        let now = self.next.min(self.longest);
        self.next = Duration::try_from_secs_f64(now.as_secs_f64() * self.factor).unwrap_or(self.longest);
        now
    }
}

fn retry(world: &World, context: &NativeCallContext, times: i64, options: &Map, body: &FnPtr) -> Result<Dynamic> {
    let place = CallPlace::of(context);
    let invalid = |problem| place.invalid(world, problem);
    let options = Options::new("retry", options, &["delay", "backoff", "max_delay", "on"]).map_err(invalid)?;
    if times < 1 {
        return Err(invalid(format!("retry takes the number of tries, at least 1, not {times}")));
    }
    let factor = options.number("backoff").map_err(invalid)?.unwrap_or(1.0);
    if !(1.0..=1000.0).contains(&factor) {
        return Err(invalid(format!("the option `backoff` of retry is a factor of at least 1, not {factor}")));
    }
    let mut pauses = Pauses {
        next: options.duration("delay").map_err(invalid)?.unwrap_or_default(),
        factor,
        longest: options.duration("max_delay").map_err(invalid)?.unwrap_or(Duration::MAX),
    };
    let on = options.value::<FnPtr>("on", "a function that says whether to try again").map_err(invalid)?;
    let mut tries = 1_u32;
    loop {
        let error = match body.call_within_context::<Dynamic>(context, ()) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let position = error.position();
        let value = caught(world, error)?;
        let is_worth_it = match &on {
            Some(on) => {
                let answer = on.call_within_context::<Dynamic>(context, (value.clone(),))?;
                let wrong = |kind| format!("the option `on` of retry answers true or false, not {kind}");
                answer.as_bool().map_err(|_| invalid(wrong(convert::kind_of(&answer))))?
            }
            None => true,
        };
        if i64::from(tries) >= times || !is_worth_it {
            let value = after(tries, value);
            return Err(EvalAltResult::ErrorRuntime(value, position).into());
        }
        tries += 1;
        sleep(world, pauses.take(), place.position)?;
    }
}

/// The error, which says how often it was tried, when it is one that can.
fn after(tries: u32, error: Dynamic) -> Dynamic {
    if let Some(error) = error.read_lock::<CommandError>() {
        return Dynamic::from(error.clone().after(tries));
    }
    if let Some(error) = error.read_lock::<ScriptError>() {
        return Dynamic::from(error.clone().after(tries));
    }
    error
}

/// Between two looks, unless the script says otherwise.
const INTERVAL: Duration = Duration::from_millis(50);
/// Nothing is waited for longer, unless the script says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a host may take to say whether it takes a connection.
const PORT_PATIENCE: Duration = Duration::from_millis(500);

/// What is waited for.
enum Goal {
    Port { host: String, port: u16 },
    File(std::path::PathBuf),
    True(FnPtr),
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port { host, port } => write!(f, "port {port} of {host}"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::True(_) => write!(f, "what the closure asks for"),
        }
    }
}

fn wait_for(world: &World, context: &NativeCallContext, options: &Map) -> Result<()> {
    let place = CallPlace::of(context);
    let invalid = |problem| place.invalid(world, problem);
    let known = ["port", "host", "path", "ready", "timeout", "interval"];
    let options = Options::new("wait_for", options, &known).map_err(invalid)?;
    let host = options.value::<String>("host", "text").map_err(invalid)?.unwrap_or_else(|| "127.0.0.1".to_string());
    let port = options.value::<i64>("port", "a number").map_err(invalid)?;
    let ready = options.value::<FnPtr>("ready", "a function that answers true or false").map_err(invalid)?;
    let goal = match (port, options.map.get("path"), ready) {
        (Some(port), None, None) => match u16::try_from(port) {
            Ok(port) => Goal::Port { host, port },
            Err(_) => return Err(invalid(format!("{port} is no port: it is a number from 0 to 65535"))),
        },
        (None, Some(path), None) => {
            let path = convert::path(path, "the option `path` of wait_for").map_err(invalid)?;
            Goal::File(world.context().absolute(&path).map_err(|error| place.raise(world, error))?)
        }
        (None, None, Some(ready)) => Goal::True(ready),
        _ => return Err(invalid("wait_for takes one of port, path and ready".to_string())),
    };
    let timeout = options.duration("timeout").map_err(invalid)?.unwrap_or(PATIENCE);
    let interval = options.duration("interval").map_err(invalid)?.unwrap_or(INTERVAL);
    let end = Instant::now().checked_add(timeout);
    loop {
        if is_reached(context, &place, world, &goal)? {
            return Ok(());
        }
        let left = end.map_or(interval, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            let after = process::duration_text(timeout);
            let message = format!("{goal} was not there after {after}");
            return Err(place.raise(world, process::Error::timed_out(message)));
        }
        sleep(world, interval.min(left), place.position)?;
    }
}

fn is_reached(context: &NativeCallContext, place: &CallPlace, world: &World, goal: &Goal) -> Result<bool> {
    Ok(match goal {
        Goal::File(path) => path.exists(),
        Goal::Port { host, port } => system::is_open(host, *port, PORT_PATIENCE, || world.must_stop())
            .ok_or_else(|| World::terminated(place.position))?,
        Goal::True(until) => {
            let answer = until.call_within_context::<Dynamic>(context, ())?;
            let wrong = |kind| format!("the option `ready` of wait_for answers true or false, not {kind}");
            answer.as_bool().map_err(|_| place.invalid(world, wrong(convert::kind_of(&answer))))?
        }
    })
}
