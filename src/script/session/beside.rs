//! What a session has besides its scope: what ends an entry, and the commands that run beside it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rhai::Dynamic;

use crate::process::{CancelToken, Execution, ExecutionWatch, Expression, HostStream, Output, TerminationStatus};
#[cfg(feature = "cli")]
use crate::script::console::AbovePrompt;
use crate::script::console::Console;
use crate::script::surroundings::Layer;
use crate::script::world::{World, lock};

/// The state that a session shares with the functions of its runtime.
pub(crate) struct Beside {
    /// Ends the entry, and not what was started by it or before.
    entry: CancelToken,
    /// Ends the clean-up of an entry.
    cleanup: CancelToken,
    jobs: Mutex<Vec<ExecutionWatch>>,
    /// Commands that were started as the value of an entry: nobody else holds them.
    held: Mutex<Vec<Execution>>,
    /// The results of the commands that the entry has waited for.
    ended: Mutex<Vec<Output>>,
    /// Whether one of them had our terminal and was ended by a signal.
    has_crashed: Mutex<bool>,
    cleanups: AtomicUsize,
    /// Whether output of background commands comes through us, because somebody types at the terminal meanwhile.
    has_prompt: OnceLock<()>,
}

/// A command that was started and is running.
#[derive(Clone)]
pub struct Job(ExecutionWatch);

impl Job {
    /// The shell line.
    pub fn command(&self) -> &str {
        self.0.command()
    }

    /// The processes.
    pub fn pids(&self) -> Vec<u32> {
        self.0.pids()
    }

    /// How long it has been running.
    pub fn age(&self) -> Duration {
        self.0.age()
    }

    /// Whether it is still running.
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }

    /// Has it ended, without waiting for that.
    pub fn end(&self) {
        self.0.end();
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("command", &self.command()).field("pids", &self.pids()).finish()
    }
}

impl Beside {
    pub fn new(world: &World) -> Self {
        // Without a descriptor for it, an entry ends with everything.
        let entry = world.base.cancel_token().child().unwrap_or_else(|_| world.base.cancel_token().clone());
        let cleanup = world.cleanup.child().unwrap_or_else(|_| world.cleanup.clone());
        Self {
            entry,
            cleanup,
            jobs: Mutex::default(),
            held: Mutex::default(),
            ended: Mutex::default(),
            has_crashed: Mutex::default(),
            cleanups: AtomicUsize::new(0),
            has_prompt: OnceLock::new(),
        }
    }

    /// Forgets what stopped the last entry.
    pub fn renew(&self) {
        self.entry.renew();
        self.cleanup.renew();
    }

    pub fn is_interrupted(&self) -> bool {
        self.entry.is_cancelled()
    }

    /// What ends the entry.
    pub fn entry_token(&self) -> &CancelToken {
        &self.entry
    }

    /// What is around the statements of an entry.
    pub fn layer(self: &Arc<Self>, world: &World) -> Layer {
        let mut layer = world.layer();
        let beside = self.clone();
        let look = move |output: &Output| beside.note_end(output);
        layer.context = layer.context.with_cancel(self.entry.clone()).observing(look);
        layer
    }

    fn note_end(&self, output: &Output) {
        let is_signaled = |status: &TerminationStatus| matches!(status, TerminationStatus::Signaled(_));
        if output.stages.iter().any(|stage| is_signaled(&stage.status)) {
            *lock(&self.has_crashed) = true;
        }
        // The texts are the script's.
        lock(&self.ended).push(Output { stdout: None, stderr: None, ..output.clone() });
    }

    /// The results of the commands since the last call.
    pub fn take_ended(&self) -> Vec<Output> {
        std::mem::take(&mut *lock(&self.ended))
    }

    /// Whether a command was ended by a signal since the last call: it had no time to tidy up the terminal.
    #[cfg(feature = "cli")]
    pub fn take_crashed(&self) -> bool {
        std::mem::take(&mut *lock(&self.has_crashed))
    }

    /// From now on a background command writes to the terminal through us, and what is written while somebody types
    /// goes above the line.
    #[cfg(feature = "cli")]
    pub fn set_prompt(&self, world: &World, above: &AbovePrompt) {
        let _ = self.has_prompt.set(());
        for console in [&world.out, &world.err].into_iter().filter(|console| console.is_terminal()) {
            console.set_prompt(above.clone());
        }
    }

    /// Whether there is anything that may end, or has ended and was not told.
    #[cfg(feature = "cli")]
    pub fn has_jobs(&self) -> bool {
        !lock(&self.jobs).is_empty()
    }

    /// A command as it is started beside the entries: the end of its entry is not its own.
    fn in_background(&self, world: &World, command: Expression) -> Expression {
        let Some(mut context) = command.settings.context.clone() else { return command };
        if context.cancel_token().is_same(&self.entry) {
            context = context.with_cancel(world.base.cancel_token().clone());
        }
        context.observer = None;
        if self.has_prompt.get().is_some() {
            if matches!(context.stdout, HostStream::Inherit) && world.out.is_terminal() {
                context = context.with_stdout(line_by_line(&world.out));
            }
            if matches!(context.stderr, HostStream::Inherit) && world.err.is_terminal() {
                context = context.with_stderr(line_by_line(&world.err));
            }
        }
        command.within(&context)
    }

    fn note_start(&self, execution: &Execution) {
        let mut jobs = lock(&self.jobs);
        // Those that are over and were told about.
        jobs.retain(|job| job.is_running() || !job.is_observed());
        jobs.push(execution.watch());
    }

