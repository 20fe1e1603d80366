//! Which encoding text is in, and writing text in it.

use std::error::Error;
use std::fmt;

use encoding_rs::EncoderResult;

/// Which encoding bytes are in.
///
/// UTF-8 unless something else is asked for. The other encodings, their labels and their names
/// are those of the [Encoding Standard](https://encoding.spec.whatwg.org/#names-and-labels).
///
/// ```
/// use procscript::text::Encoding;
///
/// assert_eq!(Encoding::default(), Encoding::UTF_8);
/// assert_eq!(Encoding::for_label("latin1")?.name(), "windows-1252");
/// # Ok::<(), procscript::text::UnknownEncoding>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoding(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Auto,
    Known(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// UTF-8, where a byte order mark is text like any other: it is kept as `U+FEFF`.
    ///
    /// ```
    /// use procscript::text::{Encoding, Malformed, decode};
    ///
    /// let text = decode(b"\xef\xbb\xbfa".to_vec(), Encoding::UTF_8, Malformed::Strict)?;
    /// assert_eq!(text, "\u{feff}a");
    /// # Ok::<(), procscript::text::DecodeError>(())
    /// ```
    pub const UTF_8: Encoding = Encoding(Kind::Known(&encoding_rs::UTF_8_INIT));

    /// What the byte order mark says (UTF-8, UTF-16LE or UTF-16BE), and UTF-8 without one.
    ///
    /// The mark itself is not part of the text.
    ///
    /// ```
    /// use procscript::text::{Encoding, Malformed, decode};
    ///
    /// let text = decode(b"\xff\xfea\0".to_vec(), Encoding::AUTO, Malformed::Strict)?;
    /// assert_eq!(text, "a");
    /// # Ok::<(), procscript::text::DecodeError>(())
    /// ```
    pub const AUTO: Encoding = Encoding(Kind::Auto);

    /// Finds an encoding by any label of the Encoding Standard, or `auto`.
    ///
    /// Case and surrounding whitespace do not matter. As the standard has it, `latin1` and
    /// `ascii` are windows-1252, and `utf-16` is UTF-16LE. An encoding that is asked for by its
    /// label never looks for a byte order mark; only `auto` does.
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`] for anything else, and for labels such as `iso-2022-kr` that the
    /// standard maps to its `replacement` encoding, which decodes everything to one `U+FFFD`.
    ///
    /// ```
    /// use procscript::text::Encoding;
    ///
    /// assert_eq!(Encoding::for_label("sjis")?.name(), "Shift_JIS");
    /// assert_eq!(Encoding::for_label("AUTO")?, Encoding::AUTO);
    /// assert!(Encoding::for_label("klingon").is_err());
    /// # Ok::<(), procscript::text::UnknownEncoding>(())
    /// ```
    pub fn for_label(label: &str) -> Result<Encoding, UnknownEncoding> {
        if label.trim_ascii().eq_ignore_ascii_case("auto") {
            return Ok(Encoding::AUTO);
        }
        match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(found) if found != encoding_rs::REPLACEMENT => Ok(Encoding(Kind::Known(found))),
            found => Err(UnknownEncoding { label: label.to_owned(), refused: found.is_some() }),
        }
    }

    /// The name in the Encoding Standard, or `auto`.
    ///
    /// ```
    /// use procscript::text::Encoding;
    ///
    /// assert_eq!(Encoding::UTF_8.name(), "UTF-8");
    /// assert_eq!(Encoding::AUTO.name(), "auto");
    /// ```
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Auto => "auto",
            Kind::Known(encoding) => encoding.name(),
        }
    }

    /// Turns text into bytes of this encoding, without a byte order mark.
    ///
    /// `auto` writes UTF-8.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] names the first character that the encoding does not have.
    ///
    /// ```
    /// use procscript::text::Encoding;
    ///
    /// assert_eq!(Encoding::for_label("utf-16be")?.encode("né")?, b"\0n\0\xe9");
    ///
    /// let error = Encoding::for_label("latin1")?.encode("1 ≠ 2").unwrap_err();
    /// assert_eq!(error.to_string(), "`≠` (U+2260) at byte 2 does not exist in windows-1252");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(self, text: &str) -> Result<Vec<u8>, EncodeError> {
        let encoding = match self.0 {
            Kind::Auto => encoding_rs::UTF_8,
            Kind::Known(encoding) => encoding,
        };
        match encoding {
            encoding if encoding == encoding_rs::UTF_8 => Ok(text.as_bytes().to_vec()),
            // The standard has no UTF-16 encoder (forms never send it), so encoding_rs would
            // silently write UTF-8. Programs do read UTF-16.
            encoding if encoding == encoding_rs::UTF_16LE => {
                Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            encoding if encoding == encoding_rs::UTF_16BE => {
                Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect())
            }
            encoding => encode_legacy(encoding, text),
        }
    }

    pub(super) fn new_decoder(self) -> encoding_rs::Decoder {
        match self.0 {
            Kind::Auto => encoding_rs::UTF_8.new_decoder(),
            Kind::Known(encoding) => encoding.new_decoder_without_bom_handling(),
        }
    }
}

impl Default for Encoding {
    fn default() -> Self {
        Encoding::UTF_8
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn encode_legacy(encoding: &'static encoding_rs::Encoding, text: &str) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = encoding.new_encoder();
    let mut bytes = Vec::new();
    let mut done = 0;
    loop {
        // The encoder writes into spare room only. Sixteen bytes are more than one character
        // and its escape sequences take, so every turn makes progress.
        bytes.reserve(text.len() - done + 16);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(&text[done..], &mut bytes, true);
        done += read;
        match result {
            EncoderResult::InputEmpty => return Ok(bytes),
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(reported) => {
                // ISO-2022-JP reports U+FFFD in place of control characters that it refuses.
                let character = text[..done].chars().next_back().unwrap_or(reported);
                return Err(EncodeError { character, offset: done - character.len_utf8(), encoding: encoding.name() });
            }
        }
    }
}

/// A label that stands for no encoding that can be used.
///
/// ```
/// use procscript::text::Encoding;
///
/// let error = Encoding::for_label("klingon").unwrap_err();
/// assert_eq!(error.to_string(), "unknown encoding \"klingon\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEncoding {
    /// The label as it was given.
    pub label: String,
    /// The Encoding Standard knows the label, and refuses to decode it.
    pub refused: bool,
}

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused {
            let label = &self.label;
            return write!(f, "encoding {label:?} cannot be used: the Encoding Standard refuses to decode it");
        }
        write!(f, "unknown encoding {:?}", self.label)
    }
}

impl Error for UnknownEncoding {}

/// A character that the encoding does not have.
///
/// Returned by [`Encoding::encode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The character.
    pub character: char,
    /// Where it begins in the text, in bytes of UTF-8.
    pub offset: usize,
    /// The name of the encoding.
    pub encoding: &'static str,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = u32::from(self.character);
        // A control character would move the cursor or end the line of the message.
        let shown = self.character.escape_debug();
        write!(f, "`{shown}` (U+{code:04X}) at byte {} does not exist in {}", self.offset, self.encoding)
    }
}

impl Error for EncodeError {}
