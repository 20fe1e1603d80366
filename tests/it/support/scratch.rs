//! Temporary directories that vanish with the test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::leaks;
use super::testkid;

/// Three directories: one to work in, one for temporary files, one with programs.
///
/// They are apart so that a test can tell its own files from those that the tested program left,
/// and so that `testkid` is found by name without being among them.
///
/// Whatever opens files or directories here holds the lock of [`leaks`] by itself: above all the
/// removal, which walks through a whole tree when the test has long let go of the lock.
pub struct Scratch {
    root: TempDir,
    work: PathBuf,
}

impl Scratch {
    pub fn new() -> Self {
        let _shared = leaks::shared();
        let root = tempfile::Builder::new().prefix("procscript-").tempdir();
        let root = root.expect("a temporary directory can be made");
        // macOS hands out a symbolic link, while programs print where it leads.
        let real = root.path().canonicalize().expect("a directory just made exists");
        let scratch = Self { root, work: real.join("work") };
        for dir in [scratch.path(), &scratch.temp(), &scratch.bin()] {
            std::fs::create_dir(dir).expect("a fresh directory takes entries");
        }
        place_testkid(&scratch.bin());
        scratch
    }

    /// The directory to work in.
    pub fn path(&self) -> &Path {
        &self.work
    }

    /// What the tested program is told is the place for temporary files.
    pub fn temp(&self) -> PathBuf {
        self.work.with_file_name("tmp")
    }

    /// Holds nothing but `testkid`; first in `PATH`.
    pub fn bin(&self) -> PathBuf {
        self.work.with_file_name("bin")
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let _shared = leaks::shared();
        let path = self.work.join(name);
        let parent = path.parent().expect("a joined path has a parent");
        std::fs::create_dir_all(parent).expect("directories in scratch can be made");
        std::fs::write(&path, contents).expect("files in scratch can be written");
        path
    }

    pub fn read(&self, name: &str) -> String {
        let _shared = leaks::shared();
        let bytes = std::fs::read(self.work.join(name));
        String::from_utf8_lossy(&bytes.unwrap_or_else(|error| panic!("{name}: {error}"))).into_owned()
    }

    /// All files and empty directories below the working directory, relative, sorted, with `/`
    /// after a directory.
    pub fn listing(&self) -> Vec<String> {
        listing(&self.work)
    }

    /// The same for the place for temporary files.
    pub fn temp_listing(&self) -> Vec<String> {
        listing(&self.temp())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _shared = leaks::shared();
        // TempDir ignores errors; a test may have taken away rights on a directory of its own.
        if std::fs::remove_dir_all(self.root.path()).is_err() {
            eprintln!("left behind: {}", self.root.path().display());
        }
    }
}

#[cfg(unix)]
fn place_testkid(bin: &Path) {
    let link = std::os::unix::fs::symlink(testkid(), bin.join("testkid"));
    link.expect("a fresh directory takes a link");
}

#[cfg(not(unix))]
fn place_testkid(bin: &Path) {
    std::fs::copy(testkid(), bin.join("testkid.exe")).expect("a fresh directory takes a copy");
}

fn listing(root: &Path) -> Vec<String> {
    let _shared = leaks::shared();
    let mut found = Vec::new();
    collect(root, "", &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let before = found.len();
        if is_dir {
            collect(&entry.path(), &format!("{name}/"), found);
        }
        match is_dir {
            true if found.len() == before => found.push(format!("{name}/")),
            true => (),
            false => found.push(name),
        }
    }
}
