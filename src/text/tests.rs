//! What every chunking must give, and the odd cases by name.

use super::{
    Decoder, Encoding, LineSplitter, LineTooLong, Malformed, Separators, TextError, TextFormat,
    decode,
};

type Outcome = (Vec<String>, Option<TextError>);

fn take_lines(splitter: &mut LineSplitter, outcome: &mut Outcome) {
    loop {
        match splitter.next_line() {
            Ok(Some(line)) => outcome.0.push(line.to_owned()),
            Ok(None) => return,
            Err(error) => {
                assert_eq!(splitter.next_line(), Err(error.clone()), "stays failed");
                outcome.1 = Some(error);
                return;
            }
        }
    }
}

/// The lines when the bytes come in these chunks, every second one through `space`.
fn split_chunks<'a>(
    format: &TextFormat,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    eager: bool,
) -> Outcome {
    let mut splitter = LineSplitter::new(format.clone());
    let mut outcome = Outcome::default();
    for (index, chunk) in chunks.into_iter().enumerate() {
        if index % 2 == 0 {
            splitter.push(chunk);
        } else {
            splitter.space(chunk.len())[..chunk.len()].copy_from_slice(chunk);
            splitter.filled(chunk.len());
        }
        if eager {
            take_lines(&mut splitter, &mut outcome);
        }
    }
    splitter.finish();
    take_lines(&mut splitter, &mut outcome);
    outcome
}

/// The lines of the whole, having checked that every way to cut it in up to three chunks, and
/// every regular way to cut it, gives the same.
fn split(format: &TextFormat, bytes: &[u8]) -> Outcome {
    let whole = split_chunks(format, [bytes], true);
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let outcome = split_chunks(format, chunks, true);
            assert_eq!(
                outcome, whole,
                "{format:?} {bytes:x?} cut at {first}, {second}"
            );
        }
    }
    for size in 1..bytes.len() {
        for eager in [true, false] {
            let outcome = split_chunks(format, bytes.chunks(size), eager);
            assert_eq!(outcome, whole, "{format:?} {bytes:x?} in chunks of {size}");
        }
    }
    whole
}

#[track_caller]
fn check(format: &TextFormat, bytes: impl AsRef<[u8]>, lines: &[&str]) {
    let (found, error) = split(format, bytes.as_ref());
    assert_eq!(
        (found, error),
        (lines.iter().map(|l| l.to_string()).collect(), None)
    );
}

#[track_caller]
fn check_error(format: &TextFormat, bytes: impl AsRef<[u8]>, lines: &[&str], message: &str) {
    let (found, error) = split(format, bytes.as_ref());
    assert_eq!(found, lines);
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some(message)
    );
}

fn lines() -> TextFormat {
    TextFormat::default()
}

fn separated(separator: &str) -> TextFormat {
    let separators = Separators::parse(separator).expect("the tests pass no empty separator");
    TextFormat {
        separators,
        ..lines()
    }
}

fn encoded(label: &str) -> TextFormat {
    let encoding = Encoding::for_label(label).expect("the tests pass known labels");
    TextFormat {
        encoding,
        ..lines()
    }
}

fn limited(limit: usize, separator: &str) -> TextFormat {
    TextFormat {
        max_line: Some(limit),
        ..separated(separator)
    }
}

fn lossy(format: TextFormat) -> TextFormat {
    TextFormat {
        malformed: Malformed::Lossy,
        ..format
    }
}

#[test]
fn line_endings() {
    check(&lines(), "", &[]);
    check(&lines(), "\n", &[""]);
    check(&lines(), "abc\ndef\n123", &["abc", "def", "123"]);
    check(&lines(), "abc\ndef\n", &["abc", "def"]);
    check(&lines(), "a\r\n\r\n\nb\r\n", &["a", "", "", "b"]);
    check(&lines(), "a\rb\r\r\nc\r", &["a\rb\r", "c\r"]);
    check(&lines(), "a\0b\n\0", &["a\0b", "\0"]);
    check(
        &lines(),
        "{\"a\":\"\u{2028}\u{85}\u{b}\"}\nb",
        &["{\"a\":\"\u{2028}\u{85}\u{b}\"}", "b"],
    );
}

