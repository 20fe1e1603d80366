//! Durations, sizes and points in time as values of scripts: what text stands for them, and how they are shown.

use jiff::SignedDuration;
use rhai::{Dynamic, ImmutableString as Text};

use crate::data::quantity::Size;
use crate::data::time::{Moment, zone};
use crate::process::duration_text;

use super::convert;
use super::world::World;

/// A duration, or text that stands for one, which a minus sign may be in front of.
pub(crate) fn signed_duration(value: &Dynamic, place: &str) -> Result<SignedDuration, String> {
    if let Some(duration) = value.read_lock::<SignedDuration>() {
        return Ok(*duration);
    }
    let Some(text) = value.read_lock::<Text>() else {
        let hint = if value.is_int() || value.is_float() { ": a number needs a unit" } else { "" };
        return Err(format!("{place} takes a duration, such as \"1h 30m\", not {}{hint}", convert::kind_of(value)));
    };
    let positive = text.trim().strip_prefix('-');
    let duration = convert::duration(positive.unwrap_or(&text))?;
    let too_long = |_| format!("`{}` is not a duration: it is too long", &*text);
    let duration = SignedDuration::try_from(duration).map_err(too_long)?;
    Ok(if positive.is_some() { -duration } else { duration })
}

/// A size, text that stands for one, or a number of bytes.
pub(crate) fn size(value: &Dynamic, place: &str) -> Result<Size, String> {
    if let Some(size) = value.read_lock::<Size>() {
        return Ok(*size);
    }
    if let Some(text) = value.read_lock::<Text>() {
        return convert::size(&text).map(Size);
    }
    let bytes = value.as_int().ok().map(u64::try_from);
    match bytes {
        Some(Ok(bytes)) => Ok(Size(bytes)),
        Some(Err(_)) => Err(format!("{place} takes a number of bytes, which cannot be negative")),
        None => Err(format!("{place} takes a size, such as \"64MiB\", not {}", convert::kind_of(value))),
    }
}

/// For people: `1 h 30 min`, `-5 s`, as our messages write durations.
pub(crate) fn readable(duration: SignedDuration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    match duration.is_zero() {
        true => "0 s".to_string(),
        false => format!("{sign}{}", duration_text(duration.unsigned_abs())),
    }
}

/// The time zone of the surroundings: what `TZ` says in the environment of commands, or else the system's.
pub(crate) fn local_zone(world: &World) -> Result<jiff::tz::TimeZone, String> {
    let variable = world.context().env("TZ");
    crate::data::time::local_zone(variable.as_deref().map(std::ffi::OsStr::to_string_lossy).as_deref())
}

/// `"local"`, or what [`zone`] takes.
pub(crate) fn named_zone(world: &World, name: &str) -> Result<jiff::tz::TimeZone, String> {
    if name == "local" { local_zone(world) } else { zone(name) }
}

/// A point in time, or text that stands for one.
pub(crate) fn moment(world: &World, value: &Dynamic, place: &str) -> Result<Moment, String> {
    if let Some(moment) = value.read_lock::<Moment>() {
        return Ok(moment.clone());
    }
    let text = match value.read_lock::<Text>() {
        Some(text) => text.to_string(),
        None => match value.read_lock::<crate::data::time::Local>() {
            Some(local) => local.to_string(),
            None => {
                return Err(format!(
                    "{place} takes a time, such as \"2024-05-01 12:30\", not {}",
                    convert::kind_of(value)
                ));
            }
        },
    };
    Moment::parse(&text, &local_zone(world)?).map_err(|_| {
        format!(
            "`{text}` is not a time: write a date, with a time of day or not: 2024-05-01, 2024-05-01T12:30:00+02:00"
        )
    })
}
