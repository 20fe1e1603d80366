//! Laws that hold for any text.

use super::super::{Part, TemplateError, TemplateText, parse};
use super::parse_inside;
use crate::script::scan::tests::Random;

/// Whatever means something somewhere, and a few that mean nothing.
#[rustfmt::skip]
const SPECIAL: &[&str] = &[
    "'", "\"", "\\", "`", "$", "{", "}", "[", "]", "(", ")", "<", ">", "|", "&", ";", "*", "?", "~", "#", "=", ",",
    ".", "!", "-", "_", "0", "1", "2", "3", "a", "A", " ", "\t", "\n", "\r", "é", "→", "\u{1f980}", "\0",
];

/// Quotes with `'…'`; the characters that mean something even in there go outside, escaped.
fn single_quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '`' | '$' => quoted.extend(["'\\", &character.to_string(), "'"]),
            _ => quoted.push(character),
        }
    }
    quoted + "'"
}

fn double_quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}

fn backslash(text: &str) -> String {
    let mut quoted = String::from("''");
    for character in text.chars() {
        match character {
            // Backslash and newline would be a continuation, and so would CRLF.
            '\n' | '\r' => quoted.extend(["'", &character.to_string(), "'"]),
            _ => quoted.extend(['\\', character]),
        }
    }
    quoted
}

#[test]
fn gives_back_what_was_quoted() {
    let mut random = Random(0xdecade);
    for _ in 0..20_000 {
        let text = random.text(SPECIAL, 12);
        let parts: &[Part] = &[Part::Text(text.clone())];
        let expected = if text.is_empty() { &[] } else { parts };
        for quoted in [single_quote(&text), double_quote(&text), backslash(&text)] {
            let template = parse_inside(&quoted).unwrap_or_else(|error| panic!("{quoted:?}: {error}"));
            let [word] = template.stages[0].words.as_slice() else { panic!("{quoted:?}: {template:?}") };
            assert_eq!((word.parts.as_slice(), word.quoted), (expected, true), "{quoted:?}");
        }
    }
}

/// Everything that has to hold for any pieces.
fn check_result(pieces: &[&str], result: &Result<TemplateText, TemplateError>) {
    match result {
        Err(error) => {
            let piece = pieces.get(error.piece).copied().unwrap_or_default();
            let text = piece.get(error.offset..error.offset + error.length);
            assert!(text.is_some(), "{pieces:?} {error:?}");
            let lines = format!("{}{}", error.message, error.help.as_deref().unwrap_or_default());
            assert!(!lines.contains(char::is_control), "{pieces:?} {error:?}");
        }
        Ok(template) => {
            assert!(!template.stages.is_empty(), "{pieces:?}");
            let mut slots = 0;
            for stage in &template.stages {
                assert!(!stage.words.is_empty(), "{pieces:?} {template:?}");
                let targets = stage.redirects.iter().filter_map(|redirect| redirect.target.as_ref());
                let parts = stage.words.iter().chain(targets).flat_map(|word| &word.parts);
                slots += parts.filter(|part| matches!(part, Part::Slot(_))).count();
            }
            assert_eq!(slots + 1, pieces.len(), "every slot is used once: {pieces:?} {template:?}");
        }
    }
}

#[test]
fn accepts_any_text() {
    let mut random = Random(0x5eed);
    let mut taken = 0;
    for _ in 0..200_000 {
        let texts: Vec<String> = (0..=random.below(3)).map(|_| random.text(SPECIAL, 8)).collect();
        let pieces: Vec<&str> = texts.iter().map(String::as_str).collect();
        let result = parse(&pieces);
        check_result(&pieces, &result);
        taken += usize::from(result.is_ok());
    }
    assert!(taken > 5_000, "{taken}");
}
