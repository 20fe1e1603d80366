//! The scripts' world: an interpreter with its surroundings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Dynamic, Engine, EvalAltResult, OptimizationLevel, Scope, Variant};

use crate::process::{CancelToken, Context, HostStream};

use super::api;
use super::console::{Console, Receiver};
use super::defer;
use super::failure::{Failure, FailureKind};
use super::library::{Earlier, Library};
use super::load::{self, Script, read_source};
use super::problem::Problem;
use super::resolver::Resolver;
use super::secret::Secrets;
use super::with_block::is_termination;
use super::world::{Halt, Why, World, lock};

/// The stack of the thread that a script runs on: reserved, not used, until a script needs it. With the
/// two limits below, the deepest script takes about a third of it (`language/recursion_is_bounded`).
pub(super) const STACK: usize = 512 * 1024 * 1024;
/// Where so much cannot be reserved (`ulimit -v`).
const SMALL_STACK: usize = 64 * 1024 * 1024;
/// How deeply script functions may call each other.
const CALL_LEVELS: usize = 600;
/// How deeply expressions and blocks may be nested, outside and inside functions.
const NESTING: usize = 500;
const NESTING_IN_FUNCTION: usize = 250;

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
    engine: Arc<Engine>,
    world: Arc<World>,
}

type Registration = Box<dyn FnOnce(&mut Engine)>;

