//! The Unix side: `poll`, `waitid`, signals, descriptors.

use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::process::output::Usage;
use crate::process::status::TerminationStatus;

pub(crate) const SIGCONT: i32 = libc::SIGCONT;
pub(crate) const SIGHUP: i32 = libc::SIGHUP;
pub(crate) const SIGINT: i32 = libc::SIGINT;
pub(crate) const SIGKILL: i32 = libc::SIGKILL;
pub(crate) const SIGPIPE: i32 = libc::SIGPIPE;
pub(crate) const SIGQUIT: i32 = libc::SIGQUIT;
pub(crate) const SIGTERM: i32 = libc::SIGTERM;

// ---- signals by name ----------------------------------------------------------------------------

const SIGNALS: &[(&str, i32)] = &[
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("SYS", libc::SIGSYS),
];

/// The short name of a signal, without `SIG`.
pub(crate) fn signal_name(number: i32) -> Option<&'static str> {
    SIGNALS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
}

/// The number behind `TERM`, `SIGTERM`, `term` or `15`.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(name, _)| *name == short).map(|(_, n)| *n)
}

/// The symbolic name of an error number, as `errno(3)` lists them.
pub(crate) fn errno_name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EINTR => "EINTR",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::E2BIG => "E2BIG",
        libc::ENOEXEC => "ENOEXEC",
        libc::EBADF => "EBADF",
        libc::ECHILD => "ECHILD",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EBUSY => "EBUSY",
        libc::EEXIST => "EEXIST",
        libc::ENOTDIR => "ENOTDIR",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::ENFILE => "ENFILE",
        libc::EMFILE => "EMFILE",
        libc::ETXTBSY => "ETXTBSY",
        libc::EFBIG => "EFBIG",
        libc::ENOSPC => "ENOSPC",
        libc::EROFS => "EROFS",
        libc::EPIPE => "EPIPE",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ELOOP => "ELOOP",
        libc::ENOTSUP => "ENOTSUP",
        libc::ENOSYS => "ENOSYS",
        libc::ELIBBAD => "ELIBBAD",
        libc::EDQUOT => "EDQUOT",
        _ => return None,
    })
}

pub(crate) const EPIPE: i32 = libc::EPIPE;
pub(crate) const EACCES: i32 = libc::EACCES;
pub(crate) const EAGAIN: i32 = libc::EAGAIN;
pub(crate) const E2BIG: i32 = libc::E2BIG;
pub(crate) const ELOOP: i32 = libc::ELOOP;
pub(crate) const EMFILE: i32 = libc::EMFILE;
pub(crate) const ENFILE: i32 = libc::ENFILE;
pub(crate) const ENOENT: i32 = libc::ENOENT;
pub(crate) const ENOEXEC: i32 = libc::ENOEXEC;
pub(crate) const ENOMEM: i32 = libc::ENOMEM;
pub(crate) const ENOTDIR: i32 = libc::ENOTDIR;
pub(crate) const ETXTBSY: i32 = libc::ETXTBSY;

/// The system's words for an error number, without Rust's "(os error N)".
pub(crate) fn errno_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

// ---- waiting ------------------------------------------------------------------------------------

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

// ---- sending signals ----------------------------------------------------------------------------

/// Sends a signal to a process that we know to be ours (running, or a zombie that we did not reap).
pub(crate) fn signal_process(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(pid as libc::pid_t, signal) })
}

/// Sends a signal to every process of a group.
pub(crate) fn signal_group(group: u32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(-(group as libc::pid_t), signal) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A process seen in `/proc`: its number together with its start time, which no later process of
/// the same number shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descendant {
    pub pid: u32,
    pub group: Option<u32>,
    parent: u32,
    started: u64,
    ended: bool,
}

