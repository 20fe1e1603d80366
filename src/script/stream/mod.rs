//! Output that a script reads while the command runs: lines or pieces, and what narrows and changes
//! them on the way.
//!
//! A stream is a source with a list of steps behind it ([`chain`]). A method that narrows or changes it
//! takes the chain out of its handle, adds a step, and gives a new handle; whoever reads takes the chain
//! out for good. So a stream has one reader, which needs no lock.

mod callback;
mod chain;
mod input;
mod loops;
mod methods;

use std::sync::{Arc, Mutex};

use crate::files::FileLines;
use crate::process::{self, Identity};

use super::error::CallPlace;
use super::world::{World, lock};
use chain::{Chain, Source};

use crate::script::registry::Registry;

pub(crate) use methods::ADAPTORS;

/// A stream as scripts hold it. Copies share it: it is used once.
#[derive(Clone)]
pub(crate) struct Stream {
    state: Arc<Mutex<State>>,
    /// The command at its beginning, unless that is a file.
    identity: Option<Identity>,
    /// Where it was made, and the failure of its command is raised.
    place: CallPlace,
}

enum State {
    Ready(Box<Chain>),
    Read,
    /// Another stream was made of it, by the method of this name.
    Given(&'static str),
}

impl Stream {
    /// The lines of a command.
    pub fn lines(lines: process::Lines, place: &CallPlace) -> Self {
        let identity = lines.identity().clone();
        Self::of(Box::new(Chain::new(Source::Lines(Box::new(lines)))), Some(identity), place.clone())
    }

    /// The output of a command in pieces.
    pub fn chunks(chunks: process::Chunks, place: &CallPlace) -> Self {
        let identity = chunks.identity().clone();
        Self::of(Box::new(Chain::new(Source::Chunks(chunks))), Some(identity), place.clone())
    }

    /// The lines of a file.
    pub fn file(lines: FileLines, place: &CallPlace) -> Self {
        Self::of(Box::new(Chain::new(Source::File(Box::new(lines)))), None, place.clone())
    }

    fn of(chain: Box<Chain>, identity: Option<Identity>, place: CallPlace) -> Self {
        Self { state: Arc::new(Mutex::new(State::Ready(chain))), identity, place }
    }

    /// As that of the chain, for a loop that is about to read it.
    pub fn prefer_containing(&self, part: &str) {
        if let State::Ready(chain) = &mut *lock(&self.state) {
            chain.prefer_containing(part);
        }
    }

    /// The chain, for whoever reads it now.
    fn read(&self) -> Result<Box<Chain>, process::Error> {
        self.take(State::Read)
    }

    /// The chain, for the method that makes another stream of it.
    fn give(&self, method: &'static str) -> Result<Box<Chain>, process::Error> {
        self.take(State::Given(method))
    }

    /// The chain back, for the method that could not make another stream.
    fn restore(&self, chain: Box<Chain>) {
        *lock(&self.state) = State::Ready(chain);
    }

    /// A second reader would see an empty stream, which looks like an empty output, or half of one.
    fn take(&self, next: State) -> Result<Box<Chain>, process::Error> {
        let mut state = lock(&self.state);
        let (earlier, error) = match std::mem::replace(&mut *state, next) {
            State::Ready(chain) => return Ok(chain),
            State::Read => {
                let message = "this stream has been read already: it can be read once";
                let again = if self.identity.is_some() { "run the command" } else { "read the file" };
                let help = format!("keep what it gives with .to_array(), or {again} again");
                (State::Read, process::Error::misuse(message, help))
            }
            State::Given(method) => {
                let message = format!("this stream has been given to .{method}() already: it can be used once");
                let help = format!("use what .{method}() gave: let stream = stream.{method}(…)");
                (State::Given(method), process::Error::misuse(message, help))
            }
        };
        *state = earlier;
        Err(match &self.identity {
            Some(identity) => identity.describe(error),
            None => error,
        })
    }
}

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Stream>("Stream");
    engine.register_fn("to_string", |stream: &mut Stream| match stream.identity {
        Some(_) => "a stream of a running command",
        None => "a stream of a file",
    });
    methods::register(engine, world);
    loops::register(engine, world);
}
