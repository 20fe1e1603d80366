//! What a script prints: buffered, checked, and never lost.
//!
//! `println!` panics when its reader has left, and std hides the error of a closed standard output.
//! Here every write is checked, and the first failure is kept until somebody asks.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::process::os;

use super::convert::NOT_TEXT;
use super::secret::Secrets;
use super::world::lock;

/// More than this is written out at once.
const ENOUGH: usize = 16 * 1024;

/// Receives what would go to a standard stream.
pub type Receiver = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// One output stream of a runtime.
pub(crate) struct Console {
    target: Target,
    buffer: Mutex<Vec<u8>>,
    /// Whether each line is written at once: somebody is looking.
    per_line: AtomicBool,
    secrets: Arc<Secrets>,
}

enum Target {
    Descriptor(i32),
    Receiver(Receiver),
}

impl Console {
    /// The standard output of this process.
    pub fn stdout(secrets: &Arc<Secrets>) -> Self {
        Self::new(Target::Descriptor(1), os::is_terminal(1), secrets)
    }

    /// The standard error of this process: never kept back.
    pub fn stderr(secrets: &Arc<Secrets>) -> Self {
        Self::new(Target::Descriptor(2), true, secrets)
    }

    pub fn to_receiver(receiver: Receiver, secrets: &Arc<Secrets>) -> Self {
        Self::new(Target::Receiver(receiver), true, secrets)
    }

    fn new(target: Target, per_line: bool, secrets: &Arc<Secrets>) -> Self {
        Self { target, buffer: Mutex::default(), per_line: AtomicBool::new(per_line), secrets: secrets.clone() }
    }

    /// Writes the text, with secrets masked, and a line feed.
    pub fn print_line(&self, text: &str) -> io::Result<()> {
        let text = self.secrets.mask(text);
        // The unseen half of the mark is for scripts.
        let text = if text.contains(NOT_TEXT) { text.replace(NOT_TEXT, "\u{fffd}").into() } else { text };
        let mut buffer = lock(&self.buffer);
        buffer.extend_from_slice(text.as_bytes());
        buffer.push(b'\n');
        match self.per_line.load(Ordering::Relaxed) || buffer.len() >= ENOUGH {
            true => self.write_out(&mut buffer),
            false => Ok(()),
        }
    }

    /// From now on nothing is kept back: a command that runs beside the script may write to the same place.
    pub fn is_shared(&self) {
        self.per_line.store(true, Ordering::Relaxed);
    }

    /// Writes out what is kept back.
    pub fn flush(&self) -> io::Result<()> {
        self.write_out(&mut lock(&self.buffer))
    }

    /// What could not be written is dropped with the error: trying again would only repeat it.
    fn write_out(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        let result = match &self.target {
            Target::Descriptor(fd) => os::write_standard_stream(*fd, buffer),
            Target::Receiver(receiver) => {
                receiver(buffer);
                Ok(())
            }
        };
        buffer.clear();
        result
    }
}
