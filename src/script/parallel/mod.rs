//! `parallel(items, #{…}, |item| …)`: many things at once, as many as the limit says.
//!
//! Each item has a thread of its own, with surroundings of its own: what is printed and what its commands write is
//! kept together, and everything of it stops when the others are not to go on. Nobody reads our standard input: the
//! items would take it away from each other.

mod batch;
mod items;
mod panel;
mod shown;
mod spool;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::process::parallel::{Fate, Pool, Results, Step};
use crate::process::{CancelToken, Error, ErrorKind, Expression};

use super::api::Outcome;
use super::convert;
use super::error::{CallPlace, CommandError};
use super::options::Options;
use super::surroundings::Layer;
use super::thread::{SMALL_STACK, STACK};
use super::with_block::is_termination;
use super::world::{Why, World, lock};

pub(crate) use batch::Batch;
use batch::ItemFailure;
use items::Items;
pub(crate) use items::short;
use panel::Panel;

use crate::script::registry::Registry;
pub(crate) use shown::{ItemOutput, Mode, Screen};
pub(crate) use spool::Channel;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// A thread that calls nothing of the script.
const PLAIN_STACK: usize = 1024 * 1024;

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("parallel", move |context: NativeCallContext, items: Dynamic| {
        parallel(&shared, &context, &items, &Map::new(), None)
    });
    // Whether the second is a function or the options is known only here: one function for both starts faster than
    // two.
    let shared = world.clone();
    engine.register_fn("parallel", move |context: NativeCallContext, items: Dynamic, second: Dynamic| {
        if let Some(body) = second.read_lock::<FnPtr>() {
            return parallel(&shared, &context, &items, &Map::new(), Some(&body));
        }
        match second.read_lock::<Map>() {
            Some(options) => parallel(&shared, &context, &items, &options, None),
            None => {
                let message = format!(
                    "parallel takes options as a map, or a function for each item, not {}",
                    convert::kind_of(&second)
                );
                Err(CallPlace::of(&context).invalid(&shared, message))
            }
        }
    });
    let shared = world.clone();
    engine.register_fn("parallel", move |context: NativeCallContext, items: Dynamic, options: Map, body: FnPtr| {
        parallel(&shared, &context, &items, &options, Some(&body))
    });
}

/// What the options say.
struct Manner {
    limit: usize,
    stops: bool,
    mode: Mode,
}

impl Manner {
    fn read(options: &Map) -> std::result::Result<Self, String> {
        let options = Options::new("parallel", options, &["limit", "on_fail", "show"])?;
        let limit = match options.value::<i64>("limit", "a number of at least 1")? {
            None => std::thread::available_parallelism().map_or(1, usize::from),
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| *limit > 0)
                .ok_or_else(|| format!("the option `limit` of parallel is a number of at least 1, not {limit}"))?,
        };
        let stops = options.choice("on_fail", &[("stop", true), ("finish", false)])?.unwrap_or(true);
        let mode = options.choice("show", &Mode::NAMES)?.unwrap_or(Mode::Group);
        Ok(Self { limit, stops, mode })
    }
}

fn parallel(
    world: &Arc<World>,
    context: &NativeCallContext,
    items: &Dynamic,
    options: &Map,
    body: Option<&FnPtr>,
) -> Result<Array> {
    let place = CallPlace::of(context);
    let invalid = |problem| place.invalid(world, problem);
    let manner = Manner::read(options).map_err(invalid)?;
    let items = Items::of(items).map_err(invalid)?;
    if body.is_none() {
        items.check_commands().map_err(invalid)?;
    }
    let around = world.layer();
    let no_token = |error: std::io::Error| Error::from_io(ErrorKind::Resource, "cannot run things in parallel", &error);
    let inner = around.context.cancel_token().child().map_err(|error| place.raise(world, no_token(error)))?;
    // Where there are no changing lines, what happened is told by the lines that stay.
    let mode = if manner.mode == Mode::Panel && !world.live.is_on() { Mode::Group } else { manner.mode };
    let screen = Arc::new(Screen {
        mode,
        panel: (mode == Mode::Panel).then(|| Panel::new(&world.live, items.len())),
        out: world.out(),
        err: world.err(),
        halt: world.halt.clone(),
        turn: Mutex::new(()),
        spool_dir: spool::dir(&around.context),
        broken: Mutex::default(),
        stop: inner.clone(),
    });
    let calls = Calls { world, around, inner: &inner, screen: &screen, interrupted: Mutex::default() };
    let engine = context.engine();
    let given = body.map(|body| (body, store(context)));
    let work = |index: usize| {
        let item = items.get(index);
        calls.item(&items.label(world, index), || match &given {
            Some((body, given)) => call(engine, given, body, &item),
            None => run(world, &place, &item),
        })
    };
    let stacks = if body.is_some() { [STACK, SMALL_STACK] } else { [PLAIN_STACK; 2] };
    let pool = Pool { limit: manner.limit, stops: manner.stops, inner: &inner, stacks };
    // What was printed before comes before what they print.
    world.out().flush().unwrap_or_else(|error| world.halt.request(Why::Output(error.raw_os_error())));
    let results = pool.run(items.len(), work).map_err(|error| place.raise(world, error))?;
    if let Some(error) = lock(&calls.interrupted).take() {
        world.note_interrupted(error);
    }
    if let Some(error) = lock(&screen.broken).take() {
        return Err(place.raise(world, error));
    }
    conclude(world, &place, &items, results)
}

