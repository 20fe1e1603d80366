//! The changing lines of things that run at once: how many are ready, and for each that runs what it said last.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::process::duration_text;
use crate::script::world::lock;
use crate::terminal::{Live, LiveLine};

/// Of a line that has no end yet, so much is kept.
const LONGEST: usize = 1024;

pub(crate) struct Panel {
    live: Arc<Live>,
    head: LiveLine,
    total: usize,
    begun: Instant,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    done: usize,
    failed: usize,
}

impl Panel {
    pub fn new(live: &Arc<Live>, total: usize) -> Self {
        let head = live.add(format!("0/{total} done"));
        Self { live: live.clone(), head, total, begun: Instant::now(), counts: Mutex::default() }
    }

    /// A line for an item that begins.
    pub fn line(&self, label: &str) -> ItemLine {
        ItemLine { line: self.live.add(format!("  {label}")), label: label.to_string(), last: Vec::new() }
    }

    /// One more has ended.
    pub fn count(&self, has_failed: bool) {
        let mut counts = lock(&self.counts);
        counts.done += 1;
        counts.failed += usize::from(has_failed);
        let failed = match counts.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let elapsed = duration_text(self.begun.elapsed());
        self.head.set(format!("{}/{} done{failed} ({elapsed})", counts.done, self.total));
    }
}

/// The line of an item.
pub(crate) struct ItemLine {
    line: LiveLine,
    label: String,
    /// The last line of its output, as far as it has come.
    last: Vec<u8>,
}

impl ItemLine {
    /// Shows the last line that says something.
    pub fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    self.show();
                    self.last.clear();
                }
                _ if self.last.len() < LONGEST => self.last.push(*byte),
                _ => {}
            }
        }
        self.show();
    }

    fn show(&self) {
        let text = String::from_utf8_lossy(&self.last);
        let text = text.trim();
        if !text.is_empty() {
            self.line.set(format!("  {}: {text}", self.label));
        }
    }
}
