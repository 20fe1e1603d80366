//! Output that passes through this process on its way from a command.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use os_pipe::PipeReader;

use super::os::{self, PollFd};
use super::plan::Channel;

/// As much as a pipe holds by default on Linux.
pub(crate) const CHUNK: usize = 64 * 1024;
/// From here on, what is captured is much.
const LARGE: usize = 1024 * 1024;
/// Of a buffer for much, so many bytes get their memory before they are read: else each page gets its own while the
/// pipe is locked, and its writer waits.
const AHEAD: usize = 128 * 1024;
/// What a pipe takes without blocking when `poll` calls it writable: PIPE_BUF.
const ATOMIC: usize = 4096;

/// The most that is taken from a pipe after its command was killed: what a large one holds.
pub(crate) const MOST_LEFT: usize = 1024 * 1024;

/// A pipe that is read for the child's sake: into memory, or handed on.
pub(crate) struct Drain {
    reader: Option<PipeReader>,
    into: Into,
    /// The stage that writes, when it is only one.
    pub stage: Option<usize>,
}

enum Into {
    Buffer { channel: Channel, bytes: Vec<u8>, limit: u64, populated: usize },
    Function { function: Arc<dyn Fn(&[u8]) + Send + Sync>, buffer: Vec<u8> },
    Relay(Relay),
}

/// What one step of a drain led to.
pub(crate) enum Drained {
    Some,
    End,
    TooMuch(u64),
    ReadFailed(io::Error),
    WriteFailed(io::Error),
}

impl Drain {
    fn new(reader: PipeReader, into: Into) -> Self {
        Self { reader: Some(reader), into, stage: None }
    }

    pub fn to_buffer(reader: PipeReader, channel: Channel, limit: u64) -> Self {
        Self::new(reader, Into::Buffer { channel, bytes: Vec::new(), limit, populated: LARGE })
    }

    pub fn to_function(reader: PipeReader, function: Arc<dyn Fn(&[u8]) + Send + Sync>) -> Self {
        Self::new(reader, Into::Function { function, buffer: Vec::new() })
    }

    /// Hands everything on to `main`, and a copy to `copies`.
    pub fn to_descriptors(reader: PipeReader, main: Option<OwnedFd>, copies: Vec<OwnedFd>) -> Self {
        let outlet = |fd: OwnedFd, is_main| Outlet { is_pipe: os::is_pipe(&fd), fd, written: 0, is_main };
        let main = main.map(|fd| outlet(fd, true));
        let copies = copies.into_iter().map(|fd| outlet(fd, false));
        let relay = Relay { outlets: main.into_iter().chain(copies).collect(), pending: Vec::new() };
        Self::new(reader, Into::Relay(relay))
    }

    pub fn is_open(&self) -> bool {
        self.reader.is_some() || self.is_blocked()
    }

    /// Whether it has something that those it goes to do not take just now. Meanwhile nothing is read, so that the
    /// command may have to wait, too.
    pub fn is_blocked(&self) -> bool {
        matches!(&self.into, Into::Relay(relay) if relay.is_pending())
    }

    /// Whether a step of it may take as long as somebody else likes.
    pub fn may_block(&self) -> bool {
        !matches!(self.into, Into::Buffer { .. })
    }

    /// Adds what it waits for, and returns how many that are.
    pub fn wait_for(&self, fds: &mut Vec<PollFd>) -> usize {
        let before = fds.len();
        match &self.into {
            Into::Relay(relay) if relay.is_pending() => {
                fds.extend(relay.waiting().map(|outlet| PollFd::writable(&outlet.fd)));
            }
            _ => fds.extend(self.reader.as_ref().map(PollFd::readable)),
        }
        fds.len() - before
    }

    /// Takes a step, now that something that it waits for is ready.
    pub fn advance(&mut self) -> Option<Drained> {
        if let Into::Relay(relay) = &mut self.into
            && relay.is_pending()
        {
            return match relay.write() {
                Ok(true) => {
                    self.close_outlets_at_end();
                    None
                }
                Ok(false) => {
                    // Whoever read it has left: so does the child's reader, as without us between them.
                    relay.outlets.clear();
                    self.reader = None;
                    Some(Drained::End)
                }
                Err(error) => {
                    relay.outlets.clear();
                    self.reader = None;
                    Some(Drained::WriteFailed(error))
                }
            };
        }
        self.reader.is_some().then(|| self.read())
    }

