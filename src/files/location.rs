//! A path as it was written, and where that is.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::{Context, Error, ErrorKind, quote_argument};

/// A path of the script: errors and results have it as it was written, the system gets an absolute one.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub shown: PathBuf,
    pub path: PathBuf,
}

impl Location {
    pub fn new(context: &Context, shown: PathBuf) -> Result<Self, Error> {
        Ok(Self { path: context.absolute(&shown)?, shown })
    }

    /// What is below it by this name.
    pub fn child(&self, name: &OsStr) -> Self {
        Self { shown: self.shown.join(name), path: self.path.join(name) }
    }

    /// The same without separators, or dots, at the end: `link/` would be what the link leads to.
    pub fn trimmed(&self) -> Self {
        let trim = |path: &Path| path.components().collect::<PathBuf>();
        Self { shown: trim(&self.shown), path: trim(&self.path) }
    }

    /// `cannot WHAT it: why`.
    pub fn failed(&self, what: &str, error: &io::Error) -> Error {
        self.failed_as(ErrorKind::IoFailed, what, error)
    }

    pub fn cannot_be_read(&self, error: &io::Error) -> Error {
        self.failed_as(ErrorKind::ReadFailed, "read", error)
    }

    pub fn cannot_be_written(&self, error: &io::Error) -> Error {
        let failure = self.failed_as(ErrorKind::WriteFailed, "write", error);
        match self.path.parent().filter(|parent| error.kind() == io::ErrorKind::NotFound && !parent.exists()) {
            Some(parent) => failure.with_help(format!(
                "the directory does not exist: make it with mkdir({:?}), or write with the option parents: true",
                quote_argument(self.shown.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(parent).as_os_str())
            )),
            None => failure,
        }
    }

    fn failed_as(&self, kind: ErrorKind, what: &str, error: &io::Error) -> Error {
        Error::from_io(kind, format_args!("cannot {what} {self}"), error)
    }

    /// An error about it that no system call has raised.
    pub fn refused(&self, what: &str, why: impl fmt::Display) -> Error {
        Error::new(ErrorKind::IoFailed, format!("cannot {what} {self}: {why}"))
    }

    /// Makes the directory around it, and those around that.
    pub fn make_parents(&self) -> Result<(), Error> {
        match (self.shown.parent(), self.path.parent()) {
            (Some(shown), Some(path)) if !path.exists() => {
                super::make_dir(&Self { shown: shown.into(), path: path.into() }, None)
            }
            _ => Ok(()),
        }
    }
}

/// In backquotes.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.shown.display())
    }
}