/// Collects the surroundings of a [`Runtime`].
#[derive(Default)]
pub struct RuntimeBuilder {
    context: Context,
    cleanup: CancelToken,
    args: Vec<String>,
    script: Option<PathBuf>,
    stdout: Option<Receiver>,
    stderr: Option<Receiver>,
    registrations: Vec<Registration>,
    memory_limit: Option<usize>,
    operation_limit: Option<u64>,
    library_path: Vec<PathBuf>,
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
        let result = on_script_thread(|| self.evaluate_alone(&script.ast));
        self.conclude(&script.name, result)
    }

    /// Runs a script for what it does: its value goes as everything else in it goes, before the end is
    /// concluded from what is left.
    #[cfg(feature = "cli")]
    pub(crate) fn run_to_end(&self, script: &Script) -> Result<Ending, Failure> {
        *lock(&self.world.script) = script.path.clone();
        let result = on_script_thread(|| self.evaluate_alone(&script.ast).map(|_| Dynamic::UNIT));
        self.conclude(&script.name, result)
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

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles an entry of a session, in which earlier variables and functions exist.
    pub(crate) fn compile_in(&self, name: &str, source: &str, scope: &Scope, functions: &AST) -> Result<AST, Failure> {
        let earlier = Earlier { scope: Some(scope), functions: Some(functions), value_is_used: true };
        let ast = on_script_thread(|| self.world.library.compile(&self.engine, name, source, &earlier))?;
        ast.map_err(|failure| failure.masked(&self.world.secrets))
    }

    pub(crate) fn evaluate(&self, name: &str, scope: &mut Scope<'static>, ast: &AST) -> Result<Ending, Failure> {
        let result = on_script_thread(|| {
            let result = self.engine.eval_ast_with_scope::<Dynamic>(scope, ast);
            defer::end_of_entry(scope);
            result
        });
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
        let flushed = world.out.flush();
        let unobserved = std::mem::take(&mut *lock(&world.unobserved));
        let why = world.halt.take();
        let is_interrupted = world.base.cancel_token().is_cancelled();
        let suppressed = std::mem::take(&mut *lock(&world.suppressed));
        let ending = match (why, result?) {
            (Some(Why::Output(errno)), _) => Err(output_failure(errno)),
            (Some(Why::Lost(error)), _) => Err(explain(error)),
            (Some(Why::Memory), result) => Err(memory_failure(world.memory_limit).where_is(result.err().map(explain))),
            // Told to stop while it was leaving: it dies of that.
            (Some(Why::Exit(_)), _) if is_interrupted => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
            (Some(Why::Exit(code)), _) => Ok(Ending::Exited(code)),
            // That clean-up failed is said below.
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
            Err(first) => Err(first.with_note(format!("and clean-up failed: {}", explain(error.into()).message()))),
            Ok(_) => Err(explain(error.into())),
        });
        let background = unobserved.into_iter().map(|error| explain(error.into()));
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

impl RuntimeBuilder {
    /// The arguments of the script: what `args()` gives.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// The directory that commands run in and relative paths count from.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.context = self.context.with_dir(dir);
        self
    }

    /// An environment variable for every command, and for `env()`.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.context = self.context.with_env(name, value);
        self
    }

    /// Receives what scripts print and what their commands write to an inherited standard output.
    pub fn stdout(mut self, receiver: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.stdout = Some(Arc::new(receiver));
        self
    }

    /// Receives the scripts' messages and what their commands write to an inherited standard error.
    pub fn stderr(mut self, receiver: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.stderr = Some(Arc::new(receiver));
        self
    }

    /// What ends scripts, and their commands, early.
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.context = self.context.with_cancel(token);
        self
    }

    /// What ends the clean-up of scripts (`defer`), which runs to its end when the script itself is
    /// [cancelled](Self::cancel).
    pub fn cancel_cleanup(mut self, token: CancelToken) -> Self {
        self.cleanup = token;
        self
    }

    /// Directories where a module is looked for that is not beside the file that imports it. Relative ones count
    /// from the runtime's directory.
    pub fn library_path<P: Into<PathBuf>>(mut self, dirs: impl IntoIterator<Item = P>) -> Self {
        self.library_path = dirs.into_iter().map(Into::into).collect();
        self
    }

    /// The most memory, in bytes, that this process may hold while a script runs (no limit by default). More
    /// ends the script with an error that it cannot catch. All of the process counts, since nobody can say
    /// whose a piece of memory is; it is looked at often, but a script can be over the limit for a moment.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// The most operations that a script may take (no limit by default): an operation is about one node of an
    /// expression. More end the script with an error that it cannot catch.
    pub fn operation_limit(mut self, operations: u64) -> Self {
        self.operation_limit = Some(operations);
        self
    }

    /// Adds functions and types of the host beside ours; a function of the same name and parameters
    /// replaces ours.
    pub fn register(mut self, registration: impl FnOnce(&mut Engine) + 'static) -> Self {
        self.registrations.push(Box::new(registration));
        self
    }

    /// The file that `script_path()` gives before a script file is run.
    pub fn script_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.script = Some(path.into());
        self
    }

    #[cfg(feature = "cli")]
    pub(crate) fn context(mut self, change: impl FnOnce(Context) -> Context) -> Self {
        self.context = change(self.context);
        self
    }

    /// Makes the runtime.
    ///
    /// # Errors
    /// None at present; limits and policies that can be wrong will be checked here.
    pub fn build(self) -> Result<Runtime, Failure> {
        let Self {
            context,
            cleanup,
            args,
            script,
            stdout,
            stderr,
            registrations,
            memory_limit,
            operation_limit,
            library_path,
        } = self;
        let mut engine = Engine::new_raw();
        StandardPackage::new().register_into_engine(&mut engine);
        configure(&mut engine);
        engine.set_max_operations(operation_limit.unwrap_or(0));
        let world = Arc::new(World {
            memory_limit: memory_limit.unwrap_or(usize::MAX),
            ..make_world(context, cleanup, args, script, stdout, stderr)
        });
        api::register(&mut engine, &world);
        let halting = world.clone();
        engine.on_progress(move |operation| halting.stops_at(operation).then_some(Dynamic::UNIT));
        engine.set_module_resolver(Resolver::new(world.library.clone()));
        for registration in registrations {
            registration(&mut engine);
        }
        // Set once, here.
        let _ = world.library.path.set(library_path);
        super::defer::register(&mut engine, &world);
        let engine = Arc::new(engine);
        // Set once, here.
        let _ = world.engine.set(Arc::downgrade(&engine));
        Ok(Runtime { engine, world })
    }
}

impl std::fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeBuilder").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Adds the command functions and the template to an engine that a program has already.
///
/// The engine keeps its own settings, packages, output and module resolver. `exit()` and a
/// cancellation end its scripts with [`EvalAltResult::ErrorTerminated`]. Streams that call functions
/// (`map`, `filter`) can be read by their methods, but neither by `for` nor as the input of a command:
/// for those the engine must be a [`Runtime`]'s.
///
/// ```
/// use procscript::{process::Context, script::{install, rhai::Engine}};
///
/// let mut engine = Engine::new();
/// install(&mut engine, Context::new());
/// let text: String = engine.eval(r#" cmd("echo", "hello").read() "#)?;
/// assert_eq!(text, "hello");
/// # Ok::<(), Box<procscript::script::rhai::EvalAltResult>>(())
/// ```
pub fn install(engine: &mut Engine, context: Context) {
    let world = Arc::new(make_world(context, CancelToken::never(), Vec::new(), None, None, None));
    api::register(engine, &world);
    engine.on_progress(move |operation| world.stops_at(operation).then_some(Dynamic::UNIT));
}

