//! The state that a child starts in.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Whether a plain `posix_spawn` would hand a child more than it should have: a signal that this
/// thread blocks or this process ignores, or a descriptor above 2 that is not close-on-exec. Such a
/// child takes the slower fork path ([`isolate`]).
pub(crate) fn would_inherit_state() -> bool {
    blocks_signals() || ignores_signals() || has_inheritable_descriptors()
}

fn blocks_signals() -> bool {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: asks for the mask only; an all-zero set is valid.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), set.as_mut_ptr());
        let set = set.assume_init();
        (1..=64).any(|signal| libc::sigismember(&set, signal) == 1)
    }
}

/// Empties the signal mask of this thread. Async-signal-safe.
pub(super) unsafe fn unblock_all_signals() {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigemptyset initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut());
    }
}

fn ignores_signals() -> bool {
    (1..=64).any(|signal| {
        // std resets SIGPIPE by itself; KILL and STOP have no disposition.
        !matches!(signal, libc::SIGPIPE | libc::SIGKILL | libc::SIGSTOP) && is_ignored(signal)
    })
}

/// Whether the kernel reaps the children of this process by itself.
pub(crate) fn ignores_children() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks for the action only; the structure is valid for writing.
    unsafe {
        libc::sigaction(libc::SIGCHLD, std::ptr::null(), action.as_mut_ptr()) == 0 && {
            let action = action.assume_init();
            action.sa_sigaction == libc::SIG_IGN || action.sa_flags & libc::SA_NOCLDWAIT != 0
        }
    }
}

/// Whether this process ignores a signal.
pub(super) fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks for the action only; the structure is valid for writing.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

fn has_inheritable_descriptors() -> bool {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return true };
    entries.flatten().any(|entry| {
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            return false;
        };
        // SAFETY: asks for flags only; a descriptor that was closed meanwhile gives an error.
        fd > 2
            && matches!(unsafe { libc::fcntl(fd, libc::F_GETFD) }, flags if flags >= 0 && flags & libc::FD_CLOEXEC == 0)
    })
}

/// Marks every descriptor above 2 close-on-exec.
pub(super) unsafe fn mark_all_close_on_exec() {
    #[cfg(target_os = "linux")]
    {
        const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
        // SAFETY: plain system call, also between fork and exec.
        if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) } == 0 {
            return;
        }
    }
    // SAFETY: sysconf and fcntl are async-signal-safe.
    unsafe {
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as RawFd;
        for fd in 3..limit {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Makes the child of `command` start with default signal actions, an empty mask and descriptors 0, 1, 2 only,
/// whatever this process has.
///
/// This is the fork path: slower in a large process. It makes the `execve` itself, because std would
/// use glibc's `execvp`, which runs a file without `#!` through `/bin/sh`.
pub(crate) fn isolate(
    command: &mut Command,
    program: &Path,
    arguments: &[OsString],
    environment: Option<Vec<(OsString, OsString)>>,
) -> io::Result<()> {
    let nul = |_| io::Error::new(io::ErrorKind::InvalidInput, "NUL byte in an argument");
    let program = CString::new(program.as_os_str().as_bytes()).map_err(nul)?;
    let arguments = CStringArray::new(arguments.iter().map(|argument| argument.as_bytes().to_vec()))?;
    let environment = environment
        .map(|vars| {
            CStringArray::new(vars.into_iter().map(|(name, value)| {
                let mut entry = name.into_vec();
                entry.push(b'=');
                entry.extend(value.into_vec());
                entry
            }))
        })
        .transpose()?;
    let hook = move || {
        // SAFETY: only async-signal-safe calls, on memory that was prepared before the fork.
        unsafe {
            for signal in 1..=64 {
                if !matches!(signal, libc::SIGKILL | libc::SIGSTOP) {
                    libc::signal(signal, libc::SIG_DFL);
                }
            }
            unblock_all_signals();
            mark_all_close_on_exec();
            match &environment {
                Some(environment) => libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()),
                None => libc::execv(program.as_ptr(), arguments.as_ptr()),
            };
        }
        Err(io::Error::last_os_error())
    };
    // SAFETY: the hook allocates nothing and takes no lock.
    unsafe { command.pre_exec(hook) };
    Ok(())
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
        let nul = |_| io::Error::new(io::ErrorKind::InvalidInput, "NUL byte in an argument");
        let strings = strings.map(CString::new).collect::<Result<Vec<_>, _>>().map_err(nul)?;
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Self { _strings: strings, pointers })
    }

    fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// The value of `process_group` that joins `group`, or makes the child a leader when it is `None`.
pub(crate) fn set_process_group(command: &mut Command, group: Option<u32>) {
    command.process_group(group.map_or(0, |group| group as i32));
}

pub(crate) fn set_arg0(command: &mut Command, arg0: &OsStr) {
    command.arg0(arg0);
}

/// Whether this process has a controlling terminal.
pub(crate) fn has_controlling_terminal() -> bool {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok()
}
