//! Lines and columns of a text, found without walking it from its start each time.

use super::Place;

/// Where the lines of a text start.
#[derive(Debug, Clone, Default)]
pub struct LineIndex(Vec<usize>);

impl LineIndex {
    /// Looks for the line feeds, once.
    pub fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect())
    }

    /// How many lines there are: one at least.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The line and the column of a byte offset in this text, as [`place_of`](super::place_of) has them.
    pub fn place(&self, text: &str, offset: usize) -> Place {
        let offset = text.floor_char_boundary(offset);
        let line = self.0.partition_point(|start| *start <= offset);
        let start = self.0.get(line - 1).copied().unwrap_or_default();
        Place { line, column: text[start..offset].chars().count() + 1 }
    }

    /// The byte offset of a place, or of the end of its line when the line is shorter.
    pub fn offset(&self, text: &str, place: Place) -> Option<usize> {
        let line = self.line(text, place.line)?;
        let start = self.0[place.line - 1];
        let column = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        Some(start + column)
    }

    /// A line, counted from 1, without its ending.
    pub fn line<'a>(&self, text: &'a str, number: usize) -> Option<&'a str> {
        let start = *self.0.get(number.checked_sub(1)?)?;
        let end = self.0.get(number).map_or(text.len(), |next| next - 1);
        let line = &text[start..end];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::super::place_of;
    use super::*;

    #[test]
    fn agrees_with_the_walk_from_the_start() {
        for text in ["", "a", "\n", "a\n", "a\r\nbä\n\n日本 x", "\u{feff}a\n\r\n"] {
            let index = LineIndex::of(text);
            for offset in 0..text.len() + 2 {
                let place = place_of(text, offset);
                assert_eq!(index.place(text, offset), place, "{text:?} {offset}");
                let there = text.floor_char_boundary(offset);
                // The carriage return belongs to the ending.
                if !text[..there].ends_with('\r') {
                    assert_eq!(index.offset(text, place), Some(there), "{text:?} {offset}");
                }
            }
            let lines: Vec<_> = (1..=index.0.len()).filter_map(|number| index.line(text, number)).collect();
            assert_eq!(lines.len(), index.0.len());
            assert_eq!(lines.join("\n").trim_end(), text.replace("\r\n", "\n").trim_end());
            assert_eq!(index.line(text, 0), None);
            assert_eq!(index.line(text, index.0.len() + 1), None);
        }
    }
}
