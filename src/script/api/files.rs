//! Questions about files. Relative paths count from the runtime's directory.

use std::path::Path;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext};

use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::world::World;

pub(super) fn register(engine: &mut Engine, world: &Arc<World>) {
    let questions: [(&str, fn(&Path) -> bool); 3] =
        [("exists", Path::exists), ("is_file", Path::is_file), ("is_dir", Path::is_dir)];
    for (name, question) in questions {
        let world = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, value: Dynamic| {
            let place = CallPlace::of(&context);
            let path = convert::path(&value, "the path").map_err(|problem| place.invalid(&world, problem))?;
            let path = world.context().absolute(&path).map_err(|error| place.raise(&world, error))?;
            Ok::<bool, Box<EvalAltResult>>(question(&path))
        });
    }
}
