//! `procscript fmt`: scripts in one style.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::{self, ErrorFormat, Exit};
use crate::process::os;
use crate::script::{self, Failure, load};

use super::{diff, replace};

/// What `-` is called in messages.
const STDIN: &str = "standard input";

/// Format scripts
///
/// Rewrites script files in one style. Only white space changes: four spaces for each level, one space around
/// operators, `#{ a: 1 }`, `} else {`, at most one blank line in a row. Line breaks are the author's: lines are neither
/// joined nor broken, but for braces. Comments, strings and command templates stay as they are.
#[derive(Args, Debug)]
#[command(after_long_help = CODES)]
pub(in crate::cli) struct Arguments {
    /// Change nothing; show what would change, and exit with code 1 if something would
    #[arg(long)]
    check: bool,

    /// The files; `-`, or none at all, is standard input, which is written to standard output
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

const CODES: &str = "\
Exit codes, the highest of all files:
  0      every file is formatted now
  1      with --check: a file is not formatted
  2      a file cannot be read, cannot be parsed, or cannot be written; it stays as it was";

pub(super) fn run(arguments: Arguments) -> Exit {
    let Arguments { check, mut files } = arguments;
    if files.is_empty() {
        if os::is_terminal(0) {
            exit::complain("error: no file to format\nhelp: name the files; a script called fmt is run by ./fmt\n");
            return Exit::Code(exit::USAGE);
        }
        files.push("-".into());
    }
    let mut worst = 0;
    for file in files {
        let exit = match (file.as_os_str() == "-", check) {
            (true, _) => format_stdin(check),
            (false, true) => check_file(&file),
            (false, false) => format_file(&file),
        };
        match exit.unwrap_or_else(|failure| Exit::because(&failure, None, ErrorFormat::Text)) {
            Exit::Code(code) => worst = worst.max(code),
            signal => return signal,
        }
    }
    Exit::Code(worst)
}

fn format_stdin(check: bool) -> Result<Exit, Failure> {
    if os::was_closed_at_start(0) {
        return Err(Failure::load("cannot read the script from standard input: it is closed"));
    }
    let source = load::read_exactly(std::io::stdin().lock(), STDIN)?;
    let formatted = script::format(STDIN, &source)?;
    Ok(match check {
        true => compare(STDIN, &source, &formatted),
        false => exit::print(&formatted),
    })
}

fn check_file(path: &Path) -> Result<Exit, Failure> {
    let name = path.display().to_string();
    let source = load::read_file_exactly(path)?;
    Ok(compare(&name, &source, &script::format(&name, &source)?))
}

fn format_file(path: &Path) -> Result<Exit, Failure> {
    let name = path.display().to_string();
    let source = load::read_file_exactly(path)?;
    let formatted = script::format(&name, &source)?;
    if formatted != source {
        let result = replace::contents(path, formatted.as_bytes());
        result.map_err(|error| Failure::load(format!("cannot write `{name}`: {}", load::reason(&error))))?;
    }
    Ok(Exit::Code(0))
}

/// Says whether and where a source differs from its formatted text.
fn compare(name: &str, source: &str, formatted: &str) -> Exit {
    if source == formatted {
        return Exit::Code(0);
    }
    match exit::print(&format!("{name} is not formatted:\n{}", diff::shown(source, formatted))) {
        Exit::Code(code) => Exit::Code(code.max(exit::FAILURE)),
        signal => signal,
    }
}
