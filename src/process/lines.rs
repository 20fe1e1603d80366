//! Output that is read while the command runs.

use std::io;

use memchr::memmem::Finder;
use os_pipe::PipeReader;

use crate::text::{LineSplitter, TextError, TextFormat};

use super::cancel::CancelToken;
use super::drain::{CHUNK, MOST_LEFT};
use super::error::{Error, ErrorKind};
use super::output::Output;
use super::pump::{Pump, Turn};
use super::readers::Until;
use super::run::{held_open, not_text};
use super::stage::Identity;
use super::stream::StreamSource;
use super::tap::Incoming;

/// The lines of a running command; see [`Expression::lines`](super::Expression::lines).
///
/// As an iterator it gives `Result<String, Error>`: the lines, then, when the command has failed, one
/// error, and then nothing more.
pub struct Lines {
    splitter: LineSplitter,
    identity: Identity,
    source: Source,
    /// What the lines must hold for somebody to want them.
    part: Option<Finder<'static>>,
}

impl Lines {
    pub(crate) fn new(pump: Pump, format: TextFormat) -> Self {
        let identity = pump.identity().clone();
        let source = Source::Command(Box::new(CommandSource::new(pump)));
        Self { splitter: LineSplitter::new(format), identity, source, part: None }
    }

    pub(crate) fn of_stream(stream: StreamSource, format: TextFormat) -> Self {
        let identity = stream.identity.clone();
        Self { splitter: LineSplitter::new(format), identity, source: Source::of_stream(stream), part: None }
    }

