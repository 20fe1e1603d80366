//! Output that a script reads while the command runs.

use std::any::TypeId;
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString as Text, NativeCallContext};

use crate::process;

use super::error::CallPlace;
use super::world::{Why, World, lock};

/// The lines of a running command, as scripts hold them. Copies share the stream: it is read once.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Mutex<LineState>>);

struct LineState {
    lines: process::Lines,
    place: CallPlace,
    /// Only lines with this text, from `containing`.
    containing: Vec<Text>,
    skip: usize,
    left: Option<usize>,
    /// Whether somebody reads it already.
    taken: bool,
}

impl Lines {
    pub fn new(lines: process::Lines, place: &CallPlace) -> Self {
        let place = place.clone();
        Self(Arc::new(Mutex::new(LineState {
            lines,
            place,
            containing: Vec::new(),
            skip: 0,
            left: None,
            taken: false,
        })))
    }

    fn take(&self, place: &CallPlace, world: &World) -> Result<(), Box<EvalAltResult>> {
        let mut state = lock(&self.0);
        match std::mem::replace(&mut state.taken, true) {
            true => Err(place.raise(world, state.lines.describe(already_read()))),
            false => Ok(()),
        }
    }

    /// The next line, or the failure of the command, raised where `lines` was called.
    fn next<T>(&self, world: &World, use_line: impl FnOnce(&str) -> T) -> Result<Option<T>, Box<EvalAltResult>> {
        let mut state = lock(&self.0);
        let result = state.next(use_line);
        result.map_err(|error| state.place.raise(world, error))
    }

    /// The next line for who keeps them: the failure comes with those that were read before.
    fn next_after(&self, world: &World, read: &Array) -> Result<Option<Dynamic>, Box<EvalAltResult>> {
        let mut state = lock(&self.0);
        let result = state.next(|line| Dynamic::from(Text::from(line)));
        result.map_err(|error| state.place.raise(world, error.with_read(|| text_of(read))))
    }

    fn close(&self) {
        lock(&self.0).lines.close();
    }

    /// The lines as the input of a command, each with a line feed.
    pub fn into_input(self) -> Result<impl Iterator<Item = Result<Vec<u8>, process::Error>> + Send, String> {
        if std::mem::replace(&mut lock(&self.0).taken, true) {
            return Err("this stream has been read already: it can be read once".to_string());
        }
        let next = move || {
            lock(&self.0)
                .next(|line| {
                    let mut bytes = line.as_bytes().to_vec();
                    bytes.push(b'\n');
                    bytes
                })
                .transpose()
        };
        Ok(std::iter::from_fn(next))
    }
}

impl LineState {
    fn next<T>(&mut self, use_line: impl FnOnce(&str) -> T) -> Result<Option<T>, process::Error> {
        let mut use_line = Some(use_line);
        loop {
            if self.left == Some(0) {
                self.lines.close();
                return Ok(None);
            }
            let Self { lines, containing, skip, left, .. } = self;
            let found = lines.next_with(|line| {
                if !containing.iter().all(|part| line.contains(part.as_str())) {
                    return None;
                }
                if *skip > 0 {
                    *skip -= 1;
                    return None;
                }
                if let Some(left) = left {
                    *left -= 1;
                }
                use_line.take().map(|use_line| use_line(line))
            })?;
            match found {
                Some(Some(value)) => return Ok(Some(value)),
                Some(None) => {}
                None => return Ok(None),
            }
        }
    }
}

/// The output of a running command in pieces, as scripts hold it. Copies share the stream.
#[derive(Clone)]
pub(crate) struct Chunks(Arc<Mutex<ChunkState>>);

pub(crate) struct ChunkState {
    chunks: process::Chunks,
    place: CallPlace,
    taken: bool,
}

impl Chunks {
    pub fn new(chunks: process::Chunks, place: &CallPlace) -> Self {
        Self(Arc::new(Mutex::new(ChunkState { chunks, place: place.clone(), taken: false })))
    }
}

/// What a `for` loop goes through, whatever the items are.
struct StreamIterator {
    next: Box<dyn FnMut() -> Option<Result<Dynamic, process::Error>>>,
    /// Ends the command: `break`, `return` and `throw` drop the iterator.
    close: Box<dyn Fn()>,
    place: CallPlace,
    world: Arc<World>,
    is_owner: bool,
    /// A problem to report with the first item.
    refused: Option<process::Error>,
    /// The error that was given to the loop, to be raised again should the loop drop it.
    failed: Option<process::Error>,
}

impl Iterator for StreamIterator {
    type Item = Result<Dynamic, Box<EvalAltResult>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = &self.failed {
            // A loop with an empty body drops the error and asks for more.
            self.world.halt.request(Why::Lost(self.place.raise(&self.world, error.clone())));
            return None;
        }
        let item = match self.refused.take() {
            Some(problem) => Some(Err(problem)),
            None => (self.next)(),
        };
        match item? {
            Ok(value) => Some(Ok(value)),
            Err(error) => {
                self.failed = Some(error.clone());
                Some(Err(self.place.raise(&self.world, error)))
            }
        }
    }
}

impl Drop for StreamIterator {
    fn drop(&mut self) {
        // One that was refused has no say over the stream of another.
        if self.is_owner {
            (self.close)();
        }
    }
}

