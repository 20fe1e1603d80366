//! What the functions of one runtime share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use rhai::{Dynamic, Engine, EvalAltResult, Position};

use crate::files::Temporaries;
use crate::process::{CancelToken, Context, os};
use crate::terminal::Live;

use super::console::Console;
use super::error::CommandError;
use super::failure::Place;
use super::library::Library;
use super::people::Manners;
use super::secret::Secrets;
use super::session::Beside;

/// The state behind a runtime's functions.
pub(crate) struct World {
    /// The surroundings outside all blocks; see [`context`](Self::context).
    pub base: Context,
    /// Ends clean-up, which goes on when everything else was told to stop.
    pub cleanup: CancelToken,
    /// How many blocks have surroundings of their own, in all threads.
    pub layers: AtomicUsize,
    /// What calls the closures of clean-up and of streams, which have no interpreter at hand. Never set where
    /// the engine is a host's.
    pub engine: OnceLock<Weak<Engine>>,
    pub manners: Manners,
    /// The changing lines of the terminal.
    pub live: Arc<Live>,
    pub out: Arc<Console>,
    pub err: Arc<Console>,
    pub args: Vec<String>,
    pub script: Mutex<Option<PathBuf>>,
    pub invocation_dir: Option<PathBuf>,
    pub halt: Arc<Halt>,
    /// What the arguments of the script mean, for the declarations that were read.
    #[cfg(feature = "cli")]
    pub arguments: Mutex<Vec<super::arguments::Known>>,
    /// What is masked in everything that is shown.
    pub secrets: Arc<Secrets>,
    pub library: Arc<Library>,
    /// Failures of started commands that nobody waited for.
    pub unobserved: Arc<Mutex<Vec<CommandError>>>,
    /// What went wrong in clean-up.
    pub suppressed: Mutex<Vec<EvalAltResult>>,
    /// Why a message of the script could not be written: the system's error number.
    pub unheard: Mutex<Option<Option<i32>>>,
    /// Temporary files that are still to be removed, and how many scripts are using them.
    pub temporaries: Temporaries,
    pub users: AtomicUsize,
    /// What a session has besides; never set where there is none.
    pub session: OnceLock<Arc<Beside>>,
    /// The most memory that this process may hold while a script runs.
    pub memory_limit: usize,
    /// The most operations that scripts may take, all threads and closures together; and how many there were.
    pub operation_limit: Option<u64>,
    pub operations: AtomicU64,
}

/// How often all memory is looked at, in operations. Large pieces are counted as they come.
const SAMPLE: u64 = 8192;

/// Why a script stops although none of its statements says so.
#[derive(Debug)]
pub(crate) enum Why {
    /// `exit(n)` was called.
    Exit(i32),
    /// What the script printed could not be written; the system's error number.
    Output(Option<i32>),
    /// An error that the interpreter has swallowed: a failing stream in a loop with an empty body.
    Lost(Box<EvalAltResult>),
    /// It holds more memory than it may.
    Memory,
    /// It took more operations than it may.
    Operations,
    /// Clean-up has failed, in what may have been the way out of another error.
    Cleanup,
}

/// The request that a script stops, which nothing in it can catch.
///
/// It is sticky because an error alone does not do: Rhai wraps what comes out of a closure, and a
/// wrapped termination can be caught (`[1].for_each(|x| exit(3))` inside `try`). The interpreter asks
/// at every operation.
#[derive(Debug, Default)]
pub(crate) struct Halt {
    requested: AtomicBool,
    why: Mutex<Option<Why>>,
}

impl Halt {
    /// The first reason stays.
    pub fn request(&self, why: Why) {
        lock(&self.why).get_or_insert(why);
        self.requested.store(true, Ordering::Release);
    }

    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// Whether what the script prints goes nowhere.
    pub fn is_output_lost(&self) -> bool {
        self.is_requested() && matches!(&*lock(&self.why), Some(Why::Output(_)))
    }

    /// The reason, and a clean state for what is run next.
    pub fn take(&self) -> Option<Why> {
        self.requested.store(false, Ordering::Release);
        lock(&self.why).take()
    }
}

impl World {
    /// Asked at every operation, whose number is given: whether the interpreter must stop.
    #[inline]
    pub fn stops_at(&self, operation: u64) -> bool {
        // Every operation pays for this: what is almost always the case is told by a few loads.
        let is_plain = !self.has_layers() && !self.halt.is_requested() && !self.base.cancel_token().is_cancelled();
        let is_plain = is_plain && self.operation_limit.is_none();
        let is_unremarkable = is_plain && !operation.is_multiple_of(SAMPLE) && os::held_memory() <= self.memory_limit;
        !is_unremarkable && self.stops_at_closer_look(operation)
    }

    #[cold]
    fn stops_at_closer_look(&self, operation: u64) -> bool {
        let is_sample = operation.is_multiple_of(SAMPLE);
        let is_above =
            |limit| os::held_memory() > limit || (is_sample && os::resident_memory().is_some_and(|held| held > limit));
        let is_too_much = is_above(self.memory_limit) && is_above(self.memory_allowance());
        if is_too_much && !self.is_cleaning_up() {
            self.halt.request(Why::Memory);
        }
        // Rhai counts those of a closure apart from those of whoever calls it.
        if let Some(limit) = self.operation_limit
            && self.operations.fetch_add(1, Ordering::Relaxed) >= limit
            && !self.is_cleaning_up()
        {
            self.halt.request(Why::Operations);
        }
        is_too_much || self.must_stop()
    }

    /// Asked by native functions that go on for long, for each thing that they take.
    pub fn stops(&self) -> bool {
        self.stops_at(1)
    }

    /// Whether some block has surroundings of its own: almost always there is none, and this is asked at every
    /// operation.
    pub fn has_layers(&self) -> bool {
        self.layers.load(Ordering::Relaxed) != 0
    }

    /// Where a position of the interpreter is in what the user wrote.
    pub fn place(&self, file: Option<&str>, position: Position) -> Option<Place> {
        self.library.sources.place(file.unwrap_or_default(), position)
    }

    /// The engine, where it is ours.
    pub fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.get()?.upgrade()
    }

    /// The error by which a native function stops the script; see [`Halt`].
    pub fn terminated(position: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::UNIT, position).into()
    }
}

/// A lock whose holder panicked still guards valid data: every change here is a single assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
