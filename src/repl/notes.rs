//! News of commands in the background, told while somebody types.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::reader::Printer;
use crate::script::{Beside, Runtime, ending_line};

/// Between two looks, as long as something runs.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells when background commands end: at once while an entry is typed, else before the next.
pub(super) struct Notes {
    beside: Arc<Beside>,
    runtime: Runtime,
    printer: Option<Printer>,
    /// Whether an entry is being typed.
    pub is_typing: Arc<AtomicBool>,
    is_watching: Arc<AtomicBool>,
}

impl Notes {
    pub fn new(beside: &Arc<Beside>, runtime: &Runtime, printer: Option<Printer>) -> Self {
        let (is_typing, is_watching) = (Arc::default(), Arc::default());
        Self { beside: beside.clone(), runtime: runtime.clone(), printer, is_typing, is_watching }
    }

    /// What has ended since.
    pub fn take(&self) -> Vec<String> {
        lines(&self.beside, &self.runtime)
    }

    /// Looks on from beside while there is something to look at.
    pub fn watch(&self) {
        let Some(printer) = self.printer.clone().filter(|_| self.beside.has_jobs()) else { return };
        if self.is_watching.swap(true, Ordering::AcqRel) {
            return;
        }
        let (beside, runtime) = (self.beside.clone(), self.runtime.clone());
        let (is_typing, is_watching) = (self.is_typing.clone(), self.is_watching.clone());
        let watch = move || {
            while beside.has_jobs() {
                std::thread::sleep(PAUSE);
                if is_typing.load(Ordering::Acquire) {
                    for line in lines(&beside, &runtime) {
                        // Who cannot be told here is told nothing.
                        let _ = printer.print(&line);
                    }
                }
            }
            is_watching.store(false, Ordering::Release);
        };
        if std::thread::Builder::new().name("notes".into()).spawn(watch).is_err() {
            self.is_watching.store(false, Ordering::Release);
        }
    }
}

fn lines(beside: &Beside, runtime: &Runtime) -> Vec<String> {
    let finished = beside.take_finished().into_iter();
    let line = |(command, status, elapsed): (String, _, _)| {
        runtime.mask(&format!("[ended] {}", ending_line(&command, status, elapsed)))
    };
    finished.map(line).collect()
}
