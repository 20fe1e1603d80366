//! Users, and the room on disks.

use std::ffi::{CStr, CString, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::check;

/// More than any entry of a user needs.
const LARGEST_ENTRY: usize = 1 << 20;

/// A user of the machine.
pub(crate) struct User {
    pub name: String,
    pub home: PathBuf,
    pub shell: PathBuf,
}

/// The user whose rights this process has, and the group.
pub(crate) fn own_ids() -> (u32, u32) {
    // SAFETY: only asks.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// `None` for a number that has no entry, as in many containers.
///
/// # Errors
/// When it could not be looked up: no descriptor is left, or no answer came.
pub(crate) fn user(uid: u32) -> io::Result<Option<User>> {
    let mut buffer = vec![0_u8; 1024];
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::zeroed();
        let mut found = std::ptr::null_mut();
        // SAFETY: the entry and the buffer are valid for writing, and live as long as the texts are read.
        let result = unsafe {
            libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr().cast(), buffer.len(), &raw mut found)
        };
        match result {
            libc::EINTR => {}
            libc::ERANGE if buffer.len() < LARGEST_ENTRY => buffer.resize(buffer.len() * 4, 0),
            0 if !found.is_null() => {
                // SAFETY: a found entry has texts that end in NUL, in the buffer.
                return Ok(Some(unsafe {
                    let entry = entry.assume_init();
                    let text = |text: *const libc::c_char| OsString::from_vec(CStr::from_ptr(text).to_bytes().to_vec());
                    User {
                        name: text(entry.pw_name).to_string_lossy().into_owned(),
                        home: text(entry.pw_dir).into(),
                        shell: text(entry.pw_shell).into(),
                    }
                }));
            }
            // Libraries differ in what they call it that there is none.
            0 | libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// Bytes on a disk.
pub(crate) struct DiskSpace {
    pub total: u64,
    /// Not used.
    pub free: u64,
    /// What this user may use of it: the system keeps some for root.
    pub available: u64,
}

/// The room on the disk that holds a file or directory.
pub(crate) fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let mut space = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: the path ends in NUL; the structure is valid for writing, and all-zero is a valid value of it.
    let space = unsafe {
        check(libc::statvfs(path.as_ptr(), space.as_mut_ptr()))?;
        space.assume_init()
    };
    let block = space.f_frsize as u64;
    Ok(DiskSpace {
        total: block.saturating_mul(space.f_blocks as u64),
        free: block.saturating_mul(space.f_bfree as u64),
        available: block.saturating_mul(space.f_bavail as u64),
    })
}
