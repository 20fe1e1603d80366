//! Making the process of one stage, and saying why that failed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use shared_child::SharedChild;

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};
use super::hook::Image;
use super::os::{self, ChildSetup, ForkPath, StartFailure, Way};
use super::platform::Platform;
use super::program::{explain_failure, not_executable};
use super::stage::StageInfo;
use super::starts::Start;

/// Starts the process of a stage. `setup` is for the fork path alone.
pub(crate) fn launch(
    command: &mut Command,
    info: &StageInfo,
    image: Image,
    way: Way,
    setup: ChildSetup,
    cancel: &CancelToken,
) -> Result<SharedChild, Error> {
    let fork = match way {
        Way::Fork => {
            let env = &info.scoped.env;
            let as_set = || (!env.is_empty()).then(|| env.resolved().into_iter().collect());
            let environment = image.environment.or_else(as_set);
            let is_in_order = !info.scoped.hooks.is_empty();
            let prepared = ForkPath::prepare(command, &info.program, &image.argv, environment, setup, is_in_order);
            let failed = |error| Error::from_io(ErrorKind::SpawnFailed, "cannot prepare the command", &error);
            Some(prepared.map_err(failed)?)
        }
        Way::Plain | Way::Apart => None,
    };
    let started = retrying(cancel, || {
        let _start = Start::begin();
        known(|| match &fork {
            Some(fork) => fork.start(command),
            None if way == Way::Apart => Ok(os::spawn_apart(command)?),
            None => Ok(os::spawn(command)?),
        })
    });
    started.map_err(|(failure, attempts)| {
        explain(info, &image.argv, command.get_current_dir(), &failure).with_attempts(attempts)
    })
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

/// Milliseconds between the attempts to start a process: six in all, within 62 ms.
const PAUSES: [u64; 5] = [2, 4, 8, 16, 32];

/// Two refusals pass by themselves: the program file is open for writing in a process that another
/// thread has just forked (golang/go#22315), and the process table is full. The failure comes with the
/// number of attempts. Who is cancelled tries no more.
fn retrying<T>(
    cancel: &CancelToken,
    mut start: impl FnMut() -> Result<T, StartFailure>,
) -> Result<T, (StartFailure, u32)> {
    let mut pauses = PAUSES.into_iter().map(Duration::from_millis);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let failure = match start() {
            Ok(started) => return Ok(started),
            Err(failure) => failure,
        };
        let passes = matches!(failure.error.raw_os_error(), Some(os::ETXTBSY | os::EAGAIN));
        match pauses.next() {
            Some(pause) if passes && cancel.sleep(pause) => {}
            _ => return Err((failure, attempts)),
        }
    }
}

fn explain(info: &StageInfo, argv: &[OsString], dir: Option<&Path>, failure: &StartFailure) -> Error {
    let platform = info.scoped.platform.as_deref();
    if let Some(error) = platform.and_then(|platform| platform.explain(failure)) {
        return error.with_program(&info.program);
    }
    let errno = failure.error.raw_os_error();
    // It was there before, and may have gone since.
    if let Some(error) = platform.filter(|_| errno == Some(os::EPERM)).and_then(Platform::group_refusal) {
        return error.with_program(&info.program);
    }
    match (errno, platform.and_then(|platform| platform.identity())) {
        (Some(os::E2BIG), _) => too_long(info, argv),
        // We may execute it ourselves: that was looked at before.
        (Some(os::EACCES), Some(identity)) => not_executable(&info.program).with_help(format!(
            "it runs as {identity}, who must be allowed to execute it and to enter its directories"
        )),
        _ => explain_failure(&info.program, dir, &failure.error),
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use super::super::os::Step;
    use super::*;

    fn refusal(errno: i32) -> StartFailure {
        StartFailure { step: Step::Start, error: io::Error::from_raw_os_error(errno) }
    }

    #[test]
    fn what_does_not_pass_is_given_up_after_six_attempts() {
        let mut calls = 0;
        let result: Result<(), _> = retrying(&CancelToken::never(), || {
            calls += 1;
            Err(refusal(os::EAGAIN))
        });
        let (failure, attempts) = result.expect_err("it never works");
        assert_eq!((calls, attempts, failure.error.raw_os_error()), (6, 6, Some(os::EAGAIN)));
        // Nor is anything else tried again.
        let (_, attempts) = retrying::<()>(&CancelToken::never(), || Err(refusal(os::ENOENT))).expect_err("missing");
        assert_eq!(attempts, 1);
    }

    #[test]
    fn what_passes_is_waited_for() {
        let mut refusals = [os::EAGAIN, os::ETXTBSY, os::EAGAIN].into_iter();
        let mut calls = 0;
        let started = retrying(&CancelToken::never(), || {
            calls += 1;
            refusals.next().map_or(Ok("started"), |errno| Err(refusal(errno)))
        });
        assert_eq!((started.ok(), calls), (Some("started"), 4));
    }

    #[test]
    fn who_is_cancelled_tries_no_more() {
        let token = CancelToken::new().expect("a pipe");
        let mut calls = 0;
        let before = Instant::now();
        let result: Result<(), _> = retrying(&token, || {
            calls += 1;
            if calls == 2 {
                token.cancel();
            }
            Err(refusal(os::EAGAIN))
        });
        let (failure, attempts) = result.expect_err("it never works");
        assert_eq!((calls, attempts), (2, 2));
        assert_eq!(failure.error.raw_os_error(), Some(os::EAGAIN), "why it was not started stays the reason");
        assert!(before.elapsed() < Duration::from_secs(10));
    }
}
