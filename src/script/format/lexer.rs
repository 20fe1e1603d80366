//! From a source text to tokens, and to the white space between them.
//!
//! What is a comment and what is a text is the scanner's to say; here the code between them is cut
//! into words, numbers and symbols, as Rhai 1.27 does it (`tokenizer.rs`). Any text has tokens: what
//! Rhai does not know is a token of its own kind.

use std::ops::Range;

use super::super::scan::Scan;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Kind {
    /// `// …`, and a `#!` line.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// A string, a character, a command template.
    Text,
    /// A name or a keyword.
    Word,
    /// A number; one that is negative by itself has its sign.
    Number,
    /// `(`, `[`, `?[`, `{` or `#{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// An operator or a separator.
    Symbol,
    /// What Rhai has no use for.
    Other,
}

/// A token and the white space in front of it.
#[derive(Debug, Clone)]
pub(in crate::script) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
    /// Line endings in front of it; two or more are a blank line.
    pub newlines: usize,
    /// Whether there is white space in front of it.
    pub spaced: bool,
    /// Whether a `-` here, with a digit right behind it, is the sign of the number.
    pub may_negate: bool,
}

impl Token {
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.range.clone()]
    }

    pub fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }
}

/// Longer ones first where one begins like another. Those that mean nothing in Rhai are symbols to its
/// lexer all the same: taking them apart or putting them together makes another program.
const SYMBOLS: &[&str] = &[
    "...", "..=", "..", "===", "==", "=>", "!==", "!=", "!.", "||", "|=", "|>", "&&", "&=", "**=", "**", "*=", "++",
    "+=", "--", "-=", "->", "/=", "%=", "^=", "<<=", "<<", "<=", "<-", "<|", ">>=", ">>", ">=", "??", "?.", "::<",
    "::", ":=", ":;", "=", "!", "|", "&", "*", "+", "-", "/", "%", "^", "<", ">", "?", ":", ".", ",", ";",
];

/// All tokens of a source, in order.
pub(in crate::script) fn tokens(source: &str, scan: &Scan) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    let mut comments = scan.comments.iter().peekable();
    for text in &scan.texts {
        while let Some(comment) = comments.next_if(|comment| comment.start < text.start) {
            lexer.comment(comment);
        }
        lexer.code(text.start);
        lexer.push(Kind::Text, text.end);
        // Those in slots belong to the text.
        while comments.next_if(|comment| comment.start < text.end).is_some() {}
    }
    comments.for_each(|comment| lexer.comment(comment));
    lexer.code(source.len());
    lexer.tokens
}

