//! The verbs about the terminal: what programs do to it, and leave behind.

use std::fs::File;
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use crate::stream::Stream;
use crate::unix::{borrowed, check};
use crate::{Args, give_up};

/// Whether the verb is one of these.
pub fn run_verb(verb: &str, _: &Args) -> bool {
    let out = Stream::out();
    match verb {
        // SAFETY (both): changes a structure that tcgetattr has filled.
        "raw-mode" => change(|modes| unsafe { libc::cfmakeraw(modes) }),
        "no-flow-control" => change(|modes| modes.c_iflag &= !libc::IXON),
        "modes" => out.line(modes_text().as_bytes()),
        "non-blocking" => set_flag(libc::O_NONBLOCK),
        "signalled-input" => set_flag(libc::O_ASYNC),
        // SAFETY: no memory is involved.
        "stop-output" => check("tcflow", unsafe { libc::tcflow(0, libc::TCOOFF) }),
        "steal-foreground" => steal_foreground(),
        "has-foreground" => out.line(if has_foreground() { b"yes" } else { b"no" }),
        "alternate-screen" => out.write(b"\x1b[?1049h\x1b[?25l"),
        "normal-screen" => out.write(b"\x1b[?25h\x1b[?1049l"),
        "read-key" => read_key(&out),
        "ask-terminal" => ask_terminal(&out),
        _ => return false,
    }
    true
}

fn modes() -> libc::termios {
    let mut modes = MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: the structure is valid for writing, and all-zero is a valid value of it.
    unsafe {
        check("tcgetattr", libc::tcgetattr(0, modes.as_mut_ptr()));
        modes.assume_init()
    }
}

fn change(how: impl FnOnce(&mut libc::termios)) {
    let mut modes = modes();
    how(&mut modes);
    // SAFETY: the modes came from tcgetattr.
    check("tcsetattr", unsafe { libc::tcsetattr(0, libc::TCSANOW, &modes) });
}

fn modes_text() -> String {
    let modes = modes();
    let sign = |is_on: bool| if is_on { '+' } else { '-' };
    let echo = sign(modes.c_lflag & libc::ECHO != 0);
    let lines = sign(modes.c_lflag & libc::ICANON != 0);
    let output = sign(modes.c_oflag & libc::OPOST != 0);
    let flow = sign(modes.c_iflag & libc::IXON != 0);
    format!("modes: {echo}echo {lines}icanon {output}opost {flow}ixon")
}

fn set_flag(flag: i32) {
    // SAFETY: changes the flags of our standard input, which whoever shares it sees.
    let result = unsafe { libc::fcntl(0, libc::F_SETFL, libc::fcntl(0, libc::F_GETFL) | flag) };
    check("fcntl", result);
}

/// Takes the terminal with a group of our own, and keeps it.
fn steal_foreground() {
    // SAFETY: none of them touches memory; SIGTTOU would stop us for the last.
    unsafe {
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        check("setpgid", libc::setpgid(0, 0));
        check("tcsetpgrp", libc::tcsetpgrp(0, libc::getpgrp()));
    }
}

fn has_foreground() -> bool {
    // SAFETY: only asks.
    unsafe { libc::tcgetpgrp(0) == libc::getpgrp() }
}

/// As an editor: a key at a time, in raw mode, which it leaves again.
fn read_key(out: &Stream) {
    let before = modes();
    change(|modes| {
        modes.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
    });
    out.line(b"press a key\r");
    let mut key = [0];
    if borrowed(0).read_exact(&mut key).is_err() {
        give_up(91, "no key");
    }
    // SAFETY: the modes came from tcgetattr.
    check("tcsetattr", unsafe { libc::tcsetattr(0, libc::TCSANOW, &before) });
    out.line(format!("key {}", key[0]).as_bytes());
}

/// As `sudo`: asks at the terminal itself, whatever the standard streams are.
fn ask_terminal(out: &Stream) {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.unwrap_or_else(|error| give_up(91, &format!("/dev/tty: {error}")));
    use std::io::Write;
    if terminal.write_all(b"Password: ").is_err() {
        give_up(91, "/dev/tty cannot be written");
    }
    let mut hidden = MaybeUninit::<libc::termios>::zeroed();
    let fd = terminal.as_raw_fd();
    // SAFETY: the structure is filled by tcgetattr before it is read.
    let before = unsafe {
        check("tcgetattr", libc::tcgetattr(fd, hidden.as_mut_ptr()));
        let before = hidden.assume_init();
        hidden.assume_init_mut().c_lflag &= !libc::ECHO;
        check("tcsetattr", libc::tcsetattr(fd, libc::TCSANOW, hidden.as_ptr()));
        before
    };
    let mut answer = [0; 64];
    let count = terminal.read(&mut answer).unwrap_or(0);
    // SAFETY: the modes came from tcgetattr.
    check("tcsetattr", unsafe { libc::tcsetattr(fd, libc::TCSANOW, &before) });
    out.line(format!("{} characters", String::from_utf8_lossy(&answer[..count]).trim_end().len()).as_bytes());
}
