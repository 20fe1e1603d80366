//! The processes of one running command, as something that signals are sent to.
//!
//! No process is reaped before the whole command is over: a zombie keeps its process id, and the id
//! of the group that it leads, from being given to a stranger, so that a signal can only ever hit
//! what we started.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared_child::SharedChild;
use shared_child::unix::SharedChildExt;

use super::os::{self, Descendant};
use super::teardown::Scope;

/// How long processes may take to stop before they are ended. One in an uninterruptible system call does
/// not, and one of another user may not be stopped.
const FREEZING: Duration = Duration::from_millis(50);
/// How long those may take that only wait for a processor, of which a busy machine has too few.
const STARVED: Duration = Duration::from_millis(500);

/// Whose process group a child was started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// That of this process.
    Ours,
    /// One that the command has made, and that nobody else is in.
    Group(u32),
    /// One that was there before. Others may be in it, so that it is never signalled.
    Joined(u32),
}

#[derive(Debug)]
pub(crate) struct Tree {
    children: Vec<SharedChild>,
    /// The process groups that they have made, each once.
    groups: Vec<u32>,
    /// Those of others that they have joined.
    joined: Vec<u32>,
    /// Held while signals are sent and while processes are reaped.
    reaped: Mutex<bool>,
    /// Processes that somebody else has reaped, so that their ids may be strangers'.
    lost: Mutex<HashSet<u32>>,
    /// Descendants seen when the command was told to stop: they may lose their parent, and with it
    /// their trace, before KILL.
    seen: Mutex<Vec<Descendant>>,
    /// Whether whoever serves it is busy with others: who have its output though its processes have ended, who are
    /// being ended, or who receive what it has written.
    lingering: AtomicBool,
}

impl Tree {
    /// `homes` has the home of each child.
    pub fn new(children: Vec<SharedChild>, homes: &[Home]) -> Self {
        let numbers = |number: fn(&Home) -> Option<u32>| {
            let mut groups: Vec<u32> = homes.iter().filter_map(number).collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        };
        let groups = numbers(|home| if let Home::Group(group) = home { Some(*group) } else { None });
        let joined = numbers(|home| if let Home::Joined(group) = home { Some(*group) } else { None });
        Self {
            children,
            groups,
            joined,
            reaped: Mutex::new(false),
            lost: Mutex::default(),
            seen: Mutex::default(),
            lingering: AtomicBool::new(false),
        }
    }

    pub fn is_lingering(&self) -> bool {
        self.lingering.load(Ordering::Acquire)
    }

