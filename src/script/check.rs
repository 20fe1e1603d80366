//! What is found in a program before it runs, beyond its syntax.

use std::collections::{BTreeSet, HashMap, HashSet};

use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, Position, Stmt};

use crate::process::nearest_name;

use super::failure::{Failure, Place};
use super::world::Sources;

/// Functions that the interpreter itself provides under these names.
const KEYWORD_FUNCTIONS: &[&str] =
    &["Fn", "call", "curry", "type_of", "is_def_var", "is_def_fn", "is_shared", "print", "debug", "eval"];

/// The names of all functions that are registered with the engine.
pub(crate) fn function_names(engine: &Engine) -> Vec<String> {
    let names = engine.collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), true);
    let names: BTreeSet<String> = names.into_iter().filter(|name| is_word(name)).collect();
    names.into_iter().collect()
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reports the first call of a function that does not exist, or not with so many arguments.
///
/// `earlier` has functions that exist already, in a session.
pub(crate) fn check(
    engine: &Engine,
    ast: &AST,
    earlier: Option<&AST>,
    name: &str,
    sources: &Sources,
) -> Result<(), Failure> {
    let calls = Calls::of(ast);
    if calls.list.is_empty() {
        return Ok(());
    }
    let known = Known::of(engine, ast, earlier);
    let Some((call, problem)) = calls.list.iter().find_map(|call| known.problem(call, &calls).map(|p| (call, p)))
    else {
        return Ok(());
    };
    let line = call.position.line().unwrap_or(1);
    let place = Place {
        file: name.to_string(),
        line,
        column: call.position.position().unwrap_or(1),
        text: sources.line(name, line),
    };
    Err(Failure::load(problem.message).at(Some(place)).with_help(problem.help))
}

/// A call somewhere in the program.
struct Call {
    name: String,
    arguments: usize,
    is_method: bool,
    position: Position,
}

struct Calls {
    list: Vec<Call>,
    /// Names of map entries and properties: what they hold may be a function, called as a method.
    properties: HashSet<String>,
}

impl Calls {
    fn of(ast: &AST) -> Self {
        let mut calls = Self { list: Vec::new(), properties: HashSet::new() };
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(expr)) => calls.add_expr(expr),
                Some(ASTNode::Stmt(Stmt::FnCall(call, position))) => calls.add(call, false, *position),
                _ => {}
            }
            true
        });
        calls
    }

    fn add_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::FnCall(call, position) => self.add(call, false, *position),
            Expr::MethodCall(call, position) => self.add(call, true, *position),
            Expr::Property(property, _) => {
                self.properties.insert(property.2.to_string());
            }
            Expr::Map(map, _) => self.properties.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            _ => {}
        }
    }

    fn add(&mut self, call: &FnCallExpr, is_method: bool, position: Position) {
        // Functions of modules are known when the module is; operators are checked by their types.
        if call.namespace.is_empty() && call.op_token.is_none() && is_word(&call.name) {
            let name = call.name.to_string();
            self.list.push(Call { name, arguments: call.args.len(), is_method, position });
        }
    }
}

struct Problem {
    message: String,
    help: Option<String>,
}

/// The functions that can be called without a namespace, with the numbers of arguments they take.
struct Known {
    native: HashMap<String, BTreeSet<usize>>,
    script: HashMap<String, BTreeSet<usize>>,
}

impl Known {
    fn of(engine: &Engine, ast: &AST, earlier: Option<&AST>) -> Self {
        let mut native: HashMap<String, BTreeSet<usize>> = HashMap::new();
        let registered = engine.collect_fn_metadata(
            None,
            |info| Some((info.metadata.name.to_string(), info.metadata.num_params)),
            true,
        );
        for (name, parameters) in registered {
            native.entry(name).or_default().insert(parameters);
        }
        let mut script: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for function in ast.iter_functions().chain(earlier.into_iter().flat_map(AST::iter_functions)) {
            script.entry(function.name.to_string()).or_default().insert(function.params.len());
        }
        Self { native, script }
    }

    fn problem(&self, call: &Call, calls: &Calls) -> Option<Problem> {
        let Call { name, arguments, is_method, .. } = call;
        if KEYWORD_FUNCTIONS.contains(&name.as_str()) || (*is_method && calls.properties.contains(name)) {
            return None;
        }
        let natively = arguments + usize::from(*is_method);
        let native = self.native.get(name);
        let script = self.script.get(name);
        if native.is_some_and(|counts| counts.contains(&natively)) || script.is_some_and(|c| c.contains(arguments)) {
            return None;
        }
        let object = usize::from(*is_method);
        let counts: BTreeSet<usize> = native
            .into_iter()
            .flatten()
            .filter_map(|count| count.checked_sub(object))
            .chain(script.into_iter().flatten().copied())
            .collect();
        let noun = if *is_method { "method" } else { "function" };
        if counts.is_empty() {
            let names = self.native.keys().chain(self.script.keys()).filter(|name| is_word(name)).cloned();
            let help = nearest_name(name, names).map(|similar| format!("did you mean `{similar}`?"));
            return Some(Problem { message: format!("there is no {noun} `{name}`"), help });
        }
        let takes = counts.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
        let plural = if counts.len() == 1 && counts.contains(&1) { "" } else { "s" };
        let message = format!("the {noun} `{name}` takes {takes} argument{plural}, not {arguments}");
        Some(Problem { message, help: None })
    }
}
