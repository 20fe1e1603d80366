//! Copying and moving files and trees.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::process::{Error, ErrorKind, os, os::FileFacts};

use super::temp::random_name;
use super::write::{open_output, taken, write_all};
use super::{Location, Removing, Watch, remove, walk};

/// How much is copied between two looks at whether to go on.
const PIECE: u64 = 2 << 20;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Copying {
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
    /// Whether a directory may go into one that is there.
    pub merge: bool,
    /// Makes the directories around the copy.
    pub parents: bool,
    /// Keeps owners, times and all bits of the permissions, as far as we may: a move that had to copy.
    pub keeps_all: bool,
}

impl Default for Copying {
    fn default() -> Self {
        Self { overwrite: true, merge: false, parents: false, keeps_all: false }
    }
}

/// Copies a file, or a directory with all that is in it. `to` is the name of the copy, never a directory to put it
/// into: what happens does not depend on what is there.
///
/// Permissions are kept, but for those that lend a user's or a group's rights. Symbolic links in a tree stay links.
pub(crate) fn copy(from: &Location, to: &Location, options: &Copying, watch: &Watch) -> Result<(), Error> {
    let to = &to.trimmed();
    let source = super::info(from, true)?;
    prepare(from, to, &source, "copy", options)?;
    if !source.is_dir() {
        return copy_file(from, to, options, watch);
    }
    let existed = to.path.exists();
    copy_tree(from, to, &source, options, watch).inspect_err(|_| {
        if !existed {
            discard(to, watch);
        }
    })
}

/// Takes back what was begun: half a tree looks like a whole one.
fn discard(partial: &Location, watch: &Watch) {
    let all = Removing { recursive: true, missing_ok: true, force: true };
    // The error that led here is the one that is told, and what ended the work politely must not end this.
    let _ = remove(partial, &all, &Watch { stops: &|| watch.cancel.is_killed(), cancel: watch.cancel.clone() });
}

/// Renames a file, a link or a directory; across file systems it is copied and then removed.
pub(crate) fn move_to(from: &Location, to: &Location, options: &Copying, watch: &Watch) -> Result<(), Error> {
    let (from, to) = (&from.trimmed(), &to.trimmed());
    let source = super::info(from, false)?;
    prepare(from, to, &source, "move", options)?;
    match fs::rename(&from.path, &to.path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => move_across(from, to, &source, watch),
        Err(error) => Err(match to.path.parent().filter(|parent| !parent.exists()) {
            Some(_) => to.cannot_be_written(&error),
            None => Error::from_io(ErrorKind::IoFailed, format_args!("cannot move {from} to {to}"), &error),
        }),
    }
}

/// What both refuse, before anything has happened.
fn prepare(from: &Location, to: &Location, source: &Metadata, verb: &str, options: &Copying) -> Result<(), Error> {
    if options.parents {
        to.make_parents()?;
    }
    let there = super::is_there(to, source.is_dir() || verb == "copy")?;
    let facts = FileFacts::of(source);
    if let Some(there) = &there {
        if facts.is_same(&FileFacts::of(there)) {
            return Err(from.refused(verb, format_args!("{to} is the same file")));
        }
        match (source.is_dir(), there.is_dir()) {
            (false, true) => {
                let name = from.path.file_name().map(|name| to.child(name));
                let help = name.map(|name| format!("write its new name: {name}"));
                return Err(taken(to, "it is a directory").with_help(help.unwrap_or_default()));
            }
            (true, false) => return Err(taken(to, "it is there, and is no directory")),
            (true, true) if !options.merge => {
                let failure = taken(to, "the directory is there already");
                return Err(match verb {
                    "copy" => failure.with_help("to put the files into it beside others: #{merge: true}"),
                    _ => failure,
                });
            }
            (false, false) if !options.overwrite => return Err(taken(to, "it is there already")),
            _ => {}
        }
    }
    if source.is_dir() && is_inside(&from.path, &to.path) {
        return Err(from.refused(verb, format_args!("{to} is inside of it")));
    }
    Ok(())
}

/// Whether `inner`, which may not be there yet, is below `outer`, whatever links lead there.
fn is_inside(outer: &Path, inner: &Path) -> bool {
    let Ok(outer) = outer.canonicalize() else { return false };
    let existing = inner.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    existing.is_some_and(|existing| existing.starts_with(outer))
}

fn copy_file(from: &Location, to: &Location, options: &Copying, watch: &Watch) -> Result<(), Error> {
    let failed = |error: io::Error| from.cannot_be_read(&error);
    let (source, _) = os::open_for_reading(&from.path).map_err(failed)?;
    let metadata = source.metadata().map_err(failed)?;
    let facts = FileFacts::of(&metadata);
    if !metadata.is_file() {
        return Err(from.refused("copy", "it is neither a file nor a directory"));
    }
    let existed = fs::symlink_metadata(&to.path).is_ok();
    let target = match options.overwrite {
        // Nobody else may read it before it has its permissions.
        true => open_output(to, false, facts.mode & 0o700, watch)?,
        false => os::create_new(&to.path, facts.mode & 0o700).map_err(|error| to.cannot_be_written(&error))?,
    };
    let result = fill(&source, &target, (from, to), &metadata, options, watch)
        .and_then(|()| os::close(target).map_err(|error| to.cannot_be_written(&error)));
    if result.is_err() && !existed {
        // Half a file looks like a whole one.
        let _ = fs::remove_file(&to.path);
    }
    result
}

