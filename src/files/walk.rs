//! What is in directories, in the order of the bytes of their names.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::PathBuf;

use crate::process::Error;
use crate::process::os::{self, FileFacts};

use super::{Location, Watch};

#[derive(Debug, Clone)]
pub(crate) struct Walking {
    /// How many directories deep: 1 is the directory itself.
    pub max_depth: usize,
    /// Whether what begins with a dot is there, too.
    pub hidden: bool,
    /// Whether directories behind symbolic links are entered.
    pub follow: bool,
    /// Whether what [`is_unreadable`] is passed over; it is an error otherwise.
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

/// Whether a directory cannot be read because of what it is: it may not be, or has gone since its name was read. One of
/// an ended process in `/proc` says `ESRCH`, or `EINVAL`.
pub(super) fn is_unreadable(errno: Option<i32>) -> bool {
    may_not_be_read(errno)
        || errno.is_some_and(|errno| [os::ENOENT, os::ENOTDIR, os::ESRCH, os::EINVAL].contains(&errno))
}

fn may_not_be_read(errno: Option<i32>) -> bool {
    errno.is_some_and(|errno| [os::EACCES, os::EPERM].contains(&errno))
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
            let facts = match super::info(dir, true) {
                Err(error) if self.may_be_skipped(error.errno(), depth) => return Ok(()),
                info => FileFacts::of(&info?),
            };
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
            Err(error) if self.may_be_skipped(error.raw_os_error(), depth) => {}
            Err(error) if can_be_skipped(error.raw_os_error(), depth) => {
                return Err(dir.cannot_be_read(&error).with_help("to pass it over: #{skip_unreadable: true}"));
            }
            Err(error) => return Err(dir.cannot_be_read(&error)),
        }
        self.around.pop();
        Ok(())
    }

    fn may_be_skipped(&self, errno: Option<i32>, depth: usize) -> bool {
        self.options.skip_unreadable && can_be_skipped(errno, depth)
    }

    fn pass(&mut self, dir: &Location, name: OsString, kind: FileType, depth: usize) -> Result<(), Error> {
        if !self.options.hidden && is_hidden(&name) {
            return Ok(());
        }
        let here = dir.child(&name);
        let kind = match kind.is_symlink() && self.options.follow {
            // One that leads nowhere is itself.
            true => match super::is_there(&here, true) {
                Err(error) if self.may_be_skipped(error.errno(), depth + 1) => kind,
                found => found?.map_or(kind, |metadata| metadata.file_type()),
            },
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

/// Where a walk begins there has to be a directory, be it one that may not be read.
fn can_be_skipped(errno: Option<i32>, depth: usize) -> bool {
    if depth == 1 { may_not_be_read(errno) } else { is_unreadable(errno) }
}
