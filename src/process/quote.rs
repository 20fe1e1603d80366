//! Commands as the shell lines that they stand for.

use std::ffi::OsStr;

/// Writes one argument so that a POSIX shell (with `$'…'` for control characters, as bash, zsh, ksh
/// and POSIX 2024 have it) reads it back as the same argument.
///
/// ```
/// use procscript::process::quote_argument;
///
/// assert_eq!(quote_argument("plain.txt".as_ref()), "plain.txt");
/// assert_eq!(quote_argument("two words".as_ref()), "'two words'");
/// assert_eq!(quote_argument("it's".as_ref()), r"'it'\''s'");
/// assert_eq!(quote_argument("a\nb".as_ref()), r"$'a\nb'");
/// ```
pub fn quote_argument(argument: &OsStr) -> String {
    let bytes = argument.as_encoded_bytes();
    match argument.to_str() {
        Some("") => "''".to_string(),
        Some(text) if text.bytes().all(is_plain) => text.to_string(),
        Some(text) if !text.chars().any(needs_escape) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => ansi_quoted(bytes),
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte)
}

/// Characters that would act on a terminal or hide in a message, bidirectional controls included.
pub(crate) fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Text for a message: what would act on a terminal, or hide in it, is spelt out.
pub(crate) fn escape_controls(text: &str) -> String {
    if !text.contains(needs_escape) {
        return text.to_string();
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match needs_escape(c) {
            true => clean.extend(c.escape_default()),
            false => clean.push(c),
        }
    }
    clean
}

/// Bytes as `$'…'`.
pub(crate) fn ansi_quoted(bytes: &[u8]) -> String {
    let mut text = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\'' => text.push_str("\\'"),
                '\\' => text.push_str("\\\\"),
                c if needs_escape(c) => {
                    let mut utf8 = [0; 4];
                    for byte in c.encode_utf8(&mut utf8).bytes() {
                        push_hex(&mut text, byte);
                    }
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            push_hex(&mut text, *byte);
        }
    }
    text.push('\'');
    text
}

fn push_hex(text: &mut String, byte: u8) {
    // Three octal digits and not `\x..`: a hex escape would swallow a digit that follows.
    text.push_str(&format!("\\{byte:03o}"));
}
