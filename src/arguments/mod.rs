//! What a script takes on its command line: a declaration as data, and from there the values, the help, the errors and
//! the completion. `clap` does the parsing and words what it prints; what it has no place for (values from an
//! environment that is not the process's, options on both sides of a command) is done here.
//!
//! No Rhai, no input or output: `script` makes a [`Declaration`] of a script's `cli(#{…})`, asks [`read()`] what the
//! arguments mean, and prints what there is to print.

mod clap_command;
mod item;
mod notation;
mod read;
mod rules;
#[cfg(test)]
mod tests;

/// What a completion is made of.
pub(crate) use clap::Command;
pub(crate) use clap_command::{Width, command, completable};
pub(crate) use item::{Item, ValueType, truth};
pub(crate) use notation::item;
pub(crate) use read::{Answer, Raw, Variable, read};
pub(crate) use rules::{check, check_command};

/// What a script, or one of its commands, takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub about: String,
    pub version: Option<String>,
    pub items: Vec<Item>,
    /// Shown at the end of the help.
    pub examples: Vec<String>,
    /// In the order in which they are shown.
    pub commands: Vec<(String, Declaration)>,
    /// Whether the script can be called without any of its commands.
    pub command_is_optional: bool,
}

/// What is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub message: String,
    pub help: Option<String>,
}

impl Mistake {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
