//! `procscript check`: mistakes in scripts, found without running them.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::exit::{self, ErrorFormat, Exit};
use crate::process::os;
use crate::script::{Failure, Problem, Runtime, Severity, load, problem_json};

/// What `-` is called in messages.
const STDIN: &str = "standard input";

/// Look for mistakes in scripts, without running them
///
/// Parses the files and what they import, and tells everything that is wrong: syntax, command templates, variables,
/// functions and numbers of arguments, commands that are built and never run, and more. Errors keep a script from
/// being run by `procscript FILE`, too; warnings do not. `// procscript: allow(CODE)` at the end of a line, or alone
/// on the line before, silences the problems of that code there.
#[derive(Args, Debug)]
#[command(after_long_help = tables())]
pub(in crate::cli) struct Arguments {
    /// How the problems are told: as text, or as one JSON array of objects with file, line, column, code, severity,
    /// message and help
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Directories with modules, as for a run (repeatable)
    #[arg(short = 'L', long = "library", value_name = "DIR", env = "PROCSCRIPT_PATH", value_delimiter = ':')]
    library: Vec<PathBuf>,

    /// The files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

const CODES: &str = "\
Exit codes, the highest of all files:
  0      there is nothing to say
  1      problems were found, errors or warnings
  2      a file cannot be read; the others are checked all the same";

/// The exit codes and the codes of problems, for `--help`.
fn tables() -> String {
    let mut text = format!("{CODES}\n\nCodes of problems; those of warnings have a star:");
    for (code, severity, meaning) in Problem::kinds() {
        let star = if severity == Severity::Warning { "*" } else { " " };
        let _ = write!(text, "\n {star}{code:<21} {meaning}");
    }
    text
}

pub(super) fn run(arguments: Arguments) -> Exit {
    let Arguments { format, library, files } = arguments;
    let runtime = match Runtime::builder().library_path(library).build() {
        Ok(runtime) => runtime,
        Err(failure) => return Exit::because(&failure, None, ErrorFormat::Text),
    };
    let mut worst = 0;
    let mut told = HashSet::new();
    let mut problems = Vec::new();
    for file in &files {
        match check(&runtime, file) {
            // A module may be imported by several, and be one of the files.
            Ok(found) => problems.extend(found.into_iter().filter(|problem| told.insert(identity(problem)))),
            Err(failure) => match Exit::because(&failure, None, ErrorFormat::Text) {
                Exit::Code(code) => worst = worst.max(code),
                signal => return signal,
            },
        }
    }
    let text = match format {
        Format::Text => as_text(&problems),
        Format::Json => as_json(&problems),
    };
    // The process ends: taking the interpreter apart would only take time.
    std::mem::forget(runtime);
    let found = if problems.is_empty() { 0 } else { exit::FAILURE };
    match if text.is_empty() { Exit::Code(0) } else { exit::print(&text) } {
        Exit::Code(code) => Exit::Code(worst.max(found).max(code)),
        signal => signal,
    }
}

fn check(runtime: &Runtime, file: &Path) -> Result<Vec<Problem>, Failure> {
    if file.as_os_str() != "-" {
        return runtime.check_file(file);
    }
    if os::was_closed_at_start(0) {
        return Err(Failure::load("cannot read the script from standard input: it is closed"));
    }
    runtime.check(STDIN, &load::read_text(std::io::stdin().lock(), STDIN)?)
}

/// What makes two problems the same: files are named as they were given, or by their whole path.
fn identity(problem: &Problem) -> (&'static str, String, Option<(PathBuf, usize, usize)>) {
    let place = problem.place().map(|place| {
        let file = Path::new(&place.file);
        (file.canonicalize().unwrap_or_else(|_| file.to_path_buf()), place.line, place.column)
    });
    (problem.code(), problem.message().to_string(), place)
}

fn as_text(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let mut text: Vec<String> = problems.iter().map(Problem::render).collect();
    let count = |severity| problems.iter().filter(|problem| problem.severity() == severity).count();
    let counted = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
    text.push(format!("{}\n", counted.collect::<Vec<_>>().join(", ")));
    text.join("\n")
}

fn as_json(problems: &[Problem]) -> String {
    let objects = problems.iter().map(|problem| format!("  {}", problem_json(problem)));
    let objects: Vec<String> = objects.collect();
    match objects.is_empty() {
        true => "[]\n".to_string(),
        false => format!("[\n{}\n]\n", objects.join(",\n")),
    }
}
