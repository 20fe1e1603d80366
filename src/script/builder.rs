//! How a runtime comes to be: its surroundings, and the interpreter with what we give it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};

use rhai::{Dynamic, Engine, OptimizationLevel};

use crate::files::Temporaries;
use crate::process::{CancelToken, Context, HostStream, escape_controls};
use crate::terminal::{ColorChoice, Live};

use super::api;
use super::console::{Console, Receiver, live_lines};
use super::defer;
use super::eval;
use super::failure::Failure;
use super::keys;
use super::library::Library;
use super::people::{Manners, Question};
use super::registry::{Registry, Words};
use super::resolver::Resolver;
use super::runtime::Runtime;
use super::secret::Secrets;
use super::text_tests;
use super::world::{Halt, Why, World};

/// How deeply script functions may call each other.
const CALL_LEVELS: usize = 600;
/// How deeply expressions and blocks may be nested, outside and inside functions.
const NESTING: usize = 500;
const NESTING_IN_FUNCTION: usize = 250;

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
    words: Option<Words>,
    memory_limit: Option<usize>,
    operation_limit: Option<u64>,
    library_path: Vec<PathBuf>,
    secrets: Vec<String>,
    manners: Manners,
}

impl RuntimeBuilder {
    /// Whether scripts write in colours; by default where the environment and the streams say so.
    pub fn color(mut self, choice: ColorChoice) -> Self {
        self.manners.color = choice;
        self
    }

    /// No progress, and only messages that are warnings or errors.
    pub fn quiet(mut self, is_quiet: bool) -> Self {
        self.manners.is_quiet = is_quiet;
        self
    }

    /// All messages, and each command as a shell line on standard error before it is started.
    pub fn verbose(mut self, is_verbose: bool) -> Self {
        self.manners.is_verbose = is_verbose;
        self
    }

    /// Scripts do not ask anybody: what they want to have confirmed is, and other questions have their default as
    /// answer, or are an error.
    pub fn assume_yes(mut self, says_yes: bool) -> Self {
        self.manners.says_yes = says_yes;
        self
    }

