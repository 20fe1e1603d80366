//! `docs/capabilities.md` and `docs/pitfalls.md` name tests that exist, and methods that scripts have.

use crate::support::rust_source::rust_files;
use crate::support::{leaks, project_dir};

#[test]
fn every_capability_has_its_test() {
    let _shared = leaks::shared();
    let rows = rows(&read("docs/capabilities.md"));
    assert!(rows.len() > 100, "only {} rows were understood", rows.len());
    let registered = script_source();
    let problems: Vec<String> = rows.iter().flat_map(|row| problems(row, &registered)).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_pitfall_has_its_test() {
    let _shared = leaks::shared();
    let rows = rows(&read("docs/pitfalls.md"));
    assert!(rows.len() > 45, "only {} rows were understood", rows.len());
    let registered = script_source();
    let problems: Vec<String> = rows.iter().flat_map(|row| problems(row, &registered)).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn slips_in_the_table_are_found() {
    let _shared = leaks::shared();
    let wrong = |line: &str| problems(&rows(line)[0], "register_fn(\"read\"").len();
    assert_eq!(wrong("| a | b | `c.read()` | `tests/it/capabilities.rs: slips_in_the_table_are_found` |"), 0);
    assert_eq!(wrong("| a | b | `c \\| d`, `break` | not yet: why |"), 0);
    assert_eq!(wrong("| a | b | `c.reed()`, `p.red` | not yet: why |"), 2);
    assert_eq!(wrong("| a | b | – | not yet: |"), 1);
    assert_eq!(wrong("| a | b | – | `tests/it/missing.rs: test` |"), 1);
    assert_eq!(wrong("| a | b | – | `tests/it/capabilities.rs: no_such_test` |"), 1);
    assert_eq!(wrong("| a | b | – | `tests/it/capabilities.rs: rows` |"), 1, "a function, and no test");
    assert_eq!(wrong("| a | b | – | somewhere |"), 1);
    assert_eq!(wrong("| a | b | c |"), 1);
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project_dir().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Where functions are registered with the interpreter.
fn script_source() -> String {
    let files = rust_files(&project_dir().join("src"));
    files.into_iter().filter(|(path, _)| path.starts_with("script/")).map(|(_, source)| source).collect()
}

/// The cells of the rows of all tables, without their headings.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    let lines = lines.filter(|line| {
        !line.starts_with("| capability |") && !line.starts_with("| pitfall |") && !line.starts_with("|---")
    });
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    lines.map(cells).collect()
}

fn problems(row: &[String], registered: &str) -> Vec<String> {
    let [capability, _, script, test] = row else { return vec![format!("not four cells: {row:?}")] };
    let mut problems = Vec::new();
    for name in quoted(script).flat_map(|spelling| names(&spelling)) {
        if !registered.contains(&format!("\"{name}\"")) {
            problems.push(format!("{capability}: no script function `{name}`"));
        }
    }
    if let Some(reason) = test.strip_prefix("not yet:") {
        if reason.trim().is_empty() {
            problems.push(format!("{capability}: not yet, and why?"));
        }
        return problems;
    }
    let named: Vec<String> = quoted(test).collect();
    if named.is_empty() {
        problems.push(format!("{capability}: no test"));
    }
    problems.extend(named.iter().filter(|test| !exists(test)).map(|test| format!("{capability}: no {test}")));
    problems
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).filter(|part| !part.trim().is_empty()).map(str::to_string)
}

/// The methods and properties (after a dot), and the functions (before a parenthesis), in a spelling.
fn names(spelling: &str) -> Vec<String> {
    // What stands in texts is no code.
    let code: String = spelling.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut names = Vec::new();
    for word in code.split(|char| !is_word(char)) {
        let start = word.as_ptr().addr() - code.as_ptr().addr();
        let is_method = code[..start].ends_with('.');
        let is_called = code[start + word.len()..].starts_with('(') && word != "print";
        if word.starts_with(|char: char| char.is_ascii_lowercase()) && (is_method || is_called) {
            names.push(word.to_string());
        }
    }
    names
}

/// `path` or `path: test`.
fn exists(named: &str) -> bool {
    let (path, test) = named.split_once(": ").map_or((named, None), |(path, test)| (path, Some(test)));
    let source = std::fs::read_to_string(project_dir().join(path));
    match (source, test) {
        (Ok(_), None) => true,
        (Ok(source), Some(test)) => {
            let attributes = source.split(&format!("fn {test}()")).next().filter(|before| before.len() < source.len());
            attributes.is_some_and(|before| before.rsplit("\n\n").next().is_some_and(|last| last.contains("#[test]")))
        }
        (Err(_), _) => false,
    }
}
