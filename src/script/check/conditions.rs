//! Commands where a truth value is needed: `cmd("a") && cmd("b")` runs neither.

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use super::unused::{is_command, start_of};

/// The place of the first command that is written as a condition.
pub(super) fn find(ast: &AST) -> Option<Position> {
    let mut found = None;
    ast.walk(&mut |path: &[ASTNode]| {
        found = match path.last() {
            Some(ASTNode::Expr(Expr::And(operands, _) | Expr::Or(operands, _))) => {
                operands.iter().find(|e| is_command(e))
            }
            Some(ASTNode::Stmt(Stmt::If(parts, _) | Stmt::While(parts, _) | Stmt::Do(parts, ..))) => {
                Some(&parts.expr).filter(|expression| is_command(expression))
            }
            _ => None,
        }
        .map(start_of);
        found.is_none()
    });
    found
}
