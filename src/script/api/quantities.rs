//! Durations and sizes as types: `duration("1h 30m")`, `size("64MiB")`.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;
use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::data::quantity::Size;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::quantities::{readable, signed_duration, size};
use crate::script::registry::Registry;
use crate::script::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;
type Answer<T> = std::result::Result<T, String>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    register_durations(engine, world);
    register_sizes(engine, world);
}

fn register_durations(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<SignedDuration>("Duration");
    answering(engine, world, "duration", |_, value: Dynamic| signed_duration(&value, "duration"));
    engine.register_fn("to_string", |duration: &mut SignedDuration| readable(*duration));
    engine.register_fn("to_debug", |duration: &mut SignedDuration| readable(*duration));
    engine.register_get("seconds", |duration: &mut SignedDuration| duration.as_secs_f64());
    engine.register_get("milliseconds", |duration: &mut SignedDuration| {
        i64::try_from(duration.as_millis()).unwrap_or(if duration.is_negative() { i64::MIN } else { i64::MAX })
    });
    ordered::<SignedDuration>(engine, world, |_, value| signed_duration(value, "a comparison with a duration"));
    let too_long = || "the result is too long a duration".to_string();
    for (name, is_sum) in [("+", true), ("-", false)] {
        calculating(engine, world, name, move |one: SignedDuration, other: Dynamic| {
            let other = signed_duration(&other, "a sum with a duration")?;
            let result = if is_sum { one.checked_add(other) } else { one.checked_sub(other) };
            result.map(Dynamic::from).ok_or_else(too_long)
        });
    }
    calculating(engine, world, "*", move |duration: SignedDuration, factor: Dynamic| {
        let scaled = duration.as_secs_f64() * number(&factor)?;
        SignedDuration::try_from_secs_f64(scaled).map(Dynamic::from).map_err(|_| too_long())
    });
    calculating(engine, world, "/", move |duration: SignedDuration, divisor: Dynamic| {
        if let Some(divisor) = divisor.read_lock::<SignedDuration>() {
            return quotient(duration.as_secs_f64(), divisor.as_secs_f64()).map(Dynamic::from);
        }
        let scaled = quotient(duration.as_secs_f64(), number(&divisor)?)?;
        SignedDuration::try_from_secs_f64(scaled).map(Dynamic::from).map_err(|_| too_long())
    });
}

fn register_sizes(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Size>("Size");
    answering(engine, world, "size", |_, value: Dynamic| size(&value, "size"));
    engine.register_fn("to_string", |size: &mut Size| size.to_string());
    engine.register_fn("to_debug", |size: &mut Size| size.to_string());
    engine.register_get("bytes", |size: &mut Size| i64::try_from(size.0).unwrap_or(i64::MAX));
    ordered::<Size>(engine, world, |_, value| size(value, "a comparison with a size"));
    for (name, is_sum) in [("+", true), ("-", false)] {
        calculating(engine, world, name, move |one: Size, other: Dynamic| {
            let other = size(&other, "a sum with a size")?;
            let result = if is_sum { one.0.checked_add(other.0) } else { one.0.checked_sub(other.0) };
            let wrong = || match is_sum {
                true => "the result is too large a size".to_string(),
                false => format!("{one} - {other} is less than nothing, which no size is"),
            };
            result.map(|bytes| Dynamic::from(Size(bytes))).ok_or_else(wrong)
        });
    }
    let of_float = |bytes: f64| match (0.0..1.8e19).contains(&bytes) {
        true => Ok(Dynamic::from(Size(bytes.round() as u64))),
        false => Err("the result is no size: it is negative or too large".to_string()),
    };
    calculating(engine, world, "*", move |size: Size, factor: Dynamic| of_float(size.0 as f64 * number(&factor)?));
    calculating(engine, world, "/", move |size: Size, divisor: Dynamic| {
        if let Some(divisor) = divisor.read_lock::<Size>() {
            return quotient(size.0 as f64, divisor.0 as f64).map(Dynamic::from);
        }
        of_float(quotient(size.0 as f64, number(&divisor)?)?)
    });
}

fn number(value: &Dynamic) -> Answer<f64> {
    let integer = value.as_int().ok().map(|integer| integer as f64);
    let number = integer.or_else(|| value.as_float().ok());
    number.ok_or_else(|| format!("this can be multiplied with a number, not with {}", convert::kind_of(value)))
}

fn quotient(one: f64, other: f64) -> Answer<f64> {
    if other == 0.0 { Err("this cannot be divided by nothing".to_string()) } else { Ok(one / other) }
}

/// A function of one value that may refuse it.
pub(super) fn answering<T: rhai::Variant + Clone, R: rhai::Variant + Clone>(
    engine: &mut Registry,
    world: &Arc<World>,
    name: &'static str,
    answer: impl Fn(&World, T) -> Answer<R> + Send + Sync + 'static,
) {
    let world = world.clone();
    engine.register_fn(name, move |context: NativeCallContext, value: T| -> Result<R> {
        answer(&world, value).map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
    });
}

/// An operator, or a method with one argument.
pub(super) fn calculating<T: rhai::Variant + Clone>(
    engine: &mut Registry,
    world: &Arc<World>,
    name: &'static str,
    calculate: impl Fn(T, Dynamic) -> Answer<Dynamic> + Send + Sync + 'static,
) {
    let world = world.clone();
    engine.register_fn(name, move |context: NativeCallContext, one: T, other: Dynamic| -> Result<Dynamic> {
        calculate(one, other).map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
    });
}

/// All comparisons, with values of the type and with what stands for one, on either side. Rhai would give `false` for
/// everything that is not registered: here what cannot be compared is an error, and what is another thing is not equal.
pub(super) fn ordered<T: rhai::Variant + Clone + Ord>(
    engine: &mut Registry,
    world: &Arc<World>,
    read: fn(&World, &Dynamic) -> Answer<T>,
) {
    let orders: [(&str, fn(Ordering) -> bool); 4] =
        [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];
    for (name, holds) in orders {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, one: T, other: Dynamic| -> Result<bool> {
            let other = read(&shared, &other).map_err(|why| CallPlace::of(&context).invalid(&shared, why))?;
            Ok(holds(one.cmp(&other)))
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, one: Dynamic, other: T| -> Result<bool> {
            let one = read(&shared, &one).map_err(|why| CallPlace::of(&context).invalid(&shared, why))?;
            Ok(holds(one.cmp(&other)))
        });
    }
    for (name, is_equality) in [("==", true), ("!=", false)] {
        let shared = world.clone();
        engine.register_fn(name, move |one: T, other: Dynamic| {
            (read(&shared, &other).is_ok_and(|other| one == other)) == is_equality
        });
        let shared = world.clone();
        engine.register_fn(name, move |one: Dynamic, other: T| {
            (read(&shared, &one).is_ok_and(|one| one == other)) == is_equality
        });
    }
}
