//! Where the three streams of a command point.

use std::fs::File;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::cancel::CancelToken;
use super::error::Error;
use super::expression::Expression;
use super::quote::quote_argument;
use super::stream::OutputStream;

/// Where standard input comes from.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Null,
    Inherit,
    Path(PathBuf),
    File(Arc<File>),
    /// A descriptor of this process.
    Number(RawFd),
    /// Fed by us while the command runs.
    Bytes(Supplied),
    /// Fed by a thread, as the pieces come.
    Items(Items),
    /// Another command, which becomes a stage to the left.
    Command(Box<Expression>),
    /// A pipe that the holder of the execution writes to.
    Piped,
    /// The output of a command that is running already.
    Stream(OutputStream),
}

/// Bytes that are there already, wherever their owner holds them: what is large is not copied to be fed.
#[derive(Clone)]
pub(crate) struct Supplied(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Supplied {
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }
}

impl std::ops::Deref for Supplied {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl std::fmt::Debug for Supplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// Pieces of input that are made while the command runs.
#[derive(Clone)]
pub(crate) struct Items {
    pieces: Pieces,
    pub feeding: Feeding,
}

/// What the thread needs that makes the pieces.
#[derive(Clone, Default)]
pub(crate) struct Feeding {
    /// The stack, in bytes, where that is more than a thread has by default.
    pub stack: Option<usize>,
    /// Ends the command that they come from, when nobody wants them any more.
    pub source: CancelToken,
}

pub(crate) type BoxedItems = Box<dyn Iterator<Item = Result<Vec<u8>, Error>> + Send>;

#[derive(Clone)]
enum Pieces {
    /// Clones are the same pieces: they are used once.
    Once(Arc<Mutex<Option<BoxedItems>>>),
    /// Made anew for each run.
    Each(Arc<dyn Fn() -> BoxedItems + Send + Sync>),
}

impl Items {
    pub fn new(items: BoxedItems) -> Self {
        Self { pieces: Pieces::Once(Arc::new(Mutex::new(Some(items)))), feeding: Feeding::default() }
    }

    pub fn fed_by(self, feeding: Feeding) -> Self {
        Self { feeding, ..self }
    }

    pub fn made_by(make: impl Fn() -> BoxedItems + Send + Sync + 'static) -> Self {
        Self { pieces: Pieces::Each(Arc::new(make)), feeding: Feeding::default() }
    }

    /// The pieces, for the run that uses them.
    pub fn take(&self) -> Result<BoxedItems, Error> {
        let items = match &self.pieces {
            Pieces::Once(items) => items.lock().unwrap_or_else(PoisonError::into_inner).take(),
            // Made where they are used, so that a panic of `make` is one of theirs.
            Pieces::Each(make) => {
                let make = make.clone();
                let items: BoxedItems = Box::new(std::iter::once_with(move || make()).flatten());
                Some(items)
            }
        };
        items.ok_or_else(Self::used_up)
    }

    /// Whether a command can have them that is about to start. Another thread may be quicker: [`take`](Self::take)
    /// decides.
    pub fn check(&self) -> Result<(), Error> {
        match &self.pieces {
            Pieces::Once(items) if items.lock().unwrap_or_else(PoisonError::into_inner).is_none() => {
                Err(Self::used_up())
            }
            _ => Ok(()),
        }
    }

    /// Whether a use of the one is a use of the other.
    pub fn is_same(&self, other: &Self) -> bool {
        matches!((&self.pieces, &other.pieces), (Pieces::Once(one), Pieces::Once(other)) if Arc::ptr_eq(one, other))
    }

    fn used_up() -> Error {
        Error::misuse("the input of this command has been used up by an earlier run", "give it again with .stdin()")
    }
}

impl std::fmt::Debug for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Items")
    }
}

/// Where standard output or standard error goes.
#[derive(Debug, Clone)]
pub(crate) enum Redirect {
    Null,
    Inherit,
    Path(PathBuf),
    Append(PathBuf),
    File(Arc<File>),
    /// A descriptor of this process.
    Number(RawFd),
    Capture,
    /// A pipe that the holder of the execution reads.
    Piped,
    /// Wherever the other of the two goes.
    ToOther,
}

/// The redirections of one node. Each stream has one setting, so that the order of calls cannot
/// matter; `swap` exchanges the two outputs after both are settled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redirects {
    pub stdin: Option<Input>,
    pub stdout: Option<Redirect>,
    pub stderr: Option<Redirect>,
    /// A file that gets a copy of standard output.
    pub tee: Option<PathBuf>,
    pub swap: bool,
}

impl Redirects {
    pub fn is_plain(&self) -> bool {
        self.stdin.is_none() && self.stdout.is_none() && self.stderr.is_none() && self.tee.is_none() && !self.swap
    }

    /// How a shell would write them, for the line that a command is shown as. What a shell has no
    /// word for (captured, fed by us) is left out.
    pub fn shell_suffix(&self) -> String {
        let mut text = String::new();
        match &self.stdin {
            Some(Input::Path(path)) => push(&mut text, "<", path),
            Some(Input::Null) => text.push_str(" < /dev/null"),
            Some(Input::Number(number)) => text.push_str(&format!(" <&{number}")),
            _ => {}
        }
        let stdout = |text: &mut String| push_output(text, self.stdout.as_ref(), "", ">&2");
        let stderr = |text: &mut String| {
            push_output(text, self.stderr.as_ref(), "2", "2>&1");
            if self.swap {
                text.push_str(" 3>&1 1>&2 2>&3 3>&-");
            }
        };
        match &self.tee {
            // What leaves the command, and then what leaves `tee`.
            Some(path) => {
                stderr(&mut text);
                text.push_str(&format!(" | tee {}", quote_argument(path.as_os_str())));
                stdout(&mut text);
            }
            // A shell goes from left to right: who follows comes last.
            None if matches!(self.stdout, Some(Redirect::ToOther)) => {
                stderr(&mut text);
                stdout(&mut text);
            }
            None => {
                stdout(&mut text);
                stderr(&mut text);
            }
        }
        text
    }
}

fn push_output(text: &mut String, redirect: Option<&Redirect>, number: &str, to_other: &str) {
    match redirect {
        Some(Redirect::Path(path)) => push(text, &format!("{number}>"), path),
        Some(Redirect::Append(path)) => push(text, &format!("{number}>>"), path),
        Some(Redirect::Null) => {
            text.push_str(&format!(" {number}> /dev/null"));
        }
        Some(Redirect::Number(ours)) => text.push_str(&format!(" {number}>&{ours}")),
        Some(Redirect::ToOther) => {
            text.push(' ');
            text.push_str(to_other);
        }
        Some(Redirect::Inherit | Redirect::File(_) | Redirect::Capture | Redirect::Piped) | None => {}
    }
}

fn push(text: &mut String, operator: &str, path: &std::path::Path) {
    text.push_str(&format!(" {operator} {}", quote_argument(path.as_os_str())));
}
