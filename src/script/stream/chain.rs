//! A source of elements and the steps that they go through, one element at a time.

use std::io;

use regex::Regex;
use rhai::{Dynamic, ImmutableString as Text};

use crate::files::{FileLines, Watch};
use crate::process::{self, CancelToken};
use crate::script::convert;
use crate::script::error::{CallPlace, Stop};
use crate::script::world::World;

use super::callback::{Callback, Caller};

/// What is behind a handle, and what its reader pulls from.
///
/// The steps are a list and not streams inside streams, so that a script may add any number of them.
pub(super) struct Chain {
    source: Source,
    /// The first steps, as long as they look at a line as it is in the buffer.
    narrow: Vec<Narrow>,
    /// All others: their elements are values of the script.
    steps: Vec<Step>,
    /// A `take` has what it wants.
    is_full: bool,
    /// The source knows the surroundings of its reader, who has begun.
    has_reader: bool,
}

pub(super) enum Source {
    Lines(Box<process::Lines>),
    File(Box<FileLines>),
    Chunks(process::Chunks),
    /// It has ended, or was ended.
    Over,
}

impl Source {
    /// A command may have been started outside of the block whose deadline its reader has to keep.
    fn wait_within(&mut self, world: &World) {
        match self {
            Self::Lines(lines) => lines.wait_until(world.until()),
            Self::Chunks(chunks) => chunks.wait_until(world.until()),
            Self::File(_) | Self::Over => {}
        }
    }
}

/// A step that lets elements through as they are, and calls nothing of the script.
pub(super) enum Narrow {
    Take(usize),
    Skip(usize),
    Containing(Text, CallPlace),
    Matching(Regex, CallPlace),
}

pub(super) enum Step {
    Narrow(Narrow),
    Map(Callback),
    Filter(Callback),
}

/// An element for its reader; a line that no function has seen is still in the buffer.
pub(super) enum Element<'a> {
    Line(&'a str),
    Value(Dynamic),
}

pub(super) fn value_of(element: Element) -> Dynamic {
    match element {
        Element::Line(line) => Text::from(line).into(),
        Element::Value(value) => value,
    }
}

/// What became of a line in the buffer.
enum Passed<T> {
    Used(T),
    Value(Text),
}

impl Chain {
    pub fn new(source: Source) -> Self {
        Self { source, narrow: Vec::new(), steps: Vec::new(), is_full: false, has_reader: false }
    }

    pub fn push(&mut self, step: Step) {
        if matches!(step, Step::Narrow(Narrow::Take(0))) {
            self.is_full = true;
        }
        if let Step::Narrow(Narrow::Containing(part, _)) = &step {
            self.prefer_containing(part);
        }
        match step {
            Step::Narrow(narrow) if self.has_plain_lines() => self.narrow.push(narrow),
            step => self.steps.push(step),
        }
    }

    /// Says that nobody wants elements without this part. Some may still come: it saves the work of handing them on,
    /// where nothing else has to see them.
    pub fn prefer_containing(&mut self, part: &str) {
        if let Source::Lines(lines) = &mut self.source
            && self.narrow.is_empty()
            && self.steps.is_empty()
        {
            lines.prefer_containing(part);
        }
    }

    /// Whether the elements are lines that nothing has changed or looked at as a value.
    fn has_plain_lines(&self) -> bool {
        matches!(self.source, Source::Lines(_) | Source::File(_)) && self.steps.is_empty()
    }

    /// Whether the elements are pieces of output, which begin and end anywhere.
    pub fn has_pieces(&self) -> bool {
        matches!(self.source, Source::Chunks(_)) && !self.steps.iter().any(|step| matches!(step, Step::Map(_)))
    }

