//! From the literal text of a command template to words, redirections and stages.
//!
//! `` $`sort -u <${file} | head -n 5` `` is written as in sh and is *not* given to a shell: this
//! module splits the literal text once, when the script is loaded, and every slot (`${…}`) becomes
//! one argument or the part of one that it is glued to, whatever its value will be. Whatever sh
//! would do and a template does not do (`;`, `*`, `$x`, …) is an error here that tells the spelling
//! to use instead, because passing it on as plain text is never what the author meant.
//!
//! The rules are those of sh, POSIX.1-2024 volume 3 chapter 2, with these differences:
//!
//! - a newline is white space like any other, so that a long command can span lines;
//! - a slot works the same with and without quotes around it, also in single quotes, because the
//!   end of a template and its slots are found without regard to quotes;
//! - therefore two things have an escape in single quotes, where sh has none: `` \` `` is a backtick
//!   and `\${` is `${`; every other backslash there is a backslash;
//! - `2>&1` means "where standard output goes" and is not an instant in a sequence, so it has to
//!   stand after the redirection of standard output, where sh gives the same result.

use std::fmt;

mod lexer;
mod operator;
mod stage;
#[cfg(test)]
mod tests;
mod word;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text, with quotes and escapes already resolved.
    Text(String),
    /// The value of the slot with this index: slot `i` stands between the pieces `i` and `i + 1`.
    Slot(usize),
}

/// One argument, or the path of a redirection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Word {
    /// The parts to glue together; two texts never follow each other, and `''` has no part.
    pub parts: Vec<Part>,
    /// Whether a quote or an escaping backslash stands anywhere in the word.
    pub quoted: bool,
}

impl Word {
    /// The slot that makes up the whole word, if it is one and stands there without quotes.
    ///
    /// Only such a slot may hold an array and become several arguments, or none.
    pub fn lone_slot(&self) -> Option<usize> {
        match self.parts.as_slice() {
            [Part::Slot(slot)] if !self.quoted => Some(*slot),
            _ => None,
        }
    }
}

/// What a redirection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedirectKind {
    /// `<file`
    StdinFrom,
    /// `>file`, `1>file`
    StdoutTo,
    /// `>>file`, `1>>file`
    StdoutAppend,
    /// `2>file`
    StderrTo,
    /// `2>>file`
    StderrAppend,
    /// `&>file`
    BothTo,
    /// `2>&1`
    StderrToStdout,
}

impl RedirectKind {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::StdinFrom => "<",
            Self::StdoutTo => ">",
            Self::StdoutAppend => ">>",
            Self::StderrTo => "2>",
            Self::StderrAppend => "2>>",
            Self::BothTo => "&>",
            Self::StderrToStdout => "2>&1",
        }
    }
}

/// A redirection of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// What it does.
    pub kind: RedirectKind,
    /// The file path; only [`RedirectKind::StderrToStdout`] has none.
    pub target: Option<Word>,
}

/// One stage of the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct StageText {
    /// The program and its arguments; never empty.
    pub words: Vec<Word>,
    /// The redirections in the order in which they were written; no stream is redirected twice.
    pub redirects: Vec<Redirect>,
}

/// A template, ready to be filled with the values of its slots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TemplateText {
    /// The stages of the pipeline; never empty.
    pub stages: Vec<StageText>,
}

/// What is wrong with the text of a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The index of the piece of literal text.
    pub piece: usize,
    /// The byte offset inside that piece.
    pub offset: usize,
    /// The length in bytes of what is to be underlined.
    pub length: usize,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead, in one line.
    pub help: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Splits the literal text of a template, given as its pieces: one slot stands between each two.
///
/// # Errors
///
/// The first thing that a template cannot mean: an operator of the shell that it does not have, an
/// unclosed quote, an empty stage, a redirection without a path or of a stream that is taken.
pub fn parse(pieces: &[&str]) -> Result<TemplateText, TemplateError> {
    stage::parse(pieces)
}

/// A stretch of one piece, to be pointed at.
#[derive(Debug, Clone, Copy)]
struct Spot {
    piece: usize,
    offset: usize,
    length: usize,
}

impl Spot {
    /// From the start of this to the end of `last`, or only this when that is in another piece.
    fn through(self, last: Self) -> Self {
        match last.piece == self.piece {
            true => Self { length: last.offset + last.length - self.offset, ..self },
            false => self,
        }
    }

    fn error(self, message: impl Into<String>, help: impl Into<String>) -> TemplateError {
        TemplateError {
            piece: self.piece,
            offset: self.offset,
            length: self.length,
            message: message.into(),
            help: Some(help.into()),
        }
    }

    fn unquoted(self, what: &str, help: impl Into<String>) -> TemplateError {
        self.error(format!("unquoted `{what}` in a command template"), help)
    }
}
