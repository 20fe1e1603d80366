//! Streams in `for` loops.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, Module};

use crate::script::error::{CallPlace, copied};
use crate::script::registry::Registry;
use crate::script::world::{Why, World};

use super::Stream;
use super::callback::{Caller, no_engine};
use super::chain::{Chain, value_of};

/// What a loop goes through. `break`, `return` and `throw` drop it, which ends the command.
struct StreamIterator {
    state: State,
    place: CallPlace,
    world: Arc<World>,
    /// For the functions in the stream.
    engine: Option<Arc<Engine>>,
}

enum State {
    Open(Box<Chain>),
    /// A problem to report in the place of the first element.
    Refused(Box<EvalAltResult>),
    /// The error that was given to the loop, to be raised again should the loop drop it.
    Failed(Box<EvalAltResult>),
    Over,
}

impl StreamIterator {
    fn new(stream: &Stream, world: &Arc<World>) -> Self {
        let engine = world.engine();
        let chain = match stream.read() {
            Ok(chain) if chain.has_functions() && engine.is_none() => Err(no_engine()),
            result => result,
        };
        let place = stream.place.clone();
        let state = chain.map_or_else(|error| State::Refused(place.raise(world, error)), State::Open);
        Self { state, place, world: world.clone(), engine }
    }
}

impl Iterator for StreamIterator {
    type Item = Result<Dynamic, Box<EvalAltResult>>;

    fn next(&mut self) -> Option<Self::Item> {
        let error = match &mut self.state {
            State::Open(chain) => {
                let caller = Caller { engine: self.engine.as_deref(), context: None };
                match chain.next(&caller, &self.world, value_of) {
                    Ok(item) => return item.map(Ok),
                    Err(stop) => self.place.stop(&self.world, stop),
                }
            }
            state => match std::mem::replace(state, State::Over) {
                State::Refused(error) => error,
                State::Failed(error) => {
                    // A loop with an empty body drops the error and asks for more.
                    self.world.halt.request(Why::Lost(error));
                    return None;
                }
                State::Open(_) | State::Over => return None,
            },
        };
        self.state = State::Failed(copied(&error));
        Some(Err(error))
    }
}

/// Rhai makes an iterator from a value alone; the world comes along in the closure.
pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut module = Module::new();
    let world = world.clone();
    module.set_iter_result(TypeId::of::<Stream>(), move |value| {
        Box::new(StreamIterator::new(&value.cast::<Stream>(), &world))
    });
    engine.register_global_module(module.into());
}
