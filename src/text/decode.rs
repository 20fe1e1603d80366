//! Bytes to text, whole or in pieces.

use std::fmt;

use encoding_rs::{CoderResult, DecoderResult};

use super::Malformed;
use super::encoding::Encoding;
use super::error::DecodeError;

/// A malformed sequence is at most four bytes long, and the decoder may have read three more
/// before it noticed (GB18030).
const LOOK_BACK: usize = 7;

/// How many bytes are decoded at a time, in a buffer of our own.
///
/// encoding_rs appends to a `String` as well, but it touches every page of the spare capacity
/// in each call. In a text that grows byte by byte that is quadratic.
const PIECE: usize = 4096;

/// Decodes a whole buffer.
///
/// Valid UTF-8 is not copied: the buffer becomes the text.
///
/// # Errors
///
/// [`DecodeError`] for the first malformed sequence, unless `malformed` is
/// [`Lossy`](Malformed::Lossy). A character that the end of the buffer cuts is malformed too.
///
/// ```
/// use procscript::text::{Encoding, Malformed, decode};
///
/// let bytes = b"caf\xe9".to_vec();
/// assert_eq!(decode(bytes.clone(), Encoding::for_label("latin1")?, Malformed::Strict)?, "café");
/// assert_eq!(decode(bytes.clone(), Encoding::UTF_8, Malformed::Lossy)?, "caf\u{fffd}");
/// assert!(decode(bytes, Encoding::UTF_8, Malformed::Strict).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode(bytes: Vec<u8>, encoding: Encoding, malformed: Malformed) -> Result<String, DecodeError> {
    decode_or_return(bytes, encoding, malformed).map_err(|(error, _)| error)
}

/// As [`decode`]; the error comes with the bytes.
pub(crate) fn decode_or_return(
    bytes: Vec<u8>,
    encoding: Encoding,
    malformed: Malformed,
) -> Result<String, (DecodeError, Vec<u8>)> {
    let as_it_is =
        encoding == Encoding::UTF_8 || (encoding == Encoding::AUTO && encoding_rs::Encoding::for_bom(&bytes).is_none());
    let bytes = if as_it_is {
        match String::from_utf8(bytes) {
            Ok(text) => return Ok(text),
            // Once more from the start, so that a buffer and a stream report the same error.
            Err(error) => error.into_bytes(),
        }
    } else {
        bytes
    };
    let mut text = String::new();
    match Decoder::new(encoding, malformed).decode(&bytes, true, &mut text) {
        Ok(()) => Ok(text),
        Err(error) => Err((error, bytes)),
    }
}

/// Decodes a stream, piece by piece.
///
/// Where the pieces are cut makes no difference to the text or to the error, and neither does
/// a cut inside a character or inside a byte order mark.
///
/// ```
/// use procscript::text::{Decoder, Encoding, Malformed};
///
/// let mut decoder = Decoder::new(Encoding::UTF_8, Malformed::Strict);
/// let mut text = String::new();
/// decoder.decode(b"5 \xe2\x82", false, &mut text)?;
/// assert_eq!(text, "5 ");
/// decoder.decode(b"\xac", true, &mut text)?;
/// assert_eq!(text, "5 €");
/// # Ok::<(), procscript::text::DecodeError>(())
/// ```
pub struct Decoder {
    encoding: Encoding,
    malformed: Malformed,
    decoder: encoding_rs::Decoder,
    /// The text of one piece, on its way to the caller.
    scratch: String,
    /// How many bytes of the stream came before the ones at hand.
    consumed: u64,
    /// The last of those bytes, for an error that begins among them.
    recent: Vec<u8>,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    ///
    /// See [`Decoder`] for an example.
    pub fn new(encoding: Encoding, malformed: Malformed) -> Decoder {
        Decoder {
            encoding,
            malformed,
            decoder: encoding.new_decoder(),
            scratch: String::new(),
            consumed: 0,
            recent: Vec::new(),
            failed: None,
        }
    }

    /// Decodes the next `bytes` of the stream and appends the text to `out`.
    ///
    /// `last` says that the stream ends after these bytes (there may be none). After that the
    /// decoder is at the beginning of a new stream.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for the first malformed sequence, unless the decoder is
    /// [`Lossy`](Malformed::Lossy). The text before it is in `out` all the same. The decoder
    /// stays failed: it gives the same error again, whatever comes next.
    ///
    /// ```
    /// use procscript::text::{Decoder, Encoding, Malformed};
    ///
    /// let mut decoder = Decoder::new(Encoding::UTF_8, Malformed::Strict);
    /// let mut text = String::new();
    /// decoder.decode(b"ab", false, &mut text)?;
    /// let error = decoder.decode(b"c\xc3", true, &mut text).unwrap_err();
    /// assert_eq!((text.as_str(), error.offset), ("abc", 3));
    /// # Ok::<(), procscript::text::DecodeError>(())
    /// ```
    pub fn decode(&mut self, bytes: &[u8], last: bool, out: &mut String) -> Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.decode_pieces(bytes, last, out);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        } else if last {
            // An encoding_rs decoder that has seen the end panics when it is used again.
            *self = Decoder::new(self.encoding, self.malformed);
        }
        result
    }

    fn decode_pieces(&mut self, mut bytes: &[u8], last: bool, out: &mut String) -> Result<(), DecodeError> {
        out.reserve(bytes.len());
        loop {
            let (piece, rest) = bytes.split_at(bytes.len().min(PIECE));
            let ends = rest.is_empty();
            self.decode_piece(piece, last && ends, out)?;
            if ends {
                return Ok(());
            }
            bytes = rest;
        }
    }

    fn decode_piece(&mut self, piece: &[u8], last: bool, out: &mut String) -> Result<(), DecodeError> {
        let mut done = 0;
        loop {
            let rest = &piece[done..];
            // Room for the worst case: one byte that becomes U+FFFD, and what was held back.
            self.scratch.reserve(rest.len() * 3 + 16);
            let (result, read) = match self.malformed {
                Malformed::Strict => self.decoder.decode_to_string_without_replacement(rest, &mut self.scratch, last),
                Malformed::Lossy => {
                    let (result, read, _) = self.decoder.decode_to_string(rest, &mut self.scratch, last);
                    (without_malformed(result), read)
                }
            };
            done += read;
            out.push_str(&self.scratch);
            self.scratch.clear();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    return Err(self.error(&piece[..done], length.into(), after.into()));
                }
            }
        }
        self.remember(piece);
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.consumed += bytes.len() as u64;
        self.recent.extend_from_slice(&bytes[bytes.len().saturating_sub(LOOK_BACK)..]);
        let surplus = self.recent.len().saturating_sub(LOOK_BACK);
        self.recent.drain(..surplus);
    }

    /// The error for a malformed sequence of `length` bytes that ended `after` bytes before the
    /// end of `read`, and that may have begun in an earlier piece.
    fn error(&mut self, read: &[u8], length: usize, after: usize) -> DecodeError {
        self.remember(read);
        let end = self.recent.len().saturating_sub(after);
        let start = end.saturating_sub(length);
        DecodeError {
            offset: self.consumed.saturating_sub((length + after) as u64),
            bytes: self.recent[start..end].to_vec(),
            encoding: self.decoder.encoding().name(),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("encoding", &self.encoding)
            .field("malformed", &self.malformed)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

fn without_malformed(result: CoderResult) -> DecoderResult {
    match result {
        CoderResult::InputEmpty => DecoderResult::InputEmpty,
        CoderResult::OutputFull => DecoderResult::OutputFull,
    }
}
