//! `switch` whose cases are of another type than its value, so that none is ever taken.
//!
//! Rhai keeps hashes of the cases, and not the cases: they are read off the text.

use std::ops::Range;

use rhai::{Expr, Position, Stmt};

use crate::script::problem::Code;
use crate::script::scan::{self, Scan};

use super::Findings;
use super::calls::Functions;
use super::comparisons::{self, Kind};
use super::program::{Node, Program};

/// So much of a text is looked at for the cases of one `switch`.
pub(super) const MOST: usize = 64 * 1024;

/// What the value of a `switch` is.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    Known(Kind),
    /// A value of our own, which equals no literal.
    Path,
}

/// Reports cases that are never taken. `text_from` gives the text of the program from a position on.
pub(super) fn find(
    program: &Program,
    functions: &Functions,
    text_from: &dyn Fn(Position) -> Option<String>,
    findings: &mut Findings,
) {
    let is_known = comparisons::is_known(program, functions);
    program.walk(&mut |node| {
        let Node::Statement(Stmt::Switch(parts, position), _) = node else { return };
        let Some(value) = value_of(&parts.0, &is_known) else { return };
        let Some(text) = text_from(*position) else { return };
        let wrong = cases(&text).into_iter().find(|(kind, _)| value != Value::Known(*kind));
        let Some((kind, case)) = wrong else { return };
        let (what, help) = match value {
            Value::Path => ("a path", "switch on its text: path.to_string(), or path.name".to_string()),
            Value::Known(Kind::Text) if kind == Kind::Number => {
                ("text", "make the text a number first: parse_int(…), or write the cases as texts".to_string())
            }
            Value::Known(known) => (known.name(), "write the cases as values of that type".to_string()),
        };
        let message = format!("`switch` on {what} never takes the case `{case}`, which is {}", kind.name());
        findings.add(Code::DecidedComparison, *position, message, Some(help));
    });
}

fn value_of(value: &Expr, is_known: &dyn Fn(&str) -> bool) -> Option<Value> {
    match value {
        Expr::FnCall(call, _) if call.namespace.is_empty() && call.op_token.is_none() => {
            match (call.name.as_str(), call.args.len()) {
                ("path", 1) if is_known("path") => Some(Value::Path),
                ("env", 1) if is_known("env") => Some(Value::Known(Kind::Text)),
                _ => comparisons::kind_of(value, is_known).map(Value::Known),
            }
        }
        // `args()[0]`
        Expr::Index(parts, ..) => match (&parts.lhs, &parts.rhs) {
            (Expr::FnCall(call, _), Expr::IntegerConstant(..)) if call.name == "args" && is_known("args") => {
                Some(Value::Known(Kind::Text))
            }
            _ => None,
        },
        // Arrays and maps as cases are rare, and hashed.
        _ => comparisons::kind_of(value, is_known).filter(|kind| kind.is_plain()).map(Value::Known),
    }
}

/// The cases of the `switch` that a text begins with, as far as they are plain literals.
fn cases(text: &str) -> Vec<(Kind, String)> {
    let scan = scan::scan(text);
    let mut reader = Reader { text, scan: &scan, at: 0 };
    let mut found = Vec::new();
    if !reader.skip_to_cases() {
        return found;
    }
    loop {
        let Some(case) = reader.until(&["=>"]) else { return found };
        found.extend(literals(&text[case]));
        if !reader.skip_result() {
            return found;
        }
    }
}

/// `"a" | "b" if …`
fn literals(case: &str) -> Vec<(Kind, String)> {
    let case = case.split_once(" if ").map_or(case, |(values, _)| values);
    let literal = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let kind = match text {
            "true" | "false" => Kind::Bool,
            _ if text.starts_with('"') || text.starts_with('`') => Kind::Text,
            _ if digits.starts_with(|c: char| c.is_ascii_digit()) => Kind::Number,
            _ => return None,
        };
        Some((kind, text.to_string()))
    };
    case.split('|').filter_map(|text| literal(text.trim())).collect()
}

/// Walks over the text of a `switch`.
struct Reader<'a> {
    text: &'a str,
    scan: &'a Scan,
    at: usize,
}

impl Reader<'_> {
    /// The end of what stands here and is no code: a text or a comment.
    fn opaque(&self) -> Option<usize> {
        [&self.scan.texts, &self.scan.comments].into_iter().find_map(|ranges| {
            let index = ranges.binary_search_by_key(&self.at, |range| range.start).ok()?;
            Some(ranges[index].end)
        })
    }

    /// The text up to one of these signs, outside of brackets; behind it afterwards. `None` where a bracket closes.
    fn until(&mut self, signs: &[&str]) -> Option<Range<usize>> {
        let (mut depth, start) = (0_usize, self.at);
        while self.at < self.text.len() {
            if let Some(end) = self.opaque() {
                self.at = end;
                continue;
            }
            let rest = &self.text[self.at..];
            if depth == 0
                && let Some(sign) = signs.iter().find(|sign| rest.starts_with(**sign))
            {
                let end = self.at;
                self.at += sign.len();
                return Some(start..end);
            }
            let next = rest.chars().next()?;
            match next {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += next.len_utf8();
        }
        None
    }

    /// To behind the brace in front of the first case.
    fn skip_to_cases(&mut self) -> bool {
        while self.text.starts_with("switch") && self.until(&["#{", "{"]).is_some() {
            if !self.text[..self.at].ends_with("#{") {
                return true;
            }
            if self.until(&["}"]).is_none() {
                return false;
            }
        }
        false
    }

    /// To behind the comma, or the block, at the end of a case.
    fn skip_result(&mut self) -> bool {
        let behind = self.text[self.at..].trim_start();
        self.at = self.text.len() - behind.len();
        if behind.starts_with('{') {
            self.at += 1;
            let closed = self.until(&["}"]).is_some();
            let behind = self.text[self.at..].trim_start();
            self.at = self.text.len() - behind.len() + usize::from(behind.starts_with(','));
            return closed;
        }
        self.until(&[","]).is_some()
    }
}
