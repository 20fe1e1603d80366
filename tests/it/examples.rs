//! The examples run as they are, and leave nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::run::{Outcome, Run};
use crate::support::{leaks, project_dir};

mod tasks;

fn examples() -> PathBuf {
    project_dir().join("examples")
}

fn script(name: &str) -> Run {
    Run::new().arg(examples().join(name))
}

/// Runs a Rust example, from where `cargo test` puts it; `cargo test --test it` does not.
fn program(name: &str) -> Outcome {
    let _shared = leaks::shared();
    let this_test = std::env::current_exe().expect("a running program has a path");
    let profile = this_test.ancestors().nth(2).expect("tests live in target/<profile>/deps");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--example", name]).current_dir(project_dir());
    build.arg("--target-dir").arg(profile.parent().expect("a profile has a target directory"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let status = build.status().expect("cargo is there when tests run");
    assert!(status.success(), "building the example {name} failed: {status}");
    Run::program(profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)).run()
}

fn names(extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(examples()).expect("the examples are there").flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == extension));
    paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_string())).collect()
}

#[test]
fn every_script_runs_as_it_is() {
    let _shared = leaks::shared();
    for name in names("rhai") {
        let outcome = script(&name).run();
        outcome.success().check(!outcome.stdout.is_empty(), "it shows nothing");
    }
}

#[test]
fn every_example_says_what_it_is_and_how_to_run_it() {
    let _shared = leaks::shared();
    for (extension, start, run) in
        [("rhai", "#!/usr/bin/env procscript\n// ", "procscript "), ("rs", "//! ", "cargo run ")]
    {
        for name in names(extension) {
            let text = std::fs::read_to_string(examples().join(&name)).expect("a file just listed");
            let stem = Path::new(&name).file_stem().expect("it has an extension").to_string_lossy();
            let how = text.lines().take_while(|line| line.starts_with('/') || line.starts_with('#'));
            let how = how.filter(|line| line.contains(run)).any(|line| line.contains(&*stem));
            assert!(text.starts_with(start) && how, "examples/{name} has no such comment on top");
        }
    }
}

#[test]
fn deploy_folder_deploys_and_keeps_the_version_before() {
    let run = || script("deploy_folder.rhai").file("my site/page.html", "new").args(["my site/", "live/"]);
    let outcome = run().allow_file("live/").run();
    outcome.success().stdout("deployed my site/ to live\n");
    assert_eq!(outcome.scratch.read("live/page.html"), "new");

    let outcome = run().file("live/page.html", "old").file("live.new/left over", "").allow_file("live.old/").run();
    outcome.success();
    let files = ["live.old/page.html", "live/page.html", "my site/page.html"];
    assert_eq!(outcome.scratch.listing(), files);
    assert_eq!(outcome.scratch.read("live/page.html"), "new");
    assert_eq!(outcome.scratch.read("live.old/page.html"), "old");
}

#[test]
fn deploy_folder_checks_before_it_changes_anything() {
    let refused = |run: Run, reason: &str| {
        let outcome = run.run();
        outcome.status(1).stdout("").stderr_contains(reason);
    };
    let deploy = || script("deploy_folder.rhai");
    refused(deploy().args(["none", "live"]), "error: none is not a folder\n");
    refused(deploy().file("site", "").args(["site", "live"]), "error: site is not a folder\n");
    refused(deploy().dir("site").args([".", "../live"]), "error: . is empty: nothing to deploy\n");
    refused(deploy().file("site/a", "").file("live", "").args(["site", "live"]), "error: live is in the way");
    refused(deploy().file("site/a", "").args(["site", "//"]), "is no place to deploy to\n");
    deploy().arg("site").run().status(2).stderr("usage: deploy_folder.rhai SRC DEST\n");
}

#[test]
fn report_pipeline_counts_the_words_of_a_file() {
    let report = || script("report_pipeline.rhai").arg("text");
    let outcome = report().file("text", "The cat, the dog;\nthe CAT is up").run();
    let bars = ["#".repeat(40), "#".repeat(26), "#".repeat(13)];
    let [the, cat, dog] = &bars;
    outcome.success().stderr("").stdout(&format!(
        "The most common words of three letters or more:\n  \
           the          {the} 3\n  cat          {cat} 2\n  dog          {dog} 1\n"
    ));
    report().file("text", "").run().success().stdout("No words of three letters or more\n");
    report().run().status(1).stdout("").stderr_contains("No such file or directory");
}

#[test]
fn disk_usage_takes_what_it_declares() {
    let usage = || script("disk_usage.rhai").file("a/large", "x".repeat(300_000)).file("a/small", "x");
    let usage = || usage().file("b/one", "x");
    let outcome = usage().args(["-n2", "a"]).run();
    outcome.success().stderr("").stdout_contains(" KiB  ./a\n").stdout_contains(" KiB  ./a/large\n");
    outcome.check(outcome.stdout.iter().filter(|byte| **byte == b'\n').count() == 2, "two lines");
    usage().env("DISK_USAGE_COUNT", "1").args(["b", "a"]).run().success().stdout_contains("  ./a\n");
    usage().args(["--larger", "1000000"]).run().success().stdout("");
    usage().args(["--unit=kB"]).run().status(2).stdout("").stderr_contains("[possible values: KiB, MiB, GiB]");
    let help = usage().arg("--help").run();
    help.success().stderr("").stdout_contains("Usage: disk_usage.rhai [OPTIONS] [DIRS]...\n");
}

#[test]
fn watch_log_stops_at_the_line() {
    let watch = || script("watch_log.rhai").file("log", "one\ntwo\nthree\n");
    let outcome = watch().args(["log", "tw"]).run();
    outcome.success().stdout("two\n").stderr("==> Watch log for \"tw\"\ninfo: one\n");
    watch().args(["none", "tw"]).run().status(1).stderr_contains("error: there is no file none\n");
}

#[test]
fn embed_capture_shows_what_came() {
    let outcome = program("embed_capture");
    outcome.success().stderr("");
    let text = outcome.shown(&outcome.stdout);
    let parts = [
        "The script gave 12 and wrote:\n    Good morning, Ada\n    a command says this\n    and this is a message\n",
        "As data: kind exit_status, code Some(3)\n",
        "    error: `/bin/sh -c 'echo no space left >&2; exit 3'` exited with code 3 after ",
        "     --> script:2:38\n",
        "    2 | sh(\"echo no space left >&2; exit 3\").output();\n",
        "no space left\n",
    ];
    for part in parts {
        outcome.check(text.contains(part), &format!("stdout lacks\n{part}"));
    }
}

#[test]
fn embed_function_runs_the_hosts_own() {
    let expected = "no pears: only 4 pears\ncellar: 12 pieces\nthe script's value: DONE!\n";
    program("embed_function").success().stdout(expected).stderr("");
}
