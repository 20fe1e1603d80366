//! The subprocess engine: commands as values, pipelines, redirections, streaming, structured errors.
//!
//! # The idea
//!
//! An [`Expression`] describes: a command, or a pipeline, with settings. It is data; building it does
//! nothing. A *verb* starts it: [`run`](Expression::run), [`output`](Expression::output),
//! [`read`](Expression::read), [`lines`](Expression::lines), [`start`](Expression::start) and a few
//! more, which differ only in where the streams point when the expression does not say. While it runs
//! there is an [`Execution`] or a stream of [`Lines`]; when it is over there is an [`Output`], or an
//! [`Error`] that knows everything that is known.
//!
//! ```
//! use procscript::process::{Expression, cmd};
//!
//! let words = cmd("printf", ["b\\na\\nb\\n"]).pipe(Expression::new("sort").arg("-u"));
//! let lines = words.lines()?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(lines, ["a", "b"]);
//! # Ok::<(), procscript::process::Error>(())
//! ```
//!
//! # What holds always
//!
//! - No shell, no splitting: an argument is an argument.
//! - Every stage of a pipeline is checked; death by SIGPIPE of a stage whose reader has left is its
//!   normal end.
//! - Nothing blocks for ever: pipes are read and written at the same time, a timeout returns within
//!   its grace period plus a second, and a process left behind that holds a pipe costs half a second.
//! - No process, zombie or descriptor is left, however the command ends.
//! - Nothing global changes: no signal handler, no working directory, no environment of this process.
//!
//! # Glossary
//!
//! *stage*: one process of a running command. *grace*: the time between the first signal and KILL.
//! *accepted*: an ending that is not a failure. *held open*: a pipe that somebody else still holds
//! when the command has ended.

mod cancel;
mod context;
mod descriptor;
mod drain;
mod env;
mod error;
mod execution;
mod expression;
mod hook;
mod input;
mod launch;
mod lines;
mod open;
mod options;
#[cfg(feature = "cli")]
pub(crate) mod orphans;
pub(crate) mod os;
mod output;
pub(crate) mod parallel;
mod plan;
mod platform;
mod program;
mod pump;
mod quote;
mod readers;
mod reaper;
mod redirect;
mod rewrite;
mod run;
mod settings;
mod stage;
mod start;
mod starts;
mod status;
mod stream;
mod tap;
mod teardown;
mod tree;

pub use cancel::CancelToken;
pub use context::{Context, HostStream};
pub use descriptor::FdTarget;
pub use error::{Error, ErrorKind};
pub use execution::Execution;
pub(crate) use execution::ExecutionWatch;
pub use expression::{Expression, cmd, pipe, sh};
pub use lines::{Chunks, Lines};
pub use os::CountingAllocator;
pub use output::{Output, Stage, Usage};
pub use quote::quote_argument;
pub(crate) use redirect::{Feeding, Supplied};
pub use status::TerminationStatus;
pub use stream::OutputStream;
pub use teardown::{Scope, Teardown};

pub(crate) use quote::{ansi_quoted, escape_controls, needs_escape};
pub(crate) use readers::Until;
pub(crate) use rewrite::Rewrite;
pub(crate) use settings::DEFAULT_GRACE;
pub(crate) use stage::Identity;

use std::time::Duration;

/// The number of a signal, from its name (`TERM`, `SIGTERM`, `term`) or its number as text.
pub fn signal_number(name: &str) -> Option<i32> {
    os::signal_number(name)
}

/// A duration for people: `230 ms`, `4.2 s`, `3 min 5 s`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration {
        d if d < Duration::from_millis(1) => format!("{} µs", d.as_micros()),
        d if d < Duration::from_secs(1) => format!("{} ms", d.as_millis()),
        d if d < Duration::from_secs(60) && d.subsec_millis() < 50 => format!("{seconds} s"),
        d if d < Duration::from_secs(60) => format!("{:.1} s", d.as_secs_f64()),
        _ if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The name that is most like `name`, when one is near enough to be a likely slip.
pub(crate) fn nearest_name(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    nearest_names(name, candidates).into_iter().next()
}

/// The names that are near enough to be likely slips, the most likely first.
pub(crate) fn nearest_names(name: &str, candidates: impl Iterator<Item = String>) -> Vec<String> {
    let allowed = match name.chars().count() {
        0..=1 => return Vec::new(),
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let mut near: Vec<(usize, String)> = candidates
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= allowed && candidate != name)
        .map(|candidate| (edit_distance(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort();
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Insertions, deletions, replacements and exchanges of neighbours between two names.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
