//! What is done at once: values, or the numbers of a range, which are made when they are wanted.

use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic};

use crate::process::{Expression, needs_escape};
use crate::script::convert;
use crate::script::secret;
use crate::script::world::World;

/// A name longer than this is cut.
const LABEL_WIDTH: usize = 40;

pub(super) enum Items {
    List(Vec<Dynamic>),
    /// A range may be as long as numbers go: nothing is kept of it.
    Numbers {
        first: i64,
        count: usize,
    },
}

impl Items {
    /// The items of an array, or the numbers of a range. Each is a value of its own.
    pub fn of(items: &Dynamic) -> Result<Self, String> {
        if let Some(items) = items.read_lock::<Array>() {
            return Ok(Self::List(items.iter().map(Dynamic::flatten_clone).collect()));
        }
        if let Some(range) = items.read_lock::<Range<i64>>() {
            return Ok(Self::numbers(range.start, i128::from(range.end)));
        }
        if let Some(range) = items.read_lock::<RangeInclusive<i64>>() {
            return Ok(Self::numbers(*range.start(), i128::from(*range.end()) + 1));
        }
        Err(format!("parallel takes an array of items, or a range, not {}", convert::kind_of(items)))
    }

    fn numbers(first: i64, end: i128) -> Self {
        let count = (end - i128::from(first)).max(0);
        Self::Numbers { first, count: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Numbers { count, .. } => *count,
        }
    }

    /// The item of a number below [`len`](Self::len).
    pub fn get(&self, index: usize) -> Dynamic {
        match self {
            Self::List(items) => items[index].clone(),
            Self::Numbers { first, .. } => first.wrapping_add_unsigned(index as u64).into(),
        }
    }

    /// What the item is called, for people.
    pub fn label(&self, world: &World, index: usize) -> String {
        let item = self.get(index);
        let text = match item.read_lock::<Expression>() {
            Some(command) => command.to_string(),
            None => secret::shown(&item),
        };
        short(&world.secrets.mask(&text))
    }

    /// That there is nothing but commands.
    pub fn check_commands(&self) -> Result<(), String> {
        let other = match self {
            Self::List(items) => items.iter().position(|item| !item.is::<Expression>()),
            Self::Numbers { count, .. } => (*count > 0).then_some(0),
        };
        match other {
            None => Ok(()),
            Some(index) => Err(format!(
                "item {index} of parallel must be a command, but is {}; for other things say what is to be done: \
                 parallel(items, |item| …)",
                convert::kind_of(&self.get(index))
            )),
        }
    }
}

/// The first line, cut, as text that cannot act on a terminal.
pub(crate) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line: String = line.chars().map(|c| if needs_escape(c) { ' ' } else { c }).collect();
    match line.char_indices().nth(LABEL_WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
