//! "Did you mean": the name that is most like a misspelt one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::process::nearest_name;

/// So many names are compared with all others: a text that is no script at all has thousands.
const MOST: usize = 200;

/// Looks for similar names, for each name once.
pub(super) struct Similar {
    left: Cell<usize>,
    found: RefCell<HashMap<String, Option<String>>>,
}

impl Similar {
    pub fn new() -> Self {
        Self { left: Cell::new(MOST), found: RefCell::default() }
    }

    /// The candidate that is most like `name`.
    pub fn to(&self, name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
        if self.left.get() == 0 {
            return None;
        }
        self.left.set(self.left.get() - 1);
        nearest_name(name, candidates)
    }

    /// The same for a name whose candidates are the same all over the program.
    pub fn to_global(&self, name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
        if let Some(known) = self.found.borrow().get(name) {
            return known.clone();
        }
        let similar = self.to(name, candidates);
        self.found.borrow_mut().insert(name.to_string(), similar.clone());
        similar
    }
}
