//! Bytes as text: base64, hexadecimal, percent-encoding.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, DecodeKind, HEXLOWER, HEXLOWER_PERMISSIVE};

use super::problem::Problem;

/// In the standard alphabet, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// In the alphabet for URLs and names of files, without padding.
pub(crate) fn base64_for_urls(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Of either alphabet, which the text itself tells, broken into lines or not, with padding or without.
pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, Problem> {
    let (clean, places): (Vec<u8>, Vec<usize>) =
        text.bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()).map(|(at, byte)| (byte, at)).unzip();
    let digits = clean.len() - clean.iter().rev().take_while(|byte| **byte == b'=').count();
    let padding = clean.len() - digits;
    let is_for_urls = clean[..digits].iter().any(|byte| *byte == b'-' || *byte == b'_');
    let is_digit = |byte: &u8| match byte {
        b'+' | b'/' => !is_for_urls,
        b'-' | b'_' => true,
        byte => byte.is_ascii_alphanumeric(),
    };
    if let Some(wrong) = clean[..digits].iter().position(|byte| !is_digit(byte)) {
        return Err(Problem::at("this character is none of base64", places[wrong]));
    }
    let encoding = if is_for_urls { BASE64URL_NOPAD } else { BASE64_NOPAD };
    if padding > 0 && (padding > 2 || !clean.len().is_multiple_of(4)) {
        return Err(Problem::at("the padding `=` is not what the length asks for", places[digits]));
    }
    encoding.decode(&clean[..digits]).map_err(|error| {
        let at = places.get(error.position).copied().unwrap_or(text.len());
        match error.kind {
            DecodeKind::Length => Problem::at("the end is missing", text.len()),
            DecodeKind::Trailing => Problem::at("the last character has bits that mean nothing", at),
            _ => Problem::at("this character is none of base64", at),
        }
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Of digits in upper or lower case.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Problem> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    HEXLOWER_PERMISSIVE.decode(trimmed.as_bytes()).map_err(|error| match error.kind {
        DecodeKind::Length => Problem::at("the number of digits is odd", start + trimmed.len()),
        _ => Problem::at("this character is no hexadecimal digit", start + error.position),
    })
}

/// For one part of a URL: all but letters, digits and `-._~` is encoded (RFC 3986).
pub(crate) fn percent(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// The bytes of a part of a URL. A `+` stays one: it is a space in forms only.
pub(crate) fn from_percent(text: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
                bytes.push(digit(high) * 16 + digit(low));
                rest = after;
            }
            (b'%', _) => {
                return Err(Problem::at("two hexadecimal digits must follow `%`", text.len() - rest.len()));
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(251)).collect();
            assert_eq!(from_base64(&base64(&bytes)).unwrap(), bytes);
            assert_eq!(from_base64(&base64_for_urls(&bytes)).unwrap(), bytes);
        }
        assert_eq!(from_base64("aGVs\r\nbG8=\n").unwrap(), b"hello");
        assert_eq!(from_base64("_-8").unwrap(), from_base64("/+8=").unwrap());
        for (text, offset) in [("a", 1), ("aGk=x", 3), ("a*k=", 1), ("aGk==", 3), ("aGl=", 2), ("+_8", 0), ("=", 0)] {
            assert_eq!(from_base64(text).unwrap_err().offset, Some(offset), "{text}");
        }
    }

    #[test]
    fn hex_and_percent_both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(from_hex(" 0AfF\n").unwrap(), [10, 255]);
        assert_eq!(from_hex("0g").unwrap_err().offset, Some(1));
        assert!(from_hex("abc").unwrap_err().reason.contains("odd"));
        assert_eq!(from_percent(&percent(&bytes)).unwrap(), bytes);
        assert_eq!(percent("a b/ä~".as_bytes()), "a%20b%2F%C3%A4~");
        assert_eq!(from_percent("a%2").unwrap_err().offset, Some(1));
        assert_eq!(from_percent("a+b").unwrap(), b"a+b");
    }
}
