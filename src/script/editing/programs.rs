//! The programs of `PATH`, looked up once and kept for a while.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::process::{Context, ErrorKind, os};

/// So long a list of programs counts: what is installed meanwhile is found after it.
const LIST_COUNTS: Duration = Duration::from_secs(30);
/// So long it counts that a program is there, or is not: whoever has just installed it looks at the colour again.
const ANSWER_COUNTS: Duration = Duration::from_secs(3);
/// So long the directories are listed.
const BUDGET: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(crate) struct Programs(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What the answers are for.
    path: Option<(OsString, PathBuf)>,
    all: Option<Listed>,
    answers: HashMap<String, (Instant, bool)>,
}

#[derive(Debug)]
struct Listed {
    since: Instant,
    names: BTreeSet<String>,
    /// Whether there was time for all directories.
    are_all: bool,
}

impl Programs {
    /// The names of the programs that begin so, and whether these are all.
    pub fn beginning_with(&self, context: &Context, partial: &str) -> (Vec<String>, bool) {
        let mut known = self.known(context);
        let counts = |listed: &Listed| if listed.are_all { LIST_COUNTS } else { ANSWER_COUNTS };
        let is_fresh = known.all.as_ref().is_some_and(|listed| listed.since.elapsed() < counts(listed));
        let path = known.path.as_ref().map(|(path, _)| path.clone()).unwrap_or_default();
        let all = match (is_fresh, &mut known.all) {
            (true, Some(listed)) => listed,
            (_, all) => {
                let (names, are_all) = list(&path);
                all.insert(Listed { since: Instant::now(), names, are_all })
            }
        };
        let names = all.names.range(partial.to_string()..).take_while(|name| name.starts_with(partial));
        (names.cloned().collect(), all.are_all)
    }

    /// Whether a command of this name could be started: a name is searched, a path is looked at.
    pub fn has(&self, context: &Context, name: &str) -> bool {
        let mut known = self.known(context);
        if let Some((_, is_there)) = known.answers.get(name).filter(|(since, _)| since.elapsed() < ANSWER_COUNTS) {
            return *is_there;
        }
        let found = match name.contains('/') {
            true => context.which_file(name),
            false => context.which(name),
        };
        let is_there = !found.is_err_and(|error| error.kind() == ErrorKind::NotFound);
        // Each letter that is typed is another name.
        if known.answers.len() > 1000 {
            known.answers.clear();
        }
        known.answers.insert(name.to_string(), (Instant::now(), is_there));
        is_there
    }

    /// What is known for the `PATH` and the directory of now.
    fn known(&self, context: &Context) -> MutexGuard<'_, Known> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = context.env("PATH").unwrap_or_else(os::default_search_path);
        let now = (path, context.base_dir().unwrap_or_default());
        if known.path.as_ref() != Some(&now) {
            *known = Known { path: Some(now), ..Known::default() };
        }
        known
    }
}

/// The programs in the absolute directories of a search path, as far as they can be read in time; whether they could.
fn list(path: &OsString) -> (BTreeSet<String>, bool) {
    let end = Instant::now() + BUDGET;
    let mut names = BTreeSet::new();
    for dir in std::env::split_paths(path).filter(|dir| dir.is_absolute()) {
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        for entry in entries {
            if Instant::now() >= end {
                return (names, false);
            }
            if let Ok(name) = entry.file_name().into_string()
                && is_plain(&name)
                && os::check_runnable(Path::new(&entry.path())).is_ok()
            {
                names.insert(name);
            }
        }
    }
    (names, true)
}

/// Whether a name can be written without quotes; others are no names of programs that anybody types.
fn is_plain(name: &str) -> bool {
    name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '.' | '-' | '+' | ':' | '@' | '%' | ','))
}
