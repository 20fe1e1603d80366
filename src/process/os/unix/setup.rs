//! What a child does to itself between `fork` and `exec`, beyond what std does for it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::limits::Limit;
use super::{check, errno_location};

/// The changes a child makes to itself, prepared before the fork: the child allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct ChildSetup {
    pub new_session: bool,
    /// Each descriptor of ours with its number in the child. No source may have the number of a target,
    /// so that the order does not matter and none overwrites another: see
    /// [`duplicate_descriptor`].
    pub descriptors: Vec<(OwnedFd, RawFd)>,
    pub limits: Vec<Limit>,
    /// Added to our own niceness.
    pub nice: Option<i32>,
    pub umask: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub gid: Option<u32>,
    pub uid: Option<u32>,
}

/// What a start can fail at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Session,
    /// An index of [`ChildSetup::descriptors`].
    Descriptor(usize),
    /// An index of [`ChildSetup::limits`].
    Limit(usize),
    Nice,
    Groups,
    Group,
    User,
    /// The program itself, or what std does before all this.
    Start,
}

impl Step {
    /// As two numbers, which fit into the report of a child.
    pub(super) fn encode(self) -> [u32; 2] {
        match self {
            Self::Session => [1, 0],
            Self::Descriptor(index) => [2, index as u32],
            Self::Limit(index) => [3, index as u32],
            Self::Nice => [4, 0],
            Self::Groups => [5, 0],
            Self::Group => [6, 0],
            Self::User => [7, 0],
            Self::Start => [0, 0],
        }
    }

    pub(super) fn decode([step, index]: [u32; 2]) -> Self {
        match step {
            1 => Self::Session,
            2 => Self::Descriptor(index as usize),
            3 => Self::Limit(index as usize),
            4 => Self::Nice,
            5 => Self::Groups,
            6 => Self::Group,
            7 => Self::User,
            _ => Self::Start,
        }
    }
}

/// Whether this process may change its user.
pub(crate) fn is_root() -> bool {
    // SAFETY: only asks.
    unsafe { libc::geteuid() == 0 }
}

impl ChildSetup {
    /// Whether there is anything to do.
    pub fn is_empty(&self) -> bool {
        let Self { new_session, descriptors, limits, nice, umask, groups, gid, uid } = self;
        let unchanged = nice.is_none() && umask.is_none() && groups.is_none() && gid.is_none() && uid.is_none();
        unchanged && !new_session && descriptors.is_empty() && limits.is_empty()
    }

    /// Makes the changes; on failure `errno` says why.
    ///
    /// The order matters: descriptors while the limit of their number is still ours, what may need
    /// privileges before they are given up, and the groups before the user who could not change them
    /// any more.
    ///
    /// # Safety
    /// To be called between `fork` and `exec` only, after all descriptors were marked close-on-exec.
    pub(super) unsafe fn apply(&self) -> Result<(), Step> {
        // SAFETY: async-signal-safe calls, on memory that was prepared before the fork.
        unsafe {
            if self.new_session {
                done(libc::setsid(), Step::Session)?;
            }
            for (index, (source, number)) in self.descriptors.iter().enumerate() {
                // Clears close-on-exec, as the numbers differ.
                done(libc::dup2(source.as_raw_fd(), *number), Step::Descriptor(index))?;
            }
            for (index, limit) in self.limits.iter().enumerate() {
                done(limit.set(), Step::Limit(index))?;
            }
            if let Some(nice) = self.nice {
                // -1 is a niceness as well.
                *errno_location() = 0;
                if libc::nice(nice) == -1 && *errno_location() != 0 {
                    return Err(Step::Nice);
                }
            }
            if let Some(umask) = self.umask {
                libc::umask(umask as libc::mode_t);
            }
            self.change_identity()
        }
    }

    /// # Safety
    /// As [`apply`](Self::apply).
    unsafe fn change_identity(&self) -> Result<(), Step> {
        // SAFETY: as above; the pointer is valid for the length that goes with it.
        unsafe {
            if let Some(groups) = &self.groups {
                done(libc::setgroups(groups.len() as _, groups.as_ptr()), Step::Groups)?;
            }
            if let Some(gid) = self.gid {
                done(libc::setgid(gid), Step::Group)?;
            }
            if let Some(uid) = self.uid {
                done(libc::setuid(uid), Step::User)?;
            }
        }
        Ok(())
    }
}

fn done(result: libc::c_int, step: Step) -> Result<(), Step> {
    if result == -1 { Err(step) } else { Ok(()) }
}

/// A duplicate of one of our descriptors, close-on-exec, above 2 and with none of the numbers in
/// `avoid`.
pub(crate) fn duplicate_descriptor(number: RawFd, avoid: &[RawFd]) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    let mut lowest = 3;
    loop {
        // SAFETY: fcntl checks the number.
        let fd = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, lowest) };
        check(fd.min(0))?;
        // SAFETY: the descriptor is new, and ours.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        if !avoid.contains(&fd.as_raw_fd()) {
            return Ok(fd);
        }
        lowest = fd.as_raw_fd() + 1;
    }
}
