//! The formatter on whole files: pairs that were reviewed by eye, and every script of this repository.

use std::path::{Path, PathBuf};

use procscript::script::{FailureKind, format};

use crate::support::expect::{Lines, diff};
use crate::support::{leaks, project_dir};

#[track_caller]
fn formatted(name: &str, source: &str) -> String {
    format(name, source).unwrap_or_else(|failure| panic!("{}", failure.render()))
}

/// All files below a directory whose names end like this.
fn files(dir: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => files(&path, end, found),
            false if path.to_string_lossy().ends_with(end) => found.push(path),
            false => (),
        }
    }
    found.sort();
}

fn scripts_below(dirs: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    dirs.iter().for_each(|dir| files(&project_dir().join(dir), ".rhai", &mut found));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some((path.strip_prefix(project_dir()).ok()?.display().to_string(), text))
    };
    found.into_iter().filter_map(read).collect()
}

/// `tests/format/x.in.rhai` becomes `x.out.rhai`, which `UPDATE_EXPECT=1` rewrites.
#[test]
fn pairs() {
    let _shared = leaks::shared();
    let mut inputs = Vec::new();
    files(&project_dir().join("tests/format"), ".in.rhai", &mut inputs);
    assert!(!inputs.is_empty());
    for input in inputs {
        let name = input.display().to_string();
        let real = formatted(&name, &std::fs::read_to_string(&input).expect("a file just listed"));
        let output = PathBuf::from(name.replace(".in.rhai", ".out.rhai"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&output, &real).expect("the tests may be rewritten");
        }
        let expected = std::fs::read_to_string(&output).unwrap_or_default();
        assert!(real == expected, "{name}\n{}", diff(&Lines::of(&expected), &Lines::of(&real)));
    }
}

#[test]
fn what_comes_with_the_program_is_formatted() {
    let _shared = leaks::shared();
    let scripts = scripts_below(&["stdlib", "scripts", "examples"]);
    assert!(scripts.len() > 4);
    for (name, source) in scripts {
        let real = formatted(&name, &source);
        let shown = diff(&Lines::of(&real), &Lines::of(&source));
        assert!(real == source, "procscript fmt {name}\n{shown}");
    }
}

#[test]
fn every_script_that_parses_is_formatted_once_and_for_all() {
    let _shared = leaks::shared();
    let scripts = scripts_below(&["stdlib", "scripts", "examples", "tests"]);
    // Whole folders are about mistakes.
    let whole = scripts.iter().filter(|(name, _)| !name.contains("/broken/")).count();
    let mut count = 0;
    for (name, source) in &scripts {
        // Some tests are about mistakes. Whatever parses is formatted, or that is a fault of ours.
        let once = match format(name, source) {
            Ok(once) => once,
            Err(failure) => {
                assert!(matches!(failure.kind(), FailureKind::Load), "{}", failure.render());
                continue;
            }
        };
        count += 1;
        assert_eq!(formatted(name, &once), once, "{name}");
        // Seen from afar, the same: nothing but white space has come or gone.
        let letters = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
        assert_eq!(letters(&once), letters(source), "{name}");
    }
    assert!(count * 10 > whole * 9, "only {count} of {whole} could be formatted");
}
