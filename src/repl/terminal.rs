//! The terminal of the session, which children share: it is put in order before each entry is typed.

use crate::process::os::{self, TerminalModes};

/// Leaves the alternate screen, shows the cursor, and ends mouse reports, bracketed paste and keypad modes. The mode is
/// 1047 and not 1049: that one also moves the cursor, on a screen that was never left to where it last was saved.
const RESET: &str = "\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\r";

/// So often it is tried to be in the foreground: who cannot be put there by anybody reads an end of input.
const TRIES: usize = 3;

/// What is known about the terminal.
pub(super) struct TerminalKeeper {
    /// As we have found it, and leave it.
    before: TerminalModes,
    /// For what is run: what the last command that succeeded has left, made sane.
    for_commands: TerminalModes,
    /// Whether it understands escape sequences.
    has_sequences: bool,
}

impl TerminalKeeper {
    /// `None` when standard input is no terminal. Waits until we are in its foreground.
    pub fn of_stdin(term: Option<&str>) -> Option<Self> {
        if !os::is_terminal(0) {
            return None;
        }
        os::survive_input_signals();
        be_in_foreground();
        let before = TerminalModes::of(0)?;
        let has_sequences = term.is_some_and(|term| !term.is_empty() && term != "dumb") && os::is_terminal(1);
        Some(Self { before, for_commands: before.sane(), has_sequences })
    }

    /// Puts it in order: we are in the foreground, descriptors wait, the modes are those for commands.
    pub fn repair(&self) {
        for fd in 0..3 {
            // One that is closed needs no repair.
            let _ = os::set_blocking(fd);
        }
        be_in_foreground();
        // What cannot be set will be noticed by whoever reads.
        let _ = self.for_commands.set(0);
    }

    /// Looks at what an entry has left. `stty` that succeeds is meant; a program that has died of something is not
    /// asked.
    pub fn after_entry(&mut self, has_succeeded: bool, has_crashed: bool) {
        // Or whoever writes next would wait for ever.
        os::resume_output(0);
        if has_succeeded
            && !has_crashed
            && let Some(modes) = TerminalModes::of(0)
        {
            self.for_commands = modes.sane();
        }
        if has_crashed && self.has_sequences {
            let _ = os::write_standard_stream(1, RESET.as_bytes());
        }
    }

    /// As it was when we came.
    pub fn restore(&self) {
        let _ = self.before.set(0);
    }
}

fn be_in_foreground() {
    for _ in 0..TRIES {
        if os::take_back_terminal(0) {
            return;
        }
        os::wait_in_background();
    }
}
