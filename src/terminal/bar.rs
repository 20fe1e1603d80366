//! How far something is, as a line: for a screen that can change, and for one that cannot.

use std::time::{Duration, Instant};

use crate::process::duration_text;

use super::live::Frame;
use super::width::width;

/// Without a screen: more is said at each quarter, and otherwise after this time.
const PAUSE: Duration = Duration::from_secs(10);
/// The widest bar.
const BAR: usize = 30;
/// A narrower bar says nothing.
const NARROWEST_BAR: usize = 8;

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unit {
    #[default]
    Items,
    Bytes,
}

/// How far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    pub label: String,
    pub done: u64,
    /// Of how many, if that is known.
    pub total: Option<u64>,
    pub unit: Unit,
    started: Instant,
    /// Without a screen, what was said last, and when.
    said: Option<(String, Instant)>,
}

/// The signs that a screen can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    Ascii,
    Unicode,
}

impl Signs {
    fn turning(self, number: usize) -> &'static str {
        const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
        const UNICODE: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        match self {
            Self::Ascii => ASCII[number % ASCII.len()],
            Self::Unicode => UNICODE[number % UNICODE.len()],
        }
    }

    fn bar(self, share: f64, columns: usize) -> String {
        let filled = (share * columns as f64) as usize;
        let (full, empty) = match self {
            Self::Ascii => ("#", "-"),
            Self::Unicode => ("█", "░"),
        };
        format!("{}{}", full.repeat(filled), empty.repeat(columns - filled))
    }
}

impl Progress {
    pub fn new(label: String, total: Option<u64>, unit: Unit) -> Self {
        Self { label, done: 0, total, unit, started: Instant::now(), said: None }
    }

    fn share(&self) -> Option<f64> {
        self.total.map(|total| if total == 0 { 1.0 } else { (self.done as f64 / total as f64).min(1.0) })
    }

    fn number(&self, number: u64) -> String {
        match self.unit {
            Unit::Items => number.to_string(),
            Unit::Bytes => bytes_text(number),
        }
    }

    fn count(&self) -> String {
        match self.total {
            Some(total) => format!("{}/{}", self.number(self.done), self.number(total)),
            None => self.number(self.done),
        }
    }

    /// The line of a screen that is drawn again and again.
    pub fn draw(&self, frame: &Frame, signs: Signs) -> String {
        self.draw_after(frame, signs, self.started.elapsed())
    }

    fn draw_after(&self, frame: &Frame, signs: Signs, elapsed: Duration) -> String {
        let Some(share) = self.share() else {
            let count = if self.done > 0 { format!(" {}", self.count()) } else { String::new() };
            return format!("{} {}{count} {}", signs.turning(frame.number), self.label, clock(elapsed));
        };
        let mut end = format!("{:3.0}% {}", (share * 100.0).floor(), self.count());
        // Too early a guess is a wrong one.
        if (0.02..1.0).contains(&share) && elapsed >= Duration::from_secs(2) {
            let left = elapsed.div_f64(share).saturating_sub(elapsed);
            end.push_str(&format!(", {} left", clock(left)));
        }
        let label = if self.label.is_empty() { String::new() } else { format!("{} ", self.label) };
        let room = frame.columns.saturating_sub(width(&label) + width(&end) + 1);
        match room.min(BAR) {
            ..NARROWEST_BAR => format!("{label}{end}"),
            columns => format!("{label}{} {end}", signs.bar(share, columns)),
        }
    }

    /// Where lines stay: what there is to say now, if it is worth a line.
    pub fn next_line(&mut self) -> Option<String> {
        let line = self.line();
        let is_worth_it = match &self.said {
            None => true,
            Some((said, at)) => *said != line && (self.is_at_quarter(said) || at.elapsed() >= PAUSE),
        };
        is_worth_it.then(|| self.say(line))
    }

    /// The line that is the last one; none when it has been said already.
    pub fn last_line(&mut self) -> Option<String> {
        let line = self.line();
        let is_news = self.total.is_some() && self.said.as_ref().is_none_or(|(said, _)| *said != line);
        is_news.then(|| self.say(line))
    }

    fn say(&mut self, line: String) -> String {
        self.said = Some((line.clone(), Instant::now()));
        line
    }

