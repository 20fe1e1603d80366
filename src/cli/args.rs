//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{FalseyValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, Parser};

use crate::process::{nearest_name, os};
use crate::script::ColorChoice;

use super::exit::{self, ErrorFormat, Exit};
use super::tools::Tool;

/// Run a script, or start a session.
///
/// Without a script, one is read from standard input; at a terminal, a session starts.
#[derive(Parser, Debug)]
#[command(name = "procscript", version, after_long_help = exit::table())]
#[command(override_usage = "procscript [OPTIONS] [FILE [ARGS]...]\n       \
                            procscript [OPTIONS] -e CODE [ARGS]...\n       \
                            procscript COMMAND ...")]
#[command(disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// Evaluate CODE instead of a file
    #[arg(short = 'e', long = "eval", value_name = "CODE")]
    code: Option<String>,

    /// End the script when it holds more memory than SIZE (256MiB, 2GB); a quarter of the machine's by default
    #[arg(long, value_name = "SIZE", value_parser = crate::script::parse_size)]
    memory_limit: Option<u64>,

    /// Start a session, after FILE when there is one; without a terminal, standard input is what is entered
    #[arg(short, long, conflicts_with = "code")]
    interactive: bool,

    /// Do not evaluate procscript/rc.rhai in $XDG_CONFIG_HOME (or ~/.config) when a session starts
    #[arg(long)]
    no_rc: bool,

    /// What failures are told in
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    error_format: ErrorFormat,

    /// Directories with modules: where imports are looked for that are not beside the script (repeatable)
    #[arg(short = 'L', long = "library", value_name = "DIR", env = "PROCSCRIPT_PATH", value_delimiter = ':')]
    library: Vec<PathBuf>,

    #[command(flatten)]
    people: People,

    /// The script to run; `-` is standard input, `./fmt` a script that has the name of a command
    #[arg(value_name = "FILE")]
    file: Option<OsString>,

    /// The arguments of the script: what args() gives; options after FILE are the script's
    #[arg(value_name = "ARGS")]
    arguments: Vec<OsString>,

    #[command(subcommand)]
    tool: Option<Tool>,
}

/// How the script deals with people.
#[derive(clap::Args, Debug, Clone, Copy)]
pub(super) struct People {
    /// Ask nobody: what is to be confirmed is, and other questions have their default as answer
    #[arg(short, long, env = "PROCSCRIPT_YES", value_parser = Flag, hide_env_values = true)]
    pub yes: bool,

    /// Show no progress, and of messages only warnings and errors
    #[arg(short, long, env = "PROCSCRIPT_QUIET", value_parser = Flag, hide_env_values = true)]
    pub quiet: bool,

    /// Show each command before it is started, and all messages
    #[arg(short, long, env = "PROCSCRIPT_VERBOSE", value_parser = Flag, hide_env_values = true)]
    pub verbose: bool,

    /// When to use colours; by default at a terminal, unless NO_COLOR or CLICOLOR_FORCE is set
    #[arg(long, value_name = "WHEN", value_enum, env = "PROCSCRIPT_COLOR", default_value_t, hide_env_values = true)]
    pub color: Color,
}

/// What a variable says that stands for a flag. Text that is no UTF-8 is no word for "no", and not the fault of an
/// argument.
#[derive(Clone)]
struct Flag;

impl TypedValueParser for Flag {
    type Value = bool;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<bool, clap::Error> {
        match value.to_str() {
            Some(_) => FalseyValueParser::new().parse_ref(command, arg, value),
            None => Ok(true),
        }
    }
}

/// When colours are used.
#[derive(clap::ValueEnum, Debug, Clone, Copy, Default)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// What is to be done.
pub(super) enum Plan {
    Run(Script),
    Tool(Tool),
}

/// A script to run.
pub(super) struct Script {
    pub source: Source,
    pub arguments: Vec<OsString>,
    pub memory_limit: Option<u64>,
    pub error_format: ErrorFormat,
    pub library: Vec<PathBuf>,
    pub people: People,
    /// Whether a session begins with the user's settings.
    pub has_rc: bool,
}

/// Where the script comes from.
pub(super) enum Source {
    File(PathBuf),
    Code(String),
    Stdin,
    /// A session, which may begin with a file.
    Interactive(Option<PathBuf>),
}

