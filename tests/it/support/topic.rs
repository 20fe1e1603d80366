//! All script tests of a folder, together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::run::Run;
use super::script_case::{Case, Verdict};
use super::{leaks, project_dir};

pub fn scripts_dir() -> PathBuf {
    project_dir().join("tests").join("scripts")
}

/// Runs every case of `tests/scripts/<topic>` and fails with all reports together.
///
/// `CASES=part` picks those whose name contains the part; `UPDATE_EXPECT=1` writes the expectations
/// anew from what really came.
#[track_caller]
pub fn run_topic(topic: &str) {
    let renew = std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1");
    let part = std::env::var("CASES").unwrap_or_default();
    let report = run_dir(&scripts_dir().join(topic), &part, renew, &Run::new);
    print!("{}", report.lines);
    if !report.failures.is_empty() {
        let count = report.failures.len();
        panic!("{count} of {} cases failed\n\n{}", report.total, report.failures.join("\n\n"));
    }
    assert!(report.total > 0 || !part.is_empty(), "no script in tests/scripts/{topic}");
}

/// What became of a folder.
pub struct Report {
    pub total: usize,
    /// A line for each case, in their order.
    pub lines: String,
    pub failures: Vec<String>,
}

/// `program` gives each case its run, with the program and its first arguments.
pub fn run_dir(dir: &Path, part: &str, renew: bool, program: &(dyn Fn() -> Run + Sync)) -> Report {
    let cases = cases(dir, part);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(path) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let started = Instant::now();
            let verdict = run_file(path, renew, program());
            let line = (path, verdict, started.elapsed());
            done.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4));
    std::thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));

    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(path, ..)| *path);
    let mut report = Report { total: done.len(), lines: String::new(), failures: Vec::new() };
    for (path, verdict, time) in done {
        let name = shown(path);
        let word = match verdict {
            Verdict::Passed => "ok".to_string(),
            Verdict::Skipped(reason) => format!("SKIP: {reason}"),
            Verdict::Renewed(_) => "written anew".to_string(),
            Verdict::Failed(text) => {
                report.failures.push(format!("════ {name}\n{text}"));
                "FAILED".to_string()
            }
        };
        report.lines += &format!("{name} ... {word} ({time:.0?})\n");
    }
    report
}

fn cases(dir: &Path, part: &str) -> Vec<PathBuf> {
    let _shared = leaks::shared();
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let scripts = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "rhai"));
    let mut scripts = scripts.filter(|path| name(path).contains(part)).collect::<Vec<_>>();
    scripts.sort();
    scripts
}

fn run_file(path: &Path, renew: bool, run: Run) -> Verdict {
    // Not only while it runs: it is read, and written anew, too.
    let _shared = leaks::shared();
    let case = match std::fs::read_to_string(path) {
        Ok(source) => Case::parse(&name(path), &source),
        Err(error) => Err(error.to_string()),
    };
    let dir = path.parent().expect("a file lies in a directory");
    let verdict = match case {
        // A panic on a thread would lose the reports of all others.
        Ok(case) => std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case.run(run, dir, renew)))
            .unwrap_or_else(|_| Verdict::Failed("the harness panicked; see above".to_string())),
        Err(problem) => Verdict::Failed(problem),
    };
    if let Verdict::Renewed(text) = &verdict
        && let Err(error) = std::fs::write(path, text)
    {
        return Verdict::Failed(error.to_string());
    }
    verdict
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(project_dir()).unwrap_or(path).display().to_string()
}