/// What all items of a call share.
struct Calls<'a> {
    world: &'a Arc<World>,
    around: Layer,
    inner: &'a CancelToken,
    screen: &'a Arc<Screen>,
    /// The command that a deadline around all has ended.
    interrupted: Mutex<Option<CommandError>>,
}

impl Calls<'_> {
    /// Does what is to be done for an item, in surroundings of its own.
    fn item(&self, label: &str, work: impl FnOnce() -> Result<Dynamic>) -> Step<Dynamic, Box<EvalAltResult>> {
        let world = self.world;
        let output = ItemOutput::new(self.screen, label);
        let mut layer = self.around.clone();
        let context = layer.context.with_cancel(self.inner.clone()).without_input();
        layer.context = context.with_stdout(output.stream(Channel::Out)).with_stderr(output.stream(Channel::Err));
        layer.consoles = Some([Channel::Out, Channel::Err].map(|channel| output.console(channel, &world.secrets)));
        let entered = world.enter(layer);
        let result = work();
        let must_stop = world.must_stop();
        if let Some(error) = entered.leave().and_then(|layer| layer.interrupted) {
            lock(&self.interrupted).get_or_insert(error);
        }
        let is_stopped = self.inner.is_cancelled();
        let step = match result {
            Ok(value) => Step::Done(value.flatten()),
            Err(error) if is_termination(&error) && is_stopped => Step::Stopped,
            Err(error) if is_termination(&error) || must_stop || !error.unwrap_inner().is_catchable() => {
                Step::Over(error)
            }
            Err(error) => Step::Failed(error),
        };
        output.end(matches!(step, Step::Failed(_) | Step::Over(_)));
        step
    }
}

fn run(world: &Arc<World>, place: &CallPlace, item: &Dynamic) -> Result<Dynamic> {
    let Some(command) = item.read_lock::<Expression>().map(|command| command.clone()) else {
        return Err(place.invalid(world, "a command of parallel has changed".to_string()));
    };
    let output = world.surround(command).run();
    output.map(|output| Dynamic::from(Outcome::from(output))).map_err(|error| place.raise(world, error))
}

#[allow(deprecated, reason = "there is no other way to call a function in another thread")]
type Given = rhai::NativeCallContextStore;

#[allow(deprecated, reason = "as above")]
fn store(context: &NativeCallContext) -> Given {
    context.store_data()
}

#[allow(deprecated, reason = "as above")]
fn call(engine: &Engine, given: &Given, body: &FnPtr, item: &Dynamic) -> Result<Dynamic> {
    let context = given.create_context(engine);
    body.call_within_context::<Dynamic>(&context, (item.clone(),)).map_err(|error| {
        let mut error = error;
        if error.position().is_none() {
            error.set_position(context.call_position());
        }
        error
    })
}

fn conclude(
    world: &World,
    place: &CallPlace,
    items: &Items,
    results: Results<Dynamic, Box<EvalAltResult>>,
) -> Result<Array> {
    let Results { fates, mut failed } = results;
    if world.must_stop() {
        return Err(World::terminated(place.position));
    }
    let stopped = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Stopped)).count();
    let not_begun = items.len() - fates.len();
    let mut values = Array::with_capacity(fates.len());
    let mut errors: Vec<(usize, Box<EvalAltResult>)> = Vec::new();
    for (index, fate) in fates {
        match fate {
            Fate::Done(value) => values.push(value),
            Fate::Failed(error) => errors.push((index, error)),
            Fate::Stopped => {}
        }
    }
    // Where the others were stopped, the first in time is the reason; else all ran, and they come in their order.
    if stopped + not_begun == 0 {
        failed.sort_unstable();
    }
    let Some(first) = failed.first() else { return Ok(values) };
    let ranks: HashMap<usize, usize> = failed.iter().enumerate().map(|(rank, index)| (*index, rank)).collect();
    errors.sort_by_key(|(index, _)| ranks.get(index));
    let fatal = errors.iter().position(|(_, error)| is_termination(error) || !error.unwrap_inner().is_catchable());
    if let Some(fatal) = fatal {
        return Err(errors.swap_remove(fatal).1);
    }
    let failures = errors.iter().map(|(index, error)| ItemFailure {
        index: *index,
        label: items.label(world, *index),
        item: items.get(*index),
        error: batch::value_of(error, world),
    });
    let batch = Arc::new(Batch { total: items.len(), stopped, not_begun, failures: failures.collect() });
    let at = errors.iter().position(|(index, _)| index == first).unwrap_or(0);
    Err(batch::with_batch(*errors.swap_remove(at).1, None, &batch, world).into())
}
