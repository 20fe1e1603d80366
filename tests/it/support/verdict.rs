//! What must hold after every run, whatever the test is about.

use std::process::ExitStatus;

use super::scratch::Scratch;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exit(i32),
    Signal(i32),
    TimeOut,
}

impl Ended {
    pub fn of(status: ExitStatus) -> Self {
        match status.code() {
            Some(code) => Self::Exit(code),
            None => Self::Signal(signal(status)),
        }
    }

    /// A panic, an abort or a fault: 101, and 134 and 139 as a shell would say it.
    fn is_crash(self) -> bool {
        const FAULTS: [i32; 6] = [4, 5, 6, 7, 8, 11];
        match self {
            Self::Exit(code) => [101, 134, 139].contains(&code),
            Self::Signal(number) => FAULTS.contains(&number),
            Self::TimeOut => false,
        }
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(-1)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> i32 {
    -1
}

/// `3` or `signal 9`, as in the `status` line of a script test.
impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "{code}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::TimeOut => write!(f, "none: it took too long"),
        }
    }
}

impl std::str::FromStr for Ended {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, kind): (_, fn(i32) -> Self) = match text.strip_prefix("signal ") {
            Some(number) => (number, Self::Signal),
            None => (text, Self::Exit),
        };
        number.parse().map(kind).map_err(|_| format!("`{text}` is neither a number nor `signal N`"))
    }
}

/// What a test declares that would be wrong otherwise.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Paths below the working directory that may be there; one ending in `/` allows all below.
    pub files: Vec<String>,
    pub ended: Option<Ended>,
    pub raw_stderr: bool,
}

/// What is wrong about a finished run, a line each.
pub fn problems(ended: Ended, stderr: &[u8], scratch: &Scratch, allowed: &Allowed) -> Vec<String> {
    let mut lines = Vec::new();
    if ended.is_crash() && allowed.ended != Some(ended) {
        lines.push(format!("it crashed: status {ended}"));
    }
    let text = String::from_utf8_lossy(stderr);
    if text.contains("panicked at") || text.contains("RUST_BACKTRACE") {
        lines.push("stderr tells of a panic".to_string());
    }
    let is_raw = |char: &char| char.is_control() && !['\n', '\t'].contains(char);
    if let Some(char) = text.chars().find(is_raw).filter(|_| !allowed.raw_stderr) {
        lines.push(format!("stderr holds the raw control character U+{:04X}", u32::from(char)));
    }
    let is_allowed = |path: &String| {
        let covers = |entry: &String| entry == path || (entry.ends_with('/') && path.starts_with(entry));
        allowed.files.iter().any(covers)
    };
    let stray = scratch.listing().into_iter().filter(|path| !is_allowed(path));
    lines.extend(stray.map(|path| format!("a file that the test did not declare: {path}")));
    let temporary = scratch.temp_listing().into_iter();
    lines.extend(temporary.map(|path| format!("a temporary file was left: {path}")));
    lines
}
