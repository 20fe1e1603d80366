//! What was entered before: a file that several sessions share, and a list in memory.
//!
//! Each entry is a line of JSON, appended in one write under a lock, so that two sessions lose nothing of each other, a
//! session that is killed has everything in the file, and a damaged line costs that line. It is rewritten in place,
//! under the same lock, when it has grown to twice what is kept, or when an entry must go: what is written is not
//! longer than what was there, so that a full disk cannot take it away.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::process::os;

/// So many entries are kept.
const MOST: usize = 10_000;
/// A longer entry is no use to anybody who looks for it, and costs every session at its start.
const LONGEST: usize = 64 * 1024;
/// A file that is larger is not read from its beginning.
const LARGEST: u64 = 16 * 1024 * 1024;
/// So long another session may hold the lock before we do without: whoever was stopped in between keeps it for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was entered, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Seconds since 1970; 0 when it is not known.
    pub at: u64,
    pub entry: String,
}

/// The entries, the oldest first; each stands once, where it was used last.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: Vec<Entry>,
    file: Option<PathBuf>,
    /// What is to be told, once.
    problem: Option<String>,
    has_told: bool,
}

impl History {
    /// A history that ends with the session.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The history in a file, which need not be there yet.
    pub fn at(path: &Path) -> Self {
        let mut history = Self { file: Some(path.to_path_buf()), ..Self::default() };
        match read(path) {
            Ok(Some((entries, lines))) => {
                history.entries = entries;
                if lines > 2 * MOST {
                    let kept = history.rewrite(|_| true);
                    history.note("shorten", kept);
                }
            }
            Ok(None) => {}
            // What cannot be read must not be written to: it may be anything.
            Err(error) => {
                history.file = None;
                history.note_problem(format!("cannot read `{}`: {}", path.display(), reason(&error)));
            }
        }
        history
    }

    /// The entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Those that contain a text, in upper case or lower case, the newest first.
    pub fn search<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a Entry> {
        let wanted = text.to_lowercase();
        self.entries.iter().rev().filter(move |entry| entry.entry.to_lowercase().contains(&wanted))
    }

    /// Adds an entry, unless it is empty, begins with a space, or is very long. Whether it holds a secret the caller
    /// must know.
    pub fn add(&mut self, text: &str) -> bool {
        if text.trim().is_empty() || text.starts_with(' ') || text.len() > LONGEST {
            return false;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry { at: now.as_secs(), entry: text.trim_end().to_string() };
        let appended = self.file.as_deref().map_or(Ok(()), |path| append(path, &entry));
        self.note("write", appended);
        push(&mut self.entries, entry);
        true
    }

    /// Takes the entries out that are so, from the file, too.
    pub fn forget(&mut self, is_meant: impl Fn(&str) -> bool) {
        if !self.entries.iter().any(|entry| is_meant(&entry.entry)) {
            return;
        }
        self.entries.retain(|entry| !is_meant(&entry.entry));
        let rewritten = self.rewrite(|entry| !is_meant(&entry.entry));
        self.note("write", rewritten);
    }

    /// Takes all entries out, from the file, too.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        self.entries.clear();
        self.rewrite(|_| false)
    }

    /// What went wrong with the file. It is told once, since the session goes on without it.
    pub fn take_problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    fn note(&mut self, what: &str, result: io::Result<()>) {
        if let (Err(error), Some(path)) = (result, &self.file) {
            self.note_problem(format!("cannot {what} `{}`: {}", path.display(), reason(&error)));
        }
    }

    pub(super) fn note_problem(&mut self, problem: String) {
        if !std::mem::replace(&mut self.has_told, true) {
            self.problem = Some(format!("the history is not kept: {problem}"));
        }
    }

    /// Writes the file again with what is in it now and is to be kept.
    fn rewrite(&self, is_kept: impl Fn(&Entry) -> bool) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let mut file = match os::open_private(path, false) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        lock(&file);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut kept: Vec<u8> = Vec::with_capacity(text.len());
        for entry in entries_of(&text).0.iter().filter(|entry| is_kept(entry)) {
            kept.extend(line_of(entry));
        }
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&kept)?;
        file.set_len(kept.len() as u64)
    }
}

/// The file's entries and the number of its lines; `None` when it is not there.
fn read(path: &Path) -> io::Result<Option<(Vec<Entry>, usize)>> {
    let mut file = match os::open_private(path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // On a disk that is read-only it can be read all the same.
        Err(_) => File::open(path)?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    lock(&file);
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LARGEST)))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(Some(entries_of(&text)))
}

fn append(path: &Path, entry: &Entry) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        os::create_private_dirs(dir)?;
    }
    let mut file = os::open_private(path, true)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    lock(&file);
    let mut line = line_of(entry);
    // Behind a line that a full disk has cut off.
    let size = file.metadata()?.len();
    if size > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(size - 1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            line.insert(0, b'\n');
        }
    }
    file.write_all(&line)
}

