//! The words of a command template, of one that is still being written, too.
//!
//! What a template means is `template_text`'s to say, which takes whole ones only; this tells where words begin and
//! what they are for.

use std::ops::Range;

use crate::script::scan::Template;

/// What a word of a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Program,
    Argument,
    /// The file of a redirection.
    Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it is in the whole text, quotes included.
    pub range: Range<usize>,
    pub role: Role,
    /// Its text without quotes and escapes; `None` when values are put in.
    pub value: Option<String>,
    /// The quote that is open at its end.
    pub open_quote: Option<char>,
}

impl Word {
    /// The beginning of a first word.
    pub fn empty(at: usize) -> Self {
        Self { range: at..at, role: Role::Program, value: Some(String::new()), open_quote: None }
    }
}

/// The words of a template. A template that is not closed has a last word that ends with the text, which may be empty.
pub(super) fn words(text: &str, template: &Template) -> Vec<Word> {
    let mut reader = Reader { words: Vec::new(), word: None, role: Role::Program };
    for (index, piece) in template.literals.iter().enumerate() {
        reader.piece(text, piece.clone());
        let next = template.literals.get(index + 1);
        if let (Some(slot), Some(next)) = (template.slots.get(index), next) {
            reader.slot(slot.start - 2, next.start);
        }
    }
    let end = template.literals.last().map_or(template.start, |piece| piece.end);
    if template.end.is_none() {
        reader.begin(end);
    }
    reader.finish(end);
    reader.words
}

struct Reader {
    words: Vec<Word>,
    word: Option<Word>,
    role: Role,
}

impl Reader {
    fn begin(&mut self, at: usize) {
        let role = self.role;
        self.word.get_or_insert_with(|| Word { range: at..at, role, value: Some(String::new()), open_quote: None });
    }

    fn finish(&mut self, end: usize) {
        let Some(mut word) = self.word.take() else { return };
        word.range.end = end;
        // Behind the file of a redirection the command goes on.
        let has_program = || self.words.iter().rev().find(|earlier| earlier.role != Role::Target);
        self.role = match word.role {
            Role::Target if has_program().is_none() => Role::Program,
            _ => Role::Argument,
        };
        self.words.push(word);
    }

    fn slot(&mut self, start: usize, end: usize) {
        self.begin(start);
        if let Some(word) = &mut self.word {
            word.value = None;
            word.range.end = end;
        }
    }

    fn put(&mut self, at: usize, char: char) {
        self.begin(at);
        if let Some(value) = self.word.as_mut().and_then(|word| word.value.as_mut()) {
            value.push(char);
        }
    }

    fn quote(&mut self) -> Option<char> {
        self.word.as_ref().and_then(|word| word.open_quote)
    }

    fn set_quote(&mut self, at: usize, quote: Option<char>) {
        self.begin(at);
        if let Some(word) = &mut self.word {
            word.open_quote = quote;
        }
    }

    fn piece(&mut self, text: &str, piece: Range<usize>) {
        let mut chars = text[piece.clone()].char_indices().map(|(at, char)| (piece.start + at, char)).peekable();
        while let Some((at, char)) = chars.next() {
            match (self.quote(), char) {
                (Some('\''), '\'') | (Some('"'), '"') => self.set_quote(at, None),
                (None, '\'' | '"') => self.set_quote(at, Some(char)),
                (None | Some('"'), '\\') => {
                    self.begin(at);
                    if let Some((_, escaped)) = chars.next() {
                        self.put(at, escaped);
                    }
                }
                (None, '|') => {
                    self.finish(at);
                    self.role = Role::Program;
                }
                (None, '<' | '>') => {
                    // `2>`: the number belongs to it.
                    match &self.word {
                        Some(word) if word.value.as_deref().is_some_and(|value| matches!(value, "1" | "2" | "&")) => {
                            self.role = word.role;
                            self.word = None;
                        }
                        _ => self.finish(at),
                    }
                    while chars.next_if(|(_, char)| matches!(char, '>' | '&')).is_some() {}
                    self.role = Role::Target;
                }
                (None, char) if char.is_whitespace() => self.finish(at),
                (_, char) => self.put(at, char),
            }
        }
    }
}
