//! The verbs that only Unix has, and the way into the program there.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::exit;

use crate::signals::{self, dispose, kill_self, signal, trap, trap_exit};
use crate::stream::Stream;
use crate::{Args, LONGEST, again, give_up, run_all};

#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, list: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    let word = |index| {
        // SAFETY: the C runtime hands over `count` strings that live as long as the process.
        let text = unsafe { CStr::from_ptr(*list.add(index)) };
        OsString::from(OsStr::from_bytes(text.to_bytes()))
    };
    let words = (0..count).map(word).collect::<Vec<_>>();
    signals::remember();
    if words.get(1).is_none_or(|verb| verb != "no-sigpipe") {
        dispose(libc::SIGPIPE, libc::SIG_DFL);
    }
    // A test that dies must not leave a reader behind that waits for ever.
    // SAFETY: sets a timer of this process; no memory is involved.
    unsafe { libc::alarm(LONGEST.as_secs() as u32) };
    run_all(words);
    0
}

/// Whether the verb is one of these.
pub fn run_verb(verb: &str, args: &Args) -> bool {
    let out = Stream::out();
    match verb {
        "no-sigpipe" => dispose(libc::SIGPIPE, libc::SIG_IGN),
        "ignore" => dispose(signal(args, 0), libc::SIG_IGN),
        "ignore-term" => {
            dispose(libc::SIGTERM, libc::SIG_IGN);
            out.line(b"ready");
        }
        "trap" => trap(signal(args, 0), &args.joined(1)),
        "trap-exit" => trap_exit(signal(args, 0), args.signed(1)),
        "signal" => kill_self(signal(args, 0)),
        "become-root" => become_root(),
        "stop-self" => kill_self(libc::SIGSTOP),
        "signals" => {
            let (ignored, blocked) = signals::inherited();
            out.line(format!("ignored:{ignored}").as_bytes());
            out.line(format!("blocked:{blocked}").as_bytes());
        }
        "close-in" => close(0),
        "close-out" => close(1),
        "close-err" => close(2),
        "write-fd" => write_descriptor(args.signed(0), &args.joined(1)),
        "read-fd" => read_descriptor(args.signed(0)),
        "fds" => out.line(descriptors().as_bytes()),
        "tty" => out.line(terminals().as_bytes()),
        // SAFETY (the identity verbs): these calls take no pointers and cannot fail for oneself.
        "ppid" => number(unsafe { libc::getppid() }),
        "pgid" => number(unsafe { libc::getpgrp() }),
        "sid" => number(unsafe { libc::getsid(0) }),
        "ids" => out.line(ids().as_bytes()),
        "setsid" => check("setsid", unsafe { libc::setsid() }),
        "setpgid" => check("setpgid", unsafe { libc::setpgid(0, 0) }),
        "leader" => lead(args.0),
        "grandchild-detached" => detached(args.0),
        "daemon" => daemon(args.0),
        _ => return crate::terminal::run_verb(verb, args) || crate::platform::run_verb(verb, args),
    }
    true
}

/// Becomes a program, in a session of its own and with no signal ignored.
fn lead(words: &[OsString]) {
    let Some((program, rest)) = words.split_first() else {
        give_up(90, "leader needs a program");
    };
    signals::default_all();
    // SAFETY: takes the timer of this program away again, which would stay.
    unsafe { libc::alarm(0) };
    // SAFETY: takes no pointers.
    check("setsid", unsafe { libc::setsid() });
    let error = std::process::Command::new(program).args(rest).exec();
    give_up(91, &format!("{}: {error}", program.display()));
}

/// A standard descriptor as a file that is not closed when it goes out of scope.
pub fn borrowed(descriptor: c_int) -> ManuallyDrop<File> {
    // SAFETY: the file is never closed by us; a closed descriptor gives EBADF, which is reported.
    ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) })
}

fn number(value: c_int) {
    Stream::out().line(value.to_string().as_bytes());
}

pub fn check(what: &str, result: c_int) {
    if result == -1 {
        give_up(91, &format!("{what}: {}", std::io::Error::last_os_error()));
    }
}

fn close(descriptor: c_int) {
    // SAFETY: nothing of ours owns the standard descriptors.
    unsafe { libc::close(descriptor) };
}

/// Exit code 1 when the descriptor does not take it, which for a closed one is the hoped-for end.
fn write_descriptor(descriptor: c_int, text: &[u8]) {
    if borrowed(descriptor).write_all(&[text, b"\n"].concat()).is_err() {
        exit(1);
    }
}

/// All that comes from the descriptor.
fn read_descriptor(descriptor: c_int) {
    let mut text = Vec::new();
    if borrowed(descriptor).read_to_end(&mut text).is_err() {
        exit(1);
    }
    Stream::out().write(&text);
}

/// `/dev/fd` also lists the descriptor that reads the list, but that one is closed afterwards.
fn descriptors() -> String {
    let listed = std::fs::read_dir("/dev/fd").unwrap_or_else(|error| give_up(91, &error.to_string()));
    let listed = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut numbers = listed.collect::<Vec<c_int>>();
    // SAFETY: only asks whether the number is in use.
    numbers.retain(|number| unsafe { libc::fcntl(*number, libc::F_GETFD) } != -1);
    numbers.sort_unstable();
    numbers.iter().map(c_int::to_string).collect::<Vec<_>>().join(" ")
}

fn terminals() -> String {
    // SAFETY: only asks.
    let show = |number| match unsafe { libc::isatty(number) } {
        1 => format!("{number}:yes"),
        _ => format!("{number}:no"),
    };
    (0..3).map(show).collect::<Vec<_>>().join(" ")
}

fn ids() -> String {
    let mut groups = [0; 1024];
    // SAFETY: the array is as long as we say, and the other calls take no pointers.
    let (uid, gid, count) = unsafe {
        let count = libc::getgroups(groups.len() as c_int, groups.as_mut_ptr());
        (libc::geteuid(), libc::getegid(), count)
    };
    let groups = &groups[..usize::try_from(count).unwrap_or(0)];
    let groups = groups.iter().map(|group| format!(" {group}")).collect::<String>();
    format!("uid: {uid} gid: {gid} groups:{groups}")
}

fn detached(words: &[OsString]) {
    let mut command = again(words);
    // SAFETY: setsid may be called between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::setsid() {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    if let Err(error) = command.spawn() {
        give_up(91, &format!("grandchild-detached: {error}"));
    }
}

/// A process in between makes the session, starts the daemon and ends, so that the daemon has
/// neither our session nor us as its parent, and does not lead its session.
fn daemon(words: &[OsString]) {
    let between = ["setsid", "+", "grandchild"].map(OsString::from);
    let mut command = again(&between);
    command.args(words);
    if let Err(error) = command.status() {
        give_up(91, &format!("daemon: {error}"));
    }
}

/// In a set-user-id copy that belongs to root: also the real user, so that nobody else may signal it.
fn become_root() {
    // SAFETY: takes no pointers.
    check("setuid", unsafe { libc::setuid(0) });
}
