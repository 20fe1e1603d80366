//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use clap::error::ErrorKind;

use crate::process::os;

use super::exit::{self, Exit};

/// Run a script, or start a session.
///
/// Without a script, one is read from standard input; at a terminal, a session starts.
#[derive(Parser, Debug)]
#[command(name = "procscript", version, after_long_help = exit::table())]
struct Arguments {
    /// Evaluate CODE instead of a file
    #[arg(short = 'e', long = "eval", value_name = "CODE")]
    code: Option<String>,

    /// The script to run; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<OsString>,

    /// The arguments of the script: what args() gives
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// What is to be done.
pub(super) struct Plan {
    pub source: Source,
    pub arguments: Vec<OsString>,
}

/// Where the script comes from.
pub(super) enum Source {
    File(PathBuf),
    Code(String),
    Stdin,
    Interactive,
}

pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Plan, Exit> {
    let Arguments { code, file, mut arguments } = Arguments::try_parse_from(arguments).map_err(explain)?;
    let source = match (code, file) {
        (Some(code), first) => {
            // With -e there is no file: what stands in its place is the first argument.
            arguments.splice(0..0, first);
            Source::Code(code)
        }
        (None, Some(file)) if file == "-" => Source::Stdin,
        (None, Some(file)) => Source::File(file.into()),
        (None, None) if os::is_terminal(0) => Source::Interactive,
        (None, None) => Source::Stdin,
    };
    Ok(Plan { source, arguments })
}

/// Help and version are answers, everything else is a wrong call.
fn explain(error: clap::Error) -> Exit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::print(&text),
        _ => {
            exit::complain(&text);
            Exit::Code(exit::USAGE)
        }
    }
}
