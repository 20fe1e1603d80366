//! Waiting: `poll`, process descriptors, and how a process ended.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd, RawFd};
use std::time::Duration;

use crate::process::output::Usage;
use crate::process::status::TerminationStatus;

/// One descriptor for [`poll`]: what to wait for, and what was seen.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct PollFd(libc::pollfd);

impl PollFd {
    pub fn readable(fd: &impl AsRawFd) -> Self {
        Self(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 })
    }

    pub fn writable(fd: &impl AsRawFd) -> Self {
        Self(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 })
    }

    /// Data, end of file or an error: in each case the next call on it does not block.
    pub fn is_ready(self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until one of the descriptors is ready, or for `timeout`; an interruption by a signal is
/// a return with nothing ready.
pub(crate) fn poll(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = match timeout {
        None => -1,
        // Rounded up: a wait of 0.4 ms as 0 would spin.
        Some(wait) => i32::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(i32::MAX),
    };
    // SAFETY: `PollFd` is a transparent `pollfd`, and the slice is valid for its own length.
    let n = unsafe { libc::poll(fds.as_mut_ptr().cast(), fds.len() as libc::nfds_t, timeout) };
    if n >= 0 {
        return Ok(());
    }
    for fd in fds {
        fd.0.revents = 0;
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        error => Err(error),
    }
}

/// Waits until `fd` is readable, or for `timeout`. Without a descriptor it just sleeps.
pub(crate) fn wait_readable(fd: Option<&impl AsRawFd>, timeout: Option<Duration>) {
    let mut fds: Vec<PollFd> = fd.map(PollFd::readable).into_iter().collect();
    // A failing poll (no memory) must not become a busy loop.
    if poll(&mut fds, timeout).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A descriptor that becomes readable when the process has ended; `None` where the kernel has none.
#[cfg(target_os = "linux")]
pub(crate) fn process_descriptor(pid: u32) -> Option<OwnedFd> {
    // SAFETY: plain system call; the descriptor it returns is new and ours (and close-on-exec).
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0);
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd as RawFd))
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn process_descriptor(_pid: u32) -> Option<OwnedFd> {
    None
}

/// How a process ended, seen without reaping it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub status: TerminationStatus,
    pub core_dumped: bool,
    pub usage: Usage,
}

impl Ending {
    /// For a process whose ending nobody can tell any more.
    pub fn unknown() -> Self {
        Self { status: TerminationStatus::Signaled(libc::SIGKILL), core_dumped: false, usage: Usage::default() }
    }
}

/// Looks whether a child has ended, and leaves the zombie, so that its pid and group stay ours.
///
/// The system call is made directly because Linux gives it a fifth argument that `waitid(3)` hides:
/// the resource usage, also with WNOWAIT.
pub(crate) fn peek_ending(pid: u32, block: bool) -> io::Result<Option<Ending>> {
    let flags = libc::WEXITED | libc::WNOWAIT | if block { 0 } else { libc::WNOHANG };
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both structures are valid for writing; all-zero is a valid value of each.
        let (result, info, usage) = unsafe {
            let result = waitid(pid, info.as_mut_ptr(), flags, usage.as_mut_ptr());
            (result, info.assume_init(), usage.assume_init())
        };
        if result != 0 {
            match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => continue,
                error => return Err(error),
            }
        }
        // SAFETY: a SIGCHLD siginfo (or an all-zero one, when nothing has ended) has these fields.
        let (ended, value) = unsafe { (info.si_pid() != 0, info.si_status()) };
        return Ok(ended.then(|| Ending {
            status: match info.si_code {
                libc::CLD_EXITED => TerminationStatus::Exited(value),
                _ => TerminationStatus::Signaled(value),
            },
            core_dumped: info.si_code == libc::CLD_DUMPED,
            usage: usage_from(&usage),
        }));
    }
}

#[cfg(target_os = "linux")]
unsafe fn waitid(pid: u32, info: *mut libc::siginfo_t, flags: i32, usage: *mut libc::rusage) -> libc::c_long {
    // SAFETY: the caller passes valid pointers.
    unsafe { libc::syscall(libc::SYS_waitid, libc::P_PID, pid, info, flags, usage) }
}

#[cfg(not(target_os = "linux"))]
unsafe fn waitid(pid: u32, info: *mut libc::siginfo_t, flags: i32, _usage: *mut libc::rusage) -> libc::c_long {
    // SAFETY: the caller passes valid pointers.
    unsafe { libc::c_long::from(libc::waitid(libc::P_PID, pid as libc::id_t, info, flags)) }
}

fn usage_from(usage: &libc::rusage) -> Usage {
    let time = |t: libc::timeval| Duration::new(t.tv_sec.max(0) as u64, t.tv_usec.max(0) as u32 * 1000);
    Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        // Kilobytes on Linux and the BSDs.
        peak_memory: usage.ru_maxrss.max(0) as u64 * 1024,
    }
}
