//! One entry after another, with the variables and functions of the earlier ones: what a REPL needs.

mod bare;
mod beside;
mod history;
mod results;
mod show;
mod timing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rhai::{AST, Dynamic, ImmutableString, Scope, Shared};

use crate::data::json::{self, BigIntegers};
use crate::process::{Expression, Output};

use super::api::Outcome;
use super::convert;
use super::defer;
use super::failure::{Failure, FailureKind};
use super::library::Earlier;
use super::load::read_source;
use super::runtime::{Ending, Runtime};
use super::scan;
use super::spelling::RESULT;
use super::temporaries::KeptTemporaries;
use super::thread::on_script_thread;
use super::values::into_script;

pub(crate) use beside::Beside;
pub use beside::{Interrupter, Job};
pub use history::SessionEntry;
pub use show::View;
pub use timing::{Timing, ending_line};

use history::Entries;
use results::{ERROR, Results};

/// Evaluates entries in one scope.
///
/// ```
/// use procscript::script::{Ending, Runtime, Session};
///
/// let mut session = Session::new(Runtime::builder().build()?);
/// session.eval("let x = 20; fn twice(n) { n * 2 }")?;
/// let Ending::Finished(value) = session.eval("twice(x) + 2")? else { unreachable!() };
/// assert_eq!(value.as_int(), Ok(42));
/// // The last value is `_`, and the one before it `_2`.
/// let Ending::Finished(value) = session.eval("_ + 1")? else { unreachable!() };
/// assert_eq!(value.as_int(), Ok(43));
/// # Ok::<(), procscript::script::Failure>(())
/// ```
///
/// What a person would type is [entered](Self::enter): a command is run, and the value is shown.
///
/// Commands that were started (`start()`, `service()`) belong to the session and not to the entry: they go on when the
/// entry is [interrupted](Self::interrupter), and are ended with the session.
pub struct Session {
    runtime: Runtime,
    scope: Scope<'static>,
    /// The functions of all entries so far, for the check of the next.
    functions: AST,
    /// The same as the interpreter has them: those of each entry know which entry they are from.
    libraries: Vec<Shared<rhai::Module>>,
    /// The modules that were imported, by the names that they were given.
    imports: Vec<(ImmutableString, Shared<rhai::Module>)>,
    /// The same for the check: the names with those of the modules.
    aliases: Vec<(String, String)>,
    beside: Arc<Beside>,
    results: Results,
    entries: Entries,
    view: View,
    timing: Option<Timing>,
    failure: Option<Failure>,
    /// What line editors ask for.
    #[cfg(feature = "cli")]
    editing: super::editing::Editing,
    /// Temporary files live as long as the session; the last field, because what the variables leave may use them.
    _temporaries: KeptTemporaries,
}

/// What came of an entry.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The code that `exit` was called with, when it was.
    pub exited: Option<i32>,
    /// How its value is shown; `None` when it has none, or is not to be shown.
    pub shown: Option<String>,
    /// Whether the entry was a command as it stands, which has been run.
    pub was_command: bool,
}

/// A variable of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds: "an integer", "an array of 3".
    pub kind: String,
    /// The beginning of its value.
    pub shown: String,
    /// Whether it was declared with `const`.
    pub is_constant: bool,
}

impl Session {
    /// A session without variables.
    pub fn new(runtime: Runtime) -> Self {
        let _temporaries = runtime.world.keep_temporaries();
        let beside = runtime.world.session.get_or_init(|| Arc::new(Beside::new(&runtime.world))).clone();
        let mut scope = Scope::new();
        results::prepare(&mut scope);
        Self {
            runtime,
            scope,
            functions: AST::empty(),
            libraries: Vec::new(),
            imports: Vec::new(),
            aliases: Vec::new(),
            beside,
            results: Results::default(),
            entries: Entries::default(),
            view: View::default(),
            timing: None,
            failure: None,
            #[cfg(feature = "cli")]
            editing: Default::default(),
            _temporaries,
        }
    }

    /// Evaluates one entry. What it defined before a failure stays.
    ///
    /// # Errors
    /// As [`Runtime::load`] and [`Runtime::run`].
    pub fn eval(&mut self, entry: &str) -> Result<Ending, Failure> {
        let name = self.entries.begin(entry);
        let result = self.evaluate(&name, entry);
        self.returned(result)
    }

