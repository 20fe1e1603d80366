//! Tests of a text without the interpreter's machinery for calls.
//!
//! `line.contains("x")` is what loops over lines consist of, and takes Rhai some 2,500 instructions, most of them to
//! find out which function is meant. Where that is known before the program runs, the call becomes syntax of our own,
//! which looks at the text, or, when the value is none, leaves everything to the call as it was written.
//!
//! Where such a test is all that the body of a loop begins with, the stream that the loop goes through is told what its
//! lines must hold: most lines that nobody wants are then passed over in the buffer, and the test looks at the rest.
//!
//! It is known in a program whose text names all that it calls ([`Words`](super::registry::Words)) and has no function
//! of that name. Only what stands outside of functions is changed: Rhai lets nobody change a function's body.

use rhai::{
    AST, ASTFlags, CustomExpr, Dynamic, Engine, EvalContext, Expr, FlowControl, FnCallExpr, ImmutableString as Text,
    Position, Stmt, StmtBlock,
};

use super::stream::Stream;
use super::template::error as parse_error;

/// The word of this syntax. Nobody can write it, and it comes before all others in the table of syntax, in which Rhai
/// looks for it each time: behind the others it took a seventh of a loop.
const TEXT_TEST: &str = "!text";

/// The word for what a loop goes through and says what it wants of.
const WANTED: &str = "!wanted";

/// The methods of texts that are tests, with what Rhai's own functions do.
const TESTS: &[(&str, Test)] = &[
    ("contains", |text, part| text.contains(part)),
    ("starts_with", |text, part| text.starts_with(part)),
    ("ends_with", |text, part| text.ends_with(part)),
];

type Test = fn(&str, &str) -> bool;

/// The program with its tests of texts as syntax of our own.
pub(super) fn quickened(ast: AST) -> AST {
    let is_own = |name: &str| ast.iter_functions().any(|function| function.name == name);
    if TESTS.iter().any(|(name, _)| is_own(name)) || !has_test(&ast) {
        return ast;
    }
    let mut statements = ast.statements().to_vec();
    statements.iter_mut().for_each(statement);
    let mut quick = AST::new(statements, ast.shared_lib().clone());
    if let Some(source) = ast.source() {
        quick.set_source(source);
    }
    quick
}

/// Most programs have none, and need no copy.
fn has_test(ast: &AST) -> bool {
    let mut found = false;
    ast.walk(&mut |path| {
        if let Some(rhai::ASTNode::Expr(expression)) = path.last() {
            found |= test_of(expression).is_some();
        }
        !found
    });
    found
}

fn statement(statement: &mut Stmt) {
    match statement {
        Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, _, _) | Stmt::TryCatch(flow, _) => control(flow),
        Stmt::For(parts, _) => {
            let (variable, counter, flow) = &mut **parts;
            // Who counts the elements has to see all of them.
            let wanted = if counter.is_none() { wanted_by(&flow.body, &variable.name) } else { None };
            control(flow);
            if let Some(part) = wanted {
                let position = flow.expr.start_position();
                flow.expr = syntax(WANTED, flow.expr.clone(), part.into(), position);
            }
        }
        Stmt::Switch(parts, _) => {
            expression(&mut parts.0);
            for case in &mut parts.1.expressions {
                expression(&mut case.lhs);
                expression(&mut case.rhs);
            }
        }
        Stmt::Var(parts, _, _) => expression(&mut parts.1),
        Stmt::Assignment(parts) => expression(&mut parts.1.rhs),
        Stmt::FnCall(call, _) => call.args.iter_mut().for_each(expression),
        Stmt::Block(statements) => block(statements),
        Stmt::Expr(inner) => expression(inner),
        _ => {}
    }
}

fn control(flow: &mut FlowControl) {
    expression(&mut flow.expr);
    block(&mut flow.body);
    block(&mut flow.branch);
}

fn block(statements: &mut StmtBlock) {
    statements.statements_mut().iter_mut().for_each(statement);
}

