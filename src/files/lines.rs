//! The lines of a file, one after another.

use std::fs::File;

use crate::process::{Error, ErrorKind, os};
use crate::text::{LineSplitter, TextError, TextFormat};

use super::read::not_text;
use super::{Location, Watch};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// A file that is read line by line, in as much memory as its longest line needs.
pub(crate) struct FileLines {
    from: Location,
    file: File,
    is_plain: bool,
    splitter: LineSplitter,
    buffer: Vec<u8>,
    is_over: bool,
}

impl FileLines {
    /// # Errors
    /// When it cannot be opened.
    pub fn open(from: Location, format: TextFormat) -> Result<Self, Error> {
        let opened = os::open_for_reading(&from.path).and_then(|(file, _)| Ok((file.metadata()?.is_file(), file)));
        let (is_plain, file) = opened.map_err(|error| from.cannot_be_read(&error))?;
        let (splitter, buffer) = (LineSplitter::new(format), Vec::new());
        Ok(Self { from, file, is_plain, splitter, buffer, is_over: false })
    }

    /// What `use_it` makes of the next line; `None` at the end.
    pub fn next_with<T>(&mut self, watch: &Watch, use_it: impl FnOnce(&str) -> T) -> Result<Option<T>, Error> {
        loop {
            match self.splitter.next_line() {
                Ok(Some(line)) => return Ok(Some(use_it(line))),
                Ok(None) if self.is_over => return Ok(None),
                Ok(None) => {}
                Err(TextError::Decode(error)) => return Err(not_text(&self.from, &error)),
                Err(TextError::LineTooLong(error)) => {
                    let message = format!("in {}, {error}", self.from);
                    return Err(
                        Error::new(ErrorKind::OutputLimit, message).with_help("allow more: #{max_line: \"1MiB\"}")
                    );
                }
            }
            match self.is_plain {
                true => watch.check()?,
                false => watch.wait_readable(&self.file)?,
            }
            self.buffer.clear();
            let read = os::read_append(&self.file, &mut self.buffer, PIECE);
            match read.map_err(|error| self.from.cannot_be_read(&error))? {
                0 => {
                    self.is_over = true;
                    self.splitter.finish();
                }
                _ => self.splitter.push(&self.buffer),
            }
        }
    }
}