/// The language as our scripts have it: what would be silent is an error.
pub(super) fn configure(engine: &mut Engine) {
    // The optimiser changes what programs mean: `#{a: 1}.b` would be `()` and no error, `command && true`
    // would be the command, and a mistake in a branch that is never taken would go unseen.
    engine.set_optimization_level(OptimizationLevel::None);
    // The check knows the scopes better (`check/names.rs`), and goes on after the first unknown name.
    engine.set_strict_variables(false);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_expr_depths(NESTING, NESTING_IN_FUNCTION);
    // Interning makes strings that are made at run time two to three times slower.
    engine.set_max_strings_interned(0);
}

fn make_world(
    context: Context,
    cleanup: CancelToken,
    args: Vec<String>,
    script: Option<PathBuf>,
    stdout: Option<Receiver>,
    stderr: Option<Receiver>,
) -> World {
    let mut context = context;
    let secrets: Arc<Secrets> = Arc::default();
    let console = |receiver: &Option<Receiver>, own: fn(&Arc<Secrets>) -> Console| {
        let receiver = receiver.clone();
        Arc::new(receiver.map_or_else(|| own(&secrets), |receiver| Console::to_receiver(receiver, &secrets)))
    };
    let (out, err) = (console(&stdout, Console::stdout), console(&stderr, Console::stderr));
    if let Some(receiver) = stdout {
        context = context.with_stdout(HostStream::Sink(receiver));
    }
    if let Some(receiver) = stderr {
        context = context.with_stderr(HostStream::Sink(receiver));
    }
    let halt: Arc<Halt> = Arc::default();
    let unobserved: Arc<Mutex<Vec<_>>> = Arc::default();
    let (flushing, stopping) = (out.clone(), halt.clone());
    let context = context.before_start(move || {
        // What the script printed before comes before what the command prints.
        flushing.flush().inspect_err(|error| stopping.request(Why::Output(error.raw_os_error())))
    });
    let library = Arc::new(Library::new(context.clone()));
    World {
        invocation_dir: std::env::current_dir().ok(),
        base: context,
        cleanup,
        layers: AtomicUsize::new(0),
        engine: OnceLock::new(),
        out,
        err,
        args,
        script: Mutex::new(script),
        halt,
        secrets,
        library,
        unobserved,
        suppressed: Mutex::default(),
        memory_limit: usize::MAX,
    }
}

/// Runs a closure on a thread whose stack is large enough for every script that the limits allow.
pub(super) fn on_script_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    // A thread that cannot be started takes its closure with it.
    let work = Mutex::new(Some(work));
    let run = || lock(&work).take().map(|work| work());
    std::thread::scope(|scope| {
        let start =
            |stack| std::thread::Builder::new().name("procscript".into()).stack_size(stack).spawn_scoped(scope, run);
        let result = match start(STACK).or_else(|_| start(SMALL_STACK)) {
            Ok(thread) => thread.join(),
            Err(error) => {
                return Err(Failure::new(FailureKind::Internal, format!("cannot start a thread: {error}")));
            }
        };
        match result {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(internal_failure(&"the script thread had nothing to do")),
            Err(panic) => Err(internal_failure(&*panic)),
        }
    })
}

fn memory_failure(limit: usize) -> Failure {
    let message = format!("the script holds more memory than its limit of {} MiB", limit >> 20);
    let help = "go through large data line by line (.lines()), or have it written to files";
    Failure::new(FailureKind::Limit, message).with_help(Some(help))
}

fn output_failure(errno: Option<i32>) -> Failure {
    let reason = errno.map_or_else(|| "it failed".to_string(), crate::process::os::errno_text);
    Failure::new(FailureKind::Output(errno), format!("cannot write to standard output: {reason}"))
}

/// A fault that is not the script's, most likely a panic in a native function.
fn internal_failure(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let message = format!("internal error: {}", text.unwrap_or("a native function panicked"));
    Failure::new(FailureKind::Internal, message).with_help(Some("this is a fault of procscript: please report it"))
}
