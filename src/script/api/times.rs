//! Points in time: `now()`, `time("2024-05-01 12:30")`.

use std::sync::Arc;

use jiff::{SignedDuration, Span};
use rhai::{Dynamic, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::time::{Local, Moment};
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::quantities::{local_zone, moment, named_zone, signed_duration};
use crate::script::registry::Registry;
use crate::script::world::World;

use super::quantities::{answering, calculating, ordered};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Moment>("Time");
    engine.register_type_with_name::<Local>("LocalTime");
    for name in ["to_string", "to_debug"] {
        engine.register_fn(name, |time: &mut Moment| time.to_string());
        engine.register_fn(name, |local: &mut Local| local.to_string());
    }
    engine.register_fn("==", |one: Local, other: Local| one == other);
    engine.register_fn("!=", |one: Local, other: Local| one != other);
    register_making(engine, world);
    register_fields(engine);
    register_changing(engine, world);
    ordered::<Moment>(engine, world, |world, value| moment(world, value, "a comparison with a time"));
}

fn register_making(engine: &mut Registry, world: &Arc<World>) {
    let shared = world.clone();
    engine.register_fn("now", move |context: NativeCallContext| -> Result<Moment> {
        let zone = local_zone(&shared).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))?;
        Ok(Moment::now(zone))
    });
    answering(engine, world, "time", |world, value: Dynamic| moment(world, &value, "time"));
    let shared = world.clone();
    engine.register_fn("time", move |context: NativeCallContext, text: Text, format: Text| -> Result<Moment> {
        let parsed = local_zone(&shared).and_then(|zone| {
            let why = |why| format!("`{text}` is not a time in the format `{format}`: {why}");
            Moment::parse_with(&text, &format, &zone).map_err(why)
        });
        parsed.map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
    });
    answering(engine, world, "from_epoch", |world, seconds: Dynamic| {
        let zone = local_zone(world)?;
        let wrong =
            || format!("from_epoch takes a number of seconds, not {}", crate::script::convert::kind_of(&seconds));
        match (seconds.as_int(), seconds.as_float()) {
            (Ok(seconds), _) => Moment::from_epoch(seconds, 0, zone),
            (_, Ok(seconds)) if seconds.is_finite() && seconds.abs() < 1e15 => {
                // A little less than a whole number can be a whole second above the one below.
                let nanos = (((seconds - seconds.floor()) * 1e9) as i32).min(999_999_999);
                Moment::from_epoch(seconds.floor() as i64, nanos, zone)
            }
            (_, Ok(seconds)) => Err(format!("{seconds} seconds since 1970 are outside the calendar")),
            _ => Err(wrong()),
        }
    });
}

fn register_fields(engine: &mut Registry) {
    let numbers: [(&str, fn(&Moment) -> i64); 8] = [
        ("year", |time| time.zoned().year().into()),
        ("month", |time| time.zoned().month().into()),
        ("day", |time| time.zoned().day().into()),
        ("hour", |time| time.zoned().hour().into()),
        ("minute", |time| time.zoned().minute().into()),
        ("second", |time| time.zoned().second().into()),
        ("nanosecond", |time| time.zoned().subsec_nanosecond().into()),
        ("epoch", |time| time.seconds_and_nanos().0),
    ];
    for (name, number) in numbers {
        engine.register_get(name, move |time: &mut Moment| number(time));
    }
    engine.register_get("weekday", |time: &mut Moment| i64::from(time.zoned().weekday().to_monday_one_offset()));
    engine.register_get("zone", |time: &mut Moment| time.zone_name());
}

fn register_changing(engine: &mut Registry, world: &Arc<World>) {
    calculating(engine, world, "+", |time: Moment, duration: Dynamic| {
        time.plus(signed_duration(&duration, "a sum with a time")?).map(Dynamic::from)
    });
    calculating(engine, world, "-", |time: Moment, other: Dynamic| {
        if let Some(earlier) = other.read_lock::<Moment>() {
            return Ok(Dynamic::from(time.since(&earlier)));
        }
        let duration: SignedDuration = signed_duration(&other, "a difference with a time")?;
        time.plus(-duration).map(Dynamic::from)
    });
    let wrong =
        |name: &str, value: &Dynamic| format!("{name} takes text, not {}", crate::script::convert::kind_of(value));
    calculating(engine, world, "format", move |time: Moment, format: Dynamic| {
        let text = format.read_lock::<Text>().ok_or_else(|| wrong("format", &format))?;
        let formatted = time.format(&text).map_err(|why| format!("`{}` is not a format of times: {why}", &*text));
        formatted.map(Dynamic::from)
    });
    let shared = world.clone();
    calculating(engine, world, "in_zone", move |time: Moment, name: Dynamic| {
        let name = name.read_lock::<Text>().ok_or_else(|| wrong("in_zone", &name))?;
        Ok(Dynamic::from(time.in_zone(named_zone(&shared, &name)?)))
    });
    calculating(engine, world, "shift", |time: Moment, parts: Dynamic| {
        let parts = parts.read_lock::<Map>().ok_or("shift takes a map, such as #{months: -1}")?;
        Ok(Dynamic::from(time.shifted(span(&parts)?)?))
    });
    answering(engine, world, "start_of_day", |_, time: Moment| time.start_of_day());
}

/// `#{months: 1, days: -3}`
fn span(parts: &Map) -> std::result::Result<Span, String> {
    let options = Options::new("shift", parts, &["years", "months", "weeks", "days", "hours", "minutes", "seconds"])?;
    let mut span = Span::new();
    for name in parts.keys() {
        let number = options.value::<i64>(name, "a whole number")?.unwrap_or(0);
        let changed = match name.as_str() {
            "years" => span.try_years(number),
            "months" => span.try_months(number),
            "weeks" => span.try_weeks(number),
            "days" => span.try_days(number),
            "hours" => span.try_hours(number),
            "minutes" => span.try_minutes(number),
            _ => span.try_seconds(number),
        };
        span = changed.map_err(|_| format!("{number} {name} are outside the calendar"))?;
    }
    Ok(span)
}
