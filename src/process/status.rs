//! How a process ended.

use std::fmt;

use super::os;

/// How a process ended: by itself, or by a signal.
///
/// ```
/// use procscript::process::TerminationStatus;
///
/// assert!(TerminationStatus::Exited(0).success());
/// assert_eq!(TerminationStatus::Exited(3).code(), Some(3));
/// assert_eq!(TerminationStatus::Signaled(15).signal_name(), Some("TERM"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TerminationStatus {
    /// The process called `exit` with this code (0 to 255 on Unix).
    Exited(i32),
    /// The process was ended by this signal.
    Signaled(i32),
}

impl TerminationStatus {
    /// Whether the process exited with code 0.
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The exit code, or `None` when a signal ended the process.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Signaled(_) => None,
        }
    }

    /// The number of the signal that ended the process, if one did.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Exited(_) => None,
            Self::Signaled(signal) => Some(signal),
        }
    }

    /// The short name of that signal (`TERM`, `KILL`), where it has one.
    pub fn signal_name(self) -> Option<&'static str> {
        self.signal().and_then(os::signal_name)
    }
}

/// The words of an error message: `exited with code 3`, `was ended by signal TERM (15)`.
impl fmt::Display for TerminationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.signal_name()) {
            (Self::Exited(code), _) => write!(f, "exited with code {code}"),
            (Self::Signaled(n), Some(name)) => write!(f, "was ended by signal {name} ({n})"),
            (Self::Signaled(n), None) => write!(f, "was ended by signal {n}"),
        }
    }
}

/// Which endings of a command are not failures.
///
/// Code 0 alone, unless the command says otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acceptance {
    pub unchecked: Option<bool>,
    pub ok_codes: Option<Vec<i32>>,
    pub ok_signals: Option<Vec<i32>>,
    pub strict_sigpipe: Option<bool>,
}

impl Acceptance {
    /// What `inner` left open is taken from `self`.
    pub fn merged_with(&self, inner: &Self) -> Self {
        Self {
            unchecked: inner.unchecked.or(self.unchecked),
            ok_codes: inner.ok_codes.clone().or_else(|| self.ok_codes.clone()),
            ok_signals: inner.ok_signals.clone().or_else(|| self.ok_signals.clone()),
            strict_sigpipe: inner.strict_sigpipe.or(self.strict_sigpipe),
        }
    }

    pub fn is_unchecked(&self) -> bool {
        self.unchecked.unwrap_or(false)
    }

    /// Whether this ending counts as success. A producer that died of SIGPIPE lost its reader,
    /// which is the normal end of `yes | head`: `has_reader` says that the stage is not the last.
    pub fn accepts(&self, status: TerminationStatus, has_reader: bool) -> bool {
        match status {
            TerminationStatus::Exited(code) => match &self.ok_codes {
                Some(codes) => codes.contains(&code),
                None => code == 0,
            },
            TerminationStatus::Signaled(signal) => {
                let reader_left = has_reader && signal == os::SIGPIPE && !self.strict_sigpipe.unwrap_or(false);
                reader_left || self.ok_signals.as_ref().is_some_and(|signals| signals.contains(&signal))
            }
        }
    }
}