    fn line(&self) -> String {
        match (self.share(), self.label.as_str()) {
            (None, label) if self.done == 0 => format!("{label} …"),
            (None, label) => format!("{label}: {}", self.count()),
            (Some(share), "") => format!("{} ({:.0}%)", self.count(), (share * 100.0).floor()),
            (Some(share), label) => format!("{label}: {} ({:.0}%)", self.count(), (share * 100.0).floor()),
        }
    }

    /// Whether another quarter is done since that line.
    fn is_at_quarter(&self, said: &str) -> bool {
        let percent = |line: &str| line.rsplit_once('(')?.1.strip_suffix("%)")?.parse::<u64>().ok();
        match (percent(said), percent(&self.line())) {
            (Some(before), Some(now)) => now / 25 > before / 25,
            // Only another label is news there.
            _ => said.strip_suffix(" …") != Some(&self.label),
        }
    }

    /// How it ended, for a line that stays.
    pub fn finished(&self, text: &str) -> String {
        format!("{text} ({})", duration_text(self.started.elapsed()))
    }
}

/// `0:07`, `12:30`, `1:00:00`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A number of bytes for people.
pub(crate) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64 / 1024.0;
    let Some(_) = bytes.checked_sub(1024) else { return format!("{bytes} B") };
    for unit in UNITS {
        if value < 1024.0 {
            return format!("{value:.1} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} EiB")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Progress, Signs, Unit, bytes_text, clock};
    use crate::terminal::live::Frame;

    fn drawn(progress: &Progress, columns: usize, seconds: u64) -> String {
        progress.draw_after(&Frame { columns, number: 1 }, Signs::Ascii, Duration::from_secs(seconds))
    }

    #[test]
    fn a_bar_has_the_room_that_is_left() {
        let mut progress = Progress::new("copy".to_string(), Some(50), Unit::Items);
        progress.done = 21;
        assert_eq!(drawn(&progress, 79, 0), "copy ############------------------  42% 21/50");
        assert_eq!(drawn(&progress, 79, 21), "copy ############------------------  42% 21/50, 0:29 left");
        assert_eq!(drawn(&progress, 25, 0), "copy ###------  42% 21/50");
        assert_eq!(drawn(&progress, 20, 0), "copy  42% 21/50");
        progress.done = 70;
        assert_eq!(drawn(&progress, 20, 9), "copy 100% 70/50");
        let nothing = Progress::new(String::new(), Some(0), Unit::Bytes);
        assert_eq!(drawn(&nothing, 25, 9), "############ 100% 0 B/0 B");
    }

    #[test]
    fn what_has_no_total_turns() {
        let mut progress = Progress::new("fetching".to_string(), None, Unit::Bytes);
        assert_eq!(drawn(&progress, 40, 65), "/ fetching 1:05");
        progress.done = 3 << 20;
        assert_eq!(drawn(&progress, 40, 65), "/ fetching 3.0 MiB 1:05");
    }

    #[test]
    fn where_lines_stay_only_news_are_told() {
        let mut progress = Progress::new("copy".to_string(), Some(8), Unit::Items);
        let mut said = Vec::from_iter(progress.next_line());
        for done in 1..=8 {
            progress.done = done;
            said.extend(progress.next_line());
        }
        said.extend(progress.last_line());
        assert_eq!(
            said,
            ["copy: 0/8 (0%)", "copy: 2/8 (25%)", "copy: 4/8 (50%)", "copy: 6/8 (75%)", "copy: 8/8 (100%)"]
        );

        let mut spinner = Progress::new("waiting".to_string(), None, Unit::Items);
        assert_eq!(spinner.next_line().as_deref(), Some("waiting …"));
        assert_eq!(spinner.next_line(), None);
        spinner.label = "starting".to_string();
        assert_eq!(spinner.next_line().as_deref(), Some("starting …"));
        assert_eq!(spinner.last_line(), None);
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([clock(Duration::from_secs(59)), clock(Duration::from_secs(3661))], ["0:59", "1:01:01"]);
        assert_eq!(
            [0, 1023, 1024, 1536, u64::MAX].map(bytes_text),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "16.0 EiB"]
        );
    }
}
