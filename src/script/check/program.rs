//! A parsed program as the checks look at it: its statements, its functions, and a walk over both.

use std::collections::HashSet;

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, ScriptFuncDef, Stmt};

use crate::script::spelling;

/// What a source text consists of.
pub(super) struct Program<'a> {
    pub statements: &'a [Stmt],
    pub functions: Vec<Function<'a>>,
    names: HashSet<&'a str>,
    /// The closures whose value nobody uses, because `defer` made them.
    deferred: HashSet<String>,
    /// Whether somebody looks at the value of the last statement.
    pub value_is_used: bool,
}

/// A function or a closure.
pub(super) struct Function<'a> {
    pub definition: &'a ScriptFuncDef,
    pub body: Vec<Stmt>,
}

impl Function<'_> {
    pub fn is_closure(&self) -> bool {
        self.definition.name.starts_with("anon$")
    }
}

impl<'a> Program<'a> {
    /// Rhai shows the statements of functions one after another, to a callback that cannot keep them,
    /// and does not say whose they are: they are copied, and go by their positions.
    pub fn of(ast: &'a AST, value_is_used: bool) -> Self {
        let mut functions: Vec<Function> =
            ast.iter_fn_def().map(|definition| Function { definition, body: Vec::new() }).collect();
        functions.sort_by_key(|function| function.definition.body.start_position());
        let enclosing = enclosing(&functions);
        let mut own = ast.statements().len();
        ast.walk(&mut |path: &[ASTNode]| {
            if let [ASTNode::Stmt(statement)] = path {
                match own.checked_sub(1) {
                    Some(fewer) => own = fewer,
                    None => {
                        if let Some(index) = function_at(&functions, &enclosing, statement.position()) {
                            functions[index].body.push((*statement).clone());
                        }
                    }
                }
            }
            true
        });
        let mut deferred = HashSet::new();
        ast.walk(&mut |path: &[ASTNode]| {
            if let Some(ASTNode::Expr(Expr::Custom(custom, _))) = path.last()
                && custom
                    .tokens
                    .first()
                    .is_some_and(|token| [spelling::DEFER, spelling::DEFER_MORE].contains(&token.as_str()))
            {
                deferred.extend(custom.inputs.first().and_then(closure_name));
            }
            true
        });
        let names = ast.iter_fn_def().map(|definition| definition.name.as_str()).collect();
        Self { statements: ast.statements(), functions, names, deferred, value_is_used }
    }

    /// Shows everything in the program.
    pub fn walk<'p>(&'p self, show: &mut impl FnMut(Node<'p>)) {
        let mut walk = Walk { show };
        walk.block(self.statements, self.value_is_used);
        for function in &self.functions {
            walk.block(&function.body, !self.is_deferred(function));
        }
    }

    /// Shows what is in the blocks of `defer`.
    pub fn walk_deferred<'p>(&'p self, show: &mut impl FnMut(Node<'p>)) {
        let mut walk = Walk { show };
        let deferred = self.functions.iter().filter(|function| self.is_deferred(function));
        deferred.for_each(|function| walk.block(&function.body, false));
    }

    fn is_deferred(&self, function: &Function) -> bool {
        self.deferred.contains(function.definition.name.as_str())
    }

    /// Whether the program itself defines a function of this name.
    pub fn defines(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The name that Rhai gives to a closure, by the expression that makes it.
fn closure_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::DynamicConstant(value, _) => value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_string()),
        // One that captures something: `{ share …; curry(closure, …) }`.
        Expr::Stmt(block) => block.iter().find_map(|statement| match statement {
            Stmt::FnCall(call, _) => call.args.first().and_then(closure_name),
            Stmt::Expr(expression) => match &**expression {
                Expr::FnCall(call, _) => call.args.first().and_then(closure_name),
                other => closure_name(other),
            },
            _ => None,
        }),
        _ => None,
    }
}

/// For each function the one directly around it.
fn enclosing(functions: &[Function]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    let mut enclosing = Vec::with_capacity(functions.len());
    for (index, function) in functions.iter().enumerate() {
        let start = function.definition.body.start_position();
        while open.last().is_some_and(|outer| functions[*outer].definition.body.end_position() < start) {
            open.pop();
        }
        enclosing.push(open.last().copied());
        // The body of a closure without braces has no end: it is one statement.
        if !function.definition.body.end_position().is_none() {
            open.push(index);
        }
    }
    enclosing
}

