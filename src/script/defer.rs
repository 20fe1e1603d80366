//! `defer { … }`: clean-up that runs on every way out of the block around it.
//!
//! Rhai has no hook for the end of a block, but it drops the block's variables there, on every way out. So `defer` is
//! the value of a hidden variable ([`spelling`]), whose drop runs the clean-up.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use rhai::{
    Dynamic, Engine, EvalAltResult, EvalContext, Expression as Part, FnPtr, GlobalRuntimeState, ImmutableString,
    NativeCallContext, Position, Scope,
};

use crate::process::os;

use super::spelling;
use super::template::error as parse_error;
use super::thread::panic_text;
use super::with_block::is_termination;
use super::world::World;

/// How many calls deep clean-up may go beyond the limit.
const ROOM: usize = 32;

thread_local! {
    /// What is to be done on this thread, the outermost first.
    static DEFERRED: RefCell<Vec<Deferred>> = const { RefCell::new(Vec::new()) };
}

struct Deferred {
    world: Weak<World>,
    clean_up: FnPtr,
    global: GlobalRuntimeState,
    source: Option<String>,
    position: Position,
}

/// The value of the hidden variable. Its clones are one guard.
#[derive(Clone)]
struct Guard(#[expect(dead_code, reason = "for its drop")] Arc<Depth>);

struct Depth(usize);

impl Drop for Depth {
    fn drop(&mut self) {
        run_down_to(self.0);
    }
}

pub(crate) fn register(engine: &mut Engine, world: &Arc<World>) {
    let world = world.clone();
    let parse = |symbols: &[ImmutableString], _: &str, _: &mut Dynamic| {
        Ok(Some(match symbols.len() {
            1 => "$func$".into(),
            _ => "$$defer".into(),
        }))
    };
    let shared = world.clone();
    engine.register_custom_syntax_with_state_raw(spelling::DEFER, parse, false, move |context, inputs, _| {
        let depth = evaluate(&shared, context, inputs)?;
        Ok(Dynamic::from(Guard(Arc::new(Depth(depth)))))
    });
    engine.register_custom_syntax_with_state_raw(spelling::DEFER_MORE, parse, false, move |context, inputs, _| {
        // The guard of the first one of the block runs this one, too, and before the first.
        evaluate(&world, context, inputs).map(|_| Dynamic::UNIT)
    });
}

/// Notes what is to be done, and tells how much there was before.
fn evaluate(world: &Arc<World>, context: &mut EvalContext, inputs: &[Part]) -> Result<usize, Box<EvalAltResult>> {
    let [body, end] = inputs else { return Err(parse_error("broken block".to_string()).into()) };
    let Some(clean_up) = context.eval_expression_tree(body)?.flatten().try_cast::<FnPtr>() else {
        return Err(parse_error("broken block".to_string()).into());
    };
    let deferred = Deferred {
        world: Arc::downgrade(world),
        clean_up,
        global: with_room(context.global_runtime_state_mut().clone()),
        source: context.source().map(str::to_string),
        position: end.position(),
    };
    Ok(DEFERRED.with_borrow_mut(|all| {
        all.push(deferred);
        all.len() - 1
    }))
}

/// At the limit of calls, clean-up may still call something.
fn with_room(mut global: GlobalRuntimeState) -> GlobalRuntimeState {
    global.level = global.level.saturating_sub(ROOM);
    global
}

/// Runs everything that was deferred since, the last first. A block drops its variables the first first, so that the
/// guard of an earlier `defer` may come before that of a later one.
fn run_down_to(depth: usize) {
    loop {
        let last = DEFERRED.with_borrow_mut(|all| if all.len() > depth { all.pop() } else { None });
        match last {
            Some(deferred) => deferred.run(),
            None => return,
        }
    }
}

impl Deferred {
    fn run(self) {
        let Some(world) = self.world.upgrade() else { return };
        let Some(engine) = world.engine() else { return };
        let mut layer = world.layer();
        layer.is_cleanup = true;
        layer.held_before = os::held_memory();
        layer.deadline = None;
        layer.context = layer.context.for_cleanup(world.cleanup_token().clone());
        let entered = world.enter(layer);
        let _cleaning = world.note_cleanup();
        let context: NativeCallContext =
            (&*engine, "defer", self.source.as_deref(), &self.global, self.position).into();
        let call = || self.clean_up.call_within_context::<Dynamic>(&context, ());
        // This is a drop, and the stack may be unwound by a panic already: a second one would end the process.
        let result = catch_unwind(AssertUnwindSafe(call));
        drop(entered);
        let result = result.unwrap_or_else(|panic| {
            let message = panic_text(&*panic);
            Err(EvalAltResult::ErrorRuntime(format!("internal error: {message}").into(), self.position).into())
        });
        match result {
            Ok(_) => {}
            // Told to stop a second time.
            Err(error) if is_termination(&error) && world.cleanup_token().is_cancelled() => {}
            Err(error) if is_termination(&error) => {
                let message = "clean-up holds more memory than the limit of the script".into();
                world.suppress(EvalAltResult::ErrorRuntime(message, error.position()));
            }
            Err(error) => world.suppress(named(*error)),
        }
    }
}

/// The call of the clean-up as what it is. Nobody has written it, so that it has no place.
fn named(error: EvalAltResult) -> EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
            EvalAltResult::ErrorInFunctionCall("defer".to_string(), source, inner, Position::NONE)
        }
        error => error,
    }
}

/// Leaves a scope as a block is left: what was declared last goes first.
pub(crate) fn leave(scope: &mut Scope) {
    while !scope.is_empty() {
        scope.rewind(scope.len() - 1);
    }
}

/// Runs what was deferred in a scope that goes on, at the end of an entry of a session.
pub(crate) fn end_of_entry(scope: &mut Scope) {
    let names = |scope: &Scope| -> Option<String> {
        scope
            .iter_raw()
            .map(|(name, ..)| name)
            .filter(|name| name.starts_with(spelling::DEFERRED))
            .last()
            .map(str::to_string)
    };
    while let Some(name) = names(scope) {
        drop(scope.remove::<Dynamic>(&name));
    }
}

/// An error of clean-up does not stop what is under way (the script may be ending because of another), but is not
/// lost: the script ends with it, unless it has a better reason to.
impl World {
    fn suppress(&self, error: EvalAltResult) {
        super::world::lock(&self.suppressed).push(error);
        self.halt.request(super::world::Why::Cleanup);
    }
}
