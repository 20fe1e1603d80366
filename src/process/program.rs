//! From the name of a program to the file that is executed, and why that failed.
//!
//! The system's own search is not used: `execvp` runs `./tool` when `PATH` is empty or has an empty
//! entry, and reports a missing program, a missing directory and a missing interpreter by the same
//! error number.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::env::EnvChanges;
use super::error::{Error, ErrorKind};
use super::os::{self, NotRunnable};
use super::quote::escape_controls;

/// What is to be run: a name that is searched, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// Without a slash: searched in the directories of the child's `PATH`.
    Name(OsString),
    /// A file; a relative one counts from the directory in force, never from the child's.
    File(PathBuf),
}

impl Program {
    pub fn from_name(name: OsString) -> Self {
        match name.as_encoded_bytes().contains(&b'/') {
            true => Self::File(name.into()),
            false => Self::Name(name),
        }
    }

    pub fn as_os_str(&self) -> &OsStr {
        match self {
            Self::Name(name) => name,
            Self::File(path) => path.as_os_str(),
        }
    }

    /// The absolute path of the file to execute.
    pub fn resolve(&self, env: &EnvChanges, base: &Path) -> Result<PathBuf, Error> {
        let shown = self.as_os_str();
        if shown.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "the name of the program is empty"));
        }
        if shown.as_encoded_bytes().contains(&0) {
            return Err(Error::new(ErrorKind::InvalidArgument, "the name of the program holds a NUL byte"));
        }
        match self {
            Self::Name(name) => search(name, &env.search_path()),
            Self::File(path) => check_file(base.join(path)),
        }
    }
}

/// Looks for `name` in the absolute directories of `path`, in order.
pub(crate) fn search(name: &OsStr, path: &OsStr) -> Result<PathBuf, Error> {
    let mut blocked = None;
    let mut directories = 0;
    for directory in std::env::split_paths(path) {
        // An empty or relative entry means the working directory, where anybody may have put a file.
        if !directory.is_absolute() {
            continue;
        }
        directories += 1;
        let candidate = directory.join(name);
        match os::check_runnable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(NotRunnable::Permission) if blocked.is_none() && candidate.is_file() => blocked = Some(candidate),
            Err(_) => {}
        }
    }
    if let Some(file) = blocked {
        return Err(not_executable(&file));
    }
    let error = Error::new(ErrorKind::NotFound, format!("command not found: `{}`", name.display()));
    Err(error.with_errno(os::ENOENT).with_help(searched(name, path, directories)))
}

fn searched(name: &OsStr, path: &OsStr, directories: usize) -> String {
    let place = match directories {
        0 => "PATH names no directory, so nothing was searched".to_string(),
        1..=4 => format!("searched {}", path.display()),
        n => format!("searched the {n} directories of PATH"),
    };
    match nearest(name, path) {
        Some(similar) => format!("did you mean `{similar}`? ({place})"),
        None => place,
    }
}

/// The program on the path whose name is most like `name`, if one is near.
fn nearest(name: &OsStr, path: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    let names = std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flat_map(|entries| entries.flatten().take(20_000))
        .filter_map(|entry| entry.file_name().into_string().ok());
    super::nearest_name(name, names)
}

fn check_file(path: PathBuf) -> Result<PathBuf, Error> {
    match os::check_runnable(&path) {
        Ok(()) => Ok(path),
        Err(NotRunnable::Missing) => Err(missing_file(&path)),
        Err(NotRunnable::Directory) => {
            Err(Error::new(ErrorKind::NotExecutable, format!("cannot run `{}`: it is a directory", path.display()))
                .with_errno(os::EACCES)
                .with_program(&path))
        }
        Err(NotRunnable::Special) => Err(Error::new(
            ErrorKind::NotExecutable,
            format!("cannot run `{}`: it is not a regular file", path.display()),
        )
        .with_errno(os::EACCES)
        .with_program(&path)),
        Err(NotRunnable::Permission) => Err(not_executable(&path)),
    }
}

