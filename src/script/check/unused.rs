//! Commands that are built and never run: `cmd("make");` looks like running make, and does nothing. And
//! streams that are built and never read: `cmd("ls").lines().map(|name| …);` calls nothing.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use crate::script::api::SETTINGS;
use crate::script::problem::Code;
use crate::script::stream::ADAPTORS;

use super::Findings;
use super::program::{Node, Program, start_of};

/// Functions that build a command.
const CONSTRUCTORS: &[&str] = &["cmd", "pipe", "sh"];

/// Methods that make a stream of a command.
const STREAMS: &[&str] = &["lines", "chunks"];

/// Functions that start what runs beside the script.
const BACKGROUND: &[&str] = &["service"];

/// Methods that only give something: what they are called on stays as it is.
const PURE: &[&str] = &[
    "trim",
    "trim_start",
    "trim_end",
    "replace",
    "replace_all",
    "replace_first",
    "to_upper",
    "to_lower",
    "sub_string",
    "strip_prefix",
    "strip_suffix",
    "dedent",
    "indent",
    "strip_ansi",
    "join",
    "sorted_by",
    "unique",
    "group_by",
    "with_name",
    "with_stem",
    "with_extension",
    "batched",
];

/// What does nothing until it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Built {
    Command,
    Stream,
    /// What runs beside the script ends when nobody holds it any more.
    Execution,
    /// A command that may outlive its handle.
    Detached,
}

/// What is built, or started, by statements whose value nobody uses, and commands where a truth value is needed:
/// `cmd("a") && cmd("b")` runs neither.
pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk(&mut |node| match node {
        Node::Statement(statement, is_used) => {
            match unused(statement).filter(|_| !is_used) {
                Some((Built::Command, position)) => {
                    let help = "run it with .run(), or keep it: let command = …";
                    findings.add(Code::UnusedCommand, position, "this command is built but never run", Some(help));
                }
                Some((Built::Stream, position)) => {
                    let help = "read it, with `for`, .each(…) or .to_array(), or keep it: let lines = …";
                    findings.add(Code::UnusedStream, position, "this stream is built but never read", Some(help));
                }
                Some((Built::Execution, position)) => {
                    let message = "this command is started, and ended at once: nothing keeps it";
                    let help = "keep it: let process = …, or let it go on: .detach() before .start()";
                    findings.add(Code::UnusedExecution, position, message, Some(help));
                }
                Some((Built::Detached, position)) => {
                    let help = "start it with .start()";
                    findings.add(Code::UnusedCommand, position, "this command is built but never run", Some(help));
                }
                None => {}
            }
            if !is_used && let Some((method, position)) = pure(statement).filter(|(method, _)| !program.defines(method))
            {
                let message = format!("what `{method}` gives is not used, and what it is called on stays as it is");
                let help = format!("keep it: text = text.{method}(…)");
                findings.add(Code::UnusedValue, position, message, Some(help));
            }
            if let Stmt::If(parts, _) | Stmt::While(parts, _) | Stmt::Do(parts, ..) = statement {
                condition(&parts.expr, findings);
            }
        }
        Node::Expression(Expr::And(operands, _) | Expr::Or(operands, _)) => {
            operands.iter().for_each(|operand| condition(operand, findings));
        }
        Node::Call(call) if call.call.op_token.is_some() && call.call.name == "!" => {
            call.call.args.iter().for_each(|operand| condition(operand, findings));
        }
        _ => {}
    });
}

fn condition(expression: &Expr, findings: &mut Findings) {
    if is_command(expression) {
        let help = "run it and ask whether it succeeds: .test()";
        findings.add(Code::CommandAsCondition, start_of(expression), "a command is not a truth value", Some(help));
    }
}

/// The method of a statement that ends with one which only gives something.
fn pure(statement: &Stmt) -> Option<(&str, Position)> {
    let Stmt::Expr(expression) = statement else { return None };
    let mut last = &**expression;
    while let Expr::Dot(chain, ..) | Expr::Index(chain, ..) = last {
        last = &chain.rhs;
    }
    match last {
        Expr::MethodCall(call, position) if PURE.contains(&call.name.as_str()) => Some((call.name.as_str(), *position)),
        _ => None,
    }
}

fn unused(statement: &Stmt) -> Option<(Built, Position)> {
    match statement {
        Stmt::Expr(expression) => Some((built_by(expression)?, start_of(expression))),
        Stmt::FnCall(call, position) => {
            let start = if is_pipeline(call) { call.args.first().map_or(*position, start_of) } else { *position };
            Some((built_by_call(call)?, start))
        }
        _ => None,
    }
}

/// Whether an expression can only be a command.
pub(super) fn is_command(expression: &Expr) -> bool {
    matches!(built_by(expression), Some(Built::Command | Built::Detached))
}

/// What an expression can only be: a constructor and settings are a command; with `lines` or `chunks`
/// behind them, and what narrows and changes these, a stream.
fn built_by(expression: &Expr) -> Option<Built> {
    match expression {
        Expr::Custom(custom, _) if custom.tokens.first().is_some_and(|token| token == "$") => Some(Built::Command),
        Expr::FnCall(call, _) => built_by_call(call),
        Expr::Dot(chain, ..) => built_by_methods(built_by(&chain.lhs)?, &chain.rhs),
        _ => None,
    }
}

fn built_by_call(call: &FnCallExpr) -> Option<Built> {
    if is_pipeline(call) {
        return Some(Built::Command);
    }
    if !call.namespace.is_empty() {
        return None;
    }
    match &*call.args {
        _ if BACKGROUND.contains(&call.name.as_str()) => Some(Built::Execution),
        _ if CONSTRUCTORS.contains(&call.name.as_str()) => Some(Built::Command),
        [command] if STREAMS.contains(&call.name.as_str()) && is_command(command) => Some(Built::Stream),
        // The shorthand: a program with its arguments.
        [_, Expr::Array(..)] if STREAMS.contains(&call.name.as_str()) => Some(Built::Stream),
        _ => None,
    }
}

fn is_pipeline(call: &FnCallExpr) -> bool {
    call.op_token.is_some() && call.name == "|" && call.args.iter().any(is_command)
}

/// The rest of a chain of methods: `b().c()` of `a.b().c()`.
fn built_by_methods(object: Built, methods: &Expr) -> Option<Built> {
    match methods {
        Expr::MethodCall(call, _) => built_by_method(object, &call.name),
        Expr::Dot(chain, ..) => built_by_methods(built_by_methods(object, &chain.lhs)?, &chain.rhs),
        _ => None,
    }
}

fn built_by_method(object: Built, name: &str) -> Option<Built> {
    match object {
        Built::Command if name == "detach" => Some(Built::Detached),
        Built::Detached if name == "pipe" || SETTINGS.contains(&name) => Some(Built::Detached),
        Built::Command if name == "start" => Some(Built::Execution),
        Built::Command if name == "pipe" || SETTINGS.contains(&name) => Some(Built::Command),
        Built::Command if STREAMS.contains(&name) => Some(Built::Stream),
        Built::Stream if ADAPTORS.contains(&name) => Some(Built::Stream),
        _ => None,
    }
}
