//! The Unix side. Linux is what is tested; what only Linux has (process descriptors, `/proc`, usage
//! without reaping) has a plainer answer elsewhere.

mod files;
#[cfg(feature = "cli")]
mod foreground;
mod fork;
mod host;
mod limits;
mod memory;
mod names;
#[cfg(feature = "cli")]
mod owner;
mod setup;
mod signal;
mod spawn;
mod streams;
mod terminal;
mod tree;
#[cfg(feature = "cli")]
mod typing;
mod wait;

pub(crate) use files::*;
#[cfg(feature = "cli")]
pub(crate) use foreground::*;
pub(crate) use fork::*;
pub(crate) use host::*;
pub(crate) use limits::*;
pub use memory::CountingAllocator;
pub(crate) use memory::*;
pub(crate) use names::*;
#[cfg(feature = "cli")]
pub(crate) use owner::*;
pub(crate) use setup::*;
pub(crate) use signal::*;
pub(crate) use spawn::*;
pub(crate) use streams::*;
pub(crate) use terminal::*;
pub(crate) use tree::*;
#[cfg(feature = "cli")]
pub(crate) use typing::*;
pub(crate) use wait::*;

/// Without the runner there is no handler of ours to be ahead of.
#[cfg(not(feature = "cli"))]
pub(crate) fn hasten_signal(_: i32) {}

/// The result of a system call that says 0 for success.
fn check(result: libc::c_int) -> std::io::Result<()> {
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Where the error number of this thread is kept.
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
unsafe fn errno_location() -> *mut libc::c_int {
    // SAFETY: always callable.
    unsafe { libc::__error() }
}

/// Where the error number of this thread is kept.
#[cfg(not(any(target_vendor = "apple", target_os = "freebsd")))]
unsafe fn errno_location() -> *mut libc::c_int {
    // SAFETY: always callable.
    unsafe { libc::__errno_location() }
}
