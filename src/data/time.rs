//! Points in time, with a time zone, and dates and times of day without one.

use std::fmt;
use std::time::SystemTime;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, Zoned};

/// A point in time, as it is read off in one time zone. Two that are the same moment are equal, whatever the zones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Zoned);

impl Moment {
    pub fn now(zone: TimeZone) -> Self {
        Self(Timestamp::now().to_zoned(zone))
    }

    /// Seconds and nanoseconds since 1970.
    pub fn from_epoch(seconds: i64, nanos: i32, zone: TimeZone) -> Result<Self, String> {
        let timestamp = Timestamp::new(seconds, nanos);
        let timestamp = timestamp.map_err(|_| format!("{seconds} seconds since 1970 are outside the calendar"))?;
        Ok(Self(timestamp.to_zoned(zone)))
    }

    /// With an offset or `Z`: `2024-05-01T12:00:00+02:00`.
    /// As file systems have it.
    pub fn from_system(time: SystemTime, zone: TimeZone) -> Result<Self, String> {
        let timestamp = Timestamp::try_from(time).map_err(|error| error.to_string())?;
        Ok(Self(timestamp.to_zoned(zone)))
    }

    pub fn to_system(&self) -> SystemTime {
        self.0.timestamp().into()
    }

    pub fn from_rfc3339(text: &str) -> Result<Self, String> {
        match Self::from_iso(text, &TimeZone::UTC)? {
            (moment, true) => Ok(moment),
            (_, false) => Err("it has no time zone".to_string()),
        }
    }

    /// What ISO 8601, RFC 3339, RFC 9557 (`[Europe/Berlin]`) or RFC 2822 writes; `zone` is for what names none.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, String> {
        let text = text.trim();
        if let Ok((moment, _)) = Self::from_iso(text, zone) {
            return Ok(moment);
        }
        let is_mail = text.starts_with(|char: char| char.is_alphabetic()) || text.contains(' ') && !text.contains('-');
        if is_mail && let Ok(zoned) = rfc2822::parse(text) {
            return Ok(Self(zoned));
        }
        Self::from_iso(text, zone).map(|(moment, _)| moment)
    }

    /// And whether the text names its zone.
    fn from_iso(text: &str, zone: &TimeZone) -> Result<(Self, bool), String> {
        let pieces = Pieces::parse(text).map_err(|error| error.to_string())?;
        if pieces.time_zone_annotation().is_some() {
            return text.parse().map(|zoned| (Self(zoned), true)).map_err(|error: jiff::Error| error.to_string());
        }
        let civil = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
        match pieces.to_numeric_offset() {
            Some(offset) => Ok((Self::at(civil, &fixed(offset))?, true)),
            None => Ok((Self::at(civil, zone)?, false)),
        }
    }

    /// A time that a clock shows twice is the first of the two; one that it leaves out is as much later.
    fn at(civil: DateTime, zone: &TimeZone) -> Result<Self, String> {
        zone.to_zoned(civil).map(Self).map_err(|error| error.to_string())
    }

    /// By a pattern as that of `strptime`.
    pub fn parse_with(text: &str, format: &str, zone: &TimeZone) -> Result<Self, String> {
        let parsed = strtime::parse(format, text).map_err(|error| error.to_string())?;
        if parsed.timestamp().is_some() || parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            let zoned = match parsed.to_zoned() {
                Ok(zoned) => zoned,
                Err(_) => parsed.to_timestamp().map_err(|error| error.to_string())?.to_zoned(zone.clone()),
            };
            return Ok(Self(zoned));
        }
        let date = parsed.to_date().map_err(|error| error.to_string())?;
        let has_time = parsed.hour().is_some();
        let time = if has_time { parsed.to_time().map_err(|error| error.to_string())? } else { Time::midnight() };
        Self::at(date.to_datetime(time), zone)
    }

    /// `rfc3339`, `rfc2822`, or a pattern as that of `strftime`.
    pub fn format(&self, format: &str) -> Result<String, String> {
        match format {
            "rfc3339" => Ok(self.to_string()),
            "rfc2822" => rfc2822::to_string(&self.0).map_err(|error| error.to_string()),
            format => strtime::format(format, &self.0).map_err(|error| error.to_string()),
        }
    }

    pub fn zoned(&self) -> &Zoned {
        &self.0
    }

    /// The same moment elsewhere.
    pub fn in_zone(&self, zone: TimeZone) -> Self {
        Self(self.0.with_time_zone(zone))
    }

    pub fn zone_name(&self) -> String {
        let zone = self.0.time_zone();
        zone.iana_name().map_or_else(|| self.0.offset().to_string(), str::to_string)
    }

    pub fn seconds_and_nanos(&self) -> (i64, i32) {
        let timestamp = self.0.timestamp();
        (timestamp.as_second(), timestamp.subsec_nanosecond())
    }

    pub fn plus(&self, duration: SignedDuration) -> Result<Self, String> {
        self.0.checked_add(duration).map(Self).map_err(|_| "the result is outside the calendar".to_string())
    }

    /// By the calendar: a month later is the same day of the next month, or its last one.
    pub fn shifted(&self, span: Span) -> Result<Self, String> {
        self.0.checked_add(span).map(Self).map_err(|_| "the result is outside the calendar".to_string())
    }

    pub fn start_of_day(&self) -> Result<Self, String> {
        self.0.start_of_day().map(Self).map_err(|error| error.to_string())
    }

    pub fn since(&self, earlier: &Self) -> SignedDuration {
        self.0.duration_since(&earlier.0)
    }
}

