//! A command that runs beside the program that started it.

mod control;
mod input;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use crate::process::cancel::CancelToken;
use crate::process::error::{Error, ErrorKind};
use crate::process::input::Written;
use crate::process::os::{self, PollFd};
use crate::process::output::Output;
use crate::process::pump::Pump;
use crate::process::readers::{Readers, attend};
use crate::process::settings::{DEFAULT_LIMIT, Hook};
use crate::process::stage::Identity;
use crate::process::start::Started;
use crate::process::stream::OutputStream;
use crate::process::tap::Tap;
use crate::process::teardown::Teardown;
use crate::process::tree::Tree;

/// How long the news that everything has ended may take within this process.
const CONCLUSION: Duration = Duration::from_millis(100);
/// And where the serving thread does not get a processor, of which a busy machine has too few.
const STARVED: Duration = Duration::from_secs(5);
/// One round of a wait that ends when it is told to, be it later than the clock can say.
const LONG: Duration = Duration::from_secs(3600);

pub(crate) use watch::ExecutionWatch;

type Ended = Result<Output, Error>;
type Unattended = [(Arc<Tap>, Arc<PipeReader>)];

/// A running command, from [`Expression::start`](super::Expression::start).
///
/// Clones are handles to the same command, and any number of threads may wait on them. When the last
/// one is dropped, a command that is still running is ended (unless [`detach`](Self::detach) was
/// called), and a failure that nobody waited for is given to the expression's
/// [hook](super::Expression::on_unobserved_failure).
#[derive(Clone)]
pub struct Execution(Arc<Handle>);

/// What is shared with the thread that serves the command.
struct Shared {
    tree: Arc<Tree>,
    ended: Mutex<Option<Ended>>,
    changed: Condvar,
    /// Tells the serving thread to end the command.
    stop: CancelToken,
    /// How, when it is not how the command asked for.
    steps: Arc<Mutex<Option<Teardown>>>,
    /// The serving thread, which must not wait for itself: it calls the functions that receive output.
    server: OnceLock<ThreadId>,
}

struct Handle {
    shared: Arc<Shared>,
    command: String,
    identity: Identity,
    input_stage: Option<usize>,
    input: Written,
    /// Reaches its end when the command is over.
    over: Option<Arc<PipeReader>>,
    readers: Arc<Readers>,
    stdout: OutputStream,
    stderr: OutputStream,
    state: Mutex<State>,
    unobserved: Option<Hook>,
}

#[derive(Default)]
struct State {
    observed: bool,
    detached: bool,
}

impl Execution {
    pub(crate) fn new(started: Started, unobserved: Option<Hook>) -> Result<Self, Error> {
        let Started { mut pump, scoped, streams, input, input_stage } = started;
        let identity = pump.identity().clone();
        let command = identity.command().to_string();
        let mut over = None;
        let mut over_writer = None;
        if streams.iter().any(Option::is_some) || input.is_some() {
            let (reader, writer) = os_pipe::pipe().map_err(|error| no_pipe(&error))?;
            (over, over_writer) = (Some(Arc::new(reader)), Some(writer));
        }
        let readers = match streams.iter().any(Option::is_some) {
            true => pump.expect_readers(),
            false => Arc::default(),
        };
        let limit = scoped.limit.unwrap_or(DEFAULT_LIMIT);
        let stream = |what: &str, reader| {
            let what = format!("the standard {what} of `{command}`");
            OutputStream::new(what, &identity, reader, scoped.text_format(), limit, over.clone(), readers.clone())
        };
        let [stdout, stderr] = streams;
        let (stdout, stderr) = (stream("output", stdout), stream("error", stderr));
        if let Some(input) = &input {
            os::set_nonblocking(input).map_err(|error| no_pipe(&error))?;
        }
        let input = Written::new(input);
        let stop = pump.make_request_token(input.clone()).map_err(|error| no_pipe(&error))?;
        let shared = Arc::new(Shared {
            tree: pump.tree().clone(),
            ended: Mutex::new(None),
            changed: Condvar::new(),
            stop,
            steps: pump.steps(),
            server: OnceLock::new(),
        });
        let serving = shared.clone();
        std::thread::Builder::new()
            .name("procscript-execution".into())
            .spawn(move || {
                let _ = serving.server.set(std::thread::current().id());
                serving.serve(pump);
                drop(over_writer);
            })
            .map_err(|error| Error::from_io(ErrorKind::Resource, "cannot start a thread", &error))?;
        let state = Mutex::default();
        Ok(Self(Arc::new(Handle {
            shared,
            command,
            identity,
            input_stage,
            input,
            over,
            readers,
            stdout,
            stderr,
            state,
            unobserved,
        })))
    }

