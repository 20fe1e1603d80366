//! The reference of functions: its renderings are up to date, and its examples print what they say.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::expect::{Lines, diff};
use crate::support::project_dir;
use crate::support::run::Run;
use crate::support::script_case::is_installed;
use crate::support::web::Web;

/// A repository for the examples of `std/git`: two tags, a changed file, a staged one and one that git does not know.
/// Without maintenance, which git leaves running behind a commit.
const REPOSITORY: &str = "\
git init -q -b main . && git config maintenance.auto false && git config user.name me && git config user.email me@example.org
printf 'one\\n' > README.md && mkdir src && printf 'one\\n' > src/main.rs && printf 'one\\n' > src/lib.rs
printf 'setup.sh\\nexample.rhai\\n' > .git/info/exclude
git add . && git commit -q -m first && git tag v1.9 && git tag v1.10
printf 'two\\n' > src/main.rs && printf 'two\\n' > src/lib.rs && git add src/lib.rs && printf 'new\\n' > notes.txt
";

/// Files that examples may leave.
const LEFTOVERS: &[&str] = &["out.txt", "err.txt", "log.txt", ".git/", "src/", "README.md", "notes.txt"];

fn doc(format: &str) -> String {
    let outcome = Run::new().flag("doc").flag("--format").flag(format).run();
    outcome.success().stderr("");
    String::from_utf8(outcome.stdout.clone()).expect("documentation is text")
}

/// The file is what is made now; `UPDATE_EXPECT=1` writes it.
#[track_caller]
fn is_fresh(path: &str, format: &str) {
    let (path, real) = (project_dir().join(path), doc(format));
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        std::fs::write(&path, &real).expect("the documents may be rewritten");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let shown = || diff(&Lines::of(&kept), &Lines::of(&real)).lines().filter(|line| !line.starts_with("    ")).count();
    assert!(
        real == kept,
        "{} is stale in {} lines: UPDATE_EXPECT=1 cargo test --test it docs",
        path.display(),
        shown()
    );
}

#[test]
fn the_page_is_fresh() {
    is_fresh("docs/api.md", "markdown");
}

#[test]
fn the_definition_file_is_fresh() {
    is_fresh("docs/procscript.d.rhai", "definitions");
}

#[test]
fn every_example_prints_what_it_says() {
    let entries: Vec<Value> = serde_json::from_str(&doc("json")).expect("it is JSON");
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let work = || {
        while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(problem) = check_example(entry) {
                problems.lock().unwrap().push(format!("════ {}\n{problem}", text(entry, "name")));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(work)));
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} of {}\n{}", problems.len(), entries.len(), problems.join("\n\n"));
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_default()
}

fn check_example(entry: &Value) -> Result<(), String> {
    let example = text(entry, "example");
    let formatted = procscript::script::format("example", example).map_err(|failure| failure.render())?;
    if formatted != example {
        return Err(format!("it is not formatted; that would be\n{formatted}"));
    }
    let module = text(entry, "module");
    if matches!(module, "std/http" | "std/curl") && !is_installed("curl") {
        return Ok(());
    }
    let mut run = LEFTOVERS.iter().fold(Run::new(), |run, name| run.allow_file(name)).arg("staging");
    let mut script = example.to_string();
    // What the documentation calls example.org.
    let web = matches!(module, "std/http" | "std/curl").then(Web::start);
    if let Some(web) = &web {
        script = script.replace("https://example.org", &web.url());
    }
    if matches!(module, "std/git" | "std/repository" | "std/release") {
        run = run.file("setup.sh", REPOSITORY);
        script = format!("cmd(\"sh\", \"-e\", \"setup.sh\").run();\n{example}");
    }
    let outcome = run.script_named("example.rhai", script).try_run()?;
    for (stream, real, told) in [
        ("standard output", &outcome.stdout, text(entry, "value")),
        ("standard error", &outcome.stderr, text(entry, "stderr")),
    ] {
        let told = match &web {
            Some(web) => told.replace("https://example.org", &web.url()),
            None => told.to_string(),
        };
        if outcome.shown(real) != told.trim_end_matches('\n') && outcome.shown(real) != told {
            return Err(outcome.report(&format!("{stream} should be\n{told}")));
        }
    }
    Ok(())
}
