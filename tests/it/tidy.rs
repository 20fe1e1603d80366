//! The repository's own rules, where a compiler does not hold them.

use crate::support::rust_source::{code_only, rust_files, without_tests};
use crate::support::{leaks, project_dir};

mod examples;

const LONGEST_LINE: usize = 120;

/// Output goes through one writer, so that a closed or full stdout is an error and not a panic; and
/// nothing half-done is left.
const FORBIDDEN: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!", "todo!", "unimplemented!"];

const PROJECT_DIRS: &[&str] = &["src/", "tests/", "stdlib/", "examples/", "scripts/"];

#[test]
fn the_source_follows_the_rules() {
    let _shared = leaks::shared();
    let files = rust_files(&project_dir().join("src"));
    none(files.iter().flat_map(|(path, text)| source_problems(path, text)).collect());
}

#[test]
fn the_changelog_has_one_heading_for_this_version() {
    none(changelog_problems(&read("CHANGELOG.md"), env!("CARGO_PKG_VERSION")));
}

#[test]
fn architecture_names_what_exists() {
    let exists = |path: &str| project_dir().join(path).exists();
    none(missing_paths(&read("ARCHITECTURE.md"), exists));
}

#[test]
fn every_library_file_is_embedded() {
    let _shared = leaks::shared();
    let mut names = Vec::new();
    below(&project_dir().join("stdlib"), "", &mut names);
    if names.is_empty() {
        return;
    }
    none(not_embedded(&names, &read("src/script/stdlib.rs")));
}

#[test]
fn modules_of_the_library_can_be_read_at_a_sitting() {
    let _shared = leaks::shared();
    let mut names = Vec::new();
    below(&project_dir().join("stdlib"), "", &mut names);
    let lines = |name: &String| read(&format!("stdlib/{name}")).lines().count();
    none(names.iter().filter(|name| lines(name) >= 150).map(|name| format!("{name} has 150 lines or more")).collect());
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn read(path: &str) -> String {
    let _shared = leaks::shared();
    std::fs::read_to_string(project_dir().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn below(dir: &std::path::Path, prefix: &str, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => below(&entry.path(), &format!("{name}/"), names),
            false => names.push(name),
        }
    }
}

/// `path` is below `src`.
fn source_problems(path: &str, source: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut report = |index: usize, text: String| problems.push(format!("src/{path}:{}: {text}", index + 1));
    for (index, line) in source.lines().enumerate() {
        let length = line.chars().count();
        if length > LONGEST_LINE {
            report(index, format!("{length} characters, more than {LONGEST_LINE}"));
        }
    }
    // A module of tests in a file of its own is declared under cfg(test) elsewhere.
    if path.ends_with("tests.rs") || path.contains("tests/") {
        return problems;
    }
    for (index, line) in without_tests(&code_only(source)).lines().enumerate() {
        for forbidden in FORBIDDEN.iter().filter(|word| calls(line, word)) {
            report(index, format!("`{forbidden}` outside of tests"));
        }
        if line.contains(".unwrap()") {
            report(index, "`.unwrap()` outside of tests: `expect` says why it cannot fail".to_string());
        }
    }
    problems
}

/// Whether the macro is named, and not the end of a longer name.
fn calls(line: &str, name: &str) -> bool {
    let starts = line.match_indices(name).map(|(start, _)| start);
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    starts.into_iter().any(|start| !line[..start].ends_with(is_word))
}

/// One heading names the version or, while it is being made, says Unreleased.
fn changelog_problems(text: &str, version: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let names = |heading: &&str| {
        let words = heading.split(|char: char| char.is_whitespace() || "[]()#,".contains(char));
        words
            .map(|word| word.trim_start_matches('v'))
            .any(|word| word == version || word.eq_ignore_ascii_case("unreleased"))
    };
    let found = headings.filter(names).collect::<Vec<_>>();
    match found.len() {
        1 => Vec::new(),
        0 => vec![format!("CHANGELOG.md has no heading for {version}, and none for Unreleased")],
        _ => vec![format!("CHANGELOG.md has several headings for {version}: {}", found.join(" / "))],
    }
}

/// Paths of ours in backticks that are not there. Fenced blocks are drawings and are left out.
fn missing_paths(text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut fenced = false;
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let quoted = line.split('`').skip(1).step_by(2);
            let paths = quoted.filter(|path| PROJECT_DIRS.iter().any(|dir| path.starts_with(dir)));
            let missing = paths.flat_map(real_paths).filter(|path| !exists(path));
            problems.extend(missing.map(|path| format!("ARCHITECTURE.md:{}: no {path}", index + 1)));
        }
    }
    problems
}

/// `{a,b}` is both; what stands for many (`<topic>`, `*`, `…`) is none; `:12` is a line number.
fn real_paths(path: &str) -> Vec<String> {
    if path.contains(|char: char| "<>*…".contains(char) || char.is_whitespace()) {
        return Vec::new();
    }
    let path = path.split(':').next().unwrap_or(path);
    let Some((start, rest)) = path.split_once('{') else {
        return vec![path.to_string()];
    };
    let (choices, end) = rest.split_once('}').unwrap_or((rest, ""));
    choices.split(',').flat_map(|choice| real_paths(&format!("{start}{}{end}", choice.trim()))).collect()
}

/// `names` are below `stdlib`; the source names each of them in a string.
fn not_embedded(names: &[String], source: &str) -> Vec<String> {
    let is_named = |name: &str| {
        let starts = source.match_indices(name).map(|(start, _)| start);
        starts
            .into_iter()
            .any(|start| source[..start].ends_with(['"', '/']) && source[start + name.len()..].starts_with('"'))
    };
    let missing = names.iter().filter(|name| !is_named(name));
    missing.map(|name| format!("stdlib/{name} is not named in src/script/stdlib.rs")).collect()
}
