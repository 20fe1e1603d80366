//! The functions that scripts call: conversion in, one call, conversion out. What more there is to do
//! is done in [`process`](crate::process) or [`text`](crate::text).

#[cfg(feature = "cli")]
mod arguments;
mod arrays;
mod ask;
mod codes;
mod command;
mod contents;
mod control;
mod execution;
mod files;
mod formats;
mod host;
mod links;
mod lists;
mod numbers;
mod output;
mod paths;
mod patterns;
mod platform;
mod processes;
mod progress;
mod quantities;
mod run;
mod settings;
mod show;
mod system;
mod temp;
mod text;
mod times;
mod trees;
mod versions;

use std::sync::Arc;

use super::world::World;

use crate::script::registry::Registry;

pub(crate) use formats::{NotRead, at_byte};
pub use output::Outcome;
pub(crate) use patterns::compiled;
#[cfg(all(test, feature = "cli"))]
pub(crate) use progress::Progress;
pub(crate) use settings::SETTINGS;
pub(crate) use system::sleep;

/// Registers everything with an engine.
pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
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
    super::parallel::register(engine, world);
    super::service::register(engine, world);
    text::register(engine);
    numbers::register(engine, world);
    arrays::register(engine, world);
    paths::register(engine, world);
    files::register(engine, world);
    formats::register(engine, world);
    codes::register(engine, world);
    versions::register(engine, world);
    patterns::register(engine, world);
    quantities::register(engine, world);
    times::register(engine, world);
    lists::register(engine, world);
    contents::register(engine, world);
    trees::register(engine, world);
    links::register(engine, world);
    temp::register(engine, world);
    system::register(engine, world);
    #[cfg(feature = "cli")]
    arguments::register(engine, world);
    host::register(engine, world);
    processes::register(engine, world);
    ask::register(engine, world);
    show::register(engine, world);
    progress::register(engine, world);
}
