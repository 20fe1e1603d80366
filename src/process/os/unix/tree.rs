//! Files and directories by name: permissions, links, times, and the removal of whole trees.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{check, errno_location};

/// What the system keeps about a file, besides its size and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileFacts {
    pub kind: &'static str,
    /// The permissions, with the bits for set-user-id, set-group-id and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub device: u64,
    pub inode: u64,
    pub links: u64,
}

impl FileFacts {
    pub fn of(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        let kind = match () {
            () if kind.is_file() => "file",
            () if kind.is_dir() => "dir",
            () if kind.is_symlink() => "link",
            () if kind.is_fifo() => "fifo",
            () if kind.is_socket() => "socket",
            () if kind.is_char_device() => "char_device",
            () if kind.is_block_device() => "block_device",
            () => "other",
        };
        Self {
            kind,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            device: metadata.dev(),
            inode: metadata.ino(),
            links: metadata.nlink(),
        }
    }

    /// Whether the two are one file, by whatever names.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// A path of any bytes: names need not be text here.
pub(crate) fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// Where temporary files are when no variable says so.
pub(crate) fn default_temp_dir() -> &'static Path {
    Path::new("/tmp")
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

pub(crate) fn set_mode_of(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Makes a directory with these permissions, less those of the umask.
pub(crate) fn create_dir(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)
}

/// Makes a file that was not there, with these permissions, less those of the umask.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Whether this process may write to the file at `path`.
pub(crate) fn may_write(path: &Path) -> io::Result<()> {
    let name = c_string(path.as_os_str())?;
    // SAFETY: the name is a valid C string.
    check(unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), libc::W_OK, libc::AT_EACCESS) })
}

/// Sets the time of the last change, without opening the file: it may be read-only, or a directory.
pub(crate) fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    let name = c_string(path.as_os_str())?;
    let omitted = libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT };
    let times = [omitted, timespec(time)];
    // SAFETY: the name is a valid C string, and two times are given.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, name.as_ptr(), times.as_ptr(), 0) })
}

/// Sets both times to now, as `touch` does: for that one need not own the file, only be able to write to it.
pub(crate) fn set_times_to_now(path: &Path) -> io::Result<()> {
    let name = c_string(path.as_os_str())?;
    // SAFETY: the name is a valid C string; no times means now.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, name.as_ptr(), std::ptr::null(), 0) })
}

fn timespec(time: SystemTime) -> libc::timespec {
    let (seconds, nanoseconds) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (after.as_secs() as i64, after.subsec_nanos()),
        Err(before) => match (before.duration().as_secs() as i64, before.duration().subsec_nanos()) {
            (seconds, 0) => (-seconds, 0),
            (seconds, nanoseconds) => (-seconds - 1, 1_000_000_000 - nanoseconds),
        },
    };
    libc::timespec { tv_sec: seconds as libc::time_t, tv_nsec: nanoseconds as _ }
}

/// Closes a file; a network file system may say only now that what was written is lost.
pub(crate) fn close(file: File) -> io::Result<()> {
    let fd = file.into_raw_fd();
    // SAFETY: the descriptor was the file's own, and nothing uses it any more.
    match check(unsafe { libc::close(fd) }) {
        // The descriptor is closed all the same, and nothing was lost.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        result => result,
    }
}

fn c_string(name: &OsStr) -> io::Result<CString> {
    CString::new(name.as_bytes()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL byte is in the name"))
}

/// An open directory, whose entries are reached through it: it stays the same whatever becomes of its name. A
/// removal that went by names could be led elsewhere by a link that is put in place of a directory.
pub(crate) struct OpenDir(OwnedFd);

impl OpenDir {
    /// Never follows a symbolic link at the end of the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_at(libc::AT_FDCWD, path.as_os_str())
    }

    pub fn open_child(&self, name: &OsStr) -> io::Result<Self> {
        Self::open_at(self.0.as_raw_fd(), name)
    }

    fn open_at(at: libc::c_int, name: &OsStr) -> io::Result<Self> {
        let name = c_string(name)?;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        // SAFETY: the name is a valid C string; the descriptor that is returned is new and ours.
        unsafe {
            let fd = libc::openat(at, name.as_ptr(), flags);
            check(if fd < 0 { -1 } else { 0 })?;
            Ok(Self(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// The names in it, with whether each is known to be a directory. `goes_on` is asked for each of them.
    pub fn entries(&self, goes_on: &dyn Fn() -> bool) -> io::Result<Vec<(OsString, bool)>> {
        // The stream closes its descriptor.
        let fd = self.0.try_clone()?.into_raw_fd();
        let mut entries = Vec::new();
        // SAFETY: the descriptor is open and given away; the stream is used by this function alone, and an entry is
        // copied before the next is read.
        unsafe {
            let stream = libc::fdopendir(fd);
            if stream.is_null() {
                let error = io::Error::last_os_error();
                libc::close(fd);
                return Err(error);
            }
            let mut result = Ok(());
            while goes_on() {
                *errno_location() = 0;
                let entry = libc::readdir(stream);
                if entry.is_null() {
                    if *errno_location() != 0 {
                        result = Err(io::Error::last_os_error());
                    }
                    break;
                }
                let name = CStr::from_ptr((*entry).d_name.as_ptr()).to_bytes();
                if name != b"." && name != b".." {
                    entries.push((OsString::from_vec(name.to_vec()), (*entry).d_type == libc::DT_DIR));
                }
            }
            libc::closedir(stream);
            result?;
        }
        Ok(entries)
    }

    /// Whether the two are one directory.
    pub fn is_at(&self, path: &Path) -> io::Result<bool> {
        let here = FileFacts::of(&File::from(self.0.try_clone()?).metadata()?);
        Ok(here.is_same(&FileFacts::of(&std::fs::metadata(path)?)))
    }

    pub fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        self.unlink(name, 0)
    }

    pub fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        self.unlink(name, libc::AT_REMOVEDIR)
    }

    fn unlink(&self, name: &OsStr, flags: libc::c_int) -> io::Result<()> {
        let name = c_string(name)?;
        // SAFETY: the descriptor is open and the name a valid C string.
        check(unsafe { libc::unlinkat(self.0.as_raw_fd(), name.as_ptr(), flags) })
    }

    /// Gives us all permissions on it.
    pub fn make_ours(&self) -> io::Result<()> {
        // SAFETY: the descriptor is open.
        check(unsafe { libc::fchmod(self.0.as_raw_fd(), 0o700) })
    }

    /// The same for a directory in it that we may not even open.
    pub fn make_child_ours(&self, name: &OsStr) -> io::Result<()> {
        let name = c_string(name)?;
        // SAFETY: the descriptor is open and the name a valid C string.
        check(unsafe { libc::fchmodat(self.0.as_raw_fd(), name.as_ptr(), 0o700, 0) })
    }
}
