//! For the program that owns its process: the runner.

use std::io;
use std::mem::MaybeUninit;

use super::spawn::{is_ignored, mark_all_close_on_exec};

/// The signals among `wanted` that this process did not inherit as ignored (`nohup` ignores HUP, a
/// shell's `&` ignores INT): those a runner may handle.
pub(crate) fn not_ignored(wanted: &[i32]) -> Vec<i32> {
    wanted.iter().copied().filter(|signal| !is_ignored(*signal)).collect()
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigemptyset initialises the set; sigaddset refuses bad numbers.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

/// Blocks signals in this thread and in those it will start, for [`next_signal`] to take.
pub(crate) fn block_signals(signals: &[i32]) {
    let set = signal_set(signals);
    // SAFETY: the set is initialised.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
}

/// Waits for one of the blocked signals: its number, and whether the kernel sent it (a key typed at
/// the terminal) and not another process.
pub(crate) fn next_signal(signals: &[i32]) -> Option<(i32, bool)> {
    let set = signal_set(signals);
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the set is initialised and the structure valid for writing.
        let signal = unsafe { libc::sigwaitinfo(&set, info.as_mut_ptr()) };
        if signal > 0 {
            // SAFETY: sigwaitinfo has filled it.
            let code = unsafe { info.assume_init() }.si_code;
            const SI_KERNEL: i32 = 0x80;
            return Some((signal, code == SI_KERNEL));
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// Ends this process by `signal`, as if it had never been handled: what tells a calling shell that
/// its loop should stop too. Where the signal cannot end us (PID 1), exits with 128 + n.
pub(crate) fn die_of_signal(signal: i32) -> ! {
    let set = signal_set(&[signal]);
    // SAFETY: restores the default action and sends the signal to ourselves.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::kill(libc::getpid(), signal);
    }
    std::process::exit(128 + signal)
}

/// What a program that owns its process does first: no descriptor that it inherited above 2 reaches
/// its children, and SIGCHLD is neither ignored (every wait would fail with ECHILD) nor blocked.
pub(crate) fn own_process() {
    // SAFETY: only sets a flag on descriptors.
    unsafe { mark_all_close_on_exec() };
    let set = signal_set(&[libc::SIGCHLD]);
    // SAFETY: sets dispositions of this process and the mask of this thread.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
}
