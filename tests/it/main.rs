//! The one test binary of this project; a module for each topic.

#[allow(dead_code, reason = "a toolbox: tests take what they need")]
mod support;

mod announce;
mod docs;
mod examples;
mod harness;
mod layers;
mod scripts;
mod tidy;
