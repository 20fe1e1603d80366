//! Making the process of one stage, and saying why that failed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use shared_child::SharedChild;

use super::error::{Error, ErrorKind};
use super::os::{self, ChildSetup, ForkPath, StartFailure};
use super::program::{explain_failure, not_executable};
use super::stage::StageInfo;

/// Starts the process of a stage. `setup` is what makes it take the fork path.
pub(crate) fn launch(
    command: &mut Command,
    info: &StageInfo,
    argv: &[OsString],
    setup: Option<ChildSetup>,
) -> Result<SharedChild, Error> {
    let fork = match setup {
        Some(setup) => {
            let env = &info.scoped.env;
            let environment = (!env.is_empty()).then(|| env.resolved().into_iter().collect());
            let prepared = ForkPath::prepare(command, &info.program, argv, environment, setup);
            let failed = |error| Error::from_io(ErrorKind::SpawnFailed, "cannot prepare the command", &error);
            Some(prepared.map_err(failed)?)
        }
        None => None,
    };
    let started = retrying(|| {
        known(|| match &fork {
            Some(fork) => fork.start(command),
            None => Ok(SharedChild::spawn(command)?),
        })
    });
    started.map_err(|failure| info.describe(explain(info, argv, &failure)))
}

/// The runner has to know its processes from orphans that come to it.
#[cfg(feature = "cli")]
fn known(start: impl FnOnce() -> Result<SharedChild, StartFailure>) -> Result<SharedChild, StartFailure> {
    super::orphans::start(start)
}

#[cfg(not(feature = "cli"))]
fn known(start: impl FnOnce() -> Result<SharedChild, StartFailure>) -> Result<SharedChild, StartFailure> {
    start()
}

/// Two refusals pass by themselves: the program file is open for writing in a process that another
/// thread has just forked (golang/go#22315), and the process table is full.
fn retrying(mut start: impl FnMut() -> Result<SharedChild, StartFailure>) -> Result<SharedChild, StartFailure> {
    let mut pause = Duration::from_millis(1);
    loop {
        match start() {
            Err(failure)
                if matches!(failure.error.raw_os_error(), Some(os::ETXTBSY | os::EAGAIN))
                    && pause < Duration::from_millis(64) =>
            {
                std::thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

fn explain(info: &StageInfo, argv: &[OsString], failure: &StartFailure) -> Error {
    let platform = info.scoped.platform.as_deref();
    if let Some(error) = platform.and_then(|platform| platform.explain(failure)) {
        return error.with_program(&info.program);
    }
    let errno = failure.error.raw_os_error();
    match (errno, platform.and_then(|platform| platform.identity())) {
        (Some(os::E2BIG), _) => too_long(info, argv),
        // We may execute it ourselves: that was looked at before.
        (Some(os::EACCES), Some(identity)) => not_executable(&info.program).with_help(format!(
            "it runs as {identity}, who must be allowed to execute it and to enter its directories"
        )),
        _ => explain_failure(&info.program, info.dir.as_deref(), &failure.error),
    }
}

/// The system says only that something is too large: what, and by how much.
fn too_long(info: &StageInfo, argv: &[OsString]) -> Error {
    let variables = info.scoped.env.resolved();
    let largest = largest_argument(argv).into_iter().chain(largest_variable(&variables)).max();
    let why = match (largest, os::longest_argument()) {
        (Some((size, what)), Some(limit)) if size > limit => {
            format!("{what} has {size} bytes, more than the {limit} that the system allows")
        }
        _ => {
            let total = total_size(argv, &variables);
            let limit = os::arguments_limit().filter(|limit| total > *limit);
            let limit =
                limit.map_or("the system allows".to_string(), |limit| format!("the {limit} that the system allows"));
            format!("its arguments and environment have {total} bytes, more than {limit}")
        }
    };
    Error::new(ErrorKind::ArgumentTooLong, format!("cannot run `{}`: {why}", info.program.display()))
        .with_errno(os::E2BIG)
        .with_program(&info.program)
        .with_help("pass the data on standard input (.stdin), or run the command once for each part")
}

fn largest_argument(argv: &[OsString]) -> Option<(usize, String)> {
    let (index, argument) = argv.iter().enumerate().max_by_key(|(_, argument)| argument.len())?;
    Some((argument.len(), format!("argument {index}")))
}

fn largest_variable(variables: &BTreeMap<OsString, OsString>) -> Option<(usize, String)> {
    let size = |(name, value): &(&OsString, &OsString)| name.len() + 1 + value.len();
    let largest = variables.iter().max_by_key(size)?;
    Some((size(&largest), format!("the environment variable {}", largest.0.display())))
}

/// As the kernel counts: texts with their NUL bytes, and a pointer to each.
fn total_size(argv: &[OsString], variables: &BTreeMap<OsString, OsString>) -> usize {
    let each = 1 + size_of::<usize>();
    let arguments: usize = argv.iter().map(|argument| argument.len() + each).sum();
    let variables: usize = variables.iter().map(|(name, value)| name.len() + 1 + value.len() + each).sum();
    arguments + variables
}
