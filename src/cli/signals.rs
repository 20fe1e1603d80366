//! Signals to the runner.
//!
//! The handlers of INT, TERM, HUP and QUIT write to a pipe, and a thread that does nothing else reads
//! it. The first signal cancels the runtime: commands get the signal and their grace period, and clean-up
//! runs. The second ends commands at once, and asks clean-up to stop; the third ends it, too.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::process::{CancelToken, os};

const HANDLED: [i32; 4] = [os::SIGINT, os::SIGTERM, os::SIGHUP, os::SIGQUIT];

/// The runner's signals.
pub(super) struct Signals {
    token: CancelToken,
    cleanup: CancelToken,
    received: Arc<AtomicI32>,
    count: Arc<AtomicU32>,
    idle: Arc<AtomicBool>,
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
        let at_death: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>> = Arc::default();
        let signals = os::not_ignored(&HANDLED);
        if !signals.is_empty() {
            let pipe = os::signals_into_pipe(&signals)?;
            let (token, received, idle) = (token.clone(), received.clone(), idle.clone());
            let (count, cleanup) = (count.clone(), cleanup.clone());
            let last = at_death.clone();
            let terminal = os::TerminalState::of_stdin();
            std::thread::Builder::new().name("procscript-signals".into()).spawn(move || {
                pass_on(pipe, |signal, from_terminal| {
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
        Ok(Self { token, cleanup, received, count, idle, at_death })
    }

    pub fn token(&self) -> &CancelToken {
        &self.token
    }

    /// What ends the clean-up of scripts.
    pub fn cleanup(&self) -> &CancelToken {
        &self.cleanup
    }

    /// Whether a session waits for input and runs nothing: then a signal ends the process at once.
    pub fn idle(&self) -> &Arc<AtomicBool> {
        &self.idle
    }

    /// Says what is to be done when a session is ended while it waits for input.
    pub fn before_death(&self, last: impl Fn() + Send + Sync + 'static) {
        // Set once, by the runner.
        let _ = self.at_death.set(Box::new(last));
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

fn pass_on(mut pipe: impl Read, act: impl Fn(i32, bool)) {
    let mut message = [0; 2];
    while pipe.read_exact(&mut message).is_ok() {
        act(i32::from(message[0]), message[1] != 0);
    }
}
