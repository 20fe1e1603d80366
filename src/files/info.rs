//! What is at a path, and small changes to it.

use std::fs::{self, Metadata};
use std::io;
use std::time::SystemTime;

use crate::process::{Error, os};

use super::Location;
use super::write::taken;

/// What is at a path; `follow` is for a symbolic link at its end.
pub(crate) fn info(what: &Location, follow: bool) -> Result<Metadata, Error> {
    let metadata = if follow { fs::metadata(&what.path) } else { fs::symlink_metadata(&what.path) };
    metadata.map_err(|error| what.cannot_be_read(&error))
}

/// The same, where nothing at the path is an answer. That nobody can tell is none: it is an error.
pub(crate) fn is_there(what: &Location, follow: bool) -> Result<Option<Metadata>, Error> {
    let metadata = if follow { fs::metadata(&what.path) } else { fs::symlink_metadata(&what.path) };
    match metadata {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        // A link that leads to itself leads nowhere.
        Err(error) if error.raw_os_error() == Some(os::ELOOP) => Ok(None),
        Err(error) => Err(what.failed("look at", &error)),
    }
}

/// Makes a directory, and those around it; one that is there is fine.
pub(crate) fn make_dir(what: &Location, mode: Option<u32>) -> Result<(), Error> {
    let failed = |at: &Location, error: &io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            what.refused("make the directory", format_args!("{at} is in the way, and is no directory"))
        }
        _ => what.failed("make the directory", error),
    };
    // The first that is there, from the inside.
    let mut missing = Vec::new();
    for (shown, path) in what.shown.ancestors().zip(what.path.ancestors()) {
        let here = Location { shown: shown.into(), path: path.into() };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => break,
            Ok(_) => return Err(failed(&here, &io::Error::from(io::ErrorKind::AlreadyExists))),
            // A link that leads nowhere is in the way, too: what is made at it shows that.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                missing.push(here);
            }
            Err(error) => return Err(failed(&here, &error)),
        }
    }
    for here in missing.iter().rev() {
        match os::create_dir(&here.path, 0o777) {
            // Somebody else has made it at the same moment.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && here.path.is_dir() => {}
            result => result.map_err(|error| failed(here, &error))?,
        }
    }
    match mode {
        Some(mode) => set_mode(what, mode),
        None => Ok(()),
    }
}

pub(crate) fn set_mode(what: &Location, mode: u32) -> Result<(), Error> {
    os::set_mode(&what.path, mode).map_err(|error| what.failed("change the permissions of", &error))
}

/// Makes an empty file, or gives what is there another time of its last change: now, unless one is given.
pub(crate) fn touch(what: &Location, modified: Option<SystemTime>) -> Result<(), Error> {
    let set = || match modified {
        Some(time) => os::set_modified(&what.path, time),
        None => os::set_times_to_now(&what.path),
    };
    match set() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match os::create_new(&what.path, 0o666) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !what.path.exists() => {
                    return Err(taken(what, "it is a symbolic link that leads nowhere"));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => drop(result.map_err(|error| what.cannot_be_written(&error))?),
            }
            match modified {
                Some(_) => set().map_err(|error| what.failed("change the times of", &error)),
                None => Ok(()),
            }
        }
        result => result.map_err(|error| what.failed("change the times of", &error)),
    }
}
