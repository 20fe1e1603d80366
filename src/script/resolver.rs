//! `import`: Rhai's side of the [library](super::library).

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::check::Module as Checked;
use super::enclosed::enclosed;
use super::library::Library;
use super::world::lock;

/// Evaluates modules, each once, and again when the library has another text of it.
pub(crate) struct Resolver {
    library: Arc<Library>,
    evaluated: Mutex<HashMap<String, Evaluated>>,
}

/// A module with what it was compiled to.
struct Evaluated {
    of: Option<Arc<Checked>>,
    module: Shared<Module>,
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
        if let Some(Evaluated { of, module }) = lock(&self.evaluated).get(&name)
            && of.as_ref().map(Arc::as_ptr) == self.library.kept(&name).as_ref().map(Arc::as_ptr)
        {
            return Ok(module.clone());
        }
        // An import with a path that is known before the program runs was compiled, and its mistakes
        // reported, then.
        let ast = self.library.module(engine, &name).map_err(|failure| {
            let place = failure.place().map(|p| format!(" ({}:{}:{})", p.file, p.line, p.column)).unwrap_or_default();
            let message = format!("cannot import \"{path}\": {}{place}", failure.message());
            EvalAltResult::ErrorRuntime(message.into(), position)
        })?;
        let of = self.library.kept(&name);
        let importing = Importing::begin();
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        drop(importing);
        // Its places are in its own text.
        let module = module.map_err(|error| EvalAltResult::ErrorInModule(name.clone(), error, position))?;
        let module = Shared::new(enclosed(engine, module));
        lock(&self.evaluated).insert(name, Evaluated { of, module: module.clone() });
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
