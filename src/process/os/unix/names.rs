//! Signals and error numbers by name.

use std::io;

pub(crate) const SIGCONT: i32 = libc::SIGCONT;
pub(crate) const SIGHUP: i32 = libc::SIGHUP;
#[cfg(feature = "cli")]
pub(crate) const SIGXCPU: i32 = libc::SIGXCPU;
pub(crate) const SIGINT: i32 = libc::SIGINT;
pub(crate) const SIGKILL: i32 = libc::SIGKILL;
pub(crate) const SIGPIPE: i32 = libc::SIGPIPE;
pub(crate) const SIGQUIT: i32 = libc::SIGQUIT;
pub(crate) const SIGSTOP: i32 = libc::SIGSTOP;
/// Those that stop a process which does nothing about them.
pub(crate) const STOPPING: [i32; 4] = [SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
pub(crate) const SIGTERM: i32 = libc::SIGTERM;

const SIGNALS: &[(&str, i32)] = &[
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

/// The short name of a signal, without `SIG`.
pub(crate) fn signal_name(number: i32) -> Option<&'static str> {
    SIGNALS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
}

/// The number behind `TERM`, `SIGTERM`, `term` or `15`.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(name, _)| *name == short).map(|(_, n)| *n)
}

/// The symbolic name of an error number, as `errno(3)` lists them.
pub(crate) fn errno_name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EINTR => "EINTR",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::E2BIG => "E2BIG",
        libc::ENOEXEC => "ENOEXEC",
        libc::EBADF => "EBADF",
        libc::ECHILD => "ECHILD",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EBUSY => "EBUSY",
        libc::EEXIST => "EEXIST",
        libc::ENOTDIR => "ENOTDIR",
        libc::ENOTEMPTY => "ENOTEMPTY",
        libc::EXDEV => "EXDEV",
        libc::EMLINK => "EMLINK",
        libc::ESTALE => "ESTALE",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::ENFILE => "ENFILE",
        libc::EMFILE => "EMFILE",
        libc::ETXTBSY => "ETXTBSY",
        libc::EFBIG => "EFBIG",
        libc::ENOSPC => "ENOSPC",
        libc::EROFS => "EROFS",
        libc::EPIPE => "EPIPE",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ELOOP => "ELOOP",
        libc::ENOTSUP => "ENOTSUP",
        libc::ENOSYS => "ENOSYS",
        #[cfg(target_os = "linux")]
        libc::ELIBBAD => "ELIBBAD",
        libc::EDQUOT => "EDQUOT",
        _ => return None,
    })
}

pub(crate) const EIO: i32 = libc::EIO;
pub(crate) const EPIPE: i32 = libc::EPIPE;
pub(crate) const EACCES: i32 = libc::EACCES;
pub(crate) const EAGAIN: i32 = libc::EAGAIN;
pub(crate) const EPERM: i32 = libc::EPERM;
pub(crate) const ECHILD: i32 = libc::ECHILD;
pub(crate) const E2BIG: i32 = libc::E2BIG;
pub(crate) const EBADF: i32 = libc::EBADF;
pub(crate) const EINVAL: i32 = libc::EINVAL;
pub(crate) const ELOOP: i32 = libc::ELOOP;
pub(crate) const EMFILE: i32 = libc::EMFILE;
pub(crate) const ENAMETOOLONG: i32 = libc::ENAMETOOLONG;
pub(crate) const ENFILE: i32 = libc::ENFILE;
pub(crate) const ENOENT: i32 = libc::ENOENT;
pub(crate) const ENOEXEC: i32 = libc::ENOEXEC;
pub(crate) const ENOMEM: i32 = libc::ENOMEM;
pub(crate) const ENOTDIR: i32 = libc::ENOTDIR;
pub(crate) const ENOTEMPTY: i32 = libc::ENOTEMPTY;
pub(crate) const ESRCH: i32 = libc::ESRCH;
pub(crate) const ETXTBSY: i32 = libc::ETXTBSY;

/// The system's words for an error number, without Rust's "(os error N)".
pub(crate) fn errno_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}
