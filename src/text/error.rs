//! Why bytes are not text, or text is not lines.

use std::error::Error;
use std::fmt::{self, Write as _};

/// Bytes that are not text in the given encoding.
///
/// ```
/// use procscript::text::{Encoding, Malformed, decode};
///
/// let error = decode(b"abc\xff".to_vec(), Encoding::UTF_8, Malformed::Strict).unwrap_err();
/// assert_eq!((error.offset, error.bytes.as_slice()), (3, &b"\xff"[..]));
/// assert_eq!(error.to_string(), "invalid UTF-8 at byte 3 (0xff)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where the first malformed byte is, counted in bytes from the beginning of the stream.
    pub offset: u64,
    /// The malformed bytes, four at most.
    pub bytes: Vec<u8>,
    /// The name of the encoding; for [`Encoding::AUTO`](super::Encoding::AUTO), of the one that was found.
    pub encoding: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} at byte {} (", self.encoding, self.offset)?;
        for (index, byte) in self.bytes.iter().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            write!(f, "{byte:#04x}")?;
        }
        f.write_char(')')
    }
}

impl Error for DecodeError {}

/// A line that is longer than [`TextFormat::max_line`](super::TextFormat::max_line).
///
/// ```
/// use procscript::text::LineTooLong;
///
/// let error = LineTooLong { limit: 80, line: 3 };
/// assert_eq!(error.to_string(), "line 3 is longer than 80 bytes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong {
    /// The longest length allowed, in bytes of UTF-8.
    pub limit: usize,
    /// The number of the line; the first line is 1.
    pub line: u64,
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineTooLong { limit, line } = self;
        let unit = if *limit == 1 { "byte" } else { "bytes" };
        write!(f, "line {line} is longer than {limit} {unit}")
    }
}

impl Error for LineTooLong {}

/// Why there are no more lines.
///
/// Returned by [`LineSplitter::next_line`](super::LineSplitter::next_line). Reads like the error inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextError {
    /// The bytes are not text in their encoding.
    Decode(DecodeError),
    /// A line is longer than allowed.
    LineTooLong(LineTooLong),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::Decode(error) => error.fmt(f),
            TextError::LineTooLong(error) => error.fmt(f),
        }
    }
}

impl Error for TextError {}

impl From<DecodeError> for TextError {
    fn from(error: DecodeError) -> Self {
        TextError::Decode(error)
    }
}

impl From<LineTooLong> for TextError {
    fn from(error: LineTooLong) -> Self {
        TextError::LineTooLong(error)
    }
}
