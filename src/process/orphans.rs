//! Processes that commands leave behind, in a program that owns its process: the runner.
//!
//! The runner asks the kernel to give it the orphans among its descendants, instead of init. So it can
//! end what a script has left running, also when that has left its session. In return it has to reap
//! them: at each start, and once a second, as a script may wait for one command for days. It never takes the
//! status of a command from whoever waits for it: the processes that were started here are known, and no process
//! is looked at while another is being started.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use shared_child::SharedChild;

use super::os::{self, Descendant};

/// Between TERM and KILL, when the script is over.
const GRACE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(5);

static IS_ADOPTING: AtomicBool = AtomicBool::new(false);
/// Read while a process is being started, written while orphans are reaped.
static STARTING: RwLock<()> = RwLock::new(());
static REGISTERED: LazyLock<Mutex<Registered>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Registered {
    /// Processes that somebody waits for.
    awaited: HashSet<u32>,
    /// Processes, and the groups that they lead, that were let go on purpose.
    detached: HashSet<u32>,
    /// Children that this process had before it became this program: those of the shell that has called `exec`.
    inherited: HashSet<u32>,
}

fn registered() -> std::sync::MutexGuard<'static, Registered> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on orphans come to this process.
pub(crate) fn adopt() {
    // None almost always, and that is one system call.
    if os::has_children() {
        registered().inherited.extend(os::children());
    }
    os::adopt_orphans();
    IS_ADOPTING.store(true, Ordering::Release);
}

/// Starts a process, and knows it before anybody can take it for an orphan.
pub(crate) fn start<E>(spawn: impl FnOnce() -> Result<SharedChild, E>) -> Result<SharedChild, E> {
    if !IS_ADOPTING.load(Ordering::Acquire) {
        return spawn();
    }
    sweep();
    let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    let child = spawn()?;
    registered().awaited.insert(child.id());
    Ok(child)
}

/// Says whether a process that was started here has been reaped by `reap`, as that does. Its number may be another's at
/// once, which must not be forgotten in its place.
pub(crate) fn forget_if(pid: u32, reap: impl FnOnce() -> bool) -> bool {
    if !IS_ADOPTING.load(Ordering::Acquire) {
        return reap();
    }
    let mut registered = registered();
    let is_gone = reap();
    if is_gone {
        registered.awaited.remove(&pid);
    }
    is_gone
}

/// These processes may outlive the program.
pub(crate) fn let_go(pids: &[u32]) {
    registered().detached.extend(pids);
}

/// Reaps orphans that have ended, so that whoever waits for one to go sees it go. Not while something is being started,
/// and it does not wait for that: a program on a file system that does not answer takes for ever.
pub(crate) fn sweep() {
    // One system call, which finds nothing almost always.
    if IS_ADOPTING.load(Ordering::Acquire)
        && os::has_ended_child()
        && let Ok(_nothing_starts) = STARTING.try_write()
    {
        let mut registered = registered();
        for pid in os::children().into_iter().filter(|pid| !registered.awaited.contains(pid)).collect::<Vec<_>>() {
            if os::reap(pid) {
                registered.inherited.remove(&pid);
            }
        }
    }
}

/// A process that was found at the end.
pub(crate) struct Leftover {
    pub name: String,
    pub pid: u32,
    /// Why it could not be told to end: it belongs to somebody else.
    pub refused: Option<String>,
}

/// Whether something may be left that cannot be found: this process has children, and no `/proc` of its own.
pub(crate) fn has_unseen_leftovers() -> bool {
    IS_ADOPTING.load(Ordering::Acquire) && os::lacks_proc() && registered().detached.is_empty() && os::has_children()
}

/// Ends what the script has left behind: TERM, a second (unless `is_urgent` says so), KILL. Returns what
/// was found.
pub(crate) fn end_leftovers(is_urgent: impl Fn() -> bool) -> Vec<Leftover> {
    if !IS_ADOPTING.load(Ordering::Acquire) || !os::has_children() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let deadline = Instant::now() + GRACE;
    // What is ended may have children that only now come to us: looked at again until nothing is left.
    let mut told: Vec<Descendant> = Vec::new();
    loop {
        sweep();
        let left = leftovers();
        let can_end = |process: &Descendant| {
            let known = found.iter().find(|leftover: &&Leftover| leftover.pid == process.pid);
            known.is_none_or(|leftover| leftover.refused.is_none())
        };
        if !left.iter().any(can_end) {
            // What has ended between the two looks is no leftover any more, but a zombie.
            sweep();
            return found;
        }
        let is_late = Instant::now() >= deadline || is_urgent();
        for process in left {
            if !told.contains(&process) {
                told.push(process);
                let name = os::process_name(process.pid);
                // One that has ended meanwhile is none that refuses.
                let refusal = os::signal_process(process.pid, os::SIGTERM).err().and_then(|error| error.raw_os_error());
                let refused = refusal.filter(|errno| *errno == os::EPERM).map(os::errno_text);
                found.push(Leftover { name, pid: process.pid, refused });
                // A stopped process does not see it before it goes on.
                let _ = os::signal_process(process.pid, os::SIGCONT);
            }
            if is_late {
                let _ = os::signal_process(process.pid, os::SIGKILL);
            }
        }
        if Instant::now() >= deadline + GRACE {
            return found;
        }
        std::thread::sleep(TICK);
    }
}

/// What was let go, and what was there before, is left alone with all that it has started.
fn leftovers() -> Vec<Descendant> {
    let (detached, inherited) = {
        let registered = registered();
        (registered.detached.clone(), registered.inherited.clone())
    };
    let is_meant = |process: &Descendant| {
        let is_detached =
            detached.contains(&process.pid) || process.group.is_some_and(|group| detached.contains(&group));
        !is_detached && !inherited.contains(&process.pid)
    };
    os::descendants_where(&[std::process::id()], is_meant)
}
