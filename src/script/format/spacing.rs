//! What a token is to its neighbours, and what stands between two on one line.

use super::lexer::{Kind, Token};

/// The part that a token plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Comment,
    /// A name, a number, a text.
    Operand,
    /// A word of the language that something follows.
    Keyword,
    /// `(`, `[` or `?[`.
    Open,
    /// `)` or `]`.
    Close,
    /// `{` or `#{`.
    OpenBrace,
    /// The `}` of a map, or of a block that is a value.
    CloseBrace,
    /// The `}` that ends a statement.
    EndOfStatement,
    /// An operator in front of its operand.
    Prefix,
    /// An operator between its operands.
    Infix,
    /// `.`, `::`, `..` and their like.
    Tight,
    Comma,
    Semicolon,
    Colon,
    /// The `|` in front of the parameters of a closure.
    OpenParameters,
    /// The `|` behind them.
    CloseParameters,
    /// `||` as the parameters of a closure.
    NoParameters,
    Unknown,
}

impl Role {
    /// Whether an operand follows, and not an operator. Nothing at all (`None`) is the start of the source.
    fn precedes_operand(role: Option<Self>) -> bool {
        !matches!(role, Some(Self::Operand | Self::Close | Self::CloseBrace | Self::Unknown))
    }

    /// Whether a call or an index may follow, without a space.
    fn can_be_called(self) -> bool {
        matches!(self, Self::Operand | Self::Close)
    }
}

/// The role of a token that is no brace behind a token with the role `previous`; `in_parameters` says
/// that the parameters of a closure are being listed.
pub(super) fn role(token: &Token, text: &str, previous: Option<Role>, in_parameters: bool) -> Role {
    let precedes_operand = Role::precedes_operand(previous);
    match token.kind {
        Kind::LineComment | Kind::BlockComment => Role::Comment,
        Kind::Text | Kind::Number => Role::Operand,
        // Behind a period, even a word of the language is a name.
        Kind::Word if previous == Some(Role::Tight) || !is_keyword(text) => Role::Operand,
        Kind::Word => Role::Keyword,
        Kind::Open if text.ends_with('{') => Role::OpenBrace,
        Kind::Open => Role::Open,
        Kind::Close if text == "}" => Role::CloseBrace,
        Kind::Close => Role::Close,
        Kind::Other => Role::Unknown,
        Kind::Symbol => match text {
            "," => Role::Comma,
            ";" => Role::Semicolon,
            ":" => Role::Colon,
            "." | "?." | "::" | ".." | "..=" => Role::Tight,
            "|" if in_parameters => Role::CloseParameters,
            "|" if precedes_operand => Role::OpenParameters,
            "||" if precedes_operand => Role::NoParameters,
            "-" | "+" if precedes_operand => Role::Prefix,
            // `name!(…)` is a call that captures.
            "!" if matches!(previous, Some(Role::Operand)) => Role::Tight,
            "!" => Role::Prefix,
            "?" | "!." | "..." | ":;" => Role::Unknown,
            _ => Role::Infix,
        },
    }
}

/// What stands between two tokens on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    Nothing,
    Space,
    /// A space where the author has white space.
    AsWritten,
}

/// The gap between two tokens with these roles; `kind` is that of the second.
pub(super) fn gap(left: Role, right: Role, kind: Kind) -> Gap {
    use Role::{
        CloseParameters, Colon, Comma, Comment, EndOfStatement, Infix, Keyword, NoParameters, OpenParameters, Operand,
        Prefix, Semicolon, Tight, Unknown,
    };
    match (left, right) {
        (Role::OpenBrace, Role::CloseBrace | EndOfStatement) => Gap::Nothing,
        (Role::OpenBrace, _) => Gap::Space,
        (_, Comment) if kind == Kind::LineComment => Gap::Space,
        (Role::Open, _) | (_, Role::Close) => Gap::Nothing,
        (_, Role::CloseBrace | EndOfStatement) => Gap::Space,
        (_, Comma | Semicolon) => Gap::Nothing,
        (Comment, Tight) => Gap::Nothing,
        (Comment, _) | (_, Comment) => Gap::Space,
        (Comma | Semicolon | Colon, _) => Gap::Space,
        (Unknown, _) | (_, Unknown) => Gap::AsWritten,
        (_, Colon) => Gap::Nothing,
        (Tight, _) => Gap::Nothing,
        (Keyword | Infix | CloseParameters | NoParameters, Tight) => Gap::Space,
        (_, Tight) => Gap::Nothing,
        (OpenParameters, _) | (_, CloseParameters) | (Prefix, _) => Gap::Nothing,
        (left, Role::Open) if left.can_be_called() => Gap::Nothing,
        // sh$`…`
        (Operand, Operand) if kind == Kind::Text => Gap::AsWritten,
        _ => Gap::Space,
    }
}

/// The words that something other than an operator follows, or nothing.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "let"
            | "const"
            | "if"
            | "else"
            | "while"
            | "until"
            | "do"
            | "for"
            | "in"
            | "loop"
            | "switch"
            | "break"
            | "continue"
            | "return"
            | "throw"
            | "try"
            | "catch"
            | "import"
            | "export"
            | "as"
            | "fn"
            | "private"
            | "with"
    )
}

/// The words whose block follows, with its brace on their line.
pub(super) fn has_block(word: &str) -> bool {
    matches!(
        word,
        "if" | "else" | "while" | "do" | "for" | "loop" | "switch" | "try" | "catch" | "fn" | "with" | "defer"
    )
}

/// The words that begin a statement which ends with its block.
pub(super) fn begins_block_statement(word: &str) -> bool {
    word == "private" || has_block(word)
}