#[test]
fn unicode_line_endings() {
    let all = "1\n2\u{b}3\u{c}4\r5\r\n6\u{85}7\u{2028}8\u{2029}9";
    check(
        &separated("unicode"),
        all,
        &["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    );
    check(
        &separated("unicode"),
        "\r\r\n\n\ra\r",
        &["", "", "", "", "a"],
    );
    check(
        &separated("unicode"),
        "é€\u{2027}\u{84}â\r",
        &["é€\u{2027}\u{84}â"],
    );
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
    check(
        &separated("\r\n\r"),
        "1\r\n\r\n\r2\r\n\n\r3\r\n",
        &["1", "\n\r2\r\n\n\r3\r\n"],
    );
    check(&separated("\n"), "a\r\nb", &["a\r", "b"]);
    let everything = TextFormat {
        separators: Separators::Text(String::new()),
        ..lines()
    };
    check(&everything, "a\nb", &["a\nb"]);
}

#[test]
fn utf_8_of_every_length() {
    check(&lines(), "aé€🎉\né€🎉a\n🎉", &["aé€🎉", "é€🎉a", "🎉"]);
    check_error(
        &lines(),
        b"ok\nab\xff\nc",
        &["ok"],
        "invalid UTF-8 at byte 5 (0xff)",
    );
    check_error(
        &lines(),
        b"a\n\xe2\x82",
        &["a"],
        "invalid UTF-8 at byte 2 (0xe2 0x82)",
    );
    check_error(
        &lines(),
        b"\xf0\x9f\x8e\n",
        &[],
        "invalid UTF-8 at byte 0 (0xf0 0x9f 0x8e)",
    );
    check_error(
        &lines(),
        b"\xed\xa0\x80",
        &[],
        "invalid UTF-8 at byte 0 (0xed)",
    );
    check_error(
        &lines(),
        b"a\n\xc0\xaf",
        &["a"],
        "invalid UTF-8 at byte 2 (0xc0)",
    );
    check_error(
        &separated("unicode"),
        b"a\r\xff",
        &["a"],
        "invalid UTF-8 at byte 2 (0xff)",
    );
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
    check_error(
        &encoded("utf-16le"),
        lone,
        &["a"],
        "invalid UTF-16LE at byte 4 (0x3d 0xd8)",
    );

    // 0x83 0x7c is one kana although 0x7c alone is the separator.
    let sjis = TextFormat {
        encoding: encoded("shift_jis").encoding,
        ..separated("|")
    };
    check(&sjis, b"\x83\x7c|\x83\x7c", &["ポ", "ポ"]);
    check_error(
        &sjis,
        b"a|\x83",
        &["a"],
        "invalid Shift_JIS at byte 2 (0x83)",
    );
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
    check_error(
        &auto,
        b"\xef\xbb",
        &[],
        "invalid UTF-8 at byte 0 (0xef 0xbb)",
    );
    check_error(
        &auto,
        b"\xef\xbba",
        &[],
        "invalid UTF-8 at byte 0 (0xef 0xbb)",
    );
    check_error(&auto, b"\xff", &[], "invalid UTF-8 at byte 0 (0xff)");
    check_error(&auto, b"\xfe\xfe", &[], "invalid UTF-8 at byte 0 (0xfe)");
    check_error(
        &auto,
        b"\xef\xbb\xbfa\n\xff",
        &["a"],
        "invalid UTF-8 at byte 5 (0xff)",
    );
    check_error(
        &auto,
        b"\xfe\xff\xdc\0",
        &[],
        "invalid UTF-16BE at byte 2 (0xdc 0x00)",
    );
    check(&lossy(auto), b"\xef\xbba\xff", &["\u{fffd}a\u{fffd}"]);
}

#[test]
fn line_limit() {
    check(
        &limited(3, "lines"),
        "abc\r\nabc\n€\nabc",
        &["abc", "abc", "€", "abc"],
    );
    let second = "line 2 is longer than 3 bytes";
    check_error(&limited(3, "lines"), "a\nabcd\nb\n", &["a"], second);
    check_error(&limited(3, "lines"), "a\nabcd", &["a"], second);
    check_error(&limited(3, "lines"), "a\n€a", &["a"], second);
    check_error(&limited(3, "lines"), "a\nabc\rb\r\n", &["a"], second);
    check_error(&limited(3, "lines"), "a\nabc\r", &["a"], second);
    check(&limited(3, "unicode"), "a\rabc\r", &["a", "abc"]);
    check(&limited(3, "aab"), "abaaabcccaab", &["aba", "ccc"]);
    check_error(&limited(3, "aab"), "aabccccaab", &[""], second);
    check_error(&limited(3, "aab"), "aabcccaa", &[""], second);
    check(&limited(0, "lines"), "\n\r\n", &["", ""]);
    check_error(
        &limited(0, "lines"),
        "\n\n.",
        &["", ""],
        "line 3 is longer than 0 bytes",
    );
    check_error(&lossy(limited(3, "lines")), b"\n\xff.", &[""], second);
    // Whatever comes first in the stream is the error, also when both are in one chunk.
    check_error(&limited(3, "lines"), b"\nabcd\xff", &[""], second);
    check_error(
        &limited(3, "lines"),
        b"\nabc\xff",
        &[""],
        "invalid UTF-8 at byte 4 (0xff)",
    );
    check_error(&limited(3, "\r\n\r"), b"\r\n\rabc\r\n\xff", &[""], second);
}

#[test]
fn the_default_limit_is_128_kib() {
    for (length, passes) in [(131_072, true), (131_073, false)] {
        let line = "x".repeat(length);
        let outcome = split_chunks(&lines(), [line.as_bytes(), b"\n"], true);
        let error = LineTooLong {
            limit: 131_072,
            line: 1,
        };
        assert_eq!(outcome.1, (!passes).then_some(error.into()));
    }
    let line = "x".repeat(1 << 20);
    let unlimited = TextFormat {
        max_line: None,
        ..lines()
    };
    let outcome = split_chunks(&unlimited, line.as_bytes().chunks(4096), true);
    assert_eq!(outcome, (vec![line], None));
}

#[test]
fn space_is_never_empty_and_is_kept() {
    let mut splitter = LineSplitter::new(lines());
    assert!(!splitter.space(0).is_empty());
    splitter.space(4)[..2].copy_from_slice(b"a\n");
    splitter.filled(2);
    assert_eq!(splitter.space(2).len(), 4);
    splitter.filled(0);
    assert_eq!(splitter.next_line(), Ok(Some("a")));
    splitter.finish();
    splitter.push(b"late\n");
    splitter.finish();
    assert_eq!(splitter.next_line(), Ok(None));
}

/// A small generator, because the same bytes in every run make a failure repeatable.
fn noise(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
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
    let alphabet =
        b"\n\r|a0\x1b$B(J\xef\xbb\xbf\xff\xfe\xf0\x9f\x8e\xe2\x80\xa8\xc2\x85\x81\x8f\xd8\xdc\x00";
    let mut seed = 7;
    for label in labels {
        for round in 0..60 {
            let length = noise(&mut seed) % 12;
            let bytes: Vec<u8> = (0..length)
                .map(|_| alphabet[noise(&mut seed) % alphabet.len()])
                .collect();
            let encoding = Encoding::for_label(label).unwrap();
            let separators = Separators::parse(["lines", "unicode", "|a"][round % 3]).unwrap();
            let max_line = [None, Some(4)][round % 2];
            for malformed in [Malformed::Strict, Malformed::Lossy] {
                let separators = separators.clone();
                split(
                    &TextFormat {
                        encoding,
                        malformed,
                        separators,
                        max_line,
                    },
                    &bytes,
                );
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
        assert!(
            bytes[at..].starts_with(&error.bytes),
            "{error:?} {bytes:x?}"
        );
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
