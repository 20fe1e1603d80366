//! Methods of arrays: `join`, and those whose originals in Rhai swallow the errors of their closures.

use std::sync::Arc;

use rhai::{Array, Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString as Text, NativeCallContext};

use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::order::merge_sort;
use crate::script::registry::Registry;
use crate::script::secret::{self, Secret};
use crate::script::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_fn("join", |array: &mut Array, separator: Text| join(array, &separator));
    engine.register_fn("join", |array: &mut Array| join(array, ""));

    let shared = world.clone();
    engine.register_fn("batched", move |context: NativeCallContext, array: &mut Array| {
        batched(array).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });

    // Rhai takes text here for the name of a function to call.
    engine.register_fn("index_of", |context: NativeCallContext, array: &mut Array, value: Text| {
        index_of(&context, array, &value, 0)
    });
    engine.register_fn("index_of", |context: NativeCallContext, array: &mut Array, value: Text, start: i64| {
        index_of(&context, array, &value, start)
    });

    // Rhai allocates whatever it is asked for, and the process aborts when there is not so much.
    engine.register_fn("pad", |context: NativeCallContext, array: &mut Array, length: i64, value: Dynamic| {
        let length = checked_length(&context, length)?;
        if length > array.len() {
            array.resize(length, value);
        }
        Result::Ok(())
    });
    engine.register_fn("pad", |context: NativeCallContext, text: &mut Text, length: i64, part: Text| {
        pad_text(&context, text, length, &part)
    });
    engine.register_fn("pad", |context: NativeCallContext, text: &mut Text, length: i64, part: char| {
        pad_text(&context, text, length, part.encode_utf8(&mut [0; 4]))
    });
    engine.register_fn("repeat", |context: NativeCallContext, text: &mut Text, times: i64| {
        let times = usize::try_from(times).unwrap_or(0);
        let length = i64::try_from(text.len().saturating_mul(times)).unwrap_or(i64::MAX);
        checked_length(&context, length).map(|_| repeated(text, times))
    });
    engine.register_fn("blob", |context: NativeCallContext, length: i64| {
        Result::Ok(vec![0_u8; checked_length(&context, length)?])
    });
    engine.register_fn("blob", |context: NativeCallContext, length: i64, value: i64| {
        Result::Ok(vec![value as u8; checked_length(&context, length)?])
    });
    engine.register_fn("pad", |context: NativeCallContext, blob: &mut Blob, length: i64, value: i64| {
        let length = checked_length(&context, length)?;
        if length > blob.len() {
            blob.resize(length, value as u8);
        }
        Result::Ok(())
    });

    // In Rhai an error in a comparer counts as "equal", so that a failed command goes unheard.
    engine.register_fn("sort", |context: NativeCallContext, array: &mut Array, comparer: FnPtr| -> Result<()> {
        let sorted = merge_sort(array.clone(), &mut |a, b| is_in_order(&context, &comparer, a, b))?;
        *array = sorted;
        Ok(())
    });
    engine.register_fn("dedup", |context: NativeCallContext, array: &mut Array, comparer: FnPtr| -> Result<()> {
        let mut kept: Array = Array::with_capacity(array.len());
        for value in array.iter() {
            let is_repeated = match kept.last() {
                Some(last) => comparer
                    .call_within_context::<Dynamic>(&context, (last.clone(), value.clone()))?
                    .as_bool()
                    .unwrap_or(false),
                None => false,
            };
            if !is_repeated {
                kept.push(value.clone());
            }
        }
        *array = kept;
        Ok(())
    });
}

/// The longest array, text or blob that is made at once.
const MAX_LENGTH: i64 = 64 * 1024 * 1024;

fn checked_length(context: &NativeCallContext, length: i64) -> Result<usize> {
    match length {
        length if length > MAX_LENGTH => Err(EvalAltResult::ErrorDataTooLarge(
            format!("a length of {length} is more than the {MAX_LENGTH} that are allowed"),
            context.call_position(),
        )
        .into()),
        length => Ok(usize::try_from(length).unwrap_or(0)),
    }
}

