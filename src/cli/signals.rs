//! Signals to the runner.
//!
//! INT, TERM, HUP and QUIT are blocked in every thread and taken by one that does nothing else, so
//! that no code runs in a signal handler. The first cancels the runtime: commands get the signal and
//! their grace period. The second ends them at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::process::{CancelToken, os};

const HANDLED: [i32; 4] = [os::SIGINT, os::SIGTERM, os::SIGHUP, os::SIGQUIT];

/// The runner's signals.
pub(super) struct Signals {
    token: CancelToken,
    received: Arc<AtomicI32>,
}

impl Signals {
    /// Takes over the signals that were not ignored when we were started (as `nohup` and a shell's
    /// `&` do). Must be called before any other thread is started.
    pub fn take_over() -> io::Result<Self> {
        let token = CancelToken::new()?;
        let received = Arc::new(AtomicI32::new(0));
        let signals = os::not_ignored(&HANDLED);
        if !signals.is_empty() {
            os::block_signals(&signals);
            let (token, received) = (token.clone(), received.clone());
            std::thread::Builder::new()
                .name("procscript-signals".into())
                .spawn(move || wait_for_signals(&signals, &token, &received))?;
        }
        Ok(Self { token, received })
    }

    pub fn token(&self) -> &CancelToken {
        &self.token
    }

    /// The signal that told us to stop.
    pub fn received(&self) -> Option<i32> {
        Some(self.received.load(Ordering::Acquire)).filter(|signal| *signal != 0)
    }
}

fn wait_for_signals(signals: &[i32], token: &CancelToken, received: &AtomicI32) {
    while let Some((signal, from_terminal)) = os::next_signal(signals) {
        received.store(signal, Ordering::Release);
        match token.is_cancelled() {
            false => token.cancel_with(signal, from_terminal),
            true => token.kill(),
        }
    }
}
