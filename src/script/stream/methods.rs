//! The methods of streams: those that give another stream, and those that read one to its end.

use std::sync::Arc;

use regex::Regex;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString as Text, NativeCallContext};

use crate::data::pattern;
use crate::script::api::compiled;
use crate::script::error::{CallPlace, Stop};
use crate::script::registry::Registry;
use crate::script::secret;
use crate::script::world::World;

use super::Stream;
use super::callback::{Callback, Caller};
use super::chain::{Chain, Element, Narrow, Step, value_of};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// The names of the methods that give another stream. The check before running has to know them.
pub(crate) const ADAPTORS: &[&str] = &["take", "skip", "containing", "matching", "map", "filter"];

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    register_adaptors(engine, world);
    register_readers(engine, world);
}

fn register_adaptors(engine: &mut Registry, world: &Arc<World>) {
    let numbers: [(&str, fn(usize) -> Narrow); 2] = [("take", Narrow::Take), ("skip", Narrow::Skip)];
    for (name, narrow) in numbers {
        adaptor(engine, world, name, move |_, _, n: i64| match usize::try_from(n) {
            Ok(n) => Ok(Step::Narrow(narrow(n))),
            Err(_) => Err(format!(".{name}() takes a number of elements, which cannot be {n}")),
        });
    }
    adaptor(engine, world, "containing", |context, chain, part: Text| {
        refuse_pieces(chain, "containing")?;
        Ok(Step::Narrow(Narrow::Containing(part, CallPlace::of(context))))
    });
    adaptor(engine, world, "matching", |context, chain, pattern: Text| {
        refuse_pieces(chain, "matching")?;
        let regex = compiled(pattern::compile, &pattern).map_err(|error| error.message().to_string())?;
        Ok(Step::Narrow(Narrow::Matching(regex, CallPlace::of(context))))
    });
    adaptor(engine, world, "matching", |context, chain, regex: Regex| {
        refuse_pieces(chain, "matching")?;
        Ok(Step::Narrow(Narrow::Matching(regex, CallPlace::of(context))))
    });
    adaptor(engine, world, "map", |context, _, function: FnPtr| Ok(Step::Map(Callback::new(context, function))));
    adaptor(engine, world, "filter", |context, _, function: FnPtr| Ok(Step::Filter(Callback::new(context, function))));
}

/// Registers a method that makes a new stream of the old one, with one more step.
fn adaptor<T: rhai::Variant + Clone>(
    engine: &mut Registry,
    world: &Arc<World>,
    name: &'static str,
    step: impl Fn(&NativeCallContext, &Chain, T) -> std::result::Result<Step, String> + Send + Sync + 'static,
) {
    debug_assert!(ADAPTORS.contains(&name), "`{name}` could be called for nothing without anybody noticing");
    let world = world.clone();
    engine.register_fn(name, move |context: NativeCallContext, stream: Stream, value: T| -> Result<Stream> {
        let place = CallPlace::of(&context);
        let mut chain = stream.give(name).map_err(|error| place.raise(&world, error))?;
        match step(&context, &chain, value) {
            Ok(step) => chain.push(step),
            Err(problem) => {
                stream.restore(chain);
                return Err(place.invalid(&world, problem));
            }
        }
        Ok(Stream::of(chain, stream.identity.clone(), stream.place.clone()))
    });
}

/// A piece ends anywhere, also in the middle of what is looked for.
fn refuse_pieces(chain: &Chain, method: &str) -> std::result::Result<(), String> {
    match chain.has_pieces() {
        true => Err(format!(".{method}() looks at lines, and these are pieces of output: use .lines()")),
        false => Ok(()),
    }
}

/// A stream that a native function reads. When it is dropped before the end, the command is ended, which
/// is no failure.
struct Reading<'a> {
    chain: Box<Chain>,
    caller: Caller<'a>,
    world: &'a World,
    place: CallPlace,
}

impl<'a> Reading<'a> {
    fn begin(context: &'a NativeCallContext<'a>, world: &'a World, stream: &Stream) -> Result<Self> {
        let mut chain = stream.read().map_err(|error| CallPlace::of(context).raise(world, error))?;
        chain.called_at_level(context.call_level());
        Ok(Self { chain, caller: Caller::of(context), world, place: stream.place.clone() })
    }

    /// The next element, or the failure of the command, raised where the stream was made.
    fn next<T>(&mut self, use_it: impl FnOnce(Element) -> T) -> Result<Option<T>> {
        self.may_go_on()?;
        self.chain.next(&self.caller, self.world, use_it).map_err(|stop| self.place.stop(self.world, stop))
    }

    /// The interpreter, which asks at every operation, is not running meanwhile.
    fn may_go_on(&self) -> Result<()> {
        if self.world.stops() { Err(World::terminated(self.place.position)) } else { Ok(()) }
    }

    fn next_value(&mut self) -> Result<Option<Dynamic>> {
        self.next(value_of)
    }

    /// The next element for who keeps them: the failure comes with those that were read before.
    fn next_after(&mut self, read: &Array) -> Result<Option<Dynamic>> {
        self.may_go_on()?;
        let next = self.chain.next(&self.caller, self.world, value_of);
        next.map_err(|stop| {
            let stop = match stop {
                Stop::Command(error) => Stop::Command(error.with_read(|| text_of(read))),
                stop => stop,
            };
            self.place.stop(self.world, stop)
        })
    }
}

fn register_readers(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("to_array", move |context: NativeCallContext, stream: Stream| -> Result<Array> {
        let mut reading = Reading::begin(&context, &shared, &stream)?;
        let mut array = Array::new();
        while let Some(value) = reading.next_after(&array)? {
            array.push(value);
        }
        Ok(array)
    });
    let shared = world.clone();
    engine.register_fn("count", move |context: NativeCallContext, stream: Stream| -> Result<i64> {
        let mut reading = Reading::begin(&context, &shared, &stream)?;
        let mut count = 0_usize;
        while reading.next(|_| ())?.is_some() {
            count += 1 + reading.chain.count_at_hand();
        }
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    });
    let shared = world.clone();
    engine.register_fn("first", move |context: NativeCallContext, stream: Stream| -> Result<Dynamic> {
        let first = Reading::begin(&context, &shared, &stream)?.next_value()?;
        Ok(first.unwrap_or(Dynamic::UNIT))
    });
    let shared = world.clone();
    engine.register_fn("each", move |context: NativeCallContext, stream: Stream, function: FnPtr| -> Result<()> {
        let mut reading = Reading::begin(&context, &shared, &stream)?;
        while let Some(value) = reading.next_value()? {
            let _: Dynamic = function.call_within_context(&context, (value,))?;
        }
        Ok(())
    });
    let shared = world.clone();
    engine.register_fn("join", move |context: NativeCallContext, stream: Stream| join(&context, &shared, &stream, ""));
    let shared = world.clone();
    engine.register_fn("join", move |context: NativeCallContext, stream: Stream, separator: Text| {
        join(&context, &shared, &stream, &separator)
    });
}

fn text_of(lines: &Array) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn join(context: &NativeCallContext, world: &World, stream: &Stream, separator: &str) -> Result<String> {
    let mut reading = Reading::begin(context, world, stream)?;
    let (mut text, mut is_first) = (String::new(), true);
    let mut push = |element: Element| {
        if !std::mem::replace(&mut is_first, false) {
            text.push_str(separator);
        }
        match element {
            Element::Line(line) => text.push_str(line),
            Element::Value(value) => text.push_str(&secret::shown(&value)),
        }
    };
    while reading.next(&mut push)?.is_some() {}
    Ok(text)
}
