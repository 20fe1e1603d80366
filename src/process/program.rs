//! From the name of a program to the file that is executed, and why that failed.
//!
//! The system's own search is not used: `execvp` runs `./tool` when `PATH` is empty or has an empty
//! entry, and reports a missing program, a missing directory and a missing interpreter by the same
//! error number.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::env::EnvChanges;
use super::error::{Error, ErrorKind};
use super::os::{self, NotRunnable};
use super::quote::escape_controls;

/// So many directories are named where a program was looked for.
const MOST_SHOWN: usize = 4;
/// In each directory so many names are looked at for a similar one.
const MOST_ENTRIES: usize = 20_000;

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
    pub fn resolve(&self, env: &EnvChanges, base: impl FnOnce() -> Result<PathBuf, Error>) -> Result<PathBuf, Error> {
        let shown = self.as_os_str();
        if shown.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "the name of the program is empty"));
        }
        if shown.as_encoded_bytes().contains(&0) {
            return Err(Error::new(ErrorKind::InvalidArgument, "the name of the program holds a NUL byte"));
        }
        match self {
            Self::Name(name) => search(name, &env.search_path()),
            Self::File(path) if path.is_absolute() => check_file(path.clone()),
            Self::File(path) => check_file(base()?.join(path)),
        }
    }
}

/// Looks for `name` in the absolute directories of `path`, in order.
pub(crate) fn search(name: &OsStr, path: &OsStr) -> Result<PathBuf, Error> {
    let mut blocked = None;
    let directories = directories(path);
    for directory in &directories {
        let candidate = directory.join(name);
        match os::check_runnable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(NotRunnable::Permission) if blocked.is_none() => blocked = Some(candidate),
            Err(_) => {}
        }
    }
    if let Some(file) = blocked {
        return Err(not_executable(&file));
    }
    let error = Error::new(ErrorKind::NotFound, format!("command not found: `{}`", name.display()));
    Err(error.with_errno(os::ENOENT).with_help(searched(name, &directories)))
}

/// The directories that are searched, each once. An empty or relative entry means the working directory,
/// where anybody may have put a file.
fn directories(path: &OsStr) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    std::env::split_paths(path).filter(|entry| entry.is_absolute() && seen.insert(entry.clone())).collect()
}

fn searched(name: &OsStr, directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories.iter().map(|directory| directory.display().to_string()).collect();
    let place = match names.as_slice() {
        [] => "PATH names no directory, so nothing was searched".to_string(),
        names if names.len() <= MOST_SHOWN => format!("searched {}", names.join(":")),
        names => {
            let (shown, more) = names.split_at(MOST_SHOWN);
            let noun = if more.len() == 1 { "directory" } else { "directories" };
            format!("searched {} and {} more {noun} of PATH", shown.join(":"), more.len())
        }
    };
    match nearest(name, directories) {
        Some(similar) => format!("did you mean `{similar}`? ({place})"),
        None => place,
    }
}

/// The program in these directories whose name is most like `name`, if one is near.
fn nearest(name: &OsStr, directories: &[PathBuf]) -> Option<String> {
    let name = name.to_str()?;
    let entries = directories.iter().filter_map(|directory| std::fs::read_dir(directory).ok());
    let names = entries
        .flat_map(|entries| entries.flatten().take(MOST_ENTRIES))
        .filter_map(|entry| entry.file_name().into_string().ok());
    let can_run = |name: &String| directories.iter().any(|dir| os::check_runnable(&dir.join(name)).is_ok());
    super::nearest_names(name, names).into_iter().find(can_run)
}

fn check_file(path: PathBuf) -> Result<PathBuf, Error> {
    match os::check_runnable(&path) {
        Ok(()) => Ok(path),
        Err(NotRunnable::Missing) => Err(missing_file(&path, os::ENOENT)),
        Err(NotRunnable::BelowFile) => Err(missing_file(&path, os::ENOTDIR)),
        Err(NotRunnable::TooLong) => Err(too_long(&path)),
        Err(NotRunnable::Closed) => Err(closed(&path)),
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

fn too_long(path: &Path) -> Error {
    let why = os::errno_text(os::ENAMETOOLONG);
    Error::new(ErrorKind::NotFound, format!("no such program file: `{}`: {why}", path.display()))
        .with_errno(os::ENAMETOOLONG)
        .with_program(path)
}

/// What a command needs that gets no input, or whose output nobody wants.
fn no_null() -> Option<Error> {
    let is_missing = std::fs::metadata("/dev/null").is_err();
    is_missing.then(|| Error::new(ErrorKind::SpawnFailed, "cannot open `/dev/null`: No such file or directory"))
}

fn missing_file(path: &Path, errno: i32) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("no such program file: `{}`", path.display()));
    let error = error.with_errno(errno).with_program(path);
    match path.parent() {
        // Also "not there" to `exists`, when it is below a file itself.
        Some(parent) if errno == os::ENOTDIR => match parent.ancestors().find(|parent| parent.exists()) {
            Some(file) => error.with_help(format!("`{}` is not a directory", file.display())),
            None => error,
        },
        Some(parent) if !parent.exists() => {
            error.with_help(format!("the directory `{}` does not exist", parent.display()))
        }
        _ => error,
    }
}

/// Whether there is such a file, and what it is, cannot be seen from here.
fn closed(path: &Path) -> Error {
    let error = |what: String| Error::new(ErrorKind::NotExecutable, what).with_errno(os::EACCES).with_program(path);
    let is_closed = |directory: &&Path| {
        let entered = std::fs::metadata(directory.join("."));
        entered.is_err_and(|error| error.raw_os_error() == Some(os::EACCES))
    };
    // The outermost is the one that bars the way.
    match path.ancestors().skip(1).filter(is_closed).last() {
        Some(directory) => {
            let shown = directory.display();
            error(format!(
                "permission denied: cannot run `{}`: the directory `{shown}` may not be entered",
                path.display()
            ))
            .with_help(format!("whoever runs it needs the right to enter `{shown}` (search permission, the x bit)"))
        }
        // Behind a symbolic link.
        None => error(format!(
            "permission denied: cannot run `{}`: a directory on the way may not be entered",
            path.display()
        )),
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
            Err(NotRunnable::Missing) => missing_file(program, os::ENOENT),
            Err(NotRunnable::BelowFile) => missing_file(program, os::ENOTDIR),
            Err(NotRunnable::TooLong) => too_long(program),
            Err(NotRunnable::Closed) => closed(program),
            Err(_) => not_executable(program),
            Ok(()) => bad_interpreter(program)
                .or_else(|| (errno == Some(os::ENOENT)).then(no_null).flatten())
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
