//! Where a program calls `cli`.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use super::literal::{Constants, Literal};

/// The function.
pub(crate) const NAME: &str = "cli";

/// The calls that are evaluated whenever the program runs that far: those that begin a statement of the top level.
pub(crate) fn heads(statements: &[Stmt]) -> impl Iterator<Item = (usize, &FnCallExpr, Position)> {
    statements.iter().enumerate().filter_map(|(index, statement)| {
        let (call, position) = match statement {
            Stmt::FnCall(call, position) => (&**call, *position),
            Stmt::Var(parts, ..) => head(&parts.1)?,
            Stmt::Expr(expression) => head(expression)?,
            Stmt::Assignment(parts) => head(&parts.1.rhs)?,
            Stmt::If(parts, _) => head(&parts.expr)?,
            Stmt::For(parts, _) => head(&parts.2.expr)?,
            Stmt::Switch(parts, _) => head(&parts.0)?,
            _ => return None,
        };
        is_cli(call).then_some((index, call, position))
    })
}

/// `cli(…)` of `cli(…).target[0]`.
fn head(expression: &Expr) -> Option<(&FnCallExpr, Position)> {
    match expression {
        Expr::FnCall(call, position) => Some((call, *position)),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => head(&parts.lhs),
        _ => None,
    }
}

pub(crate) fn is_cli(call: &FnCallExpr) -> bool {
    call.op_token.is_none() && call.name == NAME && call.namespace.is_empty() && call.args.len() == 1
}

/// What the first of the calls declares; an error when it is not known before the program runs.
pub(super) fn declared(statements: &[Stmt]) -> Option<Result<Literal, Position>> {
    let (index, call, _) = heads(statements).next()?;
    let mut constants = Constants::default();
    statements[..index].iter().for_each(|statement| constants.pass(statement));
    Some(Literal::of(call.args.first()?, &constants))
}
