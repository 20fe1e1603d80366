//! The literal text of a template as words and operators.

use super::operator::{self, Operator, begins_operator, ends_word, is_blank};
use super::word::OpenWord;
use super::{Spot, TemplateError, Word};

/// What the text consists of.
pub(super) enum Token {
    Word {
        word: Word,
        spot: Spot,
        /// The length of the `NAME=` that it begins with.
        assignment: Option<usize>,
    },
    Operator(Operator, Spot),
}

/// What comes next in the text.
enum Next {
    Char(char),
    Slot(usize),
    End,
}

/// Reads the pieces from left to right. Quotes and words go on across slots, so the position is a
/// piece and an offset in it.
pub(super) struct Lexer<'a> {
    pieces: &'a [&'a str],
    piece: usize,
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(pieces: &'a [&'a str]) -> Self {
        Self { pieces, piece: 0, offset: 0 }
    }

    /// Reads the next word or operator.
    pub fn next_token(&mut self) -> Result<Option<Token>, TemplateError> {
        self.skip_blanks();
        match self.peek() {
            Next::End => Ok(None),
            Next::Char(character) if begins_operator(character) => self.operator("", self.spot(0)).map(Some),
            _ => self.word().map(Some),
        }
    }

    fn rest(&self) -> &'a str {
        let piece = self.pieces.get(self.piece).copied().unwrap_or_default();
        piece.get(self.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Next {
        match self.rest().chars().next() {
            Some(character) => Next::Char(character),
            None if self.is_last_piece() => Next::End,
            None => Next::Slot(self.piece),
        }
    }

    fn is_last_piece(&self) -> bool {
        self.piece + 1 >= self.pieces.len()
    }

    fn skip_slot(&mut self) {
        self.piece += 1;
        self.offset = 0;
    }

    /// The next `length` bytes.
    fn spot(&self, length: usize) -> Spot {
        Spot { piece: self.piece, offset: self.offset, length }
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.continuation() {
                Some(length) => self.offset += length,
                None if self.rest().starts_with(is_blank) => self.offset += 1,
                None => return,
            }
        }
    }

    /// The length of the line continuation that comes next, if one does.
    ///
    /// A script saved with CRLF means the same as one saved with LF.
    fn continuation(&self) -> Option<usize> {
        let rest = self.rest().strip_prefix('\\')?;
        let ending = ["\n", "\r\n"].into_iter().find(|ending| rest.starts_with(ending))?;
        Some(1 + ending.len())
    }

    /// Reads an operator; `number` and `start` are of the descriptor written before it.
    fn operator(&mut self, number: &str, start: Spot) -> Result<Token, TemplateError> {
        match operator::read(number, self.rest(), !self.is_last_piece()) {
            Ok((operator, length)) => {
                let spot = start.through(self.spot(length));
                self.offset += length;
                Ok(Token::Operator(operator, spot))
            }
            Err(refused) => {
                let text = self.rest().get(..refused.length).unwrap_or_default();
                let spot = start.through(self.spot(refused.length));
                Err(spot.unquoted(&format!("{number}{text}"), refused.help))
            }
        }
    }

    fn word(&mut self) -> Result<Token, TemplateError> {
        let mut word = OpenWord::new(self.spot(0));
        loop {
            match self.peek() {
                Next::End => break,
                Next::Slot(slot) => {
                    word.push_slot(slot);
                    self.skip_slot();
                }
                // A number directly before a redirection is its descriptor; `a2>f` has none.
                Next::Char('<' | '>') if let Some(number) = word.number() => {
                    return self.operator(number, word.start);
                }
                Next::Char(character) if ends_word(character) => break,
                Next::Char('\'') => self.single_quoted(&mut word)?,
                Next::Char('"') => self.double_quoted(&mut word)?,
                Next::Char('\\') => self.escaped(&mut word)?,
                Next::Char(character) => self.unquoted(character, &mut word)?,
            }
        }
        Ok(Token::Word { spot: word.start, assignment: word.assignment, word: word.finish() })
    }

    /// Reads an unquoted character that belongs to the word.
    fn unquoted(&mut self, character: char, word: &mut OpenWord) -> Result<(), TemplateError> {
        let spot = self.spot(character.len_utf8());
        match character {
            '*' | '?' => {
                let help = format!("have a shell expand it: sh$`…`, or quote it: '{character}'");
                return Err(spot.unquoted(&character.to_string(), help));
            }
            '~' if word.is_empty() => {
                return Err(spot.unquoted("~", "use `${env(\"HOME\")}`, or quote it: '~'"));
            }
            '#' if word.is_empty() => {
                return Err(spot.unquoted("#", "quote it: '#...', or write the comment outside"));
            }
            '$' => {
                self.check_dollar(false)?;
                word.push_plain('$');
            }
            '[' => word.open_bracket(spot),
            ']' => word
                .close_bracket(spot)
                .map_err(|pattern| pattern.unquoted("[…]", "have a shell expand it: sh$`…`, or quote it: '[…]'"))?,
            '{' => word.open_brace(spot),
            '}' => word
                .close_brace(spot)
                .map_err(|braces| braces.unquoted("{…}", "write an array: `${[\"a\", \"b\"]}`, or quote it: '{…}'"))?,
            ',' => word.push_comma(),
            '=' => word.push_equals(spot),
            _ => word.push_plain(character),
        }
        self.offset += character.len_utf8();
        Ok(())
    }

    /// Reads a backslash outside quotes.
    fn escaped(&mut self, word: &mut OpenWord) -> Result<(), TemplateError> {
        if let Some(length) = self.continuation() {
            self.offset += length;
            return Ok(());
        }
        let Some(character) = self.rest().chars().nth(1) else {
            let spot = self.spot(1);
            return Err(spot.error("nothing follows the backslash in a command template", "double it: `\\\\`"));
        };
        word.set_quoted();
        word.push_quoted(character);
        self.offset += 1 + character.len_utf8();
        Ok(())
    }

    fn single_quoted(&mut self, word: &mut OpenWord) -> Result<(), TemplateError> {
        let open = self.spot(1);
        self.offset += 1;
        word.set_quoted();
        loop {
            match self.peek() {
                Next::End => return Err(unclosed(open, '\'')),
                Next::Slot(slot) => {
                    word.push_slot(slot);
                    self.skip_slot();
                }
                Next::Char('\'') => {
                    self.offset += 1;
                    return Ok(());
                }
                // The scanner needs these two escaped, or it would see the end or a slot.
                Next::Char('\\') if self.rest().starts_with("\\`") => self.take_quoted(1, 1, word),
                Next::Char('\\') if self.rest().starts_with("\\${") => self.take_quoted(1, 2, word),
                Next::Char(_) => self.take_quoted(0, 1, word),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut OpenWord) -> Result<(), TemplateError> {
        let open = self.spot(1);
        self.offset += 1;
        word.set_quoted();
        loop {
            match self.peek() {
                Next::End => return Err(unclosed(open, '"')),
                Next::Slot(slot) => {
                    word.push_slot(slot);
                    self.skip_slot();
                }
                Next::Char('"') => {
                    self.offset += 1;
                    return Ok(());
                }
                Next::Char('\\') => match self.continuation() {
                    Some(length) => self.offset += length,
                    None if self.rest()[1..].starts_with(['"', '\\', '$', '`']) => {
                        self.take_quoted(1, 1, word);
                    }
                    None => self.take_quoted(0, 1, word),
                },
                Next::Char('$') => {
                    self.check_dollar(true)?;
                    self.take_quoted(0, 1, word);
                }
                Next::Char(_) => self.take_quoted(0, 1, word),
            }
        }
    }

    /// Leaves out `skip` bytes and adds the `count` characters after them as they are.
    fn take_quoted(&mut self, skip: usize, count: usize, word: &mut OpenWord) {
        self.offset += skip;
        for character in self.rest().chars().take(count) {
            word.push_quoted(character);
            self.offset += character.len_utf8();
        }
    }

    /// Refuses the expansions of sh. A `$` that expands nothing means itself, as in sh.
    fn check_dollar(&self, in_quotes: bool) -> Result<(), TemplateError> {
        let Some(length) = expansion_length(self.rest(), in_quotes) else {
            return Ok(());
        };
        let text = self.rest().get(..length).unwrap_or_default();
        let literally = match in_quotes {
            true => format!("escape it: \\{text}"),
            false => format!("quote it: '{text}'"),
        };
        let name = text.trim_start_matches('$');
        let help = match name {
            "(" => format!("write `${{cmd(…).read()}}`, or {literally}"),
            "'" | "\"" => "write `${\"…\"}` with the escapes of a string, or escape it: \\$".into(),
            _ if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') => {
                format!("write `${{{name}}}`, or `${{env(\"{name}\")}}` for the environment, or {literally}")
            }
            _ => literally,
        };
        let spot = self.spot(length);
        match in_quotes {
            true => Err(spot.error(format!("double-quoted `{text}` in a command template"), help)),
            false => Err(spot.unquoted(text, help)),
        }
    }
}

fn unclosed(open: Spot, quote: char) -> TemplateError {
    let help = format!("close it with another {quote}, or escape it: \\{quote}");
    open.error(format!("unclosed `{quote}` in a command template"), help)
}

/// The length of the `$x`, `$1`, `$(` or `$'` that the text starts with, if it does.
fn expansion_length(text: &str, in_quotes: bool) -> Option<usize> {
    let after = text.strip_prefix('$')?;
    let first = after.chars().next()?;
    let length = match first {
        'a'..='z' | 'A'..='Z' | '_' => {
            after.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(after.len())
        }
        '0'..='9' | '(' | '{' | '@' | '*' | '#' | '?' | '$' | '!' | '-' => 1,
        '\'' | '"' if !in_quotes => 1,
        _ => return None,
    };
    Some(1 + length)
}
