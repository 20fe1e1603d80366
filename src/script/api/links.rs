//! Links.

use std::path::PathBuf;
use std::sync::Arc;

use crate::files;
use crate::process::Error;
use crate::script::convert;
use crate::script::registry::Registry;
use crate::script::world::World;

use super::files::{Functions, options};

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut functions = Functions { engine, world };
    functions.two_with_options("symlink", |call, target, link, map| {
        let options = options("symlink", map, &["replace"])?;
        let replace = options.flag("replace", false).map_err(Error::invalid_argument)?;
        // It is text in the link, and counts from there.
        let target = convert::path(target, "what the link leads to").map_err(Error::invalid_argument)?;
        files::symlink(&target, &call.location(link, "the name of the link")?, replace)
    });
    functions.two("hard_link", |call, original, link: &rhai::Dynamic| {
        let original = call.location(original, "the file that is linked")?;
        files::hard_link(&original, &call.location(link, "the name of the link")?)
    });
    functions.one::<PathBuf>("read_link", |call, link| files::read_link(&call.path(link)?));
}
