//! Where lines break and how far they are indented: one walk over the tokens, with a stack of the open
//! brackets. It does not recurse, so that no nesting is too deep, and it accepts any tokens.
//!
//! - The author's line breaks stay; the few that are moved are in [`Layout::breaks_before`].
//! - What stands in brackets is one level deeper than the line in which the bracket opens, so that
//!   `f(|x| {` is one level and not two. The block of an `if` is seen from the line of the `if`.
//! - A line that goes on with a statement is one level deeper than the statement.

use super::super::scan::Scan;
use super::comment;
use super::continued;
use super::lexer::{Kind, Token, stay_apart};
use super::spacing::{Gap, Role, begins_block_statement, gap, has_block, role};

const INDENT: usize = 4;
/// No line is indented deeper: a source of nothing but brackets would become quadratically long.
const DEEPEST: usize = 100;

/// Writes the tokens in our style.
pub(super) fn lay_out(source: &str, scan: &Scan, tokens: &[Token]) -> String {
    let out = String::with_capacity(source.len() + source.len() / 8);
    let mut layout = Layout {
        source,
        scan,
        tokens,
        out,
        indent: 0,
        frames: Vec::new(),
        root: Frame::root(),
        last: None,
        role: None,
    };
    for (index, next) in followers(tokens).into_iter().enumerate() {
        layout.token(index, next);
    }
    if !layout.out.is_empty() {
        layout.out.push('\n');
    }
    layout.out
}

/// For each token the next one behind it that is no comment.
fn followers(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut next = None;
    let mut followers = vec![None; tokens.len()];
    for (index, token) in tokens.iter().enumerate().rev() {
        followers[index] = next;
        if !token.is_comment() {
            next = Some(index);
        }
    }
    followers
}

/// What a bracket encloses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Statements.
    Block,
    /// The cases of a `switch`.
    Cases,
    /// Arguments, elements, entries.
    List,
}

/// Where in a statement, a case or an element the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    /// In one that ends with its block.
    InBlockStatement,
    Inside,
    /// Behind a `}` that may have been the end.
    AfterBlock,
}

/// A word whose block is expected, or has just ended.
#[derive(Debug, Clone, Copy)]
struct Header<'a> {
    word: &'a str,
    indent: usize,
}

/// An open bracket.
struct Frame<'a> {
    content: Content,
    is_brace: bool,
    /// The indentation of the line that closes it.
    outer: usize,
    /// The indentation of what is in it.
    inner: usize,
    /// Whether a line breaks directly in it.
    broken: bool,
    at: At,
    expected: Option<Header<'a>>,
    /// The word whose block has just ended.
    ended: Option<Header<'a>>,
    /// The word that this block belongs to.
    header: Option<Header<'a>>,
    in_parameters: bool,
}

impl Frame<'_> {
    fn root() -> Self {
        Self::new(Content::Block, 0, 0)
    }

    fn new(content: Content, outer: usize, inner: usize) -> Self {
        Self {
            content,
            is_brace: false,
            outer,
            inner,
            broken: false,
            at: At::Start,
            expected: None,
            ended: None,
            header: None,
            in_parameters: false,
        }
    }
}

struct Layout<'a> {
    source: &'a str,
    scan: &'a Scan,
    tokens: &'a [Token],
    out: String,
    /// The indentation of the current line, in levels.
    indent: usize,
    frames: Vec<Frame<'a>>,
    /// What is in no bracket.
    root: Frame<'a>,
    /// The token before.
    last: Option<(usize, Role)>,
    /// The role of the last one that is no comment.
    role: Option<Role>,
}

