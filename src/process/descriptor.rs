//! Descriptors of ours for a command: as one of its streams, or as an extra one.

use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Error, ErrorKind};
use super::expression::Expression;
use super::open::Opener;
use super::os;
use super::platform::Platform;
use super::quote::quote_argument;
use super::redirect::{Input, Redirect};

/// What an extra descriptor of a command leads to; see [`Expression::fd`].
///
/// A number, a `File`, an `OwnedFd` and the ends of pipes turn into one by themselves.
///
/// ```
/// use procscript::process::{FdTarget, sh};
///
/// let command = sh("cat <&3").fd(3, FdTarget::read("/dev/null")).fd(4, FdTarget::from(1));
/// assert_eq!(command.to_string(), "/bin/sh -c 'cat <&3' 3< /dev/null 4>&1");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FdTarget {
    /// A file to read from its start.
    Read(PathBuf),
    /// A file that is created or emptied.
    Write(PathBuf),
    /// A file that is written at its end.
    Append(PathBuf),
    /// Something open; closed when the last clone of the expression is dropped. Runs of the same
    /// expression share its position.
    Open(Arc<OwnedFd>),
    /// A descriptor of this process by its number, which must be open when the command starts. The
    /// caller keeps it.
    Number(RawFd),
}

impl FdTarget {
    /// A file to read.
    pub fn read(path: impl Into<PathBuf>) -> Self {
        Self::Read(path.into())
    }

    /// A file that is created or emptied.
    pub fn write(path: impl Into<PathBuf>) -> Self {
        Self::Write(path.into())
    }

    /// A file that is written at its end.
    pub fn append(path: impl Into<PathBuf>) -> Self {
        Self::Append(path.into())
    }

    fn shell(&self, number: RawFd) -> String {
        let quoted = |path: &Path| quote_argument(path.as_os_str());
        match self {
            Self::Read(path) => format!(" {number}< {}", quoted(path)),
            Self::Write(path) => format!(" {number}> {}", quoted(path)),
            Self::Append(path) => format!(" {number}>> {}", quoted(path)),
            Self::Number(ours) => format!(" {number}>&{ours}"),
            // A shell has no word for it.
            Self::Open(_) => String::new(),
        }
    }
}

impl From<OwnedFd> for FdTarget {
    fn from(fd: OwnedFd) -> Self {
        Self::Open(Arc::new(fd))
    }
}

impl From<File> for FdTarget {
    fn from(file: File) -> Self {
        OwnedFd::from(file).into()
    }
}

impl From<PipeReader> for FdTarget {
    fn from(reader: PipeReader) -> Self {
        OwnedFd::from(reader).into()
    }
}

impl From<PipeWriter> for FdTarget {
    fn from(writer: PipeWriter) -> Self {
        OwnedFd::from(writer).into()
    }
}

/// A file to read.
impl From<PathBuf> for FdTarget {
    fn from(path: PathBuf) -> Self {
        Self::Read(path)
    }
}

/// A file to read.
impl From<&Path> for FdTarget {
    fn from(path: &Path) -> Self {
        Self::Read(path.into())
    }
}

impl From<RawFd> for FdTarget {
    fn from(number: RawFd) -> Self {
        Self::Number(number)
    }
}

impl Expression {
    /// Standard input from a descriptor of this process, which stays open and must be open when the
    /// command starts.
    ///
    /// ```
    /// use std::os::fd::AsRawFd;
    /// use procscript::process::Expression;
    ///
    /// let file = std::fs::File::open("/dev/null").expect("it is there");
    /// assert_eq!(Expression::new("cat").stdin_fd(file.as_raw_fd()).read()?, "");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn stdin_fd(self, number: RawFd) -> Self {
        self.set(|s| s.redirects.stdin = Some(Input::Number(number)))
    }

    /// Standard output to a descriptor of this process; see [`stdin_fd`](Self::stdin_fd).
    pub fn stdout_fd(self, number: RawFd) -> Self {
        self.set(|s| s.redirects.stdout = Some(Redirect::Number(number)))
    }

    /// Standard error to a descriptor of this process; see [`stdin_fd`](Self::stdin_fd).
    ///
    /// ```
    /// # use procscript::process::cmd;
    /// assert_eq!(cmd("ls", ["-d", "/"]).stderr_fd(1).to_string(), "ls -d / 2>&1");
    /// ```
    pub fn stderr_fd(self, number: RawFd) -> Self {
        self.set(|s| s.redirects.stderr = Some(Redirect::Number(number)))
    }

    /// How a shell would write the extra descriptors.
    pub(super) fn descriptor_suffix(&self) -> String {
        let platform = self.settings.scoped.platform.as_deref();
        let descriptors = platform.map_or(&[][..], |platform| &platform.descriptors);
        descriptors.iter().map(|(number, target)| target.shell(*number)).collect()
    }
}

