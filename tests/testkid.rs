//! One small child program with many verbs, so that tests need no shell and no coreutils.
//!
//! `testkid VERB ARGS…` does one thing; an argument `--` separates several that run one after the
//! other: `testkid echo hi -- exit 3`. In `grandchild` and its relatives the started process takes
//! everything up to the next `--`, and its own verbs are separated by `+`:
//! `testkid grandchild ignore TERM + sleep 30000 -- echo GO`. `args`, `args0` and `leader`, which becomes
//! another program, take all that follows, `--` included. Every write is one system call away from the reader: nothing is buffered.
//!
//! Nothing waits longer than 60 s, so that a test that dies leaves nothing behind for long.
//! Exit codes of its own: 90 for a wrong call, 91 for a failed read or write, 92 for a wait in vain.

// On Unix the Rust runtime is left out: it would ignore SIGPIPE and reopen closed standard
// descriptors before the first line of ours runs, and both are what tests want to see.
#![cfg_attr(unix, no_main)]
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, exit};
use std::time::{Duration, Instant};

#[path = "testkid/bulk.rs"]
mod bulk;
#[path = "testkid/escapes.rs"]
mod escapes;
#[cfg(unix)]
#[path = "testkid/platform.rs"]
mod platform;
#[cfg(unix)]
#[path = "testkid/signals.rs"]
mod signals;
#[path = "testkid/stream.rs"]
mod stream;
#[cfg(unix)]
#[path = "testkid/terminal.rs"]
mod terminal;
#[cfg(unix)]
#[path = "testkid/unix.rs"]
mod unix;

use bulk::{burst, copy, flood, read_line, write_lines};
use escapes::unescape;
use stream::{Stream, visible};

/// No single wait is longer.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(not(unix))]
fn main() {
    run_all(std::env::args_os().collect());
}

/// `all` is the whole argument list, the program's own name included.
fn run_all(all: Vec<OsString>) {
    let mut words = all.iter().skip(1).cloned().collect::<Vec<_>>();
    if words.is_empty() {
        wrong("no verb");
    }
    while !words.is_empty() {
        let takes_all = ["args", "args0", "leader"].iter().any(|verb| words[0] == *verb);
        let end = words.iter().position(|word| word == "--" && !takes_all);
        let rest = words.split_off(end.unwrap_or(words.len()));
        run_verb(&all, &words);
        words = rest.into_iter().skip(1).collect();
    }
    exit(0)
}

fn run_verb(all: &[OsString], words: &[OsString]) {
    let Some((verb, args)) = words.split_first() else {
        wrong("no verb between two `--`");
    };
    let args = Args(args);
    let (out, err) = (Stream::out(), Stream::err());
    match verb.to_string_lossy().as_ref() {
        // What goes out.
        "echo" => out.line(&args.joined(0)),
        "err" => err.line(&args.joined(0)),
        "bytes" => out.write(&unescape(&args.joined(0))),
        "err-bytes" => err.write(&unescape(&args.joined(0))),
        "flood" => flood(&[out], b'x', args.number(0)),
        "flood-err" => flood(&[err], b'x', args.number(0)),
        "flood-both" => flood(&[out, err], b'x', args.number(0)),
        "zeros" => flood(&[out], 0, args.number(0)),
        "lines" => write_lines(&out, args.number(0), Duration::ZERO),
        "write-slow" => write_lines(&out, args.number(0), args.millis(1)),
        "burst" => burst(&out, args.number(0), args.millis(1), &unescape(&args.joined(2))),
        // What came in.
        "cat" => _ = copy(&[out], |_| ()),
        "cat-upper" => _ = copy(&[out], <[u8]>::make_ascii_uppercase),
        "tee-err" => _ = copy(&[out, err], |_| ()),
        "count" => out.line(copy(&[], |_| ()).to_string().as_bytes()),
        "slow-read" => {
            let pause = args.millis(0);
            out.line(copy(&[], |_| std::thread::sleep(pause)).to_string().as_bytes());
        }
        "read-line" => out.line(&read_line()),
        // What was handed over.
        "args" => args.0.iter().for_each(|arg| out.line(visible(arg).as_bytes())),
        "args0" => args.0.iter().for_each(|arg| out.write(&[arg.as_encoded_bytes(), b"\0"].concat())),
        "arg0" => out.line(visible(&all[0]).as_bytes()),
        "env" => print_env(&out, args.0),
        "dir" => out.line(visible(current_dir().as_os_str()).as_bytes()),
        "pid" => out.line(std::process::id().to_string().as_bytes()),
        // Time and ending.
        "exit" => exit(args.signed(0)),
        "sleep" => std::thread::sleep(args.millis(0)),
        "forever" | "never-read" => std::thread::sleep(LONGEST),
        "spin" => spin(args.millis(0)),
        // Files.
        "touch" => drop(open(args.path(0))),
        "append" => append(args.path(0), &args.joined(1)),
        "exists" => out.line(if args.path(0).exists() { b"yes" } else { b"no" }),
        "wait-for" => wait_for(args.path(0)),
        // Other processes.
        "grandchild" => drop(start(args.0)),
        "grandchild-pid" => out.line(start(args.0).id().to_string().as_bytes()),
        "play" => play(args.path(0)),
        other => other_verb(other, &args),
    }
}

