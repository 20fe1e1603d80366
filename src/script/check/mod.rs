//! What is found in a program before it runs. Nothing is run for it.
//!
//! A program is parsed ([`syntax`]), then what it imports is checked, each module once, and then each
//! check looks at the whole program and notes what it finds. Comments silence some of it ([`allow`]).

mod allow;
#[cfg(feature = "cli")]
mod arguments;
mod calls;
mod captures;
mod comparisons;
mod escapes;
mod flow;
mod foreign;
mod hints;
mod installed;
mod modules;
mod names;
mod program;
mod receivers;
mod reserved;
mod scopes;
mod shell;
mod similar;
mod switches;
mod syntax;
mod this;
mod unused;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Position};

use crate::process::nearest_name;

use super::library::{Earlier, Library};
use super::problem::{Code, Problem, Severity};

use calls::Functions;
use modules::{Exports, Imports};
use names::Surroundings;
use program::Program;
use similar::Similar;

pub(crate) use calls::Natives;
pub(crate) use syntax::{lower_first, parse, parse_message};

/// Of so many problems in one file the source line is kept, however long it is.
const MOST_LONG_LINES: usize = 100;
const LONG_LINE: usize = 1000;

/// A module that has been checked, and has no error.
#[derive(Debug)]
pub(crate) struct Module {
    pub ast: AST,
    exports: Exports,
}

/// Something that is wrong, at a position of the interpreter.
#[derive(Debug)]
struct Finding {
    code: Code,
    message: String,
    help: Option<String>,
}

impl Finding {
    fn new(code: Code, message: impl Into<String>, help: Option<String>) -> Self {
        Self { code, message: message.into(), help }
    }
}

/// What the checks of one source text have found.
#[derive(Debug, Default)]
struct Findings(Vec<(Position, Finding)>);

impl Findings {
    fn push(&mut self, position: Position, finding: Finding) {
        self.0.push((position, finding));
    }

    fn add(&mut self, code: Code, position: Position, message: impl Into<String>, help: Option<impl Into<String>>) {
        self.push(position, Finding::new(code, message, help.map(Into::into)));
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn has_help(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(|(_, finding)| finding.help.is_some())
    }

    /// Gives all from `first` on another help.
    fn set_help(&mut self, first: usize, help: &str) {
        for (_, finding) in &mut self.0[first..] {
            finding.help = Some(help.to_string());
        }
    }
}

/// The check of one program and of everything that it imports.
pub(crate) struct Checker<'a> {
    engine: &'a Engine,
    library: &'a Library,
    /// The modules that this check has seen; those with errors have nothing that an importer could use.
    seen: HashMap<String, Option<Arc<Module>>>,
    /// What is being checked, outermost first: importing one of them again is a circle.
    chain: Vec<String>,
    problems: Vec<Problem>,
    /// Whether somebody asks for warnings, too: then programs are looked for, and modules read again.
    is_thorough: bool,
    /// How many modules are around what is being checked, itself included.
    modules: usize,
}

impl<'a> Checker<'a> {
    /// A check for the errors, before a run.
    pub fn new(engine: &'a Engine, library: &'a Library) -> Self {
        let (seen, chain, problems) = (HashMap::new(), Vec::new(), Vec::new());
        Self { engine, library, seen, chain, problems, is_thorough: false, modules: 0 }
    }

    /// A check for everything.
    pub fn thorough(engine: &'a Engine, library: &'a Library) -> Self {
        Self { is_thorough: true, ..Self::new(engine, library) }
    }

