//! How much room a text takes on a screen.
//!
//! Colours (SGR sequences, `ESC [ … m`) take none and may stand in every text; other control characters would
//! move the cursor, and are escaped.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::process::{escape_controls, needs_escape};

/// What stands where something was cut off.
const CUT: char = '…';
/// Ends every colour.
pub(crate) const RESET: &str = "\u{1b}[0m";

/// A piece of a text.
enum Piece<'t> {
    /// `ESC [ … m`
    Style(&'t str),
    Char(char),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if let Some(length) = style_length(rest) {
            let (style, tail) = rest.split_at(length);
            rest = tail;
            return Some(Piece::Style(style));
        }
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        Some(Piece::Char(c))
    })
}

/// The length of the style that a text begins with.
fn style_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// The text without its colours.
pub(crate) fn without_styles(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return text.into();
    }
    let chars = pieces(text).filter_map(|piece| match piece {
        Piece::Char(c) => Some(c),
        Piece::Style(_) => None,
    });
    chars.collect::<String>().into()
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    without_styles(text).width()
}

/// The text as one line that cannot act on a terminal, but for its colours.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(needs_escape) {
        return text.into();
    }
    let mut line = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Style(style) => line.push_str(style),
            Piece::Char(c) => line.push_str(&escape_controls(c.encode_utf8(&mut [0; 4]))),
        }
    }
    line.into()
}

/// The text in so many columns: what is longer is cut, with a mark at its end, and its colours end there.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut shown = String::new();
    let (mut used, mut is_styled) = (0, false);
    for piece in pieces(text) {
        match piece {
            Piece::Style(style) => {
                is_styled = true;
                shown.push_str(style);
            }
            Piece::Char(c) => {
                let columns_of_char = c.width().unwrap_or(0);
                if used + columns_of_char > columns - 1 {
                    break;
                }
                used += columns_of_char;
                shown.push(c);
            }
        }
    }
    shown.push(CUT);
    if is_styled {
        shown.push_str(RESET);
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::{cut, one_line, width, without_styles};

    #[test]
    fn colours_take_no_room_and_wide_characters_take_two() {
        assert_eq!(width("\u{1b}[1;31mred\u{1b}[0m"), 3);
        assert_eq!(width("日本"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(without_styles("a\u{1b}[38;5;1mb\u{1b}[mc"), "abc");
        // No style, and shown as what it is.
        assert_eq!(without_styles("\u{1b}[2J"), "\u{1b}[2J");
    }

    #[test]
    fn a_text_is_cut_at_its_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("\u{1b}[1mabcdef\u{1b}[0m", 3), "\u{1b}[1mab…\u{1b}[0m");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 1), "…");
    }

    #[test]
    fn what_would_move_the_cursor_is_escaped() {
        assert_eq!(one_line("a\nb\u{1b}[2Jc"), "a\\nb\\u{1b}[2Jc");
        assert_eq!(one_line("\u{1b}[1mplain\u{1b}[0m"), "\u{1b}[1mplain\u{1b}[0m");
    }
}
