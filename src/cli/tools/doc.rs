//! `procscript doc`: what scripts can call.

use clap::{Args, ValueEnum};

use crate::cli::exit::{self, Exit};
use crate::script::docs::{self, Reference};

/// Show what scripts can call
///
/// Without a name: everything, a line for each. A name is that of a function (`lines`, `Command.lines`,
/// `git::branch`), of a property (`Output.code`), of syntax (`with`, `'$'`), of a type (`Command`), of a module
/// (`std/git`) or of a topic.
#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// How to show it; markdown and definitions are always the whole reference
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// What to show
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    name: Option<String>,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Format {
    /// For a terminal, 80 columns wide
    Text,
    /// For programs
    Json,
    /// docs/api.md
    Markdown,
    /// docs/procscript.d.rhai, for editors
    Definitions,
}

pub(super) fn run(arguments: Arguments) -> Exit {
    let reference = Reference::load();
    let text = match (arguments.format, &arguments.name) {
        (Format::Markdown, None) => reference.markdown(),
        (Format::Definitions, None) => reference.definitions(),
        (Format::Markdown | Format::Definitions, Some(_)) => {
            exit::complain("error: this format shows the whole reference: it takes no name\n");
            return Exit::Code(exit::USAGE);
        }
        (Format::Text, None) => reference.overview(),
        (Format::Json, None) => reference.json(),
        (format, Some(name)) => match docs::find(&reference, name) {
            Ok(found) if matches!(format, Format::Json) => found.json(),
            Ok(found) => found.text(),
            Err(similar) => return unknown(name, similar),
        },
    };
    exit::print(&text)
}

fn unknown(name: &str, similar: Option<String>) -> Exit {
    let name = crate::process::escape_controls(name);
    let help = match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => "`procscript doc` lists everything; Rhai's own functions are in https://rhai.rs/book/".to_string(),
    };
    exit::complain(&format!("error: nothing is called `{name}`\nhelp: {help}\n"));
    Exit::Code(exit::FAILURE)
}
