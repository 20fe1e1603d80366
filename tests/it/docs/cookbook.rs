//! The cookbook: both sides of each recipe are run, and do the same.

use crate::docs::document;
use crate::support::leaks::Guard;
use crate::support::run::{Outcome, Run};

/// What the recipes may leave in their folder.
const FILES: &[&str] = &[
    "src/",
    "logs/",
    "words.txt",
    "table.txt",
    "my file.txt",
    "sorted.txt",
    "both.txt",
    "out.txt",
    "ready.txt",
    "upper.txt",
    "out/",
    "config.json",
    "sizes.csv",
];

/// A recipe: its heading, and what is written in bash and here.
struct Recipe {
    title: String,
    shell: String,
    script: String,
}

/// The text of the first block of a kind in a part of the page.
fn block<'a>(part: &'a str, language: &str) -> Option<&'a str> {
    let (_, rest) = part.split_once(&format!("```{language}\n"))?;
    rest.split_once("```").map(|(text, _)| text)
}

fn recipes(page: &str) -> Vec<Recipe> {
    let parts = page.split("\n### ").skip(1);
    let recipe = |part: &str| {
        let title = part.lines().next().unwrap_or_default().to_string();
        let side = |language| block(part, language).unwrap_or_else(|| panic!("{title} has no {language}")).to_string();
        Recipe { shell: side("sh"), script: side("rhai"), title }
    };
    parts.map(recipe).collect()
}

/// What can be compared: output and ending. Messages are worded differently.
fn seen(outcome: &Outcome) -> String {
    format!("{}{}", String::from_utf8_lossy(&outcome.stdout), outcome.ended)
}

/// The first difference of a recipe, or nothing.
fn difference(setup: &str, recipe: &Recipe) -> Option<String> {
    let prepared = |run: Run| {
        let run = run.file("setup.sh", setup).env("LC_ALL", "C");
        FILES.iter().fold(run, |run, name| run.allow_file(name))
    };
    let shell = prepared(Run::program("/bin/bash")).args(["-c", &format!(". ./setup.sh\n{}", recipe.shell)]).run();
    let begin = "cmd(\"bash\", \"setup.sh\").run();\n";
    let script = prepared(Run::new()).script(format!("{begin}{}", recipe.script)).run();
    let (left, right) = (seen(&shell), seen(&script));
    let errors = String::from_utf8_lossy(&script.stderr).into_owned();
    (left != right).then(|| format!("════ {}\nbash: {left}\nprocscript: {right}\n{errors}", recipe.title))
}

#[test]
fn both_sides_of_every_recipe_do_the_same() {
    let _guard = Guard::new();
    let page = document("docs/cookbook.md");
    let setup = block(&page, "sh setup").expect("the page makes its files first");
    let recipes = recipes(&page);
    assert!(recipes.len() >= 75, "only {} recipes", recipes.len());
    let differences: Vec<String> = recipes.iter().filter_map(|recipe| difference(setup, recipe)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_difference_is_noticed() {
    let _guard = Guard::new();
    let recipe = |shell: &str, script: &str| Recipe { title: "x".into(), shell: shell.into(), script: script.into() };
    assert!(difference("", &recipe("echo a", "print(\"a\");")).is_none());
    assert!(difference("", &recipe("echo a", "print(\"b\");")).is_some());
    assert!(difference("", &recipe("exit 3", "exit(4);")).is_some());
}
