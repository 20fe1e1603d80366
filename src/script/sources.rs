//! Everything that was loaded, for the places and source lines in reports.
//!
//! A position of Rhai's is a line and a column, and no file. It adds the file where a function is called by its name,
//! but not where a closure is, nor for the functions of a session's earlier entries: their places were told in whatever
//! file called them. So no two texts have the same lines: each begins where the one before ends, behind as many empty
//! lines, and a line number is enough to find its text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::Position;

use super::failure::Place;
use super::scan::{self, LineIndex};
use super::world::lock;

/// Rhai counts lines in sixteen bits.
pub(super) const MAX_LINES: usize = 65_535;

#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<Loaded>);

#[derive(Debug, Default)]
struct Loaded {
    by_name: HashMap<String, Arc<Source>>,
    /// The first line, from 0, that no text has.
    free: usize,
    /// How many texts there were.
    count: usize,
}

#[derive(Debug)]
struct Source {
    text: String,
    lines: LineIndex,
    /// Where the text that the interpreter has is longer than the one the user wrote: places in the
    /// interpreter's, in their order, with the number of characters that were added there.
    additions: Vec<(scan::Place, usize)>,
    /// How many lines the interpreter has in front of the first.
    before: usize,
    /// Which of all texts it is.
    number: usize,
}

impl Source {
    fn has(&self, line: usize) -> bool {
        (self.before + 1..=self.before + self.lines.count()).contains(&line)
    }
}

impl Sources {
    /// Adds a text, and tells how many empty lines the interpreter has to have in front of it. A text of the same name
    /// takes the place of an earlier one.
    pub fn add(&self, name: &str, text: &str, lines: LineIndex, additions: Vec<(scan::Place, usize)>) -> usize {
        let mut loaded = lock(&self.0);
        let count = lines.count();
        let earlier = loaded.by_name.get(name).filter(|source| count <= source.lines.count());
        let before = match earlier {
            Some(source) => source.before,
            // After so many texts we begin again: then the file that Rhai tells decides, as far as it does.
            None if loaded.free + count > MAX_LINES => 0,
            None => loaded.free,
        };
        if earlier.is_none() {
            loaded.free = before + count;
        }
        loaded.count += 1;
        let source = Source { text: text.to_string(), lines, additions, before, number: loaded.count };
        loaded.by_name.insert(name.to_string(), Arc::new(source));
        before
    }

    /// Where a position of the interpreter is in the text that the user wrote; `name` is where it should be.
    pub fn place(&self, name: &str, position: Position) -> Option<Place> {
        let (line, mut column) = (position.line()?, position.position().unwrap_or(1));
        let Some((name, source)) = self.with_line(name, line) else {
            return Some(Place { file: name.to_string(), line, column, text: None });
        };
        let line = line - source.before;
        let first = source.additions.partition_point(|(place, _)| place.line < line);
        let before = source.additions[first..].iter();
        let before = before.take_while(|(place, _)| place.line == line && place.column < column);
        column -= before.map(|(_, count)| count).sum::<usize>().min(column - 1);
        let text = source.lines.line(&source.text, line).map(str::to_string);
        Some(Place { file: name, line, column, text })
    }

    /// The place of a byte offset into the text that the user wrote.
    pub fn place_of(&self, name: &str, offset: usize) -> Option<Place> {
        let source = self.get(name)?;
        let scan::Place { line, column } = source.lines.place(&source.text, offset);
        let text = source.lines.line(&source.text, line).map(str::to_string);
        Some(Place { file: name.to_string(), line, column, text })
    }

    /// The text that the user wrote from a position on, of at most so many bytes.
    pub fn text_from(&self, name: &str, position: Position, most: usize) -> Option<String> {
        let place = self.place(name, position)?;
        let (offset, source) = (self.offset_of(&place)?, self.get(&place.file)?);
        let end = source.text.floor_char_boundary(offset.saturating_add(most).min(source.text.len()));
        source.text.get(offset..end).map(str::to_string)
    }

    /// The byte offset of a place in the text that the user wrote.
    pub fn offset_of(&self, place: &Place) -> Option<usize> {
        let source = self.get(&place.file)?;
        source.lines.offset(&source.text, scan::Place { line: place.line, column: place.column })
    }

    /// Whether the last text of this name is that one.
    pub fn has_text(&self, name: &str, text: &str) -> bool {
        self.get(name).is_some_and(|source| source.text == text)
    }

    fn get(&self, name: &str) -> Option<Arc<Source>> {
        lock(&self.0).by_name.get(name).cloned()
    }

    /// The text that has a line: the one of this name, or else the last that was loaded.
    fn with_line(&self, name: &str, line: usize) -> Option<(String, Arc<Source>)> {
        let loaded = lock(&self.0);
        let named = loaded.by_name.get_key_value(name).filter(|(_, source)| source.has(line));
        let found = named.or_else(|| {
            let others = loaded.by_name.iter().filter(|(_, source)| source.has(line));
            others.max_by_key(|(_, source)| source.number)
        });
        found.map(|(name, source)| (name.clone(), source.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(sources: &Sources, name: &str, text: &str) -> usize {
        sources.add(name, text, LineIndex::of(text), Vec::new())
    }

    fn place(sources: &Sources, name: &str, line: usize) -> String {
        let line = u16::try_from(line).expect("a line");
        let place = sources.place(name, Position::new(line, 1)).expect("a place");
        format!("{}:{} {:?}", place.file, place.line, place.text)
    }

    #[test]
    fn each_text_has_lines_of_its_own() {
        let sources = Sources::default();
        assert_eq!(add(&sources, "main", "a\nb"), 0);
        assert_eq!(add(&sources, "module", "c\nd\ne"), 2);
        assert_eq!(place(&sources, "main", 2), "main:2 Some(\"b\")");
        assert_eq!(place(&sources, "main", 3), "module:1 Some(\"c\")");
        assert_eq!(place(&sources, "module", 1), "main:1 Some(\"a\")");
        // The same file again, after it was changed: in its place when there is room.
        assert_eq!(add(&sources, "main", "x"), 0);
        assert_eq!(add(&sources, "main", "x\ny\nz"), 5);
        assert_eq!(place(&sources, "", 7), "main:2 Some(\"y\")");
        // Nobody's.
        assert_eq!(place(&sources, "main", 99), "main:99 None");
    }

    #[test]
    fn after_very_many_lines_the_names_decide() {
        let sources = Sources::default();
        let long = "\n".repeat(MAX_LINES - 2);
        assert_eq!(add(&sources, "first", "a"), 0);
        assert_eq!(add(&sources, "long", &long), 1);
        assert_eq!(add(&sources, "second", "b\nc"), 0);
        assert_eq!(add(&sources, "third", "d"), 2);
        assert_eq!(place(&sources, "first", 1), "first:1 Some(\"a\")");
        assert_eq!(place(&sources, "second", 1), "second:1 Some(\"b\")");
        assert_eq!(place(&sources, "", 1), "second:1 Some(\"b\")");
        assert_eq!(place(&sources, "", 3), "third:1 Some(\"d\")");
    }
}
