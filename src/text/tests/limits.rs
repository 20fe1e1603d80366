//! Long lines, many lines, and the memory they take.

use super::{check, check_error, limited, lines, lossy, split_chunks};
use crate::text::{LineSplitter, LineTooLong, TextFormat};

const CHUNK: usize = 4096;

#[test]
fn line_limit() {
    check(&limited(3, "lines"), "abc\r\nabc\n€\nabc", &["abc", "abc", "€", "abc"]);
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
    check_error(&limited(0, "lines"), "\n\n.", &["", ""], "line 3 is longer than 0 bytes");
    check_error(&lossy(limited(3, "lines")), b"\n\xff.", &[""], second);
    // Whatever comes first in the stream is the error, also when both are in one chunk.
    check_error(&limited(3, "lines"), b"\nabcd\xff", &[""], second);
    check_error(&limited(3, "lines"), b"\nabc\xff", &[""], "invalid UTF-8 at byte 4 (0xff)");
    check_error(&limited(3, "\r\n\r"), b"\r\n\rabc\r\n\xff", &[""], second);
}

#[test]
fn the_default_limit_is_128_kib() {
    for (length, passes) in [(131_072, true), (131_073, false)] {
        let line = "x".repeat(length);
        let outcome = split_chunks(&lines(), [line.as_bytes(), b"\n"], true);
        let error = LineTooLong { limit: 131_072, line: 1 };
        assert_eq!(outcome.1, (!passes).then_some(error.into()));
    }
    let line = "x".repeat(1 << 20);
    let unlimited = TextFormat { max_line: None, ..lines() };
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

#[test]
fn memory_stays_bounded_however_long_the_stream_is() {
    let limit = 10 * CHUNK;
    let mut splitter = LineSplitter::new(TextFormat { max_line: Some(limit), ..TextFormat::default() });
    // Lines of 5 and of 9 chunks, so that there is always something to carry over.
    for round in 1..=1000 {
        splitter.space(CHUNK).fill(b'x');
        if [5, 0].contains(&(round % 14)) {
            splitter.space(CHUNK)[CHUNK - 7] = b'\n';
        }
        splitter.filled(CHUNK);
        while let Some(line) = splitter.next_line().expect("the lines are short enough") {
            assert!([4, 8].contains(&(line.len() / CHUNK)), "{}", line.len());
        }
        assert!(splitter.held() <= 2 * (limit + CHUNK), "in round {round}");
    }
}

#[test]
fn a_line_without_end_is_given_up() {
    let mut splitter = LineSplitter::new(TextFormat::default());
    let chunks = std::iter::repeat_n([b'x'; CHUNK], 1000)
        .take_while(|chunk| {
            splitter.push(chunk);
            splitter.next_line().is_ok()
        })
        .count();
    assert_eq!(chunks, 128 * 1024 / CHUNK);
    splitter.push(&[b'x'; CHUNK]);
    assert_eq!(splitter.held(), 0);
}

#[test]
fn many_lines_in_one_byte_pieces() {
    let mut splitter = LineSplitter::new(TextFormat::default());
    let mut count = 0;
    for _ in 0..100_000 {
        splitter.push(b"y");
        assert_eq!(splitter.next_line(), Ok(None));
        splitter.push(b"\n");
        count += usize::from(splitter.next_line() == Ok(Some("y")));
    }
    assert_eq!(count, 100_000);
    assert!(splitter.held() < CHUNK);
}
