//! Signals to the runner.
//!
//! The handlers of INT, TERM, HUP, QUIT and XCPU write to a pipe, and a thread that does nothing else reads
//! it. The first signal cancels the runtime: commands get the signal and their grace period, and clean-up
//! runs. The second ends commands at once, and asks clean-up to stop; the third ends it, too.
//!
//! The same thread sees to orphans that have ended, which come to the runner as to an init.
//!
//! In a session, Ctrl-C (and Ctrl-\\) is about the entry that runs, in the same steps, and every other signal about the
//! session.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::process::{CancelToken, orphans, os};
use crate::repl;
use crate::script::Interrupter;

const HANDLED: [i32; 5] = [os::SIGINT, os::SIGTERM, os::SIGHUP, os::SIGQUIT, os::SIGXCPU];

/// The runner's signals.
#[derive(Clone)]
pub(super) struct Signals {
    token: CancelToken,
    cleanup: CancelToken,
    received: Arc<AtomicI32>,
    count: Arc<AtomicU32>,
    idle: Arc<AtomicBool>,
    /// What Ctrl-C ends in a session.
    entry: Arc<OnceLock<Interrupter>>,
    /// What is left to do when a session that runs nothing is ended.
    at_death: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
    /// What is done when a session that was stopped goes on.
    at_continuing: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl Signals {
    /// Takes over the signals that were not ignored when we were started (as `nohup` and a shell's
    /// `&` do). Nothing comes of them before the [`Watch`] is kept.
    pub fn take_over() -> io::Result<(Self, Watch)> {
        os::survive_file_size_limit();
        let signals = Self {
            token: CancelToken::new()?,
            cleanup: CancelToken::new()?,
            received: Arc::default(),
            count: Arc::default(),
            idle: Arc::default(),
            entry: Arc::default(),
            at_death: Arc::default(),
            at_continuing: Arc::default(),
        };
        let handled = os::not_ignored(&HANDLED);
        let pipe = match handled.is_empty() {
            true => None,
            false => Some(os::signals_into_pipe(&handled)?),
        };
        let watch = Watch { pipe, signals: signals.clone(), terminal: os::TerminalState::of_stdin() };
        Ok((signals, watch))
    }

    /// Does what the signal is for.
    fn act(&self, arrival: os::Arrival, terminal: Option<&os::TerminalState>) {
        let os::Arrival { signal, from_terminal, came } = arrival;
        if signal == os::SIGCONT {
            if let Some(go_on) = self.at_continuing.get() {
                go_on();
            }
            return;
        }
        let is_key = signal == os::SIGINT || (signal == os::SIGQUIT && from_terminal);
        if let Some(entry) = self.entry.get().filter(|_| is_key) {
            // At the prompt it is the editor's.
            if !self.idle.load(Ordering::Acquire) {
                interrupt(entry, arrival);
            }
            return;
        }
        let is_limit = signal == os::SIGXCPU;
        // It comes again with each second of clean-up, until the hard limit is the end.
        if is_limit && self.received().is_some() {
            return;
        }
        // Either this sees that nothing runs, or who says so sees the signal.
        self.received.store(signal, Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::AcqRel);
        if self.idle.load(Ordering::SeqCst) {
            // The line editor waits for a key and would not notice.
            if let Some(terminal) = terminal {
                terminal.restore();
            }
            if let Some(last) = self.at_death.get() {
                last();
            }
            os::die_of_signal(signal);
        }
        match (self.token.is_cancelled(), self.cleanup.is_cancelled()) {
            // Commands have a limit of their own.
            (false, _) if is_limit => self.token.cancel_since(os::SIGTERM, false, came),
            (false, _) => self.token.cancel_since(signal, from_terminal, came),
            (true, false) => {
                self.token.kill();
                self.cleanup.cancel_since(signal, from_terminal, came);
            }
            (true, true) => self.cleanup.kill(),
        }
    }

    pub fn token(&self) -> &CancelToken {
        &self.token
    }

    /// What ends the clean-up of scripts.
    pub fn cleanup(&self) -> &CancelToken {
        &self.cleanup
    }

    /// How many have come.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// The signal that told us to stop.
    pub fn received(&self) -> Option<i32> {
        Some(self.received.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

impl repl::Signals for Signals {
    fn set_idle(&self, is_idle: bool) {
        self.idle.store(is_idle, Ordering::SeqCst);
    }

    fn is_told_to_stop(&self) -> bool {
        self.received().is_some()
    }

    fn interrupt_with(&self, interrupter: Interrupter) {
        // Set once: a program has one session.
        let _ = self.entry.set(interrupter);
    }

    fn before_death(&self, last: Box<dyn Fn() + Send + Sync>) {
        // Likewise.
        let _ = self.at_death.set(last);
    }

    fn when_continued(&self, go_on: Box<dyn Fn() + Send + Sync>) {
        let _ = self.at_continuing.set(go_on);
        // Without the handler a session works that nobody stops.
        let _ = os::notice_continuing();
    }
}

fn interrupt(entry: &Interrupter, os::Arrival { signal, from_terminal, came }: os::Arrival) {
    let is_first = !entry.is_interrupted();
    entry.interrupt_since(signal, from_terminal, came);
    // Clean-up goes on, which looks as if the key were not heard.
    if is_first && entry.is_cleaning_up() {
        let _ = os::write_standard_stream(2, b"cleaning up; Ctrl-C again ends that\n");
    }
}

/// How often it is looked whether orphans have ended, besides at each start.
const ROUND: Duration = Duration::from_secs(1);

/// What a thread that does nothing else has to do: to wait for signals, and to reap orphans.
pub(super) struct Watch {
    /// `None` when no signal is ours.
    pipe: Option<os::SignalPipe>,
    signals: Signals,
    terminal: Option<os::TerminalState>,
}

impl Watch {
    /// On a thread of its own.
    pub fn start(self) -> io::Result<()> {
        std::thread::Builder::new().name("procscript-signals".into()).spawn(move || self.keep())?;
        Ok(())
    }

    /// On this thread, as long as the process lives.
    pub fn keep(mut self) -> ! {
        loop {
            let arrival = match &mut self.pipe {
                Some(pipe) => pipe.next_within(ROUND),
                None => {
                    std::thread::sleep(ROUND);
                    None
                }
            };
            match arrival {
                Some(arrival) => self.signals.act(arrival, self.terminal.as_ref()),
                None => orphans::sweep(),
            }
        }
    }
}