    pub fn set_lingering(&self, is_lingering: bool) {
        self.lingering.store(is_lingering, Ordering::Release);
    }

    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().map(SharedChild::id).collect()
    }

    /// Descriptors of the processes; none once they are reaped, when the ids may be others'.
    pub fn descriptors(&self) -> Vec<std::os::fd::OwnedFd> {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        match *reaped {
            true => Vec::new(),
            false => self.known().iter().filter_map(|child| os::process_descriptor(child.id())).collect(),
        }
    }

    /// Whether signals from the terminal do not reach all of them.
    pub fn is_apart(&self) -> bool {
        !self.groups.is_empty() || !self.joined.is_empty()
    }

    /// The groups of others that its processes have joined.
    #[cfg(feature = "cli")]
    pub fn joined_groups(&self) -> &[u32] {
        &self.joined
    }

    /// Sends a signal to the command's own processes; those that have ended are left out.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return Ok(());
        }
        // Every process gets it, also when one refuses; what has ended refuses nothing.
        let running = self.known().into_iter().filter(|child| is_running(child.id()));
        let results: Vec<_> = running.map(|child| child.send_signal(signal)).collect();
        results.into_iter().collect()
    }

    /// Sends a signal to the processes that `scope` names. Fails when one of the command's own, which is
    /// still running, may not be signalled: it runs as somebody else.
    pub fn signal_within(&self, scope: Scope, signal: i32) -> io::Result<()> {
        match scope {
            // Says itself what was refused.
            Scope::Process => return self.signal(signal),
            Scope::Group => self.signal_group(signal),
            Scope::Tree => self.signal_all(signal),
        }
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return Ok(());
        }
        let running = self.known().into_iter().map(SharedChild::id).filter(|pid| is_running(*pid));
        let mut results = running.map(|pid| os::signal_process(pid, 0));
        results.find(refused).unwrap_or(Ok(()))
    }

    /// As [`signal_within`](Self::signal_within), for processes that are to end: one that is stopped sees no signal but
    /// KILL before it goes on.
    pub fn end_within(&self, scope: Scope, signal: i32) {
        // Who cannot be signalled is found to be running when all patience is over.
        match scope {
            Scope::Tree => self.end_all(signal),
            Scope::Process | Scope::Group => {
                let _ = self.signal_within(scope, signal);
                if !os::STOPPING.contains(&signal) {
                    let _ = self.signal_within(scope, os::SIGCONT);
                }
            }
        }
    }

    /// Whether a process of the command is still running.
    pub fn is_running(&self) -> bool {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        !*reaped && self.known().into_iter().any(|child| is_running(child.id()))
    }

    fn signal_group(&self, signal: i32) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            self.signal_groups(signal);
        }
    }

    /// Every group, and the children that are in none of them: in ours, or in one that they have made.
    /// To be called before anything is reaped.
    fn signal_groups(&self, signal: i32) {
        let groups = self.known_groups();
        for group in &groups {
            // ESRCH: all of them have ended.
            let _ = os::signal_group(*group, signal);
        }
        for child in self.known() {
            if !is_in(&groups, Descendant::look(child.id()).and_then(|process| process.group)) {
                let _ = child.send_signal(signal);
            }
        }
    }

    /// Sends a signal to the command's processes, their group, and every descendant that can be
    /// found. What was stopped before stays so.
    fn signal_all(&self, signal: i32) {
        {
            let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
            if *reaped {
                return;
            }
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if signal == os::SIGSTOP {
                return self.freeze(&mut seen);
            }
            self.finds_more(&mut seen);
            let own = self.known().into_iter().filter_map(|child| Descendant::look(child.id()));
            let is_stopped = own.chain(seen.iter().filter_map(Descendant::now)).any(|process| process.is_stopped());
            // CONT takes back the other signals that stop, and nobody could say afterwards who was stopped before.
            if signal == os::SIGCONT || os::STOPPING.contains(&signal) || (is_stopped && signal != os::SIGKILL) {
                return self.signal_both(&seen, signal);
            }
        }
        self.end_all(signal);
    }

    /// As [`signal_all`](Self::signal_all), and whatever was stopped goes on.
    pub fn end_all(&self, signal: i32) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.freeze(&mut seen);
        self.signal_both(&seen, signal);
        if signal != os::SIGKILL {
            self.signal_both(&seen, os::SIGCONT);
        }
    }

    /// Stops everything, and finds what there is. Who is stopped starts nothing that would not be found,
    /// and no parent ends by which its children can be found.
    fn freeze(&self, seen: &mut Vec<Descendant>) {
        let began = Instant::now();
        loop {
            self.signal_both(seen, os::SIGSTOP);
            let mut pause = FREEZING / 500;
            while self.is_stopping(seen, began.elapsed()) {
                std::thread::sleep(pause);
                pause = (pause * 2).min(FREEZING / 10);
            }
            if !self.finds_more(seen) || began.elapsed() >= STARVED {
                return;
            }
        }
    }

    /// Whether some process has not stopped, and may yet, so long after it was told to.
    fn is_stopping(&self, seen: &[Descendant], waited: Duration) -> bool {
        let may_yet = |process: &Descendant| match waited < FREEZING {
            true => true,
            false => waited < STARVED && process.is_runnable() && os::signal_process(process.pid, 0).is_ok(),
        };
        let own = self.known().into_iter().filter_map(|child| Descendant::look(child.id()));
        let others = seen.iter().filter_map(Descendant::now);
        own.chain(others).any(|process| !process.is_still() && may_yet(&process))
    }

    /// Looks for descendants; whether there were any that are not in `seen`, where they are now.
    fn finds_more(&self, seen: &mut Vec<Descendant>) -> bool {
        seen.retain(|process| process.now().is_some());
        let known = seen.len();
        for found in os::descendants(&self.known_pids()) {
            if !seen.contains(&found) {
                seen.push(found);
            }
        }
        seen.len() > known
    }

    fn signal_both(&self, seen: &[Descendant], signal: i32) {
        self.signal_groups(signal);
        let groups = self.known_groups();
        // Where they are now: one that has left its group since it was found has not been reached.
        for process in seen.iter().filter_map(Descendant::now).filter(|process| !is_in(&groups, process.group)) {
            let _ = os::signal_process(process.pid, signal);
        }
    }

    /// For processes that share our group, and have the signal from the terminal: it goes to their
    /// descendants in other groups. All of them are remembered.
    pub fn signal_untold(&self, signal: i32) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = os::descendants(&self.known_pids());
        let own_group = Descendant::look(std::process::id()).and_then(|process| process.group);
        for descendant in seen.iter().filter(|descendant| descendant.group != own_group) {
            let _ = os::signal_process(descendant.pid, signal);
        }
        // The terminal's signal waits for those that are stopped to go on, or that just have been told to stop.
        let own = self.known().into_iter().filter(|_| !*reaped).filter_map(|child| Descendant::look(child.id()));
        for process in own.chain(seen.iter().filter_map(Descendant::now)) {
            let _ = os::signal_process(process.pid, os::SIGCONT);
        }
    }

    /// Never sends a signal to this process again, nor to the group: somebody else has reaped it.
    pub fn lose(&self, pid: u32) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
    }

    /// The processes that signals can be sent to.
    fn known(&self) -> Vec<&SharedChild> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        self.children.iter().filter(|child| !lost.contains(&child.id())).collect()
    }

    fn known_pids(&self) -> Vec<u32> {
        self.known().into_iter().map(SharedChild::id).collect()
    }

    /// The groups that signals can be sent to.
    fn known_groups(&self) -> Vec<u32> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.is_empty() { self.groups.clone() } else { Vec::new() }
    }

    /// Whether something of the command is still running apart from its own processes.
    pub fn has_living_descendants(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|process| process.now().is_some());
        !seen.is_empty() || self.has_living_members()
    }

    /// Whether something is still running in a group that the command has made.
    pub fn has_living_members(&self) -> bool {
        self.known_groups().iter().any(|group| os::group_has_living_member(*group))
    }

    /// Reaps what has ended. What has not (it was killed and does not die, or was let go) is left to
    /// the [reaper](super::reaper).
    pub fn reap(self: &std::sync::Arc<Self>) {
        let mut reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        *reaped = true;
        if !self.try_reap() {
            super::reaper::adopt(self.clone());
        }
    }

    /// Whether every process is gone now.
    pub fn try_reap(&self) -> bool {
        let is_gone = |child: &SharedChild| {
            let is_gone = || !matches!(child.try_wait(), Ok(None));
            #[cfg(feature = "cli")]
            return super::orphans::forget_if(child.id(), is_gone);
            #[cfg(not(feature = "cli"))]
            is_gone()
        };
        // Each of them is asked: one that does not end leaves no zombies of those behind it.
        self.children.iter().filter(|child| !is_gone(child)).count() == 0
    }
}

fn is_running(pid: u32) -> bool {
    matches!(os::peek_ending(pid, false), Ok(None))
}

fn refused(result: &io::Result<()>) -> bool {
    result.as_ref().is_err_and(|error| error.raw_os_error() == Some(os::EPERM))
}

fn is_in(groups: &[u32], group: Option<u32>) -> bool {
    group.is_some_and(|group| groups.contains(&group))
}
