//! The order of values: what `sort`, `sorted_by`, `min` and `max` go by.

use std::cmp::Ordering;
use std::path::PathBuf;

use jiff::SignedDuration;
use rhai::{Array, Dynamic, ImmutableString as Text};

use crate::data::quantity::Size;
use crate::data::time::Moment;

use super::convert;

/// The order of two values of one kind.
///
/// # Errors
/// What has no order: values of different kinds, maps, functions.
pub(crate) fn compare(one: &Dynamic, other: &Dynamic) -> Result<Ordering, String> {
    if let Some(order) = compare_numbers(one, other) {
        return Ok(order);
    }
    if let (Some(one), Some(other)) = (one.read_lock::<Text>(), other.read_lock::<Text>()) {
        return Ok(one.as_str().cmp(other.as_str()));
    }
    if let (Ok(one), Ok(other)) = (one.as_bool(), other.as_bool()) {
        return Ok(one.cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_char(), other.as_char()) {
        return Ok(one.cmp(&other));
    }
    if one.is_unit() && other.is_unit() {
        return Ok(Ordering::Equal);
    }
    if let (Some(one), Some(other)) = (one.read_lock::<Array>(), other.read_lock::<Array>()) {
        for (one, other) in one.iter().zip(other.iter()) {
            match compare(one, other)? {
                Ordering::Equal => {}
                order => return Ok(order),
            }
        }
        return Ok(one.len().cmp(&other.len()));
    }
    let same = compare_as::<SignedDuration>(one, other)
        .or_else(|| compare_as::<Size>(one, other))
        .or_else(|| compare_as::<Moment>(one, other))
        .or_else(|| compare_as::<PathBuf>(one, other));
    let kinds = || match (convert::kind_of(one), convert::kind_of(other)) {
        (one, other) if one == other => format!("{one} and another have no order"),
        (one, other) => format!("{one} and {other} have no order"),
    };
    same.ok_or_else(kinds)
}

fn compare_as<T: Ord + Clone + rhai::Variant>(one: &Dynamic, other: &Dynamic) -> Option<Ordering> {
    Some(one.read_lock::<T>()?.cmp(&*other.read_lock::<T>()?))
}

fn compare_numbers(one: &Dynamic, other: &Dynamic) -> Option<Ordering> {
    match (one.as_int(), one.as_float(), other.as_int(), other.as_float()) {
        (Ok(one), _, Ok(other), _) => Some(one.cmp(&other)),
        (_, Ok(one), _, Ok(other)) => Some(one.total_cmp(&other)),
        (Ok(one), _, _, Ok(other)) => Some(compare_mixed(one, other)),
        (_, Ok(one), Ok(other), _) => Some(compare_mixed(other, one).reverse()),
        _ => None,
    }
}

/// By their exact values: as floats, two different integers could be equal to a third number, which is no order.
fn compare_mixed(integer: i64, float: f64) -> Ordering {
    // 2^63, the first that no integer reaches.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() || float.abs() >= END && float != -END {
        return 0.0_f64.total_cmp(&float);
    }
    integer.cmp(&(float.trunc() as i64)).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}

/// A stable sort that stops at the first error, and that no contradictory comparer can upset.
///
/// # Errors
/// That of the comparer.
pub(crate) fn merge_sort<T, E>(
    mut values: Vec<T>,
    is_in_order: &mut impl FnMut(&T, &T) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    if values.len() < 2 {
        return Ok(values);
    }
    let right = values.split_off(values.len() / 2);
    let mut left = merge_sort(values, is_in_order)?.into_iter().peekable();
    let mut right = merge_sort(right, is_in_order)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if is_in_order(a, b)? { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_order_whatever_their_type() {
        let ordered = [
            Dynamic::from_float(f64::NEG_INFINITY),
            Dynamic::from_int(i64::MIN + 1),
            Dynamic::from_float(-1.5),
            Dynamic::from_int(-1),
            Dynamic::from_float(-0.5),
            Dynamic::from_int(0),
            Dynamic::from_float(0.5),
            Dynamic::from_float((1_i64 << 53) as f64),
            Dynamic::from_int((1 << 53) + 1),
            Dynamic::from_int(i64::MAX),
            Dynamic::from_float(9_223_372_036_854_775_808.0),
            Dynamic::from_float(f64::INFINITY),
            Dynamic::from_float(f64::NAN),
        ];
        for (i, one) in ordered.iter().enumerate() {
            for (j, other) in ordered.iter().enumerate() {
                assert_eq!(compare(one, other), Ok(i.cmp(&j)), "{one} {other}");
            }
        }
        assert_eq!(compare(&Dynamic::from_int(2), &Dynamic::from_float(2.0)), Ok(Ordering::Equal));
        assert_eq!(compare(&Dynamic::from_int(i64::MIN), &Dynamic::from_float(-(2_f64.powi(63)))), Ok(Ordering::Equal));
    }

    #[test]
    fn a_contradictory_comparer_upsets_nothing() {
        let sorted = merge_sort((0..100).collect(), &mut |_, _| Ok::<bool, ()>(false));
        assert_eq!(sorted.map(|sorted| sorted.len()), Ok(100));
        assert_eq!(merge_sort(vec![1, 2], &mut |_, _| Err("no")), Err("no"));
    }
}
