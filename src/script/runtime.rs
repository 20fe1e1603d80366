//! The scripts' world: an interpreter with its surroundings.

use std::path::Path;
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope, Variant};

use crate::process::{Context, os};

#[cfg(feature = "cli")]
use super::arguments;
use super::builder::RuntimeBuilder;
use super::defer;
use super::failure::{Failure, FailureKind};
use super::library::Earlier;
use super::load::{self, Script, read_source};
use super::problem::Problem;
use super::thread::on_script_thread;
use super::with_block::is_termination;
use super::world::{Why, World, lock};

/// How a script came to its end.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It ran to its end; this is the value of its last expression.
    Finished(Dynamic),
    /// It called `exit` with this code.
    Exited(i32),
}

/// An interpreter with the command functions, and the surroundings of its scripts: directory,
/// environment, arguments, streams.
///
/// Nothing of it is global: a program can have many, in different threads. Clones share one world.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use procscript::script::Runtime;
///
/// let printed = Arc::new(Mutex::new(Vec::new()));
/// let receiver = printed.clone();
/// let runtime = Runtime::builder()
///     .args(["world"])
///     .stdout(move |bytes| receiver.lock().unwrap().extend_from_slice(bytes))
///     .build()?;
/// runtime.eval::<()>(r#" print("hello " + args()[0]); cmd("echo", "and goodbye").run(); () "#)?;
/// assert_eq!(*printed.lock().unwrap(), b"hello world\nand goodbye\n");
/// # Ok::<(), procscript::script::Failure>(())
/// ```
#[derive(Clone)]
pub struct Runtime {
    pub(super) engine: Arc<Engine>,
    pub(super) world: Arc<World>,
}