fn missing_file(path: &Path) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("no such program file: `{}`", path.display()));
    let error = error.with_errno(os::ENOENT).with_program(path);
    match path.parent() {
        Some(parent) if !parent.exists() => {
            error.with_help(format!("the directory `{}` does not exist", parent.display()))
        }
        Some(parent) if !parent.is_dir() => error.with_help(format!("`{}` is not a directory", parent.display())),
        _ => error,
    }
}

pub(crate) fn not_executable(path: &Path) -> Error {
    Error::new(ErrorKind::NotExecutable, format!("permission denied: `{}` is not executable", path.display()))
        .with_errno(os::EACCES)
        .with_program(path)
        .with_help(format!("make it executable: chmod +x {}", super::quote_argument(path.as_os_str())))
}

/// Why the system refused to start `program` in `dir`, found out afterwards: a successful start
/// pays nothing for it.
pub(crate) fn explain_failure(program: &Path, dir: Option<&Path>, error: &io::Error) -> Error {
    if let Some(problem) = dir.and_then(directory_problem) {
        return problem;
    }
    let errno = error.raw_os_error();
    let shown = program.display();
    let explained = match errno {
        Some(os::ENOENT | os::ENOTDIR | os::EACCES | os::ELOOP) => match os::check_runnable(program) {
            Err(NotRunnable::Missing) => missing_file(program),
            Err(_) => not_executable(program),
            Ok(()) => bad_interpreter(program)
                .unwrap_or_else(|| Error::from_io(ErrorKind::SpawnFailed, format_args!("cannot run `{shown}`"), error)),
        },
        Some(os::ENOEXEC) => bad_format(program),
        Some(os::ETXTBSY) => Error::new(ErrorKind::Busy, format!("cannot run `{shown}`: the file is being written")),
        Some(os::EAGAIN | os::ENOMEM | os::EMFILE | os::ENFILE) => {
            Error::from_io(ErrorKind::Resource, format_args!("cannot start `{shown}`"), error)
        }
        _ => Error::from_io(ErrorKind::SpawnFailed, format_args!("cannot run `{shown}`"), error),
    };
    match errno {
        Some(errno) => explained.with_errno(errno).with_program(program),
        None => explained.with_program(program),
    }
}

/// What is wrong with a working directory, if something is.
pub(crate) fn directory_problem(dir: &Path) -> Option<Error> {
    let problem = |why: &str, errno| {
        let message = format!("cannot enter the directory `{}`: {why}", dir.display());
        Some(Error::new(ErrorKind::BadDirectory, message).with_errno(errno))
    };
    match std::fs::metadata(dir) {
        Ok(metadata) if !metadata.is_dir() => problem("it is not a directory", os::ENOTDIR),
        Ok(_) => match std::fs::metadata(dir.join(".")) {
            Ok(_) => None,
            Err(error) => problem(&reason(&error), error.raw_os_error().unwrap_or(os::EACCES)),
        },
        Err(error) => problem(&reason(&error), error.raw_os_error().unwrap_or(os::ENOENT)),
    }
}

fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), os::errno_text)
}

/// A script whose `#!` line names something that cannot be run.
fn bad_interpreter(program: &Path) -> Option<Error> {
    let mut head = Vec::new();
    std::fs::File::open(program).ok()?.take(512).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let interpreter = line.trim_matches([' ', '\t']).split([' ', '\t']).next().unwrap_or_default();
    let shown = escape_controls(interpreter);
    let message = format!("cannot run `{}`: its interpreter `{shown}` cannot be run", program.display());
    let error = Error::new(ErrorKind::BadInterpreter, message);
    Some(match interpreter.ends_with('\r') {
        true => error.with_help("the file has Windows line endings (CRLF): save it with LF"),
        false => error.with_help(format!("the first line of the file is `#!{shown}`")),
    })
}

fn bad_format(program: &Path) -> Error {
    let message = format!("cannot run `{}`: the system does not know its format", program.display());
    let error = Error::new(ErrorKind::BadFormat, message);
    let mut head = [0_u8; 4];
    match std::fs::File::open(program).and_then(|mut file| file.read(&mut head)) {
        Ok(4) if &head == b"\x7fELF" => error.with_help("it was built for another machine"),
        _ => error.with_help("a script needs a first line such as `#!/bin/sh`"),
    }
}
