//! Commands and pipelines as values.

mod display;
mod streams;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::text::{Encoding, Malformed, Separators};

use super::context::Context;
use super::error::Error;
use super::program::Program;
use super::redirect::Input;
use super::settings::{Hook, Scoped, Settings};
use super::teardown::Teardown;

/// A command or a pipeline, with its settings: something that can be run, and has not been.
///
/// An expression is a value. Building it starts nothing, every method returns a new expression and
/// leaves the old one as it was, clones are cheap, and the same expression can be run many times.
/// A setting repeated on the same expression replaces the earlier one; a setting on a pipeline holds
/// for every stage that has none of its own (as in Duct).
///
/// ```
/// use procscript::process::{Expression, cmd};
///
/// let count = cmd("printf", ["a\\nb\\nc\\n"]).pipe(Expression::new("wc").arg("-l"));
/// assert_eq!(count.to_string(), r"printf 'a\nb\nc\n' | wc -l");
/// assert_eq!(count.read()?.trim(), "3");
/// # Ok::<(), procscript::process::Error>(())
/// ```
#[derive(Clone)]
pub struct Expression {
    pub(crate) node: Node,
    pub(crate) settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Command(Arc<Command>),
    Pipeline(Arc<Vec<Expression>>),
}

/// A program and its arguments: the leaf.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub program: Program,
    pub arguments: Vec<OsString>,
}

/// A command with its arguments: `cmd("git", ["diff", "--name-only"])`.
///
/// Each argument reaches the program as it is: no shell, no splitting, no globbing.
pub fn cmd<A>(program: impl Into<OsString>, arguments: impl IntoIterator<Item = A>) -> Expression
where
    A: Into<OsString>,
{
    Expression::new(program).args(arguments)
}

/// A pipeline of these expressions, from left to right. One expression is itself; none is `None`.
pub fn pipe(expressions: impl IntoIterator<Item = Expression>) -> Option<Expression> {
    expressions.into_iter().reduce(|left, right| left.pipe(right))
}

/// The one explicit door to a shell: runs `text` with `/bin/sh -c`.
pub fn sh(text: impl Into<OsString>) -> Expression {
    Expression::from_path("/bin/sh").arg("-c").arg(text).arg0("sh")
}