impl Runtime {
    /// A runtime with the surroundings of this process, to be changed.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// Loads a script file: reads, parses and checks it. Nothing is run.
    ///
    /// # Errors
    /// When the file cannot be read or the script has a mistake.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Script, Failure> {
        let path = path.as_ref();
        let source = read_source(path)?;
        let mut script = self.load(&path.display().to_string(), &source)?;
        script.path = std::path::absolute(path).ok();
        Ok(script)
    }

    /// Loads a source text; `name` is what its failures are reported under.
    ///
    /// # Errors
    /// When the script has a mistake.
    pub fn load(&self, name: &str, source: &str) -> Result<Script, Failure> {
        self.load_with(name, source, &Earlier::default())
    }

    /// Looks for mistakes in a source text and in everything that it imports, without running anything.
    ///
    /// The problems of a file stand in the order of their places, and before those of its modules. A text
    /// without errors (warnings are none) can be loaded and run; mistakes that show only when a script
    /// runs, such as a missing map entry, are not found.
    ///
    /// ```
    /// use procscript::script::Runtime;
    ///
    /// let runtime = Runtime::builder().build()?;
    /// let problems = runtime.check("deploy.rhai", "let target = \"web\";\ncmd(\"make\", targte).run();")?;
    /// assert_eq!(problems.len(), 1);
    /// assert_eq!(problems[0].code(), "undefined-variable");
    /// assert_eq!(problems[0].help(), Some("did you mean `target`?"));
    /// let place = problems[0].place().unwrap();
    /// assert_eq!((place.line, place.column), (2, 13));
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    ///
    /// # Errors
    /// When the text could not be checked: never because of what is in it.
    pub fn check(&self, name: &str, source: &str) -> Result<Vec<Problem>, Failure> {
        on_script_thread(|| self.world.library.check(&self.engine, name, source))
    }

    /// Looks for mistakes in a script file; see [`check`](Self::check).
    ///
    /// # Errors
    /// When the file cannot be read, or is not UTF-8.
    pub fn check_file(&self, path: impl AsRef<Path>) -> Result<Vec<Problem>, Failure> {
        let path = path.as_ref();
        let source = read_source(path)?;
        self.check(&path.display().to_string(), &source)
    }

    fn load_with(&self, name: &str, source: &str, earlier: &Earlier) -> Result<Script, Failure> {
        let ast = on_script_thread(|| self.world.library.compile(&self.engine, name, source, earlier))?;
        let ast = ast.map_err(|failure| failure.masked(&self.world.secrets))?;
        Ok(Script { ast, name: name.to_string(), path: None })
    }

    /// Loads a source text from an open stream, such as standard input.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8, or has a mistake.
    pub fn load_reader(&self, name: &str, reader: impl std::io::Read) -> Result<Script, Failure> {
        self.load(name, &load::read_text(reader, name)?)
    }

    /// Runs a script.
    ///
    /// # Errors
    /// An error that the script did not catch, output that could not be written, or a cancellation.
    pub fn run(&self, script: &Script) -> Result<Ending, Failure> {
        if let Some(path) = &script.path {
            *lock(&self.world.script) = Some(path.clone());
        }
        if !self.begin(&script.ast)? {
            return self.conclude(&script.name, Ok(Ok(Dynamic::UNIT)));
        }
        let kept = self.world.keep_temporaries();
        let result = on_script_thread(|| self.evaluate_alone(&script.ast));
        kept.end();
        self.conclude(&script.name, result)
    }

    /// Loads a program and runs it for what it does: its value goes as everything else in it goes, before the end is
    /// concluded from what is left. All on one thread with a large stack; the path is that of the program's file.
    #[cfg(feature = "cli")]
    pub(crate) fn run_program(&self, name: &str, path: Option<&Path>, source: &str) -> Result<Ending, Failure> {
        *lock(&self.world.script) = path.and_then(|path| std::path::absolute(path).ok());
        let kept = self.world.keep_temporaries();
        let ran = on_script_thread(|| -> Result<_, Failure> {
            let ast = self.world.library.compile(&self.engine, name, source, &Earlier::default())?;
            Ok(match self.begin(&ast)? {
                true => self.evaluate_alone(&ast).map(|_| Dynamic::UNIT),
                false => Ok(Dynamic::UNIT),
            })
        });
        kept.end();
        match ran {
            // Nothing was run.
            Ok(Err(failure)) => Err(failure.masked(&self.world.secrets)),
            Ok(Ok(result)) => self.conclude(name, Ok(result)),
            Err(failure) => self.conclude(name, Err(failure)),
        }
    }

    /// Reads the arguments where the program declares them. `false` when there is nothing left to run.
    #[cfg(feature = "cli")]
    fn begin(&self, ast: &AST) -> Result<bool, Failure> {
        arguments::begin(&self.world, ast).map_err(|failure| failure.masked(&self.world.secrets))
    }

    #[cfg(not(feature = "cli"))]
    fn begin(&self, _: &AST) -> Result<bool, Failure> {
        Ok(true)
    }

    /// The variables go where they came from: taking a deeply nested value apart needs stack.
    fn evaluate_alone(&self, ast: &AST) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut scope = Scope::new();
        let result = self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, ast);
        defer::leave(&mut scope);
        result
    }

    /// Evaluates a source text to a value.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`run`](Self::run), and when the value has another type.
    pub fn eval<T: Variant + Clone>(&self, source: &str) -> Result<T, Failure> {
        let script = self.load_with("script", source, &Earlier { value_is_used: true, ..Earlier::default() })?;
        let value = match self.run(&script)? {
            Ending::Finished(value) => value,
            Ending::Exited(code) => {
                return Err(Failure::new(FailureKind::Script, format!("the script called exit({code})")));
            }
        };
        let found = value.type_name();
        value.try_cast::<T>().ok_or_else(|| {
            let message = format!("the script gave a value of type {found}, not {}", std::any::type_name::<T>());
            Failure::new(FailureKind::Script, message)
        })
    }

    /// The surroundings that the scripts' commands are started in.
    pub fn context(&self) -> &Context {
        &self.world.base
    }

    /// Forgets what stopped the last entry of a session.
    pub(crate) fn renew(&self) {
        self.world.base.cancel_token().renew();
        self.world.cleanup.renew();
    }

    /// For a program that ends without coming back to its scripts.
    #[cfg(feature = "cli")]
    pub(crate) fn remove_temporaries(&self) {
        self.world.remove_temporaries();
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles an entry of a session, in which earlier variables and functions exist.
    pub(crate) fn compile_in(&self, name: &str, source: &str, earlier: &Earlier) -> Result<AST, Failure> {
        let ast = on_script_thread(|| self.world.library.compile(&self.engine, name, source, earlier))?;
        ast.map_err(|failure| failure.masked(&self.world.secrets))
    }

    /// Evaluates a part of a session that has this name, as `work` does it.
    pub(crate) fn evaluate(
        &self,
        name: &str,
        ast: &AST,
        work: impl FnOnce() -> Result<Dynamic, Box<EvalAltResult>> + Send,
    ) -> Result<Ending, Failure> {
        if !self.begin(ast)? {
            return self.conclude(name, Ok(Ok(Dynamic::UNIT)));
        }
        let result = on_script_thread(work);
        self.conclude(name, result)
    }

    /// What the end of an evaluation means, now that everything that can happen has happened.
    fn conclude(
        &self,
        name: &str,
        result: Result<Result<Dynamic, Box<EvalAltResult>>, Failure>,
    ) -> Result<Ending, Failure> {
        self.ending(name, result).map_err(|failure| failure.masked(&self.world.secrets))
    }

    fn ending(
        &self,
        name: &str,
        result: Result<Result<Dynamic, Box<EvalAltResult>>, Failure>,
    ) -> Result<Ending, Failure> {
        let world = &self.world;
        let explain = |error: Box<EvalAltResult>| {
            world.library.explain(&self.engine, name, |explainer| explainer.run_failure(*error))
        };
        world.live.end();
        let flushed = world.out.flush();
        let unobserved = std::mem::take(&mut *lock(&world.unobserved));
        let why = world.halt.take();
        let is_interrupted = world.base.cancel_token().is_cancelled() || world.is_entry_interrupted();
        let suppressed = std::mem::take(&mut *lock(&world.suppressed));
        let ending = match (why, result?) {
            (Some(Why::Output(errno)), _) => Err(output_failure(errno)),
            (Some(Why::Lost(error)), _) => Err(explain(error)),
            (Some(Why::Memory), result) => Err(memory_failure(world.memory_limit).where_is(result.err().map(explain))),
            (Some(Why::Operations), result) => Err(operations_failure().where_is(result.err().map(explain))),
            // Told to stop while it was leaving: it dies of that.
            (Some(Why::Exit(_)), _) if is_interrupted => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
            (Some(Why::Exit(code)), _) => Ok(Ending::Exited(code)),
            // Likewise; that clean-up failed is said below.
            (Some(Why::Cleanup), _) if is_interrupted => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
            (Some(Why::Cleanup), Err(error)) if !is_termination(&error) => Err(explain(error)),
            (Some(Why::Cleanup), _) => Ok(Ending::Finished(Dynamic::UNIT)),
            (None, _) if is_interrupted => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
            (None, Err(error)) => Err(explain(error)),
            (None, Ok(value)) => Ok(Ending::Finished(value)),
        };
        // Output that was lost at the very end is lost all the same.
        let ending = match (ending, flushed) {
            (Ok(_), Err(error)) => Err(output_failure(error.raw_os_error())),
            (ending, _) => ending,
        };
        let ending = suppressed.into_iter().fold(ending, |ending, error| match ending {
            Err(first) => Err(first.with_note(format!("and clean-up failed{}", explain(error.into()).with_place()))),
            Ok(_) => Err(explain(error.into())),
        });
        let ending = match (ending, std::mem::take(&mut *lock(&world.unheard))) {
            (Ok(Ending::Finished(_) | Ending::Exited(0)), Some(errno)) => Err(messages_failure(errno)),
            (ending, _) => ending,
        };
        let background = unobserved.into_iter().map(|error| explain(error.into()));
        // What was told to stop with us has ended of that.
        let background = background.filter(|failure| !(is_interrupted && is_of_interruption(failure)));
        background.fold(ending, |ending, failure| match ending {
            Err(first) => Err(first.with_note(format!("and nobody waited for {}", failure.message()))),
            Ok(_) => Err(failure.in_background()),
        })
    }

    /// A text with the secrets of the scripts masked, as the runtime does it with everything that it shows: for what
    /// the host writes about them.
    ///
    /// ```
    /// use procscript::script::Runtime;
    ///
    /// let runtime = Runtime::builder().build()?;
    /// let token: String = runtime.eval(r#" secret("s3cret").reveal() "#)?;
    /// assert_eq!(runtime.mask(&format!("logged in with {token}")), "logged in with ***");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn mask(&self, text: &str) -> String {
        self.world.secrets.mask(text).into_owned()
    }

    /// Writes out what scripts have printed and is still kept back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&self) -> Result<(), Failure> {
        self.world.out.flush().map_err(|error| output_failure(error.raw_os_error()))
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("context", &self.world.base).finish_non_exhaustive()
    }
}