fn fill(
    source: &File,
    target: &File,
    (from, to): (&Location, &Location),
    metadata: &Metadata,
    options: &Copying,
    watch: &Watch,
) -> Result<(), Error> {
    let failed = |error: io::Error| to.cannot_be_written(&error);
    let facts = FileFacts::of(metadata);
    let there = target.metadata().map_err(failed)?;
    // The names may have changed since we looked: emptying it would empty the source.
    if facts.is_same(&FileFacts::of(&there)) {
        return Err(from.refused("copy", format_args!("{to} is the same file")));
    }
    os::truncate(target).map_err(failed)?;
    if !there.is_file() {
        return pass_on(source, target, (from, to), watch);
    }
    loop {
        watch.check()?;
        // Within the kernel, where it can.
        let copied = io::copy(&mut source.take(PIECE), &mut &*target);
        if copied.map_err(|error| Error::from_io(ErrorKind::IoFailed, format!("cannot copy {from} to {to}"), &error))?
            == 0
        {
            break;
        }
    }
    if options.keeps_all {
        os::give_to_owner_of(target, metadata);
        let times = fs::FileTimes::new();
        let times = metadata.modified().map_or(times, |time| times.set_modified(time));
        target.set_times(metadata.accessed().map_or(times, |time| times.set_accessed(time))).map_err(failed)?;
    }
    os::set_mode_of(target, kept_mode(&facts, options)).map_err(failed)
}

/// Into what may block for ever: a FIFO whose reader does something else, a terminal.
fn pass_on(source: &File, target: &File, (from, to): (&Location, &Location), watch: &Watch) -> Result<(), Error> {
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let read = os::read_append(source, &mut buffer, PIECE as usize);
        match read.map_err(|error| from.cannot_be_read(&error))? {
            0 => return Ok(()),
            _ => write_all(to, target, &buffer, false, watch)?,
        }
    }
}

fn kept_mode(facts: &FileFacts, options: &Copying) -> u32 {
    // A copy is ours: it must not lend our rights because the original lent those of its owner.
    facts.mode & if options.keeps_all { 0o7777 } else { 0o777 }
}

fn copy_tree(from: &Location, to: &Location, source: &Metadata, options: &Copying, watch: &Watch) -> Result<(), Error> {
    let facts = FileFacts::of(source);
    let failed = |error: io::Error| to.cannot_be_written(&error);
    // Before anything is made: it may not be ours to read.
    let entries = walk::entries(from, watch)?;
    let is_new = match os::create_dir(&to.path, 0o700) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && options.merge && to.path.is_dir() => false,
        result => result.map(|()| true).map_err(failed)?,
    };
    for (name, kind) in entries {
        watch.check()?;
        let (from, to) = (from.child(&name), to.child(&name));
        if kind.is_symlink() {
            copy_link(&from, &to, options)?;
        } else if kind.is_dir() {
            let source = super::info(&from, false)?;
            copy_tree(&from, &to, &source, options, watch)?;
        } else {
            copy_file(&from, &to, options, watch)?;
        }
    }
    if options.keeps_all {
        if let Ok(dir) = File::open(&to.path) {
            os::give_to_owner_of(&dir, source);
        }
        if let Ok(time) = source.modified() {
            os::set_modified(&to.path, time).map_err(failed)?;
        }
    }
    // Only now: it may forbid what was done in it.
    match is_new {
        true => os::set_mode(&to.path, kept_mode(&facts, options)).map_err(failed),
        false => Ok(()),
    }
}

fn copy_link(from: &Location, to: &Location, options: &Copying) -> Result<(), Error> {
    let target = super::read_link(from)?;
    match os::symlink(&target, &to.path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && options.overwrite && !to.path.is_dir() => {
            super::symlink(&target, to, true)
        }
        result => result.map_err(|error| to.cannot_be_written(&error)),
    }
}

/// The copy has another name until it is whole, and the original goes when it has its own.
fn move_across(from: &Location, to: &Location, source: &Metadata, watch: &Watch) -> Result<(), Error> {
    let name = format!(".{}", random_name());
    let partial = Location { shown: to.shown.clone(), path: to.path.with_file_name(name) };
    let options = Copying { overwrite: false, keeps_all: true, ..Copying::default() };
    let copied = match () {
        () if source.is_symlink() => copy_link(from, &partial, &options),
        () if source.is_dir() => copy_tree(from, &partial, source, &options, watch),
        () => copy_file(from, &partial, &options, watch),
    };
    let moved = copied.and_then(|()| fs::rename(&partial.path, &to.path).map_err(|error| to.cannot_be_written(&error)));
    moved.inspect_err(|_| discard(&partial, watch))?;
    remove(from, &Removing { recursive: true, ..Removing::default() }, watch)
}
