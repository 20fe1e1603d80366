//! Names: which variables, modules and functions there are at each place of a program.
//!
//! Rhai's own strict mode knows only what its parser has declared, stops at the first mistake, and is
//! blind behind a custom syntax that may change the scope. So it is off, and this walk does its work.

use std::collections::HashSet;

use rhai::{ASTFlags, CustomExpr, Expr, FnCallExpr, Ident, Namespace, Position, Stmt};

use crate::script::library::Earlier;
use crate::script::problem::Code;
use crate::script::spelling::EVAL;

use super::Findings;
use super::calls::Functions;
use super::foreign;
use super::modules::Imports;
use super::program::{Call, Program};
use super::scopes::{Globals, Names};
use super::similar::Similar;

/// The signs of a custom syntax that stand for one of its inputs.
const INPUTS: &[&str] = &[
    "$ident$", "$symbol$", "$token$", "$expr$", "$block$", "$inner$", "$func$", "$bool$", "$int$", "$float$",
    "$string$",
];

/// What there is besides the program itself.
pub(super) struct Surroundings<'a> {
    pub functions: &'a Functions<'a>,
    pub imports: &'a Imports,
    pub earlier: &'a Earlier<'a>,
    pub similar: &'a Similar,
    /// Whether the text at a place is in double quotes, and somebody asks for warnings.
    pub is_quoted: &'a dyn Fn(Position) -> bool,
    /// Asks the interpreter for a variable, or a module, that the host has registered.
    pub host_has_variable: &'a dyn Fn(&str) -> bool,
    pub host_has_module: &'a dyn Fn(&str) -> bool,
}

/// `cmd("sh", "-c", …)`, `cmd("bash", ["-c", …])`
fn is_shell_option(argument: &Expr) -> bool {
    match argument {
        Expr::StringConstant(text, _) => text == "-c",
        Expr::Array(parts, _) => parts.iter().any(is_shell_option),
        Expr::DynamicConstant(value, _) => value
            .read_lock::<rhai::Array>()
            .is_some_and(|parts| parts.iter().any(|part| part.is_string() && part.to_string() == "-c")),
        _ => false,
    }
}

/// Reports variables, modules and functions that do not exist where they are used.
pub(super) fn find(program: &Program, around: &Surroundings, findings: &mut Findings) {
    let globals = Globals::of(program);
    let mut walk = Walk {
        around,
        globals: &globals,
        findings,
        variables: Names::default(),
        modules: Names::default(),
        script_variables: HashSet::new(),
        is_function: false,
        is_open: false,
        is_for_others: false,
    };
    let earlier = around.earlier.scope.into_iter().flat_map(|scope| scope.iter_raw());
    earlier.for_each(|(name, ..)| walk.declare(name));
    around.earlier.imports.iter().for_each(|(alias, _)| walk.modules.declare(alias));
    around.earlier.modules.iter().for_each(|name| walk.modules.declare(name));
    walk.statements(program.statements);
    for function in &program.functions {
        let aliases = if function.is_closure() { &globals.all_aliases } else { &globals.aliases };
        walk.variables = Names::default();
        walk.modules = Names::default();
        walk.is_function = true;
        walk.is_open = false;
        aliases.iter().for_each(|alias| walk.modules.declare(alias));
        around.earlier.imports.iter().for_each(|(alias, _)| walk.modules.declare(alias));
        // What a closure captures is a parameter of it, and a use at the place where it is made.
        function.definition.params.iter().for_each(|name| walk.variables.declare(name));
        walk.statements(&function.body);
    }
}

struct Walk<'a> {
    around: &'a Surroundings<'a>,
    globals: &'a Globals<'a>,
    findings: &'a mut Findings,
    variables: Names<'a>,
    modules: Names<'a>,
    /// Whatever the statements of the script have declared anywhere.
    script_variables: HashSet<&'a str>,
    /// Whether this is the body of a function, which does not see them.
    is_function: bool,
    /// Whether anything may have been declared: `eval` declares in the scope of its caller.
    is_open: bool,
    /// Whether texts are for a shell, which has slots of its own.
    is_for_others: bool,
}

impl<'a> Walk<'a> {
    fn declare(&mut self, name: &'a str) {
        self.variables.declare(name);
        if !self.is_function {
            self.script_variables.insert(name);
        }
    }

    fn scope(&mut self, inside: impl FnOnce(&mut Self)) {
        let (variables, modules) = (self.variables.depth(), self.modules.depth());
        inside(self);
        self.variables.leave(variables);
        self.modules.leave(modules);
    }

    fn block(&mut self, statements: &'a [Stmt]) {
        self.scope(|walk| walk.statements(statements));
    }