/// RFC 3339, with as many digits of a second as there are.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = self.0.timestamp();
        match self.0.time_zone() == &TimeZone::UTC {
            true => write!(f, "{timestamp}"),
            false => write!(f, "{}", timestamp.display_with_offset(self.0.offset())),
        }
    }
}

fn fixed(offset: Offset) -> TimeZone {
    if offset == Offset::UTC { TimeZone::UTC } else { TimeZone::fixed(offset) }
}

/// `UTC`, a name of the database (`Europe/Berlin`), or an offset (`+02:00`).
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "UTC" | "Z" | "utc") {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['+', '-'])
        && let Ok(pieces) = Pieces::parse(&format!("2000-01-01T00:00{name}"))
        && let Some(offset) = pieces.to_numeric_offset()
    {
        return Ok(fixed(offset));
    }
    TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`"))
}

/// What a variable `TZ` says, as POSIX and the C library have it; `None` is no such variable.
pub(crate) fn local_zone(variable: Option<&str>) -> Result<TimeZone, String> {
    let Some(value) = variable else { return Ok(TimeZone::system()) };
    let name = value.strip_prefix(':').unwrap_or(value);
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with('/') {
        let data = std::fs::read(name).map_err(|_| format!("there is no time zone file `{name}`"))?;
        return TimeZone::tzif(name, &data).map_err(|_| format!("`{name}` is no time zone file"));
    }
    zone(name).or_else(|problem| TimeZone::posix(name).map_err(|_| problem))
}

/// A date, a time of day, or both, that says nothing about a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Local {
    Date(Date),
    Time(Time),
    Both(DateTime),
}

impl Local {
    pub fn parse(text: &str) -> Result<Self, String> {
        let has_date = text.get(4..5) == Some("-");
        let has_time = text.contains(':');
        let parsed = match (has_date, has_time) {
            (true, true) => text.parse().map(Self::Both),
            (true, false) => text.parse().map(Self::Date),
            (false, _) => text.parse().map(Self::Time),
        };
        parsed.map_err(|error: jiff::Error| error.to_string())
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{date}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Both(both) => write!(f, "{both}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Moment::parse(text, &TimeZone::fixed(jiff::tz::offset(2))).map_or_else(|error| error, |time| time.to_string())
    }

    #[test]
    fn what_names_no_zone_is_local() {
        for (text, expected) in [
            ("2024-05-01", "2024-05-01T00:00:00+02:00"),
            ("2024-05-01 12:30", "2024-05-01T12:30:00+02:00"),
            ("2024-05-01T12:30:05.5", "2024-05-01T12:30:05.5+02:00"),
            ("2024-05-01T12:30:05Z", "2024-05-01T12:30:05Z"),
            ("2024-05-01T12:30:05+00:00", "2024-05-01T12:30:05Z"),
            ("2024-05-01T12:30:05-08:00", "2024-05-01T12:30:05-08:00"),
            ("20240501T123005Z", "2024-05-01T12:30:05Z"),
            ("Wed, 1 May 2024 12:30:05 +0200", "2024-05-01T12:30:05+02:00"),
            ("1 May 2024 12:30:05 GMT", "2024-05-01T12:30:05Z"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in ["", "tomorrow", "2024-13-01", "2024-02-30", "12:30", "2024-05-01T25:00", "1"] {
            assert!(Moment::parse(text, &TimeZone::UTC).is_err(), "{text}: {}", read(text));
        }
    }

    #[test]
    fn formats_both_ways() {
        let utc = TimeZone::UTC;
        let time = Moment::parse_with("01/05/2024 12:30", "%d/%m/%Y %H:%M", &utc).unwrap();
        assert_eq!(time.to_string(), "2024-05-01T12:30:00Z");
        assert_eq!(time.format("%Y%m%d-%H%M%S %a %j").unwrap(), "20240501-123000 Wed 122");
        assert_eq!(time.format("rfc2822").unwrap(), "Wed, 1 May 2024 12:30:00 +0000");
        assert!(time.format("%").is_err() && time.format("%!").is_err());
        assert_eq!(Moment::parse_with("1714566600", "%s", &utc).unwrap(), time);
        assert_eq!(Moment::parse_with("2024-05-01", "%Y-%m-%d", &utc).unwrap().to_string(), "2024-05-01T00:00:00Z");
        assert!(Moment::parse_with("2024-05-01 x", "%Y-%m-%d", &utc).is_err());
        let there = Moment::parse_with("2024-05-01 12:30 +0200", "%Y-%m-%d %H:%M %z", &utc).unwrap();
        assert_eq!(there.to_string(), "2024-05-01T12:30:00+02:00");
    }

    #[test]
    fn zones() {
        assert_eq!(zone("+05:30").unwrap(), TimeZone::fixed(Offset::from_seconds(19800).unwrap()));
        assert!(zone("Mars/Olympus").is_err() && zone("+99:00").is_err());
        assert_eq!(local_zone(Some("")).unwrap(), TimeZone::UTC);
        let posix = local_zone(Some("CET-1CEST,M3.5.0,M10.5.0/3")).unwrap();
        assert_eq!(Moment::parse("2024-07-01", &posix).unwrap().to_string(), "2024-07-01T00:00:00+02:00");
        // Where the system has a database of zones.
        if std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
            let berlin = zone("Europe/Berlin").unwrap();
            assert_eq!(local_zone(Some(":Europe/Berlin")).unwrap(), berlin);
            assert_eq!(Moment::parse("2024-07-01", &berlin).unwrap().to_string(), "2024-07-01T00:00:00+02:00");
            assert_eq!(Moment::parse("2024-07-01", &berlin).unwrap().zone_name(), "Europe/Berlin");
            let file = local_zone(Some("/usr/share/zoneinfo/Europe/Berlin")).unwrap();
            assert_eq!(Moment::parse("2024-01-01", &file).unwrap().to_string(), "2024-01-01T00:00:00+01:00");
        }
        assert!(local_zone(Some("/no/such/file")).is_err() && local_zone(Some("nonsense zone")).is_err());
    }

    #[test]
    fn what_has_no_zone_keeps_its_form() {
        for text in ["2024-05-01", "12:30:05", "2024-05-01T12:30:05", "23:59:59.123"] {
            assert_eq!(Local::parse(text).unwrap().to_string(), text);
        }
        assert!(Local::parse("2024-05").is_err());
    }
}
