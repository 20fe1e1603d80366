//! The fork path: how a child is started that `posix_spawn` cannot start as it should be.

use std::ffi::{CString, OsString};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use shared_child::SharedChild;

use super::setup::{ChildSetup, Step, duplicate_descriptor};
use super::spawn::{NoSignals, mark_all_close_on_exec, spawn, unblock_all_signals};

/// A start that failed, and at what.
#[derive(Debug)]
pub(crate) struct StartFailure {
    pub step: Step,
    pub error: io::Error,
}

/// Anything that is not one of our own steps.
impl From<io::Error> for StartFailure {
    fn from(error: io::Error) -> Self {
        Self { step: Step::Start, error }
    }
}

/// A command whose child starts with default signal actions, an empty mask, descriptors 0, 1, 2 only,
/// whatever this process has, and with the changes of a [`ChildSetup`].
///
/// It is slower in a large process. The child makes the `execve` itself, because std would use
/// glibc's `execvp`, which runs a file without `#!` through `/bin/sh`.
///
/// The child reports what it fails at through a pipe of ours and ends, instead of returning the error to
/// std: std's own pipe may have the number that a descriptor of the child was asked to get, and carries
/// no more than an error number.
pub(crate) struct ForkPath {
    /// The number of the report pipe, which is another for each attempt.
    report: Arc<AtomicI32>,
    /// The numbers that the child gives to its descriptors.
    targets: Vec<RawFd>,
}

impl ForkPath {
    pub fn prepare(
        command: &mut Command,
        program: &Path,
        arguments: &[OsString],
        environment: Option<Vec<(OsString, OsString)>>,
        setup: ChildSetup,
        is_in_order: bool,
    ) -> io::Result<Self> {
        let targets = setup.descriptors.iter().map(|(_, number)| *number).collect();
        let report = Arc::new(AtomicI32::new(-1));
        let child = Child {
            is_in_order,
            setup,
            program: CString::new(program.as_os_str().as_bytes()).map_err(nul)?,
            arguments: CStringArray::new(arguments.iter().map(|argument| argument.as_bytes().to_vec()))?,
            environment: environment.map(environment_array).transpose()?,
            report: report.clone(),
        };
        // SAFETY: the hook allocates nothing and takes no lock.
        unsafe { command.pre_exec(move || child.become_program()) };
        Ok(Self { report, targets })
    }

    /// Starts the child, and waits until it runs its program or has failed to.
    pub fn start(&self, command: &mut Command) -> Result<SharedChild, StartFailure> {
        let (mut reader, first) = os_pipe::pipe()?;
        let writer = duplicate_descriptor(first.as_raw_fd(), &self.targets)?;
        self.report.store(writer.as_raw_fd(), Ordering::Relaxed);
        let child = {
            // Until it has put itself in order.
            let _no_signals = NoSignals::begin();
            spawn(command)
        };
        // Or the pipe would never be at its end.
        drop((first, writer));
        let child = child?;
        match read_report(&mut reader) {
            None => Ok(child),
            Some(failure) => {
                // It has ended already, or does so now.
                let _ = child.wait();
                Err(failure)
            }
        }
    }
}

const REPORT: usize = 12;

/// `None` when the pipe was closed by a successful `execve`.
fn read_report(reader: &mut impl Read) -> Option<StartFailure> {
    let mut report = [0; REPORT];
    reader.read_exact(&mut report).ok()?;
    let word = |index: usize| {
        let bytes = report[4 * index..].first_chunk().copied().unwrap_or_default();
        u32::from_ne_bytes(bytes)
    };
    let error = io::Error::from_raw_os_error(word(2) as i32);
    Some(StartFailure { step: Step::decode([word(0), word(1)]), error })
}

/// Has the child put itself in order before anything else that is added to `command` is done in it.
pub(crate) fn start_in_order(command: &mut Command) {
    let put = || {
        // SAFETY: called after the fork.
        unsafe { put_in_order() };
        Ok(())
    };
    // SAFETY: the hook allocates nothing and takes no lock.
    unsafe { command.pre_exec(put) };
}

/// Default signal actions, an empty mask, and no descriptors but 0, 1, 2.
///
/// # Safety
/// To be called between `fork` and `exec` only.
unsafe fn put_in_order() {
    // SAFETY: async-signal-safe calls.
    unsafe {
        for signal in 1..=64 {
            if !matches!(signal, libc::SIGKILL | libc::SIGSTOP) {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        unblock_all_signals();
        mark_all_close_on_exec();
    }
}

/// What the child needs after the fork.
struct Child {
    /// Whether [`start_in_order`] has been there.
    is_in_order: bool,
    setup: ChildSetup,
    program: CString,
    arguments: CStringArray,
    environment: Option<CStringArray>,
    report: Arc<AtomicI32>,
}

impl Child {
    /// # Safety
    /// To be called between `fork` and `exec` only; ends the process when it fails.
    unsafe fn become_program(&self) -> ! {
        // SAFETY: only async-signal-safe calls, on memory that was prepared before the fork.
        unsafe {
            if !self.is_in_order {
                put_in_order();
            }
            let step = match self.setup.apply() {
                Ok(()) => self.execute(),
                Err(step) => step,
            };
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
            let [number, index] = step.encode();
            let mut report = [0; REPORT];
            report[..4].copy_from_slice(&number.to_ne_bytes());
            report[4..8].copy_from_slice(&index.to_ne_bytes());
            report[8..].copy_from_slice(&errno.to_ne_bytes());
            libc::write(self.report.load(Ordering::Relaxed), report.as_ptr().cast(), REPORT);
            libc::_exit(127)
        }
    }

    /// Returns only when it has failed.
    ///
    /// # Safety
    /// As [`become_program`](Self::become_program).
    unsafe fn execute(&self) -> Step {
        // SAFETY: the arrays are NULL-terminated and owned by `self`.
        unsafe {
            match &self.environment {
                Some(environment) => libc::execve(self.program.as_ptr(), self.arguments.as_ptr(), environment.as_ptr()),
                None => libc::execv(self.program.as_ptr(), self.arguments.as_ptr()),
            };
        }
        Step::Start
    }
}

fn nul(_: std::ffi::NulError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "NUL byte in an argument")
}

fn environment_array(variables: Vec<(OsString, OsString)>) -> io::Result<CStringArray> {
    CStringArray::new(variables.into_iter().map(|(name, value)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend(value.into_vec());
        entry
    }))
}

/// A NULL-terminated array of C strings, as `execve` takes it.
struct CStringArray {
    /// Owns what `pointers` point to.
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

// SAFETY: the pointers lead to heap memory that the value owns and never changes.
unsafe impl Send for CStringArray {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for CStringArray {}

impl CStringArray {
    fn new(strings: impl Iterator<Item = Vec<u8>>) -> io::Result<Self> {
        let strings = strings.map(CString::new).collect::<Result<Vec<_>, _>>().map_err(nul)?;
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Self { _strings: strings, pointers })
    }

    fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}
