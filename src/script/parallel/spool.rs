//! Output that waits for its turn: a little of it in memory, the rest in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::process::{Context, os};

/// More than this goes to a file.
const IN_MEMORY: usize = 256 * 1024;
/// The number of bytes in front of each piece: its stream, and its length.
const HEAD: usize = 5;

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Out,
    Err,
}

/// Where the files are made.
pub(super) fn dir(context: &Context) -> PathBuf {
    let said = context.env("TMPDIR").filter(|dir| !dir.is_empty());
    let dir = said.map_or_else(|| os::default_temp_dir().into(), PathBuf::from);
    context.absolute(&dir).unwrap_or(dir)
}

/// Pieces of two streams, in the order in which they came.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    /// Keeps a piece; more than a little goes to a file in the directory.
    pub fn push(&mut self, channel: Channel, bytes: &[u8], dir: &Path) -> io::Result<()> {
        for piece in bytes.chunks(u32::MAX as usize) {
            let length = piece.len() as u32;
            self.memory.push(channel as u8);
            self.memory.extend_from_slice(&length.to_le_bytes());
            self.memory.extend_from_slice(piece);
        }
        match self.memory.len() > IN_MEMORY {
            true => self.spill(dir),
            false => Ok(()),
        }
    }

    fn spill(&mut self, dir: &Path) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(dir)?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// Gives every piece to a function, in their order, until it answers `false`, and is empty afterwards.
    pub fn drain(&mut self, mut take: impl FnMut(Channel, &[u8]) -> bool) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.seek(SeekFrom::Start(0))?;
            let mut reader = io::BufReader::with_capacity(64 * 1024, file);
            let mut piece = Vec::new();
            while let Some((channel, length)) = read_head(&mut reader)? {
                piece.resize(length, 0);
                reader.read_exact(&mut piece)?;
                if !take(channel, &piece) {
                    return Ok(());
                }
            }
        }
        let memory = std::mem::take(&mut self.memory);
        let mut rest = memory.as_slice();
        while let Some((channel, length)) = read_head(&mut rest)? {
            let (piece, after) = rest.split_at(length);
            if !take(channel, piece) {
                return Ok(());
            }
            rest = after;
        }
        Ok(())
    }
}

fn read_head(reader: &mut impl Read) -> io::Result<Option<(Channel, usize)>> {
    let mut head = [0; HEAD];
    match reader.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [channel, length @ ..] = head;
    let channel = if channel == Channel::Out as u8 { Channel::Out } else { Channel::Err };
    Ok(Some((channel, u32::from_le_bytes(length) as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(spool: &mut Spool) -> Vec<(Channel, Vec<u8>)> {
        let mut all = Vec::new();
        spool
            .drain(|channel, piece| {
                all.push((channel, piece.to_vec()));
                true
            })
            .expect("a file without a name can be read");
        all
    }

    #[test]
    fn pieces_come_back_in_their_order_from_memory_and_from_the_file() {
        let mut spool = Spool::default();
        let large = vec![7; IN_MEMORY + 1];
        let pieces = [(Channel::Out, &b"a"[..]), (Channel::Err, b"b"), (Channel::Err, &large), (Channel::Out, b"z")];
        for (channel, piece) in pieces {
            spool.push(channel, piece, &std::env::temp_dir()).expect("there is room");
        }
        assert!(spool.file.is_some() && !spool.memory.is_empty());
        let expected: Vec<_> = pieces.iter().map(|(channel, piece)| (*channel, piece.to_vec())).collect();
        assert!(drained(&mut spool) == expected, "other pieces came back");
        assert!(drained(&mut spool).is_empty());
    }
}
