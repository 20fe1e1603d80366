//! The check before the run: what it finds, where, and what it lets pass.

use procscript::script::{Problem, Runtime, Severity};

use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::{leaks, procscript_bin, project_dir};

mod cases;
mod syntax;
mod whole;

fn runtime() -> Runtime {
    Runtime::builder().build().expect("it builds")
}

fn check(source: &str) -> Vec<Problem> {
    let _shared = leaks::shared();
    runtime().check("test.rhai", source).expect("it can be checked")
}

/// The problems as `code@line:column`, without the warnings about programs that this machine lacks.
fn found(source: &str) -> Vec<String> {
    let problems = check(source);
    problems.iter().filter(|problem| problem.code() != "program-not-found").map(brief).collect()
}

fn brief(problem: &Problem) -> String {
    match problem.place() {
        Some(place) => format!("{}@{}:{}", problem.code(), place.line, place.column),
        None => problem.code().to_string(),
    }
}

/// Each source has these problems, and no other.
#[track_caller]
fn expect(table: &[(&str, &[&str])]) {
    for (source, expected) in table {
        assert_eq!(found(source), *expected, "{source}");
    }
}

/// The one problem of each source has this in its help.
#[track_caller]
fn expect_help(table: &[(&str, &str)]) {
    for (source, expected) in table {
        let problems = check(source);
        let helps: Vec<&str> = problems.iter().filter_map(Problem::help).collect();
        assert!(helps.iter().any(|help| help.contains(expected)), "{source}: {helps:?} lacks {expected}");
    }
}
