//! The contents of files, for functions that read or write a whole one: what waits can be interrupted, and what fails
//! names the file as the script does.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rhai::{Dynamic, EvalAltResult};

use crate::process::os::{self, PollFd};
use crate::process::{Error, ErrorKind};

use super::convert;
use super::error::CallPlace;
use super::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// A file that a script has named.
pub(crate) struct Named {
    /// As the script has it, for messages.
    pub shown: String,
    path: PathBuf,
}

/// So much is read at once.
const PIECE: usize = 256 * 1024;
/// How often one looks whether to stop while nothing comes.
const INTERVAL: Duration = Duration::from_millis(50);

impl Named {
    pub fn new(world: &World, place: &CallPlace, value: &Dynamic) -> Result<Self> {
        let path = convert::path(value, "the file").map_err(|problem| place.invalid(world, problem))?;
        let shown = path.display().to_string();
        let path = world.context().absolute(&path).map_err(|error| place.raise(world, error))?;
        Ok(Self { shown, path })
    }

    /// Gives the contents piece by piece.
    pub fn read(&self, world: &World, place: &CallPlace, mut take: impl FnMut(&[u8])) -> Result<()> {
        let failed = |error: &std::io::Error| {
            let what = format!("cannot read `{}`", self.shown);
            place.raise(world, Error::from_io(ErrorKind::ReadFailed, what, error))
        };
        let (mut file, waits) = open(&self.path).map_err(|error| failed(&error))?;
        let mut buffer = vec![0; PIECE];
        loop {
            if world.stops() {
                return Err(World::terminated(place.position));
            }
            if waits && !os::is_readable(&file) {
                wait(world, &file);
                continue;
            }
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => take(&buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    /// All of it, which must be UTF-8; a byte order mark is none of the text.
    pub fn read_text(&self, world: &World, place: &CallPlace) -> Result<String> {
        let mut bytes = Vec::new();
        self.read(world, place, |piece| bytes.extend_from_slice(piece))?;
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("cannot read `{}`: it is not UTF-8 text at byte {at}", self.shown);
            place.raise(world, Error::not_decoded(message))
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(text)
    }

    /// Writes all of it. A file that is new is for its owner alone when there is a secret in it.
    pub fn write_text(&self, world: &World, place: &CallPlace, text: &str, is_secret: bool) -> Result<()> {
        let failed = |error: std::io::Error| {
            let what = format!("cannot write `{}`", self.shown);
            place.raise(world, Error::from_io(ErrorKind::WriteFailed, what, &error))
        };
        let file = loop {
            if let Some(file) = create(&self.path, is_secret).map_err(failed)? {
                break file;
            }
            // A FIFO that nobody reads yet.
            if !world.context().cancel_token().sleep(INTERVAL) || world.must_stop() {
                return Err(World::terminated(place.position));
            }
        };
        os::write_all(&file, text.as_bytes()).map_err(failed)
    }
}

/// And whether it may have nothing to read yet: then nobody must be blocked by it.
fn open(path: &Path) -> std::io::Result<(File, bool)> {
    let (file, _) = os::open_for_reading(path)?;
    let waits = !file.metadata()?.is_file();
    Ok((file, waits))
}

/// Until there is something to read, or the script is told to stop.
fn wait(world: &World, file: &File) {
    let context = world.context();
    let mut fds = vec![PollFd::readable(file)];
    fds.extend(context.cancel_token().reader().map(PollFd::readable));
    // A failure is found by the read that follows.
    let _ = os::poll(&mut fds, Some(INTERVAL));
}

/// An empty file; `None` when it is a FIFO that nobody reads yet.
fn create(path: &Path, is_private: bool) -> std::io::Result<Option<File>> {
    if is_private {
        match os::create_private(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => return created.map(Some),
        }
    }
    let file = os::open_for_writing(path, false)?;
    if let Some(file) = &file {
        os::truncate(file)?;
    }
    Ok(file)
}
