//! `import`: Rhai's side of the [library](super::library).

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::{Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope, Shared};

use super::library::Library;
use super::world::lock;

/// Evaluates modules, each once.
pub(crate) struct Resolver {
    library: Arc<Library>,
    evaluated: Mutex<HashMap<String, Shared<Module>>>,
}

impl Resolver {
    pub fn new(library: Arc<Library>) -> Self {
        Self { library, evaluated: Mutex::default() }
    }
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let Some(name) = self.library.find(source.unwrap_or_default(), path) else {
            return Err(EvalAltResult::ErrorModuleNotFound(path.to_string(), position).into());
        };
        if let Some(module) = lock(&self.evaluated).get(&name) {
            return Ok(module.clone());
        }
        // An import with a path that is known before the program runs was compiled, and its mistakes
        // reported, then.
        let ast = self.library.module(engine, &name).map_err(|failure| {
            let place = failure.place().map(|p| format!(" ({}:{}:{})", p.file, p.line, p.column)).unwrap_or_default();
            let message = format!("cannot import \"{path}\": {}{place}", failure.message());
            EvalAltResult::ErrorRuntime(message.into(), position)
        })?;
        let importing = Importing::begin();
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        drop(importing);
        // Its places are in its own text.
        let mut module = module.map_err(|error| EvalAltResult::ErrorInModule(name.clone(), error, position))?;
        export_closures(&mut module);
        let module = Shared::new(module);
        lock(&self.evaluated).insert(name, module.clone());
        Ok(module)
    }
}

thread_local! {
    /// How many modules are being evaluated on this thread.
    static IMPORTING: Cell<usize> = const { Cell::new(0) };
}

/// The evaluation of a module's own statements.
struct Importing;

impl Importing {
    fn begin() -> Self {
        IMPORTING.set(IMPORTING.get() + 1);
        Self
    }
}

impl Drop for Importing {
    fn drop(&mut self) {
        IMPORTING.set(IMPORTING.get() - 1);
    }
}

/// Whether a module is being imported, whose statements are no program of their own.
pub(crate) fn is_importing() -> bool {
    IMPORTING.get() > 0
}

/// Makes the closures of a module callable outside it.
///
/// Since Rhai 1.26 a closure does not carry its module along (PR #1159), so that one handed to the
/// importer is "not found". Functions in the global namespace of an imported module are searched by
/// hash wherever they are called, and the name of a closure is a hash of its body: no clash.
fn export_closures(module: &mut Module) {
    let closures: Vec<_> = module
        .iter_script_fn_info()
        .filter(|(_, _, name, _, _)| name.starts_with("anon$"))
        .map(|(_, _, _, _, definition)| definition.clone())
        .collect();
    // Only to learn the hash under which a definition is kept.
    let mut scratch = Module::new();
    for definition in closures {
        let hash = scratch.set_script_fn(definition);
        // Deprecated in the sense of "internal": there is no other way to change an existing function.
        #[allow(deprecated)]
        module.update_fn_namespace(hash, FnNamespace::Global);
    }
    module.build_index();
}
