//! How long temporary files live: as long as a script, or a session, that may have made them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, Position};

use crate::files::Watch;
use crate::process::Error;

use super::error::CallPlace;
use super::world::{World, lock};

/// For what is removed although clean-up is to end at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// A script or a session. With the last of a runtime, its temporary files go.
pub(crate) struct KeptTemporaries(Option<Arc<World>>);

impl World {
    pub fn keep_temporaries(self: &Arc<Self>) -> KeptTemporaries {
        if self.users.fetch_add(1, Ordering::AcqRel) == 0 {
            self.operations.store(0, Ordering::Relaxed);
        }
        KeptTemporaries(Some(self.clone()))
    }

    /// Removes them whatever the reason of the end is; where clean-up is to end at once, for a second. What went wrong.
    pub fn remove_temporaries(&self) -> Vec<Error> {
        let end = Instant::now() + PATIENCE;
        let stops = || self.cleanup.is_killed() && Instant::now() >= end;
        let watch = Watch { stops: &stops, cancel: self.cleanup.clone() };
        self.temporaries.remove_all(&watch)
    }
}

impl KeptTemporaries {
    /// The end of a script: what cannot be removed is an error of its clean-up.
    pub fn end(mut self) {
        self.leave(|world, error| {
            let place = CallPlace { file: None, position: Position::NONE };
            let error = Dynamic::from(place.error(world, error));
            lock(&world.suppressed).push(EvalAltResult::ErrorRuntime(error, Position::NONE));
        });
    }

    fn leave(&mut self, report: impl Fn(&World, Error)) {
        let Some(world) = self.0.take() else { return };
        if world.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            world.remove_temporaries().into_iter().for_each(|error| report(&world, error));
        }
    }
}

impl Drop for KeptTemporaries {
    fn drop(&mut self) {
        self.leave(|world, error| {
            // Nobody else could be told.
            let _ = world.err.print_line(&format!("note: {error}"));
        });
    }
}

impl std::fmt::Debug for KeptTemporaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptTemporaries")
    }
}
