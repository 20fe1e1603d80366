//! The functions that scripts call: conversion in, one call, conversion out. What more there is to do
//! is done in [`process`](crate::process) or [`text`](crate::text).

mod arrays;
mod ask;
mod command;
mod control;
mod execution;
mod files;
mod host;
mod output;
mod platform;
mod processes;
mod progress;
mod run;
mod settings;
mod show;
mod system;
mod text;

use std::sync::Arc;

use rhai::Engine;

use super::world::World;

pub use output::Outcome;
#[cfg(test)]
pub(crate) use progress::Progress;
pub(crate) use settings::SETTINGS;

/// Registers everything with an engine.
pub(crate) fn register(engine: &mut Engine, world: &Arc<World>) {
    super::error::register(engine);
    super::caught::register(engine, world);
    super::facts::register(engine);
    super::template::register(engine, world);
    super::with_block::register(engine, world);
    super::secret::register(engine, world);
    command::register(engine, world);
    settings::register(engine, world);
    run::register(engine, world);
    output::register(engine, world);
    super::stream::register(engine, world);
    execution::register(engine, world);
    control::register(engine, world);
    text::register(engine);
    arrays::register(engine);
    files::register(engine, world);
    system::register(engine, world);
    host::register(engine, world);
    processes::register(engine, world);
    ask::register(engine, world);
    show::register(engine, world);
    progress::register(engine, world);
}