    /// The shell line of the command.
    pub fn command(&self) -> &str {
        &self.0.command
    }

    /// The process ids of the stages, from left to right.
    pub fn pids(&self) -> Vec<u32> {
        self.0.shared.tree.pids()
    }

    /// Its standard output, which must have been set to
    /// [`stdout_piped`](super::Expression::stdout_piped) to be of use.
    pub fn stdout(&self) -> OutputStream {
        self.0.stdout.clone()
    }

    /// Its standard error, which must have been set to
    /// [`stderr_piped`](super::Expression::stderr_piped) to be of use.
    pub fn stderr(&self) -> OutputStream {
        self.0.stderr.clone()
    }

    /// Descriptors of its running processes (`pidfd_open(2)`), from left to right: each becomes readable
    /// when its process ends, and never means another process. Empty where the system has none, and
    /// when the command is over.
    pub fn process_descriptors(&self) -> Vec<std::os::fd::OwnedFd> {
        self.0.shared.tree.descriptors()
    }

    /// Says that whoever waits for something of the command reads none of its streams meanwhile, on whatever thread
    /// they were read last. Then each of them is kept in memory, up to the limit of captures, whenever something else
    /// is waited for, so that the command can go on. Without it that is done for the streams that the waiting thread
    /// has read last, and for those that nobody has taken; a slow reader on another thread slows the command.
    pub fn use_from_one_thread(&self) {
        self.0.readers.are_one_thread();
    }

