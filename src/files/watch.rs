//! What may end work that takes long: a signal, a deadline, a limit.

use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::process::{CancelToken, Error, ErrorKind, os};

/// Between two looks at what no descriptor tells.
const LOOK: Duration = Duration::from_millis(20);

/// Asked again and again by everything that may take long.
pub(crate) struct Watch<'a> {
    /// Whether the work must end.
    pub stops: &'a dyn Fn() -> bool,
    /// Becomes readable when it must.
    pub cancel: CancelToken,
}

impl Watch<'_> {
    pub fn check(&self) -> Result<(), Error> {
        match (self.stops)() {
            true => Err(Error::new(ErrorKind::Cancelled, "cancelled while working with files")),
            false => Ok(()),
        }
    }

    /// Waits until the next read does not block.
    pub fn wait_readable(&self, fd: &impl AsRawFd) -> Result<(), Error> {
        self.wait(os::PollFd::readable(fd))
    }

    /// Waits until the next small write does not block.
    pub fn wait_writable(&self, fd: &impl AsRawFd) -> Result<(), Error> {
        self.wait(os::PollFd::writable(fd))
    }

    fn wait(&self, wanted: os::PollFd) -> Result<(), Error> {
        loop {
            self.check()?;
            let mut fds = vec![wanted];
            fds.extend(self.cancel.reader().map(os::PollFd::readable));
            if os::poll(&mut fds, Some(LOOK)).is_err() {
                self.pause()?;
            }
            if fds[0].is_ready() {
                return Ok(());
            }
        }
    }

    /// A moment, for what cannot be waited for.
    pub fn pause(&self) -> Result<(), Error> {
        self.cancel.sleep(Duration::from_millis(10));
        self.check()
    }
}
