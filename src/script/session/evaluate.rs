//! How entries are evaluated.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rhai::{AST, Dynamic};

use crate::data::json::{self, BigIntegers};
use crate::process::{Expression, Output};
use crate::script::api::Outcome;
use crate::script::defer;
use crate::script::failure::{Failure, FailureKind};
use crate::script::library::Earlier;
use crate::script::load::read_source_until;
use crate::script::runtime::Ending;
use crate::script::scan;
use crate::script::thread::on_script_thread;
use crate::script::values::into_script;

use super::results::{self, ERROR};
use super::{Reply, Session, bare, listing, timing};

impl Session {
    /// Evaluates one entry. What it defined before a failure stays.
    ///
    /// # Errors
    /// As [`Runtime::load`](crate::script::Runtime::load) and [`Runtime::run`](crate::script::Runtime::run).
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
        self.runtime.renew();
        self.beside.renew();
        let source = read_source_until(&path, self.beside.entry_token())?;
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
                let kind = listing::kind_of(&value);
                drop(value);
                kind
            }),
            (Ending::Exited(code), _) => {
                Err(Failure::new(FailureKind::Script, format!("the expression called exit({code})")))
            }
        }
    }

    /// Whether an entry needs more lines before it can be evaluated.
    pub fn is_incomplete(entry: &str) -> bool {
        scan::is_incomplete(entry)
    }

    fn evaluate(&mut self, name: &str, source: &str) -> Result<(Ending, bare::Kind), Failure> {
        // What is not evaluated has taken no time.
        self.timing = None;
        self.runtime.renew();
        self.beside.renew();
        if source.contains("import") {
            self.runtime.world.library.forget_changed();
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::Runtime;

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
