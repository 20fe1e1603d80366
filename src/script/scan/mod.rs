//! A light scanner over Rhai source text.
//!
//! It walks the source once and finds what has to be known *before* or *without* parsing: the
//! command templates (`` $`…` ``) with their pieces, the comments, and whatever is still open at
//! the end. It is total: any text gives a [`Scan`], never a panic, and after a mistake it goes on.
//!
//! Three facts about Rhai force this module. An unterminated custom syntax is no parse error (the
//! expression simply ends with the file), an unterminated block comment compiles without a word,
//! and a line-wise prompt must know whether the next line could still complete the input.
//!
//! The lexical rules are those of Rhai 1.27 (`tokenizer.rs`), which the tests compare with:
//!
//! - block comments nest; a line comment ends at a line feed or at a carriage return;
//! - `"…"` and `'…'` have backslash escapes, a doubled quote inside stands for one quote, and only
//!   `"…"` may go on in the next line, after a backslash at the end of the line;
//! - `#"…"#` has no escapes and any number of `#`;
//! - in a backtick string only `${`, `\${` and a doubled backtick mean something.
//!
//! A command template has its own rule, kept simple so that everyone can see where it ends: in its
//! literal text a backslash escapes the next character, the first backtick that is not escaped
//! closes it, and a `${` whose `$` is not escaped opens a slot. **Quotes play no part in this**:
//! `'${x}'` has a slot, and ``'\`'`` is how a backtick is written, even in single quotes.

use std::ops::Range;

pub use index::LineIndex;

mod index;
mod scanner;
#[cfg(test)]
pub(super) mod tests;

/// A place in a text as people count it: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line, from 1; only a line feed ends a line.
    pub line: usize,
    /// The column, from 1, in characters (not bytes, and not cells of a terminal).
    pub column: usize,
}

/// A command template found in the source; all numbers are byte offsets into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where its `$`, or the `sh` in front of it, is.
    pub start: usize,
    /// Whether it is one for a shell: `` sh$`…` ``.
    pub is_shell: bool,
    /// One past its closing backtick, or `None` when it is never closed.
    pub end: Option<usize>,
    /// The pieces of literal text, escapes and all: one more than `slots` in a closed template.
    ///
    /// In an unclosed one, the piece or the slot in which the source ends reaches to its end.
    pub literals: Vec<Range<usize>>,
    /// The Rhai code between `${` and `}`: slot `i` stands between the pieces `i` and `i + 1`.
    pub slots: Vec<Range<usize>>,
}

/// What was opened and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unclosed {
    /// A block comment.
    Comment,
    /// A `"…"` string: its line, or the source, ended first.
    String,
    /// A `"…"` string whose last line ended in a backslash, so that it goes on in the next line.
    ContinuedString,
    /// A `'…'` character.
    Char,
    /// A `#"…"#` string.
    RawString,
    /// The text of a backtick string.
    Backtick,
    /// The literal text of a command template.
    Template,
    /// A `${` in a command template or in a backtick string.
    Slot,
    /// A `(`.
    Paren,
    /// A `[`.
    Bracket,
    /// A `{`.
    Brace,
}

impl Unclosed {
    /// Whether lines that follow can still close it.
    ///
    /// A string or a character that broke off at the end of its line is a mistake already.
    pub fn can_go_on(self) -> bool {
        !matches!(self, Self::String | Self::Char)
    }
}

/// What a walk over the source found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The command templates in order of their start; nested ones follow the one around them.
    pub templates: Vec<Template>,
    /// The comments, without the line ending of a line comment; a leading `#!` line is one too.
    pub comments: Vec<Range<usize>>,
    /// The closed strings, characters and templates that are in no other one, quotes included and
    /// with everything in their slots.
    pub texts: Vec<Range<usize>>,
    /// The closed `"…"` strings that go on in a next line, wherever they are. Their value depends on
    /// the column in which they start: white space in a next line counts only behind it.
    pub continued: Vec<Range<usize>>,
    /// The thing to blame, with the byte offset where it opened: a string or character that broke
    /// off at the end of a line, or else the innermost thing that is open at the end.
    pub unclosed: Option<(Unclosed, usize)>,
    /// The byte offset of the first closing bracket that has no partner of its kind.
    pub mismatched: Option<usize>,
    /// The byte offsets of `\0` in strings and characters, which Rhai does not know.
    pub nul_escapes: Vec<usize>,
    /// The `defer { … }`, from the word to the closing brace, and whether it is the first of its block.
    pub defers: Vec<(Range<usize>, bool)>,
    /// The `catch (name) {`: where the name is, and the offset behind the brace.
    pub catches: Vec<(Range<usize>, usize)>,
    /// The words `_` and `_1` to `_9` that can stand for a value, with the number that they mean.
    pub results: Vec<(Range<usize>, usize)>,
    /// The indexes that are assigned to (`m[key] = 1`) and no constants: the offset behind the bracket.
    pub assigned_indexes: Vec<usize>,
    /// Where `eval` is called.
    pub evals: Vec<usize>,
    /// The words that stand for something else in the text for the interpreter.
    pub private: Vec<Range<usize>>,
    /// How many brackets and slots are open at the end.
    pub open_brackets: usize,
    /// The Rhai code between `${` and `}` of backtick strings, wherever they are; one that is open reaches to the end.
    pub interpolations: Vec<Range<usize>>,
    /// Everything that is open at the end and where it opened, the outermost first. A string, a character or a comment
    /// that is open at the end is the last.
    pub open: Vec<(Unclosed, usize)>,
}

/// Scans Rhai source text.
pub fn scan(source: &str) -> Scan {
    scanner::walk(source)
}

/// Tells the line and the column of a byte offset.
///
/// An offset past the end is the end; one inside a character is the start of that character.
pub fn place_of(source: &str, offset: usize) -> Place {
    let before = &source[..source.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Tells whether more lines could complete the source.
///
/// This is about what the scanner sees: comments, strings, templates, brackets. A source that ends
/// in an operator (`let x =`) is incomplete as well, but only a parser can tell.
pub fn is_incomplete(source: &str) -> bool {
    let found = scan(source);
    found.mismatched.is_none() && found.unclosed.is_some_and(|(what, _)| what.can_go_on())
}
