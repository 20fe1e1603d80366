//! Whole files.

use std::fs::{File, Metadata};
use std::io;

use crate::process::{Error, os};
use crate::text::{Encoding, Malformed, decode};

use super::{Location, Watch};

/// How much is read at once.
const PIECE: usize = 256 * 1024;
/// No more room than this is made in advance, whatever the file says that its size is.
const MOST_IN_ADVANCE: u64 = 64 << 20;

/// How the bytes of a file are text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Encoded {
    pub encoding: Encoding,
    pub malformed: Malformed,
}

/// A file that is read from its beginning to its end, and that nothing waits for longer than the watch allows.
/// A FIFO is read until its writers have left.
struct Reading<'a> {
    from: &'a Location,
    file: File,
    metadata: Metadata,
}

impl<'a> Reading<'a> {
    fn open(from: &'a Location, watch: &Watch) -> Result<Self, Error> {
        let failed = |error: io::Error| from.cannot_be_read(&error);
        let (file, is_fifo) = os::open_for_reading(&from.path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if is_fifo {
            watch.wait_readable(&file)?;
        }
        Ok(Self { from, file, metadata })
    }

    /// How many bytes have come to the end of the buffer; none at the end of the file.
    fn more(&self, bytes: &mut Vec<u8>, room: usize, watch: &Watch) -> Result<usize, Error> {
        match self.metadata.is_file() {
            true => watch.check()?,
            false => watch.wait_readable(&self.file)?,
        }
        bytes.try_reserve(room).map_err(|_| no_memory(self.from))?;
        os::read_append(&self.file, bytes, room).map_err(|error| self.from.cannot_be_read(&error))
    }
}

fn no_memory(from: &Location) -> Error {
    from.refused("read", "there is not enough memory")
}

/// All bytes of a file.
pub(crate) fn read(from: &Location, watch: &Watch) -> Result<Vec<u8>, Error> {
    let reading = Reading::open(from, watch)?;
    let mut bytes = Vec::new();
    // Room for all of it, and for noticing that there is no more.
    let wanted = usize::try_from(reading.metadata.len().min(MOST_IN_ADVANCE)).unwrap_or(0) + 1;
    bytes.try_reserve_exact(wanted).map_err(|_| no_memory(from))?;
    loop {
        let room = (bytes.capacity() - bytes.len()).clamp(1, PIECE);
        if reading.more(&mut bytes, room, watch)? == 0 {
            return Ok(bytes);
        }
    }
}

/// The same piece by piece, for what need not have all at once.
pub(crate) fn read_pieces(from: &Location, watch: &Watch, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
    let reading = Reading::open(from, watch)?;
    let mut piece = Vec::new();
    while reading.more(&mut piece, PIECE, watch)? > 0 {
        take(&piece);
        piece.clear();
    }
    Ok(())
}

/// The bytes of a file as text.
pub(crate) fn text_of(from: &Location, bytes: Vec<u8>, how: Encoded) -> Result<String, Error> {
    decode(bytes, how.encoding, how.malformed).map_err(|error| not_text(from, &error))
}

pub(super) fn not_text(from: &Location, error: &dyn std::error::Error) -> Error {
    Error::not_decoded(format!("{from} is not text: {error}")).with_help(
        "name its encoding, #{encoding: \"latin1\"}, replace what is no text, #{lossy: true}, or use read_bytes",
    )
}
