//! The terminal: its size, whether what is typed is shown, and who may read from it.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use super::{check, duplicate_standard_stream, is_terminal, was_closed_at_start};

/// How many columns and rows a terminal has; `None` for what is none, or does not know.
pub(crate) fn terminal_size(fd: &impl AsRawFd) -> Option<(usize, usize)> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the structure is valid for writing, and all-zero is a valid value of it.
    let (result, size) =
        unsafe { (libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()), size.assume_init()) };
    (result == 0 && size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}

/// The terminal that a person would answer at: standard input where that is one, else the terminal of the
/// session, so that data can be piped into a script that asks. `None` where there is neither.
pub(crate) fn open_terminal() -> Option<OwnedFd> {
    if is_terminal(0) && !was_closed_at_start(0) {
        return duplicate_standard_stream(0).ok();
    }
    File::options().read(true).write(true).open("/dev/tty").ok().map(OwnedFd::from)
}

/// Whether the terminal listens to us: a process in the background would be stopped for reading.
pub(crate) fn has_foreground(terminal: &impl AsRawFd) -> bool {
    // SAFETY: only asks.
    let (ours, foreground) = unsafe { (libc::getpgrp(), libc::tcgetpgrp(terminal.as_raw_fd())) };
    // A terminal that is not that of our session has no say about it.
    foreground < 0 || ours == foreground
}

/// As long as it lives, what is typed is not shown.
pub(crate) struct HiddenInput<'t, T: AsRawFd> {
    terminal: &'t T,
    before: libc::termios,
}

impl<'t, T: AsRawFd> HiddenInput<'t, T> {
    /// What has been typed already was shown, and may be a part of something else: it is dropped.
    pub fn of(terminal: &'t T) -> io::Result<Self> {
        let mut before = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the structure is valid for writing, and filled when the call succeeds.
        let before = unsafe {
            check(libc::tcgetattr(terminal.as_raw_fd(), before.as_mut_ptr()))?;
            before.assume_init()
        };
        let mut hidden = before;
        hidden.c_lflag &= !libc::ECHO;
        // The end of the line is seen.
        hidden.c_lflag |= libc::ECHONL | libc::ICANON | libc::ISIG;
        // A process that is stopped here would leave the terminal to the shell without an echo.
        hidden.c_cc[libc::VSUSP] = libc::_POSIX_VDISABLE;
        // SAFETY: the state is complete.
        check(unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSAFLUSH, &hidden) })?;
        Ok(Self { terminal, before })
    }
}

impl<T: AsRawFd> Drop for HiddenInput<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the state came from tcgetattr.
        unsafe { libc::tcsetattr(self.terminal.as_raw_fd(), libc::TCSANOW, &self.before) };
    }
}
