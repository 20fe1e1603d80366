//! Lines that are typed at a terminal that can do nothing but show them.

use std::io;
use std::mem::MaybeUninit;

use super::check;

/// Ctrl-C as a character.
pub(crate) const INTERRUPT: u8 = 3;

/// As long as it lives, Ctrl-C on standard input is a character that ends a line, not a signal; and neither Ctrl-Z nor
/// Ctrl-\ is one, which would go to our whole process group.
pub(crate) struct QuietKeys(libc::termios);

impl QuietKeys {
    /// # Errors
    /// Standard input is no terminal.
    pub fn take() -> io::Result<Self> {
        let mut before = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the structure is valid for writing, and filled when the call succeeds.
        let before = unsafe {
            check(libc::tcgetattr(0, before.as_mut_ptr()))?;
            before.assume_init()
        };
        let mut quiet = before;
        quiet.c_lflag &= !libc::ISIG;
        quiet.c_lflag |= libc::ICANON | libc::ECHO;
        quiet.c_iflag |= libc::ICRNL;
        quiet.c_cc[libc::VEOL] = INTERRUPT;
        // SAFETY: the state is complete.
        check(unsafe { libc::tcsetattr(0, libc::TCSADRAIN, &quiet) })?;
        Ok(Self(before))
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        // SAFETY: the state came from tcgetattr.
        unsafe { libc::tcsetattr(0, libc::TCSADRAIN, &self.0) };
    }
}