impl Expression {
    /// A command without arguments yet.
    ///
    /// A name without a slash is searched in the directories of the child's `PATH` when the command
    /// starts, never in the working directory; one with a slash is a file.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self::leaf(Program::from_name(program.into()))
    }

    /// A command that is a file, also when its name has no slash: `tool` is `./tool`.
    pub fn from_path(program: impl Into<PathBuf>) -> Self {
        Self::leaf(Program::File(program.into()))
    }

    fn leaf(program: Program) -> Self {
        let command = Command { program, arguments: Vec::new() };
        Self { node: Node::Command(Arc::new(command)), settings: Arc::default() }
    }

    /// Whether this is a single command and not a pipeline.
    pub fn is_command(&self) -> bool {
        matches!(self.node, Node::Command(_))
    }

    /// How many processes it takes.
    pub(crate) fn stage_count(&self) -> usize {
        let source = match &self.settings.redirects.stdin {
            Some(Input::Command(source)) => source.stage_count(),
            _ => 0,
        };
        source
            + match &self.node {
                Node::Command(_) => 1,
                Node::Pipeline(parts) => parts.iter().map(Self::stage_count).sum(),
            }
    }

    /// One more argument. On a pipeline, for its last command.
    pub fn arg(self, argument: impl Into<OsString>) -> Self {
        self.args([argument.into()])
    }

    /// More arguments. On a pipeline, for its last command.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        match &mut self.node {
            Node::Command(command) => {
                Arc::make_mut(command).arguments.extend(arguments.into_iter().map(Into::into));
            }
            Node::Pipeline(stages) => {
                if let Some(last) = Arc::make_mut(stages).last_mut() {
                    *last = last.clone().args(arguments);
                }
            }
        }
        self
    }

    /// Joins the standard output of this expression to the standard input of `next` by a kernel
    /// pipe: `a | b`.
    pub fn pipe(self, next: Expression) -> Self {
        let stages = match self.node {
            // A pipeline without settings of its own grows, so that `a | b | c` is flat.
            Node::Pipeline(mut stages) if self.settings.is_plain() => {
                Arc::make_mut(&mut stages).push(next);
                stages
            }
            _ => Arc::new(vec![self, next]),
        };
        Self { node: Node::Pipeline(stages), settings: Arc::default() }
    }

    pub(super) fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// The surroundings to run in; without it, those of this process.
    pub fn within(self, context: &Context) -> Self {
        self.set(|s| s.context = Some(context.clone()))
    }

    /// As long as it takes, whatever time its surroundings have.
    pub(crate) fn beyond_deadline(self) -> Self {
        self.set(|s| {
            if let Some(context) = &mut s.context {
                context.deadline = None;
            }
        })
    }

    /// With these settings around it: what it says itself goes before them.
    pub(crate) fn under(self, outer: &Scoped) -> Self {
        self.set(|s| s.scoped = outer.merged_with(&s.scoped))
    }

    /// Without what surroundings can say as well.
    pub(crate) fn without_surroundings(self) -> Self {
        self.set(|s| (s.scoped.dir, s.scoped.env) = Default::default())
    }

    /// Called with the failure of the command when it was [started](Self::start) and nobody waited for
    /// it.
    pub fn on_unobserved_failure(self, hook: impl Fn(Error) + Send + Sync + 'static) -> Self {
        self.set(|s| s.unobserved = Some(Hook(Arc::new(hook))))
    }

    /// Lets the command, once [started](Self::start), outlive its handle and this program.
    pub fn detach(self) -> Self {
        self.set(|s| s.is_detached = true)
    }

    /// The name that the program sees as `argv[0]`.
    pub fn arg0(self, name: impl Into<OsString>) -> Self {
        self.set(|s| s.scoped.arg0 = Some(name.into()))
    }

    /// How messages and reports show it, instead of the shell line.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|s| s.scoped.name = Some(name.into()))
    }

    /// The working directory of the child. A relative program path still counts from the directory
    /// of the [`Context`], not from this one.
    pub fn dir(self, dir: impl Into<PathBuf>) -> Self {
        self.set(|s| s.scoped.dir = Some(dir.into()))
    }

    /// An environment variable.
    pub fn env(self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.set(|s| s.scoped.env.set(name.into(), Some(value.into())))
    }

    /// An environment variable whose value nothing here shows: neither messages nor `Debug`, whatever of the
    /// environment they come to tell. The child gets the value. Whoever may look at the child may look at its
    /// environment (`/proc/PID/environ` on Linux: its user and root).
    ///
    /// ```
    /// use procscript::process::Expression;
    ///
    /// let command = Expression::new("printenv").arg("TOKEN").secret_env("TOKEN", "s3cret");
    /// assert_eq!(command.read()?, "s3cret");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn secret_env(self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.set(|s| s.scoped.env.set_secret(name.into(), value.into()))
    }

    /// Takes an environment variable away.
    pub fn env_remove(self, name: impl Into<OsString>) -> Self {
        self.set(|s| s.scoped.env.set(name.into(), None))
    }

    /// Starts from an empty environment; variables set before on this expression are dropped too.
    pub fn env_clear(self) -> Self {
        self.set(|s| s.scoped.env.clear())
    }

    /// No ending is a failure. A command that cannot be started still is.
    pub fn unchecked(self) -> Self {
        self.set(|s| s.scoped.acceptance.unchecked = Some(true))
    }

    /// Exactly these codes are success.
    pub fn ok_codes(self, codes: impl Into<Vec<i32>>) -> Self {
        let codes = codes.into();
        self.set(|s| s.scoped.acceptance.ok_codes = Some(codes))
    }

    /// Death by one of these signals is success.
    pub fn ok_signals(self, signals: impl Into<Vec<i32>>) -> Self {
        let signals = signals.into();
        self.set(|s| s.scoped.acceptance.ok_signals = Some(signals))
    }

    /// Makes the death of a producer by SIGPIPE a failure, which it is not by default.
    pub fn strict_sigpipe(self) -> Self {
        self.set(|s| s.scoped.acceptance.strict_sigpipe = Some(true))
    }

    /// Leaves Ctrl-C at the terminal to the command while it is waited for: an editor, a pager, another shell or
    /// interpreter, for which it is a key like others. The program around it goes on, whatever the command makes of
    /// it. Ctrl-\\ and signals from elsewhere still end both.
    pub fn interactive(self) -> Self {
        self.set(|s| s.scoped.interactive = Some(true))
    }

    /// Ends the command when it has not ended by itself after this time: TERM to its processes, the
    /// grace period, KILL, and an error of kind [`TimedOut`](super::ErrorKind::TimedOut). The shortest
    /// of a pipeline's timeouts holds for all of it. The error names the stage that had set it and is still
    /// running; a timeout of the pipeline itself is no stage's in particular.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|s| s.scoped.timeout = Some(timeout))
    }

    /// Ends the command when it has written nothing for this time, as [`timeout`](Self::timeout) does.
    /// Output that would go to ours directly passes through this process, so that it is seen. Of a pipeline that of the
    /// last stage counts, whichever stage has the setting; time in which nobody takes the output does not.
    pub fn idle_timeout(self, silence: Duration) -> Self {
        self.set(|s| s.scoped.idle_timeout = Some(silence))
    }

    /// How the command is ended when it has to be, instead of TERM, the grace period and KILL.
    pub fn teardown(self, teardown: Teardown) -> Self {
        self.set(|s| s.scoped.teardown = Some(teardown))
    }

    /// The time between the first signal and KILL.
    pub fn grace(self, grace: Duration) -> Self {
        self.set(|s| s.scoped.grace = Some(grace))
    }

    /// The most bytes that are captured of each stream (64 MiB by default). More ends the command
    /// with an error of kind [`OutputLimit`](super::ErrorKind::OutputLimit).
    pub fn limit(self, bytes: u64) -> Self {
        self.set(|s| s.scoped.limit = Some(bytes))
    }

    /// The encoding of its output (UTF-8 by default).
    pub fn encoding(self, encoding: Encoding) -> Self {
        self.set(|s| s.scoped.encoding = Some(encoding))
    }

    /// Replaces what is not text in its encoding by U+FFFD, instead of failing.
    pub fn lossy(self) -> Self {
        self.set(|s| s.scoped.malformed = Some(Malformed::Lossy))
    }

    /// What ends a line (LF and CRLF by default).
    pub fn separators(self, separators: Separators) -> Self {
        self.set(|s| s.scoped.separators = Some(separators))
    }

    /// The longest line, in bytes (128 KiB by default); `None` for no limit. A longer line is an
    /// error, never a cut.
    pub fn max_line(self, bytes: Option<usize>) -> Self {
        self.set(|s| s.scoped.max_line = Some(bytes))
    }
}
