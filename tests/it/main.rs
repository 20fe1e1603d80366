//! The one test binary of this project; a module for each topic.

// Tests talk to whoever runs them, and an unwrap is an assertion.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

#[allow(dead_code, reason = "a toolbox: tests take what they need")]
mod support;

mod announce;
mod arguments;
mod automation;
mod capabilities;
mod check;
mod cli;
mod docs;
mod embedding;
mod examples;
mod files;
mod format;
mod harness;
mod http;
mod layers;
mod parallel;
mod people;
mod process;
mod repl;
mod scripts;
mod secrets;
mod startup;
mod streams;
mod system;
mod tidy;
