//! Starting a command: resolve every program, open every file, then spawn from left to right.
//!
//! What can fail without a process fails before the first process exists.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use os_pipe::{PipeReader, PipeWriter};
use shared_child::SharedChild;

use super::cancel::CancelToken;
use super::context::{Context, HostStream};
use super::error::{Error, ErrorKind};
use super::expression::{Command, Expression};
use super::plan::{Channel, Joint, Sink, SinkKind, Source, StagePlan, Streams, lay_out};
use super::program::{self, explain_failure};
use super::pump::{Drain, Feeder, Pump, Running, Stop};
use super::quote::quote_argument;
use super::settings::{DEFAULT_GRACE, DEFAULT_LIMIT, Scoped};
use super::tree::Tree;
use super::{os, reaper};

/// Where the streams of a command point when it says nothing itself: what makes one verb differ
/// from another.
pub(crate) struct Defaults {
    pub stdin: Source,
    pub stdout: SinkKind,
    pub stderr: SinkKind,
    /// Whether the command runs beside the caller, who therefore keeps the terminal.
    pub background: bool,
}

/// The settings that the whole command has from its last stage.
pub(crate) struct Started {
    pub pump: Pump,
    pub scoped: Scoped,
    /// The pipe to standard input, when the command asked for one.
    pub input: Option<PipeWriter>,
}

pub(crate) fn start(expression: &Expression, defaults: Defaults) -> Result<Started, Error> {
    let context = expression.settings.context.clone().unwrap_or_default();
    reaper::sweep();
    if context.cancel.is_cancelled() {
        let error = Error::new(ErrorKind::Cancelled, format!("`{expression}` was not started: cancelled"));
        return Err(with_command(error, expression));
    }
    let background = defaults.background;
    let streams = Streams {
        stdin: Rc::new(defaults.stdin),
        stdout: Sink::new(defaults.stdout),
        stderr: Sink::new(defaults.stderr),
    };
    let stages = lay_out(expression, streams)?;
    let prepared = stages.into_iter().map(|stage| Prepared::new(stage, &context)).collect::<Result<Vec<_>, _>>();
    let mut prepared = prepared.map_err(|error| with_command(error, expression))?;

    let timeout = prepared.iter().filter_map(|stage| stage.plan.scoped.timeout).min();
    let scoped = prepared.last().map(|stage| stage.plan.scoped.clone()).unwrap_or_default();
    let mut opener = Opener::new(&context, scoped.limit.unwrap_or(DEFAULT_LIMIT), timeout);
    let opened = opener.open_all(&mut prepared);
    opened.map_err(|error| with_command(error, expression))?;

    if let Some(hook) = &context.before_start {
        hook();
    }
    let started = Instant::now();
    let own_group = background || !os::has_controlling_terminal();
    let mut children: Vec<SharedChild> = Vec::with_capacity(prepared.len());
    let mut running = Vec::with_capacity(prepared.len());
    let mut group = None;
    for (index, stage) in prepared.into_iter().enumerate() {
        let group_setting = own_group.then_some(group);
        match stage.spawn(&mut opener, &context, group_setting) {
            Ok((child, info)) => {
                if own_group && group.is_none() {
                    group = Some(child.id());
                }
                running.push(Running::new(child.id(), info));
                children.push(child);
            }
            Err(error) => {
                abandon(children, group);
                return Err(with_command(error.at_stage(index), expression));
            }
        }
    }
    let tree = Arc::new(Tree::new(children, group));
    let Opener { feeder, drains, stream, input, .. } = opener;
    let stop = Stop {
        cancel: context.cancel.clone(),
        request: CancelToken::never(),
        deadline: timeout.and_then(|timeout| started.checked_add(timeout)),
        timeout,
        grace: scoped.grace.or(context.grace).unwrap_or(DEFAULT_GRACE),
    };
    let pump = Pump::new(expression.clone(), tree, running, feeder, drains, stream, stop, started);
    Ok(Started { pump, scoped, input })
}

/// The stages that are running already when a later one cannot be started.
fn abandon(children: Vec<SharedChild>, group: Option<u32>) {
    if children.is_empty() {
        return;
    }
    let tree = Arc::new(Tree::new(children, group));
    tree.signal_all(os::SIGKILL);
    for pid in tree.pids() {
        let _ = os::peek_ending(pid, true);
    }
    tree.reap();
}

fn with_command(error: Error, expression: &Expression) -> Error {
    error.about(&expression.to_string(), &[], None)
}

/// What is remembered of a stage, for reports.
#[derive(Debug, Clone)]
pub(crate) struct StageInfo {
    pub command: Arc<Command>,
    pub scoped: Scoped,
    pub program: PathBuf,
    pub dir: Option<PathBuf>,
}