    /// Evaluates one entry as at a prompt: a command that is the whole entry is run with the terminal, and the value
    /// is shown as [`set_view`](Self::set_view) says. A semicolon at the end keeps the command from being run, and
    /// the value from being shown.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session};
    ///
    /// let mut session = Session::new(Runtime::builder().stdout(|_| ()).build()?);
    /// assert_eq!(session.enter("[1, 2]")?.shown.as_deref(), Some("[1, 2]"));
    /// assert_eq!(session.enter("[3, 4];")?.shown, None);
    /// assert!(session.enter("$`echo hello`")?.was_command);
    /// // The result of a command is a value like others.
    /// assert_eq!(session.enter("_.code")?.shown.as_deref(), Some("0"));
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    ///
    /// # Errors
    /// As [`eval`](Self::eval); also when the command fails.
    pub fn enter(&mut self, entry: &str) -> Result<Reply, Failure> {
        let name = self.entries.begin(entry);
        let (text, is_quiet) = bare::without_semicolon(entry);
        let mut result = self.evaluate(&name, &text);
        let mut was_command = false;
        if let Ok((Ending::Finished(value), kind)) = &result
            && kind.is_command
            && !is_quiet
            && value.is::<Expression>()
        {
            was_command = true;
            let (value, kind) = (value.clone(), *kind);
            result = self.run_bare(&name, value).map(|ending| (ending, kind));
        }
        match self.noted(result, was_command) {
            Ok(Ending::Finished(value)) => {
                let shown = if is_quiet || was_command { None } else { self.show(&value) };
                self.keep(value)?;
                Ok(Reply { exited: None, shown, was_command })
            }
            Ok(Ending::Exited(code)) => Ok(Reply { exited: Some(code), shown: None, was_command }),
            Err(failure) => Err(failure),
        }
    }

    /// Evaluates a file in the session: what it defines is there afterwards. Places in it are told by its name.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`eval`](Self::eval).
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<Ending, Failure> {
        let path = self.absolute(path.as_ref());
        let source = read_source(&path)?;
        let name = path.display().to_string();
        self.entries.begin_file(&name, &source);
        let result = self.evaluate(&name, &source);
        self.returned(result)
    }

    /// The same for a file of settings: it is no entry.
    #[cfg(feature = "cli")]
    pub(crate) fn load_settings(&mut self, path: &Path) -> Result<Ending, Failure> {
        let result = self.load(path);
        self.entries.forget();
        result
    }

    /// Runs a command with the terminal, as an entry that is one is run.
    ///
    /// # Errors
    /// As [`Expression::run`].
    pub fn run(&mut self, command: Expression) -> Result<Output, Failure> {
        self.runtime.renew();
        self.beside.renew();
        match self.run_bare("command", Dynamic::from(command))? {
            Ending::Finished(value) => match value.try_cast::<Outcome>() {
                Some(outcome) => Ok(outcome.output),
                None => Err(Failure::new(FailureKind::Internal, "the command has no result")),
            },
            Ending::Exited(code) => Err(Failure::new(FailureKind::Script, format!("exit({code}) was called"))),
        }
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.runtime.context().absolute(path).unwrap_or_else(|_| path.to_path_buf())
    }

    /// What an expression gives, in words: "an array of 3". The expression is evaluated for that.
    ///
    /// # Errors
    /// As [`eval`](Self::eval).
    pub fn kind_of(&mut self, expression: &str) -> Result<String, Failure> {
        match self.evaluate("type", bare::without_semicolon(expression).0.as_str())? {
            (Ending::Finished(value), _) => on_script_thread(|| {
                let kind = kind_of(&value);
                drop(value);
                kind
            }),
            (Ending::Exited(code), _) => {
                Err(Failure::new(FailureKind::Script, format!("the expression called exit({code})")))
            }
        }
    }

