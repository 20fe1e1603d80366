//! Removing files and trees.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use crate::process::{Error, os};

use super::{Location, Watch};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Removing {
    /// A directory goes with all that is in it.
    pub recursive: bool,
    /// What is not there need not be removed.
    pub missing_ok: bool,
    /// Directories that are closed to us are opened, as far as they are ours.
    pub force: bool,
}

/// Removes a file, a symbolic link (never what it leads to), an empty directory or, on request, a tree.
pub(crate) fn remove(what: &Location, options: &Removing, watch: &Watch) -> Result<(), Error> {
    let given = what;
    let what = given.trimmed();
    if what.path.file_name().is_none() {
        let why =
            if what.path.parent().is_none() { "it is the root directory" } else { "name it, without `..` at the end" };
        return Err(what.refused("remove", why));
    }
    if matches!(what.shown.as_os_str().as_encoded_bytes(), b"." | b"") {
        return Err(what.refused("remove", "name it: `.` is wherever the script is"));
    }
    // A link with `/.` is the directory that it leads to, and the directory with it is refused everywhere.
    if is_dot_in(given.shown.as_os_str().as_encoded_bytes()) {
        return Err(given.refused("remove", "name it, without `.` at the end"));
    }
    let failed = |error: io::Error| what.failed("remove", &error);
    let metadata = match fs::symlink_metadata(&what.path) {
        Err(error) if options.missing_ok && is_missing(&error) => return Ok(()),
        result => result.map_err(failed)?,
    };
    if !metadata.is_dir() {
        return fs::remove_file(&what.path).map_err(failed);
    }
    if options.recursive {
        if options.force {
            // Otherwise it shows below.
            let _ = os::set_mode(&what.path, 0o700);
        }
        let dir = os::OpenDir::open(&what.path).map_err(failed)?;
        if dir.is_at(Path::new("/")).map_err(failed)? {
            return Err(what.refused("remove", "it is the root directory"));
        }
        empty(&dir, &what, options, watch)?;
    }
    fs::remove_dir(&what.path).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty if !options.recursive => {
            failed(error).with_help("to remove a directory with all that is in it: #{recursive: true}")
        }
        _ => failed(error),
    })
}

fn is_dot_in(name: &[u8]) -> bool {
    let mut name = name;
    while let [start @ .., b'/'] = name {
        name = start;
    }
    name.ends_with(b"/.")
}

fn empty(dir: &os::OpenDir, shown: &Location, options: &Removing, watch: &Watch) -> Result<(), Error> {
    if options.force {
        let _ = dir.make_ours();
    }
    let entries = dir.entries(&|| !(watch.stops)()).map_err(|error| shown.cannot_be_read(&error))?;
    for (name, is_dir) in entries {
        watch.check()?;
        remove_entry(dir, &name, is_dir, shown, options, watch)?;
    }
    watch.check()
}

fn remove_entry(
    dir: &os::OpenDir,
    name: &OsStr,
    is_dir: bool,
    shown: &Location,
    options: &Removing,
    watch: &Watch,
) -> Result<(), Error> {
    let failed = |error: io::Error| shown.child(name).failed("remove", &error);
    if !is_dir {
        match dir.remove_file(name) {
            Err(error) if is_directory(&error) => {}
            result => return or_gone(result).map_err(failed),
        }
    }
    let opened = match dir.open_child(name) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && options.force => {
            dir.make_child_ours(name).and_then(|()| dir.open_child(name))
        }
        opened => opened,
    };
    match opened {
        Ok(child) => empty(&child, &shown.child(name), options, watch)?,
        // An empty one can be removed without being read.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return dir.remove_dir(name).map_err(|_| failed(error));
        }
        // It is not what it was a moment ago.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    or_gone(dir.remove_dir(name)).map_err(failed)
}

/// Also below what is no directory.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Linux says the first of a directory, POSIX the second.
fn is_directory(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::IsADirectory || error.raw_os_error() == Some(os::EPERM)
}

/// What somebody else has removed meanwhile is removed.
fn or_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
