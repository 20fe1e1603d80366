//! Functions of the script that a stream calls later than they were given to it.

// `NativeCallContextStore` is deprecated in the sense of "internal": there is no other way to call a
// function after the call that was given it.
#![allow(deprecated)]

use rhai::{Engine, EvalAltResult, FnPtr, NativeCallContext, NativeCallContextStore, Position, Variant};

use crate::process::Error;
use crate::script::error::Stop;

/// A function with the surroundings in which it was given: the functions, modules and constants that it
/// can see are those of that place, wherever it is called.
pub(super) struct Callback {
    function: FnPtr,
    given: NativeCallContextStore,
}

/// Who pulls elements from a stream.
pub(super) struct Caller<'a> {
    /// `None` where nobody can lend one: see [`no_engine`].
    pub engine: Option<&'a Engine>,
    /// The native function that pulls; `None` for a loop, and for the input of a command.
    pub context: Option<&'a NativeCallContext<'a>>,
}

impl<'a> Caller<'a> {
    pub fn of(context: &'a NativeCallContext<'a>) -> Self {
        Self { engine: Some(context.engine()), context: Some(context) }
    }
}

/// Rhai lends its engine to native functions, but not to iterators and not to other threads; there, the
/// runtime's own is used.
pub(super) fn no_engine() -> Error {
    Error::misuse(
        "this stream calls functions of the script, which a loop and the input of a command cannot do in this program",
        "read it with .each(…), or collect it first: .to_array()",
    )
}

impl Callback {
    pub fn new(context: &NativeCallContext, function: FnPtr) -> Self {
        Self { function, given: context.store_data() }
    }

    /// Rhai counts the depth of calls where the function was given; its caller may be deeper.
    pub fn at_least_at_level(&mut self, level: usize) {
        self.given.global.level = self.given.global.level.max(level);
    }

    pub fn call<T: Variant + Clone>(&self, caller: &Caller, value: rhai::Dynamic) -> Result<T, Stop> {
        let engine = caller.engine.ok_or_else(no_engine)?;
        let context = self.given.create_context(engine);
        let result = self.function.call_within_context(&context, (value,));
        result.map_err(|error| Stop::Script(self.with_place(caller, error)))
    }

    /// A function's error knows where it was called: where it was given, as for one that is called at
    /// once. That place may be in another file than the caller's, or in a function that has long
    /// returned: then there is a call between the two, without a place of its own, which whoever hands
    /// the error on adds.
    fn with_place(&self, caller: &Caller, error: Box<EvalAltResult>) -> Box<EvalAltResult> {
        let mut error = error;
        if error.position().is_none() {
            error.set_position(self.given.pos);
        }
        let file = self.given.global.source.as_deref();
        if caller.context.is_some_and(|context| context.call_source() == file) {
            return error;
        }
        // What no script may catch has no calls around it: Rhai takes a wrapped one for an error like others.
        if error.is_system_exception() {
            error.clear_position();
            return error;
        }
        let (name, file) = (self.given.fn_name.clone(), file.unwrap_or_default().to_string());
        EvalAltResult::ErrorInFunctionCall(name, file, error, Position::NONE).into()
    }
}