    fn statements(&mut self, statements: &'a [Stmt]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::If(parts, _) | Stmt::While(parts, _) | Stmt::Do(parts, ..) => {
                self.expression(&parts.expr);
                self.block(parts.body.statements());
                self.block(parts.branch.statements());
            }
            Stmt::Switch(parts, _) => {
                self.expression(&parts.0);
                for case in &parts.1.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::For(parts, _) => {
                let (name, counter, parts) = &**parts;
                self.expression(&parts.expr);
                self.scope(|walk| {
                    counter.iter().chain([name]).for_each(|ident| walk.declare(&ident.name));
                    walk.statements(parts.body.statements());
                });
            }
            Stmt::Var(parts, ..) => {
                self.expression(&parts.1);
                self.declare(&parts.0.name);
            }
            Stmt::Assignment(parts) => {
                let before = self.findings.len();
                self.expression(&parts.1.lhs);
                if let Expr::Variable(variable, ..) = &parts.1.lhs
                    && self.findings.len() > before
                    && !parts.0.is_op_assignment()
                    && !self.findings.has_help(before)
                {
                    self.findings.set_help(before, &format!("a new variable is declared: let {} = …;", variable.1));
                    // That says it all.
                    self.declare(&variable.1);
                }
                self.expression(&parts.1.rhs);
            }
            Stmt::FnCall(call, position) => self.call(call, false, *position),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::TryCatch(parts, _) => {
                self.block(parts.body.statements());
                self.scope(|walk| {
                    if let Expr::Variable(variable, ..) = &parts.expr {
                        walk.declare(&variable.1);
                    }
                    walk.statements(parts.branch.statements());
                });
            }
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => self.expression(value),
            Stmt::Import(parts, _) => self.import(&parts.0, &parts.1),
            Stmt::Export(parts, _) => self.variable(&parts.0.name, parts.0.pos),
            // Wherever a closure is made, what it captures has to be there, and to be a variable.
            Stmt::Share(captured) => {
                for (ident, _) in &**captured {
                    self.captured(ident);
                }
            }
            _ => {}
        }
    }

    fn import(&mut self, path: &'a Expr, alias: &'a Ident) {
        let before = self.findings.len();
        self.expression(path);
        if self.findings.len() > before && !matches!(path, Expr::StringConstant(..)) {
            self.findings.set_help(before, "the path of a module is a text: import \"std/git\" as git;");
        }
        if !alias.name.is_empty() {
            self.modules.declare(&alias.name);
        }
    }

    fn expressions(&mut self, expressions: &'a [Expr]) {
        expressions.iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Variable(variable, _, position) => match variable.2.is_empty() {
                true => self.variable(&variable.1, *position),
                false => self.in_module(&variable.2, &variable.1, *position),
            },
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => self.expressions(parts),
            Expr::Map(parts, _) => parts.0.iter().for_each(|(_, value)| self.expression(value)),
            Expr::Stmt(block) => self.block(block.statements()),
            Expr::FnCall(call, position) => self.call(call, false, *position),
            Expr::MethodCall(call, position) => self.call(call, true, *position),
            Expr::Dot(parts, flags, _) | Expr::Index(parts, flags, _) => {
                self.perhaps(&parts.lhs, flags.contains(ASTFlags::NEGATED).then_some("?."));
                self.expression(&parts.rhs);
            }
            Expr::Coalesce(parts, _) => {
                for (index, part) in parts.iter().enumerate() {
                    self.perhaps(part, (index + 1 < parts.len()).then_some("??"));
                }
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => self.expressions(parts),
            Expr::StringConstant(text, position) => self.text(text, *position),
            Expr::Custom(custom, _) => self.custom(custom),
            _ => {}
        }
    }

    /// What an operator looks at that lets `()` through; a name that does not exist is not `()`.
    fn perhaps(&mut self, expression: &'a Expr, operator: Option<&str>) {
        let before = self.findings.len();
        self.expression(expression);
        if let (Expr::Variable(variable, ..), Some(operator)) = (expression, operator)
            && self.findings.len() > before
            && !self.findings.has_help(before)
        {
            let help = format!("`{operator}` is for values that may be (): declare it first: let {} = ();", variable.1);
            self.findings.set_help(before, &help);
        }
    }

    /// A slot is one between backquotes only.
    fn text(&mut self, text: &str, position: Position) {
        if self.is_for_others || !text.contains("${") {
            return;
        }
        let slots = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
        let name = slots.map(|(name, _)| name.trim()).find(|name| self.variables.has(name));
        if let Some(name) = name.filter(|_| (self.around.is_quoted)(position)) {
            let message = format!("`${{{name}}}` is no slot in a text in double quotes");
            let help = format!("to have the value of `{name}` there, use backquotes: `…${{{name}}}…`");
            self.findings.add(Code::LiteralSlot, position, message, Some(help));
        }
    }

    /// What a custom syntax calls `$ident$` is a name, and one that it declares when it may change the
    /// scope.
    fn custom(&mut self, custom: &'a CustomExpr) {
        self.is_open |= custom.tokens.first().is_some_and(|token| token == EVAL);
        let signs = custom.tokens.iter().filter(|token| INPUTS.contains(&token.as_str()));
        let signs: Vec<&str> = signs.map(|token| token.as_str()).collect();
        for (index, input) in custom.inputs.iter().enumerate() {
            match input {
                Expr::Variable(variable, ..) if signs.get(index) == Some(&"$ident$") => {
                    if custom.scope_may_be_changed {
                        self.declare(&variable.1);
                    }
                }
                input => self.expression(input),
            }
        }
    }

    fn call(&mut self, call: &'a FnCallExpr, is_method: bool, position: Position) {
        let is_shell = call.name == "sh" || call.args.iter().any(is_shell_option);
        let before = self.is_for_others;
        self.is_for_others |= is_shell;
        self.expressions(&call.args);
        self.is_for_others = before;
        if call.op_token.is_some() || !call.name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return;
        }
        let call = Call { call, is_method, position };
        if !call.call.namespace.is_empty() {
            return self.call_in_module(call);
        }
        let variable = !is_method && self.variables.has(&call.call.name);
        if let Some(mut problem) = self.around.functions.problem(call, self.around.similar) {
            if variable {
                let name = &call.call.name;
                problem.help = Some(format!("`{name}` is a variable: call what it holds with {name}.call(…)"));
            }
            self.findings.push(position, problem);
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.variables.has(name) || self.is_open || (self.around.host_has_variable)(name)
    }

    fn variable(&mut self, name: &'a str, position: Position) {
        // The name of a function of the script is a value.
        if !self.is_known(name) && !self.around.functions.in_script(name) {
            let help = self.help_for(name);
            self.findings.add(Code::UndefinedVariable, position, format!("there is no variable `{name}` here"), help);
        }
    }

    fn captured(&mut self, ident: &'a Ident) {
        if !self.is_known(&ident.name) && self.around.functions.in_script(&ident.name) {
            // Rhai takes the names of functions below for variables.
            let message = format!("there is no variable `{}` here", ident.name);
            let help = format!("write |x| {}(x), or put the function above this line", ident.name);
            self.findings.add(Code::UndefinedVariable, ident.pos, message, Some(help));
        } else {
            self.variable(&ident.name, ident.pos);
        }
    }

    fn help_for(&self, name: &str) -> Option<String> {
        if self.is_function && self.globals.constants.contains(name) {
            return Some(format!("a function sees the constants of its script as global::{name}"));
        }
        if self.is_function && self.script_variables.contains(name) {
            let help = "functions do not see script variables: pass it, or make it `const` and write global::";
            return Some(format!("{help}{name}"));
        }
        if let Some(help) = foreign::value(name) {
            return Some(help.to_string());
        }
        let functions = self.around.functions;
        if let Some(similar) = self.around.similar.to(name, self.variables.all().chain(functions.script_names())) {
            return Some(format!("did you mean `{similar}`?"));
        }
        functions.exists(name).then(|| format!("`{name}` is a function: to pass it on, write |x| {name}(x)"))
    }

    /// Whether the module is there; reports it otherwise.
    fn has_module(&mut self, namespace: &Namespace) -> bool {
        let root = namespace.root();
        if self.modules.has(root) || self.is_open || (self.around.host_has_module)(root) {
            return true;
        }
        let help = match self.around.similar.to(root, self.modules.all().chain(["global".to_string()])) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => match crate::script::stdlib::MODULES.iter().find(|(path, _)| path.ends_with(&format!("/{root}"))) {
                Some((path, _)) => format!("import it: import \"{path}\" as {root};"),
                None => format!("import it: import \"…\" as {root};"),
            },
        };
        let message = format!("there is no module `{root}` here");
        self.findings.add(Code::UndefinedModule, namespace.position(), message, Some(help));
        false
    }

    /// `git::NAME`, `global::NAME`.
    fn in_module(&mut self, namespace: &'a Namespace, name: &'a str, position: Position) {
        let help = if namespace.root() == "global" {
            let is_earlier = self.around.earlier.scope.is_some_and(|scope| scope.contains(name));
            // A text of `eval` may stand in any function.
            let is_eval = self.around.earlier.importer.is_some();
            if self.globals.constants.contains(name)
                || is_earlier
                || is_eval
                || namespace.path.len() > 1
                || self.is_open
            {
                return;
            }
            match self.script_variables.contains(name) {
                true => Some(format!("global:: has constants only: declare it with const {name} = …")),
                false => self.like(name, self.globals.constants.iter().map(|name| (*name).to_string()), "global::"),
            }
        } else {
            let is_there = self.has_module(namespace);
            let exported = self.around.imports.variables(&namespace.to_string());
            match exported {
                Some(names) if is_there && !names.contains(name) => {
                    self.like(name, names.iter().cloned(), &format!("{namespace}::"))
                }
                _ => return,
            }
        };
        let message = format!("there is no variable `{namespace}::{name}`");
        self.findings.add(Code::UndefinedVariable, position, message, help);
    }

    fn like(&self, name: &str, names: impl Iterator<Item = String>, prefix: &str) -> Option<String> {
        self.around.similar.to(name, names).map(|similar| format!("did you mean `{prefix}{similar}`?"))
    }

    fn call_in_module(&mut self, call: Call) {
        if call.call.namespace.root() == "global" || !self.has_module(&call.call.namespace) {
            return;
        }
        let namespace = call.call.namespace.to_string();
        if let Some(functions) = self.around.imports.functions(&namespace)
            && let Some(problem) = super::calls::in_module(call, &namespace, functions, self.around.similar)
        {
            self.findings.push(call.position, problem);
        }
    }
}
