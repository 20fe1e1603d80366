//! Work of libraries that cannot be told to stop.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rhai::EvalAltResult;

use crate::process::Error;

use super::error::CallPlace;
use super::thread::SMALL_STACK;
use super::world::World;

/// Between two looks at whether the script must stop.
const LOOK: Duration = Duration::from_millis(10);

/// Does work that knows no interruption on a thread of its own. When the script must stop, the thread is left behind:
/// it goes on to the end of the work, and nobody gets what comes of it.
///
/// Starting a thread costs more than a small piece of work: this is for large ones. What the work owns lives on with
/// it: it must not own anything of the runtime.
///
/// # Errors
/// When the script must stop, and when there can be no thread.
pub(crate) fn apart<T: Send + 'static>(
    world: &World,
    place: &CallPlace,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<EvalAltResult>> {
    let (sender, receiver) = channel();
    let builder = std::thread::Builder::new().name("procscript-apart".into()).stack_size(SMALL_STACK);
    let thread = builder.spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(work());
    });
    let thread = thread.map_err(|error| {
        let error = Error::from_io(crate::process::ErrorKind::Resource, "cannot start a thread", &error);
        place.raise(world, error)
    })?;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) if world.stops() => return Err(World::terminated(place.position)),
            Err(RecvTimeoutError::Timeout) => {}
            // It has panicked: that goes on here, where it is made a report.
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => return Err(World::terminated(place.position)),
            },
        }
    }
}
