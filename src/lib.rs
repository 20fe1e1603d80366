//! procscript.

#![deny(missing_debug_implementations)]

pub mod process;
pub mod text;
