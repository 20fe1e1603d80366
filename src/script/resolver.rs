//! `import`: the modules that come with the program, and files beside the importing one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use rhai::{Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope, Shared};

use super::failure::Failure;
use super::load::{Earlier, compile, read_source};
use super::stdlib;
use super::world::{World, lock};

/// Finds, compiles and keeps modules: each is loaded once.
pub(crate) struct Resolver {
    world: Weak<World>,
    loaded: Mutex<HashMap<String, Shared<Module>>>,
    /// The modules that are being loaded, outermost first: importing one of them again is a cycle.
    loading: Mutex<Vec<String>>,
}

impl Resolver {
    pub fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::downgrade(world), loaded: Mutex::default(), loading: Mutex::default() }
    }

    fn load(&self, engine: &Engine, name: &str, position: Position) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let Some(world) = self.world.upgrade() else { return Err(not_found(name, position)) };
        let failed = |failure: Failure| -> Box<EvalAltResult> {
            let place = failure.place().map(|p| format!(" ({}:{}:{})", p.file, p.line, p.column)).unwrap_or_default();
            let message = format!("cannot import \"{name}\": {}{place}", failure.message());
            EvalAltResult::ErrorRuntime(message.into(), position).into()
        };
        let source = match stdlib::source(name) {
            Some(source) => source.to_string(),
            None => read_source(Path::new(name)).map_err(failed)?,
        };
        let ast = compile(engine, &world.sources, name, &source, &Earlier::default()).map_err(failed)?;
        let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine)?;
        export_closures(&mut module);
        Ok(Shared::new(module))
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
        let Some(name) = find(source, path, self.world.upgrade().as_deref()) else {
            return Err(not_found(path, position));
        };
        if let Some(module) = lock(&self.loaded).get(&name) {
            return Ok(module.clone());
        }
        if lock(&self.loading).contains(&name) {
            let chain = lock(&self.loading).join("\" → \"");
            let message = format!("the modules import each other in a circle: \"{chain}\" → \"{name}\"");
            return Err(EvalAltResult::ErrorRuntime(message.into(), position).into());
        }
        lock(&self.loading).push(name.clone());
        let result = self.load(engine, &name, position);
        lock(&self.loading).pop();
        let module = result?;
        lock(&self.loaded).insert(name, module.clone());
        Ok(module)
    }
}

/// The name of the module: its own for one that comes with the program, else the absolute path of
/// its file, next to the importing one.
fn find(importer: Option<&str>, path: &str, world: Option<&World>) -> Option<String> {
    if path.starts_with("std/") {
        return stdlib::source(path).map(|_| path.to_string());
    }
    let base = match importer.map(Path::new).filter(|importer| importer.is_file()) {
        Some(importer) => importer.parent().map(Path::to_path_buf).unwrap_or_default(),
        None => world?.context.base_dir().ok()?,
    };
    let file = base.join(path);
    let with_extension = PathBuf::from(format!("{}.rhai", file.display()));
    let found = [with_extension, file].into_iter().find(|candidate| candidate.is_file())?;
    Some(std::path::absolute(found).ok()?.display().to_string())
}

fn not_found(path: &str, position: Position) -> Box<EvalAltResult> {
    EvalAltResult::ErrorModuleNotFound(path.to_string(), position).into()
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