    fn evaluate(&mut self, name: &str, source: &str) -> Result<(Ending, bare::Kind), Failure> {
        // What is not evaluated has taken no time.
        self.timing = None;
        self.runtime.renew();
        self.beside.renew();
        let earlier = Earlier {
            scope: Some(&self.scope),
            functions: Some(&self.functions),
            imports: &self.aliases,
            value_is_used: true,
            ..Earlier::default()
        };
        let ast = self.runtime.compile_in(name, source, &earlier)?;
        let kind = bare::Kind::of(&ast);
        let started = timing::Start::now(&self.beside);
        let length = self.scope.len();
        let ending = self.interpret(name, &ast);
        self.timing = Some(started.finish());
        if matches!(&ending, Err(failure) if matches!(failure.kind(), FailureKind::Internal)) {
            // A panic may have left anything behind what was there before.
            self.scope.rewind(length.min(self.scope.len()));
        }
        self.learn(name, &ast);
        ending.map(|ending| (ending, kind))
    }

    /// Runs the statements, with the functions and modules of the earlier entries.
    #[allow(deprecated, reason = "the way to give the interpreter more than one library of functions")]
    fn interpret(&mut self, name: &str, ast: &AST) -> Result<Ending, Failure> {
        let Self { runtime, scope, libraries, imports, beside, .. } = self;
        let mut imported = None;
        let ending = runtime.evaluate(name, ast, || {
            let world = &runtime.world;
            let _entered = world.enter(beside.layer(world));
            let engine = runtime.engine();
            let mut global = engine.new_global_runtime_state();
            global.source = Some(name.into());
            global.lib.extend(libraries.iter().cloned());
            global.lib.push(ast.shared_lib().clone());
            for (name, module) in &*imports {
                global.push_import(name.clone(), module.clone());
            }
            let mut caches = rhai::Caches::new();
            let result = engine.eval_statements_raw(&mut global, &mut caches, scope, ast.statements());
            defer::end_of_entry(scope);
            let all = global.scan_imports_raw();
            imported = Some(all.map(|(name, module)| (name.clone(), module.clone())).collect());
            result
        });
        if let Some(imported) = imported {
            *imports = imported;
        }
        ending
    }

    /// Keeps what the next entries see of this one.
    fn learn(&mut self, name: &str, ast: &AST) {
        if ast.iter_functions().next().is_some() {
            self.libraries.push(ast.shared_lib().clone());
            self.functions = self.functions.merge(ast);
            self.functions.clear_statements();
        }
        for (alias, path) in bare::imports(ast) {
            if let Some(module) = self.runtime.world.library.find(name, &path) {
                self.aliases.retain(|(other, _)| *other != alias);
                self.aliases.push((alias, module));
            }
        }
        // One whose import has failed is not there.
        let imports = &self.imports;
        self.aliases.retain(|(alias, _)| imports.iter().any(|(name, _)| name == alias));
    }

    /// Runs the command that an entry is.
    fn run_bare(&mut self, name: &str, command: Dynamic) -> Result<Ending, Failure> {
        let Self { runtime, beside, .. } = self;
        let started = timing::Start::now(beside);
        let ending = runtime.evaluate(name, &AST::empty(), || {
            let world = &runtime.world;
            let _entered = world.enter(beside.layer(world));
            bare::run(world, name, &command).map(|output| Dynamic::from(Outcome::from(output)))
        });
        self.timing = Some(started.finish());
        ending
    }

    /// Notes for the entry how it ended.
    fn noted(&mut self, result: Result<(Ending, bare::Kind), Failure>, was_command: bool) -> Result<Ending, Failure> {
        let elapsed = self.timing.as_ref().map_or(Duration::ZERO, |timing| timing.elapsed);
        let is_expression = matches!(&result, Ok((_, kind)) if kind.is_expression);
        self.entries.end(result.is_ok(), elapsed, was_command, is_expression);
        if let Err(failure) = &result {
            self.keep_failure(failure);
        }
        result.map(|(ending, _)| ending)
    }

    /// Keeps a value that the caller gets, too.
    fn returned(&mut self, result: Result<(Ending, bare::Kind), Failure>) -> Result<Ending, Failure> {
        let ending = self.noted(result, false)?;
        if let Ending::Finished(value) = &ending {
            let copy = on_script_thread(|| value.clone())?;
            self.keep(copy)?;
        }
        Ok(ending)
    }

