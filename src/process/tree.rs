//! The processes of one running command, as something that signals are sent to.
//!
//! No process is reaped before the whole command is over: a zombie keeps its process id, and the id
//! of the group that it leads, from being given to a stranger, so that a signal can only ever hit
//! what we started.

use std::io;
use std::sync::{Mutex, PoisonError};

use shared_child::SharedChild;
use shared_child::unix::SharedChildExt;

use super::os::{self, Descendant};
use super::teardown::Scope;

#[derive(Debug)]
pub(crate) struct Tree {
    children: Vec<SharedChild>,
    /// For each of them its process group, when it is not ours.
    homes: Vec<Option<u32>>,
    /// These groups, each once.
    groups: Vec<u32>,
    /// Held while signals are sent and while processes are reaped.
    reaped: Mutex<bool>,
    /// Descendants seen when the command was told to stop: they may lose their parent, and with it
    /// their trace, before KILL.
    seen: Mutex<Vec<Descendant>>,
}

impl Tree {
    /// `homes` has the process group of each child, when it is not ours.
    pub fn new(children: Vec<SharedChild>, homes: Vec<Option<u32>>) -> Self {
        let mut groups: Vec<u32> = homes.iter().copied().flatten().collect();
        groups.sort_unstable();
        groups.dedup();
        Self { children, homes, groups, reaped: Mutex::new(false), seen: Mutex::default() }
    }

    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().map(SharedChild::id).collect()
    }

    /// Whether signals from the terminal do not reach all of them.
    pub fn has_own_group(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Sends a signal to the command's own processes; those that have ended are left out.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return Ok(());
        }
        // Every process gets it, also when one refuses.
        let results: Vec<_> = self.children.iter().map(|child| child.send_signal(signal)).collect();
        results.into_iter().collect()
    }

    /// Sends a signal to the processes that `scope` names.
    pub fn signal_within(&self, scope: Scope, signal: i32) {
        match scope {
            // What has ended meanwhile needs no signal.
            Scope::Process => drop(self.signal(signal)),
            Scope::Group => self.signal_group(signal),
            Scope::Tree => self.signal_all(signal),
        }
    }

    fn signal_group(&self, signal: i32) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            self.signal_groups(signal);
        }
    }

    /// Every group, and the children that are in ours. To be called before anything is reaped.
    fn signal_groups(&self, signal: i32) {
        for group in &self.groups {
            // ESRCH: all of them have ended.
            let _ = os::signal_group(*group, signal);
        }
        for (child, _) in self.children.iter().zip(&self.homes).filter(|(_, home)| home.is_none()) {
            let _ = child.send_signal(signal);
        }
    }

    /// Sends a signal to the command's processes, their group, and every descendant that can be
    /// found.
    pub fn signal_all(&self, signal: i32) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for found in os::descendants(&self.pids()) {
            if !seen.contains(&found) {
                seen.push(found);
            }
        }
        self.signal_groups(signal);
        seen.retain(Descendant::is_alive);
        let is_reached = |d: &Descendant| d.group.is_some_and(|group| self.groups.contains(&group));
        for descendant in seen.iter().filter(|d| !is_reached(d)) {
            let _ = os::signal_process(descendant.pid, signal);
        }
        if signal != os::SIGKILL {
            // A stopped process does not see the signal before it continues.
            for group in &self.groups {
                let _ = os::signal_group(*group, os::SIGCONT);
            }
        }
    }

    /// Whether something of the command is still running apart from its own processes.
    pub fn has_living_descendants(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(Descendant::is_alive);
        !seen.is_empty() || self.groups.iter().any(|group| os::group_has_living_member(*group))
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
        self.children.iter().all(|child| !matches!(child.try_wait(), Ok(None)))
    }
}
