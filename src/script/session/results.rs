//! The last values: `_`, `_2` … `_9`, and `_err`.

use std::collections::VecDeque;

use rhai::{Array, Blob, Dynamic, ImmutableString, Map, Scope};

use crate::process::Execution;
use crate::script::spelling::RESULT;
use crate::script::stream::Stream;

/// So many values are kept.
const COUNT: usize = 9;
/// All of them together take no more memory than this, in bytes; the last one is kept whatever it takes.
const MOST: usize = 8 << 20;
/// The last error.
pub(super) const ERROR: &str = "_err";

/// How much the values take, the last first.
#[derive(Default)]
pub(super) struct Results {
    weights: VecDeque<usize>,
}

/// Declares them in an empty scope: an entry may always name them.
pub(super) fn prepare(scope: &mut Scope<'static>) {
    for number in 1..=COUNT {
        scope.push_dynamic(format!("{RESULT}{number}"), Dynamic::UNIT);
    }
    scope.push_dynamic(ERROR, Dynamic::UNIT);
}

/// Whether a value can be looked at again later. A stream is read once, and its command would wait meanwhile.
pub(super) fn is_kept(value: &Dynamic) -> bool {
    !value.is_unit() && !value.is::<Stream>()
}

impl Results {
    pub fn push(&mut self, scope: &mut Scope, value: Dynamic) {
        self.weights.push_front(weight(&value));
        self.weights.truncate(COUNT);
        let mut total = 0;
        let fitting = self.weights.iter().take_while(|weight| {
            total += **weight;
            total <= MOST
        });
        let kept = fitting.count().max(1);
        self.weights.truncate(kept);
        let mut next = value;
        for number in 1..=COUNT {
            if let Some(place) = scope.get_mut(&format!("{RESULT}{number}")) {
                let value = if number <= kept { next } else { Dynamic::UNIT };
                next = std::mem::replace(place, value);
            } else {
                return;
            }
        }
    }
}

/// About how many bytes a value takes, and not much more than it takes to know that it is too much.
fn weight(value: &Dynamic) -> usize {
    fn add(value: &Dynamic, total: &mut usize) {
        *total += size_of::<Dynamic>();
        if *total > MOST {
            return;
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            *total += text.len();
        } else if let Some(bytes) = value.read_lock::<Blob>() {
            *total += bytes.len();
        } else if let Some(values) = value.read_lock::<Array>() {
            values.iter().for_each(|value| add(value, total));
        } else if let Some(map) = value.read_lock::<Map>() {
            for (key, value) in map.iter() {
                *total += key.len();
                add(value, total);
            }
        } else if value.is::<Execution>() {
            // Its process matters more.
        }
    }
    let mut total = 0;
    add(value, &mut total);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(scope: &Scope) -> Vec<usize> {
        let texts = (1..=COUNT).map(|n| scope.get(&format!("{RESULT}{n}")).expect("it was declared"));
        texts.map(|value| value.read_lock::<ImmutableString>().map_or(0, |text| text.len())).collect()
    }

    #[test]
    fn what_is_too_much_goes_and_the_last_stays() {
        let mut scope = Scope::new();
        prepare(&mut scope);
        let mut results = Results::default();
        for length in 1..=10 {
            results.push(&mut scope, "x".repeat(length).into());
        }
        assert_eq!(held(&scope), [10, 9, 8, 7, 6, 5, 4, 3, 2]);
        results.push(&mut scope, "x".repeat(MOST - 1000).into());
        assert_eq!(held(&scope)[..4], [MOST - 1000, 10, 9, 8]);
        results.push(&mut scope, "x".repeat(2000).into());
        assert_eq!(held(&scope)[..3], [2000, 0, 0]);
        results.push(&mut scope, "x".repeat(2 * MOST).into());
        assert_eq!(held(&scope)[..3], [2 * MOST, 0, 0]);
    }
}
