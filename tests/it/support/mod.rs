//! What the tests stand on: the child program, temporary directories, runs of the real binary with
//! checks after each of them, leak guards, script tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

#[path = "../../testkid/escapes.rs"]
pub mod escapes;
pub mod expect;
pub mod leaks;
pub mod outcome;
pub mod procs;
pub mod pty;
pub mod run;
pub mod rust_source;
pub mod scratch;
pub mod script_case;
pub mod streams;
pub mod text;
pub mod topic;
pub mod users;
pub mod verdict;
pub mod web;

/// The program under test.
pub fn procscript_bin() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_procscript"))
}

/// The project's own directory.
pub fn project_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The child program `testkid`, built when it is missing or older than its source, under a path that only this run of
/// the tests has: so what is left of it is known from what runs for tests elsewhere.
///
/// `cargo test` builds it as an example; `cargo test --test it` does not.
pub fn testkid() -> PathBuf {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    OWN.get_or_init(|| own_copy(&find_testkid())).clone()
}

/// A second name in a directory that has the number of this process; those of processes that are gone are removed,
/// because nothing is called when a run of the tests ends.
fn own_copy(program: &Path) -> PathBuf {
    let runs = program.with_file_name("testkid-runs");
    for entry in std::fs::read_dir(&runs).into_iter().flatten().flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if number.is_some_and(|pid: u32| procs::process(pid).is_none()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let dir = runs.join(std::process::id().to_string());
    let own = dir.join(program.file_name().expect("a program has a name"));
    // An earlier process had the same number.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the target directory takes entries");
    if std::fs::hard_link(program, &own).is_err() {
        std::fs::copy(program, &own).expect("the target directory takes entries");
    }
    own
}

fn find_testkid() -> PathBuf {
    let this_test = std::env::current_exe().expect("a running program has a path");
    let profile_dir = this_test.ancestors().nth(2).expect("tests live in target/<profile>/deps");
    let name = format!("testkid{}", std::env::consts::EXE_SUFFIX);
    let program = profile_dir.join("examples").join(name);
    if modified(&program) < newest_source() {
        build_testkid(profile_dir);
    }
    assert!(program.exists(), "{} is still missing after a build", program.display());
    program
}

fn newest_source() -> Option<SystemTime> {
    let tests = project_dir().join("tests");
    let parts = std::fs::read_dir(tests.join("testkid")).into_iter().flatten().flatten();
    let parts = parts.map(|entry| modified(&entry.path()));
    parts.chain([modified(&tests.join("testkid.rs"))]).max().flatten()
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}

fn build_testkid(profile_dir: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", "testkid", "--manifest-path"]);
    build.arg(project_dir().join("Cargo.toml"));
    // With `--target` the profile directory lies one level deeper, and this still hits it.
    build.arg("--target-dir").arg(profile_dir.parent().expect("a profile has a target directory"));
    if profile_dir.ends_with("release") {
        build.arg("--release");
    }
    let status = build.status().expect("cargo is there when tests run");
    assert!(status.success(), "building testkid failed: {status}");
}
