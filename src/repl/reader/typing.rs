//! How the terminal is set while an entry is being typed, which a shell changes that stops us.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::process::os::{self, TerminalModes};

/// The modes of the entry that is being typed; clones are about the same one.
#[derive(Clone, Default)]
pub(super) struct Typing(Arc<Mutex<Option<TerminalModes>>>);

impl Typing {
    /// Notes the modes, the first time for each entry.
    pub fn begin(&self) {
        let mut modes = self.lock();
        if modes.is_none() {
            *modes = TerminalModes::of(0);
        }
    }

    /// The entry is over.
    pub fn end(&self) {
        *self.lock() = None;
    }

    /// Sets them again, if an entry is being typed and the terminal is ours. Whether that is so.
    pub fn go_on(&self) -> bool {
        let modes = self.lock();
        let modes = modes.filter(|_| os::is_in_foreground(0));
        // What cannot be set will be noticed by whoever reads.
        modes.is_some_and(|modes| modes.set(0).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, Option<TerminalModes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
