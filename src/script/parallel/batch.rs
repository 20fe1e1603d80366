//! The error of things that ran at once: the first, and all.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, Map};

use crate::script::caught::ScriptError;
use crate::script::error::{CommandError, copied};
use crate::script::words::message_of_value;
use crate::script::world::World;

/// So many of the others are listed.
const MOST_LISTED: usize = 20;

/// What became of all items, when some have failed.
#[derive(Debug)]
pub(crate) struct Batch {
    pub total: usize,
    pub stopped: usize,
    pub not_begun: usize,
    /// In the order of the items, or, where the first stopped the others, in that of time.
    pub failures: Vec<ItemFailure>,
}

/// What became of one.
#[derive(Debug)]
pub(crate) struct ItemFailure {
    pub index: usize,
    pub label: String,
    pub item: Dynamic,
    /// What `catch` would have got.
    pub error: Dynamic,
}

impl Batch {
    /// For scripts: an array of `#{index, item, error}`.
    pub fn failures(&self) -> Array {
        let failure = |failure: &ItemFailure| {
            Dynamic::from_map(Map::from([
                ("index".into(), (failure.index as i64).into()),
                ("item".into(), failure.item.clone()),
                ("error".into(), failure.error.clone()),
            ]))
        };
        self.failures.iter().map(failure).collect()
    }

    /// What follows the message of the first.
    fn more(&self) -> Option<String> {
        match self.failures.len() {
            0 | 1 => None,
            failed => Some(format!("({failed} of {} failed)", self.total)),
        }
    }

    /// What a report says beside the first error.
    pub fn notes(&self) -> Vec<String> {
        if self.total == 1 {
            return Vec::new();
        }
        let mut state = vec![format!("{} of {} in parallel failed", self.failures.len(), self.total)];
        let parts =
            [(self.stopped, "was stopped", "were stopped"), (self.not_begun, "was not begun", "were not begun")];
        for (count, one, many) in parts {
            match count {
                0 => {}
                1 => state.push(format!("1 {one}")),
                count => state.push(format!("{count} {many}")),
            }
        }
        let mut notes = vec![state.join(", ")];
        let others = self.failures.iter().skip(1);
        notes.extend(
            others
                .take(MOST_LISTED)
                .map(|failure| format!("`{}` failed: {}", failure.label, message_of_value(&failure.error))),
        );
        match self.failures.len().saturating_sub(MOST_LISTED + 1) {
            0 => {}
            more => notes.push(format!("and {more} more failed")),
        }
        notes
    }
}

/// What `catch` would get.
pub(super) fn value_of(error: &EvalAltResult, world: &World) -> Dynamic {
    ScriptError::value_of(*copied(error), world)
}

/// The error with all of the batch in it. The calls around it stay.
pub(super) fn with_batch(
    error: EvalAltResult,
    source: Option<&str>,
    batch: &Arc<Batch>,
    world: &World,
) -> EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(name, source, inner, position) => {
            let inner = with_batch(*inner, Some(&source), batch, world);
            EvalAltResult::ErrorInFunctionCall(name, source, inner.into(), position)
        }
        EvalAltResult::ErrorInModule(path, inner, position) => {
            let inner = with_batch(*inner, Some(&path), batch, world);
            EvalAltResult::ErrorInModule(path, inner.into(), position)
        }
        error => {
            let position = error.position();
            let value = ScriptError::value_of(error, world);
            let known = value.read_lock::<CommandError>().map(|error| Dynamic::from(error.clone().among(batch)));
            let value = known.unwrap_or_else(|| {
                let error = value.read_lock::<ScriptError>().map(|error| error.clone());
                let error = error.unwrap_or_else(|| ScriptError::thrown(&value, world.place(source, position)));
                Dynamic::from(error.among(batch))
            });
            EvalAltResult::ErrorRuntime(value, position)
        }
    }
}

impl CommandError {
    fn among(self, batch: &Arc<Batch>) -> Self {
        let more = batch.more();
        self.with_batch(batch.clone(), more.as_deref())
    }
}

impl ScriptError {
    fn among(mut self, batch: &Arc<Batch>) -> Self {
        if let Some(more) = batch.more() {
            self.message = format!("{} {more}", self.message);
        }
        self.batch = Some(batch.clone());
        self
    }
}