#[cfg(unix)]
fn other_verb(verb: &str, args: &Args) {
    if !unix::run_verb(verb, args) {
        wrong(&format!("unknown verb `{verb}`"));
    }
}

#[cfg(not(unix))]
fn other_verb(verb: &str, _: &Args) {
    wrong(&format!("unknown verb `{verb}`"));
}

/// The arguments of one verb.
struct Args<'a>(&'a [OsString]);

impl Args<'_> {
    fn at(&self, index: usize) -> &OsString {
        self.0.get(index).unwrap_or_else(|| wrong(&format!("argument {} is missing", index + 1)))
    }

    fn path(&self, index: usize) -> &Path {
        Path::new(self.at(index))
    }

    fn text(&self, index: usize) -> String {
        self.at(index).to_string_lossy().into_owned()
    }

    fn signed(&self, index: usize) -> i32 {
        let text = self.text(index);
        text.parse().unwrap_or_else(|_| wrong(&format!("`{text}` is not a number")))
    }

    fn number(&self, index: usize) -> usize {
        usize::try_from(self.signed(index)).unwrap_or_else(|_| wrong("a negative number"))
    }

    fn millis(&self, index: usize) -> Duration {
        Duration::from_millis(self.number(index) as u64).min(LONGEST)
    }

    fn joined(&self, from: usize) -> Vec<u8> {
        let parts = self.0.iter().skip(from).map(|arg| arg.as_encoded_bytes());
        parts.collect::<Vec<_>>().join(&b' ')
    }
}

fn wrong(message: &str) -> ! {
    give_up(90, message)
}

fn give_up(code: i32, message: &str) -> ! {
    // Standard error may be closed or full as well; there is nowhere else to complain.
    let _ = std::io::stderr().write_all(format!("testkid: {message}\n").as_bytes());
    exit(code)
}

fn print_env(out: &Stream, names: &[OsString]) {
    let show = |name: &OsString, value: &OsString| {
        out.line(format!("{}={}", visible(name), visible(value)).as_bytes());
    };
    if names.is_empty() {
        let mut all = std::env::vars_os().collect::<Vec<_>>();
        all.sort();
        all.iter().for_each(|(name, value)| show(name, value));
    }
    for name in names {
        match std::env::var_os(name) {
            Some(value) => show(name, &value),
            None => out.line(format!("{} unset", visible(name)).as_bytes()),
        }
    }
}

fn current_dir() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_else(|error| give_up(91, &format!("dir: {error}")))
}

fn spin(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn open(path: &Path) -> File {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.unwrap_or_else(|error| give_up(91, &format!("{}: {error}", path.display())))
}

fn append(path: &Path, text: &[u8]) {
    if let Err(error) = open(path).write_all(&[text, b"\n"].concat()) {
        give_up(91, &format!("{}: {error}", path.display()));
    }
}

fn wait_for(path: &Path) {
    let end = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        if Instant::now() > end {
            give_up(92, &format!("{} did not appear within 60 s", path.display()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// This program once more, with `+` turned into the separator of its verbs.
fn again(words: &[OsString]) -> Command {
    let myself = std::env::current_exe();
    let mut command = Command::new(myself.unwrap_or_else(|error| give_up(91, &error.to_string())));
    command.args(words.iter().map(|word| if word == "+" { "--".as_ref() } else { word.as_os_str() }));
    command
}

/// Starts it in the background with our streams and does not wait.
fn start(words: &[OsString]) -> std::process::Child {
    again(words).spawn().unwrap_or_else(|error| give_up(91, &format!("grandchild: {error}")))
}

/// Runs the lines of a file as verbs; what starts with `//` is a comment. It is a stand-in for a
/// script runner, with which the harness tests itself.
fn play(path: &Path) {
    let mut text = String::new();
    if let Err(error) = open_existing(path).read_to_string(&mut text) {
        give_up(91, &format!("{}: {error}", path.display()));
    }
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")) {
        let words = line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for verb in words.split(|word| word == "--") {
            run_verb(&words, verb);
        }
    }
}

fn open_existing(path: &Path) -> File {
    File::open(path).unwrap_or_else(|error| give_up(91, &format!("{}: {error}", path.display())))
}