    /// Keeps a command that is the value of an entry until it has ended.
    pub fn hold(&self, value: &Dynamic) {
        let mut held = lock(&self.held);
        held.retain(Execution::is_running);
        if let Some(execution) = value.read_lock::<Execution>() {
            held.push(execution.clone());
        }
    }

    /// Ends them.
    pub fn let_go(&self) {
        let held = std::mem::take(&mut *lock(&self.held));
        drop(held);
    }

    pub fn jobs(&self) -> Vec<Job> {
        lock(&self.jobs).iter().filter(|job| job.is_running()).cloned().map(Job).collect()
    }

    /// Those that have ended without anybody waiting for them; each is told once.
    #[cfg(feature = "cli")]
    pub fn take_finished(&self) -> Vec<(String, TerminationStatus, Duration)> {
        let mut finished = Vec::new();
        lock(&self.jobs).retain(|job| {
            if job.is_running() || job.is_observed() {
                return job.is_running();
            }
            // Otherwise it is about to be known.
            let Some((status, elapsed)) = job.ending() else { return true };
            job.observe();
            finished.push((job.command().to_string(), status, elapsed));
            false
        });
        finished
    }
}

/// Output that is passed on in whole lines, so that two commands do not write into one.
fn line_by_line(console: &Arc<Console>) -> HostStream {
    let lines = Lines { console: console.clone(), rest: Mutex::default() };
    HostStream::Sink(Arc::new(move |bytes: &[u8]| lines.push(bytes)))
}

/// A line that is longer is passed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;

struct Lines {
    console: Arc<Console>,
    rest: Mutex<Vec<u8>>,
}

impl Lines {
    fn push(&self, bytes: &[u8]) {
        let mut rest = lock(&self.rest);
        rest.extend_from_slice(bytes);
        let whole = match memchr::memrchr(b'\n', &rest) {
            Some(end) => end + 1,
            None if rest.len() > LONGEST_LINE => rest.len(),
            None => return,
        };
        let lines: Vec<u8> = rest.drain(..whole).collect();
        let _ = self.console.write_bytes(&lines);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let rest = std::mem::take(&mut *lock(&self.rest));
        if !rest.is_empty() {
            let _ = self.console.write_bytes(&[rest, b"\n".to_vec()].concat());
        }
    }
}

impl World {
    /// A command that is about to be started beside the script.
    pub fn in_background(&self, command: Expression) -> Expression {
        match self.session.get() {
            Some(session) => session.in_background(self, command),
            None => command,
        }
    }

    /// Says that a command was started beside the script.
    pub fn note_start(&self, execution: &Execution) {
        if let Some(session) = self.session.get() {
            session.note_start(execution);
        }
    }

    /// What ends the clean-up that is running.
    pub fn cleanup_token(&self) -> &CancelToken {
        self.session.get().map_or(&self.cleanup, |session| &session.cleanup)
    }

    /// Whether the entry of a session was told to end.
    pub fn is_entry_interrupted(&self) -> bool {
        self.session.get().is_some_and(|session| session.is_interrupted())
    }

    /// Counts clean-up as long as the value lives.
    pub fn note_cleanup(&self) -> Option<Cleaning> {
        let session = self.session.get()?.clone();
        session.cleanups.fetch_add(1, Ordering::AcqRel);
        Some(Cleaning(session))
    }
}

/// Clean-up that is running.
pub(crate) struct Cleaning(Arc<Beside>);

impl Drop for Cleaning {
    fn drop(&mut self) {
        self.0.cleanups.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Ends the entry that a session is evaluating, from another thread.
///
/// The first call has it stop, as Ctrl-C does: commands get a signal and their grace period, and clean-up runs. The
/// second ends its commands at once and has clean-up stop; the third ends clean-up's commands at once, too. The session
/// goes on with the next entry, for which the count begins again.
///
/// ```
/// use procscript::script::{FailureKind, Runtime, Session};
///
/// let mut session = Session::new(Runtime::builder().build()?);
/// session.eval("let kept = 1;")?;
/// let interrupter = session.interrupter();
/// std::thread::spawn(move || {
///     std::thread::sleep(std::time::Duration::from_millis(50));
///     interrupter.interrupt();
/// });
/// let failure = session.eval("loop {}").unwrap_err();
/// assert!(matches!(failure.kind(), FailureKind::Interrupted));
/// assert_eq!(session.enter("kept")?.shown.as_deref(), Some("1"));
/// # Ok::<(), procscript::script::Failure>(())
/// ```
#[derive(Clone)]
pub struct Interrupter(Arc<Beside>);

impl Interrupter {
    pub(super) fn new(beside: &Arc<Beside>) -> Self {
        Self(beside.clone())
    }

    /// Ends the entry with TERM for its commands, or ends it faster when it was told to before.
    pub fn interrupt(&self) {
        self.interrupt_since(crate::process::os::SIGTERM, false, Instant::now());
    }

    pub(crate) fn interrupt_since(&self, signal: i32, from_terminal: bool, came: Instant) {
        let Beside { entry, cleanup, .. } = &*self.0;
        match (entry.is_cancelled(), cleanup.is_cancelled()) {
            (false, _) => entry.cancel_since(signal, from_terminal, came),
            (true, false) => {
                entry.kill();
                cleanup.cancel_since(signal, from_terminal, came);
            }
            (true, true) => cleanup.kill(),
        }
    }

    /// Whether clean-up of the entry runs (`defer`), which the first call leaves alone.
    pub fn is_cleaning_up(&self) -> bool {
        self.0.cleanups.load(Ordering::Acquire) > 0
    }

    /// Whether the entry was told to end.
    pub fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }
}

impl std::fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupter").field("is_interrupted", &self.is_interrupted()).finish_non_exhaustive()
    }
}
