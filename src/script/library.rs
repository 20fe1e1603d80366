//! The programs and modules of a runtime: from a source text to a program that has been checked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::ThreadId;

use rhai::{AST, Dynamic, Engine, Scope};

use crate::process::Context;

use super::failure::{Explainer, Failure, Place};
use super::load::read_source;
use super::scan::{self, Scan, Unclosed};
use super::world::{Sources, lock};
use super::{check, stdlib, template_text};

/// Rhai counts lines in sixteen bits; beyond that its positions would be wrong.
const MAX_LINES: usize = 65_535;

/// What a source text may refer to although it does not define it: the state of a session.
#[derive(Default)]
pub(crate) struct Earlier<'a> {
    pub scope: Option<&'a Scope<'a>>,
    pub functions: Option<&'a AST>,
    /// Whether somebody looks at the value of the last statement.
    pub value_is_used: bool,
}

/// Everything that a runtime has loaded.
pub(crate) struct Library {
    pub sources: Sources,
    /// Where relative imports of a program without a file start.
    context: Context,
    /// Modules that have been compiled, by name: each is compiled once.
    modules: Mutex<HashMap<String, AST>>,
    /// Modules that are being compiled, outermost first: importing one of them again is a circle.
    compiling: Mutex<Vec<(ThreadId, String)>>,
}

impl Library {
    pub fn new(context: Context) -> Self {
        Self { sources: Sources::default(), context, modules: Mutex::default(), compiling: Mutex::default() }
    }

    /// Parses and checks a source text and everything that it imports. Nothing is run.
    pub fn compile(&self, engine: &Engine, name: &str, source: &str, earlier: &Earlier) -> Result<AST, Failure> {
        let mut ast = self.parse(engine, name, source, earlier)?;
        check::check(engine, self, &ast, earlier, name)?;
        // Before the AST is cloned: only then do its functions know where they are from.
        ast.set_source(name);
        Ok(ast)
    }

    /// Parses a source text, and looks at nothing that it refers to.
    pub fn parse(&self, engine: &Engine, name: &str, source: &str, earlier: &Earlier) -> Result<AST, Failure> {
        // Rhai takes a `#!` line only from its own file loader.
        let text = match source.strip_prefix("#!") {
            Some(rest) => format!("//{rest}"),
            None => source.to_string(),
        };
        let at = |offset: usize| {
            let scan::Place { line, column } = scan::place_of(&text, offset);
            Some(Place { file: name.to_string(), line, column, text: text.lines().nth(line - 1).map(str::to_string) })
        };
        if let Some(offset) = text.find('\0') {
            return Err(Failure::load("the script holds a NUL byte").at(at(offset)));
        }
        if text.lines().count() > MAX_LINES {
            return Err(Failure::load(format!("the script has more than {MAX_LINES} lines"))
                .with_help(Some("move parts of it into modules: import \"part\" as part;")));
        }
        let scan = scan::scan(&text);
        check_text(&text, &scan, &at)?;
        let (text, additions) = with_nul_escapes(&text, &scan);
        self.sources.add(name, source, additions);
        let parsed = match earlier.scope {
            Some(scope) => engine.compile_with_scope(&without_values(scope), &text),
            None => engine.compile(&text),
        };
        parsed.map_err(|error| self.explain(engine, name, |e| e.parse_failure(&error)))
    }

    /// The name of the module that `importer` means by `path`: its own for one that comes with the
    /// program, else the absolute path of its file, next to the importing one.
    pub fn find(&self, importer: &str, path: &str) -> Option<String> {
        if path.starts_with("std/") {
            return stdlib::source(path).map(|_| path.to_string());
        }
        let importer = Path::new(importer);
        let base = match importer.is_file() {
            true => importer.parent().map(Path::to_path_buf).unwrap_or_default(),
            false => self.context.base_dir().ok()?,
        };
        let file = base.join(path);
        let with_extension = PathBuf::from(format!("{}.rhai", file.display()));
        let found = [with_extension, file].into_iter().find(|candidate| candidate.is_file())?;
        Some(std::path::absolute(found).ok()?.display().to_string())
    }

