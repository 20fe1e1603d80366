//! Where the streams of an expression point: its redirections.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::Expression;
use crate::process::error::Error;
use crate::process::redirect::{Feeding, Input, Items, Redirect, Supplied};
use crate::process::stream::OutputStream;
use crate::text::{EncodeError, Encoding};

impl Expression {
    /// Feeds these bytes to standard input while the command runs. A command that stops reading
    /// early is not an error.
    pub fn stdin_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin_supplied(Supplied::new(bytes.into()))
    }

    /// [`stdin_bytes`](Self::stdin_bytes) that others hold, too.
    pub(crate) fn stdin_supplied(self, bytes: Supplied) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Bytes(bytes)))
    }

    /// Feeds text in this encoding.
    ///
    /// # Errors
    /// When the encoding has no such character.
    pub fn stdin_text(self, text: &str, encoding: Encoding) -> Result<Self, EncodeError> {
        Ok(self.stdin_bytes(encoding.encode(text)?))
    }

    /// Feeds pieces to standard input as they come, from a thread, so that an iterator that waits does
    /// not keep the command from ending. An error among them is an error of the run. They are used by
    /// the first run; a second one is refused.
    pub fn stdin_items<I>(self, items: I) -> Self
    where
        I: IntoIterator<Item = Result<Vec<u8>, Error>>,
        I::IntoIter: Send + 'static,
    {
        let items = Items::new(Box::new(items.into_iter()));
        self.set(|s| s.redirects.stdin = Some(Input::Items(items)))
    }

    /// [`stdin_items`](Self::stdin_items) of an iterator that is made for each run, so that the expression can be
    /// run again.
    ///
    /// ```
    /// use procscript::process::Expression;
    ///
    /// let numbers = || (0..7).map(|n| Ok(format!("{n}\n").into_bytes()));
    /// let count = Expression::new("wc").arg("-l").stdin_items_from(numbers);
    /// assert_eq!((count.read()?.trim(), count.read()?.trim()), ("7", "7"));
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn stdin_items_from<I>(self, make: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: Iterator<Item = Result<Vec<u8>, Error>> + Send + 'static,
    {
        let items = Items::made_by(move || Box::new(make()));
        self.set(|s| s.redirects.stdin = Some(Input::Items(items)))
    }

    /// [`stdin_items`](Self::stdin_items) for an iterator whose thread has special needs.
    pub(crate) fn stdin_items_fed<I>(self, items: I, feeding: Feeding) -> Self
    where
        I: Iterator<Item = Result<Vec<u8>, Error>> + Send + 'static,
    {
        let items = Items::new(Box::new(items)).fed_by(feeding);
        self.set(|s| s.redirects.stdin = Some(Input::Items(items)))
    }

    /// Standard input from the output of another expression, which becomes a stage to the left.
    pub fn stdin_command(self, source: Expression) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Command(Box::new(source))))
    }

    /// Standard input from a file.
    pub fn stdin_path(self, path: impl Into<PathBuf>) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Path(path.into())))
    }

    /// Standard input from an open file. Runs of the same expression share its position.
    pub fn stdin_file(self, file: File) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::File(Arc::new(file))))
    }

    /// Empty standard input.
    pub fn stdin_null(self) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Null))
    }

    /// The standard input of this process.
    pub fn stdin_inherit(self) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Inherit))
    }

    /// Standard input from a pipe that the [`Execution`](crate::process::Execution) writes to.
    pub fn stdin_piped(self) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Piped))
    }

    /// Standard input from a stream of a command that is running. The stream is used up when this
    /// command starts.
    pub fn stdin_stream(self, stream: OutputStream) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Stream(stream)))
    }

    fn stdout(self, redirect: Redirect) -> Self {
        self.set(|s| s.redirects.stdout = Some(redirect))
    }

    fn stderr(self, redirect: Redirect) -> Self {
        self.set(|s| s.redirects.stderr = Some(redirect))
    }

    /// Standard output into a file, which is created or emptied: `> path`.
    pub fn stdout_path(self, path: impl Into<PathBuf>) -> Self {
        self.stdout(Redirect::Path(path.into()))
    }

    /// Standard output to the end of a file: `>> path`.
    pub fn stdout_append(self, path: impl Into<PathBuf>) -> Self {
        self.stdout(Redirect::Append(path.into()))
    }

    /// Standard output into an open file.
    pub fn stdout_file(self, file: File) -> Self {
        self.stdout(Redirect::File(Arc::new(file)))
    }

    /// Standard output to nowhere: `> /dev/null`.
    pub fn stdout_null(self) -> Self {
        self.stdout(Redirect::Null)
    }

    /// Standard output to ours.
    pub fn stdout_inherit(self) -> Self {
        self.stdout(Redirect::Inherit)
    }

    /// Standard output into the [`Output`](crate::process::Output).
    pub fn stdout_capture(self) -> Self {
        self.stdout(Redirect::Capture)
    }

    /// Standard output into a pipe that the [`Execution`](crate::process::Execution) reads.
    pub fn stdout_piped(self) -> Self {
        self.stdout(Redirect::Piped)
    }

    /// Standard output to where standard error goes: `>&2`.
    pub fn stdout_to_stderr(self) -> Self {
        self.stdout(Redirect::ToOther)
    }

    /// Standard error into a file, which is created or emptied: `2> path`.
    pub fn stderr_path(self, path: impl Into<PathBuf>) -> Self {
        self.stderr(Redirect::Path(path.into()))
    }

    /// Standard error to the end of a file: `2>> path`.
    pub fn stderr_append(self, path: impl Into<PathBuf>) -> Self {
        self.stderr(Redirect::Append(path.into()))
    }

    /// Standard error into an open file.
    pub fn stderr_file(self, file: File) -> Self {
        self.stderr(Redirect::File(Arc::new(file)))
    }

    /// Standard error to nowhere: `2> /dev/null`.
    pub fn stderr_null(self) -> Self {
        self.stderr(Redirect::Null)
    }

    /// Standard error to ours.
    pub fn stderr_inherit(self) -> Self {
        self.stderr(Redirect::Inherit)
    }

    /// Standard error into the [`Output`](crate::process::Output).
    pub fn stderr_capture(self) -> Self {
        self.stderr(Redirect::Capture)
    }

    /// Standard error into a pipe that the [`Execution`](crate::process::Execution) reads.
    pub fn stderr_piped(self) -> Self {
        self.stderr(Redirect::Piped)
    }

    /// Standard error to where standard output goes: `2>&1`. Both are one descriptor, so that the
    /// order of what is written is kept. On a stage of a pipeline that is the pipe; on the pipeline
    /// it is where the pipeline's output goes.
    pub fn stderr_to_stdout(self) -> Self {
        self.stderr(Redirect::ToOther)
    }

    /// Copies standard output to a file as well as to where it goes: `| tee path`. Standard error is
    /// copied too when it follows standard output.
    pub fn tee(self, path: impl Into<PathBuf>) -> Self {
        self.set(|s| s.redirects.tee = Some(path.into()))
    }

    /// Exchanges standard output and standard error: `3>&1 1>&2 2>&3`.
    pub fn swap_outputs(self) -> Self {
        self.set(|s| s.redirects.swap = true)
    }
}
