//! `this` in a `defer`, which runs when the call is over, and what it was called on may be gone.

use rhai::Expr;

use crate::script::problem::Code;

use super::Findings;
use super::program::{Node, Program};

pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk_deferred(&mut |node| {
        if let Node::Expression(Expr::ThisPtr(position)) = node {
            let message = "there is no `this` in `defer`, which runs when the call is over";
            let help = "put what it needs into a variable in front of it: let name = this.name;";
            findings.add(Code::UndefinedVariable, *position, message, Some(help));
        }
    });
}