impl StageInfo {
    /// The shell line of the stage, or the name that it was given.
    pub fn shown(&self) -> String {
        self.scoped.name.clone().unwrap_or_else(|| self.command.shell_line())
    }

    pub fn describe(&self, error: Error) -> Error {
        let argv = self.command.argv(self.scoped.arg0.as_deref());
        let shown = self.shown();
        error.about(&shown, &argv, self.dir.as_deref())
    }
}

/// A stage whose program, directory and environment have been found to be in order.
struct Prepared {
    plan: StagePlan,
    program: PathBuf,
    dir: Option<PathBuf>,
}

impl Prepared {
    fn new(mut plan: StagePlan, context: &Context) -> Result<Self, Error> {
        plan.scoped.env = context.env.merged_with(&plan.scoped.env);
        let dir = match plan.scoped.dir.as_ref().or(context.dir.as_ref()) {
            Some(dir) => Some(context.absolute(dir)?),
            None => None,
        };
        let mut stage = Self { plan, program: PathBuf::new(), dir };
        match stage.check(context) {
            Ok(program) => {
                stage.program = program;
                Ok(stage)
            }
            Err(error) => Err(stage.info().describe(error)),
        }
    }

    fn check(&self, context: &Context) -> Result<PathBuf, Error> {
        let Command { program, arguments } = &*self.plan.command;
        if let Some(position) = arguments.iter().position(|a| a.as_encoded_bytes().contains(&0)) {
            let message = format!("argument {} of `{}` holds a NUL byte", position + 1, program.as_os_str().display());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.plan.scoped.env.validate()?;
        // The working directory may have been deleted; only a relative program needs it.
        let base = context.base_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let program = program.resolve(&self.plan.scoped.env, &base)?;
        match self.plan.scoped.dir.as_ref().and(self.dir.as_deref()).and_then(program::directory_problem) {
            Some(problem) => Err(problem),
            None => Ok(program),
        }
    }

    fn info(&self) -> StageInfo {
        StageInfo {
            command: self.plan.command.clone(),
            scoped: self.plan.scoped.clone(),
            program: self.program.clone(),
            dir: self.dir.clone(),
        }
    }

    fn spawn(
        self,
        opener: &mut Opener,
        context: &Context,
        group: Option<Option<u32>>,
    ) -> Result<(SharedChild, StageInfo), Error> {
        let info = self.info();
        let mut command = std::process::Command::new(&info.program);
        let argv = info.command.argv(info.scoped.arg0.as_deref());
        os::set_arg0(&mut command, &argv[0]);
        command.args(&argv[1..]);
        if let Some(dir) = &info.dir {
            command.current_dir(dir);
        }
        info.scoped.env.apply_to(&mut command);
        if let Some(group) = group {
            os::set_process_group(&mut command, group);
        }
        let Streams { stdin, stdout, stderr } = self.plan.streams;
        command.stdin(opener.stdin(stdin)?);
        command.stdout(opener.output(stdout, Channel::Stdout)?);
        command.stderr(opener.output(stderr, Channel::Stderr)?);
        if !context.owns_process && os::would_inherit_state() {
            let env = &info.scoped.env;
            let environment = (!env.is_empty()).then(|| env.resolved().into_iter().collect());
            os::isolate(&mut command, &info.program, &argv, environment)
                .map_err(|error| Error::from_io(ErrorKind::SpawnFailed, "cannot prepare the command", &error))?;
        }
        match spawn_retrying(&mut command) {
            Ok(child) => Ok((child, info)),
            Err(error) => Err(info.describe(explain_failure(&info.program, info.dir.as_deref(), &error))),
        }
    }
}

/// Starts the process. Two refusals pass by themselves: the program file is open for writing in a
/// process that another thread has just forked (golang/go#22315), and the process table is full.
fn spawn_retrying(command: &mut std::process::Command) -> io::Result<SharedChild> {
    let mut pause = Duration::from_millis(1);
    loop {
        match SharedChild::spawn(command) {
            Err(error)
                if matches!(error.raw_os_error(), Some(os::ETXTBSY | os::EAGAIN))
                    && pause < Duration::from_millis(64) =>
            {
                std::thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

/// Opens what the stages read and write, and keeps our ends.
struct Opener<'a> {
    context: &'a Context,
    limit: u64,
    give_up: Option<Instant>,
    feeder: Option<Feeder>,
    drains: Vec<Drain>,
    stream: Option<PipeReader>,
    input: Option<PipeWriter>,
    /// The files that are read, by identity: a command must not empty its own input.
    inputs: Vec<(File, PathBuf)>,
}

impl<'a> Opener<'a> {
    fn new(context: &'a Context, limit: u64, timeout: Option<Duration>) -> Self {
        Self {
            context,
            limit,
            give_up: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            feeder: None,
            drains: Vec::new(),
            stream: None,
            input: None,
            inputs: Vec::new(),
        }
    }

    /// Inputs first: a missing input file must not cost an output file its contents.
    fn open_all(&mut self, stages: &mut [Prepared]) -> Result<(), Error> {
        for stage in stages.iter_mut() {
            if let Source::Path(path) = &*stage.plan.streams.stdin {
                let file = self.open_input(path)?;
                stage.plan.streams.stdin = Rc::new(Source::File(Arc::new(file)));
            }
        }
        for stage in stages.iter() {
            self.open_sink(&stage.plan.streams.stdout)?;
            self.open_sink(&stage.plan.streams.stderr)?;
        }
        Ok(())
    }

    fn open_input(&mut self, path: &Path) -> Result<File, Error> {
        let path = self.context.absolute(path)?;
        let failed = |error: &io::Error| {
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
            SinkKind::Null => return Ok(()),
            SinkKind::Host(channel) => match self.host(*channel) {
                HostStream::Inherit | HostStream::Null => return Ok(()),
                HostStream::Sink(function) => {
                    let (reader, writer) = pipe()?;
                    self.drains.push(Drain::to_function(reader, function));
                    writer.into()
                }
            },
            SinkKind::Create(path) => self.open_output(path, false)?.into(),
            SinkKind::Append(path) => self.open_output(path, true)?.into(),
            SinkKind::File(file) => duplicate(file)?,
            SinkKind::Capture(channel) => {
                let (reader, writer) = pipe()?;
                self.drains.push(Drain::to_buffer(reader, *channel, self.limit));
                writer.into()
            }
            SinkKind::Stream => {
                let (reader, writer) = pipe()?;
                if self.stream.replace(reader).is_some() {
                    let message = "only one stream of a command can be read while it runs";
                    return Err(Error::new(ErrorKind::DoublyRedirected, message));
                }
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

    fn host(&self, channel: Channel) -> HostStream {
        match channel {
            Channel::Stdout => self.context.stdout.clone(),
            Channel::Stderr => self.context.stderr.clone(),
        }
    }

    fn open_output(&self, path: &Path, append: bool) -> Result<File, Error> {
        let path = self.context.absolute(path)?;
        if let Some((_, input)) = self.inputs.iter().find(|(file, _)| os::is_same_file(file, &path)) {
            let message = format!("`{}` is both read and written by the same command", input.display());
            let error = Error::new(ErrorKind::InvalidArgument, message);
            return Err(error.with_help("write to another file, and move it over the first when the command has ended"));
        }
        loop {
            match os::open_for_writing(&path, append) {
                Ok(Some(file)) => return Ok(file),
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

    /// What the child gets as standard input.
    fn stdin(&mut self, source: Rc<Source>) -> Result<Stdio, Error> {
        Ok(match &*source {
            Source::Null => Stdio::null(),
            Source::Inherit => Stdio::inherit(),
            // Opened by `open_all`.
            Source::Path(path) => Stdio::from(self.open_input(path)?),
            Source::File(file) => Stdio::from(duplicate(file)?),
            Source::Bytes(bytes) => {
                let (reader, writer) = pipe()?;
                self.feeder = Feeder::new(writer, bytes.clone())?;
                Stdio::from(reader)
            }
            Source::Joint(joint) => reading_end(joint),
            Source::Piped => {
                let (reader, writer) = pipe()?;
                self.input = Some(writer);
                Stdio::from(reader)
            }
        })
    }

    /// What the child gets as standard output or error.
    fn output(&mut self, sink: Rc<Sink>, slot: Channel) -> Result<Stdio, Error> {
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
        let number = if channel == Channel::Stdout { 1 } else { 2 };
        os::duplicate_standard_stream(number)
            .map(Stdio::from)
            .map_err(|error| Error::from_io(ErrorKind::Resource, "cannot duplicate a standard stream", &error))
    }
}

/// The right stage may have been given other input: then nobody reads the pipe, and the left stage
/// finds that out as it would in a shell.
fn reading_end(joint: &Joint) -> Stdio {
    joint.0.take().map_or_else(Stdio::null, Stdio::from)
}

fn pipe() -> Result<(PipeReader, PipeWriter), Error> {
    os_pipe::pipe().map_err(|error| Error::from_io(ErrorKind::Resource, "cannot make a pipe", &error))
}

fn duplicate(fd: &impl std::os::fd::AsFd) -> Result<OwnedFd, Error> {
    let duplicate = fd.as_fd().try_clone_to_owned();
    duplicate.map_err(|error| Error::from_io(ErrorKind::Resource, "cannot duplicate a descriptor", &error))
}