/// Whether it is that of a command that a signal for all of us has ended.
fn is_of_interruption(failure: &Failure) -> bool {
    const SIGNALS: [i32; 5] = [os::SIGINT, os::SIGTERM, os::SIGHUP, os::SIGQUIT, os::SIGKILL];
    let FailureKind::Command(error) = failure.kind() else { return false };
    let Some(status) = error.status() else { return false };
    // A shell says so by its exit code.
    SIGNALS.iter().any(|signal| status.signal() == Some(*signal) || status.code() == Some(128 + signal))
}

fn memory_failure(limit: usize) -> Failure {
    let message = format!("the script holds more memory than its limit of {} MiB", limit >> 20);
    let help = "go through large data line by line (.lines()), or have it written to files";
    Failure::new(FailureKind::Limit, message).with_help(Some(help))
}

fn operations_failure() -> Failure {
    Failure::new(FailureKind::Limit, "the script took more operations than its limit")
}

fn messages_failure(errno: Option<i32>) -> Failure {
    let reason = errno.map_or_else(|| "it failed".to_string(), crate::process::os::errno_text);
    Failure::new(FailureKind::Output(errno), format!("cannot write to standard error: {reason}"))
}

fn output_failure(errno: Option<i32>) -> Failure {
    let reason = errno.map_or_else(|| "it failed".to_string(), crate::process::os::errno_text);
    Failure::new(FailureKind::Output(errno), format!("cannot write to standard output: {reason}"))
}