    /// Keeps the value of an entry. Taking the older ones apart needs stack, where they are nested deeply.
    fn keep(&mut self, value: Dynamic) -> Result<(), Failure> {
        self.beside.hold(&value);
        if !results::is_kept(&value) {
            return on_script_thread(|| drop(value));
        }
        self.entries.has_value();
        let (scope, results) = (&mut self.scope, &mut self.results);
        on_script_thread(|| results.push(scope, value))
    }

    /// Keeps why the last entry failed.
    fn keep_failure(&mut self, failure: &Failure) {
        let text = failure.to_json();
        let error = on_script_thread(|| json::parse(&text, BigIntegers::Refused).map(into_script).unwrap_or_default());
        if let (Ok(error), Some(place)) = (error, self.scope.get_mut(ERROR)) {
            *place = error;
        }
        self.failure = Some(failure.clone());
    }

    /// Whether an entry needs more lines before it can be evaluated.
    pub fn is_incomplete(entry: &str) -> bool {
        scan::is_incomplete(entry)
    }

    /// How a value is shown, with secrets masked; `None` for nothing.
    pub fn show(&self, value: &Dynamic) -> Option<String> {
        self.show_in(value, &self.view)
    }

    /// How a value is shown with so much room.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session, View};
    ///
    /// let session = Session::new(Runtime::builder().build()?);
    /// let rows = session.runtime().eval(r#" [#{name: "a", size: 1}, #{name: "bc", size: 20}] "#)?;
    /// let shown = session.show_in(&rows, &View { rows: 1, ..View::default() }).unwrap();
    /// assert_eq!(shown, "name  size\n----  ----\na        1\n… 1 more");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn show_in(&self, value: &Dynamic, view: &View) -> Option<String> {
        if value.is_unit() {
            return None;
        }
        let shown = on_script_thread(|| show::show(&self.runtime, value, view));
        shown.ok().map(|shown| self.runtime.mask(&shown))
    }

    /// How much of a value [`enter`](Self::enter) and [`show`](Self::show) show.
    pub fn set_view(&mut self, view: View) {
        self.view = view;
    }

    /// The last value, shown with everything that is in it.
    pub fn show_last(&mut self) -> Option<String> {
        let view = View { is_whole: true, ..self.view.clone() };
        let Self { runtime, scope, .. } = self;
        let last = scope.get_mut(&format!("{RESULT}1"))?;
        let shown = on_script_thread(|| (!last.is_unit()).then(|| show::show(runtime, last, &view))).ok()??;
        Some(runtime.mask(&shown))
    }

    /// The variables, in the order in which they were declared; of those of one name only the last can be seen.
    pub fn variables(&self) -> Vec<Variable> {
        let mut seen = std::collections::HashSet::new();
        let all: Vec<_> = self.scope.iter_raw().collect();
        let view = View { columns: 60, rows: 0, is_whole: false };
        let listed = on_script_thread(|| {
            // The last comes first.
            let visible = all
                .iter()
                .filter(|(name, ..)| !name.starts_with("__") && *name != ERROR && seen.insert(name.to_string()));
            let mut variables: Vec<Variable> = visible
                .map(|(name, is_constant, value)| Variable {
                    name: name.to_string(),
                    kind: kind_of(value),
                    shown: self.runtime.mask(&show::show(&self.runtime, value, &view)),
                    is_constant: *is_constant,
                })
                .collect();
            variables.reverse();
            variables
        });
        listed.unwrap_or_default()
    }

    /// The names of the functions that were defined, with those of their parameters.
    pub fn defined_functions(&self) -> Vec<(String, Vec<String>)> {
        let own = self.functions.iter_functions().filter(|function| !function.name.contains('$'));
        let mut functions: Vec<_> = own
            .map(|function| (function.name.to_string(), function.params.iter().map(ToString::to_string).collect()))
            .collect();
        functions.sort();
        functions
    }

    /// What was entered.
    pub fn entries(&self) -> &[SessionEntry] {
        self.entries.all()
    }

    /// The entries that have succeeded, as a script that does the same. Values that were referred to by `_` have
    /// names in it, and a command that was run because it was the whole entry is run.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session};
    ///
    /// let mut session = Session::new(Runtime::builder().build()?);
    /// session.enter("20 * 2")?;
    /// assert!(session.enter("nope").is_err());
    /// session.enter("let answer = _ + 2")?;
    /// assert_eq!(session.script(), "let result_1 = 20 * 2;\nlet answer = result_1 + 2;\n");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn script(&self) -> String {
        self.entries.script()
    }

    /// Why the last entry that failed did.
    pub fn last_failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// How long the last entry took, and the commands that it waited for; `None` when it could not be evaluated.
    pub fn last_timing(&self) -> Option<&Timing> {
        self.timing.as_ref()
    }

    /// The commands that were started and are running.
    pub fn jobs(&self) -> Vec<Job> {
        self.beside.jobs()
    }

    /// Forgets the variables, functions and modules. Commands that were started are ended.
    pub fn reset(&mut self) {
        self.leave();
        results::prepare(&mut self.scope);
        self.functions = AST::empty();
        self.libraries.clear();
        self.imports.clear();
        self.aliases.clear();
        self.results = Results::default();
        self.entries.forget();
        self.timing = None;
        self.failure = None;
    }

    /// Ends what the session holds. Taking a deeply nested value apart needs stack.
    fn leave(&mut self) {
        let scope = &mut self.scope;
        let beside = &self.beside;
        let _ = on_script_thread(|| {
            defer::leave(scope);
            beside.let_go();
        });
    }

    /// What ends the entry that is being evaluated.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::new(&self.beside)
    }

    #[cfg(feature = "cli")]
    pub(crate) fn beside(&self) -> &Arc<Beside> {
        &self.beside
    }

    /// Says where text goes that comes while a person types.
    #[cfg(feature = "cli")]
    pub(crate) fn set_prompt(&self, above: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let above: super::console::AbovePrompt = Arc::new(above);
        self.beside.set_prompt(&self.runtime.world, &above);
    }

    #[cfg(feature = "cli")]
    pub(super) fn editing(&self) -> &super::editing::Editing {
        &self.editing
    }

    #[cfg(feature = "cli")]
    pub(super) fn scope(&self) -> &Scope<'static> {
        &self.scope
    }

    /// The names of imported modules, with their paths.
    #[cfg(feature = "cli")]
    pub(super) fn aliases(&self) -> &[(String, String)] {
        &self.aliases
    }

    #[cfg(feature = "cli")]
    pub(super) fn functions(&self) -> &AST {
        &self.functions
    }

    /// The runtime that the entries are evaluated in.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leave();
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// The kind of a value, with how much there is of it.
fn kind_of(value: &Dynamic) -> String {
    if value.is::<crate::process::Execution>() {
        return "a command that was started".to_string();
    }
    if value.is::<Outcome>() {
        return "the result of a command".to_string();
    }
    let kind = convert::kind_of(value);
    let kind = kind.split(" (").next().unwrap_or_default().to_string();
    if let Some(array) = value.read_lock::<rhai::Array>() {
        return format!("{kind} of {}", array.len());
    }
    if let Some(map) = value.read_lock::<rhai::Map>() {
        return format!("{kind} of {}", map.len());
    }
    if let Some(blob) = value.read_lock::<rhai::Blob>() {
        return format!("{kind} of {} bytes", blob.len());
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of_failure(session: &mut Session, entry: &str) -> String {
        let failure = session.eval(entry).expect_err("the entry fails");
        failure.place().map(|place| format!("{}:{}:{}", place.file, place.line, place.column)).unwrap_or_default()
    }

    #[test]
    fn a_place_is_in_the_entry_that_has_it() {
        let mut session = Session::new(Runtime::builder().build().expect("a runtime"));
        session.eval("fn divide(n) { 1 / n }\nfn clean() { defer { divide(0); } }").expect("functions");
        session.eval("let f = || throw \"no\";").expect("a closure");
        assert_eq!(place_of_failure(&mut session, "\n\n\n1 + divide(0)"), "entry 1:1:18");
        assert_eq!(place_of_failure(&mut session, "clean()"), "entry 1:1:18");
        assert_eq!(place_of_failure(&mut session, "\n\n\n\nf.call()"), "entry 2:1:12");
        assert_eq!(place_of_failure(&mut session, "let x = 1;\n  x / 0"), "entry 6:2:5");
        assert_eq!(place_of_failure(&mut session, "let x = 1;\n  y"), "entry 7:2:3");
    }
}