fn line_of(entry: &Entry) -> Vec<u8> {
    format!("{}\n", json!({ "at": entry.at, "entry": entry.entry })).into_bytes()
}

fn entry_of(line: &[u8]) -> Option<Entry> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let entry = line.get("entry")?.as_str()?.to_string();
    Some(Entry { at: line.get("at").and_then(Value::as_u64).unwrap_or_default(), entry })
}

/// What can be read of a file, and how many lines it has.
fn entries_of(text: &[u8]) -> (Vec<Entry>, usize) {
    let mut newest: Vec<Entry> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut lines = 0;
    for line in text.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty()) {
        lines += 1;
        if newest.len() < MOST
            && let Some(entry) = entry_of(line)
            && seen.insert(entry.entry.clone())
        {
            newest.push(entry);
        }
    }
    newest.reverse();
    (newest, lines)
}

fn push(entries: &mut Vec<Entry>, entry: Entry) {
    entries.retain(|earlier| earlier.entry != entry.entry);
    entries.push(entry);
    if entries.len() > MOST {
        entries.remove(0);
    }
}

/// Waits for the lock, which goes with the descriptor. Where the file system has none, or somebody keeps it, the one
/// write of an entry at the end of the file is safe enough.
fn lock(file: &File) {
    let end = Instant::now() + PATIENCE;
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if Instant::now() >= end {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), os::errno_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(history: &History) -> Vec<&str> {
        history.entries().iter().map(|entry| entry.entry.as_str()).collect()
    }

    #[test]
    fn an_entry_stands_where_it_was_used_last() {
        let mut history = History::in_memory();
        for text in ["one", "two", "one", "  ", " spaced", "three\n"] {
            history.add(text);
        }
        assert_eq!(texts(&history), ["two", "one", "three"]);
        assert_eq!(history.search("O").map(|entry| entry.entry.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn two_sessions_share_a_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("deep/down/history");
        let (mut first, mut second) = (History::at(&path), History::at(&path));
        first.add("let a = 1;\nlet b = 2;");
        second.add("second");
        first.add("third");
        assert_eq!(texts(&History::at(&path)), ["let a = 1;\nlet b = 2;", "second", "third"]);
        assert_eq!(first.take_problem(), None);
    }

    #[test]
    fn a_damaged_line_costs_that_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("history");
        let mut bytes = b"{\"at\":1,\"entry\":\"good\"}\n\xff\xfe\0\n{\"entry\":\"no time\"}\n{\"at\":1,\"ent".to_vec();
        std::fs::write(&path, &bytes).expect("it can be written");
        let mut history = History::at(&path);
        assert_eq!(texts(&history), ["good", "no time"]);
        // What was cut off takes nothing with it.
        history.add("after");
        assert_eq!(texts(&History::at(&path)), ["good", "no time", "after"]);
        bytes.push(b'\n');
        assert!(std::fs::read(&path).expect("it is there").starts_with(&bytes), "appended and not written again");
    }

    #[test]
    fn what_is_forgotten_leaves_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("history");
        let mut history = History::at(&path);
        let mut other = History::at(&path);
        for text in ["a", "token = hunter22", "b"] {
            history.add(text);
        }
        other.add("of the other");
        history.forget(|text| text.contains("hunter22"));
        assert_eq!(texts(&history), ["a", "b"]);
        assert_eq!(texts(&History::at(&path)), ["a", "b", "of the other"]);
        history.clear().expect("it can be written");
        assert_eq!(std::fs::metadata(&path).expect("it is there").len(), 0);
    }

    #[test]
    fn it_is_shortened_when_it_is_long() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("history");
        let lines: String = (0..=2 * MOST).map(|n| format!("{{\"at\":0,\"entry\":\"e{n}\"}}\n")).collect();
        std::fs::write(&path, lines).expect("it can be written");
        let history = History::at(&path);
        assert_eq!(history.entries().len(), MOST);
        assert_eq!(history.entries().last().map(|entry| entry.entry.clone()), Some(format!("e{}", 2 * MOST)));
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text.lines().count(), MOST);
    }

    #[test]
    fn what_is_no_file_is_told_once_and_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut history = History::at(dir.path());
        assert!(history.add("kept in memory"));
        let problem = history.take_problem().expect("a directory is no history");
        assert!(problem.starts_with("the history is not kept: cannot read `"), "{problem}");
        history.add("another");
        assert_eq!(history.take_problem(), None);
        assert_eq!(texts(&history), ["kept in memory", "another"]);
        let mut full = History { file: Some("/dev/full".into()), ..History::default() };
        full.add("one");
        assert!(full.take_problem().is_some_and(|problem| problem.contains("/dev/full")));
        full.add("two");
        assert_eq!(full.take_problem(), None);
    }
}
