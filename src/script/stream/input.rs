//! Streams as the input of commands.

use std::sync::Arc;

use rhai::Engine;

use crate::process::{Error, ErrorKind, Expression, Feeding};
use crate::script::error::Stop;
use crate::script::input;
use crate::script::thread::STACK;
use crate::script::words::message_of;
use crate::script::world::World;

use super::Stream;
use super::callback::{Caller, no_engine};
use super::chain::{Chain, Element};

impl Stream {
    /// The command with this stream as its input. While it runs, a thread of its own pulls the stream,
    /// and calls the functions in it.
    pub fn feed(&self, command: Expression, world: &Arc<World>) -> Result<Expression, Error> {
        let mut chain = self.read()?;
        let world = world.clone();
        let source =
            chain.make_ender().map_err(|error| Error::from_io(ErrorKind::Resource, "cannot make a pipe", &error))?;
        if !chain.has_functions() {
            let pieces = std::iter::from_fn(move || piece(&mut chain, None, &world));
            return Ok(command.stdin_items_fed(pieces, Feeding { stack: None, source }));
        }
        if world.engine().is_none() {
            return Err(no_engine());
        }
        // Surroundings belong to a thread: the functions are called in those of this place.
        let surroundings = world.has_layers().then(|| world.layer());
        let pieces = std::iter::from_fn(move || {
            let _entered = surroundings.clone().map(|layer| world.enter(layer));
            // The engine goes with its runtime, which does not wait for this thread: then there is no more input.
            let engine = world.engine()?;
            piece(&mut chain, Some(&engine), &world)
        });
        Ok(command.stdin_items_fed(pieces, Feeding { stack: Some(STACK), source }))
    }
}

fn piece(chain: &mut Chain, engine: Option<&Engine>, world: &World) -> Option<Result<Vec<u8>, Error>> {
    let caller = Caller { engine, context: None };
    Some(match chain.next(&caller, world, bytes) {
        Ok(bytes) => bytes?.map_err(Error::invalid_argument),
        Err(Stop::Command(error)) => Err(error),
        Err(Stop::Script(error)) => {
            Err(Error::input_failed(format!("a function of the input failed: {}", message_of(&error)), *error))
        }
    })
}

/// As the elements of an array.
fn bytes(element: Element) -> Result<Vec<u8>, String> {
    match element {
        Element::Line(line) => Ok([line.as_bytes(), b"\n"].concat()),
        Element::Value(value) => input::line(&value, "an element of the input"),
    }
}
