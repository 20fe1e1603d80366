//! What the program does with scripts other than running them: `procscript fmt` and its like.
//!
//! A tool is a variant here, which clap reads its name and its help from, and a file beside this one
//! with its arguments and its `run`.

mod diff;
mod fmt;
mod replace;

use clap::Subcommand;

use super::exit::Exit;

/// A tool, with its arguments.
#[derive(Subcommand, Debug)]
pub(super) enum Tool {
    Fmt(fmt::Arguments),
}

impl Tool {
    pub fn run(self) -> Exit {
        match self {
            Self::Fmt(arguments) => fmt::run(arguments),
        }
    }
}
