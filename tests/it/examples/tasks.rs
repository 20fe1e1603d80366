//! The twelve tasks: what they print, and that the table of the README tells the truth about their length.

use std::path::{Path, PathBuf};

use crate::support::leaks::Guard;
use crate::support::project_dir;
use crate::support::run::{Outcome, Run};

/// What a task may leave in the playground.
const LEFTOVERS: &[&str] = &[
    ".git/",
    "web/",
    "bin/",
    "plan.txt",
    "names.txt",
    "release notes.txt",
    "dump.sql",
    "dump.sql.gz",
    "tries.txt",
    "failed.txt",
    "deploy.log",
    "mail.log",
];

fn tasks() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project_dir().join("examples/tasks")).expect("the tasks are there").flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "rhai"));
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Makes the playground and works in it.
fn in_playground(run: Run, line: &str) -> Outcome {
    let playground = project_dir().join("examples/tasks/playground.sh");
    let line = format!("sh '{}' . && PATH=$PWD/bin:$PATH {line}", playground.display());
    let run = LEFTOVERS.iter().fold(run, |run, name| run.allow_file(name));
    run.env("LC_ALL", "C").args(["-c", line.as_str()]).run()
}

#[test]
fn every_task_prints_what_it_should_here_and_in_bash() {
    let _guard = Guard::new();
    let tasks = tasks();
    assert_eq!(tasks.len(), 12, "the tasks are twelve");
    for task in tasks {
        let expected = text(&task.with_extension("out"));
        let procscript = crate::support::procscript_bin();
        let line = format!("exec '{}' '{}'", procscript.display(), task.display());
        in_playground(Run::program("/bin/sh"), &line).success().stdout(&expected).stderr("");
        let bash = task.with_extension("sh");
        if !text(&bash).starts_with("# Differs: ") {
            in_playground(Run::program("/bin/bash"), &format!(". '{}'", bash.display())).stdout(&expected);
        }
    }
}

/// Lines that are code.
fn lines(path: &Path) -> usize {
    text(path).lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '/'])).count()
}

#[test]
fn the_table_of_the_readme_has_their_length() {
    let _guard = Guard::new();
    let readme = text(&project_dir().join("README.md"));
    for task in tasks() {
        let name = task.file_stem().and_then(|name| name.to_str()).expect("plain names").to_string();
        let (ours, bash) = (lines(&task), lines(&task.with_extension("sh")));
        let link = format!("](examples/tasks/{name}.rhai) | {ours} | {bash} |");
        assert!(readme.contains(&link), "the README should have a row with: {link}");
        assert!(ours <= bash, "{name} is longer than in bash");
    }
}
