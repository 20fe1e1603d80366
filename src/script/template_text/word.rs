//! A word while it is read.

use super::{Part, Spot, Word};

/// The word so far, and what has to be remembered to recognise the expansions of the shell.
pub(super) struct OpenWord {
    pub start: Spot,
    /// The length of the `NAME=` that the word begins with, if it does.
    pub assignment: Option<usize>,
    word: Word,
    bracket: Option<Bracket>,
    braces: Vec<Brace>,
}

/// An unquoted `[` that an unquoted `]` may turn into a pattern.
struct Bracket {
    spot: Spot,
    /// Whether something stands in it: in `[]` and `[!]` sh takes the `]` literally.
    filled: bool,
}

/// An unquoted `{` that an unquoted `}` may turn into an expansion.
struct Brace {
    spot: Spot,
    has_comma: bool,
    /// Its content as long as that is only unquoted text, to recognise `{1..3}`.
    content: Option<String>,
}

impl OpenWord {
    pub fn new(start: Spot) -> Self {
        Self { start, assignment: None, word: Word::default(), bracket: None, braces: Vec::new() }
    }

    pub fn finish(self) -> Word {
        self.word
    }

    /// Whether nothing was read yet, so that `~` and `#` are special.
    pub fn is_empty(&self) -> bool {
        self.word.parts.is_empty() && !self.word.quoted
    }

    /// The text of the word, if it is only text without quotes.
    pub fn plain_text(&self) -> Option<&str> {
        match self.word.parts.as_slice() {
            [Part::Text(text)] if !self.word.quoted => Some(text),
            _ => None,
        }
    }

    /// The word as the number of a file descriptor before an operator.
    pub fn number(&self) -> Option<&str> {
        self.plain_text().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Notes that a quote or an escape stands here.
    pub fn set_quoted(&mut self) {
        self.word.quoted = true;
        self.hide_content();
    }

    pub fn push_slot(&mut self, slot: usize) {
        self.hide_content();
        self.fill_bracket();
        self.word.parts.push(Part::Slot(slot));
    }

    /// Adds a quoted or escaped character.
    pub fn push_quoted(&mut self, character: char) {
        self.fill_bracket();
        self.push_text(character);
    }

    /// Adds an unquoted character that means itself.
    pub fn push_plain(&mut self, character: char) {
        if !matches!(character, '!' | '^') {
            self.fill_bracket();
        }
        self.push_to_content(character);
        self.push_text(character);
    }

    /// Adds an unquoted `=`; the first one after a name makes an assignment.
    pub fn push_equals(&mut self, spot: Spot) {
        if self.assignment.is_none() && self.plain_text().is_some_and(is_name) {
            self.assignment = Some(self.start.through(spot).length);
        }
        self.push_plain('=');
    }

    /// Adds an unquoted `[`.
    pub fn open_bracket(&mut self, spot: Spot) {
        match self.bracket {
            Some(_) => self.fill_bracket(),
            None => self.bracket = Some(Bracket { spot, filled: false }),
        }
        self.push_to_content('[');
        self.push_text('[');
    }

    /// Adds an unquoted `]`, or gives the place of the pattern that it completes.
    pub fn close_bracket(&mut self, spot: Spot) -> Result<(), Spot> {
        match &self.bracket {
            Some(bracket) if bracket.filled => Err(bracket.spot.through(spot)),
            _ => {
                self.push_plain(']');
                Ok(())
            }
        }
    }

    /// Adds an unquoted `{`.
    pub fn open_brace(&mut self, spot: Spot) {
        self.push_plain('{');
        self.braces.push(Brace { spot, has_comma: false, content: Some(String::new()) });
    }

    /// Adds an unquoted `,`.
    pub fn push_comma(&mut self) {
        if let Some(brace) = self.braces.last_mut() {
            brace.has_comma = true;
        }
        self.push_plain(',');
    }

    /// Adds an unquoted `}`, or gives the place of the expansion that it completes.
    pub fn close_brace(&mut self, spot: Spot) -> Result<(), Spot> {
        if let Some(brace) = self.braces.pop()
            && (brace.has_comma || brace.content.as_deref().is_some_and(is_range))
        {
            return Err(brace.spot.through(spot));
        }
        self.push_plain('}');
        Ok(())
    }

    fn push_text(&mut self, character: char) {
        match self.word.parts.last_mut() {
            Some(Part::Text(text)) => text.push(character),
            _ => self.word.parts.push(Part::Text(character.into())),
        }
    }

    fn fill_bracket(&mut self) {
        if let Some(bracket) = &mut self.bracket {
            bracket.filled = true;
        }
    }

    /// Only the innermost brace can be a range: one with braces inside is none.
    fn push_to_content(&mut self, character: char) {
        if let Some(Brace { content: Some(content), .. }) = self.braces.last_mut() {
            content.push(character);
        }
    }

    fn hide_content(&mut self) {
        if let Some(brace) = self.braces.last_mut() {
            brace.content = None;
        }
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    bytes.next().is_some_and(is_start) && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a `{…}` with this content counts up or down in bash: `1..3`, `a..e`, `0..10..2`.
fn is_range(content: &str) -> bool {
    let ends: Vec<&str> = content.split("..").collect();
    let is_integer = |end: &&str| end.parse::<i64>().is_ok();
    let is_letter = |end: &&str| end.len() == 1 && end.bytes().all(|byte| byte.is_ascii_alphabetic());
    match ends.as_slice() {
        [first, last] | [first, last, _] => {
            ends.get(2).is_none_or(is_integer)
                && ((is_integer(first) && is_integer(last)) || (is_letter(first) && is_letter(last)))
        }
        _ => false,
    }
}
