//! Sending signals, and finding whom to send them to.

use std::collections::HashMap;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use super::check;

/// Sends a signal to a process that we know to be ours (running, or a zombie that we did not reap).
pub(crate) fn signal_process(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(pid as libc::pid_t, signal) })
}

/// Sends a signal to the process of a [descriptor](super::process_descriptor), whoever has its number now.
#[cfg(target_os = "linux")]
pub(crate) fn signal_descriptor(descriptor: &OwnedFd, signal: i32) -> io::Result<()> {
    // SAFETY: without a siginfo no memory is involved.
    let result = unsafe {
        let info = std::ptr::null::<libc::siginfo_t>();
        libc::syscall(libc::SYS_pidfd_send_signal, descriptor.as_raw_fd(), signal, info, 0)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn signal_descriptor(_descriptor: &OwnedFd, _signal: i32) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

/// Sends a signal to every process of a group.
pub(crate) fn signal_group(group: u32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::kill(-(group as libc::pid_t), signal) })
}

/// A process seen in `/proc`: its number together with its start time, which no later process of
/// the same number shares. Two that are equal are the same process, perhaps at different times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descendant {
    pub pid: u32,
    pub group: Option<u32>,
    session: Option<u32>,
    parent: u32,
    started: u64,
    ended: bool,
    stopped: bool,
    runnable: bool,
}

impl PartialEq for Descendant {
    fn eq(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }
}

impl Eq for Descendant {}

impl Descendant {
    /// `None` when the process is gone, or where there is no `/proc`.
    pub fn look(pid: u32) -> Option<Self> {
        if !has_own_proc() {
            return None;
        }
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state ppid pgrp … starttime …`: the name may hold anything, also `)`.
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = String::from_utf8_lossy(&stat[end + 1..]);
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let (ended, stopped) = (matches!(state, "Z" | "X" | "x"), matches!(state, "T" | "t"));
        let runnable = state == "R";
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok();
        let session = fields.next()?.parse().ok();
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { pid, group, session, parent, started, ended, stopped, runnable })
    }

    /// Whether a signal has stopped it.
    pub fn is_stopped(&self) -> bool {
        self.stopped && !self.ended
    }

    /// Whether it runs, or would if it were its turn.
    pub fn is_runnable(&self) -> bool {
        self.runnable
    }

    /// Whether it runs no code any more, or not just now.
    pub fn is_still(&self) -> bool {
        self.stopped || self.ended
    }

    /// This very process as it is now, unless it has ended.
    pub fn now(&self) -> Option<Self> {
        Self::look(self.pid).filter(|now| now == self && !now.ended)
    }
}

/// Whether `/proc` is there, and has the numbers by which we know processes: in a namespace of its own a program may
/// still see that of outside, where the same numbers are others.
fn has_own_proc() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let number = std::fs::read_link("/proc/self").ok();
        number.is_some_and(|number| number.as_os_str() == std::process::id().to_string().as_str())
    })
}

/// Whether a `/proc` of our own should be there and is not.
#[cfg(feature = "cli")]
pub(crate) fn lacks_proc() -> bool {
    cfg!(target_os = "linux") && !has_own_proc()
}

/// Why the processes cannot be looked at, if they cannot.
#[cfg(target_os = "linux")]
pub(crate) fn processes_can_be_seen() -> io::Result<()> {
    std::fs::read_dir("/proc")?;
    match has_own_proc() {
        true => Ok(()),
        false => Err(io::Error::other("the /proc that is there is not that of this PID namespace")),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn processes_can_be_seen() -> io::Result<()> {
    Ok(())
}

fn all_processes() -> Vec<Descendant> {
    if !has_own_proc() {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Descendant::look).collect()
}

/// The running processes whose ancestors are among `roots`, the roots excluded.
pub(crate) fn descendants(roots: &[u32]) -> Vec<Descendant> {
    descendants_where(roots, |_| true)
}

/// The same, without those that are not meant, and what is below them.
pub(crate) fn descendants_where(roots: &[u32], is_meant: impl Fn(&Descendant) -> bool) -> Vec<Descendant> {
    let mut children: HashMap<u32, Vec<Descendant>> = HashMap::new();
    for process in all_processes() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut queue = roots.to_vec();
    while let Some(parent) = queue.pop() {
        for child in children.remove(&parent).unwrap_or_default().into_iter().filter(&is_meant) {
            queue.push(child.pid);
            if !child.ended {
                found.push(child);
            }
        }
    }
    found
}

/// The running processes of a group.
#[cfg(feature = "cli")]
pub(crate) fn members_of_group(group: u32) -> Vec<Descendant> {
    all_processes().into_iter().filter(|process| process.group == Some(group) && !process.ended).collect()
}

/// Whether a process of the group is running (and not a zombie).
pub(crate) fn group_has_living_member(group: u32) -> bool {
    all_processes().iter().any(|process| process.group == Some(group) && !process.ended)
}

/// The process group of this process.
pub(crate) fn own_group() -> u32 {
    // SAFETY: only asks.
    unsafe { libc::getpgrp() as u32 }
}

/// Why a child of ours could not join a group, and the error number for that; `None` when nothing is known to be
/// against it.
pub(crate) fn group_refusal(group: u32) -> Option<(&'static str, i32)> {
    // As a group, number 1 would be everybody.
    let is_gone = group != 1 && signal_group(group, 0).is_err_and(|error| error.raw_os_error() == Some(libc::ESRCH));
    if is_gone {
        return Some(("there is no such group", libc::ESRCH));
    }
    // SAFETY: only asks.
    let ours = unsafe { libc::getsid(0) } as u32;
    let is_elsewhere = |process: &Descendant| process.group == Some(group) && process.session != Some(ours);
    all_processes().iter().any(is_elsewhere).then_some(("it is in another session", libc::EPERM))
}

/// The name of a process, for a message.
#[cfg(feature = "cli")]
pub(crate) fn process_name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    match name.trim_end() {
        "" => "a process".to_string(),
        name => name.to_string(),
    }
}

/// The direct children of this process.
#[cfg(feature = "cli")]
pub(crate) fn children() -> Vec<u32> {
    if !has_own_proc() {
        return Vec::new();
    }
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Whether this process has any child, running or not.
#[cfg(feature = "cli")]
pub(crate) fn has_children() -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the structure is valid for writing; nothing is reaped.
    unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) == 0 }
}

/// Whether some child has ended and was not reaped.
#[cfg(feature = "cli")]
pub(crate) fn has_ended_child() -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the structure is valid for writing and all-zero valid for reading; nothing is reaped.
    unsafe {
        let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags) == 0 && info.assume_init().si_pid() != 0
    }
}

/// Reaps a child that nobody else waits for, if it has ended; whether it has.
#[cfg(feature = "cli")]
pub(crate) fn reap(pid: u32) -> bool {
    // SAFETY: no status is asked for.
    unsafe { libc::waitpid(pid as libc::pid_t, std::ptr::null_mut(), libc::WNOHANG) > 0 }
}

/// Orphans among our descendants become our children, instead of init's.
#[cfg(feature = "cli")]
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // SAFETY: sets a flag of this process.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
}
