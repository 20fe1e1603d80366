//! Closures that use the variable whose method they are given to: `list.map(|x| x + list.len())`.
//!
//! For the time of `list.….method(…)`, Rhai locks `list` for the method, so that the closure, to which it is another
//! variable of the same value, is refused before it is called once. The interpreter's error has no place. An
//! assignment to a part of a variable (`map.f = || map.x`) locks it in the same way.

use rhai::{ASTFlags, Expr, FnCallExpr, Position, Stmt};

use crate::script::problem::Code;

use super::Findings;
use super::captures::captured_by;
use super::program::{Node, Program};

pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk(&mut |node| match node {
        Node::Expression(expression) => {
            let Some(root) = root(expression) else { return };
            calls(expression, &mut |call| {
                if let Some(position) = call.args.iter().find_map(|argument| capture(argument, root)) {
                    let message = format!("the closure cannot use `{root}` while `{}` is called on it", call.name);
                    report(root, position, message, findings);
                }
            });
        }
        Node::Statement(Stmt::Assignment(parts), _) => {
            let Some(root) = root(&parts.1.lhs) else { return };
            if let Some(position) = capture(&parts.1.rhs, root) {
                let message = format!("the closure cannot use `{root}` while it is put into it");
                report(root, position, message, findings);
            }
        }
        _ => {}
    });
}

fn report(root: &str, position: Position, message: String, findings: &mut Findings) {
    let help = format!("make a copy for the closure in front of it: let copy = {root};");
    findings.add(Code::CapturedReceiver, position, message, Some(help));
}

/// The variable at the beginning of `a.b.c()`.
fn root(expression: &Expr) -> Option<&str> {
    let (Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = expression else { return None };
    let Expr::Variable(variable, ..) = &parts.lhs else { return None };
    variable.2.is_empty().then_some(variable.1.as_str())
}

/// Shows the calls behind the beginning of a chain. What stands in brackets is passed over: its value is known before
/// anything is locked.
fn calls<'a>(chain: &'a Expr, show: &mut impl FnMut(&'a FnCallExpr)) {
    let (rest, is_index) = match chain {
        Expr::Dot(parts, ..) => (&parts.rhs, false),
        Expr::Index(parts, flags, _) if !flags.contains(ASTFlags::BREAK) => (&parts.rhs, true),
        _ => return,
    };
    let first = match rest {
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => &parts.lhs,
        rest => rest,
    };
    if let Expr::MethodCall(call, _) = first
        && !is_index
    {
        show(call);
    }
    calls(rest, show);
}

/// Where a value uses the variable, when it is a closure that captures it.
fn capture(value: &Expr, root: &str) -> Option<Position> {
    let (captured, _) = captured_by(value)?.iter().find(|(captured, _)| captured.name == root)?;
    Some(if captured.pos.is_none() { value.position() } else { captured.pos })
}
