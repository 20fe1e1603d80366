//! From the tree of an expression to a flat list of stages, each knowing where its streams point.
//!
//! As in Duct, a context that says where the three streams point walks down the tree: redirections
//! change it, a pipeline hands copies to its stages. That is why `(a | b).stderr_to_stdout()` sends
//! the errors of both to the pipeline's output, and `a.stderr_to_stdout() | b` sends those of `a`
//! into the pipe.

use std::cell::{Cell, OnceCell, RefCell};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use os_pipe::PipeReader;

use super::descriptor::duplicate_number;
use super::error::{Error, ErrorKind};
use super::expression::{Command, Expression, Node};
use super::redirect::{Input, Items, Redirect, Supplied};
use super::settings::Scoped;
use super::stream::OutputStream;

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Stdout,
    Stderr,
}

/// Where a stage reads.
#[derive(Debug)]
pub(crate) enum Source {
    Null,
    Inherit,
    Path(PathBuf),
    File(Arc<File>),
    Bytes(Supplied),
    Items(Items),
    Joint(Rc<Joint>),
    Piped,
    /// The output of a command that is running already.
    Stream(OutputStream),
}

/// Where a stage writes. Streams that point to the same place share one value, so that they end up
/// on one descriptor and keep the order of what is written.
#[derive(Debug)]
pub(crate) struct Sink {
    pub kind: SinkKind,
    /// The descriptor for the child, once opened.
    pub writer: OnceCell<OwnedFd>,
    /// The least that the stages which write here allow to be captured.
    pub limit: Cell<Option<u64>>,
}

#[derive(Debug)]
pub(crate) enum SinkKind {
    Null,
    /// The stream of the context.
    Host(Channel),
    Create(PathBuf),
    Append(PathBuf),
    File(Arc<File>),
    Capture(Channel),
    /// A copy into a file, and the rest of the way.
    Tee {
        path: PathBuf,
        inner: Rc<Sink>,
    },
    /// Read by the caller while the command runs.
    Stream(Channel),
    Joint(Rc<Joint>),
}

/// A kernel pipe between two stages; the reading end waits here for the right one.
#[derive(Debug, Default)]
pub(crate) struct Joint(pub RefCell<Option<PipeReader>>);

impl Sink {
    fn is_limited_to(&self, limit: Option<u64>) {
        self.limit.set(self.limit.get().into_iter().chain(limit).min());
        if let SinkKind::Tee { inner, .. } = &self.kind {
            inner.is_limited_to(limit);
        }
    }

    pub fn new(kind: SinkKind) -> Rc<Self> {
        Rc::new(Self { kind, writer: OnceCell::new(), limit: Cell::default() })
    }

    /// Whether what is written here gets to `target`.
    pub fn leads_to(self: &Rc<Self>, target: &Rc<Self>) -> bool {
        Rc::ptr_eq(self, target) || matches!(&self.kind, SinkKind::Tee { inner, .. } if inner.leads_to(target))
    }

    /// The files by name that it leads to.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.kind {
            SinkKind::Create(path) | SinkKind::Append(path) => vec![path],
            SinkKind::Tee { path, inner } => [vec![path.as_path()], inner.paths()].concat(),
            _ => Vec::new(),
        }
    }

    /// Which stream of the command's holder this is, when it leads to one.
    fn stream(&self) -> Option<Channel> {
        match &self.kind {
            SinkKind::Stream(channel) => Some(*channel),
            SinkKind::Tee { inner, .. } => inner.stream(),
            _ => None,
        }
    }
}

/// Where the three streams point.
#[derive(Clone)]
pub(crate) struct Streams {
    pub stdin: Rc<Source>,
    pub stdout: Rc<Sink>,
    pub stderr: Rc<Sink>,
}

/// One process to start.
pub(crate) struct StagePlan {
    pub command: Arc<Command>,
    pub scoped: Scoped,
    pub streams: Streams,
    /// Whether the timeouts are its own, and not those of a pipeline around it.
    pub own_timeout: bool,
    pub own_idle_timeout: bool,
}

/// The stages of `expression`, from left to right; its streams point to these places when it does not
/// say otherwise.
pub(crate) fn lay_out(
    expression: &Expression,
    stdin: Source,
    stdout: SinkKind,
    stderr: SinkKind,
) -> Result<Vec<StagePlan>, Error> {
    let mut walk = Walk { stages: Vec::with_capacity(1), shared: Vec::new() };
    let streams = Streams { stdin: Rc::new(stdin), stdout: walk.sink(stdout), stderr: walk.sink(stderr) };
    walk.visit(expression, streams, &Scoped::default())?;
    Ok(walk.stages)
}

/// The streams that whoever starts a command gets a handle to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handles {
    None,
    Stdout,
    All,
}

