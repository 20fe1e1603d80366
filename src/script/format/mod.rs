//! The formatter: scripts in one style.
//!
//! It works on the tokens and the line breaks of the author, not on a syntax tree: what it may change is
//! white space alone, so that a comment cannot get lost and no program can become another one. That
//! is checked at the end of every call, not only in tests.

mod comment;
mod continued;
mod layout;
mod lexer;
mod spacing;
#[cfg(test)]
mod tests;

use rhai::{AST, ASTNode, Expr};

use crate::process::Context;

use super::failure::{Failure, FailureKind, Place};
use super::library::{Earlier, Library};
use super::runtime::Runtime;
use super::scan::{self, Scan};
use super::thread::on_script_thread;
#[cfg(feature = "cli")]
pub(super) use lexer::tokens;
pub(super) use lexer::{Kind, Token};

/// Formats a script; `name` is what a failure is reported under.
///
/// Four spaces for each level of brackets, one space around operators and behind commas, none inside
/// parentheses and square brackets, `#{ a: 1 }`, at most one blank line in a row, line feeds as line
/// endings and one at the end. An opening brace stands on the line of its `if`, `for`, `fn` and so on, and
/// the brace that closes a block of several lines on a line of its own. A line that begins with `.` or
/// with an operator is one level deeper.
///
/// All other line breaks are the author's: lines are neither joined nor broken, however long they are.
/// Comments stay where they are, and the contents of strings and command templates, slots
/// included, as they are. Numbers, semicolons and trailing commas stay as written. What has been
/// formatted once does not change when it is formatted again.
///
/// Nothing is run, and imports are not looked for.
///
/// ```
/// let formatted = procscript::script::format("x.rhai", "if x==1{print( \"one\" )}")?;
/// assert_eq!(formatted, "if x == 1 { print(\"one\") }\n");
/// # Ok::<(), procscript::script::Failure>(())
/// ```
///
/// # Errors
/// When the script does not parse. When formatting would have made another program of it, which is a fault
/// of ours ([`FailureKind::Internal`]).
pub fn format(name: &str, source: &str) -> Result<String, Failure> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let parser = Parser::new()?;
    let program = parser.parse(name, source)?;
    let scan = scan::scan(source);
    let tokens = lexer::tokens(source, &scan);
    let formatted = layout::lay_out(source, &scan, &tokens);
    if let Some(offset) = first_difference(source, &scan, &tokens, &formatted) {
        return Err(changed(name, source, offset));
    }
    // The one thing that white space alone can change: see `continued`.
    if let Some(first) = scan.continued.first()
        && strings(&program) != strings(&parser.parse(name, &formatted)?)
    {
        return Err(changed(name, source, first.start));
    }
    Ok(formatted)
}

/// The offset of the first token that is not the same in both, or is in one of them only.
fn first_difference(source: &str, scan: &Scan, tokens: &[Token], formatted: &str) -> Option<usize> {
    let new_scan = scan::scan(formatted);
    let new_tokens = lexer::tokens(formatted, &new_scan);
    let differs = |(old, new): &(&Token, &Token)| {
        old.kind != new.kind || meaning(source, scan, old) != meaning(formatted, &new_scan, new)
    };
    match tokens.iter().zip(&new_tokens).find(differs) {
        Some((old, _)) => Some(old.range.start),
        None if tokens.len() == new_tokens.len() => None,
        None => Some(tokens.get(new_tokens.len()).map_or(source.len(), |token| token.range.start)),
    }
}

/// A token without what formatting may change in it.
fn meaning(source: &str, scan: &Scan, token: &Token) -> String {
    match token.kind {
        Kind::LineComment => token.text(source).trim_end().to_string(),
        Kind::BlockComment => comment::meaning(token.text(source)),
        _ => continued::meaning(source, token.range.clone(), &scan.continued),
    }
}

fn changed(name: &str, source: &str, offset: usize) -> Failure {
    let scan::Place { line, column } = scan::place_of(source, offset);
    let text = source.lines().nth(line - 1).map(str::to_string);
    let place = Place { file: name.to_string(), line, column, text };
    let message = "internal error: formatting would change the program here";
    let help = "this is a fault of procscript: please report it";
    Failure::new(FailureKind::Internal, message).at(Some(place)).with_help(Some(help))
}

/// All strings of a program, in order.
fn strings(program: &AST) -> Vec<String> {
    let mut found = Vec::new();
    program.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::StringConstant(text, _))) = path.last() {
            found.push(text.to_string());
        }
        true
    });
    found
}

/// Parses as a runtime does, with the syntax that comes with its functions.
struct Parser {
    runtime: Runtime,
    library: Library,
}

impl Parser {
    fn new() -> Result<Self, Failure> {
        Ok(Self { runtime: Runtime::builder().build()?, library: Library::new(Context::new()) })
    }

    fn parse(&self, name: &str, source: &str) -> Result<AST, Failure> {
        on_script_thread(|| self.library.parse(self.runtime.engine(), name, source, &Earlier::default()))?
    }
}
