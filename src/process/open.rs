//! Opening what the stages of a command read and write: files, pipes, our own streams.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use os_pipe::{PipeReader, PipeWriter};

use super::context::{Context, HostStream};
use super::descriptor::Extras;
use super::drain::Drain;
use super::error::{Error, ErrorKind};
use super::input::{Feeder, FeedingThread, feed};
use super::os;
use super::plan::{Channel, Joint, Sink, SinkKind, Source, Streams, check_inputs};
use super::quote::quote_argument;
use super::redirect::{BoxedItems, Feeding};
use super::settings::DEFAULT_LIMIT;
use super::stream::Gift;

/// Opens what the stages read and write, and keeps our ends.
pub(crate) struct Opener<'a> {
    context: &'a Context,
    give_up: Option<Instant>,
    /// Whether all output must pass through us, so that we see when there is none.
    watches_output: bool,
    /// Whose streams are being opened, when they are of one stage.
    pub stage: Option<usize>,
    pub feeders: Vec<Feeder>,
    /// What threads that feed input found wrong with it.
    pub feeding_threads: Vec<FeedingThread>,
    pub drains: Vec<Drain>,
    /// The pipes that the holder of the command reads: standard output, standard error.
    pub streams: [Option<PipeReader>; 2],
    pub input: Option<PipeWriter>,
    /// The stage whose input that is.
    pub input_stage: Option<usize>,
    /// Descriptors of the children above 2.
    pub extras: Extras,
    /// Files that are written from their start, and still have their contents.
    to_empty: Vec<File>,
    /// The files that are read, by identity: a command must not empty its own input.
    inputs: Vec<(File, PathBuf)>,
    /// The files that are written: who writes a second time to one shares its position.
    outputs: Vec<File>,
}

