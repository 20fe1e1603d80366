//! Unbuffered standard streams, and bytes made visible.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};

use crate::give_up;

/// Standard output or standard error, without a buffer and without the runtime's habit of
/// treating a closed descriptor as a place that swallows everything.
pub struct Stream {
    number: i32,
}

impl Stream {
    pub fn out() -> Self {
        Self { number: 1 }
    }

    pub fn err() -> Self {
        Self { number: 2 }
    }

    pub fn line(&self, text: &[u8]) {
        self.write(&[text, b"\n"].concat());
    }

    pub fn write(&self, bytes: &[u8]) {
        if let Err(error) = self.try_write(bytes) {
            give_up(91, &format!("write to descriptor {}: {error}", self.number));
        }
    }

    #[cfg(unix)]
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<()> {
        crate::unix::borrowed(self.number).write_all(bytes)
    }

    #[cfg(not(unix))]
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self.number {
            1 => std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()),
            _ => std::io::stderr().write_all(bytes),
        }
    }
}

/// Reads what standard input has now; 0 at its end.
pub fn read(buffer: &mut [u8]) -> usize {
    loop {
        match read_once(buffer) {
            Ok(size) => return size,
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => give_up(91, &format!("read: {error}")),
        }
    }
}

#[cfg(unix)]
fn read_once(buffer: &mut [u8]) -> std::io::Result<usize> {
    crate::unix::borrowed(0).read(buffer)
}

#[cfg(not(unix))]
fn read_once(buffer: &mut [u8]) -> std::io::Result<usize> {
    std::io::stdin().read(buffer)
}

/// Printable ASCII as it is, every other byte and the backslash as `\xHH`.
pub fn visible(text: &OsStr) -> String {
    let show = |&byte: &u8| match byte {
        b'\\' => "\\x5c".to_string(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    text.as_encoded_bytes().iter().map(show).collect()
}
