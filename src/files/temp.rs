//! Temporary files and directories, and the list of those that are still to be removed.

use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::process::{CancelToken, Error, os};

use super::{Location, Removing, Watch, remove};

/// What is in the name of a new file, so that nobody can guess it: the keys of std's hash maps come from the system's
/// random numbers.
pub(super) fn random_name() -> String {
    let number = RandomState::new().build_hasher().finish();
    format!("procscript-{number:016x}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
}

/// What to make.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub kind: Kind,
    /// Where it is made.
    pub dir: Location,
    /// What its name begins and ends with.
    pub prefix: OsString,
    pub suffix: OsString,
}

/// Everything temporary of one runtime.
#[derive(Debug, Default)]
pub(crate) struct Temporaries(Mutex<Vec<Location>>);

impl Temporaries {
    /// Makes a file that only we may read, or a directory that only we may enter. Never takes what is there already,
    /// and never another place than the one that was asked for.
    pub fn make(&self, what: &Temporary) -> Result<Location, Error> {
        loop {
            let mut name = what.prefix.clone();
            name.push(random_name());
            name.push(&what.suffix);
            let made = what.dir.child(&name);
            let result = match what.kind {
                Kind::Dir => os::create_dir(&made.path, 0o700),
                Kind::File => os::create_private(&made.path).map(drop),
            };
            match result {
                Ok(()) => {
                    self.list().push(made.clone());
                    return Ok(made);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let kind = if what.kind == Kind::Dir { "directory" } else { "file" };
                    let failure = what.dir.failed(&format!("make a temporary {kind} in"), &error);
                    return Err(failure.with_help("the variable TMPDIR says where temporary files are made"));
                }
            }
        }
    }

    /// Removes one; what the script has removed or moved away itself is gone.
    pub fn remove(&self, made: &Location, watch: &Watch) -> Result<(), Error> {
        self.list().retain(|other| other.path != made.path);
        remove_made(made, watch)
    }

    /// Removes all that are left, the last first; what went wrong with each.
    pub fn remove_all(&self, watch: &Watch) -> Vec<Error> {
        let mut left = std::mem::take(&mut *self.list());
        left.reverse();
        left.iter().filter_map(|made| remove_made(made, watch).err()).collect()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Location>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For an engine that a host has: its scripts have no end that we would see.
impl Drop for Temporaries {
    fn drop(&mut self) {
        self.remove_all(&Watch { stops: &|| false, cancel: CancelToken::never() });
    }
}

/// How often a directory is emptied that somebody fills at the same time.
const TRIES: usize = 5;

fn remove_made(made: &Location, watch: &Watch) -> Result<(), Error> {
    let options = Removing { recursive: true, missing_ok: true, force: true };
    let mut result = remove(made, &options, watch);
    for _ in 1..TRIES {
        match &result {
            Err(error) if error.errno() == Some(os::ENOTEMPTY) => result = remove(made, &options, watch),
            _ => break,
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_are_names() {
        let names: std::collections::BTreeSet<_> = (0..1000).map(|_| random_name()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| name.len() == "procscript-".len() + 16 && !name.contains('/')));
    }
}
