//! The verbs: what starts an expression.

use crate::text;

use super::error::{Error, ErrorKind};
use super::execution::Execution;
use super::expression::Expression;
use super::lines::{Chunks, Lines};
use super::os;
use super::output::Output;
use super::plan::{Channel, Handles, SinkKind, Source};
use super::pump::Pump;
use super::settings::{Hook, Scoped};
use super::start::{Defaults, Started, start};

const OUR_STDOUT: SinkKind = SinkKind::Host(Channel::Stdout);
const OUR_STDERR: SinkKind = SinkKind::Host(Channel::Stderr);
const CAPTURED: SinkKind = SinkKind::Capture(Channel::Stdout);

impl Defaults {
    /// What most verbs have: no input, output for us, errors for whoever reads ours.
    fn captured() -> Self {
        let (stdin, stdout, stderr) = (Source::Null, CAPTURED, OUR_STDERR);
        Self { stdin, stdout, stderr, background: false, handles: Handles::None }
    }
}

impl Expression {
    /// Runs it in the foreground and waits: output goes to ours, input comes from ours when that is
    /// a terminal and is empty otherwise.
    ///
    /// # Errors
    /// When it cannot be started, ends in a way that is not accepted, or is ended early.
    pub fn run(&self) -> Result<Output, Error> {
        self.complete(Defaults {
            stdin: if os::is_terminal(0) { Source::Inherit } else { Source::Null },
            stdout: OUR_STDOUT,
            ..Defaults::captured()
        })
        .map(|(output, _)| output)
    }

    /// Runs it with empty input, and captures both outputs.
    ///
    /// # Errors
    /// As [`run`](Self::run); the error carries what was captured.
    pub fn output(&self) -> Result<Output, Error> {
        self.complete(Defaults { stderr: SinkKind::Capture(Channel::Stderr), ..Defaults::captured() })
            .map(|(output, _)| output)
    }

    /// Runs it and returns its standard output as text, without the final line ending: `$(…)`.
    ///
    /// Exactly one line ending is removed, and nothing else.
    ///
    /// # Errors
    /// As [`run`](Self::run), and when the output is not text in its encoding (`DecodeFailed`) or is
    /// still held open by a process that the command has left behind (`OutputHeld`).
    pub fn read(&self) -> Result<String, Error> {
        let mut text = self.read_raw()?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }

    /// As [`read`](Self::read), with the text unchanged.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_raw(&self) -> Result<String, Error> {
        self.decoded().map(|(_, text)| text)
    }

    /// As [`read_raw`](Self::read_raw), and makes a value of the text. An error of `convert` gets all that is
    /// known of the command, and the text.
    ///
    /// ```
    /// use procscript::process::{Error, ErrorKind, Expression};
    ///
    /// let number = |text: &str| text.trim().parse::<u32>().map_err(|_| Error::not_decoded("this is no number"));
    /// let echo = Expression::new("echo");
    /// assert_eq!(echo.clone().arg("42").read_with(number)?, 42);
    /// let error = echo.arg("forty-two").read_with(number).unwrap_err();
    /// assert_eq!((error.kind(), error.stdout()), (ErrorKind::DecodeFailed, Some(&b"forty-two\n"[..])));
    /// assert_eq!(error.command(), Some("echo forty-two"));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read), and what `convert` returns.
    pub fn read_with<T>(&self, convert: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
        let (output, text) = self.decoded()?;
        convert(&text).map_err(|error| of_its_output(error, output, text.into_bytes()))
    }

    /// Runs it and returns its standard output as bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for the encoding.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let (output, _) = self.captured()?;
        Ok(output.stdout.unwrap_or_default())
    }

    /// Runs it silently and tells what it found: `true` for code 0, `false` for code 1.
    ///
    /// # Errors
    /// As [`run`](Self::run): any other ending is a failure, as for `grep` with a broken pattern.
    pub fn test(&self) -> Result<bool, Error> {
        let quiet = Defaults { stdout: SinkKind::Null, ..Defaults::captured() };
        match self.complete(quiet) {
            Ok((output, _)) => Ok(output.success()),
            Err(error) if error.kind() == ErrorKind::ExitStatus && error.status().and_then(|s| s.code()) == Some(1) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs it as [`run`](Self::run) does and returns its exit code, whatever it is.
    ///
    /// # Errors
    /// When it cannot be started, is ended by a signal, or is ended early.
    pub fn code(&self) -> Result<i32, Error> {
        match self.run() {
            Ok(output) => output.status.code().ok_or_else(|| {
                let message = format!("`{self}` {}, so that it has no exit code", output.status);
                Error::new(ErrorKind::Signaled, message).at_stage(output.stage).with_output(output)
            }),
            Err(error) if error.kind() == ErrorKind::ExitStatus => {
                error.status().and_then(|status| status.code()).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Starts it and returns its lines while it runs.
    ///
    /// Memory stays flat whatever the size, and a reader that is slow slows the command. Dropping the
    /// lines before the end ends the command, which is not a failure.
    ///
    /// # Errors
    /// When it cannot be started. Later failures come from the iterator, after the last line.
    pub fn lines(&self) -> Result<Lines, Error> {
        let (pump, scoped) = self.streamed()?;
        Ok(Lines::new(pump, scoped.text_format()))
    }

    /// Starts it and returns its output in pieces, each as soon as something is there.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub fn chunks(&self) -> Result<Chunks, Error> {
        let (pump, _) = self.streamed()?;
        Ok(Chunks::new(pump))
    }

    /// Starts it and returns at once. Output goes to ours, input is empty, and the command runs in a
    /// process group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<Execution, Error> {
        let defaults = Defaults { stdout: OUR_STDOUT, background: true, handles: Handles::All, ..Defaults::captured() };
        let started = start(self, defaults)?;
        let execution = beside(started, self.settings.unobserved.clone())?;
        if self.settings.is_detached {
            execution.detach();
        }
        Ok(execution)
    }

    /// Runs it while `body` talks to it: standard input and standard output are piped unless the
    /// expression says otherwise. Returns when both have ended. (Swift's execution body.)
    ///
    /// When `body` has returned, the input ends and output that nobody reads any more is closed, which
    /// is not a failure of the command. When `body` fails or panics, the command is torn down, whoever else has a
    /// handle to it. Lines that `body` returns are kept in memory meanwhile, up to the limit of captures.
    ///
    /// ```
    /// use procscript::process::{Error, Expression};
    ///
    /// let (output, answer) = Expression::new("cat").run_with(|process| {
    ///     process.write(b"hello\n")?;
    ///     process.finish_input();
    ///     process.stdout().lines()?.next().transpose()
    /// })?;
    /// assert_eq!(answer.as_deref(), Some("hello"));
    /// assert!(output.success());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// What `body` returned, or as [`run`](Self::run).
    pub fn run_with<T, E: From<Error>>(&self, body: impl FnOnce(&Execution) -> Result<T, E>) -> Result<(Output, T), E> {
        let stdout = SinkKind::Stream(Channel::Stdout);
        let defaults = Defaults { stdin: Source::Piped, stdout, handles: Handles::All, ..Defaults::captured() };
        let execution = beside(start(self, defaults)?, None)?;
        let unless_it_returns = Terminated(&execution);
        let result = body(&execution);
        std::mem::forget(unless_it_returns);
        match result {
            Ok(value) => {
                execution.stdout().close();
                execution.stderr().close();
                Ok((execution.wait()?, value))
            }
            Err(error) => {
                execution.terminate();
                Err(error)
            }
        }
    }

    fn complete(&self, defaults: Defaults) -> Result<(Output, Scoped), Error> {
        let Started { pump, scoped, .. } = start(self, defaults)?;
        match pump.finish() {
            (output, None) => Ok((output, scoped)),
            (_, Some(error)) => Err(error),
        }
    }

    fn captured(&self) -> Result<(Output, Scoped), Error> {
        let (output, scoped) = self.complete(Defaults::captured())?;
        match output.held_open {
            true => Err(held_open(&self.output_name()).with_output(output)),
            false => Ok((output, scoped)),
        }
    }

    fn output_name(&self) -> String {
        format!("the output of `{self}`")
    }

    fn streamed(&self) -> Result<(Pump, Scoped), Error> {
        let stdout = SinkKind::Stream(Channel::Stdout);
        let defaults = Defaults { stdout, handles: Handles::Stdout, ..Defaults::captured() };
        let Started { mut pump, scoped, streams: [stdout, _], .. } = start(self, defaults)?;
        pump.set_stream(stdout);
        Ok((pump, scoped))
    }

    fn decoded(&self) -> Result<(Output, String), Error> {
        let (mut output, scoped) = self.captured()?;
        let format = scoped.text_format();
        let bytes = output.stdout.take().unwrap_or_default();
        match text::decode_or_return(bytes, format.encoding, format.malformed) {
            Ok(text) => Ok((output, text)),
            Err((problem, bytes)) => Err(of_its_output(not_text(&self.output_name(), &problem), output, bytes)),
        }
    }
}

/// Terminates a command when the body that talks to it panics: a handle that the body has given to somebody else
/// would keep it.
struct Terminated<'a>(&'a Execution);

impl Drop for Terminated<'_> {
    fn drop(&mut self) {
        self.0.terminate();
    }
}

/// Something is wrong with what was captured, which is the output of the last stage.
fn of_its_output(error: Error, output: Output, stdout: Vec<u8>) -> Error {
    error.at_stage(output.stages.len().checked_sub(1)).with_output(Output { stdout: Some(stdout), ..output })
}

fn beside(started: Started, unobserved: Option<Hook>) -> Result<Execution, Error> {
    let identity = started.pump.identity().clone();
    Execution::new(started, unobserved).map_err(|error| identity.describe(error))
}

pub(super) fn held_open(what: &str) -> Error {
    let message = format!("the command has ended, but a process that it started still holds {what} open");
    Error::new(ErrorKind::OutputHeld, message)
        .with_help("redirect the output of the background process, or use .output(), which marks it `held_open`")
}

pub(super) fn not_text(what: &str, problem: &text::DecodeError) -> Error {
    Error::new(ErrorKind::DecodeFailed, format!("{what} is not text: {problem}"))
        .with_help("name its encoding with .encoding(\"…\"), replace what is not text with .lossy(), or take .bytes()")
}
