//! Functions that run a closure in a way of their own: `attempt`, `retry`, `wait_for`.

use std::sync::Arc;
use std::time::Duration;

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::script::caught::ScriptError;
use crate::script::convert;
use crate::script::error::{CallPlace, CommandError};
use crate::script::options::Options;
use crate::script::ready::{self, Wait};
use crate::script::registry::Registry;
use crate::script::with_block::is_termination;
use crate::script::world::World;

use super::system::sleep;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
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
        false => Ok(ScriptError::value_of(*error, world)),
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
        let again = match &on {
            Some(on) => {
                let answer = on.call_within_context::<Dynamic>(context, (value.clone(),))?;
                at_earliest(&answer).map_err(invalid)?
            }
            None => Some(Duration::ZERO),
        };
        let Some(earliest) = again.filter(|_| i64::from(tries) < times) else {
            let value = after(tries, value);
            return Err(EvalAltResult::ErrorRuntime(value, position).into());
        };
        tries += 1;
        sleep(world, pauses.take().max(earliest), place.position)?;
    }
}

/// When to try again, as the function `on` answers: not at all, at any time, or after a while.
fn at_earliest(answer: &Dynamic) -> std::result::Result<Option<Duration>, String> {
    if let Ok(is_worth_it) = answer.as_bool() {
        return Ok(is_worth_it.then_some(Duration::ZERO));
    }
    let what = "what the option `on` of retry answers";
    let is_time = answer.is_string() || answer.is::<jiff::SignedDuration>();
    match is_time {
        true => convert::waiting(answer, what).map(Some),
        false => Err(format!("{what} is true, false or a duration, not {}", convert::kind_of(answer))),
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

fn wait_for(world: &World, context: &NativeCallContext, options: &Map) -> Result<()> {
    let place = CallPlace::of(context);
    let options = Options::new("wait_for", options, ready::OPTIONS).map_err(|problem| place.invalid(world, problem))?;
    Wait::read(world, &place, &options)?.until_reached(world, context, || Ok(false))
}