/// Made in its place a block at a time: a `String` as a whole would be copied into a text of Rhai's.
fn repeated(text: &str, times: usize) -> Text {
    const BLOCK: usize = 64 * 1024;
    let in_block = (BLOCK / text.len().max(1)).clamp(1, times.max(1));
    let block = text.repeat(in_block);
    let mut whole = Text::new();
    for _ in 0..times / in_block {
        whole += block.as_str();
    }
    whole += &block[..text.len() * (times % in_block)];
    whole
}

/// Rhai counts characters, and repeats the part as a whole.
fn pad_text(context: &NativeCallContext, text: &mut Text, length: i64, part: &str) -> Result<()> {
    let length = checked_length(context, length)?;
    let (mut present, step) = (text.chars().count(), part.chars().count());
    if step == 0 || present >= length {
        return Ok(());
    }
    let mut padded = text.to_string();
    while present < length {
        padded.push_str(part);
        present += step;
    }
    *text = match present > length {
        true => padded.chars().take(length).collect::<String>().into(),
        false => padded.into(),
    };
    Ok(())
}

/// With a secret among the elements, the whole is one.
fn join(array: &Array, separator: &str) -> Dynamic {
    let (mut text, mut is_secret) = (String::new(), false);
    for (index, value) in array.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        match value.read_lock::<Secret>() {
            Some(secret) => {
                is_secret = true;
                text.push_str(secret.reveal());
            }
            None => text.push_str(&secret::shown(value)),
        }
    }
    if is_secret { Secret::from(text).into() } else { text.into() }
}

/// The index of the first element from `start` on that is equal to this text, as a path or a duration can be, or -1. A
/// negative `start` counts from the end.
fn index_of(context: &NativeCallContext, array: &Array, value: &Text, start: i64) -> Result<i64> {
    let length = array.len() as i64;
    let start = if start < 0 { (length + start).max(0) } else { start.min(length) };
    for (index, element) in array.iter().enumerate().skip(start as usize) {
        let is_equal = match element.read_lock::<Text>() {
            Some(text) => *text == *value,
            // Only types that are not Rhai's own can be equal to a text.
            None if element.is_variant() => {
                context.call_native_fn::<bool>("==", (element.flatten_clone(), value.clone())).unwrap_or(false)
            }
            None => false,
        };
        if is_equal {
            return Ok(index as i64);
        }
    }
    Ok(-1)
}

/// Whether `a` may stand before `b`: the comparer gives a number that is not positive, or `false` for
/// "a is greater".
fn is_in_order(context: &NativeCallContext, comparer: &FnPtr, a: &Dynamic, b: &Dynamic) -> Result<bool> {
    let answer = comparer.call_within_context::<Dynamic>(context, (a.clone(), b.clone()))?;
    match (answer.as_int(), answer.as_bool()) {
        (Ok(number), _) => Ok(number <= 0),
        (_, Ok(is_before)) => Ok(is_before),
        _ => Err(EvalAltResult::ErrorMismatchDataType(
            "i64".to_string(),
            answer.type_name().to_string(),
            context.call_position(),
        )
        .into()),
    }
}

/// So many bytes of arguments any system takes, with room for the rest of the command and for its environment; what
/// `xargs` takes by itself.
const BATCH: usize = 128 * 1024;
/// What an argument takes beside its bytes: its end, and the pointer to it.
const OVERHEAD: usize = 1 + size_of::<usize>();

/// The elements in arrays that are short enough to be the arguments of a command.
fn batched(array: &Array) -> std::result::Result<Array, String> {
    let mut batches: Vec<Array> = Vec::new();
    let mut left = 0;
    for (index, value) in array.iter().enumerate() {
        let argument = convert::argument(value, "an element");
        let argument = argument.map_err(|problem| format!("{problem} (the index is {index})"))?;
        let length = argument.len() + OVERHEAD;
        match batches.last_mut().filter(|_| length <= left) {
            Some(batch) => {
                batch.push(value.clone());
                left -= length;
            }
            None => {
                batches.push(vec![value.clone()]);
                left = BATCH.saturating_sub(length);
            }
        }
    }
    Ok(batches.into_iter().map(Dynamic::from_array).collect())
}
