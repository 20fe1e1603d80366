//! The verbs about what a process was given: umask, niceness, limits.

use std::ffi::c_int;

use crate::stream::Stream;
use crate::{Args, wrong};

/// Whether the verb is one of these.
pub fn run_verb(verb: &str, args: &Args) -> bool {
    let out = Stream::out();
    match verb {
        "umask" => out.line(umask().as_bytes()),
        "nice" => out.line(nice().to_string().as_bytes()),
        "rlimit" => out.line(rlimit(&args.text(0)).as_bytes()),
        _ => return false,
    }
    true
}

fn umask() -> String {
    // SAFETY: it cannot fail; the second call puts back what the first has changed.
    let mask = unsafe {
        let mask = libc::umask(0);
        libc::umask(mask);
        mask
    };
    format!("{mask:03o}")
}

fn nice() -> c_int {
    // SAFETY: takes no pointers.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// `SOFT HARD`
fn rlimit(name: &str) -> String {
    let resource = match name {
        "as" => libc::RLIMIT_AS,
        "core" => libc::RLIMIT_CORE,
        "cpu" => libc::RLIMIT_CPU,
        "fsize" => libc::RLIMIT_FSIZE,
        "nofile" => libc::RLIMIT_NOFILE,
        "nproc" => libc::RLIMIT_NPROC,
        "stack" => libc::RLIMIT_STACK,
        _ => wrong("an unknown resource"),
    };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for writing.
    crate::unix::check("getrlimit", unsafe { libc::getrlimit(resource, &mut limit) });
    let show = |value| match value {
        libc::RLIM_INFINITY => "unlimited".to_string(),
        value => value.to_string(),
    };
    format!("{} {}", show(limit.rlim_cur), show(limit.rlim_max))
}
