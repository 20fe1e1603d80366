//! What is in directories, in the order of the bytes of their names.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::PathBuf;

use crate::process::{Error, os::FileFacts};

use super::{Location, Watch};

#[derive(Debug, Clone)]
pub(crate) struct Walking {
    /// How many directories deep: 1 is the directory itself.
    pub max_depth: usize,
    /// Whether what begins with a dot is there, too.
    pub hidden: bool,
    /// Whether directories behind symbolic links are entered.
    pub follow: bool,
    /// Whether a directory that may not be read is passed over; it is an error otherwise.
    pub skip_unreadable: bool,
    /// Only what is of this kind: `file`, `dir` or `link`.
    pub kind: Option<&'static str>,
}

/// The names in a directory.
pub(crate) fn entries(dir: &Location, watch: &Watch) -> Result<Vec<(OsString, FileType)>, Error> {
    read_dir(dir, watch)?.map_err(|error| dir.cannot_be_read(&error))
}

/// The inner error is that of the directory.
pub(super) fn read_dir(dir: &Location, watch: &Watch) -> Result<io::Result<Vec<(OsString, FileType)>>, Error> {
    let mut names = Vec::new();
    let reading = match fs::read_dir(&dir.path) {
        Ok(reading) => reading,
        Err(error) => return Ok(Err(error)),
    };
    for entry in reading {
        watch.check()?;
        match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
            Ok(entry) => names.push(entry),
            // Removed while we look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    names.sort_by(|(a, _), (b, _)| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    Ok(Ok(names))
}

/// Whether a name says that it is not to be shown.
pub(super) fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// Everything below a directory, each directory in front of what is in it.
pub(crate) fn walk(root: &Location, options: &Walking, watch: &Watch) -> Result<Vec<PathBuf>, Error> {
    let mut walk = Walk { options, watch, found: Vec::new(), around: Vec::new() };
    if options.max_depth > 0 {
        walk.enter(root, 1)?;
    }
    Ok(walk.found)
}

struct Walk<'a> {
    options: &'a Walking,
    watch: &'a Watch<'a>,
    found: Vec<PathBuf>,
    /// The directories that we are in, where links are followed.
    around: Vec<FileFacts>,
}

impl Walk<'_> {
    fn enter(&mut self, dir: &Location, depth: usize) -> Result<(), Error> {
        if self.options.follow {
            let facts = FileFacts::of(&super::info(dir, true)?);
            // What is below a link that leads back is there already, by its shorter name.
            if self.around.iter().any(|other| other.is_same(&facts)) {
                return Ok(());
            }
            self.around.push(facts);
        }
        match read_dir(dir, self.watch)? {
            Ok(names) => {
                for (name, kind) in names {
                    self.pass(dir, name, kind, depth)?;
                }
            }
            Err(error) if self.may_be_skipped(&error) => {}
            Err(error) => {
                return Err(dir.cannot_be_read(&error).with_help(match error.kind() {
                    io::ErrorKind::PermissionDenied => "to pass it over: #{skip_unreadable: true}",
                    _ => "something in it may have changed while it was read",
                }));
            }
        }
        self.around.pop();
        Ok(())
    }

    fn may_be_skipped(&self, error: &io::Error) -> bool {
        self.options.skip_unreadable && error.kind() == io::ErrorKind::PermissionDenied
    }

    fn pass(&mut self, dir: &Location, name: OsString, kind: FileType, depth: usize) -> Result<(), Error> {
        if !self.options.hidden && is_hidden(&name) {
            return Ok(());
        }
        let here = dir.child(&name);
        let kind = match kind.is_symlink() && self.options.follow {
            // One that leads nowhere is itself.
            true => super::is_there(&here, true)?.map_or(kind, |metadata| metadata.file_type()),
            false => kind,
        };
        let is_wanted = match self.options.kind {
            Some("dir") => kind.is_dir(),
            Some("link") => kind.is_symlink(),
            Some(_) => kind.is_file(),
            None => true,
        };
        if is_wanted {
            self.found.push(here.shown.clone());
        }
        match kind.is_dir() && depth < self.options.max_depth {
            true => self.enter(&here, depth + 1),
            false => Ok(()),
        }
    }
}
