//! Expected text: how it is matched, shown and renewed.
//!
//! A line that is exactly `...` stands for any number of lines, `[..]` within a line for anything.

use super::text::without_times;

const ANY_LINES: &str = "...";
const ANY_TEXT: &str = "[..]";

/// Text of a stream as lines, and whether the last one was ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<String>,
    /// Output that stops in the middle of a line is worth knowing about.
    pub cut: bool,
}

impl Lines {
    pub fn of(text: &str) -> Self {
        let empty = text.is_empty();
        let cut = !empty && !text.ends_with('\n');
        let text = text.strip_suffix('\n').unwrap_or(text);
        let lines = if empty { Vec::new() } else { split(text) };
        Self { lines, cut }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether this, as a pattern, fits the real lines.
    pub fn matches(&self, real: &Self) -> bool {
        self.cut == real.cut && lines_match(&self.lines, &real.lines)
    }

    /// The pattern to write down for these real lines. What still fits from the old one stays, so
    /// that renewing does not undo what was made loose, or exact, by hand.
    pub fn renewed(&self, old: &Self) -> Self {
        if old.matches(self) {
            return old.clone();
        }
        let renew = |line: &String| {
            let kept = old.lines.iter().find(|pattern| *pattern != ANY_LINES && line_matches(pattern, line));
            kept.cloned().unwrap_or_else(|| without_times(line))
        };
        Self { lines: self.lines.iter().map(renew).collect(), cut: self.cut }
    }
}

fn split(text: &str) -> Vec<String> {
    // Not `lines()`, which would hide a carriage return.
    text.split('\n').map(str::to_string).collect()
}

fn lines_match(pattern: &[String], real: &[String]) -> bool {
    match pattern.split_first() {
        None => real.is_empty(),
        Some((first, rest)) if first == ANY_LINES => {
            (0..=real.len()).any(|skipped| lines_match(rest, &real[skipped..]))
        }
        Some((first, rest)) => {
            real.split_first().is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others))
        }
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once(ANY_TEXT) else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(start) else {
        return false;
    };
    let mut parts = rest.split(ANY_TEXT).collect::<Vec<_>>();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match line.find(part) {
            Some(at) => line = &line[at + part.len()..],
            None => return false,
        }
    }
    line.ends_with(end)
}

/// Both texts in one, line by line: `-` was expected, `+` came, blank is the same.
pub fn diff(expected: &Lines, real: &Lines) -> String {
    let (old, new) = (&expected.lines, &real.lines);
    // Outputs of tests are short; past this the table would cost more than it tells.
    if old.len() * new.len() > 4_000_000 {
        return format!("{} lines were expected, {} came", old.len(), new.len());
    }
    let same = |i: usize, j: usize| line_matches(&old[i], &new[j]);
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match same(i, j) {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut shown = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && same(i, j) {
            shown.push(format!("    {}", new[j]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            shown.push(format!("  - {}", old[i]));
            i += 1;
        } else {
            shown.push(format!("  + {}", new[j]));
            j += 1;
        }
    }
    match (expected.cut, real.cut) {
        (true, false) => shown.push("  - (no newline at the end)".to_string()),
        (false, true) => shown.push("  + (no newline at the end)".to_string()),
        _ => (),
    }
    shown.join("\n")
}
