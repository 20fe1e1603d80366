//! What the cursor is in.

use crate::script::format::{Kind, Token, tokens};
use crate::script::scan::{Scan, Unclosed, scan};

use super::words::{self, Word};

/// What the cursor is in, by what stands before it.
pub(super) enum Place<'a> {
    /// A comment, a character.
    Nowhere,
    Code(Code<'a>),
    Text(Text<'a>),
    Template(Template<'a>),
}

/// Code up to the cursor, or up to a text: of the innermost `${…}`, or all.
pub(super) struct Code<'a> {
    pub source: &'a str,
    /// Without comments.
    pub tokens: Vec<Token>,
    /// Where the source begins in the whole text.
    pub start: usize,
    /// The whole text up to the cursor, for what was defined outside of the innermost `${…}`.
    pub whole: &'a str,
}

/// A string that ends at the cursor.
pub(super) struct Text<'a> {
    pub code: Code<'a>,
    /// Where what is quoted begins.
    pub start: usize,
    pub content: &'a str,
    pub quote: Unclosed,
}

/// A command template whose literal text ends at the cursor.
pub(super) struct Template<'a> {
    /// The word that ends at the cursor.
    pub word: Word,
    pub source: &'a str,
}

impl<'a> Place<'a> {
    /// Looks at the text before the cursor.
    pub fn find(before: &'a str) -> Self {
        let found = scan(before);
        let line_comment = |start: usize| before[start..].starts_with("//") || before[start..].starts_with("#!");
        if found.comments.last().is_some_and(|comment| comment.end == before.len() && line_comment(comment.start)) {
            return Self::Nowhere;
        }
        match found.open.last() {
            Some((Unclosed::Comment | Unclosed::Char, _)) => Self::Nowhere,
            Some(&(
                quote @ (Unclosed::String | Unclosed::ContinuedString | Unclosed::RawString | Unclosed::Backtick),
                at,
            )) => {
                let code = Code::up_to(before, at, &found);
                let opening = before[at..].len() - before[at..].trim_start_matches('#').len() + 1;
                let start = (at + opening).min(before.len());
                // Behind a slot the text is not all literal.
                let start = found
                    .interpolations
                    .iter()
                    .map(|slot| slot.end + 1)
                    .filter(|end| *end > start)
                    .max()
                    .unwrap_or(start);
                let start = start.min(before.len());
                Self::Text(Text { code, start, content: &before[start..], quote })
            }
            Some(&(Unclosed::Template, at)) => {
                let template = found.templates.iter().find(|template| template.start == at);
                let words = template.map(|template| words::words(before, template)).unwrap_or_default();
                let word = words.into_iter().next_back().filter(|word| word.range.end == before.len());
                let word = word.unwrap_or_else(|| Word::empty(before.len()));
                Self::Template(Template { word, source: before })
            }
            _ => Self::Code(Code::up_to(before, before.len(), &found)),
        }
    }
}

impl<'a> Code<'a> {
    /// The code before a place that is in no text.
    fn up_to(before: &'a str, end: usize, found: &Scan) -> Self {
        let mut slots = found.open.iter().filter(|(what, at)| *what == Unclosed::Slot && *at < end);
        let start = slots.next_back().map_or(0, |(_, at)| at + 2);
        let source = &before[start..end];
        let mut tokens: Vec<Token> =
            tokens(source, &scan(source)).into_iter().filter(|token| !token.is_comment()).collect();
        // `1.` is a number, and the beginning of `1.abs()`.
        if let Some(number) = tokens.last_mut().filter(|last| last.kind == Kind::Number)
            && number.range.end == source.len()
            && number.text(source).ends_with('.')
        {
            number.range.end -= 1;
            let range = number.range.end..source.len();
            tokens.push(Token { kind: Kind::Symbol, range, newlines: 0, spaced: false, may_negate: false });
        }
        Self { source, tokens, start, whole: before }
    }

    /// The code around a slot, up to the text that the slot is in.
    pub fn outside(whole: &'a str, slot: usize) -> Self {
        let end = slot - 2;
        let found = scan(&whole[..end]);
        let is_text = |what: &Unclosed| matches!(what, Unclosed::Template | Unclosed::Backtick);
        // Of the texts that are open, the outermost.
        let end = found.open.iter().find(|(what, _)| is_text(what)).map_or(end, |(_, at)| *at);
        Self::up_to(whole, end, &Scan::default())
    }

    pub fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text(self.source))
    }

    /// The word that ends at the cursor, if one does, and the number of the tokens in front of it.
    pub fn partial(&self) -> (&'a str, usize) {
        match self.tokens.last() {
            Some(token) if token.kind == Kind::Word && token.range.end == self.source.len() => {
                (token.text(self.source), self.tokens.len() - 1)
            }
            _ => ("", self.tokens.len()),
        }
    }
}
