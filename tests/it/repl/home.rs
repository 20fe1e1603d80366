//! A session with a home of its own, at a terminal or with entries from a pipe.

use std::fmt::Write;
use std::process::{Command, ExitStatus, Stdio};

use crate::support::pty::Terminal;
use crate::support::scratch::Scratch;
use crate::support::{leaks, procscript_bin};

/// A directory to work in that is the home, and what keeps the test from leaving something behind.
pub struct Home {
    pub scratch: Scratch,
    _guard: leaks::Guard,
}

/// What came of entries from a pipe.
pub struct Ended {
    pub out: String,
    pub err: String,
    pub status: ExitStatus,
}

impl Home {
    pub fn new() -> Self {
        let _guard = leaks::Guard::new();
        Self { scratch: Scratch::new(), _guard }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(procscript_bin());
        command.args(arguments).current_dir(self.scratch.path()).env("HOME", self.scratch.temp());
        command.env("TERM", "xterm").env("NO_COLOR", "1").env("PROCSCRIPT_HISTORY", "");
        // By name, `testkid` takes as much of a line wherever this project lies.
        command.env("PATH", self.path());
        for name in ["CI", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "VISUAL", "EDITOR"] {
            command.env_remove(name);
        }
        command
    }

    /// Where `testkid` is found by name.
    pub fn path(&self) -> String {
        format!("{}:{}", self.scratch.bin().display(), std::env::var("PATH").unwrap_or_default())
    }

    /// A session at a terminal, at its first prompt.
    pub fn session(&self) -> Terminal {
        self.session_with(&[], &[])
    }

    pub fn session_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        let mut terminal = Terminal::start(command, [true; 3]);
        terminal.expect("> ");
        terminal
    }

    /// A session with these entries from a pipe.
    pub fn entries(&self, entries: impl AsRef<[u8]>) -> Ended {
        self.entries_with(&["-i"], entries)
    }

    pub fn entries_with(&self, arguments: &[&str], entries: impl AsRef<[u8]>) -> Ended {
        use std::io::Write;
        let mut command = self.command(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        // One that does not read it has ended.
        let _ = child.stdin.take().expect("it is piped").write_all(entries.as_ref());
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { out: text(output.stdout), err: text(output.stderr), status: output.status }
    }
}

/// A call of the child program as an entry: `cmd("testkid", "echo", "hi")`.
pub fn kid(words: &str) -> String {
    let mut text = "cmd(\"testkid\"".to_string();
    for word in words.split_whitespace() {
        let _ = write!(text, ", {word:?}");
    }
    text + ")"
}

/// The child program with words as a line for the shell.
pub fn kid_line(words: &str) -> String {
    format!("testkid {words}")
}

/// Types an entry, and waits for the prompt behind what it shows.
pub fn enter(terminal: &mut Terminal, entry: &str, shown: &str) {
    terminal.type_text(entry).type_text("\r").expect(shown).expect("> ");
}
