//! What a script prints: buffered, checked, and never lost.
//!
//! `println!` panics when its reader has left, and std hides the error of a closed standard output.
//! Here every write is checked, and the first failure is kept until somebody asks.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use crate::process::{Context, os};
use crate::terminal::{Live, Screen, Stream};

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
    queue: Mutex<Queue>,
    /// Whether each line is written at once: somebody is looking.
    per_line: AtomicBool,
    secrets: Arc<Secrets>,
    /// The changing lines of the screen that it leads to.
    above: Option<(Arc<Live>, Stream)>,
    /// Where text goes while a person types at the terminal.
    prompt: OnceLock<AbovePrompt>,
}

/// Puts a text above the line that is being typed; `false` when none is.
pub(crate) type AbovePrompt = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What is kept back.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Whether somebody is handing it to the receiver just now, and takes along what comes meanwhile.
    is_carried: bool,
}

/// The changing lines at the bottom of the terminal that standard error leads to. A dumb terminal cannot take back
/// what it shows, and nobody watches that of a CI system.
pub(crate) fn live_lines(context: &Context, secrets: &Arc<Secrets>) -> Arc<Live> {
    let can_move = context.env("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    if !can_move || is_unattended(context) || !os::is_terminal(2) {
        return Live::off();
    }
    let secrets = secrets.clone();
    Live::on(Screen {
        // Where nobody sees them, they need not be.
        write: Box::new(|bytes| _ = os::write_standard_stream(2, bytes)),
        size: Box::new(|| os::terminal_size(&2).unwrap_or((80, 24))),
        mask: Box::new(move |text| secrets.mask(text).into_owned()),
    })
}

/// Whether this is a machine at work (`CI=true`), where also a terminal has nobody sitting at it.
pub(crate) fn is_unattended(context: &Context) -> bool {
    context.env("CI").is_some_and(|value| !matches!(value.to_str(), Some("" | "0" | "false")))
}

enum Target {
    Descriptor(i32),
    Receiver(Receiver),
}

impl Console {
    /// The standard output of this process.
    pub fn stdout(secrets: &Arc<Secrets>, live: &Arc<Live>) -> Self {
        let is_terminal = os::is_terminal(1);
        let above = (is_terminal && live.is_on()).then(|| (live.clone(), Stream::Stdout));
        Self { above, ..Self::new(Target::Descriptor(1), is_terminal, secrets) }
    }

    /// The standard error of this process: never kept back.
    pub fn stderr(secrets: &Arc<Secrets>, live: &Arc<Live>) -> Self {
        let above = live.is_on().then(|| (live.clone(), Stream::Stderr));
        Self { above, ..Self::new(Target::Descriptor(2), true, secrets) }
    }

    pub fn to_receiver(receiver: Receiver, secrets: &Arc<Secrets>) -> Self {
        Self::new(Target::Receiver(receiver), true, secrets)
    }

    fn new(target: Target, per_line: bool, secrets: &Arc<Secrets>) -> Self {
        Self {
            target,
            queue: Mutex::default(),
            per_line: AtomicBool::new(per_line),
            secrets: secrets.clone(),
            above: None,
            prompt: OnceLock::new(),
        }
    }

    /// Whether it leads to a terminal of ours.
    pub fn is_terminal(&self) -> bool {
        matches!(self.target, Target::Descriptor(fd) if os::is_terminal(fd))
    }

    /// How many columns there are where it is read, if that is a terminal.
    pub fn columns(&self) -> Option<usize> {
        match self.target {
            Target::Descriptor(fd) => os::terminal_size(&fd).map(|(columns, _)| columns),
            Target::Receiver(_) => None,
        }
    }

    /// Whether what is written goes around changing lines that are on the screen.
    pub fn is_above_lines(&self) -> bool {
        self.above.as_ref().is_some_and(|(live, _)| live.is_shown())
    }

    /// Writes the text, with secrets masked, and a line feed.
    pub fn print_line(&self, text: &str) -> io::Result<()> {
        let text = self.secrets.mask(text);
        // The unseen half of the mark is for scripts.
        let text = if text.contains(NOT_TEXT) { text.replace(NOT_TEXT, "\u{fffd}").into() } else { text };
        let mut queue = lock(&self.queue);
        queue.bytes.extend_from_slice(text.as_bytes());
        queue.bytes.push(b'\n');
        match self.per_line.load(Ordering::Relaxed) || queue.bytes.len() >= ENOUGH {
            true => self.write_out(queue),
            false => Ok(()),
        }
    }

    /// Writes bytes as they are, after what is kept back: what commands say.
    pub fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut queue = lock(&self.queue);
        queue.bytes.extend_from_slice(bytes);
        self.write_out(queue)
    }

    /// From now on nothing is kept back: a command that runs beside the script may write to the same place.
    pub fn is_shared(&self) {
        self.per_line.store(true, Ordering::Relaxed);
    }

    /// Writes out what is kept back.
    pub fn flush(&self) -> io::Result<()> {
        self.write_out(lock(&self.queue))
    }

    /// Says where text goes while a person types. Once set, it stays.
    #[cfg(feature = "cli")]
    pub fn set_prompt(&self, above: AbovePrompt) {
        let _ = self.prompt.set(above);
    }

    /// What could not be written is dropped with the error: trying again would only repeat it.
    fn write_out<'c>(&'c self, mut queue: MutexGuard<'c, Queue>) -> io::Result<()> {
        if queue.bytes.is_empty() {
            return Ok(());
        }
        match &self.target {
            Target::Receiver(receiver) => {
                self.deliver(receiver, queue);
                Ok(())
            }
            Target::Descriptor(fd) => {
                let result = self.write_all(*fd, &queue.bytes);
                queue.bytes.clear();
                result
            }
        }
    }

    /// Hands everything to the receiver, which is the host's: it may print, or wait for a thread that does. So it is
    /// called without the lock, and one thread does it for all, in their order.
    fn deliver<'c>(&'c self, receiver: &Receiver, mut queue: MutexGuard<'c, Queue>) {
        if queue.is_carried {
            return;
        }
        queue.is_carried = true;
        while !queue.bytes.is_empty() {
            let bytes = std::mem::take(&mut queue.bytes);
            drop(queue);
            let carrying = Carrying(self);
            receiver(&bytes);
            drop(carrying);
            queue = lock(&self.queue);
        }
        queue.is_carried = false;
    }

    fn write_all(&self, fd: i32, bytes: &[u8]) -> io::Result<()> {
        if let Some(above) = self.prompt.get()
            && above(&String::from_utf8_lossy(bytes))
        {
            return Ok(());
        }
        match &self.above {
            None => os::write_standard_stream(fd, bytes),
            Some((live, stream)) => live.above(*stream, bytes, |bytes| os::write_standard_stream(fd, bytes)),
        }
    }
}

/// A receiver that panics leaves the console as it should be.
struct Carrying<'c>(&'c Console);

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.queue).is_carried = false;
        }
    }
}
