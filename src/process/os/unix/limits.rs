//! Limits of the system, and those that a process can be given.

/// One resource with its soft and its hard limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    resource: i32,
    soft: libc::rlim_t,
    hard: libc::rlim_t,
}

#[rustfmt::skip]
const RESOURCES: &[(&str, i32)] = &[
    ("as", libc::RLIMIT_AS as i32),
    ("core", libc::RLIMIT_CORE as i32),
    ("cpu", libc::RLIMIT_CPU as i32),
    ("data", libc::RLIMIT_DATA as i32),
    ("fsize", libc::RLIMIT_FSIZE as i32),
    ("memlock", libc::RLIMIT_MEMLOCK as i32),
    ("nofile", libc::RLIMIT_NOFILE as i32),
    ("nproc", libc::RLIMIT_NPROC as i32),
    ("rss", libc::RLIMIT_RSS as i32),
    ("stack", libc::RLIMIT_STACK as i32),
    #[cfg(target_os = "linux")]
    ("locks", libc::RLIMIT_LOCKS as i32),
    #[cfg(target_os = "linux")]
    ("msgqueue", libc::RLIMIT_MSGQUEUE as i32),
    #[cfg(target_os = "linux")]
    ("nice", libc::RLIMIT_NICE as i32),
    #[cfg(target_os = "linux")]
    ("rtprio", libc::RLIMIT_RTPRIO as i32),
    #[cfg(target_os = "linux")]
    ("rttime", libc::RLIMIT_RTTIME as i32),
    #[cfg(target_os = "linux")]
    ("sigpending", libc::RLIMIT_SIGPENDING as i32),
];

/// The names of the resources that can be limited here.
pub(crate) fn resource_names() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|(name, _)| *name)
}

impl Limit {
    /// `None` when the system has no such resource. A limit of `None` is no limit.
    pub fn new(name: &str, soft: Option<u64>, hard: Option<u64>) -> Option<Self> {
        let (_, resource) = RESOURCES.iter().find(|(known, _)| *known == name)?;
        let value = |limit: Option<u64>| limit.map_or(libc::RLIM_INFINITY, |limit| limit as libc::rlim_t);
        Some(Self { resource: *resource, soft: value(soft), hard: value(hard) })
    }

    /// Sets it for this process; -1 for a failure. Async-signal-safe.
    pub(super) fn set(&self) -> libc::c_int {
        let limit = libc::rlimit { rlim_cur: self.soft, rlim_max: self.hard };
        // SAFETY: the structure is valid for reading.
        unsafe { libc::setrlimit(self.resource as _, &limit) }
    }
}

/// The first number that a descriptor of this process cannot have.
pub(crate) fn descriptor_limit() -> u64 {
    soft_limit("nofile").unwrap_or(u64::MAX)
}

/// How many processes and threads the user of this process may have at once, where that is limited.
pub(crate) fn process_limit() -> Option<u64> {
    soft_limit("nproc").filter(|limit| *limit != u64::MAX)
}

/// How many bytes of addresses this process may have, where that is limited.
pub(crate) fn address_limit() -> Option<u64> {
    soft_limit("as").filter(|limit| *limit != u64::MAX)
}

/// `u64::MAX` where there is none.
#[allow(clippy::unnecessary_cast, reason = "a limit is signed on FreeBSD")]
pub(super) fn soft_limit(name: &str) -> Option<u64> {
    let (_, resource) = RESOURCES.iter().find(|(known, _)| *known == name)?;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for writing.
    match unsafe { libc::getrlimit(*resource as _, &mut limit) } {
        0 if limit.rlim_cur == libc::RLIM_INFINITY => Some(u64::MAX),
        0 => Some(limit.rlim_cur as u64),
        _ => None,
    }
}

/// The longest single argument or variable, in bytes, where the system has such a limit: on Linux
/// MAX_ARG_STRLEN, 32 pages, with the NUL byte.
pub(crate) fn longest_argument() -> Option<usize> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    // SAFETY: only asks.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(page).ok().map(|page| 32 * page - 1)
}

/// What all arguments and variables may have together, in bytes.
pub(crate) fn arguments_limit() -> Option<usize> {
    // SAFETY: only asks.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_ARG_MAX) }).ok()
}
