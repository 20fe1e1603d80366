//! Ending processes that somebody else has started.
//!
//! Their numbers may be given to others at any time, so each is held by a descriptor where the system has one, which
//! stays that of the very process that was looked at.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::process::os::{self, Descendant};
use crate::process::{CancelToken, Error, ErrorKind};

use super::processes;

/// How long what was told to end by KILL may take.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
/// How long a process may take to stop, so that it starts no others meanwhile.
const FREEZING: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(20);

/// How a process is ended.
#[derive(Debug)]
pub(crate) struct How {
    /// The first signal.
    pub signal: i32,
    /// From it to KILL.
    pub grace: Duration,
    /// Whether what it has started ends, too.
    pub has_tree: bool,
    /// When it was started, if that is known: another process of the same number is left alone.
    pub started: Option<u64>,
}

/// A process that stays the same one.
struct Held {
    process: Descendant,
    descriptor: Option<OwnedFd>,
    is_refused: bool,
}

impl Held {
    fn of(pid: u32) -> Option<Self> {
        // In this order: what is seen now, while the descriptor says that it has not ended, is what it is for.
        let descriptor = os::process_descriptor(pid);
        let process = Descendant::look(pid)?.now()?;
        let held = Self { process, descriptor, is_refused: false };
        (!held.has_ended()).then_some(held)
    }

    fn has_ended(&self) -> bool {
        match &self.descriptor {
            Some(descriptor) => os::is_readable(descriptor),
            None => self.process.now().is_none(),
        }
    }

    /// What has ended takes no signal, and that is no failure.
    fn signal(&self, signal: i32) -> io::Result<()> {
        let result = match &self.descriptor {
            Some(descriptor) => os::signal_descriptor(descriptor, signal),
            None if self.process.now().is_some() => os::signal_process(self.process.pid, signal),
            None => Ok(()),
        };
        match result {
            Err(_) if self.has_ended() => Ok(()),
            result => result,
        }
    }
}

/// Ends a process: the signal, the grace period, KILL. Gives the signal that it took, or `None` when nobody wants to
/// wait any more.
///
/// # Errors
/// When there is no such process, it may not be ended, or does not end.
pub(crate) fn end(pid: u32, how: &How, cancel: &CancelToken, is_over: impl Fn() -> bool) -> Result<Option<i32>, Error> {
    refuse(pid, how)?;
    let gone = || failed(pid, os::ESRCH, None);
    os::processes_can_be_seen().map_err(|error| {
        Error::from_io(ErrorKind::ControlFailed, format!("cannot look at the process {pid}"), &error)
    })?;
    let root = Held::of(pid).ok_or_else(gone)?;
    if how.started.is_some_and(|started| processes::find(pid).is_none_or(|now| now.started != started)) {
        return Err(gone().with_help("the number is another process's now: that one has ended"));
    }
    let mut all = vec![root];
    let mut signal = how.signal;
    loop {
        tell(&mut all, how, signal)?;
        let is_told = |held: &Held| !held.is_refused;
        let patience = if signal == os::SIGKILL { KILL_PATIENCE } else { how.grace };
        let deadline = Instant::now().checked_add(patience);
        loop {
            all.retain(|held| !held.has_ended());
            if !all.iter().any(is_told) {
                let refused = all.first().map(|held| held.process.pid);
                return refused.map_or(Ok(Some(signal)), |refused| Err(failed(pid, os::EPERM, Some(refused))));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            if is_over() {
                return Ok(None);
            }
            wait(&all, cancel, deadline);
        }
        if signal == os::SIGKILL {
            let message = format!("cannot end the process {pid}: it is there still after KILL");
            return Err(Error::control_failed(message, None).with_help("it hangs in the system, and ends when it can"));
        }
        signal = os::SIGKILL;
    }
}

/// What nobody wants to end from here.
fn refuse(pid: u32, how: &How) -> Result<(), Error> {
    let own = std::process::id();
    let refused = |why: &str| {
        Err(Error::control_failed(format!("cannot end the process {pid}: {why}"), None)
            .with_help("to end the script, use exit()"))
    };
    match pid {
        0 => Err(Error::control_failed("cannot end the process 0: no process has this number", None)),
        1 => refused("everything would end with it"),
        pid if pid == own => refused("it is the one that runs this script"),
        pid if how.has_tree && os::descendants(&[pid]).iter().any(|process| process.pid == own) => {
            refused("this script is one of those that it has started")
        }
        _ => Ok(()),
    }
}

/// Sends a signal to all of them. Where the tree is meant they are stopped first, until nothing new is found: nobody
/// can start another, or lose the parent by which it is known, in between.
fn tell(all: &mut Vec<Held>, how: &How, signal: i32) -> Result<(), Error> {
    let Some(root) = all.first() else { return Ok(()) };
    let pid = root.process.pid;
    // Before anything is stopped.
    let refusal = |error: io::Error| failed(pid, error.raw_os_error().unwrap_or(os::EPERM), None);
    root.signal(0).map_err(refusal)?;
    if how.has_tree {
        freeze(all);
    }
    for held in all.iter_mut() {
        held.is_refused = held.signal(signal).is_err();
    }
    // A stopped process does not see a signal before it goes on.
    if signal != os::SIGSTOP {
        all.iter().for_each(|held| _ = held.signal(os::SIGCONT));
    }
    Ok(())
}

fn freeze(all: &mut Vec<Held>) {
    let end = Instant::now() + FREEZING;
    loop {
        all.iter().for_each(|held| _ = held.signal(os::SIGSTOP));
        let known: Vec<u32> = all.iter().map(|held| held.process.pid).collect();
        let new = os::descendants(&known).into_iter().filter(|found| !known.contains(&found.pid));
        // The very one that was found.
        let new: Vec<Held> = new.filter_map(|found| Held::of(found.pid).filter(|held| held.process == found)).collect();
        let is_still = |held: &Held| held.process.now().is_none_or(|process| process.is_still());
        if new.is_empty() && (all.iter().all(is_still) || Instant::now() >= end) {
            return;
        }
        all.extend(new);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait(all: &[Held], cancel: &CancelToken, deadline: Option<Instant>) {
    let mut fds: Vec<os::PollFd> =
        all.iter().filter_map(|held| held.descriptor.as_ref()).map(os::PollFd::readable).collect();
    if !cancel.is_cancelled() {
        fds.extend(cancel.reader().map(os::PollFd::readable));
    }
    let left = deadline.map_or(TICK, |deadline| deadline.saturating_duration_since(Instant::now()));
    if os::poll(&mut fds, Some(left.min(TICK))).is_err() {
        std::thread::sleep(TICK);
    }
}

fn failed(pid: u32, errno: i32, descendant: Option<u32>) -> Error {
    let whom = match descendant {
        Some(descendant) => format!("the process {descendant}, which {pid} has started"),
        None => format!("the process {pid}"),
    };
    Error::control_failed(format!("cannot end {whom}: {}", os::errno_text(errno)), Some(errno))
}
