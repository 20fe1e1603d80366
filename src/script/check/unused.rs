//! Commands that are built and never run: `cmd("make");` looks like running make, and does nothing. And
//! streams that are built and never read: `cmd("ls").lines().map(|name| …);` calls nothing.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::script::api::SETTINGS;
use crate::script::stream::ADAPTORS;

/// Functions that build a command.
const CONSTRUCTORS: &[&str] = &["cmd", "pipe", "sh"];

/// Methods that make a stream of a command.
const STREAMS: &[&str] = &["lines", "chunks"];

/// What does nothing until it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Built {
    Command,
    Stream,
}

/// What is built by a statement whose value nobody uses, and where: the first.
///
/// `value_is_used`: somebody looks at the value of the program's last statement (a session shows it).
pub(super) fn find(ast: &AST, value_is_used: bool) -> Option<(Built, Position)> {
    let statements = ast.statements();
    let top_level = match (value_is_used, statements.split_last()) {
        (true, Some((_, rest))) => rest,
        _ => statements,
    };
    top_level.iter().find_map(unused).or_else(|| in_blocks(ast)).or_else(|| in_functions(ast))
}

/// The statements of functions, but for the last of each, which may be its value.
///
/// Rhai shows the statements of all functions in a row, and of each function only where its body
/// starts and ends.
fn in_functions(ast: &AST) -> Option<(Built, Position)> {
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
            found.extend(unused(statement).map(|built| (built, statement.position())));
        }
        true
    });
    let is_last = |position: Position| {
        let body = function_of(position);
        !all.iter().any(|other| *other > position && function_of(*other) == body)
    };
    found.into_iter().find(|(_, position)| !is_last(*position)).map(|(built, _)| built)
}

fn in_blocks(ast: &AST) -> Option<(Built, Position)> {
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
fn in_statement(statement: &Stmt) -> Option<(Built, Position)> {
    match statement {
        Stmt::While(parts, _) | Stmt::Do(parts, ..) => parts.body.iter().find_map(unused),
        Stmt::For(parts, _) => parts.2.body.iter().find_map(unused),
        Stmt::If(parts, _) | Stmt::TryCatch(parts, _) => {
            in_all_but_last(parts.body.statements()).or_else(|| in_all_but_last(parts.branch.statements()))
        }
        Stmt::Block(block) => in_all_but_last(block.statements()),
        _ => None,
    }
}

fn in_all_but_last(statements: &[Stmt]) -> Option<(Built, Position)> {
    let (_, rest) = statements.split_last()?;
    rest.iter().find_map(unused)
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

/// Where the text of an expression starts; Rhai places an operator at its sign.
pub(super) fn start_of(expression: &Expr) -> Position {
    match expression {
        Expr::FnCall(call, position) if call.op_token.is_some() => call.args.first().map_or(*position, start_of),
        Expr::Dot(chain, ..) => start_of(&chain.lhs),
        other => other.start_position(),
    }
}

/// Whether an expression can only be a command.
pub(super) fn is_command(expression: &Expr) -> bool {
    built_by(expression) == Some(Built::Command)
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
        Built::Command if name == "pipe" || SETTINGS.contains(&name) => Some(Built::Command),
        Built::Command if STREAMS.contains(&name) => Some(Built::Stream),
        Built::Stream if ADAPTORS.contains(&name) => Some(Built::Stream),
        _ => None,
    }
}
