//! One entry after another, with the variables and functions of the earlier ones: what a REPL needs.

use rhai::{AST, Dynamic, Scope};

use super::failure::Failure;
use super::runtime::{Ending, Runtime};
use super::scan;
use super::temporaries::KeptTemporaries;

/// Evaluates entries in one scope.
///
/// ```
/// use procscript::script::{Ending, Runtime, Session};
///
/// let mut session = Session::new(Runtime::builder().build()?);
/// session.eval("let x = 20; fn twice(n) { n * 2 }")?;
/// let Ending::Finished(value) = session.eval("twice(x) + 2")? else { unreachable!() };
/// assert_eq!(value.as_int(), Ok(42));
/// # Ok::<(), procscript::script::Failure>(())
/// ```
#[derive(Debug)]
pub struct Session {
    runtime: Runtime,
    scope: Scope<'static>,
    /// The functions of all entries so far.
    functions: AST,
    entries: usize,
    /// What line editors ask for.
    #[cfg(feature = "cli")]
    editing: super::editing::Editing,
    /// Temporary files live as long as the session; the last field, because what the variables leave may use them.
    _temporaries: KeptTemporaries,
}

impl Session {
    /// A session without variables.
    pub fn new(runtime: Runtime) -> Self {
        let _temporaries = runtime.world.keep_temporaries();
        Self {
            runtime,
            scope: Scope::new(),
            functions: AST::empty(),
            entries: 0,
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
        self.entries += 1;
        self.runtime.renew();
        let name = format!("entry {}", self.entries);
        let ast = self.runtime.compile_in(&name, entry, &self.scope, &self.functions)?;
        let program = self.functions.merge(&ast);
        let result = self.runtime.evaluate(&name, &mut self.scope, &program);
        self.functions = program;
        self.functions.clear_statements();
        result
    }

    /// Whether an entry needs more lines before it can be evaluated.
    pub fn is_incomplete(entry: &str) -> bool {
        scan::is_incomplete(entry)
    }

    /// How a value is shown, with secrets masked; `None` for nothing.
    pub fn show(&self, value: &Dynamic) -> Option<String> {
        if value.is_unit() {
            return None;
        }
        let mut scope = Scope::new();
        scope.push_dynamic("value", value.clone());
        let shown = self.runtime.engine().eval_expression_with_scope::<String>(&mut scope, "to_debug(value)");
        Some(self.runtime.mask(&shown.unwrap_or_else(|_| value.to_string())))
    }

    #[cfg(feature = "cli")]
    pub(super) fn editing(&self) -> &super::editing::Editing {
        &self.editing
    }

    #[cfg(feature = "cli")]
    pub(super) fn scope(&self) -> &Scope<'static> {
        &self.scope
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
