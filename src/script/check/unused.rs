//! Commands that are built and never run: `cmd("make");` looks like running make, and does nothing.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use crate::script::api::SETTINGS;
use crate::script::problem::Code;

use super::Findings;
use super::program::{Node, Program, start_of};

/// Functions that build a command.
const CONSTRUCTORS: &[&str] = &["cmd", "pipe", "sh"];

/// Commands that are built by statements whose value nobody uses, and commands where a truth value is
/// needed: `cmd("a") && cmd("b")` runs neither.
pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk(&mut |node| match node {
        Node::Statement(statement, is_used) => {
            if !is_used && let Some(position) = unused_command(statement) {
                let help = "run it with .run(), or keep it: let command = …";
                findings.add(Code::UnusedCommand, position, "this command is built but never run", Some(help));
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

fn unused_command(statement: &Stmt) -> Option<Position> {
    match statement {
        Stmt::Expr(expression) => is_command(expression).then(|| start_of(expression)),
        Stmt::FnCall(call, position) if is_constructor(call) => Some(*position),
        Stmt::FnCall(call, position) if is_pipeline(call) => Some(call.args.first().map_or(*position, start_of)),
        _ => None,
    }
}

/// Whether an expression can only be a command: a constructor, and settings on it.
pub(super) fn is_command(expression: &Expr) -> bool {
    match expression {
        Expr::Custom(custom, _) => custom.tokens.first().is_some_and(|token| token == "$"),
        Expr::FnCall(call, _) => is_constructor(call) || is_pipeline(call),
        Expr::Dot(chain, ..) => is_command(&chain.lhs) && only_settings(&chain.rhs),
        _ => false,
    }
}

fn is_constructor(call: &FnCallExpr) -> bool {
    call.namespace.is_empty() && CONSTRUCTORS.contains(&call.name.as_str())
}

fn is_pipeline(call: &FnCallExpr) -> bool {
    call.op_token.is_some() && call.name == "|" && call.args.iter().any(is_command)
}

/// The rest of a chain of methods: `b().c()` of `a.b().c()`.
fn only_settings(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(call, _) => call.name == "pipe" || SETTINGS.contains(&call.name.as_str()),
        Expr::Dot(chain, ..) => only_settings(&chain.lhs) && only_settings(&chain.rhs),
        _ => false,
    }
}