impl<'a> Layout<'a> {
    fn frame(&mut self) -> &mut Frame<'a> {
        self.frames.last_mut().unwrap_or(&mut self.root)
    }

    fn text(&self, index: usize) -> &'a str {
        self.tokens[index].text(self.source)
    }

    /// Writes one token; `next` is the one behind it that is no comment.
    fn token(&mut self, index: usize, next: Option<usize>) {
        let token = &self.tokens[index];
        let role = self.role_of(index);
        self.begin(index, role, next);
        match token.kind {
            Kind::LineComment => self.out.push_str(token.text(self.source).trim_end()),
            Kind::BlockComment => comment::push_block(&mut self.out, self.source, token.range.start, token.range.end),
            _ => continued::push_text(&mut self.out, self.source, token.range.clone(), &self.scan.continued),
        }
        self.last = Some((index, role));
        if role != Role::Comment {
            self.advance(index, role, next);
            self.role = Some(role);
        }
    }

    fn role_of(&mut self, index: usize) -> Role {
        let previous = self.role;
        let in_parameters = self.frame().in_parameters;
        match role(&self.tokens[index], self.text(index), previous, in_parameters) {
            Role::CloseBrace if self.closes_statement() => Role::EndOfStatement,
            role => role,
        }
    }

    /// Whether a `}` here ends a statement, or a case, in what is around it.
    fn closes_statement(&mut self) -> bool {
        let is_block = self.frame().content != Content::List;
        let around = match self.frames.len() {
            0 => return false,
            1 => &self.root,
            length => &self.frames[length - 2],
        };
        is_block && around.at == At::InBlockStatement
    }

    /// Writes what stands in front of a token.
    fn begin(&mut self, index: usize, role: Role, next: Option<usize>) {
        let Some((last, last_role)) = self.last else { return };
        let token = &self.tokens[index];
        if self.breaks_before(index, role) {
            let closes = matches!(role, Role::Close | Role::CloseBrace | Role::EndOfStatement);
            let opened = matches!(last_role, Role::Open | Role::OpenBrace);
            let indent = self.indent_of(index, role, next);
            self.frame().broken |= !closes;
            self.out.push('\n');
            if token.newlines > 1 && !closes && !opened {
                self.out.push('\n');
            }
            self.indent = indent.min(DEEPEST);
            self.out.extend(std::iter::repeat_n(' ', self.indent * INDENT));
            return;
        }
        let is_apart = token.spaced;
        let space = match gap(last_role, role, token.kind) {
            Gap::Space => true,
            Gap::AsWritten => is_apart,
            // A comment cannot grow together with what is beside it.
            Gap::Nothing if last_role == Role::Comment || role == Role::Comment => false,
            Gap::Nothing => is_apart && !stay_apart(self.source, &self.tokens[last], token),
        };
        if space {
            self.out.push(' ');
        }
    }

    /// Whether a token begins a line: where it does in the source, but for some.
    fn breaks_before(&mut self, index: usize, role: Role) -> bool {
        let Some((last, last_role)) = self.last else { return false };
        if self.tokens[last].kind == Kind::LineComment {
            return true;
        }
        let text = self.text(index);
        let frame = self.frame();
        let closes_brace = matches!(role, Role::CloseBrace | Role::EndOfStatement) && frame.is_brace;
        if closes_brace && frame.content != Content::List && frame.broken {
            return true;
        }
        let joins = match last_role {
            // Nothing is in it.
            Role::Open => role == Role::Close,
            Role::OpenBrace => matches!(role, Role::CloseBrace | Role::EndOfStatement),
            Role::Comment => false,
            // `if x {`, `} else`, `|x| {`
            _ if text == "{" => {
                frame.expected.is_some() || matches!(last_role, Role::CloseParameters | Role::NoParameters)
            }
            Role::CloseBrace | Role::EndOfStatement if role == Role::Keyword => {
                let ended = frame.ended.map(|header| header.word);
                matches!(text, "else" | "catch") || (matches!(text, "while" | "until") && ended == Some("do"))
            }
            _ => false,
        };
        self.tokens[index].newlines > 0 && !joins
    }

    /// The indentation of a line that begins with this token.
    fn indent_of(&mut self, index: usize, role: Role, next: Option<usize>) -> usize {
        if role != Role::Comment {
            return self.indent_of_code(index, role);
        }
        // A comment stands as what it is about.
        match next {
            Some(next) => match self.role_of(next) {
                Role::Close | Role::CloseBrace | Role::EndOfStatement => self.frame().inner,
                role => self.indent_of_code(next, role),
            },
            None => self.frame().inner,
        }
    }

    fn indent_of_code(&mut self, index: usize, role: Role) -> usize {
        let text = self.text(index);
        let frame = self.frame();
        if matches!(role, Role::Close | Role::CloseBrace | Role::EndOfStatement) {
            return frame.outer;
        }
        if let (Some(header), "{") = (frame.expected, text) {
            return header.indent;
        }
        if let (Some(header), Role::Keyword, "else" | "catch") = (frame.ended, role, text) {
            return header.indent;
        }
        match frame.at {
            At::Start => frame.inner,
            At::AfterBlock if !matches!(role, Role::Tight | Role::Infix) => frame.inner,
            _ => frame.inner + 1,
        }
    }

    /// Notes what a token changes for those behind it.
    fn advance(&mut self, index: usize, role: Role, next: Option<usize>) {
        let text = self.text(index);
        let line = self.indent;
        let opens_block = next.is_some_and(|next| self.text(next) == "{");
        self.enter_statement(role, text, opens_block);
        let frame = self.frame();
        match role {
            Role::Keyword | Role::Operand if has_block(text) && (role == Role::Keyword || opens_block) => {
                frame.expected = Some(Header { word: text, indent: line });
            }
            Role::OpenParameters => frame.in_parameters = true,
            Role::CloseParameters => frame.in_parameters = false,
            Role::Semicolon => {
                frame.expected = None;
                frame.at = At::Start;
            }
            Role::Comma if frame.content != Content::Block && !frame.in_parameters => frame.at = At::Start,
            Role::Open | Role::OpenBrace => self.open(text),
            Role::Close | Role::CloseBrace | Role::EndOfStatement => self.close(role),
            _ => {}
        }
    }

    /// Notes that a statement, a case or an element has begun, if this token begins one.
    fn enter_statement(&mut self, role: Role, text: &str, opens_block: bool) {
        let frame = self.frame();
        let goes_on = match frame.at {
            At::Start => false,
            At::AfterBlock => {
                (role == Role::Keyword && matches!(text, "else" | "catch"))
                    || matches!(role, Role::Tight | Role::Infix | Role::Semicolon | Role::Comma)
            }
            At::Inside | At::InBlockStatement => true,
        };
        let is_block_statement = match role {
            Role::Keyword => begins_block_statement(text),
            Role::Operand => text == "defer" && opens_block,
            Role::OpenBrace => text == "{",
            _ => false,
        };
        match (frame.at, goes_on) {
            (At::AfterBlock, true) if role == Role::Keyword => frame.at = At::InBlockStatement,
            (At::AfterBlock, true) => frame.at = At::Inside,
            (_, true) => {}
            (_, false) if frame.content == Content::Block && is_block_statement => frame.at = At::InBlockStatement,
            (_, false) => frame.at = At::Inside,
        }
        // The block of a case ends it, with or without a comma.
        if frame.content == Content::Cases && text == "=>" {
            frame.at = At::InBlockStatement;
        }
    }

    fn open(&mut self, text: &str) {
        let line = self.indent;
        let around = self.frame();
        let header = if text == "{" { around.expected.take() } else { None };
        let content = match (text, header) {
            ("{", Some(Header { word: "switch", .. })) => Content::Cases,
            ("{", _) => Content::Block,
            _ => Content::List,
        };
        let outer = header.map_or(line, |header| header.indent);
        let mut frame = Frame::new(content, outer, outer + 1);
        frame.is_brace = text.ends_with('{');
        frame.header = header;
        self.frames.push(frame);
    }

    fn close(&mut self, role: Role) {
        let Some(closed) = self.frames.pop() else { return };
        let frame = self.frame();
        frame.ended = closed.header;
        if role == Role::EndOfStatement {
            frame.at = At::AfterBlock;
        }
    }
}
