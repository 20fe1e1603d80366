//! A pseudo-terminal with a program on it, for what only happens at a terminal.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use super::procs;

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that has the terminal, and the side of it where a person would sit.
pub struct Terminal {
    child: Child,
    screen: File,
    /// Where no stream of the program leads to the terminal: it is there all the same.
    _kept: Option<OwnedFd>,
    /// Everything that was shown so far.
    pub shown: String,
}

impl Terminal {
    /// Starts a program as the leader of a session whose terminal is a new one.
    pub fn run(program: &Path, dir: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir).env("TERM", "xterm").env("NO_COLOR", "1").env_remove("CI");
        // What tests type is not for anybody to find again.
        command.env("PROCSCRIPT_HISTORY", "");
        Self::start(command, [true; 3])
    }

    /// The same for a prepared command, and with only those of its standard streams at the terminal that are said.
    pub fn start(mut command: Command, at_terminal: [bool; 3]) -> Self {
        let (screen, terminal) = open();
        let streams = [Command::stdin::<OwnedFd>, Command::stdout::<OwnedFd>, Command::stderr::<OwnedFd>];
        for (stream, _) in streams.into_iter().zip(at_terminal).filter(|(_, is_there)| *is_there) {
            stream(&mut command, terminal.try_clone().expect("a descriptor"));
        }
        let fd = terminal.as_raw_fd();
        // SAFETY: async-signal-safe calls only.
        unsafe {
            command.pre_exec(move || {
                procs::default_signals();
                libc::setsid();
                libc::ioctl(fd, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("the program starts");
        let kept = (!at_terminal.contains(&true)).then_some(terminal);
        Self { child, screen: File::from(screen), _kept: kept, shown: String::new() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types text; `\r` is the Enter key, `\x03` Ctrl-C, `\x04` Ctrl-D.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        self.screen.write_all(text.as_bytes()).expect("the terminal takes it");
        self
    }

    /// Types more than the terminal takes at once: what is shown is read meanwhile, or nobody would get on.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        for part in text.as_bytes().chunks(1024) {
            self.screen.write_all(part).expect("the terminal takes it");
            while self.has_more() && self.read_some() {}
        }
        self
    }

    /// Gives the terminal another size, as a person does who pulls at its window.
    pub fn resize(&mut self, rows: u16, columns: u16) -> &mut Self {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the structure is valid.
        let result = unsafe { libc::ioctl(self.screen.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        self
    }

    /// Waits until nothing more is shown for a moment, and gives what was shown and not waited for.
    pub fn settled(&mut self) -> String {
        let moment = procs::under_load(Duration::from_millis(200));
        let end = Instant::now() + PATIENCE;
        let mut last = Instant::now();
        while last.elapsed() < moment && Instant::now() < end {
            let before = self.shown.len();
            if !self.read_some() {
                break;
            }
            if self.shown.len() != before {
                last = Instant::now();
            }
        }
        std::mem::take(&mut self.shown)
    }

    /// Waits until the text is shown, and gives everything up to its end that was not waited for.
    pub fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown.find(text) {
                return self.shown.drain(..at + text.len()).collect();
            }
            assert!(Instant::now() < end, "{text:?} was never shown, but:\n{}", self.shown);
            assert!(self.read_some(), "the program has ended without {text:?}, but:\n{}", self.shown);
        }
    }

    /// Waits until the text is shown, behind what was waited for before.
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        let mut seen = 0;
        loop {
            if let Some(at) = self.shown[seen..].find(text) {
                self.shown.drain(..seen + at + text.len());
                return self;
            }
            seen = self.shown.floor_char_boundary(self.shown.len().saturating_sub(text.len()));
            assert!(Instant::now() < end, "{text:?} was never shown, but:\n{}", self.shown);
            assert!(self.read_some(), "the program has ended without {text:?}, but:\n{}", self.shown);
        }
    }

    /// Whether the text is shown before so long, behind what was waited for before.
    pub fn shows_within(&mut self, text: &str, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            if let Some(at) = self.shown.find(text) {
                self.shown.drain(..at + text.len());
                return true;
            }
            if Instant::now() >= end || !self.read_some() {
                return false;
            }
        }
    }

    /// Waits for the end of the program.
    pub fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            self.read_some();
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; shown so far:\n{}", self.shown);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Closes the side where a person would sit, as a terminal does whose window is closed or whose connection is lost.
    pub fn hang_up(&mut self) {
        self.screen = File::open("/dev/null").expect("there is a /dev/null");
    }

    /// Everything that was shown and not waited for, now that the program has ended.
    pub fn everything(&mut self) -> String {
        while self.has_more() && self.read_some() {}
        std::mem::take(&mut self.shown)
    }

    /// What the program wrote to a standard output that was piped, now that it has ended.
    pub fn output(&mut self) -> String {
        let mut text = String::new();
        let mut output = self.child.stdout.take().expect("it was piped");
        output.read_to_string(&mut text).expect("it is text");
        text
    }

    /// Whether there is something to read.
    fn has_more(&self) -> bool {
        let mut fd = libc::pollfd { fd: self.screen.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid structure.
        unsafe { libc::poll(&mut fd, 1, 0) > 0 && fd.revents & libc::POLLIN != 0 }
    }

    /// Whether the terminal shows what is typed: off while an editor has it, or has left it so.
    pub fn echoes(&self) -> bool {
        // SAFETY: the structure is valid for writing, and filled when the call succeeds.
        unsafe {
            let mut state = std::mem::zeroed::<libc::termios>();
            libc::tcgetattr(self.screen.as_raw_fd(), &mut state) == 0 && state.c_lflag & libc::ECHO != 0
        }
    }

    /// Reads what is there, waiting a little; `false` when nobody has the terminal any more.
    fn read_some(&mut self) -> bool {
        let mut fd = libc::pollfd { fd: self.screen.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid structure.
        if unsafe { libc::poll(&mut fd, 1, 50) } <= 0 {
            return true;
        }
        let mut bytes = [0; 4096];
        match self.screen.read(&mut bytes) {
            Ok(n) if n > 0 => {
                self.shown.push_str(&String::from_utf8_lossy(&bytes[..n]));
                true
            }
            _ => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of the signal that ended a program.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// A new terminal: the side where a person would sit, and the one for programs.
pub fn open() -> (OwnedFd, OwnedFd) {
    let (mut screen, mut terminal) = (-1, -1);
    // SAFETY: the descriptors it fills in are new and ours.
    unsafe {
        let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let result = libc::openpty(&mut screen, &mut terminal, std::ptr::null_mut(), std::ptr::null(), &raw const size);
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        for fd in [screen, terminal] {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        (OwnedFd::from_raw_fd(screen), OwnedFd::from_raw_fd(terminal))
    }
}
