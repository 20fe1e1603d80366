//! Whole files.

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

/// All bytes of a file. A FIFO is read until its writers have left, and nothing waits longer than the watch allows.
pub(crate) fn read(from: &Location, watch: &Watch) -> Result<Vec<u8>, Error> {
    let failed = |error: &io::Error| from.cannot_be_read(error);
    let (file, is_fifo) = os::open_for_reading(&from.path).map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    let is_plain = metadata.is_file();
    if is_fifo {
        watch.wait_readable(&file)?;
    }
    let mut bytes = Vec::new();
    // Room for all of it, and for noticing that there is no more.
    let wanted = usize::try_from(metadata.len().min(MOST_IN_ADVANCE)).unwrap_or(0) + 1;
    bytes.try_reserve_exact(wanted).map_err(|_| from.refused("read", "there is not enough memory"))?;
    loop {
        match is_plain {
            true => watch.check()?,
            false => watch.wait_readable(&file)?,
        }
        let room = (bytes.capacity() - bytes.len()).clamp(1, PIECE);
        bytes.try_reserve(room).map_err(|_| from.refused("read", "there is not enough memory"))?;
        if os::read_append(&file, &mut bytes, room).map_err(|error| failed(&error))? == 0 {
            return Ok(bytes);
        }
    }
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