    /// Whether a process of it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.0.shared.lock().is_none() && self.0.shared.tree.is_running()
    }

    /// Waits until it has ended. The answer is the same for every caller, each time.
    ///
    /// Its input is finished. A piped stream that nobody has taken is kept in memory meanwhile, up to the
    /// limit of captures, and can be read afterwards.
    ///
    /// # Errors
    /// As [`Expression::run`](super::Expression::run).
    pub fn wait(&self) -> Result<Output, Error> {
        self.finish_input();
        if self.0.shared.is_serving_here() {
            let message = "a function that receives output cannot wait for its command";
            return Err(self.0.identity.describe(Error::new(ErrorKind::Misuse, message)));
        }
        self.attend_until(None)?;
        let mut ended = self.0.shared.lock();
        loop {
            match &*ended {
                Some(result) => {
                    self.0.state().observed = true;
                    return result.clone();
                }
                None => ended = self.0.shared.changed.wait(ended).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The result, when it has ended already. Does not wait for anything that may take long.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_wait(&self) -> Result<Option<Output>, Error> {
        self.wait_timeout(Duration::ZERO)
    }

    /// Waits at most this long; `None` when it is still running then, or when something that it has left
    /// behind still holds the output that is captured.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<Output>, Error> {
        let Some(ended) = self.ended_within(timeout)? else { return Ok(None) };
        self.0.state().observed = true;
        ended.map(Some)
    }

    fn ended_within(&self, timeout: Duration) -> Result<Option<Ended>, Error> {
        let end = Instant::now().checked_add(timeout);
        self.attend_until(end)?;
        let mut ended = self.0.shared.lock();
        // The serving thread, in a function that receives output, would wait for itself.
        let is_news = end.is_some() && ended.is_none() && !self.0.shared.is_serving_here();
        if is_news && !self.0.shared.tree.is_running() {
            ended = self.0.shared.await_news(ended);
        }
        loop {
            if let Some(result) = &*ended {
                return Ok(Some(result.clone()));
            }
            let left = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Ok(None),
                Some(left) => left,
                None => LONG,
            };
            let waited = self.0.shared.changed.wait_timeout(ended, left);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Empties the pipes that nobody reads while the command runs; until `end`, when there is one.
    fn attend_until(&self, end: Option<Instant>) -> Result<(), Error> {
        self.0.attend_until(end).inspect_err(|_| {
            let _ = self.kill();
        })
    }

    /// More than may be kept in memory is the end of the command, as for a capture.
    fn attend(&self, unattended: &Unattended, fds: &[PollFd]) -> Result<bool, Error> {
        attend(unattended, fds).inspect_err(|_| {
            let _ = self.kill();
        })
    }
}

fn no_pipe(error: &std::io::Error) -> Error {
    Error::from_io(ErrorKind::Resource, "cannot make a pipe", error)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_serving_here(&self) -> bool {
        self.server.get() == Some(&std::thread::current().id())
    }

    /// What is over is said to be over: its processes have ended, and the serving thread is about to say so, unless it
    /// has found that something else still holds the output.
    fn await_news<'a>(&self, mut ended: MutexGuard<'a, Option<Ended>>) -> MutexGuard<'a, Option<Ended>> {
        const TICK: Duration = Duration::from_millis(10);
        let began = Instant::now();
        while ended.is_none() {
            let waited = began.elapsed();
            if waited >= STARVED || (waited >= CONCLUSION && self.tree.is_lingering()) {
                break;
            }
            ended = self.changed.wait_timeout(ended, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
        ended
    }

    fn serve(&self, pump: Pump) {
        let identity = pump.identity().clone();
        // Whatever happens, nobody may wait for ever.
        let finished = catch_unwind(AssertUnwindSafe(|| pump.finish()));
        let result = match finished {
            Ok((output, None)) => Ok(output),
            Ok((_, Some(error))) => Err(error),
            Err(_) => {
                let message = "the thread that served the command panicked";
                Err(identity.describe(Error::new(ErrorKind::MonitorFailed, message)))
            }
        };
        *self.lock() = Some(result);
        self.changed.notify_all();
    }
}

impl Handle {
    fn attend_until(&self, end: Option<Instant>) -> Result<(), Error> {
        let Some(over) = self.over.as_deref() else { return Ok(()) };
        loop {
            let unattended = self.readers.unattended(None);
            if unattended.is_empty() {
                return Ok(());
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let mut fds = vec![PollFd::readable(over)];
            fds.extend(unattended.iter().map(|(_, pipe)| PollFd::readable(&**pipe)));
            os::poll(&mut fds, left).map_err(|error| {
                Error::from_io(ErrorKind::IoFailed, format!("cannot wait for `{}`", self.command), &error)
            })?;
            let has_taken = attend(&unattended, &fds[1..])?;
            let is_late = left.is_some_and(|left| left.is_zero());
            if fds[0].is_ready() || (is_late && !has_taken) {
                return Ok(());
            }
        }
    }

    /// Waits for the end of a command that was told to end; whether it came before `end`. What the command writes
    /// meanwhile must not stop its clean-up. In a function that receives its output there is no waiting.
    fn await_end_until(&self, end: Option<Instant>) -> bool {
        if self.shared.is_serving_here() {
            return true;
        }
        if self.attend_until(end).is_err() {
            self.shared.stop.kill();
        }
        let mut ended = self.shared.lock();
        while ended.is_none() {
            let left = end.map_or(LONG, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            ended = self.shared.changed.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let State { observed, detached } = std::mem::take(&mut *self.state());
        let mut ended = self.shared.lock();
        if ended.is_none() && detached {
            self.input.finish();
            return;
        }
        let was_running = ended.is_none() && self.shared.tree.is_running();
        if !was_running && ended.is_none() && !self.shared.is_serving_here() {
            ended = self.shared.await_news(ended);
        }
        if ended.is_none() {
            drop(ended);
            self.shared.stop.cancel();
            self.await_end_until(None);
            ended = self.shared.lock();
        }
        let failure = ended.take().and_then(Result::err);
        drop(ended);
        if let (false, false, Some(error), Some(hook)) = (was_running, observed, failure, &self.unobserved) {
            hook.0(error);
        }
    }
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution").field("command", &self.0.command).field("pids", &self.pids()).finish()
    }
}
