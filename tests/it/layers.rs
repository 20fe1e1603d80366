//! The layers of ARCHITECTURE.md, held by reading the imports: an arrow may only point down.
//!
//! `text` < `process` < `files` < `terminal`, `arguments`, `system` < `script` < `repl` < `cli` < `main.rs` and
//! `lib.rs`, and `data` < `script`. Comments and strings do not count; code under `#[cfg(test)]` does, because a test
//! that needs an upper layer belongs there.

use crate::support::rust_source::rust_files;
use crate::support::{leaks, project_dir};

mod examples;
mod paths;

use paths::{Token, named_paths, tokens};

/// Each layer with what it may import besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("data", &[]),
    ("process", &["text"]),
    ("files", &["process", "text"]),
    ("terminal", &["process"]),
    ("arguments", &["process"]),
    ("system", &["process"]),
    ("script", &["arguments", "system", "terminal", "files", "process", "text", "data"]),
    ("repl", &["script", "system", "terminal", "process", "text"]),
    ("cli", &["repl", "script", "arguments", "system", "terminal", "process", "text"]),
];

/// Crates, and the layers that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("rhai", &["script"]),
    ("rustyline", &["repl"]),
    ("unicode_width", &["terminal"]),
    ("anstyle", &["terminal"]),
    ("sysinfo", &["system"]),
    ("listeners", &["system"]),
    ("clap", &["arguments", "cli"]),
    ("clap_complete", &["cli"]),
    ("shared_child", &["process"]),
    ("os_pipe", &["process"]),
    ("libc", &["process"]),
    ("glob", &["files"]),
];

/// Where the operating systems differ, and where code may be unsafe.
const OS_DIR: &str = "process/os";
const OS_WORDS: &[&str] = &["unix", "windows", "target_os", "target_family", "target_vendor"];

#[test]
fn arrows_point_down() {
    let _shared = leaks::shared();
    let problems = check(&rust_files(&project_dir().join("src")));
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// All offences in a source tree, given as path below `src` and contents.
fn check(files: &[(String, String)]) -> Vec<String> {
    files.iter().flat_map(|(path, source)| check_file(path, source)).collect()
}

fn check_file(path: &str, source: &str) -> Vec<String> {
    let module = module_of(path);
    let layer = module.first().map(String::as_str);
    let mut problems = Vec::new();
    if let Some(name) = layer
        && allowed(name).is_none()
    {
        problems.push(format!("src/{path}: `{name}` is not a layer (see LAYERS in tests/it/layers.rs)"));
    }
    let code = crate::support::rust_source::code_only(source);
    let tokens = tokens(&code);
    let mut found = own_imports(&tokens, &module, layer);
    found.extend(foreign_crates(&tokens, layer));
    found.extend(system_dependence(&tokens, path));
    found.sort();
    found.dedup();
    problems.extend(found.into_iter().map(|(line, text)| format!("src/{path}:{line}: {text}")));
    problems
}

/// `process/os/unix.rs` is `process::os::unix`; `lib.rs` and `main.rs` are the root, above all layers.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_string).collect(),
    }
}

fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| *allowed)
}

fn own_imports(tokens: &[Token], module: &[String], layer: Option<&str>) -> Vec<(usize, String)> {
    let Some((layer, allowed)) = layer.and_then(|layer| Some((layer, allowed(layer)?))) else {
        return Vec::new();
    };
    let offence = |(line, path): (usize, Vec<String>)| match path.first() {
        Some(target) if target == layer || allowed.contains(&target.as_str()) => None,
        Some(target) if LAYERS.iter().any(|(name, _)| name == target) => {
            Some((line, format!("`{layer}` may not import `{}`", path.join("::"))))
        }
        // A re-export in lib.rs would hide where the arrow points.
        _ => Some((line, format!("`crate::{}` goes through the root: name the layer", path.join("::")))),
    };
    named_paths(tokens, module).into_iter().filter_map(offence).collect()
}

fn foreign_crates(tokens: &[Token], layer: Option<&str>) -> Vec<(usize, String)> {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let before = |index: usize, back: usize| index.checked_sub(back).map_or("", text);
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Some((name, homes)) = CRATES.iter().find(|(name, _)| *name == token.text) else {
            continue;
        };
        let previous = before(index, 1);
        let starts_path = text(index + 1) == "::" && !["::", "."].contains(&previous);
        let is_import = previous == "use" || (previous == "crate" && before(index, 2) == "extern");
        let is_attribute = previous == "[" && before(index, 2) == "#";
        if (starts_path || is_import || is_attribute) && !layer.is_some_and(|layer| homes.contains(&layer)) {
            problems.push((token.line, format!("`{name}` belongs to `{}`", homes.join("` and `"))));
        }
    }
    problems
}

fn system_dependence(tokens: &[Token], path: &str) -> Vec<(usize, String)> {
    if path.starts_with(&format!("{OS_DIR}/")) || path == format!("{OS_DIR}.rs") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            // How the program is entered and linked can only be said where it is the program.
            "unsafe" if path != "main.rs" => problems.push((token.line, format!("`unsafe` belongs to {OS_DIR}"))),
            "cfg" | "cfg_attr" => {
                if let Some(word) = condition(&tokens[index + 1..]).find(|word| OS_WORDS.contains(word)) {
                    problems.push((token.line, format!("`cfg({word})` belongs to {OS_DIR}")));
                }
            }
            _ => (),
        }
    }
    problems
}

/// The words within the parentheses that follow.
fn condition<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a str> {
    let mut depth = 0_i32;
    let skip = usize::from(tokens.first().is_some_and(|token| token.text == "!"));
    let inside = tokens.iter().skip(skip).map(|token| token.text).take_while(move |text| {
        depth += match *text {
            "(" => 1,
            ")" => -1,
            _ => 0,
        };
        depth > 0
    });
    inside.collect::<Vec<_>>().into_iter()
}
