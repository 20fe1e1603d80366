//! An embedded scripting runtime for process automation.
//!
//! Three layers, each usable without the ones above it:
//!
//! - [`text`]: bytes to lines, in any encoding and any chunking. No input or output.
//! - [`process`]: commands as values, pipelines, redirections, streaming, structured errors.
//! - [`script`]: the same for scripts in [Rhai](https://rhai.rs), and the runtime that programs embed.
//!
//! The feature `cli` (on by default) adds the program: the script runner and the REPL. A program that
//! embeds the library turns it off with `default-features = false`.

#![deny(missing_debug_implementations)]

mod data;
mod files;
pub mod process;
pub mod script;
mod system;
mod terminal;
pub mod text;

#[cfg(feature = "cli")]
mod arguments;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
mod repl;

/// The Rust examples of the README, so that they are compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
