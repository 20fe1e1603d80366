//! What a test of the library must leave as it found it: children and descriptors.
//!
//! Both belong to the whole test process, in which many tests run at once. So a test with a guard
//! has the process to itself, and everything else that opens files or starts processes holds the
//! lock together: `Run` does it by itself, other tests say `let _shared = leaks::shared();`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use super::procs::{self, PATIENCE, Process};
use super::testkid;

/// Not std's `RwLock`: there a waiting writer holds up new readers, so that a test that holds the
/// lock and waits for threads that want it too would wait for ever.
static USERS: Mutex<Users> = Mutex::new(Users { together: 0, alone: false });
static CHANGED: Condvar = Condvar::new();

struct Users {
    together: usize,
    alone: bool,
}

fn users() -> MutexGuard<'static, Users> {
    USERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn users_when(ready: impl Fn(&Users) -> bool) -> MutexGuard<'static, Users> {
    let wait = CHANGED.wait_while(users(), |users| !ready(users));
    wait.unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Whether this thread has a guard, within which it need not wait for itself.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Held while descriptors or children come and go in a test without a guard.
#[must_use]
pub struct Shared {
    counted: bool,
}

/// Waits while a test with a guard is running, unless it is the one of this thread. A test with a
/// guard must not call this from other threads.
pub fn shared() -> Shared {
    let counted = !GUARDED.get();
    if counted {
        users_when(|users| !users.alone).together += 1;
    }
    Shared { counted }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.counted {
            users().together -= 1;
            CHANGED.notify_all();
        }
    }
}

/// Fails the test at its end when a child, a zombie, a `testkid` or a descriptor is left.
///
/// Make it first in a test, so that it is dropped last.
#[must_use]
pub struct Guard {
    before: Inventory,
    patience: Duration,
}

impl Guard {
    pub fn new() -> Self {
        // Building it opens files; better before the inventory.
        testkid();
        keep_foreign_descriptors();
        assert!(!GUARDED.get(), "this thread has a guard already");
        users_when(|users| !users.alone && users.together == 0).alone = true;
        GUARDED.set(true);
        Self { before: Inventory::now(), patience: PATIENCE }
    }

    /// How long what was started may take to go.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let problems = match std::thread::panicking() {
            true => Vec::new(),
            false => procs::until(self.patience, || Inventory::now().problems(&self.before), Vec::is_empty),
        };
        GUARDED.set(false);
        users().alone = false;
        CHANGED.notify_all();
        if !problems.is_empty() {
            panic!("the test did not leave things as they were:\n  {}", problems.join("\n  "));
        }
    }
}

struct Inventory {
    children: Vec<Process>,
    testkids: Vec<Process>,
    descriptors: BTreeMap<u32, PathBuf>,
}

impl Inventory {
    fn now() -> Self {
        Self { children: procs::children(), testkids: own_testkids(), descriptors: descriptors() }
    }

    /// What is different from before, one line each.
    fn problems(&self, before: &Self) -> Vec<String> {
        let known = |pid| before.children.iter().chain(&before.testkids).any(|old| old.pid == pid);
        let mut lines = Vec::new();
        for child in self.children.iter().filter(|child| !known(child.pid)) {
            let what = if child.is_zombie() { "zombie" } else { "child" };
            lines.push(format!("{what} left: {child}"));
        }
        let is_child = |pid| self.children.iter().any(|child| child.pid == pid);
        for stray in self.testkids.iter().filter(|kid| !known(kid.pid) && !is_child(kid.pid)) {
            lines.push(format!("testkid left: {stray}"));
        }
        for (number, target) in &self.descriptors {
            if before.descriptors.get(number) != Some(target) {
                lines.push(format!("descriptor {number} is new: {}", target.display()));
            }
        }
        for (number, target) in &before.descriptors {
            if !self.descriptors.contains_key(number) {
                lines.push(format!("descriptor {number} is gone: {}", target.display()));
            }
        }
        lines
    }
}

/// Those with a token belong to a run, perhaps of tests in another terminal, and are judged there.
fn own_testkids() -> Vec<Process> {
    let mut kids = procs::running(&testkid());
    kids.retain(|kid| !procs::has_token(kid.pid));
    kids
}

/// The open descriptors and what they point to; empty where `/proc` does not tell.
fn descriptors() -> BTreeMap<u32, PathBuf> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Collected first: the descriptor that reads the list is in it, and is closed by then.
    let numbers = numbers.collect::<Vec<u32>>();
    let target = |number| std::fs::read_link(format!("/proc/self/fd/{number}")).ok();
    numbers.into_iter().filter_map(|number| Some((number, target(number)?))).collect()
}

/// Keeps descriptors that whoever started the tests left open (a shell, a build server) from going
/// on to the children of tests, where they would look like a leak.
pub fn keep_foreign_descriptors() {
    static DONE: Once = Once::new();
    DONE.call_once(|| descriptors().into_keys().filter(|number| *number > 2).for_each(close_on_exec));
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn close_on_exec(descriptor: u32) {
    let descriptor = libc::c_int::try_from(descriptor).expect("descriptors fit their type");
    // SAFETY: sets a flag; a descriptor that was closed meanwhile gives an error that does not matter.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
}

#[cfg(not(unix))]
fn close_on_exec(_: u32) {}
