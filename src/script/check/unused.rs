//! Commands that are built and never run: `cmd("make");` looks like running make, and does nothing.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::script::api::SETTINGS;

/// Functions that build a command.
const CONSTRUCTORS: &[&str] = &["cmd", "pipe", "sh"];

/// The place of the first command that is built by a statement whose value nobody uses.
///
/// `value_is_used`: somebody looks at the value of the program's last statement (a session shows it).
pub(super) fn find(ast: &AST, value_is_used: bool) -> Option<Position> {
    let statements = ast.statements();
    let top_level = match (value_is_used, statements.split_last()) {
        (true, Some((_, rest))) => rest,
        _ => statements,
    };
    top_level.iter().find_map(unused_command).or_else(|| in_blocks(ast)).or_else(|| in_functions(ast))
}

/// The statements of functions, but for the last of each, which may be its value.
///
/// Rhai shows the statements of all functions in a row, and of each function only where its body
/// starts and ends.
fn in_functions(ast: &AST) -> Option<Position> {
    let bodies: Vec<_> = ast.iter_fn_def().map(|f| (f.body.start_position(), f.body.end_position())).collect();
    let function_of = |position: Position| {
        // The body of a closure without braces has no end.
        let around =
            bodies.iter().filter(|(start, end)| position == *start || (*start <= position && position <= *end));
        // Closures lie inside other bodies: the innermost starts last.
        around.max_by_key(|(start, _)| *start)
    };
    let own: Vec<Position> = ast.statements().iter().map(Stmt::position).collect();
    let mut found = Vec::new();
    let mut all = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path
            && !own.contains(&statement.position())
        {
            all.push(statement.position());
            found.extend(unused_command(statement).map(|place| (place, statement.position())));
        }
        true
    });
    let is_last = |position: Position| {
        let body = function_of(position);
        !all.iter().any(|other| *other > position && function_of(*other) == body)
    };
    found.into_iter().find(|(_, position)| !is_last(*position)).map(|(place, _)| place)
}

fn in_blocks(ast: &AST) -> Option<Position> {
    let mut found = None;
    ast.walk(&mut |path: &[ASTNode]| {
        found = match path.last() {
            Some(ASTNode::Stmt(statement)) => in_statement(statement),
            Some(ASTNode::Expr(Expr::Stmt(block))) => in_all_but_last(block.statements()),
            _ => None,
        };
        found.is_none()
    });
    found
}

/// The blocks directly inside a statement. The last statement of a loop's body is nobody's value; that
/// of another block may be the value of something.
fn in_statement(statement: &Stmt) -> Option<Position> {
    match statement {
        Stmt::While(parts, _) | Stmt::Do(parts, ..) => parts.body.iter().find_map(unused_command),
        Stmt::For(parts, _) => parts.2.body.iter().find_map(unused_command),
        Stmt::If(parts, _) | Stmt::TryCatch(parts, _) => {
            in_all_but_last(parts.body.statements()).or_else(|| in_all_but_last(parts.branch.statements()))
        }
        Stmt::Block(block) => in_all_but_last(block.statements()),
        _ => None,
    }
}

fn in_all_but_last(statements: &[Stmt]) -> Option<Position> {
    let (_, rest) = statements.split_last()?;
    rest.iter().find_map(unused_command)
}

fn unused_command(statement: &Stmt) -> Option<Position> {
    match statement {
        Stmt::Expr(expression) => is_command(expression).then(|| start_of(expression)),
        Stmt::FnCall(call, position) if is_constructor(call) => Some(*position),
        Stmt::FnCall(call, position) if is_pipeline(call) => Some(call.args.first().map_or(*position, start_of)),
        _ => None,
    }
}

/// Where the text of an expression starts; Rhai places an operator at its sign.
pub(super) fn start_of(expression: &Expr) -> Position {
    match expression {
        Expr::FnCall(call, position) if call.op_token.is_some() => call.args.first().map_or(*position, start_of),
        Expr::Dot(chain, ..) => start_of(&chain.lhs),
        other => other.start_position(),
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
