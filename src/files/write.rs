//! Writing files, in place or at one blow.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::process::{Error, ErrorKind, os};

use super::temp::random_name;
use super::{Location, Watch};

/// How much is written at once to a file, and to what can block.
const PIECE: usize = 1 << 20;
const PIPE_PIECE: usize = 4096;
/// How many symbolic links a path may lead through, as for the system.
const MOST_LINKS: usize = 40;

/// What becomes of the contents that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum How {
    /// They are overwritten where they are.
    #[default]
    InPlace,
    /// The new ones come behind them.
    Append,
    /// Whoever looks sees the old ones or the new, never half of them, and after a crash there is one of the two.
    Atomically,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Writing {
    pub how: How,
    /// The permissions of the file afterwards, whatever the umask is.
    pub mode: Option<u32>,
    /// Nobody else may read the file, when it is a new one.
    pub is_private: bool,
    /// Makes the directories around it.
    pub parents: bool,
}

impl Writing {
    /// The permissions of a file that is not there yet.
    fn new_mode(&self) -> u32 {
        match self.is_private {
            true => 0o600,
            false => self.mode.map_or(0o666, |mode| mode & 0o777),
        }
    }
}

/// Writes bytes to a file. Nothing is lost in silence: also what the system says when the file is closed is an error.
pub(crate) fn write(to: &Location, bytes: &[u8], options: &Writing, watch: &Watch) -> Result<(), Error> {
    if options.parents {
        to.make_parents()?;
    }
    match options.how {
        How::Atomically => write_atomically(to, bytes, options, watch),
        how => {
            let file = open_output(to, how == How::Append, options.new_mode(), watch)?;
            let failed = |error: io::Error| to.cannot_be_written(&error);
            let is_plain = file.metadata().map_err(failed)?.is_file();
            // Before anything is in it that not everybody may read.
            if let Some(mode) = options.mode.filter(|_| is_plain) {
                os::set_mode_of(&file, mode).map_err(failed)?;
            }
            if how == How::InPlace {
                os::truncate(&file).map_err(failed)?;
            }
            write_all(to, &file, bytes, is_plain, watch)?;
            os::close(file).map_err(failed)
        }
    }
}

/// Opens a file that is written; its contents are still there. A FIFO is waited for until somebody reads it.
pub(super) fn open_output(to: &Location, append: bool, mode: u32, watch: &Watch) -> Result<File, Error> {
    loop {
        match os::open_for_writing_with_mode(&to.path, append, mode) {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => watch.pause()?,
            Err(error) => return Err(to.cannot_be_written(&error)),
        }
    }
}

pub(super) fn write_all(to: &Location, file: &File, bytes: &[u8], is_plain: bool, watch: &Watch) -> Result<(), Error> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = if is_plain { PIECE } else { PIPE_PIECE };
        match is_plain {
            true => watch.check()?,
            false => watch.wait_writable(file)?,
        }
        let written = os::write_once(file, &rest[..rest.len().min(size)]);
        rest = &rest[written.map_err(|error| to.cannot_be_written(&error))?..];
    }
    Ok(())
}

/// A new file beside the old one takes its place, with its permissions and, where we may give files away, its owner.
fn write_atomically(to: &Location, bytes: &[u8], options: &Writing, watch: &Watch) -> Result<(), Error> {
    let failed = |error: io::Error| to.cannot_be_written(&error);
    let (target, before) = final_target(&to.path).map_err(failed)?;
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        return Err(to.refused("write", "only an ordinary file can be replaced at one blow"));
    }
    if before.is_some() {
        // The directory may allow it all the same; whoever protected the file did not mean that.
        os::may_write(&target).map_err(failed)?;
    }
    let (file, temporary) =
        create_beside(&target, if before.is_some() { 0o600 } else { options.new_mode() }).map_err(failed)?;
    let result = (|| {
        if let Some(before) = &before {
            os::give_to_owner_of(&file, before);
            file.set_permissions(before.permissions()).map_err(failed)?;
        }
        if let Some(mode) = options.mode {
            os::set_mode_of(&file, mode).map_err(failed)?;
        }
        write_all(to, &file, bytes, true, watch)?;
        // Or a crash of the system could leave an empty file under the name.
        file.sync_all().map_err(failed)?;
        os::close(file).map_err(failed)?;
        fs::rename(&temporary, &target).map_err(failed)
    })();
    match result {
        Ok(()) => sync_dir(&target).map_err(failed),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

/// That the file has a new name is in its directory, which a crash could lose.
fn sync_dir(file: &Path) -> io::Result<()> {
    let Some(dir) = file.parent() else { return Ok(()) };
    // One that may be written to but not read cannot be opened.
    let Ok(dir) = File::open(dir) else { return Ok(()) };
    match dir.sync_all() {
        // Some file systems do not know it.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

fn create_beside(target: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    loop {
        let temporary = target.with_file_name(format!(".{}.tmp", random_name()));
        match os::create_new(&temporary, mode) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where symbolic links at the end of a path lead to, which may be where nothing is yet.
fn final_target(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("/")).join(target);
            }
            Ok(metadata) => return Ok((path, Some(metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((path, None)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from_raw_os_error(os::ELOOP))
}

/// An error for a place that is taken.
pub(super) fn taken(to: &Location, what: &str) -> Error {
    Error::new(ErrorKind::WriteFailed, format!("cannot write {to}: {what}"))
}
