//! The rules on small examples.

use super::{changelog_problems, missing_paths, not_embedded, source_problems};

#[test]
fn printing_and_unwrapping_are_found_outside_of_tests() {
    let source = "/// println!(x.unwrap())\nfn f() {\n    println!(\"{}\", x.unwrap());\n}\n\
                  #[cfg(test)]\nmod tests {\n    fn f() { todo!() } // }\n}\nfn g() { eprint!(\"}\") }\n\
                  #[cfg(test)] use x::y;\nfn h() { dbg!(my_print!()) }\n";
    let problems = source_problems("a.rs", source).join("\n");
    let lines = problems.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" "));
    let wanted = [
        "src/a.rs:3 `println!` outside of tests",
        "src/a.rs:3 `.unwrap()` outside of tests",
        "src/a.rs:9 `eprint!` outside of tests",
        "src/a.rs:11 `dbg!` outside of tests",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), wanted);
    assert!(source_problems("script/tests.rs", "fn f() { x.unwrap() }").is_empty());
    assert!(source_problems("a.rs", "#![cfg(test)]\nfn f() { x.unwrap() }").is_empty());
}

#[test]
fn long_lines_are_found_even_in_comments() {
    let line = format!("// {}", "é".repeat(117));
    assert!(source_problems("a.rs", &line).is_empty());
    assert_eq!(source_problems("a.rs", &format!("\n{line}x")), ["src/a.rs:2: 121 characters, more than 120"]);
}

#[test]
fn the_changelog_names_the_version_once() {
    assert!(changelog_problems("# Changelog\n## [0.1.0] - today\n## 0.1.0-rc1\n", "0.1.0").is_empty());
    assert!(changelog_problems("# Changelog\n## Unreleased\n0.1.0\n", "0.1.0").is_empty());
    assert_eq!(changelog_problems("# Changelog\n## 0.0.9\n", "0.1.0").len(), 1);
    assert_eq!(changelog_problems("## v0.1.0\n## [Unreleased]\n", "0.1.0").len(), 1);
}

#[test]
fn missing_paths_are_found_in_backticks_only() {
    let text = "`src/a.rs` `src/b.rs:12` src/c.rs `tests/<topic>/x` `src/{a,d}.rs` `std/json`\n\
                ```\n`src/e.rs`\n```\n`stdlib/f.rhai` and `src/g.rs`, `examples/*.rs`\n";
    let exists = |path: &str| ["src/a.rs", "src/b.rs", "src/g.rs"].contains(&path);
    let wanted = ["ARCHITECTURE.md:1: no src/d.rs", "ARCHITECTURE.md:5: no stdlib/f.rhai"];
    assert_eq!(missing_paths(text, exists), wanted);
}

#[test]
fn library_files_that_nobody_embeds_are_found() {
    let names = ["json.rhai", "net/http.rhai", "on.rhai"].map(str::to_string);
    let source = r#"include_str!("../../stdlib/json.rhai"), ("net/http.rhai", x)"#;
    assert_eq!(not_embedded(&names, source), ["stdlib/on.rhai is not named in src/script/stdlib.rs"]);
}
