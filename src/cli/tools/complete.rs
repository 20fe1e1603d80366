//! `procscript complete`: completion of arguments in shells.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::exit::{self, ErrorFormat, Exit};
use crate::script::{Failure, Runtime, argument_command};

/// Print a completion script for a shell
///
/// It completes the arguments of FILE, a script that declares them with cli(#{…}): options, values, commands and files.
/// The script is read, and not run. Without FILE it completes procscript itself.
///
/// For bash: procscript complete bash deploy.rhai > ~/.local/share/bash-completion/completions/deploy.rhai
#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The name that the script is called by, where that is not the name of its file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Directories with modules, as for a run (repeatable)
    #[arg(short = 'L', long = "library", value_name = "DIR", env = "PROCSCRIPT_PATH", value_delimiter = ':')]
    library: Vec<PathBuf>,

    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,

    /// The script
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> Exit {
    let Arguments { name, library, shell, file } = arguments;
    let command = match &file {
        Some(file) => of_script(file, library),
        None => Ok(crate::cli::args::Arguments::command()),
    };
    let mut command = match command {
        Ok(command) => command,
        Err(failure) => return Exit::because(&failure, None, ErrorFormat::Text),
    };
    let name = name.unwrap_or_else(|| command.get_name().to_string());
    // It becomes a part of a program for the shell.
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        let shown = crate::process::escape_controls(&name);
        exit::complain(&format!(
            "error: a script called `{shown}` cannot be completed: shells take its name apart\n\
             help: give the name that it is called by: --name deploy\n"
        ));
        return Exit::Code(exit::USAGE);
    }
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    let text = String::from_utf8_lossy(&text);
    exit::print(&if shell == Shell::Fish { with_pending_values(&text) } else { text.into_owned() })
}

/// What fish asks to learn which command is meant fails while the last word is an option that has no value yet, so that
/// it offered files for `--format `. It asks again without that word.
fn with_pending_values(text: &str) -> String {
    const PARSED: &str = " -- $cmd 2>/dev/null";
    let mut all = String::with_capacity(text.len());
    for line in text.lines() {
        all.extend([line, "\n"]);
        if let Some(parsing) = line.trim_start().strip_suffix(PARSED)
            && parsing.starts_with("argparse ")
        {
            all.push_str(&format!("    or {parsing} -- $cmd[1..-2] 2>/dev/null\n"));
        }
    }
    all
}

fn of_script(file: &Path, library: Vec<PathBuf>) -> Result<clap::Command, Failure> {
    let runtime = Runtime::builder().library_path(library).build()?;
    let script = runtime.load_file(file)?;
    let command = argument_command(&script).ok_or_else(|| {
        let help = "declare them: let opt = cli(#{ args: [\"TARGET  where to\"] });";
        Failure::load(format!("the script `{}` does not declare its arguments", file.display())).with_help(Some(help))
    });
    // The process ends: taking the interpreter apart would only take time.
    std::mem::forget((runtime, script));
    command
}
