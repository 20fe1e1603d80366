//! What is printed while an entry is being typed: above its line, which is drawn again below.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::process::os;

/// Prints above the line that is being typed, and as usual while none is. Clones print to the same place, from any
/// thread; what one thread prints comes in its order.
#[derive(Clone)]
pub(crate) struct Printer(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether the editor has the terminal.
    is_reading: bool,
    /// What the editor has not got yet.
    waiting: String,
    is_over: bool,
}

impl Printer {
    /// A printer whose texts are given to `editor` while it reads.
    ///
    /// They go through a thread of their own: the editor's queue holds one text, and who waited for room in it could
    /// wait for somebody who waits for them.
    pub fn new(mut editor: impl FnMut(String) -> bool + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let feeder = shared.clone();
        std::thread::Builder::new().name("printer".into()).spawn(move || {
            while let Some(text) = feeder.next() {
                if !editor(text) {
                    return;
                }
            }
        })?;
        Ok(Self(shared))
    }

    /// Prints a text, which gets a line feed at its end where it has none.
    ///
    /// # Errors
    /// The terminal cannot be written.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        let feed = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        if !state.is_reading {
            return os::write_standard_stream(1, format!("{text}{feed}").as_bytes());
        }
        state.waiting += text;
        state.waiting += feed;
        self.0.changed.notify_all();
        Ok(())
    }

    /// Says that the editor has the terminal from now on.
    pub(super) fn begin_reading(&self) {
        self.0.lock().is_reading = true;
    }

    /// Says that it has it no more, and prints what came too late for it.
    pub(super) fn end_reading(&self) {
        let mut state = self.0.lock();
        state.is_reading = false;
        let late = std::mem::take(&mut state.waiting);
        // Whoever cannot write to the terminal will notice at the next thing to show.
        let _ = os::write_standard_stream(1, late.as_bytes());
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits for the editor, once there is something; `None` at the end.
    fn next(&self) -> Option<String> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if state.is_reading && !state.waiting.is_empty() {
                return Some(std::mem::take(&mut state.waiting));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{channel, sync_channel};

    use super::Printer;

    #[test]
    fn nobody_waits_for_an_editor_that_takes_nothing() {
        // As rustyline has it: room for one text, which nobody takes while nothing is read.
        let (room, _kept) = sync_channel(1);
        let printer = Printer::new(move |text| room.send(text).is_ok()).expect("a thread");
        printer.begin_reading();
        let (done, is_done) = channel();
        let clone = printer.clone();
        std::thread::spawn(move || {
            for number in 0..1000 {
                clone.print(&format!("line {number}")).expect("it is only noted");
            }
            done.send(()).expect("somebody waits");
        });
        is_done.recv_timeout(std::time::Duration::from_secs(10)).expect("printing waits for nobody");
        printer.close();
    }

    #[test]
    fn texts_come_in_their_order_and_as_lines() {
        let (given, texts) = channel();
        let printer = Printer::new(move |text| given.send(text).is_ok()).expect("a thread");
        printer.begin_reading();
        for text in ["one\n", "two", "", "three"] {
            printer.print(text).expect("it is only noted");
        }
        let mut all = String::new();
        while all != "one\ntwo\nthree\n" {
            all += &texts.recv_timeout(std::time::Duration::from_secs(10)).expect("it comes");
        }
        printer.close();
    }
}