/// What is wrong with the numbers of extra descriptors.
pub(super) fn problem(descriptors: &[(RawFd, Arc<FdTarget>)]) -> Option<String> {
    let limit = os::descriptor_limit();
    for (number, target) in descriptors {
        if *number < 3 {
            let stream = ["stdin", "stdout", "stderr"].get(*number as usize);
            let instead = stream.map(|stream| format!("; use {stream}_fd or {stream}_path")).unwrap_or_default();
            return Some(format!("an extra descriptor has a number from 3 on, not {number}{instead}"));
        }
        if *number as u64 >= limit {
            return Some(format!("there is no descriptor {number}: a process may have {limit} of them (ulimit -n)"));
        }
        if let FdTarget::Number(ours @ ..0) = **target {
            return Some(format!("{ours} is no descriptor"));
        }
    }
    None
}

/// A duplicate of one of our descriptors, by number.
pub(super) fn duplicate_number(number: RawFd) -> Result<OwnedFd, Error> {
    let is_hidden = (0..3).contains(&number) && os::was_closed_at_start(number as u8);
    let duplicate = match is_hidden {
        true => Err(std::io::Error::from_raw_os_error(os::EBADF)),
        false => os::duplicate_descriptor(number, &[]),
    };
    duplicate.map_err(|error| match error.raw_os_error() {
        Some(os::EBADF) => {
            let message = format!("descriptor {number} is not open in this process");
            Error::new(ErrorKind::InvalidArgument, message).with_errno(os::EBADF)
        }
        _ => Error::from_io(ErrorKind::Resource, format!("cannot duplicate descriptor {number}"), &error),
    })
}

/// The extra descriptors of all stages. Stages that have one from the pipeline around them share it.
#[derive(Default)]
pub(crate) struct Extras(Vec<Extra>);

struct Extra {
    target: Arc<FdTarget>,
    fd: Option<Arc<OwnedFd>>,
    /// The stage that has it, when it is only one.
    stage: Option<usize>,
}

impl Extras {
    /// Those of each stage, from left to right.
    pub fn of<'a>(platforms: impl Iterator<Item = Option<&'a Platform>>) -> Self {
        let mut all: Vec<Extra> = Vec::new();
        for (stage, platform) in platforms.enumerate() {
            for (_, target) in platform.map_or(&[][..], |platform| &platform.descriptors) {
                match all.iter_mut().find(|extra| Arc::ptr_eq(&extra.target, target)) {
                    Some(shared) => shared.stage = None,
                    None => all.push(Extra { target: target.clone(), fd: None, stage: Some(stage) }),
                }
            }
        }
        Self(all)
    }

    /// The files that they read, and those that they write, with the stage whose they are.
    pub fn paths(&self) -> [Vec<(Option<usize>, &Path)>; 2] {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for Extra { target, stage, .. } in &self.0 {
            match &**target {
                FdTarget::Read(path) => inputs.push((*stage, path.as_path())),
                FdTarget::Write(path) | FdTarget::Append(path) => outputs.push((*stage, path.as_path())),
                FdTarget::Open(_) | FdTarget::Number(_) => {}
            }
        }
        [inputs, outputs]
    }

    /// Opens them, inputs first.
    pub fn open(&mut self, opener: &mut Opener) -> Result<(), Error> {
        for Extra { target, fd, stage } in &mut self.0 {
            let opened = match &**target {
                FdTarget::Read(path) => opener.open_input(path).map(|file| Some(Arc::new(file.into()))),
                FdTarget::Open(fd) => Ok(Some(fd.clone())),
                FdTarget::Number(number) => duplicate_number(*number).map(|fd| Some(Arc::new(fd))),
                FdTarget::Write(_) | FdTarget::Append(_) => Ok(None),
            };
            *fd = opened.map_err(|error| error.at_stage(*stage))?;
        }
        for Extra { target, fd, stage } in &mut self.0 {
            if let FdTarget::Write(path) | FdTarget::Append(path) = &**target {
                let file = opener.open_output(path, matches!(**target, FdTarget::Append(_)));
                *fd = Some(Arc::new(file.map_err(|error| error.at_stage(*stage))?.into()));
            }
        }
        Ok(())
    }

    /// Duplicates for one child, with the numbers that they get there.
    pub fn duplicates(&self, platform: &Platform) -> Result<Vec<(OwnedFd, RawFd)>, Error> {
        let numbers: Vec<RawFd> = platform.descriptors.iter().map(|(number, _)| *number).collect();
        let mut result = Vec::with_capacity(numbers.len());
        for (number, target) in &platform.descriptors {
            let open = self.0.iter().find(|extra| Arc::ptr_eq(&extra.target, target));
            let Some(Extra { fd: Some(fd), .. }) = open else { continue };
            let duplicate = os::duplicate_descriptor(fd.as_raw_fd(), &numbers)
                .map_err(|error| Error::from_io(ErrorKind::Resource, "cannot duplicate a descriptor", &error))?;
            result.push((duplicate, *number));
        }
        Ok(result)
    }
}
