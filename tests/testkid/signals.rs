//! Signals: sent to itself, ignored, answered.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

use crate::unix::check;
use crate::{Args, wrong};

/// Every signal number that Linux knows; elsewhere there are fewer.
const SIGNALS: usize = 65;

const NAMES: &[(&str, c_int)] = &[
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("SYS", libc::SIGSYS),
];

/// What a signal handler needs, in forms that may be read at any moment.
static TEXT: [AtomicPtr<u8>; SIGNALS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; SIGNALS];
static TEXT_LENGTH: [AtomicUsize; SIGNALS] = [const { AtomicUsize::new(0) }; SIGNALS];
static EXIT_CODE: [AtomicI32; SIGNALS] = [const { AtomicI32::new(0) }; SIGNALS];

/// The signals as this program found them, before it changed any.
static INHERITED: OnceLock<(String, String)> = OnceLock::new();

/// None is ignored any more, as `nohup` or a shell's `&` would have it. Some of the numbers are no signals, and some
/// cannot be changed.
pub fn default_all() {
    for number in 1..SIGNALS {
        // SAFETY: installs no handler.
        unsafe { libc::signal(number as c_int, libc::SIG_DFL) };
    }
}

/// A name with or without SIG, or a number.
pub fn signal(args: &Args, index: usize) -> c_int {
    let text = args.text(index).to_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    let number = named.or_else(|| name.parse().ok());
    number
        .filter(|number| (1..SIGNALS as c_int).contains(number))
        .unwrap_or_else(|| wrong(&format!("`{text}` is not a signal")))
}

pub fn dispose(signal: c_int, action: libc::sighandler_t) {
    // SAFETY: an all-zero sigaction is valid, and `action` is SIG_DFL, SIG_IGN or `on_signal`.
    unsafe {
        let mut new: libc::sigaction = MaybeUninit::zeroed().assume_init();
        new.sa_sigaction = action;
        new.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &new, std::ptr::null_mut());
    }
}

fn disposition(signal: c_int) -> libc::sighandler_t {
    // SAFETY: only asks; on an unknown signal the zeroes stay, which mean SIG_DFL.
    unsafe {
        let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, std::ptr::null(), &mut old);
        old.sa_sigaction
    }
}

fn is_ignored(signal: c_int) -> bool {
    disposition(signal) == libc::SIG_IGN
}

fn is_blocked(signal: c_int) -> bool {
    // SAFETY: only asks for the mask, into a set of our own.
    unsafe {
        let mut mask: libc::sigset_t = MaybeUninit::zeroed().assume_init();
        libc::sigprocmask(libc::SIG_BLOCK, std::ptr::null(), &mut mask);
        libc::sigismember(&mask, signal) == 1
    }
}

/// Each with a space before it; signals without a name as numbers.
fn names(has: impl Fn(c_int) -> bool) -> String {
    let name = |number: c_int| match NAMES.iter().find(|(_, known)| *known == number) {
        Some((name, _)) => format!(" {name}"),
        None => format!(" {number}"),
    };
    (1..SIGNALS as c_int).filter(|number| has(*number)).map(name).collect()
}

extern "C" fn on_signal(signal: c_int) {
    let slot = signal as usize;
    let text = TEXT[slot].load(Ordering::SeqCst);
    if text.is_null() {
        // SAFETY: _exit is allowed in a signal handler; exit handlers are not run.
        unsafe { libc::_exit(EXIT_CODE[slot].load(Ordering::SeqCst)) }
    }
    // SAFETY: write is allowed in a signal handler, and the text was leaked on purpose.
    unsafe { libc::write(1, text.cast(), TEXT_LENGTH[slot].load(Ordering::SeqCst)) };
}

pub fn trap(signal: c_int, text: &[u8]) {
    let line = Box::leak([text, b"\n"].concat().into_boxed_slice());
    TEXT_LENGTH[signal as usize].store(line.len(), Ordering::SeqCst);
    TEXT[signal as usize].store(line.as_mut_ptr(), Ordering::SeqCst);
    dispose(signal, on_signal as *const () as libc::sighandler_t);
}

pub fn trap_exit(signal: c_int, code: c_int) {
    EXIT_CODE[signal as usize].store(code, Ordering::SeqCst);
    TEXT[signal as usize].store(std::ptr::null_mut(), Ordering::SeqCst);
    dispose(signal, on_signal as *const () as libc::sighandler_t);
}

/// Sends itself a signal; one that is ignored or blocked is given back its effect first.
pub fn kill_self(signal: c_int) {
    if is_ignored(signal) {
        dispose(signal, libc::SIG_DFL);
    }
    // SAFETY: plain calls on local values. Signals like SEGV would leave a core file behind in the
    // directory of the test, hence the limit.
    unsafe {
        let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &no_core);
        let mut mask: libc::sigset_t = MaybeUninit::zeroed().assume_init();
        libc::sigemptyset(&mut mask);
        libc::sigaddset(&mut mask, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &mask, std::ptr::null_mut());
        check("kill", libc::kill(libc::getpid(), signal));
    }
}

/// Remembers the signals as they are.
pub fn remember() {
    let _ = INHERITED.set((names(is_ignored), names(is_blocked)));
}

/// What was ignored and what was blocked before this program changed anything.
pub fn inherited() -> &'static (String, String) {
    INHERITED.get().expect("remembered before the first verb")
}
