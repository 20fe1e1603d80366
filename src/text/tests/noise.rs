//! Random bytes in every encoding.

use super::split;
use crate::text::{Decoder, Encoding, Malformed, Separators, TextFormat, decode};

/// A small generator, because the same bytes in every run make a failure repeatable.
fn noise(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 40) as usize
}

#[test]
fn noise_in_every_encoding() {
    let labels = [
        "auto",
        "utf-8",
        "utf-16le",
        "utf-16be",
        "shift_jis",
        "euc-jp",
        "iso-2022-jp",
        "gbk",
        "gb18030",
        "big5",
        "euc-kr",
        "windows-1252",
        "windows-1253",
        "x-user-defined",
    ];
    // Bytes that begin, continue and break characters, marks and escapes somewhere.
    let alphabet = b"\n\r|a0\x1b$B(J\xef\xbb\xbf\xff\xfe\xf0\x9f\x8e\xe2\x80\xa8\xc2\x85\x81\x8f\xd8\xdc\x00";
    let mut seed = 7;
    for label in labels {
        for round in 0..60 {
            let length = noise(&mut seed) % 12;
            let bytes: Vec<u8> = (0..length).map(|_| alphabet[noise(&mut seed) % alphabet.len()]).collect();
            let encoding = Encoding::for_label(label).unwrap();
            let separators = Separators::parse(["lines", "unicode", "|a"][round % 3]).unwrap();
            let max_line = [None, Some(4)][round % 2];
            for malformed in [Malformed::Strict, Malformed::Lossy] {
                let separators = separators.clone();
                split(&TextFormat { encoding, malformed, separators, max_line }, &bytes);
                check_whole(&bytes, encoding, malformed);
            }
        }
    }
}

/// Whole and streamed decoding agree, and for UTF-8 they agree with the standard library.
fn check_whole(bytes: &[u8], encoding: Encoding, malformed: Malformed) {
    let whole = decode(bytes.to_vec(), encoding, malformed);
    for size in 1..=bytes.len() {
        let mut text = String::new();
        let mut decoder = Decoder::new(encoding, malformed);
        let streamed = bytes
            .chunks(size)
            .try_for_each(|chunk| decoder.decode(chunk, false, &mut text))
            .and_then(|()| decoder.decode(&[], true, &mut text))
            .map(|()| text);
        assert_eq!(streamed, whole, "{encoding} {bytes:x?} in chunks of {size}");
    }
    if let Err(error) = &whole {
        assert!((1..=4).contains(&error.bytes.len()), "{error:?} {bytes:x?}");
        let at = error.offset as usize;
        assert!(bytes[at..].starts_with(&error.bytes), "{error:?} {bytes:x?}");
    }
    if encoding == Encoding::UTF_8 {
        let offset = std::str::from_utf8(bytes).map_err(|error| error.valid_up_to() as u64);
        match malformed {
            Malformed::Strict => {
                assert_eq!(whole.as_deref().map_err(|error| error.offset), offset);
            }
            Malformed::Lossy => assert_eq!(whole.unwrap(), String::from_utf8_lossy(bytes)),
        }
    }
}