/// Whether two tokens stay two, and the same, when nothing stands between them.
pub(super) fn stay_apart(source: &str, first: &Token, second: &Token) -> bool {
    let (left, right) = (first.text(source), second.text(source));
    match (first.kind, second.kind) {
        (Kind::Word | Kind::Number, Kind::Word | Kind::Number) | (Kind::Text, Kind::Text) => return false,
        // `1 .5` and `1. 5`: a period after a number is a matter of what follows.
        (Kind::Number, Kind::Symbol) if right == "." => return false,
        // `(*` and `*)` are symbols to Rhai, though brackets to us.
        (Kind::Open, Kind::Symbol) if left == "(" && right.starts_with('*') => return false,
        (Kind::Symbol, Kind::Close) if left.ends_with('*') && right == ")" => return false,
        _ => {}
    }
    // Three characters decide any symbol, and a number looks at two characters behind it.
    let start: String = right.chars().take(3).collect();
    let both = format!("{left}{start}");
    let mut lexer = Lexer { may_negate: first.may_negate, ..Lexer::new(&both) };
    lexer.code(both.len());
    lexer.tokens.first().is_some_and(|token| token.range.end == left.len()) || first.kind == Kind::Text
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    newlines: usize,
    spaced: bool,
    /// Whether Rhai would take a sign here for that of the number behind it.
    may_negate: bool,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, at: 0, newlines: 0, spaced: false, may_negate: true, tokens: Vec::new() }
    }

    fn push(&mut self, kind: Kind, end: usize) {
        let range = self.at..end;
        let may_negate = self.may_negate;
        if !matches!(kind, Kind::LineComment | Kind::BlockComment) {
            self.may_negate = precedes_operand(kind, &self.source[range.clone()]);
        }
        let newlines = std::mem::take(&mut self.newlines);
        let spaced = std::mem::take(&mut self.spaced);
        self.tokens.push(Token { kind, range, newlines, spaced, may_negate });
        self.at = end;
    }

    fn comment(&mut self, range: &Range<usize>) {
        self.code(range.start);
        let is_block = self.source[range.clone()].starts_with("/*");
        self.push(if is_block { Kind::BlockComment } else { Kind::LineComment }, range.end);
    }

    /// Takes the code up to `end` apart.
    fn code(&mut self, end: usize) {
        while self.at < end {
            let rest = &self.source.as_bytes()[self.at..];
            match rest[0] {
                b'\n' => self.white_space(1, 1),
                b'\r' => self.white_space(1, usize::from(rest.get(1) != Some(&b'\n'))),
                byte if byte.is_ascii_whitespace() => self.white_space(1, 0),
                b'0'..=b'9' => self.push(Kind::Number, self.at + number_length(rest)),
                byte if is_word(byte) => {
                    let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
                    self.push(Kind::Word, self.at + length);
                }
                b'-' if self.may_negate && rest.get(1).is_some_and(u8::is_ascii_digit) => {
                    self.push(Kind::Number, self.at + 1 + number_length(&rest[1..]));
                }
                _ => self.symbol(rest),
            }
        }
    }

    fn white_space(&mut self, length: usize, newlines: usize) {
        self.at += length;
        self.newlines += newlines;
        self.spaced = true;
    }

    fn symbol(&mut self, rest: &[u8]) {
        let (kind, length) = match rest {
            [b'#', b'{', ..] | [b'?', b'[', ..] => (Kind::Open, 2),
            [b'(' | b'[' | b'{', ..] => (Kind::Open, 1),
            [b')' | b']' | b'}', ..] => (Kind::Close, 1),
            [b'!', b'i', b'n', after @ ..] if !after.first().is_some_and(|&byte| is_word(byte)) => (Kind::Symbol, 3),
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes())) {
                Some(symbol) => (Kind::Symbol, symbol.len()),
                None => (Kind::Other, self.source[self.at..].chars().next().map_or(1, char::len_utf8)),
            },
        };
        self.push(kind, self.at + length);
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes belong to the number that begins here: `1_000`, `0xff`, `1.5e-3`, `1.`.
fn number_length(rest: &[u8]) -> usize {
    let radix: Option<fn(&u8) -> bool> = match rest {
        [b'0', b'x' | b'X', ..] => Some(u8::is_ascii_hexdigit),
        [b'0', b'o' | b'O', ..] => Some(|byte| matches!(byte, b'0'..=b'7')),
        [b'0', b'b' | b'B', ..] => Some(|byte| matches!(byte, b'0' | b'1')),
        _ => None,
    };
    if let Some(is_digit) = radix {
        return 2 + rest[2..].iter().take_while(|&byte| is_digit(byte) || *byte == b'_').count();
    }
    let (mut has_period, mut has_exponent) = (false, false);
    let mut at = 1;
    loop {
        match rest[at..] {
            [b'0'..=b'9' | b'_', ..] => at += 1,
            // A period belongs to the number unless a name, a range or nothing follows.
            [b'.', b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z', ..] => return at,
            [b'.', _, ..] if !has_period => {
                has_period = true;
                at += 1;
            }
            // The source may end here, but a line feed will follow.
            [b'.'] if !has_period => {
                has_period = true;
                at += 1;
            }
            [b'e' | b'E', b'0'..=b'9', ..] if !has_exponent => {
                (has_period, has_exponent) = (true, true);
                at += 1;
            }
            [b'e' | b'E', b'+' | b'-', ..] if !has_exponent => {
                (has_period, has_exponent) = (true, true);
                at += 2;
            }
            _ => return at,
        }
    }
}

/// Whether Rhai expects an operand behind this token, and not an operator: its `is_next_unary`.
fn precedes_operand(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Open => text != "#{",
        Kind::Word => matches!(text, "if" | "while" | "until" | "in" | "return" | "throw"),
        Kind::Symbol => {
            !matches!(text, "." | "?." | "=>" | "::" | "?" | "...")
                && !matches!(text, "===" | "!==" | "!." | "|>" | "++" | "--" | "->" | "<-" | "<|" | "::<" | ":=" | ":;")
        }
        _ => false,
    }
}
