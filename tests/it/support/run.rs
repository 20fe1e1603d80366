//! Runs of the real binary: a place of its own for each, a time limit, and a look around afterwards.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::procs::{self, Mark, PATIENCE, TOKEN};
use super::scratch::Scratch;
use super::streams::Streams;
use super::verdict::{Allowed, Ended, problems};
use super::{leaks, procscript_bin, testkid};

pub use super::outcome::Outcome;

/// One run, described before it happens.
///
/// It works in a temporary directory of its own, which is also `HOME`; the environment holds only
/// `PATH`, `HOME`, `TMPDIR`, `LANG` and a token; `testkid` is first in `PATH`; standard input is
/// empty; and it has a session of its own, so that nothing can reach the tester's terminal.
#[must_use = "nothing happens before `.run()`"]
pub struct Run {
    program: PathBuf,
    flags: Vec<OsString>,
    script: Option<String>,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    env: Vec<(OsString, Option<OsString>)>,
    dir: PathBuf,
    files: Vec<(String, Vec<u8>)>,
    timeout: Duration,
    allowed: Allowed,
    leaves_detached: bool,
    patience: Duration,
}

impl Run {
    pub fn new() -> Self {
        Self::program(procscript_bin())
    }

    /// Another program than procscript, with the same care.
    pub fn program(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            flags: Vec::new(),
            script: None,
            args: Vec::new(),
            stdin: Vec::new(),
            env: Vec::new(),
            dir: PathBuf::new(),
            files: Vec::new(),
            // Generous: it is a way out of a hang, not a statement about speed.
            timeout: Duration::from_secs(60),
            allowed: Allowed::default(),
            leaves_detached: false,
            patience: PATIENCE,
        }
    }

    /// The text of a script, run as `script.rhai`.
    pub fn script(self, text: impl AsRef<[u8]>) -> Self {
        self.script_named("script.rhai", text)
    }

    pub fn script_named(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.script = Some(name.to_string());
        self.file(name, text)
    }

    /// An argument of procscript itself, before the script.
    pub fn flag(mut self, flag: impl Into<OsString>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// An argument after the script.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }

    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.push((name.into(), None));
        self
    }

    /// Where to start it, relative to the working directory; it is made if it is not there.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self.allowed.files.push(format!("{}/", self.dir.display()));
        self
    }

    /// A file that is there before; it may be there afterwards.
    pub fn file(mut self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((name.to_string(), contents.as_ref().to_vec()));
        self.allow_file(name)
    }

    /// A file that may be there afterwards; with `/` at its end, a directory with all in it.
    pub fn allow_file(mut self, name: &str) -> Self {
        self.allowed.files.push(name.to_string());
        self
    }

    /// Kills everything and fails after this time.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How long what was started may take to go after the run has ended.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// For tests of detached processes: they may outlive the run, and are killed with the outcome.
    pub fn leaves_detached(mut self) -> Self {
        self.leaves_detached = true;
        self
    }

    /// For children whose own control characters pass through.
    pub fn raw_stderr(mut self) -> Self {
        self.allowed.raw_stderr = true;
        self
    }

    /// For tests that mean to end with what looks like a crash, such as 139.
    pub fn may_end(mut self, ended: Ended) -> Self {
        self.allowed.ended = Some(ended);
        self
    }

    /// Runs it and fails the test when it took too long, crashed or left something behind.
    #[track_caller]
    pub fn run(self) -> Outcome {
        self.try_run().unwrap_or_else(|report| panic!("{report}"))
    }

    /// The same with the report as a value.
    pub fn try_run(mut self) -> Result<Outcome, String> {
        let shared = leaks::shared();
        let scratch = Scratch::new();
        leaks::keep_foreign_descriptors();
        self.files.iter().for_each(|(name, contents)| drop(scratch.write(name, contents)));
        let token = unique_token();
        let mut command = self.command(&scratch, &token);
        let started = Instant::now();
        let child = command.spawn();
        let mut child = child.map_err(|error| format!("{}: {error}", self.program.display()))?;
        let mark = Mark::new(token, child.id());
        let streams = Streams::start(&mut child, std::mem::take(&mut self.stdin));

        let mut wrong = Vec::new();
        let ended = end_of(child, self.timeout, &mark);
        if ended == Ended::TimeOut {
            wrong.push(format!("it was killed, because it ran for more than {:?}", self.timeout));
        } else if !self.leaves_detached {
            let left = mark.left_over(self.patience);
            if !left.is_empty() {
                wrong.extend(left.iter().map(|process| format!("a process was left: {process}")));
                mark.kill_all();
            }
        }
        let patience = if self.leaves_detached { PATIENCE } else { procs::under_load(PATIENCE) };
        let (stdout, stderr) = streams.take(patience);
        wrong.extend(problems(ended, &stderr, &scratch, &self.allowed));
        let words = self.command_words();
        let elapsed = started.elapsed();
        let outcome = Outcome { words, ended, stdout, stderr, scratch, mark, elapsed, streams, shared };
        match wrong.is_empty() {
            true => Ok(outcome),
            false => Err(outcome.report(&wrong.join("\n"))),
        }
    }

    fn command_words(&self) -> Vec<OsString> {
        let mut words = self.flags.clone();
        words.extend(self.script.as_ref().map(OsString::from));
        words.extend_from_slice(&self.args);
        words.insert(0, self.program.file_name().unwrap_or_default().to_os_string());
        words
    }

    fn command(&self, scratch: &Scratch, token: &str) -> Command {
        let mut command = fresh_start(&self.program);
        command.args(&self.command_words()[1..]);
        let dir = scratch.path().join(&self.dir);
        std::fs::create_dir_all(&dir).expect("directories in scratch can be made");
        command.current_dir(dir);
        command.env_clear().env("PATH", search_path(scratch));
        command.env("HOME", scratch.path()).env("TMPDIR", scratch.temp()).env("LANG", "C.UTF-8");
        // Windows does without neither: the first finds system libraries, the second temporary files.
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root).env("TEMP", scratch.temp());
        }
        // Coverage writes where this says; otherwise into the working directory.
        command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let (name, value) = token.split_once('=').expect("a token is an entry of an environment");
        command.env(name, value);
        command.stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn unique_token() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_nanos());
    // The time too, because another run of the tests may once have had our process id.
    format!("{TOKEN}={}-{count}-{now}", std::process::id())
}

fn search_path(scratch: &Scratch) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(scratch.bin()).chain(std::env::split_paths(&path));
    std::env::join_paths(dirs).expect("parts of a PATH can be joined again")
}

/// A session of its own, and no signal ignored. By way of another program, because a closure that runs between fork and
/// exec has std copy the whole test process, which takes longer than most of what is started.
#[cfg(unix)]
fn fresh_start(program: &Path) -> Command {
    let mut command = Command::new(testkid());
    command.arg("leader").arg(program);
    command
}

#[cfg(not(unix))]
fn fresh_start(program: &Path) -> Command {
    Command::new(program)
}

/// Waits on a thread, because std has no wait with a time limit.
fn end_of(mut child: Child, limit: Duration, mark: &Mark) -> Ended {
    let pid = child.id();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(child.wait()));
    match receiver.recv_timeout(limit) {
        Ok(status) => Ended::of(status.expect("a child of ours can be waited for")),
        Err(_) => {
            super::procs::kill(pid);
            mark.kill_all();
            let _ = receiver.recv_timeout(PATIENCE);
            Ended::TimeOut
        }
    }
}

/// A word of a command as one would type it.
pub fn typed(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |char: char| char.is_alphanumeric() || "-_./=:,+@".contains(char);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("{text:?}"),
    }
}