    /// Says that nobody wants lines without this part: many of them are passed over, and some may still come.
    pub(crate) fn prefer_containing(&mut self, part: &str) {
        self.part = Some(Finder::new(part).into_owned());
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
        self.source.reads_here();
        loop {
            if let Some(part) = &self.part {
                self.splitter.skip_lines_without(part);
            }
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

    /// Passes over the lines that are here already and easy to tell apart; how many of them somebody may want.
    pub(crate) fn count_at_hand(&mut self) -> usize {
        self.splitter.count_at_hand(self.part.as_ref())
    }

    fn unreadable(&mut self, problem: TextError) -> Error {
        let what = self.source.what();
        let error = match problem {
            TextError::Decode(problem) => not_text(&what, &problem),
            TextError::LineTooLong(problem) => {
                let (line, limit) = (problem.line, problem.limit);
                let message = format!("line {line} of {what} is longer than the limit of {limit} bytes");
                Error::new(ErrorKind::OutputLimit, message)
                    .with_help("raise it with .max_line(\"1MiB\"), or read the output with .chunks()")
            }
        };
        self.source.give_up_because(error)
    }

    /// The command that is read.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Says what ends a wait for a stream of a command that somebody else waits for.
    pub(crate) fn wait_until(&mut self, until: Until) {
        self.source.wait_until(until);
    }

    /// What ends the command for who does not read just now; of a stream that others wait for, nothing.
    pub(crate) fn make_ender(&mut self) -> io::Result<CancelToken> {
        self.source.make_ender()
    }

    /// Ends the command, whose remaining output is not wanted. Not a failure.
    pub fn close(&mut self) {
        self.source.give_up();
    }

    /// Whether there is nothing more to read.
    pub fn is_over(&self) -> bool {
        self.source.is_over()
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
pub struct Chunks(Source, Identity);

impl Chunks {
    pub(crate) fn new(pump: Pump) -> Self {
        let identity = pump.identity().clone();
        Self(Source::Command(Box::new(CommandSource::new(pump))), identity)
    }

    pub(crate) fn of_stream(stream: StreamSource) -> Self {
        let identity = stream.identity.clone();
        Self(Source::of_stream(stream), identity)
    }

    /// The command that is read.
    pub(crate) fn identity(&self) -> &Identity {
        &self.1
    }

    /// As that of [`Lines`].
    pub(crate) fn wait_until(&mut self, until: Until) {
        self.0.wait_until(until);
    }

    /// As that of [`Lines`].
    pub(crate) fn make_ender(&mut self) -> io::Result<CancelToken> {
        self.0.make_ender()
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
        if self.0.is_open() && self.0.fill(|incoming| incoming.append_to(&mut chunk)) {
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

/// Where the bytes come from.
enum Source {
    /// A command that runs for the sake of its output, and whose end is the end of the stream.
    Command(Box<CommandSource>),
    /// A stream of a command that somebody else waits for; `None` at its end.
    Stream {
        source: Option<StreamSource>,
        /// Why reading stopped before the end.
        failure: Option<Error>,
    },
}

impl Source {
    fn of_stream(stream: StreamSource) -> Self {
        Self::Stream { source: Some(stream), failure: None }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Command(source) => source.pump.as_ref().is_some_and(|pump| pump.stream().is_some()),
            Self::Stream { source, .. } => source.as_ref().is_some_and(StreamSource::is_open),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Command(source) => source.pump.is_none(),
            Self::Stream { source, .. } => source.is_none(),
        }
    }

    /// A command that is read has its own surroundings, and is ended by them.
    fn wait_until(&mut self, until: Until) {
        if let Self::Stream { source: Some(source), .. } = self {
            source.until = until;
        }
    }

    fn make_ender(&mut self) -> io::Result<CancelToken> {
        match self {
            Self::Command(source) => source.pump.as_mut().map_or(Ok(CancelToken::never()), Pump::make_ender),
            Self::Stream { .. } => Ok(CancelToken::never()),
        }
    }

    /// Says that this thread reads, also where what it gets has been read before.
    fn reads_here(&self) {
        if let Self::Stream { source: Some(source), .. } = self {
            source.reads_here();
        }
    }

    /// What is read, for messages.
    fn what(&self) -> String {
        match self {
            Self::Command(source) => match &source.pump {
                Some(pump) => format!("the output of `{}`", pump.identity().command()),
                None => "the output".to_string(),
            },
            Self::Stream { source, .. } => {
                source.as_ref().map_or("the output".to_string(), |source| source.what().to_string())
            }
        }
    }

    /// Waits for output and takes it with `read`; `false` at the end.
    fn fill(&mut self, read: impl FnOnce(&mut Incoming) -> io::Result<usize>) -> bool {
        match self {
            Self::Command(source) => source.fill(|pipe| read(&mut Incoming::Pipe(pipe))),
            Self::Stream { source: Some(source), failure } => source.fill(read).unwrap_or_else(|error| {
                *failure = Some(error);
                false
            }),
            Self::Stream { source: None, .. } => false,
        }
    }

    /// What there is to say at the end. The second time, nothing.
    fn conclude(&mut self) -> Result<(), Error> {
        match self {
            Self::Command(source) => source.conclude(),
            Self::Stream { source, failure } => {
                let Some(source) = source.take() else { return Ok(()) };
                let error = match failure.take() {
                    Some(error) => error,
                    None if source.held_open => held_open(source.what()),
                    None => return Ok(()),
                };
                Err(source.identity.describe(error))
            }
        }
    }

    fn give_up(&mut self) {
        match self {
            Self::Command(source) => drop(source.give_up()),
            Self::Stream { source, .. } => *source = None,
        }
    }

    /// Ends it because of what was wrong with its output, which is that of the last stage.
    fn give_up_because(&mut self, error: Error) -> Error {
        match self {
            Self::Command(source) => match source.give_up() {
                Some(output) => error.at_stage(output.stages.len().checked_sub(1)).with_output(output),
                None => error,
            },
            Self::Stream { source, .. } => match source.take() {
                Some(source) => source.identity.describe(error),
                None => error,
            },
        }
    }
}

/// The pump behind a stream, until its end.
struct CommandSource {
    pump: Option<Pump>,
    read_failure: Option<io::Error>,
    /// How much is still taken after the command is over.
    left: usize,
}

impl CommandSource {
    fn new(pump: Pump) -> Self {
        Self { pump: Some(pump), read_failure: None, left: MOST_LEFT }
    }

    fn fill(&mut self, read: impl FnOnce(&PipeReader) -> io::Result<usize>) -> bool {
        let Some(pump) = &mut self.pump else { return false };
        let at_end = match pump.turn() {
            // What a command wrote before it was ended early may still be in the pipe; but not more than a
            // pipe holds, since somebody who was not reached may be writing on.
            Turn::Over if self.left == 0 || !pump.stream().is_some_and(super::os::is_readable) => true,
            turn => match pump.stream().map(read) {
                Some(Ok(n)) => {
                    if turn == Turn::Over {
                        self.left = self.left.saturating_sub(n);
                    }
                    pump.has_given(n);
                    n == 0
                }
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => false,
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

    fn conclude(&mut self) -> Result<(), Error> {
        let Some(pump) = self.pump.take() else { return Ok(()) };
        let what = format!("the output of `{}`", pump.identity().command());
        let (output, failure) = pump.finish();
        if let Some(error) = self.read_failure.take() {
            return Err(
                Error::from_io(ErrorKind::ReadFailed, format!("cannot read {what}"), &error).with_output(output)
            );
        }
        match failure {
            Some(error) => Err(error),
            None if output.held_open => Err(held_open(&what).with_output(output)),
            None => Ok(()),
        }
    }

    fn give_up(&mut self) -> Option<Output> {
        let mut pump = self.pump.take()?;
        pump.abandon();
        Some(pump.finish().0)
    }
}

impl Drop for CommandSource {
    fn drop(&mut self) {
        self.give_up();
    }
}
