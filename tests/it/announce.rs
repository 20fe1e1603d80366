//! `scripts/announce_changes.rhai`, the first job of this program, on repositories made by real git.

#![cfg(unix)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::run::{Outcome, Run};
use crate::support::scratch::Scratch;
use crate::support::{leaks, procscript_bin, project_dir};

const NO_CHANGE: &str = "No changed files\n";

/// The script of SF-0007 in its shortest form.
const SEED: &str = r#"#!/usr/bin/env procscript
let changed = $`git diff --name-only`.lines().to_array();
let announcement = if changed.is_empty() { "No changed files" } else { "These files have changed: " + changed.join(", ") };
$`say ${announcement}`.run();
"#;

/// Says what it was given, each argument on its own.
const SPEAKER: &str = "#!/usr/bin/env procscript\nfor word in args() { print(`said: [${word}]`); }\n";
const MUTE: &str = "#!/usr/bin/env procscript\nexit(7);\n";

/// A repository, with a directory of programs of its own: a voice of the tester's machine stays silent.
struct Repo(Scratch);

impl Repo {
    /// All files are committed.
    fn with(files: &[&str]) -> Self {
        let _shared = leaks::shared();
        let repo = Self(Scratch::new());
        symlink(program("git"), repo.0.bin().join("git")).expect("a fresh directory takes a link");
        symlink(procscript_bin(), repo.0.bin().join("procscript")).expect("a fresh directory takes a link");
        repo.git(&["init", "--quiet"]);
        files.iter().for_each(|file| repo.write(file, "first\n"));
        repo.git(&["add", "--all"]);
        repo.git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
        repo
    }

    /// The same with a change in every file.
    fn changed(files: &[&str]) -> Self {
        let repo = Self::with(files);
        files.iter().for_each(|file| repo.write(file, "second\n"));
        repo
    }

    fn write(&self, file: impl AsRef<OsStr>, text: &str) {
        let _shared = leaks::shared();
        let path = self.0.path().join(file.as_ref());
        std::fs::create_dir_all(path.parent().expect("a joined path has a parent")).expect("scratch takes directories");
        std::fs::write(path, text).expect("scratch takes files");
    }

    fn git(&self, arguments: &[&str]) {
        let _shared = leaks::shared();
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "maintenance.auto=false"])
            .args(arguments);
        git.current_dir(self.0.path()).env("HOME", self.0.temp()).env("GIT_CONFIG_NOSYSTEM", "1");
        let status = git.stdin(Stdio::null()).status().expect("these tests need git");
        assert!(status.success(), "git {arguments:?}: {status}");
    }

    /// A program that the script finds.
    fn program(self, name: &str, text: &str) -> Self {
        let _shared = leaks::shared();
        let path = self.0.bin().join(name);
        std::fs::write(&path, text).expect("scratch takes files");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("an own file");
        self
    }

    fn run(&self, script: &Path) -> Run {
        surroundings(Run::new().arg(script), &self.0.bin()).dir(self.0.path())
    }

    fn announce(&self, arguments: &[&str]) -> Outcome {
        self.run(&script()).args(arguments).run()
    }
}

fn script() -> PathBuf {
    project_dir().join("scripts/announce_changes.rhai")
}

fn surroundings(run: Run, programs: &Path) -> Run {
    run.env("PATH", programs).env("GIT_CONFIG_NOSYSTEM", "1")
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("these tests need {name}"))
}

#[test]
fn nothing_has_changed() {
    Repo::with(&["a.txt"]).announce(&[]).success().stdout(NO_CHANGE).stderr("");
}

#[test]
fn a_repository_without_a_commit_has_no_changed_files() {
    let repo = Repo(Scratch::new());
    symlink(program("git"), repo.0.bin().join("git")).expect("a fresh directory takes a link");
    repo.git(&["init", "--quiet"]);
    repo.announce(&[]).success().stdout(NO_CHANGE).stderr("");
}

#[test]
fn one_file() {
    let repo = Repo::with(&["a.txt", "b.txt"]);
    repo.write("b.txt", "second\n");
    repo.announce(&[]).success().stdout("This file has changed: b.txt\n").stderr("");
}

#[test]
fn a_deleted_file_is_a_changed_file() {
    let repo = Repo::with(&["a.txt", "b.txt"]);
    std::fs::remove_file(repo.0.path().join("a.txt")).expect("it was written");
    repo.announce(&[]).success().stdout("This file has changed: a.txt\n");
}

