//! What differs from system to system, and the only `unsafe` of the crate.
//!
//! Every function here is one thing that the operating system does; locking, state and policy live
//! above. A second system implements the same names in a file beside `unix.rs`.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::CountingAllocator;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(not(unix))]
compile_error!("procscript runs on Unix systems; Windows is not supported yet");
