//! The program: arguments, signals, exit code.

mod args;
mod exit;
mod signals;
mod tools;

use std::ffi::OsString;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::process::orphans::{self, Leftover};
use crate::process::os;
use crate::repl;
use crate::script::load::{read_source, read_text};
use crate::script::{Ending, Failure, FailureKind, Runtime, start_script_thread};

use args::{Plan, Script, Source};
use exit::Exit;
use signals::Signals;

/// The most memory that a script may hold, however much there is.
const MOST_MEMORY: usize = 8 << 30;

/// The whole program, from the arguments of the process to its exit code.
pub fn main() -> ! {
    os::own_process();
    let exit = match args::parse(std::env::args_os()) {
        Ok(Plan::Run(script)) => run(script),
        Ok(Plan::Tool(tool)) => tool.run(),
        Err(exit) => exit,
    };
    exit.leave()
}

/// A quarter of the memory that there is, since what is being copied is there twice, and the children need some.
fn memory_limit() -> usize {
    os::total_memory().map_or(MOST_MEMORY, |total| (total / 4).min(MOST_MEMORY))
}

/// A script gets a thread with a large stack, and this one waits for signals; a session reads the terminal here.
fn run(script: Script) -> Exit {
    let format = script.error_format;
    let internal = |message: String| Exit::because(&Failure::new(FailureKind::Internal, message), None, format);
    let unprepared = |error: std::io::Error| internal(format!("cannot prepare for signals: {error}"));
    let (signals, watch) = match Signals::take_over() {
        Ok(both) => both,
        Err(error) => return unprepared(error),
    };
    if matches!(script.source, Source::Interactive(_)) {
        return match watch.start() {
            Ok(()) => execute(script, &signals),
            Err(error) => unprepared(error),
        };
    }
    let is_started = start_script_thread(move || {
        // A panic has said what it is; nobody joins this thread.
        catch_unwind(AssertUnwindSafe(|| execute(script, &signals))).unwrap_or(Exit::Code(exit::INTERNAL)).leave()
    });
    if !is_started {
        return internal(format!("cannot start a thread: {}", std::io::Error::last_os_error()));
    }
    watch.keep()
}

fn execute(script: Script, signals: &Signals) -> Exit {
    let format = script.error_format;
    orphans::adopt();
    let arguments = match texts(script.arguments) {
        Ok(arguments) => arguments,
        Err(failure) => return Exit::because(&failure, None, format),
    };
    // Nothing runs yet that a signal could leave behind, and who is to write the program may take his time.
    repl::Signals::set_idle(signals, true);
    if let Some(signal) = signals.received() {
        return Exit::Signal(signal);
    }
    let program = Program::read(script.source);
    repl::Signals::set_idle(signals, false);
    let program = match program {
        Ok(program) => program,
        Err(failure) => return Exit::because(&failure, None, format),
    };
    let builder = Runtime::builder();
    let builder = match &program {
        Program::Session(_) => builder,
        Program::File(_, text) | Program::Text(_, text) => builder.only_for(text),
    };
    let runtime = builder
        .args(arguments)
        .cancel(signals.token().clone())
        .memory_limit(
            script.memory_limit.map_or_else(memory_limit, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        )
        .library_path(script.library)
        .color(script.people.color.into())
        .quiet(script.people.quiet)
        .verbose(script.people.verbose)
        .assume_yes(script.people.yes)
        .cancel_cleanup(signals.cleanup().clone())
        // Looked at once instead of at every start.
        .context(|context| if os::ignores_or_blocks_signals() { context } else { context.owning_process() })
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(failure) => return Exit::because(&failure, None, format),
    };
    let result = match &program {
        Program::Session(file) => {
            let options = repl::Options { file: file.clone(), has_rc: script.has_rc };
            repl::run(runtime.clone(), &options, signals)
        }
        Program::File(path, text) => runtime.run_program(&path.display().to_string(), Some(path), text),
        Program::Text(name, text) => runtime.run_program(name, None, text),
    };
    let exit = match result {
        Ok(Ending::Finished(_)) => Exit::Code(0),
        Ok(Ending::Exited(code)) => Exit::Code(code),
        Err(failure) => Exit::because(&failure, signals.received(), format),
    };
    let exit = match (&program, signals.received()) {
        // Its terminal may have been seen to end before the signal was.
        (Program::Session(_), Some(signal)) => Exit::Signal(signal),
        _ => exit,
    };
    let earlier = signals.count();
    for Leftover { name, pid, refused } in orphans::end_leftovers(|| signals.count() > earlier) {
        let what = format!("a process that the script had left running: {name} (pid {pid})");
        exit::note(
            format,
            &runtime.mask(&match refused {
                None => format!("ended {what}"),
                Some(why) => format!("cannot end {what}: {why}"),
            }),
        );
    }
    if orphans::has_unseen_leftovers() {
        exit::note(
            format,
            "processes that the script has started may be left running: there is no /proc to find them by",
        );
    }
    let exit = match signals.received() {
        Some(signal) if signals.count() > earlier => Exit::Signal(signal),
        _ => exit,
    };
    // The process ends: taking the interpreter apart would only take time.
    std::mem::forget(runtime);
    exit
}

/// What is to be run, read.
enum Program {
    /// A session, which has entries instead; it may begin with a file.
    Session(Option<PathBuf>),
    File(PathBuf, String),
    /// With the name that its failures have.
    Text(&'static str, String),
}

impl Program {
    fn read(source: Source) -> Result<Self, Failure> {
        Ok(match source {
            Source::File(path) => match read_source(&path) {
                Ok(text) => Self::File(path, text),
                Err(failure) => return Err(or_tool(failure, &path)),
            },
            Source::Code(code) => Self::Text("-e", code),
            Source::Stdin if os::was_closed_at_start(0) => {
                return Err(Failure::load("cannot read the script from standard input: it is closed"));
            }
            Source::Stdin => {
                let name = "standard input";
                Self::Text(name, read_text(Waiting(std::io::stdin().lock()), name)?)
            }
            Source::Interactive(_) if os::was_closed_at_start(0) => {
                return Err(Failure::load("cannot read entries from standard input: it is closed"));
            }
            Source::Interactive(file) => Self::Session(file),
        })
    }
}

/// Standard input, also where somebody else has made it non-blocking.
struct Waiting<'a>(std::io::StdinLock<'a>);

impl Read for Waiting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => os::wait_readable(Some(&self.0), None),
                read => return read,
            }
        }
    }
}

/// A script that is not there may be a tool that was misspelt.
fn or_tool(failure: Failure, path: &Path) -> Failure {
    let similar = path.to_str().filter(|_| !path.exists()).and_then(args::similar_tool);
    match similar {
        Some(tool) => failure.with_help(Some(format!("did you mean the command `procscript {tool}`?"))),
        None => failure,
    }
}

/// Scripts see their arguments as text.
fn texts(arguments: Vec<OsString>) -> Result<Vec<String>, Failure> {
    let convert = |(index, argument): (usize, OsString)| {
        argument.into_string().map_err(|argument| {
            let shown = crate::process::quote_argument(&argument);
            Failure::load(format!("argument {} of the script is not UTF-8 text: {shown}", index + 1))
        })
    };
    arguments.into_iter().enumerate().map(convert).collect()
}
