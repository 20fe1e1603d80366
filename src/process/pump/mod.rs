//! What happens while a command runs: one loop over `poll`, on the thread that waits.
//!
//! It feeds standard input, collects output, notices endings, and enforces timeout and cancellation.
//! One thread serves all streams at once, so that no pipe can fill up unattended, and nothing is left
//! behind that would have to be joined.

mod conclusion;
mod ending;
mod watching;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use super::cancel::{CancelToken, Shield, Urgency};
use super::drain::{Drain, Drained, MOST_LEFT};
use super::error::{Error, ErrorKind};
use super::expression::Expression;
use super::input::{Feeder, FeedingThread, Written};
use super::os::{self, PollFd};
use super::readers::{Readers, Until};
use super::stage::{Identity, Running};
use super::starts::{Overlap, Watch};
use super::teardown::{Scope, Teardown};
use super::tree::Tree;
use watching::Look;

/// How long a pipe that somebody else still holds may be silent after the command has ended.
pub(crate) const HELD_OPEN_GRACE: Duration = Duration::from_millis(500);
/// How long a process may take to die of KILL. One in an uninterruptible system call does not.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at what no descriptor announces.
const TICK: Duration = Duration::from_millis(10);

/// Why and how a command is ended early.
pub(crate) struct Stop {
    /// From the context: what runs under it is cancelled, which is a failure of the command.
    pub cancel: CancelToken,
    /// From the holder of the [`Execution`](super::Execution), who wants it to end: no failure.
    pub request: CancelToken,
    pub deadline: Option<Instant>,
    pub timeout: Option<Duration>,
    /// Whether the deadline is that of the surroundings.
    pub is_outer_deadline: bool,
    /// The stage whose own timeout that is.
    pub timeout_stage: Option<usize>,
    /// How long a command may write nothing.
    pub idle_timeout: Option<Duration>,
    /// The stage whose own idle timeout that is.
    pub idle_stage: Option<usize>,
    pub grace: Duration,
    /// What the command asked for, instead of TERM and the grace period.
    pub teardown: Option<Teardown>,
    /// What its holder asks for, instead of both; taken when it begins.
    pub steps: Arc<Mutex<Option<Teardown>>>,
}

/// How far the ending of a command has come.
enum Phase {
    Running,
    /// The signal of a step was sent; the next step follows at `until`.
    Asked {
        teardown: Teardown,
        step: usize,
        until: Option<Instant>,
    },
    /// KILL was sent; at `until` we stop waiting.
    Killed {
        scope: Scope,
        until: Instant,
    },
}

/// What a turn of the loop ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The stream that the caller reads has something, or is at its end.
    Readable,
    /// Everything is over.
    Over,
}

pub(crate) struct Pump {
    expression: Expression,
    identity: Identity,
    tree: Arc<Tree>,
    stages: Vec<Running>,
    feeders: Vec<Feeder>,
    feeding_threads: Vec<FeedingThread>,
    /// The input that the holder of the command writes, if there is one.
    written: Option<Written>,
    drains: Vec<Drain>,
    stream: Option<PipeReader>,
    stream_is_ready: bool,
    /// How much the caller still gets of what others may be writing, after the command has ended and its time is over,
    /// or after it was killed.
    stream_left: usize,
    /// Those who read the output beside us, if there are any.
    readers: Option<Arc<Readers>>,
    stop: Stop,
    /// Held by a command to which Ctrl-C is left.
    shield: Option<Shield>,
    phase: Phase,
    /// Why the command was ended early, or could not be read.
    failure: Option<Error>,
    started: Instant,
    /// When all of it was started.
    under_way: Instant,
    all_ended: Option<Instant>,
    /// Those that may have copies of our pipes for a moment, watched from then on.
    overlap: Overlap,
    starts: Watch,
    last_activity: Instant,
    /// When the caller last began to wait.
    entered: Instant,
    held_open: bool,
    is_abandoned: bool,
    over: bool,
}

impl Stop {
    fn is_requested(&self) -> bool {
        self.cancel.is_cancelled() || self.request.is_cancelled()
    }
}

impl Pump {
    #[allow(clippy::too_many_arguments, reason = "called once, by `start`, with what it has just made")]
    pub fn new(
        expression: Expression,
        tree: Arc<Tree>,
        stages: Vec<Running>,
        feeders: Vec<Feeder>,
        drains: Vec<Drain>,
        stop: Stop,
        started: Instant,
        overlap: Overlap,
    ) -> Self {
        Self {
            identity: Identity::new(&expression, &stages),
            expression,
            tree,
            stages,
            feeders,
            feeding_threads: Vec::new(),
            written: None,
            drains,
            stream: None,
            stream_is_ready: false,
            stream_left: MOST_LEFT,
            readers: None,
            stop,
            shield: None,
            phase: Phase::Running,
            failure: None,
            started,
            under_way: Instant::now(),
            all_ended: None,
            starts: overlap.watch(),
            overlap,
            last_activity: started,
            entered: started,
            held_open: false,
            is_abandoned: false,
            over: false,
        }
    }

