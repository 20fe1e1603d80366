//! What was entered, and the script that it makes.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use crate::script::scan;

/// An entry of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionEntry {
    /// The name by which places in it are told: `entry 3`, or that of a file that was loaded.
    pub name: String,
    /// Its text.
    pub source: String,
    /// Whether it came to its end; `None` while it is being evaluated.
    pub has_succeeded: Option<bool>,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether it was a command as it stands, which was run.
    pub was_command: bool,
    is_expression: bool,
    /// Where it names the value of an earlier entry, and the index of that entry.
    uses: Vec<(Range<usize>, usize)>,
}

#[derive(Default)]
pub(super) struct Entries {
    all: Vec<SessionEntry>,
    /// How many were typed in all, those that were forgotten included: a place stays what it was.
    count: usize,
    /// The entries that the last values are from, the last first.
    values: Vec<usize>,
}

impl Entries {
    /// A new entry; gives its name.
    pub fn begin(&mut self, source: &str) -> String {
        self.count += 1;
        let name = format!("entry {}", self.count);
        let uses = scan::scan(source).results.into_iter();
        let uses = uses.filter_map(|(word, number)| Some((word, *self.values.get(number - 1)?))).collect();
        self.push(name.clone(), source, uses);
        name
    }

    pub fn begin_file(&mut self, name: &str, source: &str) {
        self.push(name.to_string(), source, Vec::new());
    }

    fn push(&mut self, name: String, source: &str, uses: Vec<(Range<usize>, usize)>) {
        let (was_command, is_expression) = (false, false);
        let (has_succeeded, elapsed) = (None, Duration::ZERO);
        let source = source.to_string();
        self.all.push(SessionEntry { name, source, has_succeeded, elapsed, was_command, is_expression, uses });
    }

    pub fn end(&mut self, has_succeeded: bool, elapsed: Duration, was_command: bool, is_expression: bool) {
        if let Some(entry) = self.all.last_mut() {
            entry.has_succeeded = Some(has_succeeded);
            (entry.elapsed, entry.was_command, entry.is_expression) = (elapsed, was_command, is_expression);
        }
    }

    /// Says that the last one gave a value.
    pub fn has_value(&mut self) {
        self.values.insert(0, self.all.len().saturating_sub(1));
        self.values.truncate(9);
    }

    pub fn all(&self) -> &[SessionEntry] {
        &self.all
    }

    /// Forgets all; the numbers go on.
    pub fn forget(&mut self) {
        self.all.clear();
        self.values.clear();
    }

    pub fn script(&self) -> String {
        let succeeded = || self.all.iter().enumerate().filter(|(_, entry)| entry.has_succeeded == Some(true));
        let used: Vec<usize> = succeeded().flat_map(|(_, entry)| entry.uses.iter().map(|(_, index)| *index)).collect();
        let mut script = String::new();
        for (index, entry) in succeeded() {
            let text = entry.script(|index| self.result_name(index));
            if text.is_empty() {
                continue;
            }
            if used.contains(&index) && entry.is_expression {
                let _ = write!(script, "let {} = ", self.result_name(index));
            }
            script.push_str(&text);
            script.push('\n');
        }
        script
    }

    fn result_name(&self, index: usize) -> String {
        let name = self.all.get(index).map_or("", |entry| &entry.name);
        format!("result_{}", name.strip_prefix("entry ").unwrap_or("file"))
    }
}

impl SessionEntry {
    /// The entry as statements.
    fn script(&self, name_of: impl Fn(usize) -> String) -> String {
        let mut text = self.source.clone();
        for (word, index) in self.uses.iter().rev() {
            text.replace_range(word.clone(), &name_of(*index));
        }
        let text = text.trim_end();
        let ends_in_comment = scan::scan(text).comments.iter().any(|comment| comment.end == text.len());
        let (before, after) = if self.was_command { ("(", ").run()") } else { ("", "") };
        match () {
            () if text.is_empty() => String::new(),
            () if ends_in_comment && self.is_expression => format!("{before}{text}\n{after};"),
            () if ends_in_comment || (text.ends_with([';', '}']) && !self.is_expression) => text.to_string(),
            () => format!("{before}{}{after};", text.trim_end_matches(';')),
        }
    }
}
