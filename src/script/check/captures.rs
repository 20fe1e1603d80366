//! Closures that are kept and share the variable of a loop.
//!
//! Rhai has one variable for all turns of a `for` loop, and a closure captures the variable, not its
//! value: `for host in hosts { jobs.push(|| deploy(host)) }` deploys to the last host every time. A
//! closure that is called within its turn (`list.map(|x| x + n)`) does what it seems to do.

use rhai::{Expr, Ident, Position, Stmt};

use crate::script::problem::Code;

use super::Findings;
use super::program::{Node, Program};

/// Methods that keep what they are given.
const KEEPERS: &[&str] = &["push", "insert", "append", "set"];

pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk(&mut |node| {
        if let Node::Statement(Stmt::For(parts, _), _) = node {
            let (name, counter, body) = &**parts;
            for ident in counter.iter().chain([name]) {
                in_block(body.body.statements(), ident, findings);
            }
        }
    });
}

/// Looks at the statements of a loop's body until one declares the name anew.
fn in_block(statements: &[Stmt], name: &Ident, findings: &mut Findings) {
    for statement in statements {
        match statement {
            Stmt::Var(parts, ..) if parts.0.name == name.name => return,
            Stmt::For(parts, _) if parts.0.name == name.name => {}
            statement => in_statement(statement, name, findings),
        }
    }
}

fn in_statement(statement: &Stmt, name: &Ident, findings: &mut Findings) {
    match statement {
        Stmt::FnCall(call, _) => kept_by_call(call, name, findings),
        Stmt::Expr(expression) => in_value(expression, name, findings),
        Stmt::Assignment(parts) => {
            let is_kept = matches!(parts.1.lhs, Expr::Index(..) | Expr::Dot(..)) || parts.0.is_op_assignment();
            if is_kept {
                kept(&parts.1.rhs, name, findings);
            }
        }
        Stmt::If(parts, _) | Stmt::TryCatch(parts, _) => {
            in_block(parts.body.statements(), name, findings);
            in_block(parts.branch.statements(), name, findings);
        }
        Stmt::While(parts, _) | Stmt::Do(parts, ..) => in_block(parts.body.statements(), name, findings),
        Stmt::For(parts, _) => in_block(parts.2.body.statements(), name, findings),
        Stmt::Block(block) => in_block(block.statements(), name, findings),
        Stmt::Switch(parts, _) => {
            parts.1.expressions.iter().for_each(|case| in_value(&case.rhs, name, findings));
        }
        _ => {}
    }
}

fn in_value(expression: &Expr, name: &Ident, findings: &mut Findings) {
    match expression {
        Expr::Stmt(block) => in_block(block.statements(), name, findings),
        Expr::Dot(parts, ..) => in_value(&parts.rhs, name, findings),
        Expr::Index(parts, ..) => in_value(&parts.rhs, name, findings),
        Expr::MethodCall(call, _) | Expr::FnCall(call, _) => kept_by_call(call, name, findings),
        _ => {}
    }
}

fn kept_by_call(call: &rhai::FnCallExpr, name: &Ident, findings: &mut Findings) {
    if call.namespace.is_empty() && KEEPERS.contains(&call.name.as_str()) {
        call.args.iter().for_each(|argument| kept(argument, name, findings));
    }
}

/// A value that outlives the turn of the loop.
fn kept(expression: &Expr, name: &Ident, findings: &mut Findings) {
    match expression {
        Expr::Array(parts, _) => parts.iter().for_each(|part| kept(part, name, findings)),
        Expr::Map(parts, _) => parts.0.iter().for_each(|(_, value)| kept(value, name, findings)),
        expression => {
            if let Some(position) = closure_over(expression, name) {
                let name = &name.name;
                let message = format!("all closures that are made here share the loop variable `{name}`");
                let help = format!("give each its own: let {name} = {name}; in front of it");
                findings.add(Code::SharedLoopVariable, position, message, Some(help));
            }
        }
    }
}

/// Where a closure begins, when the expression is one that captures the variable.
fn closure_over(expression: &Expr, name: &Ident) -> Option<Position> {
    captured_by(expression)?.iter().any(|(captured, _)| captured.name == name.name).then(|| expression.position())
}

/// The variables that a closure captures, and where they are in their scope, when the expression is such a closure.
pub(super) fn captured_by(expression: &Expr) -> Option<&[(Ident, Option<std::num::NonZeroUsize>)]> {
    let Expr::Stmt(block) = expression else { return None };
    // This is how Rhai writes a closure that captures something.
    let [Stmt::Share(captured), Stmt::Expr(_) | Stmt::FnCall(..)] = block.statements() else { return None };
    Some(captured)
}
