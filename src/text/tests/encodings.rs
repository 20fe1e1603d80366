//! Encodings, one by one.

use super::{check, check_error, encoded, lines, lossy, separated};
use crate::text::{Encoding, LineSplitter, Malformed, TextFormat, decode};

#[test]
fn utf_8_of_every_length() {
    check(&lines(), "aé€🎉\né€🎉a\n🎉", &["aé€🎉", "é€🎉a", "🎉"]);
    check_error(&lines(), b"ok\nab\xff\nc", &["ok"], "invalid UTF-8 at byte 5 (0xff)");
    check_error(&lines(), b"a\n\xe2\x82", &["a"], "invalid UTF-8 at byte 2 (0xe2 0x82)");
    check_error(&lines(), b"\xf0\x9f\x8e\n", &[], "invalid UTF-8 at byte 0 (0xf0 0x9f 0x8e)");
    check_error(&lines(), b"\xed\xa0\x80", &[], "invalid UTF-8 at byte 0 (0xed)");
    check_error(&lines(), b"a\n\xc0\xaf", &["a"], "invalid UTF-8 at byte 2 (0xc0)");
    check_error(&separated("unicode"), b"a\r\xff", &["a"], "invalid UTF-8 at byte 2 (0xff)");
}

#[test]
fn an_error_does_not_wait_for_the_end_of_its_line() {
    let mut splitter = LineSplitter::new(lines());
    splitter.push(b"a\nb\xff");
    assert_eq!(splitter.next_line(), Ok(Some("a")));
    assert!(splitter.next_line().is_err());
}

#[test]
fn lossy_text_resynchronises() {
    let format = lossy(lines());
    check(&format, b"a\xc2\nb", &["a\u{fffd}", "b"]);
    check(
        &format,
        b"\xf0\x9f\x8e\xff\n\xed\xa0\x80\xc3\xa9\xe2\x82",
        &["\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}é\u{fffd}"],
    );
}

#[test]
fn other_encodings() {
    // In UTF-16LE, U+0A41 and U+410A hold the byte of a line feed.
    let text = "a\u{a41}\u{410a}\r\n🎉\n\né";
    let expected = ["a\u{a41}\u{410a}", "🎉", "", "é"];
    for label in ["utf-16le", "utf-16be", "gb18030"] {
        let format = encoded(label);
        check(&format, format.encoding.encode(text).unwrap(), &expected);
    }
    check(&encoded("utf-16le"), b"\xff\xfea\0", &["\u{feff}a"]);
    let odd = "invalid UTF-16LE at byte 4 (0x62)";
    check_error(&encoded("utf-16le"), b"a\0\n\0b", &["a"], odd);
    let lone = b"a\0\n\0\x3d\xd8b\0";
    check_error(&encoded("utf-16le"), lone, &["a"], "invalid UTF-16LE at byte 4 (0x3d 0xd8)");

    // 0x83 0x7c is one kana although 0x7c alone is the separator.
    let sjis = TextFormat { encoding: encoded("shift_jis").encoding, ..separated("|") };
    check(&sjis, b"\x83\x7c|\x83\x7c", &["ポ", "ポ"]);
    check_error(&sjis, b"a|\x83", &["a"], "invalid Shift_JIS at byte 2 (0x83)");
    check(&encoded("windows-1252"), b"caf\xe9\n\x80", &["café", "€"]);
}

#[test]
fn byte_order_marks() {
    check(&lines(), b"\xef\xbb\xbfa\nb", &["\u{feff}a", "b"]);
    let auto = encoded("auto");
    check(&auto, b"\xef\xbb\xbfa\n\xef\xbb\xbfb", &["a", "\u{feff}b"]);
    check(&auto, b"\xff\xfea\0\n\0b\0", &["a", "b"]);
    check(&auto, b"\xfe\xff\0a\0\n\0b", &["a", "b"]);
    check(&auto, "né\n", &["né"]);
    check(&auto, b"\xef\xbb\xbf", &[]);
    check(&auto, "\u{fefe}", &["\u{fefe}"]);
    check_error(&auto, b"\xef\xbb", &[], "invalid UTF-8 at byte 0 (0xef 0xbb)");
    check_error(&auto, b"\xef\xbba", &[], "invalid UTF-8 at byte 0 (0xef 0xbb)");
    check_error(&auto, b"\xff", &[], "invalid UTF-8 at byte 0 (0xff)");
    check_error(&auto, b"\xfe\xfe", &[], "invalid UTF-8 at byte 0 (0xfe)");
    check_error(&auto, b"\xef\xbb\xbfa\n\xff", &["a"], "invalid UTF-8 at byte 5 (0xff)");
    check_error(&auto, b"\xfe\xff\xdc\0", &[], "invalid UTF-16BE at byte 2 (0xdc 0x00)");
    check(&lossy(auto), b"\xef\xbba\xff", &["\u{fffd}a\u{fffd}"]);
}

#[test]
fn labels() {
    for (label, name) in [
        ("utf8", "UTF-8"),
        (" UTF-16\n", "UTF-16LE"),
        ("unicodefffe", "UTF-16BE"),
        ("ascii", "windows-1252"),
        ("auto", "auto"),
    ] {
        assert_eq!(Encoding::for_label(label).map(Encoding::name), Ok(name));
    }
    for (label, refused) in [("", false), ("utf-32", false), ("iso-2022-kr", true), ("replacement", true)] {
        let error = Encoding::for_label(label).unwrap_err();
        assert_eq!((error.label.as_str(), error.refused), (label, refused));
    }
}

#[test]
fn what_is_encoded_can_be_decoded() {
    for (label, text) in [
        ("utf-8", "né 🎉"),
        ("auto", "né 🎉"),
        ("utf-16le", "né\u{a41} 🎉"),
        ("utf-16be", "né\u{a41} 🎉"),
        ("gb18030", "né 🎉"),
        ("shift_jis", "ポスト|"),
        ("iso-2022-jp", "a日本b日"),
        ("windows-1252", "né €"),
    ] {
        let encoding = Encoding::for_label(label).unwrap();
        for text in ["", text, &text.repeat(5000)] {
            let bytes = encoding.encode(text).unwrap();
            assert_eq!(decode(bytes, encoding, Malformed::Strict).unwrap(), text);
        }
    }
}

#[test]
fn a_character_that_is_missing_is_named() {
    for (label, text, message) in [
        ("koi8-r", "день ß", "`ß` (U+00DF) at byte 9 does not exist in KOI8-R"),
        ("shift_jis", "日🎉", "`🎉` (U+1F389) at byte 3 does not exist in Shift_JIS"),
        ("iso-2022-jp", "日\x1b", "`\\u{1b}` (U+001B) at byte 3 does not exist in ISO-2022-JP"),
    ] {
        let error = Encoding::for_label(label).unwrap().encode(text).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