    pub fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A token by which the holder of the command can have it ended, and with it the input that the holder writes.
    pub fn make_request_token(&mut self, written: Written) -> io::Result<CancelToken> {
        self.written = Some(written);
        self.make_ender()
    }

    /// A token by which somebody who does not read can have it ended, which is no failure.
    pub fn make_ender(&mut self) -> io::Result<CancelToken> {
        self.stop.request = CancelToken::new()?;
        Ok(self.stop.request.clone())
    }

    /// Where its holder puts the steps by which it is to be ended, before it says so by the token.
    pub fn steps(&self) -> Arc<Mutex<Option<Teardown>>> {
        self.stop.steps.clone()
    }

    /// Leaves Ctrl-C to the command, as long as it runs.
    pub fn leave_keys(&mut self, shield: Option<Shield>) {
        self.shield = shield;
    }

    /// The threads that feed its input.
    pub fn watch_input(&mut self, threads: Vec<FeedingThread>) {
        self.feeding_threads = threads;
    }

    fn input_failure(&self) -> Option<Error> {
        self.feeding_threads.iter().find_map(|thread| {
            let failure = thread.failure.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            Some(failure.at_stage(thread.stage))
        })
    }

    /// Gives the pump the pipe that the caller reads.
    pub fn set_stream(&mut self, stream: Option<PipeReader>) {
        self.stream = stream;
    }

    /// Says that the output is read beside us.
    pub fn expect_readers(&mut self) -> Arc<Readers> {
        let readers = self.readers.get_or_insert_default().clone();
        readers.limit_to(Until { cancel: self.stop.cancel.clone(), deadline: self.stop.deadline });
        readers.started_beside(self.overlap.clone());
        readers
    }

    /// The pipe that the caller reads when [`Turn::Readable`] says so.
    pub fn stream(&self) -> Option<&PipeReader> {
        self.stream.as_ref()
    }

    /// The caller has read so many bytes. Those that the pipe held were written in time; a flood has no end.
    pub fn has_given(&mut self, bytes: usize) {
        let is_late = || self.stop.is_requested() || self.stop.deadline.is_some_and(|end| Instant::now() >= end);
        let is_killed = matches!(self.phase, Phase::Killed { .. });
        if is_killed || (self.all_ended.is_some() && (self.is_stopping() || is_late())) {
            self.stream_left = self.stream_left.saturating_sub(bytes);
        }
    }

    /// Ends the stream: at its end, or because the caller wants no more.
    pub fn close_stream(&mut self) {
        self.stream = None;
    }

    /// Runs until everything is over.
    pub fn run(&mut self) {
        while self.turn() != Turn::Over {
            // Nobody reads a stream any more.
            self.close_stream();
        }
    }

    /// Runs until the caller's stream is readable, or everything is over.
    pub fn turn(&mut self) -> Turn {
        // What happened while the caller was busy elsewhere is looked at before anything is concluded
        // from the time that has passed.
        let mut is_first = true;
        self.entered = Instant::now();
        loop {
            if self.over {
                return Turn::Over;
            }
            if let Err(error) = self.wait_once(is_first) {
                self.fail(error);
                self.kill();
                // A failing poll must not become a busy loop.
                std::thread::sleep(TICK);
            }
            is_first = false;
            if self.all_ended.is_none() {
                self.advance();
            } else if !self.is_stopping() && self.stop.request.urgency() == Urgency::Now {
                // It has died of what its holder has sent: the rest of its tree may not have yet.
                self.kill();
            }
            if std::mem::take(&mut self.stream_is_ready) {
                self.last_activity = Instant::now();
                return Turn::Readable;
            }
            // Before and after: what has ended is not cancelled, and what was killed is not waited for.
            if self.is_over() || self.advance_is_over() {
                self.over = true;
                self.feeders.clear();
                return Turn::Over;
            }
        }
    }

