//! What is shown of things that run at once, and when.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::process::{CancelToken, Error, ErrorKind, HostStream};
use crate::script::console::{Console, Receiver};
use crate::script::secret::Secrets;
use crate::script::world::{Halt, Why, lock};

use super::panel::{ItemLine, Panel};
use super::spool::{Channel, Spool};

/// What is longer is shown as more than one line.
const LONGEST_LINE: usize = 64 * 1024;

/// How the output of items that run at once is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The output of each in one piece, when it has ended.
    Group,
    /// Line by line, with the name of the item in front.
    Prefix,
    /// Only that of items that fail.
    Quiet,
    /// As quiet, with a line for each that runs; on a terminal only, as a group elsewhere.
    Panel,
}

impl Mode {
    /// The names that scripts have for them.
    pub const NAMES: [(&str, Self); 4] =
        [("group", Self::Group), ("prefix", Self::Prefix), ("quiet", Self::Quiet), ("panel", Self::Panel)];
}

/// Where the output of all items ends up.
pub(crate) struct Screen {
    pub mode: Mode,
    pub out: Arc<Console>,
    pub err: Arc<Console>,
    pub halt: Arc<Halt>,
    /// Held while the output of an item is written in one piece.
    pub turn: Mutex<()>,
    /// Where the lines of a panel are.
    pub panel: Option<Panel>,
    /// Where output that waits is kept.
    pub spool_dir: PathBuf,
    /// Why output could not be kept, when it could not.
    pub broken: Mutex<Option<Error>>,
    /// Ends what writes here, when it can go nowhere: a command would not notice.
    pub stop: CancelToken,
}

impl Screen {
    /// A failure to write stops the script: going on as if the output had been seen would be a lie.
    fn write(&self, channel: Channel, bytes: &[u8]) {
        let result = match channel {
            Channel::Out => self.out.write_bytes(bytes),
            // A script must not fail because nobody listens to its messages.
            Channel::Err => self.err.write_bytes(bytes).or(Ok(())),
        };
        self.check(result);
    }

    fn check(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.halt.request(Why::Output(error.raw_os_error()));
            self.stop.cancel();
        }
    }

    /// Output that waits for its turn and cannot be kept is lost: nothing may go on as if it were not.
    fn check_kept(&self, result: io::Result<()>) {
        if let Err(error) = result {
            let what = format!("cannot keep the output of what runs in parallel in `{}`", self.spool_dir.display());
            let error = Error::from_io(ErrorKind::IoFailed, what, &error);
            let help = "the variable TMPDIR says where it is kept; show: \"prefix\" keeps none";
            lock(&self.broken).get_or_insert(error.with_help(help));
            self.stop.cancel();
        }
    }

    fn is_broken(&self) -> bool {
        lock(&self.broken).is_some()
    }

    /// Whether nobody will see what is written now.
    fn is_lost(&self) -> bool {
        self.halt.is_output_lost() || self.stop.is_killed()
    }
}

/// The output of one item.
pub(crate) struct ItemOutput {
    screen: Arc<Screen>,
    state: Mutex<State>,
}

enum State {
    Waiting(Spool, Option<ItemLine>),
    Lines {
        prefix: String,
        out: Vec<u8>,
        err: Vec<u8>,
    },
    /// What still comes, from something that the item has left behind, is written at once.
    Over,
}

impl ItemOutput {
    /// The output of an item; `label` is what stands in front of its lines.
    pub fn new(screen: &Arc<Screen>, label: &str) -> Arc<Self> {
        let state = match screen.mode {
            Mode::Group | Mode::Quiet | Mode::Panel => {
                State::Waiting(Spool::default(), screen.panel.as_ref().map(|panel| panel.line(label)))
            }
            Mode::Prefix => State::Lines { prefix: format!("{label} | "), out: Vec::new(), err: Vec::new() },
        };
        Arc::new(Self { screen: screen.clone(), state: Mutex::new(state) })
    }

    /// What takes the output of commands.
    pub fn stream(self: &Arc<Self>, channel: Channel) -> HostStream {
        HostStream::Sink(self.receiver(channel))
    }

    /// What takes what the script prints.
    pub fn console(self: &Arc<Self>, channel: Channel, secrets: &Arc<Secrets>) -> Arc<Console> {
        Arc::new(Console::to_receiver(self.receiver(channel), secrets))
    }

    fn receiver(self: &Arc<Self>, channel: Channel) -> Receiver {
        let output = self.clone();
        Arc::new(move |bytes: &[u8]| output.take(channel, bytes))
    }

    pub fn take(&self, channel: Channel, bytes: &[u8]) {
        match &mut *lock(&self.state) {
            State::Over => {
                // Not in the middle of the output of another.
                let _turn = lock(&self.screen.turn);
                self.screen.write(channel, bytes);
            }
            // Everything is about to end, and the rest would be kept in memory.
            State::Waiting(..) if self.screen.is_broken() => {}
            State::Waiting(spool, line) => {
                self.screen.check_kept(spool.push(channel, bytes, &self.screen.spool_dir));
                if let Some(line) = line {
                    line.take(bytes);
                }
            }
            State::Lines { prefix, out, err } => {
                let kept = if channel == Channel::Out { out } else { err };
                kept.extend_from_slice(bytes);
                if kept.len() > LONGEST_LINE && !kept.contains(&b'\n') {
                    kept.push(b'\n');
                }
                if let Some(end) = memchr::memrchr(b'\n', kept) {
                    let whole: Vec<u8> = kept.drain(..=end).collect();
                    self.screen.write(channel, &with_prefix(prefix, &whole));
                }
            }
        }
    }

    /// Shows what is to be shown of an item that has ended.
    pub fn end(&self, has_failed: bool) {
        let state = std::mem::replace(&mut *lock(&self.state), State::Over);
        match state {
            State::Over => {}
            State::Lines { prefix, out, err } => {
                for (channel, mut rest) in [(Channel::Out, out), (Channel::Err, err)] {
                    if !rest.is_empty() {
                        rest.push(b'\n');
                        self.screen.write(channel, &with_prefix(&prefix, &rest));
                    }
                }
            }
            State::Waiting(mut spool, line) => {
                drop(line);
                if let Some(panel) = &self.screen.panel {
                    panel.count(has_failed);
                }
                if self.screen.mode != Mode::Group && !has_failed {
                    return;
                }
                let _turn = lock(&self.screen.turn);
                let drained = spool.drain(|channel, piece| {
                    if !self.screen.is_lost() {
                        self.screen.write(channel, piece);
                    }
                    !self.screen.is_lost()
                });
                self.screen.check_kept(drained);
            }
        }
    }
}

/// A last line without an ending is shown all the same.
impl Drop for ItemOutput {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// Whole lines, each with the prefix.
fn with_prefix(prefix: &str, lines: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(lines.len() + prefix.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        all.extend_from_slice(prefix.as_bytes());
        all.extend_from_slice(line);
    }
    all
}
