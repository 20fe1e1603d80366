//! What Rhai's arrays lack for reports: order by a key, groups, sums; and the same for the margins of text.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString as Text, Map, NativeCallContext};

use crate::data::quantity::Size;
use crate::data::text;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::order::{compare, merge_sort};
use crate::script::registry::Registry;
use crate::script::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;
type Answer<T> = std::result::Result<T, String>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    register_text(engine);
    let shared = world.clone();
    engine.register_fn("sorted_by", move |context: NativeCallContext, array: Array, key: FnPtr| {
        sorted_by(&context, &shared, array, &key)
    });
    // Rhai's own know nothing but its own types.
    for (name, is_descending) in [("sort", false), ("sort_desc", true)] {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, array: &mut Array| -> Result<()> {
            let sorted = merge_sort(array.clone(), &mut |one, other| match (shared.stops(), is_descending) {
                (true, _) => Err(World::terminated(context.call_position())),
                (false, false) => in_order(&context, &shared, one, other),
                (false, true) => in_order(&context, &shared, other, one),
            })?;
            *array = sorted;
            Ok(())
        });
    }
    let shared = world.clone();
    engine.register_fn("unique", move |context: NativeCallContext, array: Array| -> Result<Array> {
        unique(&context, &shared, array, None)
    });
    let shared = world.clone();
    engine.register_fn("unique", move |context: NativeCallContext, array: Array, key: FnPtr| -> Result<Array> {
        unique(&context, &shared, array, Some(&key))
    });
    let shared = world.clone();
    engine.register_fn("group_by", move |context: NativeCallContext, array: Array, key: FnPtr| -> Result<Map> {
        let mut groups: BTreeMap<String, Array> = BTreeMap::new();
        for value in array {
            let name = call(&context, &shared, &key, &value)?;
            let text = group_name(&name).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
            groups.entry(text).or_default().push(value);
        }
        Ok(groups.into_iter().map(|(name, values)| (name.into(), values.into())).collect())
    });
    let shared = world.clone();
    engine.register_fn("sum", move |context: NativeCallContext, array: &mut Array| -> Result<Dynamic> {
        sum(array).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    for (name, better) in [("min", Ordering::Less), ("max", Ordering::Greater)] {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, array: &mut Array| -> Result<Dynamic> {
            best(array, better).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
        });
    }
}

fn register_text(engine: &mut Registry) {
    engine.register_fn("dedent", |text: &mut Text| text::dedent(text));
    engine.register_fn("indent", |text: &mut Text, prefix: Text| text::indent(text, &prefix));
    engine.register_fn("indent", |text: &mut Text, width: i64| {
        text::indent(text, &" ".repeat(usize::try_from(width).unwrap_or(0).min(1000)))
    });
    engine.register_fn("strip_ansi", |text: &mut Text| text::strip_ansi(text));
    engine.register_fn("strip_prefix", |text: &mut Text, part: Text| {
        text.strip_prefix(part.as_str()).map_or_else(|| text.clone(), Text::from)
    });
    engine.register_fn("strip_suffix", |text: &mut Text, part: Text| {
        text.strip_suffix(part.as_str()).map_or_else(|| text.clone(), Text::from)
    });
}

/// The value of a function for an element, unless the script must stop.
fn call(context: &NativeCallContext, world: &World, function: &FnPtr, value: &Dynamic) -> Result<Dynamic> {
    if world.stops() {
        return Err(World::terminated(context.call_position()));
    }
    function.call_within_context(context, (value.clone(),))
}

fn sorted_by(context: &NativeCallContext, world: &World, array: Array, key: &FnPtr) -> Result<Array> {
    let keyed = array.into_iter().map(|value| Ok((call(context, world, key, &value)?, value)));
    let keyed: Vec<(Dynamic, Dynamic)> = keyed.collect::<Result<_>>()?;
    let sorted = merge_sort(keyed, &mut |(one, _), (other, _)| match world.stops() {
        true => Err(World::terminated(context.call_position())),
        false => in_order(context, world, one, other),
    });
    Ok(sorted?.into_iter().map(|(_, value)| value).collect())
}

fn in_order(context: &NativeCallContext, world: &World, one: &Dynamic, other: &Dynamic) -> Result<bool> {
    let order = compare(one, other).map_err(|problem| CallPlace::of(context).invalid(world, problem))?;
    Ok(order.is_le())
}

/// Elements, or keys, are the same when they are shown alike and are of one type: so each can be of any kind.
fn unique(context: &NativeCallContext, world: &World, array: Array, key: Option<&FnPtr>) -> Result<Array> {
    let mut seen = std::collections::HashSet::new();
    let mut kept = Array::new();
    for value in array {
        let key = match key {
            Some(key) => call(context, world, key, &value)?,
            None => value.clone(),
        };
        let (data, _) = crate::script::values::from_script(&key).map_err(|problem| {
            CallPlace::of(context).invalid(world, format!("cannot tell what is the same: {problem}"))
        })?;
        if seen.insert(format!("{data:?}")) {
            kept.push(value);
        }
    }
    Ok(kept)
}

/// A key of a map.
fn group_name(value: &Dynamic) -> Answer<String> {
    if let Some(text) = value.read_lock::<Text>() {
        return Ok(text.to_string());
    }
    if value.is_int() || value.is_bool() || value.is_char() {
        return Ok(value.to_string());
    }
    if let Some(path) = value.read_lock::<std::path::PathBuf>() {
        return path
            .to_str()
            .map(str::to_string)
            .ok_or_else(|| "a path that is not UTF-8 is no name of a group".to_string());
    }
    Err(format!("the name of a group is text, not {}", convert::kind_of(value)))
}

/// 0 for no elements.
fn sum(array: &Array) -> Answer<Dynamic> {
    let Some(first) = array.first() else { return Ok(Dynamic::from_int(0)) };
    let wrong = |index: usize| format!("[{index}] cannot be added: it is {}", convert::kind_of(&array[index]));
    let too_large = || "the sum is too large".to_string();
    if first.is::<SignedDuration>() {
        let mut total = SignedDuration::ZERO;
        for (index, value) in array.iter().enumerate() {
            let value = value.read_lock::<SignedDuration>().ok_or_else(|| wrong(index))?;
            total = total.checked_add(*value).ok_or_else(too_large)?;
        }
        return Ok(Dynamic::from(total));
    }
    if first.is::<Size>() {
        let mut total = 0_u64;
        for (index, value) in array.iter().enumerate() {
            let value = value.read_lock::<Size>().ok_or_else(|| wrong(index))?;
            total = total.checked_add(value.0).ok_or_else(too_large)?;
        }
        return Ok(Dynamic::from(Size(total)));
    }
    if array.iter().all(|value| value.is_int()) {
        let total = array.iter().try_fold(0_i64, |total, value| total.checked_add(value.as_int().unwrap_or(0)));
        return total.map(Dynamic::from_int).ok_or_else(too_large);
    }
    let mut total = 0.0;
    for (index, value) in array.iter().enumerate() {
        let float = value.as_float().ok().or_else(|| value.as_int().ok().map(|integer| integer as f64));
        total += float.ok_or_else(|| wrong(index))?;
    }
    Ok(Dynamic::from_float(total))
}

/// The smallest or the largest; `()` of no elements.
fn best(array: &Array, better: Ordering) -> Answer<Dynamic> {
    let mut values = array.iter();
    let Some(mut best) = values.next() else { return Ok(Dynamic::UNIT) };
    for value in values {
        if compare(value, best)? == better {
            best = value;
        }
    }
    Ok(best.clone())
}