    fn read(&mut self) -> Drained {
        let Some(reader) = &self.reader else { return Drained::End };
        let read = match &mut self.into {
            Into::Buffer { bytes, limit, populated, .. } => {
                if bytes.len() + CHUNK > *populated && bytes.len() >= LARGE {
                    bytes.reserve(CHUNK);
                    os::populate(bytes, AHEAD);
                    *populated = bytes.len() + AHEAD;
                }
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
                // The function is the host's: its panic must not take our processes along, or this thread.
                let received = catch_unwind(AssertUnwindSafe(|| {
                    if !buffer.is_empty() {
                        function(buffer);
                    }
                }));
                match received {
                    Ok(()) => read,
                    Err(_) => Err(io::Error::other("the function that receives it panicked")),
                }
            }
            Into::Relay(relay) => relay.refill(reader),
        };
        match read {
            Ok(0) => {
                self.reader = None;
                self.close_outlets_at_end();
                Drained::End
            }
            Ok(_) => Drained::Some,
            Err(error) => {
                self.reader = None;
                Drained::ReadFailed(error)
            }
        }
    }

    /// Whoever reads behind us must see the end as well.
    fn close_outlets_at_end(&mut self) {
        if let Into::Relay(relay) = &mut self.into
            && self.reader.is_none()
            && !relay.is_pending()
        {
            relay.outlets.clear();
        }
    }

    /// Takes what the pipe holds, without waiting for more, and closes it.
    pub fn empty(&mut self) -> Option<Drained> {
        let mut problem = None;
        // No more than a pipe can hold: somebody who was not reached may be writing on.
        for _ in 0..MOST_LEFT / ATOMIC {
            if !self.can_advance() {
                break;
            }
            match self.advance() {
                None | Some(Drained::Some) => {}
                Some(Drained::End) => break,
                other => {
                    problem = other;
                    break;
                }
            }
        }
        self.reader = None;
        problem
    }

    fn can_advance(&self) -> bool {
        match &self.into {
            Into::Relay(relay) if relay.is_pending() => relay.waiting().any(|outlet| os::is_writable(&outlet.fd)),
            _ => self.reader.as_ref().is_some_and(os::is_readable),
        }
    }

    /// What was captured, if this is a capture.
    pub fn into_captured(self) -> Option<(Channel, Vec<u8>)> {
        match self.into {
            Into::Buffer { channel, bytes, .. } => Some((channel, bytes)),
            Into::Function { .. } | Into::Relay(_) => None,
        }
    }
}

/// Output that goes on to other descriptors: `tee`.
struct Relay {
    outlets: Vec<Outlet>,
    /// Read, and not yet written to all outlets.
    pending: Vec<u8>,
}

struct Outlet {
    fd: OwnedFd,
    is_pipe: bool,
    /// How much of what is pending it has got.
    written: usize,
    /// Where the output goes, as opposed to a copy of it.
    is_main: bool,
}

impl Relay {
    fn is_pending(&self) -> bool {
        self.waiting().next().is_some()
    }

    fn waiting(&self) -> impl Iterator<Item = &Outlet> {
        self.outlets.iter().filter(|outlet| outlet.written < self.pending.len())
    }

    fn refill(&mut self, reader: &PipeReader) -> io::Result<usize> {
        self.pending.clear();
        for outlet in &mut self.outlets {
            outlet.written = 0;
        }
        os::read_append(reader, &mut self.pending, CHUNK)
    }

    /// Writes to the outlets that take something; `false` when nobody reads the main one any more.
    ///
    /// The descriptors may be shared with others, so that they cannot be made non-blocking: as much as a
    /// writable pipe takes for certain is written at a time, unless another has written into it meanwhile.
    fn write(&mut self) -> io::Result<bool> {
        for outlet in &mut self.outlets {
            let rest = &self.pending[outlet.written..];
            if rest.is_empty() || !os::is_writable(&outlet.fd) {
                continue;
            }
            let piece = &rest[..rest.len().min(ATOMIC)];
            let written = match outlet.is_pipe {
                true => os::write_without_waiting(&outlet.fd, piece),
                false => os::write_once(&outlet.fd, piece),
            };
            match written {
                Ok(n) => outlet.written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe && outlet.is_main => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
