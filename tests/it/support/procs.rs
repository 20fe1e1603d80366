//! The processes of this machine, as far as tests look at them. Only Linux lets us look; elsewhere
//! the lists are empty and the checks built on them pass.

use std::path::Path;
use std::time::{Duration, Instant};

/// How long the system and well-behaved code may take to clean up.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long a program that is being started may stay without a visible environment.
const EXEC_TIME: Duration = Duration::from_millis(50);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub parent: u32,
    pub session: u32,
    /// A letter as in `ps`: Z is a zombie.
    pub state: char,
    /// When it was started, in the system's ticks.
    pub started: u64,
    /// What it was called with, or its name in brackets.
    pub words: String,
}

impl Process {
    pub fn is_zombie(&self) -> bool {
        self.state == 'Z'
    }

    /// None when it ended while we looked. The words are only its name yet: see [`Self::read_words`].
    fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold any character, even `) Z 1`.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let _group = fields.next()?;
        let session = fields.next()?.parse().ok()?;
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { pid, parent, session, state, started, words: format!("[{name}]") })
    }

    fn read_words(mut self) -> Self {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).trim_end_matches('\0').replace('\0', " ");
        if !arguments.is_empty() {
            self.words = arguments;
        }
        self
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, parent, session, state, words, .. } = self;
        write!(f, "pid {pid} (parent {parent}, session {session}, state {state}): {words}")
    }
}

/// How the processes of one run are known again, wherever they went.
#[derive(Clone, Debug)]
pub struct Mark {
    /// `NAME=value` in their environment: survives double forks and new sessions.
    pub token: String,
    /// Their session: survives a cleared environment.
    pub session: u32,
    /// When the first was started. Spares looking at the environment of what was there before.
    since: u64,
}

impl Mark {
    /// Of what a child has started, which leads a session and is not waited for yet.
    pub fn new(token: String, child: u32) -> Self {
        let since = Process::read(child).map_or(0, |process| process.started);
        Self { token, session: child, since }
    }

    /// The living ones, and the zombies that are children of this test.
    pub fn processes(&self) -> Vec<Process> {
        let me = std::process::id();
        let of_run = |process: &Process| match process.is_zombie() {
            // What another parent does not reap (init, often) is not ours to judge.
            true => process.parent == me && process.session == self.session,
            false => process.session == self.session || has_entry(process.pid, |entry| entry == self.token.as_bytes()),
        };
        found(|process| process.pid != me && process.started >= self.since && of_run(process))
    }

    /// The ones that are still there after a while.
    pub fn left_over(&self, patience: Duration) -> Vec<Process> {
        let left = until(patience, || self.processes(), Vec::is_empty);
        if !left.is_empty() {
            return left;
        }
        // Those that never show one belong to other tests, so the answer itself does not matter.
        until(EXEC_TIME, || self.undecided(), Vec::is_empty);
        self.processes()
    }

    /// Younger processes that have no environment: a program that is just being started shows none
    /// for a moment, and in a new session it would go unseen.
    fn undecided(&self) -> Vec<Process> {
        let is_empty =
            |pid: u32| std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| environment.is_empty());
        found(|process| process.started >= self.since && !process.is_zombie() && is_empty(process.pid))
    }

    /// Kills until none is left, because a process may start another before it dies.
    pub fn kill_all(&self) {
        let kill_round = || {
            let found = self.processes();
            found.iter().filter(|process| !process.is_zombie()).for_each(|process| kill(process.pid));
            found
        };
        until(PATIENCE, kill_round, Vec::is_empty);
    }
}

/// Looks again and again until the answer is good or the time is over; gives the last answer.
///
/// The end of a process that is not our child gives no sign, so this looks, first soon, then less
/// often.
///
/// The limit is for a machine that has a processor to give: see [`under_load`].
pub fn until<T>(limit: Duration, mut look: impl FnMut() -> T, good: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + under_load(limit);
    let mut pause = Duration::from_millis(1);
    loop {
        let answer = look();
        if good(&answer) || Instant::now() >= end {
            return answer;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A time limit, for the machine as it is: where five want each processor everything takes five times as long.
pub fn under_load(limit: Duration) -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut fields = load.split_ascii_whitespace();
    let lately: f64 = fields.next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    // Within the first minute that mean knows little of what is going on.
    let now = fields.nth(2).and_then(|counts| counts.split('/').next()?.parse().ok()).unwrap_or(0.0);
    let load = lately.max(now);
    let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    // One that cannot be told from a hang is none.
    limit.mul_f64((load / processors).clamp(1.0, 20.0)).min(limit.max(Duration::from_secs(60)))
}

/// The variable by which the processes of a run are found again.
pub const TOKEN: &str = "PROCSCRIPT_TEST_TOKEN";

pub fn has_token(pid: u32) -> bool {
    has_entry(pid, |entry| entry.starts_with(TOKEN.as_bytes()))
}

fn has_entry(pid: u32, wanted: impl Fn(&[u8]) -> bool) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(wanted)
}

#[cfg(unix)]
#[allow(unsafe_code)]
pub fn kill(pid: u32) {
    let pid = libc::pid_t::try_from(pid).expect("process ids fit their type");
    // SAFETY: plain call; a process that has ended meanwhile gives an error that does not matter.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

#[cfg(not(unix))]
pub fn kill(_pid: u32) {}

/// No signal is ignored, as `nohup` or a shell's `&` would have it. May be called between fork and exec.
#[cfg(unix)]
#[allow(unsafe_code)]
pub fn default_signals() {
    for number in 1..=64 {
        // SAFETY: async-signal-safe. Numbers that are no signals and those that cannot be changed give an error that
        // does not matter.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
}

/// Every process, in no order.
pub fn all() -> Vec<Process> {
    found(|_| true)
}

/// Those that are wanted, which is asked before their words are read: there may be hundreds.
fn found(wanted: impl Fn(&Process) -> bool) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::read).filter(wanted).map(Process::read_words).collect()
}

/// The living and dead children of this test process.
pub fn children() -> Vec<Process> {
    let me = std::process::id();
    found(|process| process.parent == me)
}

/// The living processes that run this program, whoever started them.
pub fn running(program: &Path) -> Vec<Process> {
    let runs = |pid: u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
    found(|process| !process.is_zombie() && runs(process.pid))
}

/// None when it ended while we looked.
pub fn process(pid: u32) -> Option<Process> {
    Process::read(pid).map(Process::read_words)
}
