//! A command that runs beside the program that started it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use os_pipe::{PipeReader, PipeWriter};

use super::cancel::CancelToken;
use super::error::{Error, ErrorKind};
use super::os::{self, PollFd};
use super::output::Output;
use super::pump::{KILL_PATIENCE, Pump};
use super::settings::{DEFAULT_LIMIT, Hook};
use super::stage::Identity;
use super::start::Started;
use super::stream::{OutputStream, Readers, attend};
use super::tap::Tap;
use super::teardown::{Scope, Step, Teardown};
use super::tree::Tree;

/// How long the news that everything has ended may take within this process.
const CONCLUSION: Duration = Duration::from_millis(100);

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
    /// The serving thread, which must not wait for itself: it calls the functions that receive output.
    server: OnceLock<ThreadId>,
}

struct Handle {
    shared: Arc<Shared>,
    command: String,
    identity: Identity,
    input_stage: Option<usize>,
    input: Mutex<Option<Arc<PipeWriter>>>,
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
        let stop = pump.make_request_token().map_err(|error| no_pipe(&error))?;
        let shared = Arc::new(Shared {
            tree: pump.tree().clone(),
            ended: Mutex::new(None),
            changed: Condvar::new(),
            stop,
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
        if let Some(input) = &input {
            os::set_nonblocking(input).map_err(|error| no_pipe(&error))?;
        }
        let input = Mutex::new(input.map(Arc::new));
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

    /// Says that one thread reads all streams of the command and writes to it. Then a stream that it
    /// does not read just now is kept in memory, up to the limit of captures, whenever it waits for
    /// something else, so that the command can go on. Without it every stream has its own thread, and a
    /// slow reader slows the command.
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
        let mut end = Instant::now().checked_add(timeout);
        self.attend_until(end)?;
        if end.is_some() && !self.is_running() {
            // What is over is said to be over: the serving thread is about to say so.
            end = end.max(Instant::now().checked_add(CONCLUSION));
        }
        let mut ended = self.0.shared.lock();
        loop {
            if let Some(result) = &*ended {
                return Ok(Some(result.clone()));
            }
            let left = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Ok(None),
                Some(left) => left,
                // Longer than the clock can say.
                None => Duration::from_secs(3600),
            };
            let waited = self.0.shared.changed.wait_timeout(ended, left);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Empties the pipes that nobody reads while the command runs; until `end`, when there is one.
    fn attend_until(&self, end: Option<Instant>) -> Result<(), Error> {
        let Some(over) = self.0.over.as_deref() else { return Ok(()) };
        loop {
            let unattended = self.0.readers.unattended(None);
            if unattended.is_empty() {
                return Ok(());
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let mut fds = vec![PollFd::readable(over)];
            fds.extend(unattended.iter().map(|(_, pipe)| PollFd::readable(&**pipe)));
            os::poll(&mut fds, left).map_err(|error| self.cannot_wait(&error))?;
            self.attend(&unattended, &fds[1..])?;
            let is_late = left.is_some_and(|left| left.is_zero());
            if fds[0].is_ready() || (is_late && !fds[1..].iter().any(|fd| fd.is_ready())) {
                return Ok(());
            }
        }
    }

    /// More than may be kept in memory is the end of the command, as for a capture.
    fn attend(&self, unattended: &Unattended, fds: &[PollFd]) -> Result<(), Error> {
        attend(unattended, fds).inspect_err(|_| {
            let _ = self.kill();
        })
    }

    fn cannot_wait(&self, error: &std::io::Error) -> Error {
        Error::from_io(ErrorKind::IoFailed, format!("cannot wait for `{}`", self.0.command), error)
    }

    /// Sends a signal to the command's own processes. After they have ended it does nothing.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        self.signal_within(Scope::Process, signal)
    }

    /// Sends a signal to the processes that `scope` names. After the command has ended it does nothing.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses it for one of the command's own processes.
    pub fn signal_within(&self, scope: Scope, signal: i32) -> Result<(), Error> {
        self.0.shared.tree.signal_within(scope, signal).map_err(|error| {
            let name = os::signal_name(signal).map_or_else(|| signal.to_string(), str::to_string);
            let what = format!("cannot send {name} to `{}`", self.0.command);
            self.0.identity.describe(Error::from_io(ErrorKind::ControlFailed, what, &error))
        })
    }

    /// Ends it with KILL, its descendants included, and does not wait. That it has died of this is
    /// then nothing to report.
    ///
    /// # Errors
    /// `ControlFailed` when the system refuses: a process runs as another user now (`sudo`).
    pub fn kill(&self) -> Result<(), Error> {
        self.is_not_wanted();
        let sent = self.signal_within(Scope::Tree, os::SIGKILL);
        // The serving thread must not wait for ever for one that does not die.
        self.0.shared.stop.kill();
        sent
    }

    /// Ends it with TERM, and after the grace period with KILL, its descendants included, and waits
    /// until it has ended. Its failing status is then not an error.
    pub fn terminate(&self) {
        self.is_not_wanted();
        self.0.shared.stop.cancel();
        let mut ended = self.0.shared.lock();
        while ended.is_none() && !self.0.shared.is_serving_here() {
            ended = self.0.shared.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stops it for a while (STOP), until [`resume`](Self::resume).
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn suspend(&self) -> Result<(), Error> {
        self.signal(os::SIGSTOP)
    }

    /// Lets it go on (CONT) after [`suspend`](Self::suspend).
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(os::SIGCONT)
    }

    /// Ends it by these steps, and waits until it has ended. Its failing status is then not an error.
    pub fn teardown(&self, teardown: &Teardown) {
        self.is_not_wanted();
        let mut index = 0;
        while let Some(Step { signal, scope, wait }) = teardown.step(index) {
            let _ = self.signal_within(scope, signal);
            if self.ends_within(wait) {
                return;
            }
            index += 1;
        }
        let _ = self.signal_within(teardown.scope_at(index), os::SIGKILL);
        if !self.ends_within(KILL_PATIENCE) {
            self.0.shared.stop.kill();
            self.ends_within(Duration::MAX);
        }
    }

    /// How it ends is then nothing to report, unless it has ended by itself before.
    fn is_not_wanted(&self) {
        if self.is_running() {
            self.0.state().observed = true;
        }
    }

    fn ends_within(&self, wait: Duration) -> bool {
        !matches!(self.ended_within(wait), Ok(None))
    }

    /// Lets the command go on when the last handle is dropped.
    pub fn detach(&self) {
        self.0.state().detached = true;
        #[cfg(feature = "cli")]
        super::orphans::let_go(&self.pids());
    }

    /// Writes to its standard input, which must have been set to
    /// [`stdin_piped`](super::Expression::stdin_piped). Blocks while the pipe is full.
    ///
    /// # Errors
    /// `WriteFailed` when the command reads no more; `Misuse` when the input was not piped, or is
    /// finished.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() || bytes.is_empty() {
            // Not held while waiting, so that `finish_input` and `wait` are not kept.
            let input = self.0.input.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(writer) = input else {
                let message = format!("the standard input of `{}` is not open for writing", self.0.command);
                let help = "set .stdin_piped() before start(); after finish() nothing can be written";
                return Err(self.about_input(Error::misuse(message, help)));
            };
            if bytes.is_empty() {
                return Ok(());
            }
            match os::write_once(&*writer, rest) {
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.wait_for_room(&writer)?,
                Err(error) => return Err(self.cannot_write(&error)),
            }
        }
        Ok(())
    }

    /// Waits until the pipe takes something. A command that is over takes nothing any more, although
    /// somebody else may hold its pipe.
    fn wait_for_room(&self, writer: &PipeWriter) -> Result<(), Error> {
        let mut fds = vec![PollFd::writable(writer)];
        fds.extend(self.0.over.as_deref().map(PollFd::readable));
        let others = fds.len();
        let unattended = self.0.readers.unattended(None);
        fds.extend(unattended.iter().map(|(_, pipe)| PollFd::readable(&**pipe)));
        os::poll(&mut fds, None).map_err(|error| self.cannot_write(&error))?;
        self.attend(&unattended, &fds[others..])?;
        match !fds[0].is_ready() && others > 1 && fds[1].is_ready() {
            true => Err(self.cannot_write(&std::io::Error::from_raw_os_error(os::EPIPE))),
            false => Ok(()),
        }
    }

    fn cannot_write(&self, error: &std::io::Error) -> Error {
        self.about_input(Error::from_io(ErrorKind::WriteFailed, format!("cannot write to `{}`", self.0.command), error))
    }

    fn about_input(&self, error: Error) -> Error {
        self.0.identity.describe(error.at_stage(self.0.input_stage))
    }

    /// Ends its standard input. The second time it does nothing.
    pub fn finish_input(&self) {
        drop(self.0.input.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn no_pipe(error: &std::io::Error) -> Error {
    Error::from_io(ErrorKind::Resource, "cannot make a pipe", error)
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_serving_here(&self) -> bool {
        self.server.get() == Some(&std::thread::current().id())
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
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let State { observed, detached } = std::mem::take(&mut *self.state());
        drop(self.input.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut ended = self.shared.lock();
        if ended.is_none() && detached {
            return;
        }
        let was_running = ended.is_none() && self.shared.tree.is_running();
        if !was_running && ended.is_none() && !self.shared.is_serving_here() {
            let waited = self.shared.changed.wait_timeout_while(ended, CONCLUSION, |ended| ended.is_none());
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if ended.is_none() {
            self.shared.stop.cancel();
        }
        while ended.is_none() && !self.shared.is_serving_here() {
            ended = self.shared.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
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
