//! How bytes are written in arguments of `testkid` and in script tests: one notation for both.

/// Understands `\n \r \t \0 \xHH \\`; any other backslash stands for itself.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, used) = match (first, after) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'0', ..]) => (0, 2),
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (high * 16 + low, 4),
                None => (first, 1),
            },
            _ => (first, 1),
        };
        result.push(byte);
        rest = &rest[used..];
    }
    result
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