impl Handles {
    fn has(self, channel: Channel) -> bool {
        self == Self::All || (self == Self::Stdout && channel == Channel::Stdout)
    }

    /// A stream that was set to be piped, and that nobody could read or write, is a mistake: its command
    /// would die of SIGPIPE, or find its input empty.
    pub fn check(self, stages: &[StagePlan]) -> Result<(), Error> {
        for (index, StagePlan { command, scoped, streams, .. }) in stages.iter().enumerate() {
            let mut outputs = [&streams.stdout, &streams.stderr].into_iter().filter_map(|sink| sink.stream());
            let (stream, setting, use_it) = match outputs.find(|channel| !self.has(*channel)) {
                Some(Channel::Stdout) => ("output", "stdout_piped", "read"),
                Some(Channel::Stderr) => ("error", "stderr_piped", "read"),
                None if matches!(*streams.stdin, Source::Piped) && self != Self::All => {
                    ("input", "stdin_piped", "write to")
                }
                None => continue,
            };
            let message = format!("standard {stream} is set to be piped, and nobody could {use_it} it");
            let help =
                format!("a handle to it comes from start() and from run() with a closure; else leave out .{setting}()");
            let argv = command.shown_argv(scoped.arg0.as_deref());
            return Err(Error::misuse(message, help).at_stage(index).with_argv(argv));
        }
        Ok(())
    }
}

/// What can be used once, and has been used or is meant for two stages, is refused before any of them begins: no
/// process runs in vain, and the source of a stream does not lose its reader.
pub(crate) fn check_inputs<'s>(inputs: impl Iterator<Item = &'s Source> + Clone) -> Result<(), Error> {
    for (stage, input) in inputs.clone().enumerate() {
        let is_second = inputs.clone().take(stage).any(|earlier| earlier.is_same(input));
        input.check(is_second).map_err(|error| error.at_stage(stage))?;
    }
    Ok(())
}

