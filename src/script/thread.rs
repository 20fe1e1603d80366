//! The thread that scripts run on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::failure::{Failure, FailureKind};
use super::world::lock;

/// The stack of the thread that a script runs on: reserved, not used, until a script needs it. With the
/// two limits below, the deepest script takes about a third of it (`language/recursion_is_bounded`).
pub(super) const STACK: usize = 512 * 1024 * 1024;
/// Where so much cannot be reserved (`ulimit -v`).
pub(crate) const SMALL_STACK: usize = 64 * 1024 * 1024;

thread_local! {
    /// Whether this thread has such a stack, with nothing of a script on it.
    static IS_READY: Cell<bool> = const { Cell::new(false) };
}

/// Starts a thread for a whole program, on which its script then runs without another one. `false` when the system
/// gives no thread.
#[cfg(feature = "cli")]
pub(crate) fn start_script_thread(work: impl FnOnce() + Send + 'static) -> bool {
    // A thread that cannot be started takes its closure with it.
    let work = std::sync::Arc::new(Mutex::new(Some(work)));
    let start = |stack| {
        let work = work.clone();
        std::thread::Builder::new().name("procscript".into()).stack_size(stack).spawn(move || {
            IS_READY.set(true);
            let work = lock(&work).take();
            if let Some(work) = work {
                work();
            }
        })
    };
    start(STACK).or_else(|_| start(SMALL_STACK)).is_ok()
}

/// Runs a closure on a thread whose stack is large enough for every script that the limits allow.
pub(super) fn on_script_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    if IS_READY.replace(false) {
        let result = catch_unwind(AssertUnwindSafe(work));
        IS_READY.set(true);
        return result.map_err(|panic| internal_failure(&*panic));
    }
    // A thread that cannot be started takes its closure with it.
    let work = Mutex::new(Some(work));
    let run = || lock(&work).take().map(|work| work());
    std::thread::scope(|scope| {
        let start =
            |stack| std::thread::Builder::new().name("procscript".into()).stack_size(stack).spawn_scoped(scope, run);
        let result = match start(STACK).or_else(|_| start(SMALL_STACK)) {
            Ok(thread) => thread.join(),
            Err(error) => {
                return Err(Failure::new(FailureKind::Internal, format!("cannot start a thread: {error}")));
            }
        };
        match result {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(internal_failure(&"the script thread had nothing to do")),
            Err(panic) => Err(internal_failure(&*panic)),
        }
    })
}

/// What a native function said when it panicked.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a native function panicked")
}

/// A fault that is not the script's, most likely a panic in a native function.
fn internal_failure(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = format!("internal error: {}", panic_text(panic));
    Failure::new(FailureKind::Internal, message).with_help(Some("this is a fault of procscript: please report it"))
}
