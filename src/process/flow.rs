//! Bytes that pass through this process: input on its way to a command, output on its way from one.

use std::io::{self, Write};
use std::sync::Arc;

use os_pipe::{PipeReader, PipeWriter};

use super::error::{Error, ErrorKind};
use super::os;
use super::plan::Channel;

/// As much as a pipe holds by default on Linux.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Bytes on their way to the child's standard input.
pub(crate) struct Feeder {
    pub writer: PipeWriter,
    bytes: Arc<[u8]>,
    written: usize,
}

impl Feeder {
    /// `None` when there is nothing to write: the pipe is closed at once.
    pub fn new(writer: PipeWriter, bytes: Arc<[u8]>) -> Result<Option<Self>, Error> {
        if bytes.is_empty() {
            return Ok(None);
        }
        os::set_nonblocking(&writer)
            .map_err(|error| Error::from_io(ErrorKind::IoFailed, "cannot prepare a pipe", &error))?;
        Ok(Some(Self { writer, bytes, written: 0 }))
    }

    /// Writes what the pipe takes; `true` when all is written, or nobody reads any more: input that
    /// a command does not want is not an error.
    pub fn is_done(&mut self) -> bool {
        while self.written < self.bytes.len() {
            match self.writer.write(&self.bytes[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

/// A pipe that is read for the child's sake: into memory, or handed on.
pub(crate) struct Drain {
    pub reader: Option<PipeReader>,
    pub into: Into,
}

pub(crate) enum Into {
    Buffer { channel: Channel, bytes: Vec<u8>, limit: u64 },
    Function { function: Arc<dyn Fn(&[u8]) + Send + Sync>, buffer: Vec<u8> },
}

/// What one read of a drain led to.
pub(crate) enum Drained {
    Some,
    End,
    TooMuch(u64),
    Failed(io::Error),
}

impl Drain {
    pub fn to_buffer(reader: PipeReader, channel: Channel, limit: u64) -> Self {
        Self { reader: Some(reader), into: Into::Buffer { channel, bytes: Vec::new(), limit } }
    }

    pub fn to_function(reader: PipeReader, function: Arc<dyn Fn(&[u8]) + Send + Sync>) -> Self {
        Self { reader: Some(reader), into: Into::Function { function, buffer: Vec::new() } }
    }

    pub fn read_once(&mut self) -> Drained {
        let Some(reader) = &self.reader else { return Drained::End };
        let result = match &mut self.into {
            Into::Buffer { bytes, limit, .. } => {
                let read = os::read_append(reader, bytes, CHUNK);
                if bytes.len() as u64 > *limit {
                    bytes.truncate(*limit as usize);
                    self.reader = None;
                    return Drained::TooMuch(*limit);
                }
                read
            }
            Into::Function { function, buffer } => {
                buffer.clear();
                let read = os::read_append(reader, buffer, CHUNK);
                if !buffer.is_empty() {
                    function(buffer);
                }
                read
            }
        };
        match result {
            Ok(0) => {
                self.reader = None;
                Drained::End
            }
            Ok(_) => Drained::Some,
            Err(error) => {
                self.reader = None;
                Drained::Failed(error)
            }
        }
    }
}
