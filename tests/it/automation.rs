//! The scripts for every day that come with the program: release, backup, health.

use std::time::Duration;

use crate::support::leaks::Guard;
use crate::support::run::{Outcome, Run};
use crate::support::{procscript_bin, project_dir};

/// Runs lines of a shell in which `release`, `backup` and `health` are the scripts.
fn shell(lines: &str) -> Outcome {
    let names = ["release", "backup", "health"];
    let function = |name: &&str| {
        let script = project_dir().join("scripts").join(name).with_extension("rhai");
        format!("{name}() {{ '{}' $flags '{}' \"$@\"; }}\n", procscript_bin().display(), script.display())
    };
    let begin: String = names.iter().map(function).collect();
    let run = Run::program("/bin/sh").args(["-c", &format!("{begin}{lines}")]).env("LC_ALL", "C");
    let run =
        ["repo/", "data/", "data", "to/", "restored/", "restored"].iter().fold(run, |run, name| run.allow_file(name));
    run.env("GIT_CONFIG_NOSYSTEM", "1").timeout(Duration::from_secs(60)).run()
}

/// A repository with a version, a tag and a commit since.
const REPOSITORY: &str =
    "git init -q -b main repo && cd repo && git config user.name me && git config user.email me@example.org
git config maintenance.auto false
echo 1.2.3 > VERSION && git add . && git commit -q -m first && git tag v1.2.3
echo x > x && git add . && git commit -q -m 'add x'
";

#[test]
fn a_release_is_a_commit_a_tag_and_a_changelog() {
    let _guard = Guard::new();
    let outcome = shell(&format!(
        "{REPOSITORY}flags=--yes; release minor -c 'echo checked' -b 'echo \"$VERSION\" > ../data' -b 'echo again'
         git log -1 --format='%s %d'; cat VERSION ../data; sed -n '1,3s/20[0-9-]*/DATE/p; 4,$p' CHANGELOG.md; git status --short"
    ));
    outcome.success().stderr_contains("echo checked\n");
    outcome.stdout_contains("checked\n## 1.3.0 (").stdout_contains("- add x\nagain\nReleased 1.3.0.\n");
    outcome.stdout_contains("Release 1.3.0  (HEAD -> main, tag: v1.3.0)\n1.3.0\n1.3.0\n## 1.3.0 (DATE)\n\n- add x\n");
}

#[test]
fn a_release_changes_nothing_before_all_is_well() {
    let _guard = Guard::new();
    // A dry run, nobody who agrees, a failing check, a failing build: which had changed files by then.
    for (flags, arguments, code) in [
        ("", "patch -n", 0),
        ("", "patch", 1),
        ("--yes", "patch -c false", 1),
        ("--yes", "patch -b 'echo broken > x; exit 3'", 3),
    ] {
        let outcome = shell(&format!(
            "{REPOSITORY}flags={flags}; release {arguments} > ../data 2>&1; echo $?; git status --short; git tag; cat VERSION; git log --format=%s"
        ));
        outcome.stdout(&format!("{code}\nv1.2.3\n1.2.3\nadd x\nfirst\n"));
    }
    let dirty = shell(&format!("{REPOSITORY}echo y > y; release patch"));
    dirty.status(1).stderr_contains("there are changes that are not committed");
    shell(&format!("{REPOSITORY}release giant")).status(2).stderr_contains("possible values: major, minor, patch");
}

#[test]
fn the_version_stands_in_many_kinds_of_files() {
    let _guard = Guard::new();
    for (text, expected) in [
        ("{\\n  \"name\": \"x\",\\n  \"version\": \"0.9.9\",\\n  \"y\": \"0.9.9\"\\n}", "  \"version\": \"1.0.0\","),
        ("[package]\\nname = \"x\"\\nversion = \"0.9.9\"\\n\\n[dependencies]\\ny = \"0.9.9\"", "version = \"1.0.0\""),
    ] {
        let outcome = shell(&format!(
            "{REPOSITORY}printf '{text}\\n' > file; git add .; git commit -q -m file; flags=--yes; release major -f file > ../data
             git show --format= --unified=0 HEAD -- file | grep '^+[^+]'"
        ));
        outcome.success().stdout(&format!("+{expected}\n"));
    }
}

#[test]
fn backups_are_restored_in_their_order_and_old_sets_go() {
    let _guard = Guard::new();
    let outcome = shell(
        "mkdir -p data/deep to && echo a > data/a && echo b > 'data/deep/b c'
         for i in 1 2 3 4 5; do echo $i > data/f$i; [ $i = 4 ] && rm data/f1; backup -t to -k 2 -f 2 data > /dev/null || exit 1; done
         ls to | sed 's/backup-[^-]*/backup/'; ls -A to | grep -v backup
         mkdir restored; for archive in to/backup-*.gz; do tar -xzG -C restored -f $archive; done
         diff -r data restored$PWD/data && echo same",
    );
    let archives = "backup-full.tar.gz\nbackup-more.tar.gz\nbackup-full.tar.gz\nbackup.state\n";
    outcome.success().stdout(&format!("{archives}same\n")).stderr("");
}

#[test]
fn a_backup_that_fails_leaves_the_others_as_they_are() {
    let _guard = Guard::new();
    let outcome = shell(
        "mkdir data; echo a > data/a; backup -t to data > /dev/null; cp to/backup.state restored
         backup -t to data no-such-directory; echo $?
         mkdir bin; printf '#!/bin/sh\\nexit 2\\n' > bin/tar; chmod +x bin/tar
         PATH=$PWD/bin:$PATH backup -t to data 2> /dev/null; echo $?; rm -r bin
         ln -s other to/.lock; backup -t to data; echo $?; rm to/.lock
         backup -n -t to data | sed 's/[0-9T.]*-more.*/more/; s/.*backup-/backup-/'
         ls -A to | sed 's/backup-[^-]*/backup/'; cmp to/backup.state restored && echo same",
    );
    outcome.success().stdout("1\n2\n1\nbackup-more\nbackup-full.tar.gz\nbackup.state\nsame\n");
    outcome.stderr_contains("no-such-directory").stderr_contains("another backup is running");
}

#[test]
fn health_tells_what_is_wrong() {
    let _guard = Guard::new();
    let well = shell("touch data; health -m 101 -l 10000 -p sh -f data; echo $?; health -m 101 -l 10000 -q; echo $?");
    well.success().stdout_contains("process sh ").stdout_contains("\n0\n0\n").stderr("");
    let sick =
        shell("health -m 101 -l 10000 -f nothing -p no-such-program; echo $?; health -m 101 -l 10000 -f nothing -j");
    sick.status(1).stdout_contains("WRONG  process no-such-program  0 running\n");
    sick.stdout_contains("\n1\n{\"checks\":[")
        .stdout_contains("{\"found\":\"missing\",\"ok\":false,\"what\":\"nothing\"}");
    shell("health --disk nowhere").status(1).stderr_contains("nowhere");
    for script in ["release", "backup", "health"] {
        shell(&format!("{script} --help")).success().stdout_contains(&format!("Usage: {script}.rhai ")).stderr("");
    }
}
