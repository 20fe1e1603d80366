//! The programs and modules of a runtime: from a source text to a program that has been checked.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use rhai::{AST, Engine, Scope};

use crate::process::Context;

use super::check::{self, Checker, Module, Natives};
use super::explain::Explainer;
use super::failure::Failure;
use super::keys::AssignedKeys;
use super::load::read_source;
use super::problem::{Problem, Severity};
use super::sources::Sources;
use super::stdlib;
use super::text_tests;
use super::world::lock;

/// What a source text may refer to although it does not define it: the state of a session.
#[derive(Default)]
pub(crate) struct Earlier<'a> {
    pub scope: Option<&'a Scope<'a>>,
    pub functions: Option<&'a AST>,
    /// Names that modules were imported under, with those of the modules.
    pub imports: &'a [(String, String)],
    /// Whether somebody looks at the value of the last statement.
    pub value_is_used: bool,
    /// The modules that have been imported.
    pub modules: Vec<String>,
    /// The file that relative imports count from, when it is not the text itself.
    pub importer: Option<&'a str>,
}

/// Everything that a runtime has loaded.
pub(crate) struct Library {
    pub sources: Sources,
    pub assigned_keys: AssignedKeys,
    /// Where relative imports of a program without a file start.
    context: Context,
    /// Modules that have been checked and have no error, by name: each is compiled once.
    modules: Mutex<HashMap<String, Arc<Module>>>,
    /// Of each module that is imported, by which ones.
    importers: Mutex<HashMap<String, HashSet<String>>>,
    natives: Natives,
    /// Where a module is looked for that is not beside its importer.
    pub path: OnceLock<Vec<PathBuf>>,
}

impl Library {
    pub fn new(context: Context) -> Self {
        Self {
            sources: Sources::default(),
            assigned_keys: AssignedKeys::default(),
            context,
            modules: Mutex::default(),
            importers: Mutex::default(),
            natives: Natives::default(),
            path: OnceLock::new(),
        }
    }

    /// Parses and checks a source text and everything that it imports. Nothing is run.
    pub fn compile(&self, engine: &Engine, name: &str, source: &str, earlier: &Earlier) -> Result<AST, Failure> {
        let mut checker = Checker::new(engine, self);
        let ast = checker.program(name, source, earlier).ok_or_else(|| failure(checker.into_problems()))?;
        Ok(if self.natives.is_partial() { text_tests::quickened(ast) } else { ast })
    }

    /// What is wrong with a source text, and with everything that it imports. Nothing is run.
    pub fn check(&self, engine: &Engine, name: &str, source: &str) -> Vec<Problem> {
        let mut checker = Checker::thorough(engine, self);
        checker.program(name, source, &Earlier::default());
        checker.into_problems()
    }

    /// Parses a source text, and looks at nothing that it refers to.
    pub fn parse(&self, engine: &Engine, name: &str, source: &str, earlier: &Earlier) -> Result<AST, Failure> {
        let parsed = check::parse(engine, self, name, source, earlier.scope);
        parsed.map(|parsed| parsed.ast).map_err(Failure::of_problems)
    }

    /// The name of the module that `importer` means by `path`: its own for one that comes with the
    /// program, else the absolute path of its file, next to the importing one or on the library path.
    pub fn find(&self, importer: &str, path: &str) -> Option<String> {
        if path.starts_with("std/") {
            return stdlib::source(path).map(|_| path.to_string());
        }
        let importer = Path::new(importer);
        let base = match importer.is_file() {
            true => importer.parent().map(Path::to_path_buf).unwrap_or_default(),
            false => self.context.base_dir().ok()?,
        };
        // One that says where it is, is there or nowhere.
        let is_bare = !path.starts_with("./") && !path.starts_with("../");
        let library = self.path.get().into_iter().flatten().filter(|_| is_bare);
        let library = library.filter_map(|dir| self.context.absolute(dir).ok());
        let found = std::iter::once(base).chain(library).find_map(|dir| {
            let file = dir.join(path);
            let with_extension = PathBuf::from(format!("{}.rhai", file.display()));
            [with_extension, file].into_iter().find(|candidate| candidate.is_file())
        })?;
        Some(std::path::absolute(found).ok()?.display().to_string())
    }

    /// The compiled module of this name, which a running program imports.
    pub fn module(&self, engine: &Engine, name: &str) -> Result<AST, Failure> {
        if let Some(module) = self.kept(name) {
            return Ok(module.ast.clone());
        }
        let source = self.read_module(name)?;
        let mut checker = Checker::new(engine, self);
        let module = checker.module(name, &source);
        module.map(|module| module.ast.clone()).ok_or_else(|| failure(checker.into_problems()))
    }

    /// A module that has been checked before.
    pub fn kept(&self, name: &str) -> Option<Arc<Module>> {
        lock(&self.modules).get(name).cloned()
    }

    pub fn keep(&self, name: &str, module: &Arc<Module>) {
        lock(&self.modules).insert(name.to_string(), module.clone());
    }

    pub fn note_import(&self, importer: &str, module: &str) {
        lock(&self.importers).entry(module.to_string()).or_default().insert(importer.to_string());
    }

    /// Forgets the modules whose files have other text than when they were read, and those that import them: a session
    /// outlives the mistakes in a file.
    pub fn forget_changed(&self) {
        let kept: Vec<String> = lock(&self.modules).keys().cloned().collect();
        let has_changed = |name: &String| {
            let is_other = || !read_source(Path::new(name)).is_ok_and(|text| self.sources.has_text(name, &text));
            // What is no regular file (a FIFO) can be read once.
            let can_be_read_again = |path: &Path| std::fs::metadata(path).map_or(true, |metadata| metadata.is_file());
            stdlib::source(name).is_none() && can_be_read_again(Path::new(name)) && is_other()
        };
        let mut changed: Vec<String> = kept.into_iter().filter(has_changed).collect();
        while let Some(name) = changed.pop() {
            if lock(&self.modules).remove(&name).is_some() {
                changed.extend(lock(&self.importers).remove(&name).into_iter().flatten());
            }
        }
    }

    pub fn read_module(&self, name: &str) -> Result<String, Failure> {
        match stdlib::source(name) {
            Some(source) => Ok(source.to_string()),
            None => read_source(Path::new(name)),
        }
    }

    /// What is registered with the runtime's engine.
    pub fn natives(&self) -> &Natives {
        &self.natives
    }

    /// Where programs are looked for.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Hands an [`Explainer`] for failures in `name` to a function.
    pub fn explain<T>(&self, engine: &Engine, name: &str, use_it: impl FnOnce(&Explainer) -> T) -> T {
        let names = || self.natives.all(engine).keys().cloned().collect();
        use_it(&Explainer { file: name, sources: &self.sources, names: &names })
    }
}

/// Why a program with problems is not run: its errors.
fn failure(problems: Vec<Problem>) -> Failure {
    Failure::of_problems(problems.into_iter().filter(|problem| problem.severity() == Severity::Error).collect())
}
