//! Bytes become text, and text becomes lines.
//!
//! Nothing here reads or waits: bytes are pushed in, lines are pulled out. Decoding comes
//! before splitting, because only decoded text can be split safely: in UTF-16 the byte `0x0a`
//! is half of `U+0A41` as well as half of a line feed, and in Shift_JIS the byte `0x7c` is `|`
//! or the second half of a kana.
//!
//! ```
//! use procscript::text::{LineSplitter, TextFormat};
//!
//! let mut lines = LineSplitter::new(TextFormat::default());
//! lines.push(b"one\r\ntw");
//! assert_eq!(lines.next_line(), Ok(Some("one")));
//! assert_eq!(lines.next_line(), Ok(None)); // more input is needed
//!
//! lines.push(b"o");
//! lines.finish();
//! assert_eq!(lines.next_line(), Ok(Some("two")));
//! assert_eq!(lines.next_line(), Ok(None)); // the end
//! ```

mod decode;
mod encoding;
mod error;
mod lines;
mod separators;
#[cfg(test)]
mod tests;

pub(crate) use decode::decode_or_return;
pub use decode::{Decoder, decode};
pub use encoding::{EncodeError, Encoding, UnknownEncoding};
pub use error::{DecodeError, LineTooLong, TextError};
pub use lines::LineSplitter;
pub use separators::{EmptySeparator, Separators};

/// How bytes become lines.
///
/// By default: strict UTF-8, lines that end with LF or CRLF, 128 KiB at most.
///
/// ```
/// use procscript::text::{Encoding, TextFormat};
///
/// let format = TextFormat { encoding: Encoding::AUTO, ..TextFormat::default() };
/// assert_eq!(format.max_line, Some(131_072));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFormat {
    /// Which encoding the bytes are in.
    pub encoding: Encoding,
    /// What to do with bytes that are not text in that encoding.
    pub malformed: Malformed,
    /// What ends a line.
    pub separators: Separators,
    /// How long a line may be, without its ending, in bytes of UTF-8. `None`: as long as memory
    /// lasts.
    pub max_line: Option<usize>,
}

impl Default for TextFormat {
    fn default() -> Self {
        TextFormat {
            encoding: Encoding::default(),
            malformed: Malformed::default(),
            separators: Separators::default(),
            max_line: Some(128 * 1024),
        }
    }
}

/// What to do with bytes that are not text in the given encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// They are an error.
    #[default]
    Strict,
    /// They become `U+FFFD`, as many as the
    /// [Encoding Standard](https://encoding.spec.whatwg.org/) says.
    Lossy,
}
