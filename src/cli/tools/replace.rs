//! Replaces the contents of a file at one blow.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use crate::process::os;
use crate::script::load;

/// Writes a file beside `path` and puts it in its place, so that whoever looks sees the old contents or
/// the new, never half of them. A symbolic link stays one: what it points to is replaced.
///
/// Permissions stay, and so does the owner where we may give files away.
///
/// # Errors
/// When it is no plain file, is read-only, or the directory takes no new file.
pub(super) fn contents(path: &Path, contents: &[u8]) -> Result<()> {
    let target = fs::canonicalize(path)?;
    let before = fs::metadata(&target)?;
    if !before.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    // The directory may allow it all the same; whoever protected the file did not mean that.
    if before.permissions().readonly() {
        return Err(Error::new(ErrorKind::PermissionDenied, "it is read-only"));
    }
    let (mut file, temporary) = create_beside(&target)?;
    let result = fill(&mut file, contents, &before).and_then(|()| fs::rename(&temporary, &target));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn create_beside(target: &Path) -> Result<(File, PathBuf)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 0;
    loop {
        let temporary = target.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match os::create_private(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => {
                let why = load::reason(&error);
                return Err(Error::new(error.kind(), format!("cannot make a file beside it: {why}")));
            }
        }
    }
}

fn fill(file: &mut File, contents: &[u8], before: &fs::Metadata) -> Result<()> {
    os::give_to_owner_of(file, before);
    file.set_permissions(before.permissions())?;
    file.write_all(contents)?;
    // Or a crash of the system could leave an empty file under the old name.
    file.sync_all()
}