impl Source {
    fn check(&self, is_second: bool) -> Result<(), Error> {
        match self {
            Self::Stream(stream) if is_second => Err(stream.given_twice()),
            Self::Stream(stream) => stream.check(),
            Self::Items(_) if is_second => {
                let message = "the input of this command is that of an earlier stage, and can be used once";
                Err(Error::misuse(message, "give each its own with .stdin()"))
            }
            Self::Items(items) => items.check(),
            Self::Piped if is_second => {
                let message = "two stages of a pipeline cannot both have their input piped";
                Err(Error::new(ErrorKind::DoublyRedirected, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a use of the one is a use of the other.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stream(one), Self::Stream(other)) => one.is_same(other),
            (Self::Items(one), Self::Items(other)) => one.is_same(other),
            (Self::Piped, Self::Piped) => true,
            _ => false,
        }
    }
}

/// The walk down the tree.
struct Walk {
    stages: Vec<StagePlan>,
    /// Sinks that are one place however many stages point there: a capture, a stream, a stream of the
    /// context.
    shared: Vec<Rc<Sink>>,
}

impl Walk {
    fn sink(&mut self, kind: SinkKind) -> Rc<Sink> {
        let is_same = |sink: &&Rc<Sink>| match (&sink.kind, &kind) {
            (SinkKind::Capture(one), SinkKind::Capture(other))
            | (SinkKind::Stream(one), SinkKind::Stream(other))
            | (SinkKind::Host(one), SinkKind::Host(other)) => one == other,
            _ => false,
        };
        if let Some(sink) = self.shared.iter().find(is_same) {
            return sink.clone();
        }
        let is_shared = matches!(kind, SinkKind::Capture(_) | SinkKind::Stream(_) | SinkKind::Host(_));
        let sink = Sink::new(kind);
        if is_shared {
            self.shared.push(sink.clone());
        }
        sink
    }

    fn visit(&mut self, expression: &Expression, streams: Streams, outer: &Scoped) -> Result<(), Error> {
        let scoped = outer.merged_with(&expression.settings.scoped);
        let mut own = self.redirected(expression, streams.clone()).map_err(|error| self.place(error, expression))?;
        if let Some(Input::Command(source)) = &expression.settings.redirects.stdin {
            let joint = Rc::new(Joint::default());
            let stdout = Sink::new(SinkKind::Joint(joint.clone()));
            // What this node says about its streams is not said about the command to its left.
            self.inner(source, Streams { stdout, ..streams }, outer)?;
            own.stdin = Rc::new(Source::Joint(joint));
        }
        match &expression.node {
            Node::Command(command) => {
                own.stdout.is_limited_to(scoped.limit);
                own.stderr.is_limited_to(scoped.limit);
                let Scoped { timeout, idle_timeout, .. } = &expression.settings.scoped;
                let (own_timeout, own_idle_timeout) = (timeout.is_some(), idle_timeout.is_some());
                let command = command.clone();
                self.stages.push(StagePlan { command, scoped, streams: own, own_timeout, own_idle_timeout });
            }
            Node::Pipeline(parts) => {
                let mut stdin = own.stdin.clone();
                for (index, part) in parts.iter().enumerate() {
                    let last = index + 1 == parts.len();
                    let joint = Rc::new(Joint::default());
                    let stdout = match last {
                        true => own.stdout.clone(),
                        false => Sink::new(SinkKind::Joint(joint.clone())),
                    };
                    self.inner(part, Streams { stdin, stdout, stderr: own.stderr.clone() }, &scoped)?;
                    stdin = Rc::new(Source::Joint(joint));
                }
            }
        }
        Ok(())
    }

    /// What is wrong with the streams of a command is the fault of the stage that it will be.
    fn place(&self, error: Error, expression: &Expression) -> Error {
        let Node::Command(command) = &expression.node else { return error };
        let stage = self.stages.len() + expression.stage_count() - 1;
        error.at_stage(stage).with_argv(command.shown_argv(expression.settings.scoped.arg0.as_deref()))
    }

    /// A part of the whole. The surroundings are those of the whole.
    fn inner(&mut self, part: &Expression, streams: Streams, outer: &Scoped) -> Result<(), Error> {
        if part.settings.context.is_some() {
            let message = format!("`{part}` has surroundings of its own, inside a pipeline");
            return Err(Error::misuse(message, "give them to the whole pipeline: .within(&context)"));
        }
        self.visit(part, streams, outer)
    }

    fn redirected(&mut self, expression: &Expression, mut streams: Streams) -> Result<Streams, Error> {
        let redirects = &expression.settings.redirects;
        if let Some(input) = &redirects.stdin
            && let Some(source) = source_of(input)?
        {
            streams.stdin = Rc::new(source);
        }
        if let (Some(Redirect::ToOther), Some(Redirect::ToOther)) = (&redirects.stdout, &redirects.stderr) {
            let message = "standard output and standard error are each redirected to the other";
            let error = Error::new(ErrorKind::DoublyRedirected, message);
            return Err(error.with_help("to exchange them, use swap_outputs()"));
        }
        if let Some(kind) = redirects.stdout.as_ref().and_then(|r| sink_of(r, Channel::Stdout).transpose()) {
            streams.stdout = self.sink(kind?);
        }
        if let Some(kind) = redirects.stderr.as_ref().and_then(|r| sink_of(r, Channel::Stderr).transpose()) {
            streams.stderr = self.sink(kind?);
        }
        // After the others, so that `2>&1` follows standard output wherever it was sent.
        if let Some(Redirect::ToOther) = redirects.stdout {
            streams.stdout = streams.stderr.clone();
        }
        if let Some(path) = &redirects.tee {
            streams.stdout = Sink::new(SinkKind::Tee { path: path.clone(), inner: streams.stdout.clone() });
        }
        if let Some(Redirect::ToOther) = redirects.stderr {
            streams.stderr = streams.stdout.clone();
        }
        if redirects.swap {
            std::mem::swap(&mut streams.stdout, &mut streams.stderr);
        }
        Ok(streams)
    }
}

fn source_of(input: &Input) -> Result<Option<Source>, Error> {
    Ok(Some(match input {
        Input::Null => Source::Null,
        Input::Inherit => Source::Inherit,
        Input::Path(path) => Source::Path(path.clone()),
        Input::File(file) => Source::File(file.clone()),
        Input::Bytes(bytes) => Source::Bytes(bytes.clone()),
        Input::Items(items) => Source::Items(items.clone()),
        Input::Piped => Source::Piped,
        Input::Number(number) => Source::File(Arc::new(duplicate_number(*number)?.into())),
        Input::Stream(stream) => Source::Stream(stream.clone()),
        Input::Command(_) => return Ok(None),
    }))
}

fn sink_of(redirect: &Redirect, channel: Channel) -> Result<Option<SinkKind>, Error> {
    Ok(Some(match redirect {
        Redirect::Null => SinkKind::Null,
        Redirect::Inherit => SinkKind::Host(channel),
        Redirect::Path(path) => SinkKind::Create(path.clone()),
        Redirect::Append(path) => SinkKind::Append(path.clone()),
        Redirect::File(file) => SinkKind::File(file.clone()),
        Redirect::Capture => SinkKind::Capture(channel),
        Redirect::Number(number) => SinkKind::File(Arc::new(duplicate_number(*number)?.into())),
        Redirect::Piped => SinkKind::Stream(channel),
        Redirect::ToOther => return Ok(None),
    }))
}
