//! How a text looks once somebody has quoted or encoded it.

use std::collections::BTreeSet;

use crate::process::{ansi_quoted, escape_controls};

/// A shorter line of a text of many lines is not looked for by itself: `{` or `-----` says nothing.
const SHORTEST_LINE: usize = 8;
/// Shorter spellings would be found in text that has nothing to do with the secret.
const SHORTEST: usize = 4;
/// Where `base64` and MIME, and where PEM break lines.
const LINE_WIDTHS: [usize; 2] = [76, 64];

/// Every spelling of a text that is looked for: the text, its lines, quoted once or twice, and encoded.
pub(super) fn all(text: &str) -> BTreeSet<Vec<u8>> {
    let trimmed = text.trim();
    let mut plain = BTreeSet::from([trimmed.to_string()]);
    plain.extend(trimmed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).map(str::to_string));

    let mut found: BTreeSet<String> = plain.iter().flat_map(|text| encoded(text.as_bytes())).collect();
    // The argument of `sh -c` is quoted within quotes.
    let mut escaped = plain;
    for _ in 0..2 {
        let more: Vec<String> = escaped.iter().flat_map(|text| quoted(text)).collect();
        escaped.extend(more);
    }
    found.extend(escaped);
    // The file behind the text may end in a line feed, which changes the end of an encoding.
    found.extend(encoded(format!("{trimmed}\n").as_bytes()));
    found.extend(encoded(text.as_bytes()));
    found.into_iter().map(String::into_bytes).filter(|spelling| spelling.len() >= SHORTEST).collect()
}

/// The inside of the quotes that messages, shell lines, Rhai and JSON put around a text.
fn quoted(text: &str) -> [String; 5] {
    let inside = |quoted: String, opening: usize| quoted[opening..quoted.len() - 1].to_string();
    [
        text.replace('\'', r"'\''"),
        inside(ansi_quoted(text.as_bytes()), 2),
        escape_controls(text),
        inside(format!("{text:?}"), 1),
        inside(serde_json::Value::from(text).to_string(), 1),
    ]
}

fn encoded(bytes: &[u8]) -> Vec<String> {
    let mut all = percent(bytes);
    for alphabet in [b"+/", b"-_"] {
        let whole = base64(bytes, alphabet);
        all.push(format!("{whole}{}", "=".repeat((4 - whole.len() % 4) % 4)));
        for width in LINE_WIDTHS {
            all.extend(whole.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        // Within a longer text that is encoded as a whole: the characters that no neighbour has a part in.
        for before in 0..3 {
            let shifted = base64(&[&vec![0; before], bytes].concat(), alphabet);
            let first = (before * 8).div_ceil(6);
            let last = (before + bytes.len()) * 8 / 6;
            all.extend(shifted.get(first..last).map(str::to_string));
        }
    }
    all
}

/// Without padding. The alphabet is told by its last two characters.
fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let letter = |value: u8| match value {
        0..26 => b'A' + value,
        26..52 => b'a' + value - 26,
        52..62 => b'0' + value - 52,
        62 => last[0],
        _ => last[1],
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().unwrap_or(0);
        let (a, b, c) = (byte(0), byte(1), byte(2));
        let letters = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        text.extend(letters[..=chunk.len()].iter().map(|value| char::from(letter(*value))));
    }
    text
}

/// In the ways of RFC 3986, of `encodeURIComponent`, of forms, and of those who encode all but letters and digits.
fn percent(bytes: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for kept in ["-._~", "-_.!~*'()", "-_.*", "-._~/", "-._~!$&'()*+,;=:@/", ""] {
        for is_upper in [true, false] {
            let code = |byte: u8| match byte {
                byte if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => char::from(byte).to_string(),
                byte if is_upper => format!("%{byte:02X}"),
                byte => format!("%{byte:02x}"),
            };
            let text: String = bytes.iter().map(|byte| code(*byte)).collect();
            all.push(text.replace("%20", "+"));
            all.push(text);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, code) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"), ("ÿ", "w78")]
        {
            assert_eq!(base64(text.as_bytes(), b"+/"), code, "{text}");
        }
        assert_eq!(base64(&[0xfb, 0xff], b"+/"), "+/8");
        assert_eq!(base64(&[0xfb, 0xff], b"-_"), "-_8");
    }

    #[test]
    fn it_is_found_wherever_it_stands_in_something_encoded() {
        let spellings = encoded(b"s3cret-token");
        for before in ["", "u", "us", "user:"] {
            for after in ["", "x", "xy", "xyz"] {
                let code = base64(format!("{before}s3cret-token{after}").as_bytes(), b"+/");
                let longest = spellings.iter().filter(|spelling| code.contains(*spelling)).map(String::len).max();
                assert!(longest.is_some_and(|length| length >= 14), "{before}…{after}: {code}");
            }
        }
    }

    #[test]
    fn quoting_within_quotes_is_found() {
        let spellings = all("it's\na \"key\"");
        let has = |text: &str| spellings.contains(text.as_bytes());
        assert!(has("it's\na \"key\"") && has("it'\\''s\na \"key\""));
        let twice = quoted(&quoted("it's\na \"key\"")[0])[0].clone();
        assert!(has(&twice));
        assert!(has(r#"it\'s\na "key""#) && has(r#"it's\na \"key\""#) && has("it%27s%0Aa%20%22key%22"));
    }
}