/// The innermost function around a statement.
fn function_at(functions: &[Function], enclosing: &[Option<usize>], position: Position) -> Option<usize> {
    let behind = functions.partition_point(|function| function.definition.body.start_position() <= position);
    let mut candidate = behind.checked_sub(1);
    while let Some(index) = candidate {
        let body = &functions[index].definition.body;
        if body.start_position() == position || (!body.end_position().is_none() && position <= body.end_position()) {
            return Some(index);
        }
        candidate = enclosing[index];
    }
    None
}

/// Something in a program.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// The statements of a block.
    Block(&'a [Stmt]),
    /// A statement, and whether its value may be used.
    Statement(&'a Stmt, bool),
    Expression(&'a Expr),
    Call(Call<'a>),
}

/// A call, as statement or expression, of a function or a method.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub call: &'a FnCallExpr,
    pub is_method: bool,
    pub position: Position,
}

struct Walk<'s, F> {
    show: &'s mut F,
}

impl<'a, F: FnMut(Node<'a>)> Walk<'_, F> {
    /// `is_used`: the value of the last statement may be.
    fn block(&mut self, statements: &'a [Stmt], is_used: bool) {
        (self.show)(Node::Block(statements));
        for (index, statement) in statements.iter().enumerate() {
            self.statement(statement, is_used && index + 1 == statements.len());
        }
    }

    fn statement(&mut self, statement: &'a Stmt, is_used: bool) {
        (self.show)(Node::Statement(statement, is_used));
        match statement {
            Stmt::If(parts, _) => {
                self.expression(&parts.expr);
                self.block(parts.body.statements(), is_used);
                self.block(parts.branch.statements(), is_used);
            }
            Stmt::Switch(parts, _) => {
                self.expression(&parts.0);
                for case in &parts.1.expressions {
                    self.expression(&case.lhs);
                    self.value(&case.rhs, is_used);
                }
            }
            Stmt::While(parts, _) | Stmt::Do(parts, ..) => {
                self.expression(&parts.expr);
                self.block(parts.body.statements(), false);
            }
            Stmt::For(parts, _) => {
                self.expression(&parts.2.expr);
                self.block(parts.2.body.statements(), false);
            }
            Stmt::Var(parts, ..) => self.expression(&parts.1),
            Stmt::Assignment(parts) => {
                self.expression(&parts.1.lhs);
                self.expression(&parts.1.rhs);
            }
            Stmt::FnCall(call, position) => self.call(call, false, *position),
            Stmt::Block(block) => self.block(block.statements(), is_used),
            Stmt::TryCatch(parts, _) => {
                // To build something is reason enough to try: it may be refused.
                self.block(parts.body.statements(), true);
                self.block(parts.branch.statements(), is_used);
            }
            Stmt::Expr(expression) => self.value(expression, is_used),
            Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => self.expression(value),
            Stmt::Import(parts, _) => self.expression(&parts.0),
            _ => {}
        }
    }

    fn value(&mut self, expression: &'a Expr, is_used: bool) {
        match expression {
            Expr::Stmt(block) => {
                (self.show)(Node::Expression(expression));
                self.block(block.statements(), is_used);
            }
            // The value of `with … { … }` is that of its block.
            Expr::Custom(custom, _) if custom.tokens.first().is_some_and(|token| token == "with") => {
                (self.show)(Node::Expression(expression));
                custom.inputs.iter().for_each(|input| self.value(input, is_used));
            }
            expression => self.expression(expression),
        }
    }

    fn call(&mut self, call: &'a FnCallExpr, is_method: bool, position: Position) {
        (self.show)(Node::Call(Call { call, is_method, position }));
        self.all(&call.args);
    }

    fn all(&mut self, expressions: &'a [Expr]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &'a Expr) {
        (self.show)(Node::Expression(expression));
        match expression {
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => self.all(parts),
            Expr::Map(parts, _) => parts.0.iter().for_each(|(_, value)| self.expression(value)),
            Expr::Stmt(block) => self.block(block.statements(), true),
            Expr::FnCall(call, position) => self.call(call, false, *position),
            Expr::MethodCall(call, position) => self.call(call, true, *position),
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.expression(&parts.lhs);
                self.expression(&parts.rhs);
            }
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => self.all(parts),
            Expr::Custom(custom, _) => self.all(&custom.inputs),
            _ => {}
        }
    }
}

/// Where the text of an expression starts; Rhai places an operator at its sign.
pub(super) fn start_of(expression: &Expr) -> Position {
    match expression {
        Expr::FnCall(call, position) if call.op_token.is_some() => call.args.first().map_or(*position, start_of),
        Expr::And(parts, position) | Expr::Or(parts, position) | Expr::Coalesce(parts, position) => {
            parts.first().map_or(*position, start_of)
        }
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => start_of(&parts.lhs),
        other => other.start_position(),
    }
}
