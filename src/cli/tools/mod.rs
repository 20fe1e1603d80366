//! What the program does with scripts other than running them: `procscript check`, `procscript complete`,
//! `procscript doc`, `procscript fmt`.
//!
//! A tool is a variant here, which clap reads its name and its help from, and a file beside this one
//! with its arguments and its `run`.

mod check;
mod complete;
mod diff;
mod doc;
mod fmt;
mod replace;

use clap::Subcommand;

use super::exit::Exit;

/// A tool, with its arguments.
#[derive(Subcommand, Debug)]
pub(super) enum Tool {
    Check(check::Arguments),
    Complete(complete::Arguments),
    Fmt(fmt::Arguments),
    Doc(doc::Arguments),
}

impl Tool {
    pub fn run(self) -> Exit {
        match self {
            Self::Check(arguments) => check::run(arguments),
            Self::Complete(arguments) => complete::run(arguments),
            Self::Fmt(arguments) => fmt::run(arguments),
            Self::Doc(arguments) => doc::run(arguments),
        }
    }
}
