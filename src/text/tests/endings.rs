//! What ends a line.

use super::{check, lines, separated};
use crate::text::{LineSplitter, Separators, TextFormat};

#[test]
fn line_endings() {
    check(&lines(), "", &[]);
    check(&lines(), "\n", &[""]);
    check(&lines(), "abc\ndef\n123", &["abc", "def", "123"]);
    check(&lines(), "abc\ndef\n", &["abc", "def"]);
    check(&lines(), "a\r\n\r\n\nb\r\n", &["a", "", "", "b"]);
    check(&lines(), "a\rb\r\r\nc\r", &["a\rb\r", "c\r"]);
    check(&lines(), "a\0b\n\0", &["a\0b", "\0"]);
    check(&lines(), "{\"a\":\"\u{2028}\u{85}\u{b}\"}\nb", &["{\"a\":\"\u{2028}\u{85}\u{b}\"}", "b"]);
}

#[test]
fn unicode_line_endings() {
    let all = "1\n2\u{b}3\u{c}4\r5\r\n6\u{85}7\u{2028}8\u{2029}9";
    check(&separated("unicode"), all, &["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    check(&separated("unicode"), "\r\r\n\n\ra\r", &["", "", "", "", "a"]);
    check(&separated("unicode"), "é€\u{2027}\u{84}â\r", &["é€\u{2027}\u{84}â"]);
}

#[test]
fn a_carriage_return_waits_for_its_line_feed_only() {
    let mut splitter = LineSplitter::new(separated("unicode"));
    splitter.push(b"a\r");
    assert_eq!(splitter.next_line(), Ok(None));
    splitter.push(b"b");
    assert_eq!(splitter.next_line(), Ok(Some("a")));
}

#[test]
fn look_alikes() {
    let text = "100°C\n32—x\n€5";
    check(&lines(), text, &["100°C", "32—x", "€5"]);
    check(&separated("unicode"), text, &["100°C", "32—x", "€5"]);
    check(&separated("•"), "a€•b—•c", &["a€", "b—", "c"]);
}

#[test]
fn custom_separators() {
    check(&separated("|"), "|1|2|3|", &["", "1", "2", "3"]);
    check(&separated("\0"), "a\nb\0c\0", &["a\nb", "c"]);
    check(&separated("?:"), "à?:é?ü:?:?", &["à", "é?ü:", "?"]);
    check(&separated("aab"), "aaabaaaabaa", &["a", "aa", "aa"]);
    check(&separated("\r\n\r"), "1\r\n\r\n\r2\r\n\n\r3\r\n", &["1", "\n\r2\r\n\n\r3\r\n"]);
    check(&separated("\n"), "a\r\nb", &["a\r", "b"]);
    let everything = TextFormat { separators: Separators::Text(String::new()), ..lines() };
    check(&everything, "a\nb", &["a\nb"]);
}
