//! What rustyline asks while an entry is typed: colours, hints, completions.

mod complete;
mod hints;
mod paint;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustyline::validate::Validator;

use super::keys::InterruptState;
use super::past::Prefix;
use super::typing::Typing;
use super::{MetaCommand, Settings};
use crate::script::{Class, Classifier, Session};

/// A question to the session, which is borrowed by a thread of its own while the editor reads: rustyline owns what it
/// asks for longer than the session is lent.
type Question = Box<dyn FnOnce(&Session) + Send>;

/// Answers questions about a session until nobody can ask any more.
pub(super) fn answer(session: &Session, questions: &Receiver<Question>) {
    for question in questions {
        // A fault in what only helps with typing must not cost the session: the question stays without an answer.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| question(session)));
    }
}

/// Ranges of a text in their order.
type Parts = Vec<(Range<usize>, Class)>;

#[derive(Default)]
pub(super) struct Helper {
    pub settings: Settings,
    pub commands: Vec<MetaCommand>,
    pub prefix: Prefix,
    pub interrupts: Arc<InterruptState>,
    /// What colours are found out with; set for each read, since the environment may have changed.
    pub classifier: Option<Classifier>,
    asks: Option<Sender<Question>>,
    /// The parts of the text that was shown last.
    parts: RefCell<Option<(String, Parts)>>,
    /// The bracket at the cursor and its partner.
    brackets: Cell<Option<(usize, usize)>>,
}

impl Helper {
    pub fn new(prefix: Prefix, interrupts: Arc<InterruptState>) -> Self {
        Self { prefix, interrupts, ..Self::default() }
    }

    /// Where the questions of the next read will come from.
    pub fn begin(&mut self) -> Receiver<Question> {
        let (sender, receiver) = channel();
        self.asks = Some(sender);
        *self.parts.borrow_mut() = None;
        self.brackets.set(None);
        receiver
    }

    /// Nobody asks any more.
    pub fn end(&mut self) {
        self.asks = None;
    }

    fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Session) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = channel();
        let question: Question = Box::new(move |session| {
            let _ = sender.send(question(session));
        });
        self.asks.as_ref()?.send(question).ok()?;
        receiver.recv().ok()
    }
}

impl rustyline::Helper for Helper {}
impl Validator for Helper {}

/// The prompt, which is drawn when a list is over.
pub(super) struct Prompt<'a> {
    pub text: &'a str,
    pub interrupts: Arc<InterruptState>,
    pub typing: Typing,
}

impl rustyline::Prompt for Prompt<'_> {
    fn raw(&self) -> &str {
        self.interrupts.is_listing.store(false, Ordering::Relaxed);
        // The editor has set the terminal for itself.
        self.typing.begin();
        self.text
    }
}