    /// Whether a function of the script has a part in it.
    pub fn has_functions(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Narrow(_)))
    }

    /// What ends the command at the beginning while somebody waits for its output.
    pub fn make_ender(&mut self) -> io::Result<CancelToken> {
        match &mut self.source {
            Source::Lines(lines) => lines.make_ender(),
            Source::Chunks(chunks) => chunks.make_ender(),
            Source::File(_) | Source::Over => Ok(CancelToken::never()),
        }
    }

    /// Tells the functions how deeply nested the calls around their reader are.
    pub fn called_at_level(&mut self, level: usize) {
        for step in &mut self.steps {
            if let Step::Map(callback) | Step::Filter(callback) = step {
                callback.at_least_at_level(level);
            }
        }
    }

    /// Gives the next element to `use_it`; `None` at the end.
    ///
    /// At the end, and after an error, the command is over, or has been ended.
    pub fn next<T>(
        &mut self,
        caller: &Caller,
        world: &World,
        use_it: impl FnOnce(Element) -> T,
    ) -> Result<Option<T>, Stop> {
        if !std::mem::replace(&mut self.has_reader, true) {
            self.source.wait_within(world);
        }
        let result = self.advance(caller, world, use_it);
        if !matches!(result, Ok(Some(_))) {
            self.source = Source::Over;
        }
        result
    }

    /// Passes over elements that are here already, where nothing has to look at them one by one; how many they were.
    pub fn count_at_hand(&mut self) -> usize {
        match (&mut self.source, self.narrow.as_slice()) {
            // The lines know what they must contain.
            (Source::Lines(lines), [] | [Narrow::Containing(..)]) if self.steps.is_empty() && !self.is_full => {
                lines.count_at_hand()
            }
            _ => 0,
        }
    }

    fn advance<T>(
        &mut self,
        caller: &Caller,
        world: &World,
        use_it: impl FnOnce(Element) -> T,
    ) -> Result<Option<T>, Stop> {
        // In an option because the loop cannot show the compiler that it is called once.
        let mut use_it = Some(use_it);
        let Self { source, narrow, steps, is_full, .. } = self;
        while !*is_full {
            let look = |line: &str| {
                if !narrow.iter_mut().all(|narrow| narrow.passes(line, is_full)) {
                    return None;
                }
                match steps.is_empty() {
                    true => use_it.take().map(|use_it| Passed::Used(use_it(Element::Line(line)))),
                    false => Some(Passed::Value(line.into())),
                }
            };
            let value = match source {
                Source::Lines(_) | Source::File(_) => {
                    let passed = match source {
                        Source::Lines(lines) => lines.next_with(look)?,
                        Source::File(lines) => {
                            let stops = || world.stops();
                            lines.next_with(&Watch { stops: &stops, cancel: world.cancel_token() }, look)?
                        }
                        _ => None,
                    };
                    match passed {
                        Some(Some(Passed::Used(used))) => return Ok(Some(used)),
                        Some(Some(Passed::Value(text))) => text.into(),
                        Some(None) => continue,
                        None => return Ok(None),
                    }
                }
                Source::Chunks(chunks) => match chunks.next() {
                    Some(chunk) => Dynamic::from_blob(chunk?),
                    None => return Ok(None),
                },
                Source::Over => return Ok(None),
            };
            if let Some(value) = pass(steps, value, is_full, caller, world)? {
                return Ok(use_it.take().map(|use_it| use_it(Element::Value(value))));
            }
        }
        Ok(None)
    }
}

/// An element behind all steps; `None` when one of them does not let it through.
fn pass(
    steps: &mut [Step],
    value: Dynamic,
    is_full: &mut bool,
    caller: &Caller,
    world: &World,
) -> Result<Option<Dynamic>, Stop> {
    let mut value = value;
    for step in steps {
        let passes = match step {
            Step::Narrow(narrow) => narrow.passes_value(&value, is_full, world)?,
            Step::Filter(callback) => callback.call::<bool>(caller, value.clone())?,
            Step::Map(callback) => {
                // A captured variable is shared; what is handed on is what it held.
                value = callback.call::<Dynamic>(caller, value)?.flatten();
                true
            }
        };
        if !passes {
            return Ok(None);
        }
    }
    Ok(Some(value))
}

impl Narrow {
    fn passes(&mut self, text: &str, is_full: &mut bool) -> bool {
        match self {
            Self::Take(left) => {
                *left = left.saturating_sub(1);
                *is_full |= *left == 0;
                true
            }
            Self::Skip(0) => true,
            Self::Skip(left) => {
                *left -= 1;
                false
            }
            Self::Containing(part, _) => text.contains(part.as_str()),
            Self::Matching(pattern, _) => pattern.is_match(text),
        }
    }

    fn passes_value(&mut self, value: &Dynamic, is_full: &mut bool, world: &World) -> Result<bool, Stop> {
        let (method, place) = match self {
            Self::Take(_) | Self::Skip(_) => return Ok(self.passes("", is_full)),
            Self::Containing(_, place) => ("containing", place),
            Self::Matching(_, place) => ("matching", place),
        };
        match value.read_lock::<Text>() {
            Some(text) => Ok(self.passes(&text, is_full)),
            None => {
                let message = format!(".{method}() looks at text, but the element is {}", convert::kind_of(value));
                Err(Stop::Script(place.invalid(world, message)))
            }
        }
    }
}
