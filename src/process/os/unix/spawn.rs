//! The state that a child starts in.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use shared_child::SharedChild;

/// Starts a process. std panics when the child has failed to start and somebody else has reaped it; that is an
/// error here.
pub(crate) fn spawn(command: &mut Command) -> io::Result<SharedChild> {
    let started = catch_unwind(AssertUnwindSafe(|| SharedChild::spawn(command)));
    started.unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::ECHILD)))
}

/// Starts a process that inherits no descriptor above 2, whatever this process has open, from a thread with a
/// descriptor table of its own. The host keeps its descriptors as they are: not even for a moment does another thread
/// see them changed. As quick in a large process as [`spawn`], which a fork is not. `command` may not have streams that
/// std makes itself (`Stdio::piped`): they would stay in that table.
///
/// The thread lives as long as the child, and does nothing: to a child that has asked for a signal when its parent
/// ends (`PR_SET_PDEATHSIG`), the parent is the thread that has started it.
#[cfg(target_os = "linux")]
pub(crate) fn spawn_apart(command: &mut Command) -> io::Result<SharedChild> {
    // It holds a call of `posix_spawn`, which has a stack of its own for the child.
    const STACK: usize = 128 << 10;
    // Lent to the thread, as it can be needed again.
    let lent = Arc::new(Mutex::new(std::mem::replace(command, Command::new(""))));
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("procscript spawn".into()).stack_size(STACK);
    let borrowed = lent.clone();
    let started = thread.spawn(move || {
        let table = close_range(3, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC);
        let is_apart = table.is_ok();
        let child = table.and_then(|()| spawn(&mut borrowed.lock().unwrap_or_else(PoisonError::into_inner)));
        drop(borrowed);
        if is_apart {
            // The thread's own copies, now: a pipe would be open until it ends.
            let _ = close_range(0, 0);
        }
        let pid = child.as_ref().ok().map(SharedChild::id);
        let _ = sender.send(child);
        if let Some(pid) = pid {
            let _no_signals = NoSignals::begin();
            let _ = super::peek_ending(pid, true);
        }
    });
    let child =
        started.and_then(|_| receiver.recv().unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::EAGAIN))));
    std::mem::swap(command, &mut lent.lock().unwrap_or_else(PoisonError::into_inner));
    child
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn spawn_apart(_: &mut Command) -> io::Result<SharedChild> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Whether [`spawn_apart`] works here (Linux 5.11).
fn has_own_tables() -> bool {
    #[cfg(target_os = "linux")]
    return close_range(libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC).is_ok();
    #[cfg(not(target_os = "linux"))]
    return false;
}

#[cfg(target_os = "linux")]
const CLOSE_RANGE_UNSHARE: libc::c_uint = 2;
#[cfg(target_os = "linux")]
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;

/// What happens to all descriptors from `first` on. Async-signal-safe.
#[cfg(target_os = "linux")]
fn close_range(first: libc::c_uint, flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: takes numbers only. Those who close descriptors with it have a table that is theirs alone.
    if unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) } == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// How a process can be started so that it gets nothing from this one that it was not meant to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// [`spawn`].
    Plain,
    /// [`spawn_apart`]: there are descriptors that it would inherit.
    Apart,
    /// [`ForkPath`](super::ForkPath): there are signals that this thread blocks or this process ignores, which only a
    /// step of ours between fork and exec can change.
    Fork,
}

pub(crate) fn cleanest_way() -> Way {
    if ignores_or_blocks_signals() {
        Way::Fork
    } else if !has_inheritable_descriptors() {
        Way::Plain
    } else if has_own_tables() {
        Way::Apart
    } else {
        Way::Fork
    }
}

/// The part of it that is left to a program that owns its process: all its descriptors are close-on-exec.
pub(crate) fn ignores_or_blocks_signals() -> bool {
    blocks_signals() || ignores_signals()
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

/// Blocks all signals of this thread as long as the value lives. Between fork and exec a child has the handlers of this
/// process: a signal to the group would run them there, too, and be told twice.
pub(super) struct NoSignals(libc::sigset_t);

impl NoSignals {
    pub fn begin() -> Self {
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: sigfillset initialises the one set, and the other is filled; an all-zero one is valid.
        unsafe {
            let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }
}

impl Drop for NoSignals {
    fn drop(&mut self) {
        // SAFETY: the set came from pthread_sigmask.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
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
    if close_range(3, CLOSE_RANGE_CLOEXEC).is_ok() {
        return;
    }
    // SAFETY: sysconf and fcntl are async-signal-safe.
    unsafe {
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as RawFd;
        for fd in 3..limit {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
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
