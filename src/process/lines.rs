//! Output that is read while the command runs.

use std::io::Read;

use crate::text::{LineSplitter, TextError, TextFormat};

use super::error::{Error, ErrorKind};
use super::flow::CHUNK;
use super::output::Output;
use super::pump::{Pump, Turn};
use super::run::{held_open, not_text, read_stream};

/// The lines of a running command; see [`Expression::lines`](super::Expression::lines).
///
/// As an iterator it gives `Result<String, Error>`: the lines, then, when the command has failed, one
/// error, and then nothing more.
pub struct Lines {
    splitter: LineSplitter,
    source: Source,
}

impl Lines {
    pub(crate) fn new(pump: Pump, format: TextFormat) -> Self {
        Self { splitter: LineSplitter::new(format), source: Source::new(pump) }
    }

    /// Gives the next line to `use_line`, without a copy of it; `None` when the command has ended
    /// successfully.
    ///
    /// # Errors
    /// What ended the command, or why its output cannot be read as lines. After an error there is
    /// nothing more.
    pub fn next_with<T>(&mut self, use_line: impl FnOnce(&str) -> T) -> Result<Option<T>, Error> {
        // In an option because the loop cannot show the compiler that it is called once.
        let mut use_line = Some(use_line);
        loop {
            match self.splitter.next_line() {
                Ok(Some(line)) => return Ok(use_line.take().map(|use_line| use_line(line))),
                Ok(None) => {}
                Err(problem) => return Err(self.unreadable(problem)),
            }
            if !self.source.is_open() {
                return self.source.conclude().map(|()| None);
            }
            let splitter = &mut self.splitter;
            let more = self.source.fill(|stream| {
                let n = stream.read(splitter.space(CHUNK))?;
                splitter.filled(n);
                Ok(n)
            });
            if !more {
                self.splitter.finish();
            }
        }
    }

    fn unreadable(&mut self, problem: TextError) -> Error {
        let Some(expression) = self.source.give_up() else {
            return Error::new(ErrorKind::Misuse, "the lines have been read to their end");
        };
        match problem {
            TextError::Decode(problem) => not_text(&expression, &problem),
            TextError::LineTooLong(problem) => {
                let message = format!(
                    "line {} of the output of `{expression}` is longer than the limit of {} bytes",
                    problem.line, problem.limit
                );
                Error::new(ErrorKind::OutputLimit, message)
                    .with_help("raise it with .max_line(\"1MiB\"), or read the output with .chunks()")
                    .about(&expression.to_string(), &[], None)
            }
        }
    }

    /// Ends the command, whose remaining output is not wanted. Not a failure.
    pub fn close(&mut self) {
        self.source.give_up();
    }

    /// Whether there is nothing more to read.
    pub fn is_over(&self) -> bool {
        self.source.pump.is_none()
    }
}

impl Iterator for Lines {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over() {
            return None;
        }
        self.next_with(str::to_owned).transpose()
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

/// The output of a running command in pieces; see [`Expression::chunks`](super::Expression::chunks).
pub struct Chunks(Source);

impl Chunks {
    pub(crate) fn new(pump: Pump) -> Self {
        Self(Source::new(pump))
    }

    /// Ends the command, whose remaining output is not wanted. Not a failure.
    pub fn close(&mut self) {
        self.0.give_up();
    }
}

impl Iterator for Chunks {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::new();
        if self.0.is_open() && self.0.fill(|stream| read_stream(stream, &mut chunk)) {
            return Some(Ok(chunk));
        }
        self.0.conclude().err().map(Err)
    }
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}

/// The pump behind a stream, until its end.
struct Source {
    pump: Option<Pump>,
    read_failure: Option<std::io::Error>,
}

impl Source {
    fn new(pump: Pump) -> Self {
        Self { pump: Some(pump), read_failure: None }
    }

    fn is_open(&self) -> bool {
        self.pump.as_ref().is_some_and(|pump| pump.stream().is_some())
    }

    /// Waits for output and takes it with `read`; `false` at the end.
    fn fill(&mut self, read: impl FnOnce(&mut os_pipe::PipeReader) -> std::io::Result<usize>) -> bool {
        let Some(pump) = &mut self.pump else { return false };
        let at_end = match pump.turn() {
            // What a command wrote before it was ended early may still be in the pipe.
            Turn::Over if !pump.stream().is_some_and(super::os::is_readable) => true,
            _ => match pump.stream_mut().map(read) {
                Some(Ok(n)) => n == 0,
                Some(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => return self.is_open(),
                Some(Err(error)) => {
                    self.read_failure = Some(error);
                    true
                }
                None => true,
            },
        };
        if at_end {
            pump.close_stream();
        }
        !at_end
    }

    /// How the command ended, once its output is at its end. The second time, nothing.
    fn conclude(&mut self) -> Result<(), Error> {
        let Some(pump) = self.pump.take() else { return Ok(()) };
        let expression = pump.expression().clone();
        let (output, failure) = pump.finish();
        if let Some(error) = self.read_failure.take() {
            let what = format!("cannot read the output of `{expression}`");
            return Err(Error::from_io(ErrorKind::ReadFailed, what, &error).with_output(output));
        }
        match failure {
            Some(error) => Err(error),
            None if output.held_open => Err(held_open(&expression).with_output(output)),
            None => Ok(()),
        }
    }

    fn give_up(&mut self) -> Option<super::expression::Expression> {
        let mut pump = self.pump.take()?;
        let expression = pump.expression().clone();
        pump.abandon();
        let _: (Output, Option<Error>) = pump.finish();
        Some(expression)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.give_up();
    }
}
