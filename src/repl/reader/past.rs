//! The history as the line editor asks for it.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::Result;
use rustyline::history::{SearchDirection, SearchResult};

use super::History;

/// What was typed before anybody went back in the history: only entries that begin so are shown. The editor asks for
/// hints at every change, which is when it is noted.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix(Arc<Mutex<String>>);

impl Prefix {
    pub fn set(&self, text: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.to_string();
    }

    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The history for rustyline, which only reads it.
pub(super) struct Past {
    pub history: History,
    pub prefix: Prefix,
}

impl Past {
    fn text(&self, index: usize) -> Option<&str> {
        self.history.entries().get(index).map(|entry| entry.entry.as_str())
    }

    /// The nearest entry from `start` on for which `place` has one: the byte offset of what was looked for.
    fn nearest(
        &self,
        start: usize,
        direction: SearchDirection,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'_>> {
        let found = |index: usize| {
            let text = self.text(index)?;
            place(text).map(|pos| SearchResult { entry: Cow::Borrowed(text), idx: index, pos })
        };
        let count = self.history.entries().len();
        match direction {
            SearchDirection::Reverse => (0..count.min(start + 1)).rev().find_map(found),
            SearchDirection::Forward => (start..count).find_map(found),
        }
    }
}

impl rustyline::history::History for Past {
    fn get(&self, index: usize, direction: SearchDirection) -> Result<Option<SearchResult<'_>>> {
        let prefix = self.prefix.get();
        let begins = |text: &str| text.starts_with(&prefix).then_some(text.len());
        let found = self.nearest(index, direction, begins);
        if found.is_none() && direction == SearchDirection::Forward {
            // Behind the last of them is what was typed.
            let last = self.history.entries().len().saturating_sub(1);
            let pos = prefix.len();
            return Ok(Some(SearchResult { entry: Cow::Owned(prefix), idx: last, pos }));
        }
        Ok(found)
    }

    fn add(&mut self, line: &str) -> Result<bool> {
        Ok(self.history.add(line))
    }

    fn add_owned(&mut self, line: String) -> Result<bool> {
        Ok(self.history.add(&line))
    }

    fn len(&self) -> usize {
        self.history.entries().len()
    }

    fn is_empty(&self) -> bool {
        self.history.entries().is_empty()
    }

    fn set_max_len(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    // Whatever is added is in the file already.
    fn save(&mut self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        Ok(self.history.clear()?)
    }

    fn search(&self, term: &str, start: usize, direction: SearchDirection) -> Result<Option<SearchResult<'_>>> {
        let wanted = term.to_lowercase();
        Ok(self.nearest(start, direction, |text| find_ignoring_case(text, &wanted)))
    }

    fn starts_with(&self, term: &str, start: usize, direction: SearchDirection) -> Result<Option<SearchResult<'_>>> {
        let wanted = term.to_lowercase();
        Ok(self.nearest(start, direction, |text| length_ignoring_case(text, &wanted)))
    }
}

/// Where a text in lower case occurs.
fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).find(|at| length_ignoring_case(&text[*at..], wanted).is_some())
}

/// How many bytes of a text are a text in lower case.
fn length_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    let mut rest = wanted;
    for (at, char) in text.char_indices() {
        if rest.is_empty() {
            return Some(at);
        }
        for lower in char.to_lowercase() {
            rest = rest.strip_prefix(lower)?;
        }
    }
    rest.is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use rustyline::history::History as _;

    use super::*;

    fn past(entries: &[&str]) -> Past {
        let mut history = History::in_memory();
        for entry in entries {
            history.add(entry);
        }
        Past { history, prefix: Prefix::default() }
    }

    #[test]
    fn going_back_shows_what_begins_so() {
        let past = past(&["git a", "ls", "git b", "pwd"]);
        let at = |index, direction| {
            let found = past.get(index, direction).expect("it never fails");
            found.map(|found| (found.idx, found.entry.into_owned()))
        };
        assert_eq!(at(3, SearchDirection::Reverse), Some((3, "pwd".into())));
        past.prefix.set("git");
        assert_eq!(at(3, SearchDirection::Reverse), Some((2, "git b".into())));
        assert_eq!(at(1, SearchDirection::Reverse), Some((0, "git a".into())));
        assert_eq!(at(1, SearchDirection::Forward), Some((2, "git b".into())));
        // What was typed comes back behind the last of them.
        assert_eq!(at(3, SearchDirection::Forward), Some((3, "git".into())));
        past.prefix.set("nothing");
        assert_eq!(at(3, SearchDirection::Reverse), None);
    }

    #[test]
    fn searching_takes_capitals_for_small_letters() {
        let past = past(&["let Änderung = 1", "Deploy"]);
        let search = |term: &str| past.search(term, 1, SearchDirection::Reverse).expect("it never fails");
        assert_eq!(search("deploy").map(|found| (found.idx, found.pos)), Some((1, 0)));
        assert_eq!(search("ÄNDER").map(|found| (found.idx, found.pos)), Some((0, 4)));
        assert_eq!(search("nope"), None);
        let begins = past.starts_with("DEP", 1, SearchDirection::Reverse).expect("it never fails");
        assert_eq!(begins.map(|found| found.pos), Some(3));
    }
}
