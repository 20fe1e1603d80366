//! The Unix side. Linux is what is tested; what only Linux has (process descriptors, `/proc`, usage
//! without reaping) has a plainer answer elsewhere.

mod files;
mod names;
#[cfg(feature = "cli")]
mod owner;
mod signal;
mod spawn;
mod streams;
mod wait;

pub(crate) use files::*;
pub(crate) use names::*;
#[cfg(feature = "cli")]
pub(crate) use owner::*;
pub(crate) use signal::*;
pub(crate) use spawn::*;
pub(crate) use streams::*;
pub(crate) use wait::*;

/// The result of a system call that says 0 for success.
fn check(result: libc::c_int) -> std::io::Result<()> {
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
