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

/// The child program `testkid`, built when it is missing or older than its source.
///
/// `cargo test` builds it as an example; `cargo test --test it` does not.
pub fn testkid() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(find_testkid).clone()
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
