//! Strings that go on in the next line: `"one \` and then `two"`.
//!
//! Rhai leaves out white space at the start of such a line, but only up to the column in which the
//! string starts. Moving the string therefore changes its value, unless its lines move along.

use std::ops::Range;

/// Writes a text of the source, with the strings in it that go on in a next line adjusted to the
/// columns where they come to stand, so that all values stay as they are.
///
/// `continued` are those strings of the whole source, in order.
pub(super) fn push_text(out: &mut String, source: &str, text: Range<usize>, continued: &[Range<usize>]) {
    let first = continued.partition_point(|string| string.start < text.start);
    let inside = continued[first..].iter().take_while(|string| string.end <= text.end);
    let mut done = text.start;
    for string in inside {
        out.push_str(&source[done..string.start]);
        let written = &source[string.clone()];
        let (from, to) = (column(source, string.start), column(out, out.len()));
        if value(written, from) == value(written, to) {
            out.push_str(written);
        } else {
            push_moved(out, &pieces(written, from), to);
        }
        done = string.end;
    }
    out.push_str(&source[done..text.end]);
}

/// A text without the white space that Rhai leaves out.
pub(super) fn meaning(source: &str, text: Range<usize>, continued: &[Range<usize>]) -> String {
    let first = continued.partition_point(|string| string.start < text.start);
    let mut meaning = String::new();
    let mut done = text.start;
    for string in continued[first..].iter().take_while(|string| string.end <= text.end) {
        meaning.push_str(&source[done..string.start]);
        meaning.push_str(&value(&source[string.clone()], column(source, string.start)));
        done = string.end;
    }
    meaning.push_str(&source[done..text.end]);
    meaning
}

/// The column of a byte offset, from 1, in characters.
fn column(text: &str, offset: usize) -> usize {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    text[line..offset].chars().count() + 1
}

/// One line of a string: what it says, and where its first white space that counts is, if there is
/// some at its start.
struct Piece {
    text: String,
    first_kept: Option<usize>,
}

/// Takes a string, which starts in this column, apart into its lines, without what is left out.
fn pieces(string: &str, column: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, line) in string.split_inclusive('\n').enumerate() {
        let mut piece = Piece { text: String::new(), first_kept: None };
        let mut at_start = index > 0;
        let mut chars = line.chars().enumerate();
        while let Some((index, char)) = chars.next() {
            match char {
                // Behind an escape Rhai still leaves out white space.
                '\\' => {
                    piece.text.push(char);
                    let escaped = chars.next().map(|(_, char)| char);
                    piece.text.extend(escaped);
                    let digits = match escaped {
                        Some('x') => 2,
                        Some('u') => 4,
                        Some('U') => 8,
                        _ => 0,
                    };
                    piece.text.extend(chars.by_ref().take(digits).map(|(_, char)| char));
                }
                char if at_start && char.is_whitespace() && char != '\n' => {
                    if index + 1 > column {
                        piece.first_kept.get_or_insert(piece.text.chars().count());
                        piece.text.push(char);
                    }
                }
                char => {
                    at_start = false;
                    piece.text.push(char);
                }
            }
        }
        pieces.push(piece);
    }
    pieces
}

fn value(string: &str, column: usize) -> String {
    pieces(string, column).into_iter().map(|piece| piece.text).collect()
}

/// Writes the lines so that white space which counts stands behind the column, and no other is there.
fn push_moved(out: &mut String, pieces: &[Piece], column: usize) {
    for piece in pieces {
        let missing = piece.first_kept.map_or(0, |kept| column.saturating_sub(kept));
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(&piece.text);
    }
}
