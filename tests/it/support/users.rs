//! Other users of the system: who we are, and what one who is not root may do.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use procscript::process::{Error, Expression, cmd};

use super::procscript_bin;

/// `nobody`, on most systems; nobody of ours in any case.
pub const ORDINARY: u32 = 65_534;

#[allow(unsafe_code)]
pub fn is_root() -> bool {
    // SAFETY: only asks.
    unsafe { libc::geteuid() == 0 }
}

/// Whether a test that needs root cannot be made, which it says.
pub fn skipped(name: &str) -> bool {
    if !is_root() {
        println!("SKIP: {name} needs root");
    }
    !is_root()
}

/// A directory that every user may enter, with a copy of a program: that of the build may be private.
pub fn public_copy(program: PathBuf) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::Builder::new().prefix("procscript-public-").tempdir().expect("a directory");
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    let copy = dir.path().join(program.file_name().expect("a file"));
    std::fs::copy(program, &copy).expect("there is room");
    (dir, copy)
}

/// A command as an ordinary user.
pub fn ordinary(command: Expression) -> Expression {
    match is_root() {
        true => command.uid(ORDINARY).gid(ORDINARY),
        false => command,
    }
}

/// What a script says that an ordinary user runs; it prints messages of errors.
pub fn as_ordinary_user(script: &str) -> Result<String, Error> {
    let (_dir, program) = public_copy(procscript_bin());
    ordinary(cmd(program, ["-e", script]).dir("/")).read()
}