pub(crate) fn register(engine: &mut Engine, world: &Arc<World>) {
    engine.register_type_with_name::<Lines>("Lines");
    engine.register_type_with_name::<Chunks>("Chunks");
    engine.register_fn("to_string", |_: &mut Lines| "the lines of a running command");
    engine.register_fn("to_string", |_: &mut Chunks| "the output of a running command");
    register_iterators(engine, world);

    let narrow = |engine: &mut Engine, name: &str, change: fn(&mut LineState, usize)| {
        let world = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, lines: Lines, n: i64| {
            let Ok(n) = usize::try_from(n) else {
                let message = format!("a number of lines cannot be {n}");
                return Err(CallPlace::of(&context).invalid(&world, message));
            };
            change(&mut lock(&lines.0), n);
            Ok(lines)
        });
    };
    narrow(engine, "take", |state, n| state.left = Some(state.left.map_or(n, |left| left.min(n))));
    narrow(engine, "skip", |state, n| state.skip += n);
    engine.register_fn("containing", |lines: Lines, part: Text| {
        lock(&lines.0).containing.push(part);
        lines
    });
    register_endings(engine, world);
}

fn register_endings(engine: &mut Engine, world: &Arc<World>) {
    type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

    let shared = world.clone();
    engine.register_fn("to_array", move |context: NativeCallContext, lines: Lines| -> Result<Array> {
        lines.take(&CallPlace::of(&context), &shared)?;
        let mut array = Array::new();
        while let Some(line) = lines.next_after(&shared, &array)? {
            array.push(line);
        }
        Ok(array)
    });
    let shared = world.clone();
    engine.register_fn("count", move |context: NativeCallContext, lines: Lines| -> Result<i64> {
        lines.take(&CallPlace::of(&context), &shared)?;
        let mut count = 0;
        while lines.next(&shared, |_| ())?.is_some() {
            count += 1;
        }
        Ok(count)
    });
    let shared = world.clone();
    engine.register_fn("first", move |context: NativeCallContext, lines: Lines| -> Result<Dynamic> {
        lines.take(&CallPlace::of(&context), &shared)?;
        let first = lines.next(&shared, |line| Dynamic::from(Text::from(line)))?;
        lines.close();
        Ok(first.unwrap_or(Dynamic::UNIT))
    });
    let shared = world.clone();
    engine.register_fn("each", move |context: NativeCallContext, lines: Lines, function: FnPtr| -> Result<()> {
        lines.take(&CallPlace::of(&context), &shared)?;
        while let Some(line) = lines.next(&shared, |line| Text::from(line))? {
            if let Err(error) = function.call_within_context::<Dynamic>(&context, (line,)) {
                lines.close();
                return Err(error);
            }
        }
        Ok(())
    });
    let shared = world.clone();
    engine.register_fn("map", move |context: NativeCallContext, lines: Lines, function: FnPtr| -> Result<Array> {
        collect(&context, &shared, &lines, |_, line| function.call_within_context(&context, (line,)).map(Some))
    });
    let shared = world.clone();
    engine.register_fn("filter", move |context: NativeCallContext, lines: Lines, function: FnPtr| -> Result<Array> {
        collect(&context, &shared, &lines, |_, line| {
            let keep: bool = function.call_within_context(&context, (line.clone(),))?;
            Ok(keep.then(|| Dynamic::from(line)))
        })
    });
}

fn collect(
    context: &NativeCallContext,
    world: &World,
    lines: &Lines,
    mut use_line: impl FnMut(&NativeCallContext, Text) -> Result<Option<Dynamic>, Box<EvalAltResult>>,
) -> Result<Array, Box<EvalAltResult>> {
    lines.take(&CallPlace::of(context), world)?;
    let mut array = Array::new();
    while let Some(line) = lines.next(world, |line| Text::from(line))? {
        match use_line(context, line) {
            Ok(value) => array.extend(value),
            Err(error) => {
                lines.close();
                return Err(error);
            }
        }
    }
    Ok(array)
}

/// Rhai makes an iterator from a value alone; the world comes along in the closure.
fn register_iterators(engine: &mut Engine, world: &Arc<World>) {
    let mut module = rhai::Module::new();
    let shared = world.clone();
    module.set_iter_result(TypeId::of::<Lines>(), move |value| {
        let lines = value.cast::<Lines>();
        let mut state = lock(&lines.0);
        let is_taken = std::mem::replace(&mut state.taken, true);
        let refused = is_taken.then(|| state.lines.describe(already_read()));
        let place = state.place.clone();
        drop(state);
        let (reading, closing) = (lines.clone(), lines);
        Box::new(StreamIterator {
            next: Box::new(move || lock(&reading.0).next(|line| Dynamic::from(Text::from(line))).transpose()),
            close: Box::new(move || closing.close()),
            place,
            world: shared.clone(),
            is_owner: refused.is_none(),
            refused,
            failed: None,
        })
    });
    let shared = world.clone();
    module.set_iter_result(TypeId::of::<Chunks>(), move |value| {
        let chunks = value.cast::<Chunks>();
        let mut state = lock(&chunks.0);
        let is_taken = std::mem::replace(&mut state.taken, true);
        let refused = is_taken.then(|| state.chunks.describe(already_read()));
        let place = state.place.clone();
        drop(state);
        let (reading, closing) = (chunks.clone(), chunks);
        Box::new(StreamIterator {
            next: Box::new(move || Some(lock(&reading.0).chunks.next()?.map(Dynamic::from_blob))),
            close: Box::new(move || lock(&closing.0).chunks.close()),
            place,
            world: shared.clone(),
            is_owner: refused.is_none(),
            refused,
            failed: None,
        })
    });
    engine.register_global_module(module.into());
}

fn text_of(lines: &Array) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

/// Reading the same stream twice would be an empty loop that looks like an empty output.
fn already_read() -> process::Error {
    let message = "this stream has been read already: it can be read once";
    process::Error::misuse(message, "keep what it gives with .to_array(), or run the command again")
}
