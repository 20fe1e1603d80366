//! The terminal of a session: whose it is, and in which state children leave it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use super::check;
use super::signal::{Descendant, descendants, members_of_group};

/// How a terminal treats what is typed and shown.
#[derive(Clone, Copy)]
pub(crate) struct TerminalModes(libc::termios);

impl TerminalModes {
    /// `None` for what is no terminal.
    pub fn of(fd: RawFd) -> Option<Self> {
        let mut modes = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the structure is valid for writing, and filled when the call succeeds.
        unsafe { (libc::tcgetattr(fd, modes.as_mut_ptr()) == 0).then(|| Self(modes.assume_init())) }
    }

    /// The same with what nobody can work without: line ends, echo, editing of a line, keys that send signals.
    pub fn sane(mut self) -> Self {
        self.0.c_iflag |= libc::ICRNL;
        self.0.c_iflag &= !(libc::IGNCR | libc::INLCR);
        self.0.c_oflag |= libc::OPOST | libc::ONLCR;
        self.0.c_lflag |= libc::ECHO | libc::ICANON | libc::ISIG | libc::IEXTEN;
        self.0.c_lflag &= !libc::FLUSHO;
        self
    }

    /// Sets them, also from the background. What was typed ahead is kept.
    pub fn set(&self, fd: RawFd) -> io::Result<()> {
        // SAFETY: the modes came from tcgetattr.
        without_stopping(|| check(unsafe { libc::tcsetattr(fd, libc::TCSADRAIN, &self.0) }))
    }
}

/// Does something for which a process in the background would be stopped.
fn without_stopping<T>(act: impl FnOnce() -> T) -> T {
    let (mut blocked, mut before) = (MaybeUninit::<libc::sigset_t>::zeroed(), MaybeUninit::<libc::sigset_t>::zeroed());
    // SAFETY: the sets are valid for writing, and filled before they are read; the mask is that of this thread alone.
    unsafe {
        libc::sigemptyset(blocked.as_mut_ptr());
        libc::sigaddset(blocked.as_mut_ptr(), libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, blocked.as_ptr(), before.as_mut_ptr());
    }
    let result = act();
    // SAFETY: the set was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    result
}

/// Whether we were stopped and went on in the background, and have not had the terminal since.
static IS_PUT_AWAY: AtomicBool = AtomicBool::new(false);

/// Whether our process group is the one that the terminal listens to. Async-signal-safe.
pub(crate) fn is_in_foreground(fd: RawFd) -> bool {
    // SAFETY: only asks.
    unsafe { libc::tcgetpgrp(fd) == libc::getpgrp() }
}

/// For the handler of SIGCONT. Async-signal-safe.
pub(super) fn note_continuing() {
    IS_PUT_AWAY.store(!is_in_foreground(0), Ordering::Release);
}

/// Makes our process group the one that the terminal listens to, unless somebody has it who has a right to: a shell
/// that put us into the background. Whether we have it then.
///
/// What a session started stays its descendant, because the runner adopts orphans; so a group without a stranger in it
/// is one that a command made for itself, and kept or left behind. When a shell has sent us on in the background, a
/// group without any member may as well be a job of the shell's that has just ended.
pub(crate) fn take_back_terminal(fd: RawFd) -> bool {
    // SAFETY: only asks.
    let (ours, foreground) = unsafe { (libc::getpgrp(), libc::tcgetpgrp(fd)) };
    if foreground == ours || foreground < 0 {
        IS_PUT_AWAY.store(false, Ordering::Release);
        return true;
    }
    let members = u32::try_from(foreground).map(members_of_group).unwrap_or_default();
    if members.is_empty() && IS_PUT_AWAY.load(Ordering::Acquire) {
        return false;
    }
    if !members.is_empty() {
        let own: Vec<Descendant> = descendants(&[std::process::id()]);
        if members.iter().any(|member| !own.contains(member)) {
            return false;
        }
    }
    // SAFETY: no memory is involved.
    without_stopping(|| unsafe { libc::tcsetpgrp(fd, ours) == 0 })
}

/// Stops this process, with its group, until somebody puts it into the foreground, as a shell does that is started in
/// the background. Does nothing where nobody could: in a group of orphans.
pub(crate) fn wait_in_background() {
    // SAFETY: sends a signal to our own group.
    unsafe { libc::kill(0, libc::SIGTTIN) };
}

/// Has reads and writes of a descriptor wait, and no signal tell of them. A program that shares it may have changed
/// that for everybody.
pub(crate) fn set_blocking(fd: RawFd) -> io::Result<()> {
    const UNWANTED: i32 = libc::O_NONBLOCK | libc::O_ASYNC;
    // SAFETY: gets and sets the flags of a descriptor number.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags < 0 || flags & UNWANTED == 0 {
            return Ok(());
        }
        check(libc::fcntl(fd, libc::F_SETFL, flags & !UNWANTED).min(0))
    }
}

/// Lets a terminal show again what is written to it, which a program may have stopped; no key would start it again.
pub(crate) fn resume_output(fd: RawFd) {
    // SAFETY: no memory is involved. What is no terminal needs nothing.
    without_stopping(|| unsafe { libc::tcflow(fd, libc::TCOON) });
}

/// Processor time of this process so far: in the program, and in the kernel for it.
pub(crate) fn own_processor_time() -> (std::time::Duration, std::time::Duration) {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the structure is valid for writing, and all-zero is a valid value of it.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let duration = |time: libc::timeval| {
        std::time::Duration::from_secs(time.tv_sec as u64) + std::time::Duration::from_micros(time.tv_usec as u64)
    };
    (duration(usage.ru_utime), duration(usage.ru_stime))
}
