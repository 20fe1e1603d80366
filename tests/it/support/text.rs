//! Text in directives and in reports.

use super::escapes::unescape;

/// Splits at blanks; `'…'` is taken as it is, in `"…"` the escapes of [`unescape`] and `\"` work.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut word = String::new();
        while let Some(first) = rest.chars().next().filter(|first| !first.is_whitespace()) {
            let after = &rest[first.len_utf8()..];
            rest = match first {
                '\'' | '"' => {
                    let end = closing_quote(after, first).ok_or(format!("{first} is not closed: {text}"))?;
                    let inner = &after[..end];
                    word += &if first == '"' { quoted(inner) } else { inner.to_string() };
                    &after[end + 1..]
                }
                plain => {
                    word.push(plain);
                    after
                }
            };
        }
        words.push(word);
        rest = rest.trim_start();
    }
    Ok(words)
}

fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, char)| {
        let closes = char == quote && !escaped;
        escaped = quote == '"' && char == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn quoted(inner: &str) -> String {
    String::from_utf8_lossy(&unescape(inner.replace("\\\"", "\\x22").as_bytes())).into_owned()
}

/// Bytes as readable text: what is not UTF-8 and every control character except newline and tab
/// becomes `⟨HH⟩`.
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\n' | '\t' => shown.push(char),
                char if char.is_control() => shown += &format!("⟨{:02X}⟩", u32::from(char)),
                char => shown.push(char),
            }
        }
        shown.extend(chunk.invalid().iter().map(|byte| format!("⟨{byte:02X}⟩")));
    }
    shown
}

/// Puts `[..]` in the place of every time span: `12 ms`, `0.3s`, `1.5 seconds`.
pub fn without_times(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        result += before;
        // A digit inside a word or a longer number (`v1.5s`, `x86 s`) does not begin a time.
        let fresh = !result.ends_with(|char: char| char.is_alphanumeric() || "._-".contains(char));
        let digits = number.find(|char: char| !char.is_ascii_digit() && char != '.');
        let (digits, after) = number.split_at(digits.unwrap_or(number.len()));
        match unit_length(after).filter(|_| fresh && !digits.ends_with('.')) {
            Some(length) => {
                result += "[..]";
                rest = &after[length..];
            }
            None => {
                result += digits;
                rest = after;
            }
        }
    }
    result + rest
}

/// How long a unit of time, with one blank before it, stands at the start of the text.
fn unit_length(text: &str) -> Option<usize> {
    const UNITS: &[&str] = &["ns", "µs", "us", "ms", "s", "second", "seconds", "min", "minutes"];
    let unit = text.strip_prefix(' ').unwrap_or(text);
    let length = unit.find(|char: char| !char.is_alphanumeric()).unwrap_or(unit.len());
    let is_unit = UNITS.contains(&&unit[..length]);
    is_unit.then_some(text.len() - unit.len() + length)
}