fn expression(written: &mut Expr) {
    if let Some((test, position)) = test_of(written) {
        *written = syntax(TEXT_TEST, written.clone(), Dynamic::from_int(test as i64), position);
        return;
    }
    match written {
        Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
            parts.iter_mut().for_each(expression);
        }
        Expr::FnCall(call, _) => call.args.iter_mut().for_each(expression),
        Expr::Stmt(statements) => block(statements),
        _ => {}
    }
}

/// Syntax of our own around an expression.
fn syntax(word: &str, around: Expr, state: Dynamic, position: Position) -> Expr {
    let custom = CustomExpr {
        inputs: [around].into_iter().collect(),
        tokens: [word.into()].into_iter().collect(),
        state,
        scope_may_be_changed: false,
        self_terminated: false,
    };
    Expr::Custom(Box::new(custom), position)
}

/// What a text must hold for the body of a loop to do anything at all with it: the body is one `if` without `else`, and
/// its condition is, or begins with, a test of the loop's variable.
fn wanted_by(body: &StmtBlock, variable: &str) -> Option<Text> {
    let [Stmt::If(flow, _)] = body.statements() else { return None };
    let mut first = &flow.expr;
    while let Expr::And(parts, _) = first {
        first = parts.first()?;
    }
    let Expr::Dot(parts, ..) = first else { return None };
    let (Expr::Variable(tested, _, _), Expr::MethodCall(call, _)) = (&parts.lhs, &parts.rhs) else { return None };
    let is_wanted = flow.branch.is_empty() && tested.1 == variable && test_of(first).is_some();
    // A text that begins or ends with something holds it.
    if is_wanted { part_of(call).map(Text::from) } else { None }
}

/// Which of the tests this is, when it is a method of a variable with a constant text, and its place.
fn test_of(written: &Expr) -> Option<(usize, Position)> {
    let Expr::Dot(parts, flags, position) = written else { return None };
    let (Expr::Variable(variable, _, _), Expr::MethodCall(call, _)) = (&parts.lhs, &parts.rhs) else { return None };
    if flags.contains(ASTFlags::NEGATED) || !variable.2.is_empty() || part_of(call).is_none() {
        return None;
    }
    let test = TESTS.iter().position(|(name, _)| *name == call.name)?;
    Some((test, if position.is_none() { written.start_position() } else { *position }))
}

/// What is looked for.
fn part_of(call: &FnCallExpr) -> Option<&str> {
    match call.args.as_slice() {
        [Expr::StringConstant(part, _)] => Some(part),
        _ => None,
    }
}

/// What the test says of the variable; `None` when that is no text.
fn answer(context: &EvalContext, written: &Expr, test: Test) -> Option<bool> {
    let Expr::Dot(parts, ..) = written else { return None };
    let (Expr::Variable(variable, _, _), Expr::MethodCall(call, _)) = (&parts.lhs, &parts.rhs) else { return None };
    // Looked at where it is: a list would be copied to be evaluated.
    let text = context.scope().get(&variable.1)?.as_immutable_string_ref().ok()?;
    Some(test(&text, part_of(call)?))
}

pub(super) fn register(engine: &mut Engine) {
    let parse = |_: &[Text], _: &str, _: &mut Dynamic| Ok(None);
    engine.register_custom_syntax_with_state_raw(WANTED, parse, false, |context, inputs, part| {
        let [stream] = inputs else { return Err(parse_error("broken loop".to_string()).into()) };
        let value = context.eval_expression_tree(stream)?;
        if let (Some(stream), Ok(part)) = (value.read_lock::<Stream>(), part.as_immutable_string_ref()) {
            stream.prefer_containing(&part);
        }
        Ok(value)
    });
    engine.register_custom_syntax_with_state_raw(TEXT_TEST, parse, false, |context, inputs, test| {
        let broken = || parse_error("broken test".to_string());
        let [written] = inputs else { return Err(broken().into()) };
        let (_, test) = test.as_int().ok().and_then(|test| TESTS.get(test as usize)).ok_or_else(broken)?;
        match answer(context, written, *test) {
            Some(answer) => Ok(answer.into()),
            None => context.eval_expression_tree(written),
        }
    });
}
