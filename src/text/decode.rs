//! Bytes to text, whole or in pieces.

use std::fmt;

use encoding_rs::{CoderResult, DecoderResult};

use super::Malformed;
use super::encoding::Encoding;
use super::error::DecodeError;

/// A malformed sequence is at most four bytes long, and the decoder may have read three more
/// before it noticed (GB18030).
const LOOK_BACK: usize = 7;

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
pub fn decode(
    bytes: Vec<u8>,
    encoding: Encoding,
    malformed: Malformed,
) -> Result<String, DecodeError> {
    let as_it_is = encoding == Encoding::UTF_8
        || (encoding == Encoding::AUTO && encoding_rs::Encoding::for_bom(&bytes).is_none());
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
    Decoder::new(encoding, malformed).decode(&bytes, true, &mut text)?;
    Ok(text)
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
    state: State,
    /// How many bytes of the stream came before the ones at hand.
    consumed: u64,
    /// The last of those bytes, for an error that begins among them.
    recent: Vec<u8>,
    failed: Option<DecodeError>,
}

enum State {
    /// So far the stream is the beginning of a byte order mark: two bytes at most.
    Sniffing(Vec<u8>),
    Decoding(encoding_rs::Decoder),
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    ///
    /// See [`Decoder`] for an example.
    pub fn new(encoding: Encoding, malformed: Malformed) -> Decoder {
        let state = if encoding == Encoding::AUTO {
            State::Sniffing(Vec::new())
        } else {
            State::Decoding(encoding.resolved().new_decoder_without_bom_handling())
        };
        Decoder {
            encoding,
            malformed,
            state,
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
    pub fn decode(
        &mut self,
        bytes: &[u8],
        last: bool,
        out: &mut String,
    ) -> Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.sniff_and_feed(bytes, last, out);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        } else if last {
            // An encoding_rs decoder that has seen the end panics when it is used again.
            *self = Decoder::new(self.encoding, self.malformed);
        }
        result
    }

    /// encoding_rs can sniff as well, but when a stream only begins like a byte order mark it
    /// replays the bytes it held back, and then its error positions depend on the chunks.
    fn sniff_and_feed(
        &mut self,
        bytes: &[u8],
        last: bool,
        out: &mut String,
    ) -> Result<(), DecodeError> {
        let State::Sniffing(held) = &mut self.state else {
            return self.feed(bytes, last, out);
        };
        let mut start = std::mem::take(held);
        let from_bytes = bytes.len().min(3 - start.len());
        start.extend_from_slice(&bytes[..from_bytes]);
        if !last && may_become_bom(&start) {
            self.state = State::Sniffing(start);
            return Ok(());
        }

        let bom = encoding_rs::Encoding::for_bom(&start);
        let (encoding, bom_length) = bom.unwrap_or((self.encoding.resolved(), 0));
        self.state = State::Decoding(encoding.new_decoder_without_bom_handling());
        self.consumed = bom_length as u64;
        self.feed(&start[bom_length..], false, out)?;
        self.feed(&bytes[from_bytes..], last, out)
    }

    fn feed(&mut self, bytes: &[u8], last: bool, out: &mut String) -> Result<(), DecodeError> {
        let State::Decoding(decoder) = &mut self.state else {
            return Ok(());
        };
        let mut done = 0;
        loop {
            let rest = &bytes[done..];
            // The decoder writes into spare room only. Most text needs as many bytes as it
            // came in; where it needs more, there is another turn, and sixteen bytes of room
            // let each of them make progress.
            out.reserve(rest.len() + 16);
            match self.malformed {
                Malformed::Lossy => {
                    let (result, read, _) = decoder.decode_to_string(rest, out, last);
                    done += read;
                    match result {
                        CoderResult::InputEmpty => return Ok(()),
                        CoderResult::OutputFull => {}
                    }
                }
                Malformed::Strict => {
                    let (result, read) =
                        decoder.decode_to_string_without_replacement(rest, out, last);
                    done += read;
                    match result {
                        DecoderResult::InputEmpty => break,
                        DecoderResult::OutputFull => {}
                        DecoderResult::Malformed(length, after) => {
                            let (length, after) = (usize::from(length), usize::from(after));
                            let encoding = decoder.encoding().name();
                            return Err(self.error(&bytes[..done], length, after, encoding));
                        }
                    }
                }
            }
        }
        self.remember(bytes);
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.consumed += bytes.len() as u64;
        self.recent
            .extend_from_slice(&bytes[bytes.len().saturating_sub(LOOK_BACK)..]);
        let surplus = self.recent.len().saturating_sub(LOOK_BACK);
        self.recent.drain(..surplus);
    }

    /// The error for a malformed sequence of `length` bytes that ended `after` bytes before the
    /// end of `read`, and that may have begun in an earlier piece.
    fn error(
        &mut self,
        read: &[u8],
        length: usize,
        after: usize,
        encoding: &'static str,
    ) -> DecodeError {
        self.remember(read);
        let end = self.recent.len().saturating_sub(after);
        let start = end.saturating_sub(length);
        DecodeError {
            offset: self.consumed.saturating_sub((length + after) as u64),
            bytes: self.recent[start..end].to_vec(),
            encoding,
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

fn may_become_bom(start: &[u8]) -> bool {
    let boms: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    boms.iter()
        .any(|bom| start.len() < bom.len() && bom.starts_with(start))
}