    /// Answers the questions of scripts in place of a person at the terminal: with the line that one would type, or
    /// `None` when there is no answer. A runtime that has a receiver for [`stdout`](Self::stdout) or
    /// [`stderr`](Self::stderr), and nobody to answer, asks nobody.
    ///
    /// ```
    /// use procscript::script::Runtime;
    ///
    /// let runtime = Runtime::builder()
    ///     .prompts(|question| (question.text == "Stage?").then(|| "staging".to_string()))
    ///     .build()?;
    /// let stage: String = runtime.eval(r#" select("Stage?", ["production", "staging"]) "#)?;
    /// assert_eq!(stage, "staging");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn prompts(mut self, answers: impl Fn(&Question) -> Option<String> + Send + Sync + 'static) -> Self {
        self.manners.answers = Some(Arc::new(answers));
        self
    }

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

    /// A text that is masked in everything that the runtime shows, as what a script has called
    /// `secret` is: a token that only the host knows.
    ///
    /// ```
    /// use procscript::script::Runtime;
    ///
    /// let runtime = Runtime::builder().secret("s3cret-token").secret_env("PASSWORD", "correct horse").build()?;
    /// assert_eq!(runtime.mask("s3cret-token, correct horse"), "***, ***");
    /// // A script uses the value, and nobody sees it.
    /// let failure = runtime.eval::<()>(r#" throw "no entry with " + env("PASSWORD").reveal() "#).unwrap_err();
    /// assert_eq!(failure.message(), "no entry with ***");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn secret(mut self, text: impl Into<String>) -> Self {
        self.secrets.push(text.into());
        self
    }

    /// An environment variable for every command whose value is a [secret](Self::secret), also where a script asks for
    /// it.
    pub fn secret_env(mut self, name: impl Into<OsString>, value: impl Into<String>) -> Self {
        let value = value.into();
        self.context = self.context.with_secret_env(name, &value);
        self.secret(value)
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
    /// expression. More end the script with an error that it cannot catch. Those of closures count, in whatever thread
    /// they are called, and so do the elements that our functions go through. It bounds what a script does from its
    /// start on; scripts that run at the same time in one runtime have it together.
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

    /// For a runtime that runs nothing but this program: with the functions that the text can name, which takes a
    /// fraction of the time.
    #[cfg(feature = "cli")]
    pub(crate) fn only_for(mut self, source: &str) -> Self {
        self.words = Words::of(source);
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
    /// When a [secret](Self::secret) is so short that it could not be told from other text.
    pub fn build(self) -> Result<Runtime, Failure> {
        let Self {
            context,
            cleanup,
            args,
            script,
            stdout,
            stderr,
            registrations,
            words,
            memory_limit,
            operation_limit,
            library_path,
            manners,
            secrets,
        } = self;
        // What a host registers may call anything, and give values of any type.
        let words = words.filter(|_| registrations.is_empty());
        let is_partial = words.is_some();
        let mut engine = Registry::new(Engine::new_raw(), words);
        engine.register_standard();
        configure(&mut engine);
        let world = Arc::new(World {
            memory_limit: memory_limit.unwrap_or(usize::MAX),
            operation_limit,
            ..make_world(context, cleanup, args, script, stdout, stderr, manners)
        });
        for secret in &secrets {
            world.secrets.add(secret).map_err(Failure::load)?;
        }
        if is_partial {
            world.library.natives().set_partial();
        }
        api::register(&mut engine, &world);
        let halting = world.clone();
        engine.on_progress(move |operation| halting.stops_at(operation).then(Dynamic::default));
        engine.set_module_resolver(Resolver::new(world.library.clone()));
        for registration in registrations {
            registration(&mut engine);
        }
        // Set once, here.
        let _ = world.library.path.set(library_path);
        defer::register(&mut engine, &world);
        eval::register(&mut engine, &world);
        keys::register(&mut engine, &world.library);
        text_tests::register(&mut engine);
        let engine = Arc::new(engine.into_engine());
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
/// cancellation end its scripts with [`ErrorTerminated`](rhai::EvalAltResult::ErrorTerminated). Streams that call
/// functions (`map`, `filter`) can be read by their methods, but neither by `for` nor as the input of a command:
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
    let world = Arc::new(make_world(context, CancelToken::never(), Vec::new(), None, None, None, Manners::default()));
    let mut registry = Registry::new(std::mem::replace(engine, Engine::new_raw()), None);
    api::register(&mut registry, &world);
    *engine = registry.into_engine();
    engine.on_progress(move |operation| world.stops_at(operation).then(Dynamic::default));
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
    manners: Manners,
) -> World {
    let (mut context, mut manners) = (context, manners);
    manners.is_hosted = stdout.is_some() || stderr.is_some();
    let secrets: Arc<Secrets> = Arc::default();
    let live = if stderr.is_some() { Live::off() } else { live_lines(&context, &secrets) };
    let console = |receiver: &Option<Receiver>, own: fn(&Arc<Secrets>, &Arc<Live>) -> Console| {
        let receiver = receiver.clone();
        Arc::new(receiver.map_or_else(|| own(&secrets, &live), |receiver| Console::to_receiver(receiver, &secrets)))
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
    let context = match manners.is_verbose {
        true => {
            let err = err.clone();
            // A command must not fail because nobody listens.
            context.announcing(move |command| _ = err.print_line(&escape_controls(&format!("+ {command}"))))
        }
        false => context,
    };
    let library = Arc::new(Library::new(context.clone()));
    World {
        invocation_dir: std::env::current_dir().ok(),
        base: context,
        cleanup,
        layers: AtomicUsize::new(0),
        engine: OnceLock::new(),
        manners,
        live,
        out,
        err,
        args,
        script: Mutex::new(script),
        halt,
        #[cfg(feature = "cli")]
        arguments: Mutex::default(),
        secrets,
        library,
        unobserved,
        suppressed: Mutex::default(),
        unheard: Mutex::default(),
        temporaries: Temporaries::default(),
        users: AtomicUsize::new(0),
        session: OnceLock::new(),
        memory_limit: usize::MAX,
        operation_limit: None,
        operations: AtomicU64::new(0),
    }
}
