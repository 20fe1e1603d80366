//! `eval(text)`: statements in the scope of the call, prepared and checked as a program is.
//!
//! Rhai's own parses the text as it is: it knows neither our spelling nor the check, and its errors have no place in
//! the text. Ours is a syntax ([`EVAL`], by the [spelling](super::spelling)), because only that gets at the scope.

use std::sync::Arc;

use rhai::{
    AST, Dynamic, Engine, EvalAltResult, EvalContext, Expr, Expression as Part, ImmutableString, Module, Position,
    Shared, Stmt, StmtBlock,
};

use super::caught::ScriptError;
use super::error::CallPlace;
use super::failure::Failure;
use super::library::Earlier;
use super::spelling::EVAL;
use super::template::error as parse_error;
use super::words::readable_type;
use super::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(crate) fn register(engine: &mut Engine, world: &Arc<World>) {
    let world = world.clone();
    let parse = |symbols: &[ImmutableString], _: &str, _: &mut Dynamic| {
        Ok(match symbols.len() {
            1 => Some("(".into()),
            2 => Some("$expr$".into()),
            3 => Some(")".into()),
            4 => Some("$$eval".into()),
            _ => None,
        })
    };
    engine.register_custom_syntax_with_state_raw(EVAL, parse, true, move |context, inputs, _| {
        let [text, end] = inputs else { return Err(parse_error("broken eval".to_string()).into()) };
        let place = CallPlace { file: context.source().map(str::to_string), position: end.position() };
        evaluate(&world, context, text, &place).map_err(|error| called(error, &place))
    });
}

/// An error that came out of the text, with the call.
fn called(error: Box<EvalAltResult>, place: &CallPlace) -> Box<EvalAltResult> {
    match error.is_pseudo_error() || error.is_system_exception() || error.position() == place.position {
        true => error,
        false => {
            let file = place.file.clone().unwrap_or_default();
            EvalAltResult::ErrorInFunctionCall("eval".to_string(), file, error, place.position).into()
        }
    }
}

fn evaluate(world: &Arc<World>, context: &mut EvalContext, text: &Part, place: &CallPlace) -> Result<Dynamic> {
    let text = context.eval_expression_tree(text)?.flatten();
    let Some(text) = text.read_lock::<ImmutableString>().map(|text| text.clone()) else {
        let message = format!("eval takes a text with statements, not {}", readable_type(text.type_name()));
        return Err(place.invalid(world, message));
    };
    let name = match world.place(place.file.as_deref(), place.position) {
        Some(at) => format!("eval at {}:{}:{}", at.file, at.line, at.column),
        None => "eval".to_string(),
    };
    let ast = compile(world, context, &name, &text, place).map_err(|failure| refused(world, failure))?;
    let closures = ast.shared_lib().clone();
    if closures.iter_script_fn_info().next().is_some() {
        keep(context, closures);
    }
    run(context, &ast, place)
}

/// Parses and checks the text as a part of what is around it.
fn compile(
    world: &World,
    context: &EvalContext,
    name: &str,
    text: &str,
    place: &CallPlace,
) -> std::result::Result<AST, Failure> {
    let functions = context.namespaces().iter().map(|module| AST::new_from_module(module.clone()));
    let functions = functions.reduce(|all, more| all.merge(&more));
    let earlier = Earlier {
        scope: Some(context.scope()),
        functions: functions.as_ref(),
        value_is_used: true,
        imports: &[],
        modules: context.iter_imports().map(|(name, _)| name.to_string()).collect(),
        importer: Some(place.file.as_deref().unwrap_or_default()),
    };
    let ast = world.library.compile(context.engine(), name, text, &earlier)?;
    let function = ast.iter_fn_def().find(|function| !function.name.starts_with("anon$"));
    match function {
        None => Ok(ast),
        Some(function) => {
            let at = world.place(Some(name), function.body.start_position());
            let help = format!("make it a closure: let {} = |…| …;", function.name);
            let message = format!("the text of eval cannot define a function (`{}`)", function.name);
            Err(Failure::load(message).at(at).with_help(Some(help)))
        }
    }
}

/// The error for a text that is not run. It can be caught, as everything that a script does at run time.
fn refused(world: &World, failure: Failure) -> Box<EvalAltResult> {
    let error = ScriptError::of_failure(&failure.masked(&world.secrets));
    EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
}

/// Adds the closures of the text to the functions of the script, for as long as it runs: they may be called when the
/// text is long done. Their names are hashes of what they are.
fn keep(context: &mut EvalContext, closures: Shared<Module>) {
    let global = context.global_runtime_state_mut();
    match global.lib.first_mut() {
        Some(functions) => {
            let mut all = (**functions).clone();
            for (.., definition) in closures.iter_script_fn_info() {
                all.set_script_fn(definition.clone());
            }
            *functions = Shared::new(all);
        }
        None => global.lib.push(closures),
    }
}

fn run(context: &mut EvalContext, ast: &AST, place: &CallPlace) -> Result<Dynamic> {
    let statements: Vec<Stmt> = ast.statements().to_vec();
    let block = StmtBlock::new(statements, place.position, place.position);
    let (variables, imports) = (context.scope().len(), context.iter_imports().count());
    context.global_runtime_state_mut().level += 1;
    let part = Expr::Stmt(Box::new(block));
    // Deprecated in the sense of "internal": what the text declares stays.
    #[allow(deprecated)]
    let result = context.eval_expression_tree_raw(&Part::from(&part), false);
    let changed = context.scope().len() != variables || context.iter_imports().count() != imports;
    let global = context.global_runtime_state_mut();
    global.level -= 1;
    // Rhai knows variables by their distance from the end of the scope, as the parser has counted it.
    global.always_search_scope |= changed;
    result.or_else(|error| match *error {
        EvalAltResult::Return(value, _) => Ok(value),
        error => Err(error.into()),
    })
}