    /// One poll over everything, and what follows from it.
    fn wait_once(&mut self, only_look: bool) -> Result<(), Error> {
        let lost_sight = |error| Error::from_io(ErrorKind::MonitorFailed, "cannot wait for the command", &error);
        if self.only_waits_for_one() {
            return self.notice_endings(Look::Wait).map_err(lost_sight);
        }
        let mut fds = Vec::with_capacity(8);
        fds.extend(self.feeders.iter().map(|feeder| PollFd::writable(&feeder.writer)));
        let counts: Vec<usize> = self.drains.iter().map(|drain| drain.wait_for(&mut fds)).collect();
        let stream = self.stream.as_ref().filter(|_| self.stream_left > 0);
        fds.extend(stream.map(PollFd::readable));
        let has_all_descriptors = self.open_descriptors();
        fds.extend(self.stages.iter().filter_map(|stage| stage.descriptor.as_ref()).map(PollFd::readable));
        // Once cancelled it stays readable: from then on only its urgency is looked at.
        let tokens = [&self.stop.cancel, &self.stop.request].into_iter().filter(|token| !token.is_cancelled());
        fds.extend(tokens.filter_map(CancelToken::reader).map(PollFd::readable));

        // Where nothing depends on the time, what has happened before is announced as well by a wait.
        let moment = self.next_moment(has_all_descriptors);
        let timeout = match only_look {
            true => moment.map(|_| Duration::ZERO),
            false => moment.map(|moment| moment.saturating_duration_since(Instant::now())),
        };
        self.tree.set_lingering(self.all_ended.is_some() && timeout != Some(Duration::ZERO));
        let polled = os::poll(&mut fds, timeout);
        self.tree.set_lingering(false);
        polled.map_err(|error| {
            Error::from_io(ErrorKind::IoFailed, "cannot wait for the streams of the command", &error)
        })?;

        let mut ready = fds.iter().map(|fd| fd.is_ready());
        self.feeders.retain_mut(|feeder| ready.next() != Some(true) || !feeder.is_done());
        let mut results = Vec::new();
        for (drain, count) in self.drains.iter_mut().zip(counts) {
            let is_ready = ready.by_ref().take(count).fold(false, |any, is_ready| any | is_ready);
            if is_ready {
                // A function, or whoever reads behind us, may take its time.
                self.tree.set_lingering(drain.may_block());
                // Also what is taken from us: who takes it slowly does not make the command a silent one.
                self.last_activity = Instant::now();
                results.extend(drain.advance().map(|result| (drain.stage, result)));
                self.tree.set_lingering(false);
            }
        }
        self.stream_is_ready = self.stream.is_some() && self.stream_left > 0 && ready.next() == Some(true);
        let announced: Vec<bool> = ready.take(self.stages.len()).collect();
        for (stage, result) in results {
            self.after_read(stage, result);
        }
        self.notice_endings(Look::Announced(&announced)).map_err(lost_sight)
    }

    /// `stage`: the one that has written, if it is known.
    fn after_read(&mut self, stage: Option<usize>, result: Drained) {
        self.last_activity = Instant::now();
        match result {
            Drained::Some | Drained::End => {}
            Drained::TooMuch(limit) => {
                let message = format!("{} wrote more than the limit of {limit} bytes", self.identity.subject(stage));
                let help = "raise it with .limit(\"1GiB\"), read it with .lines(), or send it to a file";
                self.fail(Error::new(ErrorKind::OutputLimit, message).with_help(help).at_stage(stage));
                self.kill();
            }
            Drained::ReadFailed(error) => {
                let what = format!("cannot read the output of {}", self.identity.subject(stage));
                self.fail(Error::from_io(ErrorKind::ReadFailed, what, &error).at_stage(stage));
                self.kill();
            }
            Drained::WriteFailed(error) => {
                let what = format!("cannot write the output of {}", self.identity.subject(stage));
                self.fail(Error::from_io(ErrorKind::WriteFailed, what, &error).at_stage(stage));
                self.kill();
            }
        }
    }

    /// The first failure is the cause of the others.
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        // KILL takes a moment, and nothing of it is to be left when we say that it is over.
        if let Phase::Killed { scope, until } = self.phase
            && (now >= until || self.nothing_left(scope))
        {
            self.empty_pipes();
            return true;
        }
        let Some(ended) = self.all_ended else { return false };
        // Its own processes have ended, and others of its tree are told to.
        if self.is_stopping() {
            return false;
        }
        let has_open = self.stream.is_some() || self.drains.iter().any(Drain::is_open);
        if !has_open {
            return true;
        }
        // What the command has written is on its way to somebody who takes his time.
        if self.is_blocked() {
            return false;
        }
        // Somebody else holds a pipe: a process that the command has left behind, as none is just being started that
        // may have a copy of it.
        self.held_open = now >= self.silent_since(ended) + HELD_OPEN_GRACE;
        self.held_open
    }

    /// Whether output that was taken from the command waits for those it goes to.
    fn is_blocked(&self) -> bool {
        self.drains.iter().any(Drain::is_blocked)
    }

    /// Takes what the pipes hold, without waiting for more.
    fn empty_pipes(&mut self) {
        let results: Vec<_> = self.drains.iter_mut().filter_map(|drain| Some((drain.stage, drain.empty()?))).collect();
        for (stage, result) in results {
            self.after_read(stage, result);
        }
    }
}

impl Drop for Pump {
    /// A pump that is dropped before its end (a panic in the caller) takes its processes along.
    fn drop(&mut self) {
        if !self.over {
            self.close_stream();
            self.kill();
            self.run();
            self.tree.reap();
        }
    }
}
