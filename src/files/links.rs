//! Links.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::{Error, os};

use super::Location;
use super::temp::random_name;

/// Makes a symbolic link with this text, which counts from the link's own directory where it is relative.
///
/// With `replace`, a link that is there goes at the same moment: whoever looks finds the old or the new one.
pub(crate) fn symlink(target: &Path, link: &Location, replace: bool) -> Result<(), Error> {
    let failed = |error: io::Error| link.failed("make the link", &error);
    if !replace {
        return os::symlink(target, &link.path).map_err(failed);
    }
    match fs::symlink_metadata(&link.path) {
        Ok(metadata) if !metadata.is_symlink() => {
            return Err(link.refused("replace", "it is no symbolic link"));
        }
        _ => {}
    }
    let temporary = loop {
        let temporary = link.path.with_file_name(format!(".{}", random_name()));
        match os::symlink(target, &temporary) {
            Ok(()) => break temporary,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    };
    fs::rename(&temporary, &link.path).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        failed(error)
    })
}

/// Gives a file one more name.
pub(crate) fn hard_link(original: &Location, link: &Location) -> Result<(), Error> {
    fs::hard_link(&original.path, &link.path).map_err(|error| match fs::symlink_metadata(&original.path) {
        Err(error) => original.cannot_be_read(&error),
        Ok(_) => link.failed("make the link", &error),
    })
}

/// The text of a symbolic link.
pub(crate) fn read_link(link: &Location) -> Result<PathBuf, Error> {
    fs::read_link(&link.path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => link.refused("read the link", "it is no symbolic link"),
        _ => link.failed("read the link", &error),
    })
}
