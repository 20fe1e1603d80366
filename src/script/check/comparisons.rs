//! Comparisons whose result does not depend on the values: `1 == "1"` is false, `"10" > 9` is false.

use std::any::TypeId;

use rhai::{Engine, Expr, ImmutableString};

use crate::process::Expression;
use crate::script::problem::Code;

use super::Findings;
use super::calls::Functions;
use super::program::{Call, Node, Program};
use super::unused::is_command;

/// The type of a value, as far as it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Number,
    Text,
    Array,
    Map,
}

impl Kind {
    /// Whether a `switch` has cases of it that are written as one word.
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::Text)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "a truth value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Array => "an array",
            Self::Map => "a map",
        }
    }
}

/// Functions and methods without further arguments that give one type, whatever they are called on.
const RESULTS: &[(&str, Kind)] = &[
    ("read", Kind::Text),
    ("read_raw", Kind::Text),
    ("code", Kind::Number),
    ("test", Kind::Bool),
    ("len", Kind::Number),
    ("to_string", Kind::Text),
    ("to_int", Kind::Number),
    ("to_float", Kind::Number),
    ("parse_int", Kind::Number),
    ("parse_float", Kind::Number),
    ("is_empty", Kind::Bool),
    ("to_upper", Kind::Text),
    ("to_lower", Kind::Text),
];

/// Those of them whose results are only certain while nobody else has registered them.
const VERBS: &[&str] = &["read", "read_raw", "code", "test"];

/// Which of the verbs are ours alone.
pub(super) fn own_verbs(engine: &Engine) -> Vec<&'static str> {
    let ours = [TypeId::of::<Expression>(), TypeId::of::<ImmutableString>()];
    let foreign = engine.collect_fn_metadata(
        None,
        |info| {
            let name = VERBS.iter().find(|verb| **verb == info.metadata.name)?;
            let first = info.metadata.param_types.first()?;
            (!ours.contains(first)).then_some(*name)
        },
        true,
    );
    VERBS.iter().filter(|verb| !foreign.contains(verb)).copied().collect()
}

/// Says whose functions mean what they usually do.
pub(super) fn is_known<'a>(program: &'a Program, functions: &'a Functions) -> impl Fn(&str) -> bool + 'a {
    |name| {
        let is_ours = !VERBS.contains(&name) || functions.is_own_verb(name);
        is_ours && !program.defines(name) && !functions.may_be_property(name)
    }
}

/// Reports comparisons of two types that are never equal, and that have no order.
pub(super) fn find(program: &Program, functions: &Functions, findings: &mut Findings) {
    let is_known = is_known(program, functions);
    let kind = |expression: &Expr| kind_of(expression, &is_known);
    program.walk(&mut |node| {
        let Node::Call(Call { call, position, .. }) = node else { return };
        let is_comparison = matches!(call.name.as_str(), "==" | "!=" | "<" | ">" | "<=" | ">=");
        let (true, [left, right]) = (is_comparison && call.op_token.is_some(), call.args.as_slice()) else { return };
        if is_command(left) || is_command(right) {
            let message = format!("`{}` compares, and a command is not run by that", call.name);
            let help = match call.name.as_str() {
                ">" => "output goes to a file with .stdout_path(\"file\").run(), or with $`command > file`.run()",
                "<" => "input comes from a file with .stdin_path(\"file\").run(), or with $`command < file`.run()",
                _ => "compare what it prints, .read(), or how it ends, .code(), .test()",
            };
            findings.add(Code::DecidedComparison, position, message, Some(help));
            return;
        }
        let (Some(left_kind), Some(right_kind)) = (kind(left), kind(right)) else { return };
        if left_kind == right_kind {
            return;
        }
        let result = call.name == "!=";
        let (left_name, right_name) = (left_kind.name(), right_kind.name());
        let message = format!("`{}` between {left_name} and {right_name} is always {result}", call.name);
        let help = match (left_kind, right_kind) {
            (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => {
                let text = if left_kind == Kind::Text { left } else { right };
                match text {
                    Expr::StringConstant(..) => "compare two numbers, or two texts",
                    _ => "make the text a number first: parse_int(…)",
                }
            }
            _ => "compare two values of one type",
        };
        findings.add(Code::DecidedComparison, position, message, Some(help));
    });
}

/// The type of an expression, where its text tells it; `is_known` says whose functions mean what they
/// usually do.
pub(super) fn kind_of(expression: &Expr, is_known: &dyn Fn(&str) -> bool) -> Option<Kind> {
    match expression {
        Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => Some(Kind::Bool),
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some(Kind::Number),
        Expr::StringConstant(..) | Expr::InterpolatedString(..) | Expr::CharConstant(..) => Some(Kind::Text),
        Expr::Array(..) => Some(Kind::Array),
        Expr::Map(..) => Some(Kind::Map),
        Expr::FnCall(call, _) if call.op_token.is_none() && call.namespace.is_empty() => {
            let is_plain = match call.args.as_slice() {
                [_] => true,
                // `read("git", ["status"])`
                [_, Expr::Array(..)] => VERBS.contains(&call.name.as_str()),
                _ => false,
            };
            result_of(&call.name, is_plain, is_known)
        }
        Expr::Dot(..) => last_method(expression, is_known),
        _ => None,
    }
}

/// The type of what the last method of a chain gives.
fn last_method(expression: &Expr, is_known: &dyn Fn(&str) -> bool) -> Option<Kind> {
    match expression {
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => match &parts.rhs {
            Expr::MethodCall(call, _) if matches!(expression, Expr::Dot(..)) => {
                // A command, whatever else has such a method.
                let is_ours = VERBS.contains(&call.name.as_str()) && is_command(&parts.lhs);
                result_of(&call.name, call.args.is_empty(), &|name| is_ours || is_known(name))
            }
            rest @ Expr::Dot(..) => last_method(rest, is_known),
            _ => None,
        },
        _ => None,
    }
}

fn result_of(name: &str, is_plain: bool, is_known: &dyn Fn(&str) -> bool) -> Option<Kind> {
    let row = RESULTS.iter().find(|(known, _)| *known == name && is_plain);
    row.filter(|_| is_known(name)).map(|(_, kind)| *kind)
}
