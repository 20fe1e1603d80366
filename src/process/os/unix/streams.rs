//! The standard streams of this process.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};

use super::wait::{PollFd, poll};

/// Whether a descriptor leads to a terminal.
pub(crate) fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: asks about a descriptor number only.
    unsafe { libc::isatty(fd) == 1 }
}

/// A duplicate of one of our standard streams, for a child's other stream.
pub(crate) fn duplicate_standard_stream(number: RawFd) -> io::Result<OwnedFd> {
    super::duplicate_descriptor(number, &[])
}

/// Which of the descriptors 0, 1, 2 were closed when the process started. Rust's start-up code
/// opens `/dev/null` in their place before `main`, so that a script would write into nothing and
/// succeed; this looks before that.
static CLOSED_AT_START: AtomicU8 = AtomicU8::new(0);

#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STANDARD_STREAMS: extern "C" fn() = {
    extern "C" fn look() {
        let mut closed = 0;
        for fd in 0..3 {
            // SAFETY: asks for flags only.
            if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
                closed |= 1 << fd;
            }
        }
        CLOSED_AT_START.store(closed, Ordering::Relaxed);
    }
    look
};

/// Whether descriptor 0, 1 or 2 was closed when the process started.
pub(crate) fn was_closed_at_start(fd: u8) -> bool {
    CLOSED_AT_START.load(Ordering::Relaxed) & (1 << fd) != 0
}

/// Writes all of `bytes` to a standard stream, past std's buffers, which hide the error of a closed
/// one. Waits when somebody made the descriptor non-blocking.
pub(crate) fn write_standard_stream(fd: RawFd, mut bytes: &[u8]) -> io::Result<()> {
    if was_closed_at_start(fd as u8) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    while !bytes.is_empty() {
        // SAFETY: the slice is valid for reading.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        if n >= 0 {
            bytes = &bytes[n as usize..];
            continue;
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error if error.kind() == io::ErrorKind::WouldBlock => poll(&mut [PollFd::writable(&fd)], None)?,
            error => return Err(error),
        }
    }
    Ok(())
}
