//! Processes whose handle is gone before they ended: they must not stay behind as zombies.
//!
//! As in Duct and CPython, they are kept in a list that is looked through when the next command is
//! started. No thread and no signal handler: the library has no global effect.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::tree::Tree;

static WAITING: AtomicBool = AtomicBool::new(false);
static TREES: Mutex<Vec<Arc<Tree>>> = Mutex::new(Vec::new());

/// Takes over processes that are still running.
pub(crate) fn adopt(tree: Arc<Tree>) {
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    trees.push(tree);
    WAITING.store(true, Ordering::Release);
}

/// Reaps those that have ended since.
pub(crate) fn sweep() {
    if !WAITING.load(Ordering::Acquire) {
        return;
    }
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    trees.retain(|tree| !tree.try_reap());
    WAITING.store(!trees.is_empty(), Ordering::Release);
}
