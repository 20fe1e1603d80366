//! What is wrong with a text, and where.

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub reason: String,
    /// The offset in bytes, where one is known.
    pub offset: Option<usize>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), offset: None, help: None }
    }

    pub fn at(reason: impl Into<String>, offset: usize) -> Self {
        Self { offset: Some(offset), ..Self::new(reason) }
    }

    /// At a line and a column in characters, both from 1 on.
    pub fn at_place(reason: impl Into<String>, text: &str, line: usize, column: usize) -> Self {
        let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = text.get(start..).unwrap_or_default();
        let inside = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(index, _)| index);
        Self::at(reason, start + inside)
    }

    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same in a text of which the one that was read is a part.
    pub fn moved_by(self, start: usize) -> Self {
        Self { offset: self.offset.map(|offset| offset + start), ..self }
    }
}

/// The line and the column in characters of an offset, both from 1 on.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_offsets_agree() {
        let text = "äb\ncd\n\nö";
        for (index, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let (line, column) = place(text, index);
            assert_eq!(Problem::at_place("x", text, line, column).offset, Some(index), "{index}");
        }
        assert_eq!(place(text, 4), (2, 1));
        assert_eq!(place(text, 1000), (4, 2));
        assert_eq!(Problem::at_place("x", text, 9, 9).offset, Some(text.len()));
    }
}
