//! `cli(#{…})`: the arguments of the script, as it declares them.

use std::sync::Arc;

use rhai::{EvalAltResult, Map, NativeCallContext};

use crate::script::arguments;
use crate::script::error::CallPlace;
use crate::script::registry::Registry;
use crate::script::world::World;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_fn(arguments::NAME, move |context: NativeCallContext, declaration: Map| {
        let values = arguments::values(&world, &declaration);
        values.map_err(|error| -> Box<EvalAltResult> { CallPlace::of(&context).raise(&world, error) })
    });
}
