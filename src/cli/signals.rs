//! Signals to the runner.
//!
//! The handlers of INT, TERM, HUP and QUIT write to a pipe, and a thread that does nothing else reads
//! it. The first signal cancels the runtime: commands get the signal and their grace period, and clean-up
//! runs. The second ends commands at once, and asks clean-up to stop; the third ends it, too.
//!
//! In a session, Ctrl-C (and Ctrl-\\) is about the entry that runs, in the same steps, and every other signal about the
//! session.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::process::{CancelToken, os};
use crate::repl;
use crate::script::Interrupter;

const HANDLED: [i32; 4] = [os::SIGINT, os::SIGTERM, os::SIGHUP, os::SIGQUIT];

/// The runner's signals.
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
}

impl Signals {
    /// Takes over the signals that were not ignored when we were started (as `nohup` and a shell's
    /// `&` do).
    pub fn take_over() -> io::Result<Self> {
        os::survive_file_size_limit();
        let (token, cleanup) = (CancelToken::new()?, CancelToken::new()?);
        let received = Arc::new(AtomicI32::new(0));
        let count = Arc::new(AtomicU32::new(0));
        let idle = Arc::new(AtomicBool::new(false));
        let entry: Arc<OnceLock<Interrupter>> = Arc::default();
        let at_death: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>> = Arc::default();
        let signals = os::not_ignored(&HANDLED);
        if !signals.is_empty() {
            let pipe = os::signals_into_pipe(&signals)?;
            let (token, received, idle) = (token.clone(), received.clone(), idle.clone());
            let (count, cleanup) = (count.clone(), cleanup.clone());
            let (last, entry) = (at_death.clone(), entry.clone());
            let terminal = os::TerminalState::of_stdin();
            std::thread::Builder::new().name("procscript-signals".into()).spawn(move || {
                pass_on(pipe, |signal, from_terminal| {
                    let is_key = signal == os::SIGINT || (signal == os::SIGQUIT && from_terminal);
                    if let Some(entry) = entry.get().filter(|_| is_key) {
                        // At the prompt it is the editor's.
                        if !idle.load(Ordering::Acquire) {
                            interrupt(entry, signal, from_terminal);
                        }
                        return;
                    }
                    received.store(signal, Ordering::Release);
                    count.fetch_add(1, Ordering::AcqRel);
                    if idle.load(Ordering::Acquire) {
                        // The line editor waits for a key and would not notice.
                        if let Some(terminal) = &terminal {
                            terminal.restore();
                        }
                        if let Some(last) = last.get() {
                            last();
                        }
                        os::die_of_signal(signal);
                    }
                    match (token.is_cancelled(), cleanup.is_cancelled()) {
                        (false, _) => token.cancel_with(signal, from_terminal),
                        (true, false) => {
                            token.kill();
                            cleanup.cancel_with(signal, from_terminal);
                        }
                        (true, true) => cleanup.kill(),
                    }
                });
            })?;
        }
        Ok(Self { token, cleanup, received, count, idle, entry, at_death })
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
        Some(self.received.load(Ordering::Acquire)).filter(|signal| *signal != 0)
    }
}

impl repl::Signals for Signals {
    fn set_idle(&self, is_idle: bool) {
        self.idle.store(is_idle, Ordering::Release);
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
}

fn interrupt(entry: &Interrupter, signal: i32, from_terminal: bool) {
    let is_first = !entry.is_interrupted();
    entry.interrupt_with(signal, from_terminal);
    // Clean-up goes on, which looks as if the key were not heard.
    if is_first && entry.is_cleaning_up() {
        let _ = os::write_standard_stream(2, b"cleaning up; Ctrl-C again ends that\n");
    }
}

fn pass_on(mut pipe: impl Read, act: impl Fn(i32, bool)) {
    let mut message = [0; 2];
    while pipe.read_exact(&mut message).is_ok() {
        act(i32::from(message[0]), message[1] != 0);
    }
}
