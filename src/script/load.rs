//! From a file to a source text.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rhai::AST;

use crate::files::Watch;
use crate::process::{CancelToken, os};

use super::failure::{Failure, FailureKind, Place};
use super::scan;

/// A file this large is not a script.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A program that has been parsed and checked, ready to run.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) ast: AST,
    pub(crate) name: String,
    pub(crate) path: Option<PathBuf>,
}

impl Script {
    /// The name under which its failures are reported.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The text of a script file.
pub(crate) fn read_source(path: &Path) -> Result<String, Failure> {
    read_file_exactly(path).map(without_mark)
}

/// The same where somebody may end the waiting: a FIFO has nothing to read before somebody writes it.
pub(crate) fn read_source_until(path: &Path, cancel: &CancelToken) -> Result<String, Failure> {
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return read_source(path);
    }
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| Failure::load(format!("cannot read the script `{shown}`: {}", reason(&error)));
    let (file, _) = os::open_for_reading(path).map_err(cannot)?;
    let stops = || cancel.is_cancelled();
    let patient = Patient { file, watch: Watch { stops: &stops, cancel: cancel.clone() } };
    match read_text(patient, &shown) {
        Err(_) if cancel.is_cancelled() => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
        read => read,
    }
}

/// A file whose reader waits no longer than the watch allows.
struct Patient<'a> {
    file: File,
    watch: Watch<'a>,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.watch.wait_readable(&self.file).map_err(std::io::Error::other)?;
        self.file.read(buffer)
    }
}

/// Reads a script from an open file or standard input. A device that never ends is no script either.
pub(crate) fn read_text(reader: impl Read, name: &str) -> Result<String, Failure> {
    read_exactly(reader, name).map(without_mark)
}

/// The text of a script file, with its byte order mark if it has one.
pub(crate) fn read_file_exactly(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let cannot = |why: &str| Failure::load(format!("cannot read the script `{shown}`: {why}"));
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&reason(&error)))?;
    if metadata.is_dir() {
        return Err(cannot("it is a directory"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(cannot("it is too large to be a script"));
    }
    let file = std::fs::File::open(path).map_err(|error| cannot(&reason(&error)))?;
    read_exactly(file, &shown.to_string())
}

/// The same from an open file or standard input.
pub(crate) fn read_exactly(reader: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let result = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    result.map_err(|error| Failure::load(format!("cannot read the script `{name}`: {}", reason(&error))))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::load(format!("cannot read the script `{name}`: it is too large to be a script")));
    }
    decode(bytes, name)
}

/// What the system says, without the number that std adds.
pub(crate) fn reason(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), crate::process::os::errno_text)
}

fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text)
}

/// Scripts are UTF-8.
fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let scan::Place { line, column } = scan::place_of(&before, valid);
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        let message = format!("the script is not UTF-8 text: byte {byte:#04x} at offset {valid}");
        let text = before.lines().nth(line - 1).map(|line| format!("{line}\u{fffd}"));
        let help = match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16: save it as UTF-8",
            _ => "save it as UTF-8",
        };
        Failure::load(message).at(Some(Place { file: name.to_string(), line, column, text })).with_help(Some(help))
    })
}
