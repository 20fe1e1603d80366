//! What is found in a program before it runs, beyond its syntax.

mod conditions;
mod unused;

use std::collections::{BTreeSet, HashMap, HashSet};

use rhai::{AST, ASTNode, Engine, Expr, FnAccess, FnCallExpr, Position, Stmt};

use crate::process::nearest_name;

use super::failure::Failure;
use super::library::{Earlier, Library};
use unused::Built;

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

/// Reports the first import that cannot be resolved, and the first call of a function that does not
/// exist, or not with so many arguments. Imported modules are compiled, and so checked, too.
///
/// After that, the first command that is built and never run, or stream that is never read.
pub(crate) fn check(
    engine: &Engine,
    library: &Library,
    ast: &AST,
    earlier: &Earlier,
    name: &str,
) -> Result<(), Failure> {
    let uses = Uses::of(ast);
    let modules = Modules::load(engine, library, &uses, name)?;
    let known = Known::of(engine, ast, earlier.functions);
    for call in &uses.calls {
        let problem = match &call.module {
            Some(alias) => modules.problem(call, alias),
            None => known.problem(call, &uses),
        };
        if let Some(problem) = problem {
            let place = library.sources.place(name, call.position);
            return Err(Failure::load(problem.message).at(place).with_help(problem.help));
        }
    }
    if let Some(position) = conditions::find(ast) {
        return Err(Failure::load("a command is not a truth value")
            .at(library.sources.place(name, position))
            .with_help(Some("run it and ask whether it succeeds: .test()")));
    }
    let Some((built, position)) = unused::find(ast, earlier.value_is_used) else { return Ok(()) };
    let (message, help) = match built {
        Built::Command => ("this command is built but never run", "run it with .run(), or keep it: let command = …"),
        Built::Stream => (
            "this stream is built but never read",
            "read it, with `for`, .each(…) or .to_array(), or keep it: let lines = …",
        ),
    };
    Err(Failure::load(message).at(library.sources.place(name, position)).with_help(Some(help)))
}

/// A call somewhere in the program.
struct Call {
    /// The module that it names, as in `git::branch()`.
    module: Option<String>,
    name: String,
    arguments: usize,
    is_method: bool,
    position: Position,
}

/// What a program uses and does not define.
struct Uses {
    calls: Vec<Call>,
    /// `import "path" as alias`, with the position of the statement.
    imports: Vec<(String, String, Position)>,
    /// Names of map entries and properties: what they hold may be a function, called as a method.
    properties: HashSet<String>,
}

impl Uses {
    fn of(ast: &AST) -> Self {
        let mut uses = Self { calls: Vec::new(), imports: Vec::new(), properties: HashSet::new() };
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(expr)) => uses.add_expr(expr),
                Some(ASTNode::Stmt(Stmt::FnCall(call, position))) => uses.add_call(call, false, *position),
                Some(ASTNode::Stmt(Stmt::Import(import, position))) => {
                    // A path that is computed is known only when the program runs.
                    if let Expr::StringConstant(path, _) = &import.0 {
                        uses.imports.push((path.to_string(), import.1.name.to_string(), *position));
                    }
                }
                _ => {}
            }
            true
        });
        uses
    }

    fn add_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::FnCall(call, position) => self.add_call(call, false, *position),
            Expr::MethodCall(call, position) => self.add_call(call, true, *position),
            Expr::Property(property, _) => {
                self.properties.insert(property.2.to_string());
            }
            Expr::Map(map, _) => self.properties.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            _ => {}
        }
    }

    fn add_call(&mut self, call: &FnCallExpr, is_method: bool, position: Position) {
        // Operators are checked by the types of their operands, when they run.
        if call.op_token.is_some() || !is_word(&call.name) {
            return;
        }
        let module = (!call.namespace.is_empty()).then(|| call.namespace.to_string());
        let (name, arguments) = (call.name.to_string(), call.args.len());
        self.calls.push(Call { module, name, arguments, is_method, position });
    }
}

/// The public functions of the imported modules, by the alias they are imported under.
struct Modules(HashMap<String, HashMap<String, BTreeSet<usize>>>);

impl Modules {
    fn load(engine: &Engine, library: &Library, uses: &Uses, importer: &str) -> Result<Self, Failure> {
        let mut modules: HashMap<String, HashMap<String, BTreeSet<usize>>> = HashMap::new();
        for (path, alias, position) in &uses.imports {
            let here = || library.sources.place(importer, *position);
            let Some(name) = library.find(importer, path) else {
                let standard = super::stdlib::MODULES.iter().map(|(name, _)| name.to_string());
                let help = nearest_name(path, standard).map(|similar| format!("did you mean \"{similar}\"?"));
                return Err(Failure::load(format!("there is no module \"{path}\"")).at(here()).with_help(help));
            };
            let ast = library.module(engine, &name).map_err(|failure| match failure.place() {
                Some(_) => failure,
                None => failure.at(here()),
            })?;
            let functions = modules.entry(alias.clone()).or_default();
            for function in ast.iter_functions().filter(|function| function.access == FnAccess::Public) {
                functions.entry(function.name.to_string()).or_default().insert(function.params.len());
            }
        }
        Ok(Self(modules))
    }

    fn problem(&self, call: &Call, alias: &str) -> Option<Problem> {
        let functions = self.0.get(alias)?;
        let Call { name, arguments, .. } = call;
        match functions.get(name) {
            Some(counts) if counts.contains(arguments) => None,
            Some(counts) => Some(Problem::wrong_count("function", &format!("{alias}::{name}"), counts, *arguments)),
            None => Some(Problem::unknown("function", &format!("{alias}::"), name, functions.keys().cloned())),
        }
    }
}

struct Problem {
    message: String,
    help: Option<String>,
}

impl Problem {
    fn unknown(noun: &str, prefix: &str, name: &str, names: impl Iterator<Item = String>) -> Self {
        let help = nearest_name(name, names).map(|similar| format!("did you mean `{prefix}{similar}`?"));
        Self { message: format!("there is no {noun} `{prefix}{name}`"), help }
    }

    fn wrong_count(noun: &str, name: &str, counts: &BTreeSet<usize>, arguments: usize) -> Self {
        let takes = counts.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
        let plural = if counts.len() == 1 && counts.contains(&1) { "" } else { "s" };
        Self { message: format!("the {noun} `{name}` takes {takes} argument{plural}, not {arguments}"), help: None }
    }
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

    fn problem(&self, call: &Call, uses: &Uses) -> Option<Problem> {
        let Call { name, arguments, is_method, .. } = call;
        if KEYWORD_FUNCTIONS.contains(&name.as_str()) || (*is_method && uses.properties.contains(name)) {
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
            return Some(Problem::unknown(noun, "", name, names));
        }
        Some(Problem::wrong_count(noun, name, &counts, *arguments))
    }
}