    /// Everything that was found, by file and place, and each thing once.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut seen = HashSet::new();
        let key = |p: &Problem| {
            let place = p.place().map(|place| (place.file.clone(), place.line, place.column));
            (p.kind(), p.message().to_string(), place)
        };
        self.problems.into_iter().filter(|problem| seen.insert(key(problem))).collect()
    }

    /// Checks a program; when it has no error, here is what can be run.
    pub fn program(&mut self, name: &str, source: &str, earlier: &Earlier) -> Option<AST> {
        let path = Path::new(name);
        let chain = match path.is_file() {
            true => std::path::absolute(path).ok().map(|path| path.display().to_string()),
            false => None,
        };
        self.chain.push(chain.unwrap_or_else(|| name.to_string()));
        let checked = self.source(name, source, earlier);
        self.chain.pop();
        let has_errors = self.problems.iter().any(|problem| problem.severity() == Severity::Error);
        checked.map(|(ast, _)| ast).filter(|_| !has_errors)
    }

    /// Checks a module, at its first import.
    pub fn module(&mut self, name: &str, source: &str) -> Option<Arc<Module>> {
        let before = self.problems.len();
        self.chain.push(name.to_string());
        self.modules += 1;
        let checked = self.source(name, source, &Earlier::default());
        self.modules -= 1;
        self.chain.pop();
        let has_errors = self.problems[before..].iter().any(|problem| problem.severity() == Severity::Error);
        let module = checked.filter(|_| !has_errors).map(|(ast, exports)| Arc::new(Module { ast, exports }));
        if let Some(module) = &module {
            self.library.keep(name, module);
        }
        self.seen.insert(name.to_string(), module.clone());
        module
    }

    fn source(&mut self, name: &str, source: &str, earlier: &Earlier) -> Option<(AST, Exports)> {
        let parsed = match syntax::parse(self.engine, self.library, name, source, earlier.scope) {
            Ok(parsed) => parsed,
            Err(mut problems) => {
                problems.sort_by_key(order);
                self.problems.extend(problems);
                return None;
            }
        };
        let program = Program::of(&parsed.ast, earlier.value_is_used);
        // Its own problems stand before those of its modules.
        let mine = self.problems.len();
        let mut own = Vec::new();
        let mut imports = self.imports(earlier.importer.unwrap_or(name), &program, &mut own);
        for (alias, module) in earlier.imports {
            imports.add(alias, self.library.kept(module).as_ref().map(|module| &module.exports));
        }
        let mut findings = Findings::default();
        self.look(name, &parsed.ast, &program, &imports, earlier, &mut findings);
        let exports = Exports::of(&parsed.ast, &program, &imports);
        drop(program);

        own.extend(findings.0.into_iter().map(|(position, finding)| {
            let place = self.library.sources.place(name, position);
            Problem::new(finding.code, finding.message).at(place).with_help(finding.help)
        }));
        let (allowed, about_allowing) = allow::read(&parsed, &self.library.sources, name);
        own.extend(about_allowing);
        own.retain(|problem| !allowed.covers(problem));
        own.sort_by_key(order);
        let own = own.into_iter().enumerate().map(|(index, problem)| match index < MOST_LONG_LINES {
            true => problem,
            false => problem.with_line_of_at_most(LONG_LINE),
        });
        self.problems.splice(mine..mine, own);
        let mut ast = parsed.ast;
        // Before the AST is cloned: only then do its functions know where they are from.
        ast.set_source(name);
        Some((ast, exports))
    }

    /// Every check of a program, one after the other.
    fn look(
        &self,
        name: &str,
        ast: &AST,
        program: &Program,
        imports: &Imports,
        earlier: &Earlier,
        findings: &mut Findings,
    ) {
        let mut script = calls::defined(ast, false);
        for (name, counts) in earlier.functions.map(|functions| calls::defined(functions, false)).into_iter().flatten()
        {
            script.entry(name).or_default().extend(counts);
        }
        let properties = imports.properties().map(|theirs| {
            let mut properties = calls::properties(program);
            properties.extend(theirs.iter().cloned());
            properties
        });
        let natives = self.library.natives();
        let functions = Functions { engine: self.engine, natives, script, properties };
        let around = Surroundings {
            functions: &functions,
            imports,
            earlier,
            similar: &Similar::new(),
            is_quoted: &|position| self.is_thorough && self.begins_with(name, position, '"'),
            host_has_variable: &|name| self.engine.eval_expression::<Dynamic>(name).is_ok(),
            host_has_module: &|name| {
                let result = self.engine.eval_expression::<Dynamic>(&format!("{name}::x"));
                !result.is_err_and(|error| matches!(*error, EvalAltResult::ErrorModuleNotFound(..)))
            },
        };
        names::find(program, &around, findings);
        unused::find(program, findings);
        comparisons::find(program, &functions, findings);
        let text_from = |position| self.library.sources.text_from(name, position, switches::MOST);
        switches::find(program, &functions, &text_from, findings);
        this::find(program, findings);
        flow::find(program, findings);
        captures::find(program, findings);
        receivers::find(program, findings);
        shell::find(program, findings);
        #[cfg(feature = "cli")]
        arguments::find(program, self.modules > 0, findings);
        if self.is_thorough {
            escapes::find(program, |position| self.begins_with(name, position, '`'), findings);
            installed::find(program, self.library.context(), findings);
        }
    }

    /// Whether this sign stands at a place of a source.
    fn begins_with(&self, name: &str, position: Position, sign: char) -> bool {
        let Some(place) = self.library.sources.place(name, position) else { return false };
        place.text.as_deref().and_then(|line| line.chars().nth(place.column - 1)) == Some(sign)
    }

    /// Checks what a program imports; what cannot be imported is a problem of the importer.
    fn imports(&mut self, importer: &str, program: &Program, problems: &mut Vec<Problem>) -> Imports {
        let mut imports = Imports::default();
        for import in modules::imports(program) {
            let module = match &import.path {
                Some(path) => self.import(importer, path).unwrap_or_else(|problem| {
                    let place = self.library.sources.place(importer, import.position);
                    problems.push(problem.at(place));
                    None
                }),
                // What is imported is known only when the program runs.
                None => None,
            };
            imports.add(&import.alias, module.as_ref().map(|module| &module.exports));
        }
        imports
    }

    /// The module that is imported; `None` when it has problems of its own.
    fn import(&mut self, importer: &str, path: &str) -> Result<Option<Arc<Module>>, Problem> {
        let Some(name) = self.library.find(importer, path) else {
            let standard = super::stdlib::MODULES.iter().map(|(name, _)| name.to_string());
            let help = nearest_name(path, standard).map(|similar| format!("did you mean \"{similar}\"?"));
            return Err(Problem::new(Code::MissingModule, format!("there is no module \"{path}\"")).with_help(help));
        };
        self.library.note_import(importer, &name);
        if let Some(start) = self.chain.iter().position(|other| *other == name) {
            let circle: Vec<&str> = self.chain[start..].iter().chain([&name]).map(String::as_str).collect();
            let message = format!("the modules import each other in a circle: {}", circle.join(" → "));
            return Err(Problem::new(Code::ImportCircle, message));
        }
        if let Some(known) = self.seen.get(&name) {
            return Ok(known.clone());
        }
        if let Some(module) = self.library.kept(&name).filter(|_| !self.is_thorough) {
            self.seen.insert(name, Some(module.clone()));
            return Ok(Some(module));
        }
        match self.library.read_module(&name) {
            Ok(source) => Ok(self.module(&name, &source)),
            Err(failure) => {
                self.seen.insert(name, None);
                let problem = Problem::new(Code::MissingModule, failure.message()).with_help(failure.help());
                match failure.place() {
                    // The module has the mistake, and not its importer.
                    Some(place) => {
                        self.problems.push(problem.at(Some(place.clone())));
                        Ok(None)
                    }
                    None => Err(problem),
                }
            }
        }
    }
}

fn order(problem: &Problem) -> (usize, usize, Code) {
    let (line, column) = problem.place().map_or((0, 0), |place| (place.line, place.column));
    (line, column, problem.kind())
}
