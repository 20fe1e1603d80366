//! Writing to a command that runs.

use os_pipe::PipeWriter;

use crate::process::error::{Error, ErrorKind};
use crate::process::input::Writing;
use crate::process::os::{self, PollFd};
use crate::process::readers::Until;

use super::Execution;

impl Execution {
    /// Writes to its standard input, which must have been set to
    /// [`stdin_piped`](crate::process::Expression::stdin_piped). Blocks while the pipe is full.
    ///
    /// # Errors
    /// `WriteFailed` when the command reads no more, or has been told to end; `Misuse` when the input was not
    /// piped, or is finished.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.write_until(bytes, &Until::default())
    }

    /// The same within the surroundings of whoever writes.
    pub(crate) fn write_until(&self, bytes: &[u8], until: &Until) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() || bytes.is_empty() {
            // Not held while waiting, so that `finish_input` and `wait` are not kept.
            let writer = match self.0.input.now() {
                Writing::Open(writer) => writer,
                Writing::Cut => return Err(self.cannot_write(&no_reader())),
                Writing::Finished => {
                    let message = format!("the standard input of `{}` is not open for writing", self.0.command);
                    let help = "set .stdin_piped() before start(); after finish() nothing can be written";
                    return Err(self.about_input(Error::misuse(message, help)));
                }
            };
            if bytes.is_empty() {
                return Ok(());
            }
            match os::write_once(&*writer, rest) {
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.wait_for_room(&writer, until)?,
                Err(error) => return Err(self.cannot_write(&error)),
            }
        }
        Ok(())
    }

    /// Waits until the pipe takes something. A command that is over takes nothing any more, although
    /// somebody else may hold its pipe.
    fn wait_for_room(&self, writer: &PipeWriter, until: &Until) -> Result<(), Error> {
        let what = || format!("`{}` to read its input", self.0.command);
        until.check(&what()).map_err(|error| self.about_input(error))?;
        let mut fds = vec![PollFd::writable(writer)];
        fds.extend(self.0.over.as_deref().map(PollFd::readable));
        let others = fds.len();
        let unattended = self.0.readers.unattended(None);
        fds.extend(unattended.iter().map(|(_, pipe)| PollFd::readable(&**pipe)));
        fds.extend(until.cancel.reader().map(PollFd::readable));
        os::poll(&mut fds, until.left()).map_err(|error| self.cannot_write(&error))?;
        self.attend(&unattended, &fds[others..])?;
        match !fds[0].is_ready() && others > 1 && fds[1].is_ready() {
            true => Err(self.cannot_write(&no_reader())),
            false => Ok(()),
        }
    }

    fn cannot_write(&self, error: &std::io::Error) -> Error {
        self.about_input(Error::from_io(ErrorKind::WriteFailed, format!("cannot write to `{}`", self.0.command), error))
    }

    fn about_input(&self, error: Error) -> Error {
        self.0.identity.describe(error.at_stage(self.0.input_stage))
    }

    /// Ends its standard input. The second time it does nothing.
    pub fn finish_input(&self) {
        self.0.input.finish();
    }
}

fn no_reader() -> std::io::Error {
    std::io::Error::from_raw_os_error(os::EPIPE)
}
