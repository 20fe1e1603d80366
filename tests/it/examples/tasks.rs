//! The twelve tasks: what they print, here and with others, and that the table of the README tells the truth about
//! their length.

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
        let outcome = in_playground(Run::program("/bin/sh"), &line);
        outcome.success().stdout(&expected);
        // What the script was not told to wait for is ended with it, and told.
        match task.ends_with("06_timeout.rhai") {
            // On a busy machine nothing has got so far within its time.
            true if outcome.stderr.is_empty() => &outcome,
            true => outcome.stderr_contains("note: ended a process that the script had left running: "),
            false => outcome.stderr(""),
        };
        let bash = task.with_extension("sh");
        if !text(&bash).starts_with("# Differs: ") {
            in_playground(Run::program("/bin/bash"), &format!(". '{}'", bash.display())).stdout(&expected);
        }
    }
}

/// Where node finds its modules, when `zx` is there: of all of them, the folder that holds `zx`.
fn node_modules() -> Option<PathBuf> {
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    let zx = std::env::split_paths(&dirs).map(|dir| dir.join("zx")).find(|zx| zx.is_file())?;
    let zx = zx.canonicalize().ok()?;
    zx.ancestors().find(|dir| dir.ends_with("node_modules")).map(Path::to_path_buf)
}

/// The others, each in a folder of its name.
const PEERS: &[&str] = &["zx", "dax", "execa"];

fn peer(task: &Path, peer: &str) -> PathBuf {
    let name = task.with_extension("mjs");
    task.with_file_name(peer).join(name.file_name().expect("a file just listed"))
}

#[test]
fn the_others_print_what_they_should() {
    let _guard = Guard::new();
    let Some(modules) = node_modules() else {
        println!("SKIP: there is no zx in PATH (npm install zx dax execa; PATH=$PWD/node_modules/.bin:$PATH)");
        return;
    };
    for name in PEERS {
        if !modules.join(name).is_dir() {
            println!("SKIP: there is no {name} beside zx");
            continue;
        }
        for task in tasks() {
            let script = peer(&task, name);
            if text(&script).starts_with("// Differs: ") {
                continue;
            }
            // Node looks for modules beside the script.
            let node = if *name == "zx" { "node_modules/.bin/zx" } else { "node" };
            let line =
                r#"sh -c 'ln -s "$MODULES" node_modules && cp "$SCRIPT" task.mjs && exec "$0" task.mjs 2> /dev/null'"#;
            let run = Run::program("/bin/sh").env("MODULES", &modules).env("SCRIPT", &script);
            let run = run.allow_file("node_modules").allow_file("task.mjs");
            let line = format!("{line} {node}");
            in_playground(run, &line).success().stdout(&text(&task.with_extension("out")));
        }
    }
}

/// Lines that are code; an `import` makes names known that are known here from the start.
fn lines(path: &Path) -> usize {
    let text = text(path);
    let code = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '/']));
    code.filter(|line| !line.starts_with("import ")).count()
}

#[test]
fn the_table_of_the_readme_has_their_length() {
    let _guard = Guard::new();
    let readme = text(&project_dir().join("README.md"));
    for task in tasks() {
        let name = task.file_stem().and_then(|name| name.to_str()).expect("plain names").to_string();
        let ours = lines(&task);
        let others = PEERS.iter().map(|name| peer(&task, name)).chain([task.with_extension("sh")]);
        let others: Vec<usize> = others.map(|script| lines(&script)).collect();
        let counts = others.iter().map(|count| format!(" {count} |")).collect::<String>();
        let link = format!("](examples/tasks/{name}.rhai) | {ours} |{counts}");
        assert!(readme.contains(&link), "the README should have a row with: {link}");
        assert!(others.iter().all(|count| ours <= *count), "{name} is longer than elsewhere");
    }
}