#[test]
fn several_files_up_to_ten() {
    Repo::changed(&["a", "b"]).announce(&[]).success().stdout("These files have changed: a, b\n");
    Repo::changed(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .announce(&[])
        .success()
        .stdout("These files have changed: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n");
}

#[test]
fn more_than_ten_files_are_counted() {
    let names = (0..200).map(|number| format!("{number:03}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    let first = "000, 001, 002, 003, 004, 005, 006, 007, 008, 009";
    let sentence = format!("These files have changed: {first}, and 1 more\n");
    Repo::changed(&names[..11]).announce(&[]).success().stdout(&sentence);
    let sentence = format!("These files have changed: {first}, and 190 more\n");
    Repo::changed(&names).announce(&[]).success().stdout(&sentence);
}

#[test]
fn any_name_is_a_name() {
    let names = ["-rf", "ä ö/ü.txt", "it's \"quoted\"", "new\nline", "tab\there", "two  words.txt", "$HOME `id` *"];
    let sentence = "These files have changed: $HOME `id` *, -rf, it's \"quoted\", new\\nline, tab\\there, \
                    two  words.txt, ä ö/ü.txt\n";
    Repo::changed(&names).announce(&[]).success().stdout(sentence).stderr("");
}

/// A terminal would obey them.
#[test]
fn control_characters_are_shown_and_not_sent() {
    let outcome = Repo::changed(&["a\u{1b}]0;title\u{7}", "b\r\u{202e}c", "d\u{9b}31m"]).announce(&[]);
    let sentence = "These files have changed: a\\u{1b}]0;title\\u{7}, b\\r\\u{202e}c, d\\u{9b}31m\n";
    outcome.success().stdout(sentence).stderr("");
}

#[test]
fn a_name_that_is_not_text_is_a_clear_error() {
    let repo = Repo::with(&["a.txt"]);
    let _shared = leaks::shared();
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    // Some file systems refuse such names, and there is nothing to test then.
    if std::fs::write(repo.0.path().join(name), "first\n").is_err() {
        return;
    }
    repo.announce(&[]).success().stdout(NO_CHANGE);
    let outcome = repo.announce(&["--untracked"]);
    outcome.status(1).stdout("").stderr_contains("is not text: invalid UTF-8 at byte 3 (0xe9)");
}

#[test]
fn staged_changes_are_not_announced() {
    let repo = Repo::changed(&["a.txt", "b.txt"]);
    repo.git(&["add", "a.txt"]);
    repo.announce(&[]).success().stdout("This file has changed: b.txt\n");
    repo.git(&["add", "b.txt"]);
    repo.announce(&[]).success().stdout(NO_CHANGE);
    repo.write("a.txt", "third\n");
    repo.announce(&[]).success().stdout("This file has changed: a.txt\n");
}

#[test]
fn untracked_files_on_request() {
    let repo = Repo::with(&["a.txt", ".gitignore"]);
    repo.write(".gitignore", "*.log\n");
    repo.write("new file", "");
    repo.write("build.log", "");
    repo.announce(&[]).success().stdout("This file has changed: .gitignore\n");
    repo.announce(&["--untracked"]).success().stdout("These files have changed: .gitignore, new file\n");
}

#[test]
fn names_count_from_the_root_wherever_one_stands() {
    let repo = Repo::changed(&["a.txt", "sub/b.txt"]);
    repo.write("c.txt", "");
    repo.git(&["config", "diff.relative", "true"]);
    let outcome = repo.run(&script()).dir(repo.0.path().join("sub")).arg("--untracked").run();
    outcome.success().stdout("These files have changed: a.txt, sub/b.txt, c.txt\n");
}

#[test]
fn outside_of_a_repository() {
    let repo = Repo::with(&[]);
    let outcome = surroundings(Run::new().arg(script()), &repo.0.bin()).run();
    outcome.status(1).stdout("").stderr("announce_changes: not inside a git repository: $TMP\n");
}

#[test]
fn git_is_not_installed() {
    let repo = Repo::changed(&["a.txt"]);
    std::fs::remove_file(repo.0.bin().join("git")).expect("it was linked");
    repo.announce(&[]).status(127).stdout("").stderr_contains("error: command not found: `git`");
}

#[test]
fn it_is_spoken_as_one_argument() {
    let repo = Repo::changed(&["a b", "it's"]).program("say", SPEAKER);
    let sentence = "These files have changed: a b, it's";
    repo.announce(&[]).success().stdout(&format!("{sentence}\nsaid: [{sentence}]\n")).stderr("");
}

#[test]
fn whatever_speaks_is_used() {
    for name in ["say", "espeak-ng", "spd-say"] {
        let outcome = Repo::with(&[]).program(name, SPEAKER).announce(&[]);
        outcome.success().stdout("No changed files\nsaid: [No changed files]\n");
    }
}

#[test]
fn a_speaker_that_fails_is_reported_and_the_next_one_tried() {
    let repo = Repo::with(&[]).program("say", MUTE).program("spd-say", SPEAKER);
    let outcome = repo.announce(&[]);
    outcome.success().stdout("No changed files\nsaid: [No changed files]\n");
    outcome.stderr("warn: cannot speak: `say 'No changed files'` exited with code 7\n");
}

#[test]
fn it_runs_by_its_first_line() {
    let repo = Repo::changed(&["a.txt"]);
    let run = surroundings(Run::program(script()), &repo.0.bin()).dir(repo.0.path());
    run.arg("--untracked").run().success().stdout("This file has changed: a.txt\n").stderr("");
}

#[test]
fn help_needs_no_repository() {
    for option in ["--help", "-h"] {
        let outcome = Run::new().arg(script()).arg(option).run();
        outcome.success().stdout_contains("Usage: announce_changes.rhai [OPTIONS]").stderr("");
    }
}

#[test]
fn an_unknown_argument_is_a_wrong_call() {
    for (argument, shown) in [("--staged", "--staged"), ("a\nb", "a\\nb"), ("", "")] {
        let message = format!("error: unexpected argument '{shown}' found\n");
        Run::new().arg(script()).arg(argument).run().status(2).stdout("").stderr_contains(&message);
    }
}

#[test]
fn the_script_of_the_seed() {
    let script = |repo: &Repo| {
        let _shared = leaks::shared();
        let path = repo.0.temp().join("seed.rhai");
        std::fs::write(&path, SEED).expect("scratch takes files");
        path
    };
    let repo = Repo::changed(&["a.txt", "two words"]).program("say", SPEAKER);
    let outcome = repo.run(&script(&repo)).run();
    outcome.success().stdout("said: [These files have changed: a.txt, two words]\n").stderr("");

    let repo = Repo::with(&["a.txt"]).program("say", SPEAKER);
    repo.run(&script(&repo)).run().success().stdout("said: [No changed files]\n").stderr("");

    let repo = Repo::with(&["a.txt"]);
    repo.run(&script(&repo)).run().status(127).stdout("").stderr_contains("error: command not found: `say`");
}
