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
#[command(override_usage = "procscript [OPTIONS] [FILE [ARGS]...]\n       procscript [OPTIONS] -e CODE [ARGS]...")]
struct Arguments {
    /// Evaluate CODE instead of a file
    #[arg(short = 'e', long = "eval", value_name = "CODE")]
    code: Option<String>,

    /// The script to run; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<OsString>,

    /// The arguments of the script: what args() gives; options after FILE are the script's
    #[arg(value_name = "ARGS")]
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

pub(super) fn parse(all: impl Iterator<Item = OsString>) -> Result<Plan, Exit> {
    let mut ours: Vec<OsString> = all.collect();
    // Whatever stands behind the script is the script's, options included.
    let mut arguments = ours.split_off(end_of_ours(&ours));
    let Arguments { code, file, .. } = Arguments::try_parse_from(ours).map_err(explain)?;
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

/// Where our own options, and the script, end: behind the first argument that is no option.
fn end_of_ours(arguments: &[OsString]) -> usize {
    let mut index = 1;
    while let Some(argument) = arguments.get(index) {
        let text = argument.to_string_lossy();
        index += 1;
        match text.as_ref() {
            // The next one is its value.
            "-e" | "--eval" => index += 1,
            // The next one is the script, whatever it looks like.
            "--" => return (index + 1).min(arguments.len()),
            "-" => return index,
            option if option.starts_with('-') => {}
            _ => return index,
        }
    }
    arguments.len()
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
