//! Where two texts differ, line by line, in short.

use std::fmt::Write;
use std::ops::Range;

use crate::process::escape_controls;

/// After so many lines no more are shown.
const MOST: usize = 20;
/// How far ahead a line is looked for that is in both again.
const WINDOW: usize = 32;
/// Longer lines are cut.
const WIDTH: usize = 160;

/// The first lines that differ: `-` is in the first text only, `+` in the second, each with its number there.
pub(super) fn shown(old: &str, new: &str) -> String {
    let lacks_end = !old.ends_with('\n') && !old.is_empty();
    let mut diff = Diff { old: lines(old), new: lines(new), text: String::new(), count: 0, is_cut: false };
    // From where on nothing has been shown yet: the lines before `i` and `j` differ.
    let (mut from, mut to) = (0, 0);
    let (mut i, mut j) = (0, 0);
    while (i < diff.old.len() || j < diff.new.len()) && !diff.is_cut {
        match (diff.old.get(i), diff.new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                diff.push(from..i, to..j);
                (i, j) = (i + 1, j + 1);
                (from, to) = (i, j);
            }
            (Some(left), Some(right)) if is_same(left, right) => {
                diff.push(from..i, to..j);
                diff.push(i..i + 1, j..j + 1);
                (i, j) = (i + 1, j + 1);
                (from, to) = (i, j);
            }
            _ => {
                let (removed, added) = until_same(&diff.old[i..], &diff.new[j..]);
                (i, j) = (i + removed, j + added);
            }
        }
    }
    diff.push(from..i, to..j);
    match diff.is_cut {
        true => diff.text.push_str("       …\n"),
        false if lacks_end => diff.text.push_str("       (no line feed at the end)\n"),
        false => {}
    }
    diff.text
}

struct Diff<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    text: String,
    /// How many lines have been shown.
    count: usize,
    /// Whether there was more to show.
    is_cut: bool,
}

impl Diff<'_> {
    fn push(&mut self, removed: Range<usize>, added: Range<usize>) {
        let removed = removed.map(|index| (index, '-', self.old[index]));
        let added = added.map(|index| (index, '+', self.new[index]));
        for (index, sign, line) in removed.chain(added) {
            if self.count == MOST {
                self.is_cut = true;
                return;
            }
            let cut: String = line.chars().take(WIDTH).collect();
            let more = if cut.len() < line.len() { "…" } else { "" };
            let _ = writeln!(self.text, "{:>6} {sign} {}{more}", index + 1, escape_controls(&cut));
            self.count += 1;
        }
    }
}

/// Not `str::lines`, which would hide a carriage return.
fn lines(text: &str) -> Vec<&str> {
    match text.strip_suffix('\n').unwrap_or(text) {
        "" if text.is_empty() => Vec::new(),
        text => text.split('\n').collect(),
    }
}

/// How many lines to leave out in both so that what follows begins with the same line, white space aside;
/// one of each when there is none near.
fn until_same(old: &[&str], new: &[&str]) -> (usize, usize) {
    for distance in 1..=2 * WINDOW {
        for removed in 0..=distance.min(old.len()) {
            let added = distance - removed;
            if let (Some(left), Some(right)) = (old.get(removed), new.get(added))
                && is_same(left, right)
            {
                return (removed, added);
            }
        }
    }
    (old.len().min(1), new.len().min(1))
}

/// Whether two lines say the same, and something.
fn is_same(left: &str, right: &str) -> bool {
    let says = |line: &str| line.chars().filter(|char| !char.is_whitespace()).collect::<String>();
    let (left, right) = (says(left), says(right));
    left == right && !left.is_empty()
}
