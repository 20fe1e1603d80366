//! What the documents show must be true: every script in them loads.

use std::path::Path;

use procscript::script::Runtime;

use crate::support::leaks;

mod cookbook;
mod reference;

/// Variables that the fragments of the README's table use without defining them.
const SURROUNDINGS: &str = r#"let name = ""; let dir = ""; let files = []; let a = ""; let b = ""; let text = ""; let url = ""; let tmp = "";
let x = "";"#;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks between "```LANGUAGE" and "```".
fn fences(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).filter_map(|rest| rest.split("\n```").next()).map(str::to_string).collect()
}

fn loads(what: &str, code: &str) {
    let runtime = Runtime::builder().build().expect("a plain runtime");
    if let Err(failure) = runtime.load(what, code) {
        panic!("{what}:\n{code}\n\n{}", failure.render());
    }
}

#[test]
fn every_script_of_the_readme_loads() {
    let _shared = leaks::shared();
    let scripts = fences(&document("README.md"), "rhai");
    assert!(scripts.len() >= 5, "the README has lost its scripts");
    for (index, script) in scripts.iter().enumerate() {
        loads(&format!("README script {}", index + 1), script);
    }
}

/// The code spans of a table cell: between single or double backquotes.
fn spans(cell: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = cell;
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].chars().take_while(|c| *c == '`').count();
        let fence = "`".repeat(ticks);
        let inner = &rest[start + ticks..];
        // The closing fence is exactly as long: a longer run of backquotes ends with it.
        let mut end = None;
        for (at, _) in inner.match_indices(&fence) {
            let run_ends = !inner[at + ticks..].starts_with('`');
            if run_ends {
                end = Some(at);
                break;
            }
        }
        let end = end.unwrap_or_else(|| panic!("unclosed code span: {cell}"));
        found.push(inner[..end].trim().replace("\\|", "|"));
        rest = &inner[end + ticks..];
    }
    found
}

#[test]
fn every_line_of_the_readme_table_loads() {
    let _shared = leaks::shared();
    let readme = document("README.md");
    let (_, table) = readme.split_once("## From shell to procscript").expect("the README has its table");
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() >= 20, "the README has lost its table");
    for row in rows {
        // The cells are separated by pipes that are not escaped.
        let cells: Vec<String> = row.replace("\\|", "\u{1}").split('|').map(|c| c.replace('\u{1}', "\\|")).collect();
        for code in spans(&cells[2]) {
            let code = match code.as_str() {
                "()" => continue,
                code if code.starts_with('.') => format!("let command = cmd(\"x\"){code};"),
                code if code.ends_with('{') => format!("{code} }}"),
                code if code.starts_with("job.") => format!("let job = cmd(\"x\").start(); {code};"),
                code => format!("{code};"),
            };
            loads(row, &format!("{SURROUNDINGS}\n{}", code.replace('…', "")));
        }
    }
}
