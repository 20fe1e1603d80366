//! Modules whose functions see what stands in their own text, and nothing of whoever calls them.
//!
//! Rhai looks for a function in all scripts that are under way, the innermost first, and among native ones last: a
//! `fn which(name)` of a program would take the place of ours in every module that it imports, and a `fn get(url)` of a
//! module that of ours in a function that it is given. What a module offers is therefore native functions, each of
//! which calls the script's with the module alone in view; and a function that is handed across the border, in either
//! direction, keeps the view of the place where it was given.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, GlobalRuntimeState, Map, Module, NativeCallContext,
    RhaiFunc, Shared,
};

/// Functions with more parameters are called as Rhai does it: natively each would be looked up in 2ⁿ ways.
const MOST_PARAMETERS: usize = 8;
/// The name of a function without one. Rhai tries other numbers of arguments when an error begins with it.
const CLOSURE: &str = "anon";
/// How deep containers are searched for functions; data is not nested deeper.
const DEPTH: usize = 32;

/// What an importer gets for a module that was evaluated.
pub(super) fn enclosed(engine: &Engine, inner: Module) -> Module {
    let inner = Shared::new(inner);
    let view = Arc::new(View::of_module(engine, &inner));
    let mut module = Module::new();
    if let Some(id) = inner.id() {
        module.set_id(id.to_string());
    }
    for (name, value) in inner.iter_var() {
        module.set_var(name, view.handed_out(value.clone()));
    }
    for (name, sub_module) in inner.iter_sub_modules() {
        module.set_sub_module(name, sub_module.clone());
    }
    for (_, _, name, parameters, definition) in inner.iter_script_fn_info() {
        let is_plain = definition.this_type.is_none() && parameters <= MOST_PARAMETERS;
        if name.starts_with("anon$") {
            continue;
        }
        if !is_plain {
            module.set_script_fn(definition.clone());
            continue;
        }
        let view = view.clone();
        let function = move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| {
            let Some(context) = context else { return Ok(Dynamic::UNIT) };
            view.call(&context, arguments)
        };
        let function =
            RhaiFunc::Pure { func: Shared::new(function), has_context: true, is_pure: true, is_volatile: true };
        let types = vec![TypeId::of::<Dynamic>(); parameters];
        FuncRegistration::new(name).set_into_module_raw(&mut module, types, function);
    }
    module.build_index();
    module
}

/// Which functions, modules and constants are in view somewhere.
struct View(GlobalRuntimeState);

impl View {
    fn of_module(engine: &Engine, inner: &Shared<Module>) -> Self {
        let mut global = engine.new_global_runtime_state();
        global.lib.push(inner.clone());
        global.source = inner.id().map(Into::into);
        Self(global)
    }

    /// This view at the point that a program has come to: as deep in calls.
    fn at(&self, context: &NativeCallContext) -> GlobalRuntimeState {
        let now = context.global_runtime_state();
        let mut global = self.0.clone();
        global.level = now.level;
        global.tag = now.tag.clone();
        global.num_operations = now.num_operations;
        global
    }

    /// Calls the module's function of the name that was called.
    fn call(self: &Arc<Self>, context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Answer {
        let now = context.global_runtime_state();
        let mut callers = None;
        for argument in arguments.iter_mut().filter(|argument| holds_function(argument, DEPTH)) {
            let callers = callers.get_or_insert_with(|| Arc::new(View(now.clone())));
            **argument = callers.handed_out(std::mem::take(*argument));
        }
        let global = self.at(context);
        let (name, place) = (context.fn_name(), context.call_position());
        let inside =
            NativeCallContext::new_with_all_fields(context.engine(), name, context.fn_source(), &global, place);
        Ok(self.handed_out(inside.call_fn_raw(name, false, false, arguments)?))
    }

    /// A value in which each function keeps this view.
    fn handed_out(self: &Arc<Self>, value: Dynamic) -> Dynamic {
        if !holds_function(&value, DEPTH) {
            return value;
        }
        let value = value.flatten();
        if let Some(function) = value.read_lock::<FnPtr>() {
            return Dynamic::from(self.function(&function));
        }
        if value.is_array() {
            let elements = value.into_array().unwrap_or_default();
            return elements.into_iter().map(|element| self.handed_out(element)).collect::<Array>().into();
        }
        match value.try_cast_result::<Map>() {
            Ok(map) => map.into_iter().map(|(key, value)| (key, self.handed_out(value))).collect::<Map>().into(),
            Err(value) => value,
        }
    }

    fn function(self: &Arc<Self>, function: &FnPtr) -> FnPtr {
        let (view, own) = (self.clone(), function.clone());
        let name = if function.is_anonymous() { CLOSURE } else { function.fn_name() };
        let call = move |context: NativeCallContext, arguments: &mut [&mut Dynamic]| {
            let global = view.at(&context);
            let place = context.call_position();
            let given = NativeCallContext::new_with_all_fields(context.engine(), own.fn_name(), None, &global, place);
            call(&own, &given, arguments)
        };
        // "Deprecated" in the sense that it may change: there is no other way to such a function.
        #[allow(deprecated)]
        FnPtr::from_fn(name, call).unwrap_or_else(|_| function.clone())
    }
}

type Answer = Result<Dynamic, Box<EvalAltResult>>;

/// Calls a function with these arguments, the first of which may be its `this`: who calls a native one cannot tell.
fn call(function: &FnPtr, context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Answer {
    let values: Vec<Dynamic> = arguments.iter().map(|argument| (**argument).clone()).collect();
    let error = match function.call_raw(context, None, values) {
        Err(error) if is_not_taken(&error, function) => error,
        result => return result,
    };
    let Some((this, rest)) = arguments.split_first_mut() else { return Err(error) };
    let rest: Vec<Dynamic> = rest.iter().map(|argument| (**argument).clone()).collect();
    match function.call_raw(context, Some(this), rest) {
        Err(second) if is_not_taken(&second, function) => Err(error),
        result => result,
    }
}

/// Whether a function takes another number of arguments.
fn is_not_taken(error: &EvalAltResult, function: &FnPtr) -> bool {
    matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(function.fn_name()))
}

fn holds_function(value: &Dynamic, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    if let Some(function) = value.read_lock::<FnPtr>() {
        return function.fn_name() != CLOSURE;
    }
    if let Some(elements) = value.read_lock::<Array>() {
        return elements.iter().any(|element| holds_function(element, depth - 1));
    }
    value.read_lock::<Map>().is_some_and(|map| map.values().any(|value| holds_function(value, depth - 1)))
}
