//! Where a program goes: statements that are never reached, and `exit` with what is no exit code.

use rhai::{ASTFlags, Expr, Stmt};

use crate::script::problem::Code;

use super::Findings;
use super::program::{Call, Node, Program, start_of};

/// Functions that do not come back.
const ENDS: &[&str] = &["exit", "fail"];

pub(super) fn find(program: &Program, findings: &mut Findings) {
    let ends: Vec<&str> = ENDS.iter().filter(|name| !program.defines(name)).copied().collect();
    program.walk(&mut |node| match node {
        Node::Block(statements) => {
            let end = statements.iter().enumerate().find_map(|(index, statement)| {
                let what = leaves(statement, &ends)?;
                let next = statements[index + 1..].iter().find(|next| !matches!(next, Stmt::Noop(_)))?;
                Some((what, next))
            });
            if let Some((what, next)) = end {
                let message = format!("this is never reached, because of the {what} before it");
                findings.add(Code::Unreachable, place_of(next), message, None::<String>);
            }
        }
        Node::Call(Call { call, position, .. }) if call.name == "exit" && ends.contains(&"exit") => {
            if let [code] = call.args.as_slice()
                && let Some(code) = literal(code).filter(|code| !(0..=255).contains(code))
            {
                // The system would keep eight bits of it: 256 would become success.
                let help = "an exit code is a number from 0 to 255";
                findings.add(Code::WrongExit, position, format!("exit({code}) is no exit code"), Some(help));
            }
        }
        _ => {}
    });
}

fn place_of(statement: &Stmt) -> rhai::Position {
    match statement {
        Stmt::Expr(expression) => start_of(expression),
        Stmt::FnCall(call, position) if call.op_token.is_some() => call.args.first().map_or(*position, start_of),
        Stmt::Assignment(parts) => start_of(&parts.1.lhs),
        statement => statement.position(),
    }
}

/// The word by which a statement leaves its block, whatever happens.
fn leaves(statement: &Stmt, ends: &[&str]) -> Option<String> {
    let word = match statement {
        Stmt::Return(_, flags, _) if flags.contains(ASTFlags::BREAK) => "throw",
        Stmt::Return(..) => "return",
        Stmt::BreakLoop(_, flags, _) if flags.contains(ASTFlags::BREAK) => "break",
        Stmt::BreakLoop(..) => "continue",
        Stmt::FnCall(call, _) => return ending_call(call, ends),
        Stmt::Expr(expression) => match &**expression {
            Expr::FnCall(call, _) => return ending_call(call, ends),
            _ => return None,
        },
        _ => return None,
    };
    Some(format!("`{word}`"))
}

fn ending_call(call: &rhai::FnCallExpr, ends: &[&str]) -> Option<String> {
    let is_end = call.namespace.is_empty() && call.op_token.is_none() && ends.contains(&call.name.as_str());
    is_end.then(|| format!("`{}`", call.name))
}

fn literal(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::IntegerConstant(number, _) => Some(*number),
        Expr::FnCall(call, _) if call.name == "-" && call.op_token.is_some() => match call.args.as_slice() {
            [Expr::IntegerConstant(number, _)] => number.checked_neg(),
            _ => None,
        },
        _ => None,
    }
}
