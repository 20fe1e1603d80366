//! Pipes, files and programs.

use std::ffi::{CString, OsString};
use std::fs::{File, OpenOptions};
use std::io;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use super::check;
use super::wait::{PollFd, poll};

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
    open_for_writing_with_mode(path, append, 0o666)
}

/// The same; a file that is not there gets these permissions, less those of the umask.
pub(crate) fn open_for_writing_with_mode(path: &Path, append: bool, mode: u32) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    match append {
        true => options.append(true),
        // Emptied by `truncate`, when all files have been opened.
        false => options.write(true).truncate(false),
    };
    match options.create(true).mode(mode).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => set_flags(&file, if append { libc::O_APPEND } else { 0 }).map(|()| Some(file)),
        // Also what a socket says, and `/dev/tty` without a terminal.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) && is_fifo(path) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_fifo(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Empties a regular file; other kinds have nothing to empty.
pub(crate) fn truncate(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => file.set_len(0),
        false => Ok(()),
    }
}

/// Whether the next read does not block. A FIFO without a writer yet is not readable.
pub(crate) fn is_readable(fd: &impl AsRawFd) -> bool {
    let mut fds = [PollFd::readable(fd)];
    poll(&mut fds, Some(Duration::ZERO)).is_ok() && fds[0].is_ready()
}

/// Whether a pipe takes PIPE_BUF bytes without blocking, or nobody reads it.
pub(crate) fn is_writable(fd: &impl AsRawFd) -> bool {
    let mut fds = [PollFd::writable(fd)];
    poll(&mut fds, Some(Duration::ZERO)).is_ok() && fds[0].is_ready()
}

/// One `write`.
pub(crate) fn write_once(fd: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        // SAFETY: the slice is valid for reading.
        let write = || unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        let (n, error) = without_sigpipe(|| (write(), io::Error::last_os_error()));
        if n >= 0 {
            return Ok(n as usize);
        }
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Whether it is an end of a pipe, with a name or without.
pub(crate) fn is_pipe(fd: &impl AsRawFd) -> bool {
    let mut facts = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the structure is valid for writing; an all-zero one is valid.
    let mode = unsafe {
        libc::fstat(fd.as_raw_fd(), facts.as_mut_ptr());
        facts.assume_init().st_mode
    };
    mode & libc::S_IFMT == libc::S_IFIFO
}

/// One `write` into a pipe that does not wait although the descriptor is blocking, where the system can do that
/// (Linux): else it has to be known that there is room. Without it the answer is `WouldBlock`.
pub(crate) fn write_without_waiting(fd: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        // As at the position where it is: pipes and terminals have none.
        const HERE: libc::c_long = -1;
        let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let (fd, flags) = (fd.as_raw_fd(), libc::RWF_NOWAIT);
        // SAFETY: one part, which is only read.
        let write = || unsafe { libc::syscall(libc::SYS_pwritev2, fd, &raw const part, 1, HERE, HERE, flags) as isize };
        let (n, error) = without_sigpipe(|| (write(), io::Error::last_os_error()));
        if n >= 0 {
            return Ok(n as usize);
        }
        // What else can be wrong, the other says too.
        if matches!(error.raw_os_error(), Some(libc::EAGAIN)) {
            return Err(error);
        }
    }
    write_once(fd, bytes)
}

/// Writes everything to a blocking descriptor.
pub(crate) fn write_all(fd: &impl AsRawFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = write_once(fd, bytes)?;
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Runs a write that may fail with EPIPE, without the signal that comes with it: a host that is not
/// Rust's has the default action for it, which is death.
#[cfg(target_os = "linux")]
fn without_sigpipe(write: impl FnOnce() -> (isize, io::Error)) -> (isize, io::Error) {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut earlier = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut pending = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all structures are valid for writing, and initialised by the calls that fill them.
    unsafe {
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), action.as_mut_ptr());
        if action.assume_init().sa_sigaction != libc::SIG_DFL {
            return write();
        }
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        libc::sigpending(pending.as_mut_ptr());
        let was_pending = libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1;
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), earlier.as_mut_ptr());
        let result = write();
        if result.0 < 0 && result.1.raw_os_error() == Some(libc::EPIPE) && !was_pending {
            // It is pending for this thread; taken here, it goes nowhere.
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(set.as_ptr(), std::ptr::null_mut(), &now);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, earlier.as_ptr(), std::ptr::null_mut());
        result
    }
}

#[cfg(not(target_os = "linux"))]
fn without_sigpipe(write: impl FnOnce() -> (isize, io::Error)) -> (isize, io::Error) {
    write()
}

/// Whether `path` leads to this regular file, by whatever name.
pub(crate) fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(one), Ok(other)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    one.is_file() && other.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether the two lead to one FIFO, by whatever names.
pub(crate) fn is_same_fifo(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (std::fs::metadata(one), std::fs::metadata(other)) else { return false };
    one.file_type().is_fifo() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The child must find an ordinary, blocking descriptor.
fn set_flags(fd: &impl AsRawFd, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) })
}

/// Why a file cannot be run, as far as its metadata tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRunnable {
    Missing,
    /// What stands in front of the name is a file.
    BelowFile,
    /// The name, or the path.
    TooLong,
    /// A directory on the way may not be entered.
    Closed,
    Directory,
    Special,
    Permission,
}

/// Whether `path` is a regular file that this process may execute. Never opens it, so that a FIFO
/// in the way cannot block.
pub(crate) fn check_runnable(path: &Path) -> Result<(), NotRunnable> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.raw_os_error() {
        Some(libc::EACCES) => NotRunnable::Closed,
        Some(libc::ENOTDIR) => NotRunnable::BelowFile,
        Some(libc::ENAMETOOLONG) => NotRunnable::TooLong,
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

/// Makes a file that was not there and that nobody else may open.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file of ours for reading, and for writing at its end or anywhere; where it is written at its end, it is made
/// when it is missing, and nobody else may open it. Does not wait for whoever is to read a FIFO.
#[cfg(feature = "cli")]
pub(crate) fn open_private(path: &Path, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).append(append).create(append).mode(0o600).custom_flags(libc::O_NONBLOCK);
    options.open(path)
}

/// Makes a directory and what it is in, for us alone where they are missing.
#[cfg(feature = "cli")]
pub(crate) fn create_private_dirs(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Gives a new file to the owner and the group of another one, as far as we may.
pub(crate) fn give_to_owner_of(file: &File, other: &std::fs::Metadata) {
    let _ = std::os::unix::fs::fchown(file, None, Some(other.gid()));
    let _ = std::os::unix::fs::fchown(file, Some(other.uid()), None);
}