    /// The compiled module of this name.
    pub fn module(&self, engine: &Engine, name: &str) -> Result<AST, Failure> {
        if let Some(ast) = lock(&self.modules).get(name) {
            return Ok(ast.clone());
        }
        let me = std::thread::current().id();
        let mut chain: Vec<String> =
            lock(&self.compiling).iter().filter(|(thread, _)| *thread == me).map(|(_, name)| name.clone()).collect();
        if chain.iter().any(|other| other == name) {
            chain.push(name.to_string());
            return Err(Failure::load(format!("the modules import each other in a circle: {}", chain.join(" → "))));
        }
        lock(&self.compiling).push((me, name.to_string()));
        let compiled = self.compile_module(engine, name);
        lock(&self.compiling).retain(|(thread, other)| (thread, other.as_str()) != (&me, name));
        let ast = compiled?;
        lock(&self.modules).insert(name.to_string(), ast.clone());
        Ok(ast)
    }

    fn compile_module(&self, engine: &Engine, name: &str) -> Result<AST, Failure> {
        let source = match stdlib::source(name) {
            Some(source) => source.to_string(),
            None => read_source(Path::new(name))?,
        };
        self.compile(engine, name, &source, &Earlier::default())
    }

    /// Hands an [`Explainer`] for failures in `name` to a function.
    pub fn explain<T>(&self, engine: &Engine, name: &str, use_it: impl FnOnce(&Explainer) -> T) -> T {
        let names = || check::function_names(engine);
        use_it(&Explainer { file: name, sources: &self.sources, names: &names })
    }
}

/// The text with every `\0` spelt as `\x00`, which is how Rhai knows it, and where that made it longer.
fn with_nul_escapes(text: &str, scan: &Scan) -> (String, Vec<(scan::Place, usize)>) {
    let mut spelt = String::with_capacity(text.len());
    let mut additions = Vec::new();
    let mut done = 0;
    for offset in &scan.nul_escapes {
        spelt.push_str(&text[done..*offset]);
        additions.push((scan::place_of(&spelt, spelt.len()), 2));
        spelt.push_str("\\x00");
        done = offset + 2;
    }
    spelt.push_str(&text[done..]);
    (spelt, additions)
}

/// The names of a scope as plain variables: the optimiser would fold the values of constants into
/// the program.
fn without_values(scope: &Scope) -> Scope<'static> {
    let mut names = Scope::new();
    for (name, _, _) in scope.iter_raw() {
        names.push_dynamic(name.to_string(), Dynamic::UNIT);
    }
    names
}

/// What the interpreter would accept, or report at the wrong place: unclosed comments and templates,
/// and mistakes inside templates.
fn check_text(text: &str, scan: &Scan, at: &dyn Fn(usize) -> Option<Place>) -> Result<(), Failure> {
    for template in scan.templates.iter().filter(|template| template.end.is_some()) {
        let pieces: Vec<&str> = template.literals.iter().map(|range| &text[range.clone()]).collect();
        if let Err(problem) = template_text::parse(&pieces) {
            let offset = template.literals.get(problem.piece).map_or(template.start, |piece| piece.start);
            return Err(Failure::load(problem.message).at(at(offset + problem.offset)).with_help(problem.help));
        }
    }
    if let Some((what, offset)) = scan.unclosed {
        let (message, help) = match what {
            Unclosed::Comment => ("this comment is never closed", "close it with */"),
            Unclosed::Template => ("this command template is never closed", "close it with a backquote: `"),
            Unclosed::Slot => ("this ${ is never closed", "close it with }"),
            Unclosed::Backtick => ("this text is never closed", "close it with a backquote: `"),
            Unclosed::RawString => ("this raw text is never closed", "close it with a quote and as many # as it has"),
            // Rhai's own error for these is as good, or better.
            _ => return Ok(()),
        };
        return Err(Failure::load(message).at(at(offset)).with_help(Some(help)));
    }
    Ok(())
}
