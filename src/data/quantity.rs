//! Durations that may be negative, and sizes.

use jiff::SignedDuration;

/// For programs: `1h30m`, `-250ms`, to the nanosecond, and readable by whoever reads durations with units.
pub(crate) fn exact(duration: SignedDuration) -> String {
    let whole = duration.unsigned_abs();
    let (seconds, nanos) = (whole.as_secs(), u64::from(whole.subsec_nanos()));
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (nanos / 1_000_000, "ms"),
        (nanos / 1000 % 1000, "us"),
        (nanos % 1000, "ns"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let text: String = parts.collect();
    match (text.is_empty(), duration.is_negative()) {
        (true, _) => "0s".to_string(),
        (false, true) => format!("-{text}"),
        (false, false) => text,
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub u64);

/// With one digit after the point where there is something: `512 B`, `1.5 KiB`, `64 MiB`.
impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        // What rounds to 1024 of a unit is 1 of the next.
        let fits = |power: usize| (self.0 as f64 / 1024_f64.powi(power as i32) * 10.0).round() / 10.0 < 1024.0;
        let power = (1..UNITS.len()).find(|power| fits(*power)).unwrap_or(UNITS.len());
        let number = format!("{:.1}", self.0 as f64 / 1024_f64.powi(power as i32));
        write!(f, "{} {}", number.strip_suffix(".0").unwrap_or(&number), UNITS[power - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1 MiB"),
            (64 << 20, "64 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn durations_are_exact() {
        for (nanos, text) in [
            (0, "0s"),
            (5_400_000_000_000, "1h30m"),
            (-250_000_000, "-250ms"),
            (1_001_001_001, "1s1ms1us1ns"),
            (90_061_000_000_000, "25h1m1s"),
        ] {
            assert_eq!(exact(SignedDuration::from_nanos(nanos)), text);
        }
    }
}