impl Descendant {
    /// `None` when the process is gone, or where there is no `/proc`.
    fn look(pid: u32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state ppid pgrp … starttime …`: the name may hold anything, also `)`.
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = String::from_utf8_lossy(&stat[end + 1..]);
        let mut fields = rest.split_ascii_whitespace();
        let ended = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok();
        let started = fields.nth(16)?.parse().ok()?;
        Some(Self { pid, group, parent, started, ended })
    }

    /// Whether this very process is still running.
    pub fn is_alive(&self) -> bool {
        Self::look(self.pid).is_some_and(|now| now.started == self.started && !now.ended)
    }
}

fn all_processes() -> Vec<Descendant> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Descendant::look).collect()
}

/// The running processes whose ancestors are among `roots`, the roots excluded.
pub(crate) fn descendants(roots: &[u32]) -> Vec<Descendant> {
    let mut children: HashMap<u32, Vec<Descendant>> = HashMap::new();
    for process in all_processes() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut queue = roots.to_vec();
    while let Some(parent) = queue.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            queue.push(child.pid);
            if !child.ended {
                found.push(child);
            }
        }
    }
    found
}

/// Whether a process of the group is running (and not a zombie).
pub(crate) fn group_has_living_member(group: u32) -> bool {
    all_processes().iter().any(|process| process.group == Some(group) && !process.ended)
}

// ---- pipes --------------------------------------------------------------------------------------

/// Makes our end of a pipe non-blocking. A pipe's two ends are two descriptions: the child's end
/// stays as it was.
pub(crate) fn set_nonblocking(fd: &impl AsFd) -> io::Result<()> {
    set_flags(&fd.as_fd(), libc::O_NONBLOCK)
}

/// Reads up to `room` bytes to the end of `buffer`, without clearing the space first.
pub(crate) fn read_append(fd: &impl AsRawFd, buffer: &mut Vec<u8>, room: usize) -> io::Result<usize> {
    buffer.reserve(room);
    loop {
        let spare = buffer.spare_capacity_mut();
        let room = room.min(spare.len());
        // SAFETY: the spare capacity is valid for writing `room` bytes.
        let n = unsafe { libc::read(fd.as_raw_fd(), spare.as_mut_ptr().cast(), room) };
        if n >= 0 {
            // SAFETY: the kernel has initialised `n` bytes behind the current length.
            unsafe { buffer.set_len(buffer.len() + n as usize) };
            return Ok(n as usize);
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => continue,
            error => return Err(error),
        }
    }
}

/// Opens a file for a child's input without waiting: `true` when it is a FIFO that may have no
/// writer yet, which the caller waits for.
pub(crate) fn open_for_reading(path: &Path) -> io::Result<(File, bool)> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    set_flags(&file, 0)?;
    Ok((file, kind.is_fifo()))
}

/// Opens a file for a child's output; `None` when it is a FIFO that nobody reads yet.
pub(crate) fn open_for_writing(path: &Path, append: bool) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    match append {
        true => options.append(true),
        false => options.write(true).truncate(true),
    };
    match options.create(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => set_flags(&file, if append { libc::O_APPEND } else { 0 }).map(|()| Some(file)),
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the next read does not block. A FIFO without a writer yet is not readable.
pub(crate) fn is_readable(fd: &impl AsRawFd) -> bool {
    let mut fds = [PollFd::readable(fd)];
    poll(&mut fds, Some(Duration::ZERO)).is_ok() && fds[0].is_ready()
}

/// Whether `path` leads to this regular file, by whatever name.
pub(crate) fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(one), Ok(other)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    one.is_file() && other.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The child must find an ordinary, blocking descriptor.
fn set_flags(fd: &impl AsRawFd, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) })
}

// ---- programs -----------------------------------------------------------------------------------

/// Why a file cannot be run, as far as its metadata tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRunnable {
    Missing,
    Directory,
    Special,
    Permission,
}

/// Whether `path` is a regular file that this process may execute. Never opens it, so that a FIFO
/// in the way cannot block.
pub(crate) fn check_runnable(path: &Path) -> Result<(), NotRunnable> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.raw_os_error() {
        Some(libc::EACCES) => NotRunnable::Permission,
        _ => NotRunnable::Missing,
    })?;
    if metadata.is_dir() {
        return Err(NotRunnable::Directory);
    }
    if !metadata.is_file() {
        return Err(NotRunnable::Special);
    }
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return Err(NotRunnable::Missing) };
    // SAFETY: the name is a valid C string.
    match unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), libc::X_OK, libc::AT_EACCESS) } {
        0 => Ok(()),
        _ => Err(NotRunnable::Permission),
    }
}

/// The path that programs are searched in where no `PATH` is set: what `getconf PATH` prints.
pub(crate) fn default_search_path() -> OsString {
    let mut buffer = vec![0_u8; 512];
    // SAFETY: the buffer is valid for its length; confstr writes a terminated string into it.
    let n = unsafe { libc::confstr(libc::_CS_PATH, buffer.as_mut_ptr().cast(), buffer.len()) };
    if n == 0 || n > buffer.len() {
        return OsString::from("/bin:/usr/bin");
    }
    buffer.truncate(n - 1);
    OsString::from_vec(buffer)
}

// ---- spawning -----------------------------------------------------------------------------------

/// Whether a plain `posix_spawn` would hand a child more than it should have: a signal that this
/// process ignores, or a descriptor above 2 that is not close-on-exec. Such a child takes the slower
/// fork path ([`isolate`]).
pub(crate) fn would_inherit_state() -> bool {
    ignores_signals() || has_inheritable_descriptors()
}

fn ignores_signals() -> bool {
    (1..=64).any(|signal| {
        // std resets SIGPIPE by itself; KILL and STOP have no disposition.
        if matches!(signal, libc::SIGPIPE | libc::SIGKILL | libc::SIGSTOP) {
            return false;
        }
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: asks for the action only; the structure is valid for writing.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    })
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
unsafe fn mark_all_close_on_exec() {
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

/// Makes the child of `command` start with default signal actions and descriptors 0, 1, 2 only,
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

/// Whether a descriptor leads to a terminal.
pub(crate) fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: asks about a descriptor number only.
    unsafe { libc::isatty(fd) == 1 }
}

/// A duplicate of one of our standard streams, for a child's other stream.
pub(crate) fn duplicate_standard_stream(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl checks the number; the new descriptor is ours.
    unsafe {
        let fd = libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

// ---- the process that owns itself: the runner ---------------------------------------------------

/// Which of the descriptors 0, 1, 2 were closed when the process started. Rust's start-up code
/// opens `/dev/null` in their place before `main`, so that a script would write into nothing and
/// succeed; this looks before that.
static CLOSED_AT_START: AtomicU8 = AtomicU8::new(0);

#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STANDARD_STREAMS: extern "C" fn() = {
    extern "C" fn look() {
        let mut closed = 0;
        for fd in 0..3 {
            // SAFETY: asks for flags only.
            if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
                closed |= 1 << fd;
            }
        }
        CLOSED_AT_START.store(closed, Ordering::Relaxed);
    }
    look
};

/// Whether descriptor 0, 1 or 2 was closed when the process started.
pub(crate) fn was_closed_at_start(fd: u8) -> bool {
    CLOSED_AT_START.load(Ordering::Relaxed) & (1 << fd) != 0
}

/// Writes all of `bytes` to a standard stream, past std's buffers, which hide the error of a closed
/// one. Waits when somebody made the descriptor non-blocking.
pub(crate) fn write_standard_stream(fd: RawFd, mut bytes: &[u8]) -> io::Result<()> {
    if was_closed_at_start(fd as u8) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    while !bytes.is_empty() {
        // SAFETY: the slice is valid for reading.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        if n >= 0 {
            bytes = &bytes[n as usize..];
            continue;
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error if error.kind() == io::ErrorKind::WouldBlock => poll(&mut [PollFd::writable(&fd)], None)?,
            error => return Err(error),
        }
    }
    Ok(())
}

/// The signals among `wanted` that this process did not inherit as ignored (`nohup` ignores HUP, a
/// shell's `&` ignores INT): those a runner may handle.
pub(crate) fn not_ignored(wanted: &[i32]) -> Vec<i32> {
    let is_ignored = |signal: i32| {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: asks for the action only.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    };
    wanted.iter().copied().filter(|signal| !is_ignored(*signal)).collect()
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigemptyset initialises the set; sigaddset refuses bad numbers.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

/// Blocks signals in this thread and in those it will start, for [`next_signal`] to take.
pub(crate) fn block_signals(signals: &[i32]) {
    let set = signal_set(signals);
    // SAFETY: the set is initialised.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
}

/// Waits for one of the blocked signals: its number, and whether the kernel sent it (a key typed at
/// the terminal) and not another process.
pub(crate) fn next_signal(signals: &[i32]) -> Option<(i32, bool)> {
    let set = signal_set(signals);
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the set is initialised and the structure valid for writing.
        let signal = unsafe { libc::sigwaitinfo(&set, info.as_mut_ptr()) };
        if signal > 0 {
            // SAFETY: sigwaitinfo has filled it.
            let code = unsafe { info.assume_init() }.si_code;
            const SI_KERNEL: i32 = 0x80;
            return Some((signal, code == SI_KERNEL));
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// Ends this process by `signal`, as if it had never been handled: what tells a calling shell that
/// its loop should stop too. Where the signal cannot end us (PID 1), exits with 128 + n.
pub(crate) fn die_of_signal(signal: i32) -> ! {
    let set = signal_set(&[signal]);
    // SAFETY: restores the default action and sends the signal to ourselves.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::kill(libc::getpid(), signal);
    }
    std::process::exit(128 + signal)
}

/// What a program that owns its process does first: no descriptor that it inherited above 2 reaches
/// its children, and SIGCHLD is neither ignored (every wait would fail with ECHILD) nor blocked.
pub(crate) fn own_process() {
    // SAFETY: only sets a flag on descriptors.
    unsafe { mark_all_close_on_exec() };
    let set = signal_set(&[libc::SIGCHLD]);
    // SAFETY: sets dispositions of this process and the mask of this thread.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
}