/// The names of the tools; asking clap for them means describing every option of each.
const TOOLS: &[&str] = &["check", "complete", "fmt", "doc"];
/// What stands for options that are not given.
const VARIABLES: &[&str] =
    &["PROCSCRIPT_PATH", "PROCSCRIPT_YES", "PROCSCRIPT_QUIET", "PROCSCRIPT_VERBOSE", "PROCSCRIPT_COLOR"];

pub(super) fn parse(all: impl Iterator<Item = OsString>) -> Result<Plan, Exit> {
    let mut ours: Vec<OsString> = all.collect();
    if is_plain(&ours) {
        let arguments = ours.split_off(2);
        let source = ours.pop().map_or(Source::Stdin, |file| Source::File(file.into()));
        return Ok(Plan::Run(Script::plain(source, arguments)));
    }
    // Only the first word can name a tool: behind an option it is a script, or its first argument.
    if ours.get(1).is_some_and(|word| TOOLS.iter().any(|tool| word == tool)) {
        let Arguments { tool, .. } = Arguments::try_parse_from(&ours).map_err(explain)?;
        if let Some(tool) = tool {
            return Ok(Plan::Tool(tool));
        }
    }
    let mut arguments = ours.split_off(end_of_options(&ours));
    if arguments.first().is_some_and(|word| word == "--") {
        arguments.remove(0);
    }
    let Arguments { code, interactive, no_rc, memory_limit, error_format, library, people, .. } =
        Arguments::try_parse_from(ours).map_err(explain)?;
    let source = match code {
        Some(code) => Source::Code(code),
        None if interactive => Source::Interactive((!arguments.is_empty()).then(|| arguments.remove(0).into())),
        None if !arguments.is_empty() => match arguments.remove(0) {
            file if file == "-" => Source::Stdin,
            file => Source::File(file.into()),
        },
        None if os::is_terminal(0) => Source::Interactive(None),
        None => Source::Stdin,
    };
    Ok(Plan::Run(Script { source, arguments, memory_limit, error_format, library, people, has_rc: !no_rc }))
}

/// Whether it is a script with its arguments and nothing of ours, which is what happens most: without clap, which takes
/// as long as all the rest until the script runs.
fn is_plain(all: &[OsString]) -> bool {
    let Some(file) = all.get(1) else { return false };
    let is_file = !file.as_encoded_bytes().starts_with(b"-") && !TOOLS.iter().any(|tool| file == tool);
    is_file && VARIABLES.iter().all(|name| std::env::var_os(name).is_none())
}

impl Script {
    /// With no option.
    fn plain(source: Source, arguments: Vec<OsString>) -> Self {
        let people = People { yes: false, quiet: false, verbose: false, color: Color::default() };
        let error_format = ErrorFormat::default();
        Self { source, arguments, memory_limit: None, error_format, library: Vec::new(), people, has_rc: true }
    }
}

/// The tool that a word was perhaps meant to name.
pub(super) fn similar_tool(word: &str) -> Option<String> {
    let command = Arguments::command();
    nearest_name(word, command.get_subcommands().map(|tool| tool.get_name().to_string()))
}

/// Where our own options end. Whatever stands behind the script is the script's, options included.
fn end_of_options(arguments: &[OsString]) -> usize {
    let mut index = 1;
    while let Some(argument) = arguments.get(index) {
        match argument.to_string_lossy().as_ref() {
            // The next one is its value.
            "-e" | "--eval" | "--memory-limit" | "--error-format" | "-L" | "--library" | "--color" => index += 2,
            // What follows is the script, whatever it looks like.
            "--" | "-" => return index,
            option if option.starts_with('-') => index += 1,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_knows_is_known_without_it() {
        let command = Arguments::command();
        let tools: Vec<&str> = command.get_subcommands().flat_map(|tool| tool.get_name_and_visible_aliases()).collect();
        assert_eq!(tools, TOOLS);
        let variables: Vec<&str> =
            command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).collect();
        assert_eq!(variables, VARIABLES);
    }

    #[test]
    fn without_options_it_is_what_clap_makes_of_it() {
        if VARIABLES.iter().any(|name| std::env::var_os(name).is_some()) {
            return;
        }
        let Arguments { code, memory_limit, error_format, library, people, .. } =
            Arguments::try_parse_from(["procscript"]).expect("nothing is required");
        let plain = Script::plain(Source::Stdin, Vec::new());
        assert_eq!((code, memory_limit, error_format), (None, plain.memory_limit, plain.error_format));
        assert_eq!((library, format!("{people:?}")), (plain.library, format!("{:?}", plain.people)));
    }
}
