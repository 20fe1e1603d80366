//! One entry after another, with the variables and functions of the earlier ones: what a REPL needs.

mod bare;
mod beside;
mod evaluate;
mod history;
mod listing;
mod results;
mod show;
mod timing;

use std::sync::Arc;

use rhai::{AST, ImmutableString, Scope, Shared};

use super::defer;
use super::failure::Failure;
use super::runtime::Runtime;
use super::temporaries::KeptTemporaries;
use super::thread::on_script_thread;

pub(crate) use beside::Beside;
pub use beside::{Interrupter, Job};
pub use history::SessionEntry;
pub use listing::Variable;
pub use show::View;
pub use timing::{Timing, ending_line};

use history::Entries;
use results::Results;

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
