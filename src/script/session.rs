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
    /// Temporary files live as long as the session; the last field, because what the variables leave may use them.
    _temporaries: KeptTemporaries,
}

impl Session {
    /// A session without variables.
    pub fn new(runtime: Runtime) -> Self {
        let _temporaries = runtime.world.keep_temporaries();
        Self { runtime, scope: Scope::new(), functions: AST::empty(), entries: 0, _temporaries }
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

    /// The runtime that the entries are evaluated in.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
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