impl<'a> Opener<'a> {
    pub fn new(context: &'a Context, timeout: Option<Duration>, watches_output: bool) -> Self {
        Self {
            context,
            give_up: timeout
                .and_then(|timeout| Instant::now().checked_add(timeout))
                .into_iter()
                .chain(context.deadline)
                .min(),
            watches_output,
            stage: None,
            feeders: Vec::new(),
            feeding_threads: Vec::new(),
            drains: Vec::new(),
            streams: [None, None],
            input: None,
            input_stage: None,
            extras: Extras::default(),
            to_empty: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Inputs first: a missing input file must not cost an output file its contents.
    pub fn open_all<'s>(&mut self, stages: impl Iterator<Item = &'s mut Streams>) -> Result<(), Error> {
        let stages: Vec<_> = stages.collect();
        check_inputs(stages.iter().map(|streams| &*streams.stdin))?;
        self.refuse_circle(&stages)?;
        let mut outputs = Vec::new();
        for (index, streams) in stages.into_iter().enumerate() {
            if let Source::Path(path) = &*streams.stdin {
                let file = self.open_input(path).map_err(|error| error.at_stage(index))?;
                streams.stdin = Rc::new(Source::File(Arc::new(file)));
            }
            outputs.extend([(index, streams.stdout.clone()), (index, streams.stderr.clone())]);
        }
        let mut extras = std::mem::take(&mut self.extras);
        extras.open(self)?;
        self.extras = extras;
        for (_, sink) in &outputs {
            self.open_for_its_stage(sink, &outputs)?;
        }
        // Now that nothing can fail any more without a process.
        for file in self.to_empty.drain(..) {
            os::truncate(&file)
                .map_err(|error| Error::from_io(ErrorKind::WriteFailed, "cannot empty a file", &error))?;
        }
        Ok(())
    }

    /// A FIFO that the command both reads and writes would have it wait for itself, before it is even started.
    fn refuse_circle(&self, stages: &[&mut Streams]) -> Result<(), Error> {
        let [mut inputs, mut outputs] = self.extras.paths();
        for (index, streams) in stages.iter().enumerate() {
            inputs.extend(match &*streams.stdin {
                Source::Path(path) => Some((Some(index), path.as_path())),
                _ => None,
            });
            let sinks = [&streams.stdout, &streams.stderr].into_iter();
            outputs.extend(sinks.flat_map(|sink| sink.paths()).map(|path| (Some(index), path)));
        }
        let absolute = |path: &Path| self.context.absolute(path);
        for (stage, input) in inputs {
            let input = absolute(input)?;
            for (_, output) in &outputs {
                if os::is_same_fifo(&input, &absolute(output)?) {
                    let message =
                        format!("the FIFO `{}` is both read and written by the same command", input.display());
                    let error = Error::new(ErrorKind::InvalidArgument, message).at_stage(stage);
                    return Err(error.with_help("such a circle waits for itself: join its two ends with a pipe"));
                }
            }
        }
        Ok(())
    }

    /// What leads further comes after what it leads to, which may have other users.
    fn open_for_its_stage(&mut self, sink: &Rc<Sink>, outputs: &[(usize, Rc<Sink>)]) -> Result<(), Error> {
        if let SinkKind::Tee { inner, .. } = &sink.kind {
            self.open_for_its_stage(inner, outputs)?;
        }
        let mut users = outputs.iter().filter(|(_, output)| output.leads_to(sink)).map(|(stage, _)| *stage);
        self.stage = users.next().filter(|first| users.all(|stage| stage == *first));
        self.open_sink(sink).map_err(|error| error.at_stage(self.stage))
    }

    pub(super) fn open_input(&mut self, path: &Path) -> Result<File, Error> {
        let path = self.context.absolute(path)?;
        let failed = |error: &std::io::Error| {
            Error::from_io(ErrorKind::ReadFailed, format_args!("cannot read `{}`", path.display()), error)
        };
        let (file, is_fifo) = os::open_for_reading(&path).map_err(|error| failed(&error))?;
        // A FIFO needs somebody at the other end, or the child would find end of file at once.
        while is_fifo && !os::is_readable(&file) {
            self.may_wait(&path)?;
        }
        self.inputs.push((file.try_clone().map_err(|error| failed(&error))?, path));
        Ok(file)
    }

    /// The wait for somebody to open a FIFO ends with the command's timeout, or when it is cancelled.
    fn may_wait(&self, path: &Path) -> Result<(), Error> {
        let shown = path.display();
        if self.give_up.is_some_and(|end| Instant::now() >= end) {
            let message = format!("timed out: nobody opened the other end of the FIFO `{shown}`");
            return Err(Error::new(ErrorKind::TimedOut, message));
        }
        match self.context.cancel.sleep(Duration::from_millis(10)) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Cancelled, format!("cancelled while opening the FIFO `{shown}`"))),
        }
    }

    fn open_sink(&mut self, sink: &Rc<Sink>) -> Result<(), Error> {
        if sink.writer.get().is_some() {
            return Ok(());
        }
        let writer: OwnedFd = match &sink.kind {
            SinkKind::Null if self.watches_output => self.relay(None, Vec::new())?,
            SinkKind::Null => return Ok(()),
            SinkKind::Host(channel) => match self.host(*channel) {
                HostStream::Inherit if self.watches_output => {
                    self.relay(Some(standard_stream(*channel)?), Vec::new())?
                }
                HostStream::Inherit | HostStream::Null => return Ok(()),
                HostStream::Sink(function) => {
                    let (reader, writer) = pipe()?;
                    self.drain(Drain::to_function(reader, function));
                    writer.into()
                }
            },
            SinkKind::Tee { path, inner } => {
                let copy = self.open_output(path, false)?;
                let main = self.descriptor_of(inner)?;
                // What goes there already needs no copy.
                let is_main = self.context.absolute(path).is_ok_and(|path| leads_to(main.as_ref(), &path));
                self.relay(main, if is_main { Vec::new() } else { vec![copy.into()] })?
            }
            SinkKind::Create(path) => {
                let file = self.open_output(path, false)?.into();
                self.watched(file)?
            }
            SinkKind::Append(path) => {
                let file = self.open_output(path, true)?.into();
                self.watched(file)?
            }
            SinkKind::File(file) => self.watched(duplicate(file)?)?,
            SinkKind::Capture(channel) => {
                let (reader, writer) = pipe()?;
                self.drain(Drain::to_buffer(reader, *channel, sink.limit.get().unwrap_or(DEFAULT_LIMIT)));
                writer.into()
            }
            SinkKind::Stream(channel) => {
                let (reader, writer) = pipe()?;
                self.streams[*channel as usize] = Some(reader);
                writer.into()
            }
            SinkKind::Joint(joint) => {
                let (reader, writer) = pipe()?;
                joint.0.replace(Some(reader));
                writer.into()
            }
        };
        // Cannot be set already: looked at above.
        let _ = sink.writer.set(writer);
        Ok(())
    }

    /// A descriptor for output, through us when we have to see when there is none.
    fn watched(&mut self, output: OwnedFd) -> Result<OwnedFd, Error> {
        match self.watches_output {
            true => self.relay(Some(output), Vec::new()),
            false => Ok(output),
        }
    }

    /// A pipe whose contents we hand on.
    fn relay(&mut self, main: Option<OwnedFd>, copies: Vec<OwnedFd>) -> Result<OwnedFd, Error> {
        let (reader, writer) = pipe()?;
        self.drain(Drain::to_descriptors(reader, main, copies));
        Ok(writer.into())
    }

    fn drain(&mut self, mut drain: Drain) {
        drain.stage = self.stage;
        self.drains.push(drain);
    }

    /// Where a sink leads, as a descriptor of our own; `None` for nowhere.
    fn descriptor_of(&mut self, sink: &Rc<Sink>) -> Result<Option<OwnedFd>, Error> {
        self.open_sink(sink)?;
        match (sink.writer.get(), &sink.kind) {
            (Some(writer), _) => duplicate(writer).map(Some),
            (None, SinkKind::Host(channel)) if matches!(self.host(*channel), HostStream::Inherit) => {
                standard_stream(*channel).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn host(&self, channel: Channel) -> HostStream {
        match channel {
            Channel::Stdout => self.context.stdout.clone(),
            Channel::Stderr => self.context.stderr.clone(),
        }
    }

    pub(super) fn open_output(&mut self, path: &Path, append: bool) -> Result<File, Error> {
        let path = self.context.absolute(path)?;
        if let Some((_, input)) = self.inputs.iter().find(|(file, _)| os::is_same_file(file, &path)) {
            let message = format!("`{}` is both read and written by the same command", input.display());
            let error = Error::new(ErrorKind::InvalidArgument, message);
            return Err(error.with_help("write to another file, and move it over the first when the command has ended"));
        }
        loop {
            match os::open_for_writing(&path, append) {
                Ok(Some(file)) => {
                    let file = self.shared(file, &path)?;
                    if !append {
                        self.to_empty.push(duplicate(&file)?.into());
                    }
                    return Ok(file);
                }
                Ok(None) => self.may_wait(&path)?,
                Err(error) => {
                    let what = format!("cannot write `{}`", path.display());
                    let failure = Error::from_io(ErrorKind::WriteFailed, what, &error);
                    return Err(match path.parent().filter(|parent| !parent.exists()) {
                        Some(parent) => failure.with_help(format!(
                            "the directory does not exist; create it first: mkdir -p {}",
                            quote_argument(parent.as_os_str())
                        )),
                        None => failure,
                    });
                }
            }
        }
    }

    /// A file that the command has open for writing already is opened once: two positions in it would have one
    /// writer overwrite what the other has written.
    fn shared(&mut self, file: File, path: &Path) -> Result<File, Error> {
        if let Some(open) = self.outputs.iter().find(|open| os::is_same_file(open, path)) {
            return duplicate(open).map(File::from);
        }
        self.outputs.push(duplicate(&file)?.into());
        Ok(file)
    }

    /// What the child gets as standard input.
    pub fn stdin(&mut self, source: Rc<Source>) -> Result<Stdio, Error> {
        Ok(match &*source {
            Source::Null => Stdio::null(),
            Source::Inherit => Stdio::inherit(),
            // Opened by `open_all`.
            Source::Path(path) => Stdio::from(self.open_input(path)?),
            Source::File(file) => Stdio::from(duplicate(file)?),
            Source::Bytes(bytes) => {
                let (reader, writer) = pipe()?;
                self.feeders.extend(Feeder::new(writer, bytes.clone())?);
                Stdio::from(reader)
            }
            Source::Items(items) => self.fed(items.take()?, items.feeding.clone())?,
            Source::Joint(joint) => reading_end(joint),
            Source::Stream(stream) => match stream.give()? {
                Gift::Pipe(pipe) => Stdio::from(pipe),
                Gift::Pieces(pieces) => self.fed(Box::new(pieces), Feeding::default())?,
            },
            Source::Piped => {
                let (reader, writer) = pipe()?;
                self.input_stage = self.stage;
                self.input = Some(writer);
                Stdio::from(reader)
            }
        })
    }

    fn fed(&mut self, items: BoxedItems, feeding: Feeding) -> Result<Stdio, Error> {
        let (reader, writer) = pipe()?;
        self.feeding_threads.push(feed(items, feeding, writer, self.stage)?);
        Ok(Stdio::from(reader))
    }

    /// What the child gets as standard output or error.
    pub fn output(&mut self, sink: Rc<Sink>, slot: Channel) -> Result<Stdio, Error> {
        // The last user takes the descriptor; the others get duplicates.
        let sink = match Rc::try_unwrap(sink) {
            Ok(mut sink) => match sink.writer.take() {
                Some(writer) => return Ok(Stdio::from(writer)),
                None => Rc::new(sink),
            },
            Err(sink) => sink,
        };
        if let Some(writer) = sink.writer.get() {
            return duplicate(writer).map(Stdio::from);
        }
        let SinkKind::Host(channel) = sink.kind else { return Ok(Stdio::null()) };
        if matches!(self.host(channel), HostStream::Null) {
            return Ok(Stdio::null());
        }
        if channel == slot {
            return Ok(Stdio::inherit());
        }
        standard_stream(channel).map(Stdio::from)
    }
}

/// One of our standard streams, as a descriptor of its own.
fn standard_stream(channel: Channel) -> Result<OwnedFd, Error> {
    let number = if channel == Channel::Stdout { 1 } else { 2 };
    os::duplicate_standard_stream(number)
        .map_err(|error| Error::from_io(ErrorKind::Resource, "cannot duplicate a standard stream", &error))
}

/// The right stage may have been given other input: then nobody reads the pipe, and the left stage
/// finds that out as it would in a shell.
fn reading_end(joint: &Joint) -> Stdio {
    joint.0.take().map_or_else(Stdio::null, Stdio::from)
}

fn leads_to(fd: Option<&OwnedFd>, path: &Path) -> bool {
    let file = fd.and_then(|fd| fd.try_clone().ok()).map(File::from);
    file.is_some_and(|file| os::is_same_file(&file, path))
}

fn pipe() -> Result<(PipeReader, PipeWriter), Error> {
    os_pipe::pipe().map_err(|error| Error::from_io(ErrorKind::Resource, "cannot make a pipe", &error))
}

fn duplicate(fd: &impl std::os::fd::AsFd) -> Result<OwnedFd, Error> {
    let duplicate = fd.as_fd().try_clone_to_owned();
    duplicate.map_err(|error| Error::from_io(ErrorKind::Resource, "cannot duplicate a descriptor", &error))
}
