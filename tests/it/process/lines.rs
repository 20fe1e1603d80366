//! Output that is read while the command runs.

use procscript::process::{ErrorKind, Expression, TerminationStatus};
use procscript::text::{Encoding, Separators};

use super::{fails, kid, kid_with, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::{self, Guard};

fn lines_of(expression: &Expression) -> Vec<String> {
    expression.lines().expect("it starts").collect::<Result<_, _>>().expect("it succeeds")
}

#[test]
fn lines_end_as_they_do_everywhere() {
    let _shared = leaks::shared();
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("a", &["a"]),
        (r"a\n", &["a"]),
        (r"a\nb", &["a", "b"]),
        (r"a\r\nb\r\n", &["a", "b"]),
        (r"\n", &[""]),
        (r"\n\na\n\n", &["", "", "a", ""]),
        (r"a\r", &["a\r"]),
        (r"a\rb\n", &["a\rb"]),
        (r"a\r\r\n", &["a\r"]),
        (r"a\\tb\n", &[r"a\tb"]),
        (r"a\0b\n", &["a\0b"]),
        (r"100\xc2\xb0C\n32\xe2\x80\x94x\n\xe2\x82\xac5", &["100°C", "32—x", "€5"]),
        (r"a\xe2\x80\xa8b\n", &["a\u{2028}b"]),
    ];
    for (bytes, expected) in table {
        assert_eq!(lines_of(&kid_with("bytes", [*bytes])), *expected, "{bytes}");
    }
}

#[test]
fn a_character_may_arrive_in_pieces() {
    let _shared = leaks::shared();
    let slowly = r"bytes \xf0 -- sleep 20 -- bytes \x9f\x98 -- sleep 20 -- bytes \x80x\r -- sleep 20 -- bytes \ny";
    assert_eq!(lines_of(&kid(slowly)), ["😀x", "y"]);
    assert_eq!(lines_of(&kid("burst 60 2 ab")), ["ab".repeat(60)], "a short read is not the end");
}

#[test]
fn encodings_are_decoded_before_lines_are_split() {
    let _shared = leaks::shared();
    let encoding = |label: &str| Encoding::for_label(label).expect("a known label");
    // U+0A41 holds a byte that looks like a line feed.
    let wide = kid_with("bytes", [r"A\0\x41\x0a\x0a\0B\0"]).encoding(encoding("utf-16le"));
    assert_eq!(lines_of(&wide), ["A\u{a41}", "B"]);
    // The second byte of the first character is `|` in ASCII; 0x5c likewise.
    let kana = kid_with("bytes", [r"\x83\x7c\x95\x5c\n\x82\xa0\n"]).encoding(encoding("shift_jis"));
    assert_eq!(lines_of(&kana), ["ポ表", "あ"]);
    let latin = kid_with("bytes", [r"caf\xe9\n"]).encoding(encoding("windows-1252"));
    assert_eq!(lines_of(&latin), ["café"]);
    let auto = kid_with("bytes", [r"\xff\xfea\0\n\0b\0"]).encoding(Encoding::AUTO);
    assert_eq!(lines_of(&auto), ["a", "b"]);
    assert_eq!(lines_of(&kid_with("bytes", [r"a\xc2\nb"]).lossy()), ["a\u{fffd}", "b"]);
}

#[test]
fn encodings_in_single_bytes_give_the_same_lines() {
    // Each byte is a read of its own: halves of code units, of surrogate pairs and of line endings.
    let _shared = leaks::shared();
    for label in ["utf-16le", "utf-16be"] {
        let encoding = Encoding::for_label(label).expect("a known label");
        let bytes = encoding.encode("aé€😀\r\nx\u{a0a}\n").expect("it has everything");
        let words = |bytes: &[u8]| {
            let each = bytes.iter().map(|byte| format!("bytes \\x{byte:02x} -- sleep 2"));
            kid(&each.collect::<Vec<_>>().join(" -- ")).encoding(encoding).name("halves")
        };
        let whole = words(&bytes);
        assert_eq!(lines_of(&whole), ["aé€😀", "x\u{a0a}"], "{label}");
        assert_eq!(whole.read_raw().expect("it succeeds"), "aé€😀\r\nx\u{a0a}\n", "{label}");
        // The limit of a line counts what it is as text, the limit of a capture what came.
        assert_eq!(lines_of(&whole.clone().max_line(Some(10))).len(), 2);
        let long = whole.clone().max_line(Some(9)).lines().expect("it starts").next();
        fails(ErrorKind::OutputLimit, long.expect("an error"));
        let error = fails(ErrorKind::OutputLimit, whole.limit(5).read());
        assert_eq!(error.stdout(), Some(&bytes[..5]), "{label}");
        // Half a unit at the end, and half a pair.
        let cut = words(&bytes[..bytes.len() - 1]);
        let mut lines = cut.lines().expect("it starts");
        assert_eq!(lines.next().expect("a line").expect("good"), "aé€😀");
        let error = fails(ErrorKind::DecodeFailed, lines.next().expect("an error"));
        assert!(error.message().contains(&format!("byte {}", bytes.len() - 2)), "{error}");
        assert_eq!(lines_of(&cut.lossy())[1], "x\u{a0a}\u{fffd}", "{label}");
        let cut = words(&bytes[..8]);
        assert!(fails(ErrorKind::DecodeFailed, cut.read()).message().contains("byte 6"), "{label}");
        assert_eq!(cut.lossy().read().expect("it succeeds"), "aé€\u{fffd}", "{label}");
    }
}

#[test]
fn separators_can_be_chosen() {
    let _shared = leaks::shared();
    let split = |bytes: &str, separators: &str| {
        lines_of(&kid_with("bytes", [bytes]).separators(Separators::parse(separators).expect("not empty")))
    };
    assert_eq!(split(r"a b\0c\nd\0", "\0"), ["a b", "c\nd"]);
    assert_eq!(split("|1|2|3|", "|"), ["", "1", "2", "3"]);
    assert_eq!(split("a?:b?c:d", "?:"), ["a", "b?c:d"]);
    assert_eq!(split(r"a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e\r\nf", "unicode"), ["a", "b", "c", "d", "e", "f"]);
    assert!(Separators::parse("").is_err());
}

#[test]
fn bad_text_is_an_error_after_the_good_lines() {
    let _guard = Guard::new();
    let mut lines = kid_with("bytes", [r"good\nb\xffd\nmore\n"]).args(["--", "forever"]).lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "good");
    let error = fails(ErrorKind::DecodeFailed, lines.next().expect("an error"));
    assert!(error.message().contains("byte 6"), "{error}");
    assert!(lines.next().is_none(), "nothing after an error");
}

#[test]
fn long_lines_are_errors_and_never_cut() {
    let _guard = Guard::new();
    let line = |length: usize| kid(&format!("flood {length} -- bytes \\n -- echo next"));
    assert_eq!(lines_of(&line(131_072)).iter().map(String::len).collect::<Vec<_>>(), [131_072, 4]);
    let mut too_long = line(131_073).lines().expect("it starts");
    let error = fails(ErrorKind::OutputLimit, too_long.next().expect("an error"));
    assert!(error.message().contains("131072") && error.message().contains("line 1"), "{error}");
    assert!(too_long.next().is_none());
    assert_eq!(lines_of(&line(1_000_000).max_line(None))[0].len(), 1_000_000);
    assert_eq!(lines_of(&kid("echo ééé").max_line(Some(6))), ["ééé"]);
    let second = kid("echo ab -- echo abcd").max_line(Some(3)).lines().expect("it starts").nth(1);
    assert!(fails(ErrorKind::OutputLimit, second.expect("an error")).message().contains("line 2"));
    // One that never ends does not fill the memory.
    let endless = kid("flood 2000000000").lines().expect("it starts").next();
    soon(|| fails(ErrorKind::OutputLimit, endless.expect("an error")));
}

#[test]
fn many_lines_all_arrive() {
    let _guard = Guard::new();
    let mut count = 0;
    for line in kid("lines 100000").lines().expect("it starts") {
        assert_eq!(line.expect("it succeeds"), format!("line-{count}"));
        count += 1;
    }
    assert_eq!(count, 100_000);
    let mut lines = kid("lines 100000").lines().expect("it starts");
    let mut bytes = 0;
    while let Some(length) = lines.next_with(str::len).expect("it succeeds") {
        bytes += length;
    }
    assert_eq!((bytes, lines.is_over()), (988_890, true));
}

#[test]
fn lines_of_every_length_with_every_ending_arrive() {
    // Short ones, ones near a page, and ones of more than a page, so that endings fall on every border.
    let _guard = Guard::new();
    const PAGE: usize = 4096;
    let endings = ["\n", "\u{b}", "\u{c}", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\r"];
    let letters = ['x', 'é', '—', '🎉'];
    let mut seed = 20_240_817_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..4 {
        let lines: Vec<String> = (0..60)
            .map(|n| {
                let length = match n % 3 {
                    0 => random(16),
                    1 => PAGE / 5 + random(PAGE - PAGE / 5),
                    _ => PAGE + random(PAGE),
                };
                let mut line = String::new();
                while line.len() < length {
                    line.push(letters[random(letters.len())]);
                }
                line
            })
            .collect();
        let mut text = String::new();
        for line in &lines {
            // A carriage return before an empty line with a line feed would be one ending.
            let last_is_return = text.ends_with('\r') && line.is_empty();
            text += line;
            text += endings[if last_is_return { 1 } else { random(endings.len()) }];
        }
        let unicode = Separators::parse("unicode").expect("known");
        for source in [kid("cat"), kid("cat").pipe(kid("cat"))] {
            let found = lines_of(&source.stdin_bytes(text.clone()).separators(unicode.clone()));
            assert!(found == lines, "{} lines, not {}", found.len(), lines.len());
        }
    }
    let unicode = Separators::parse("unicode").expect("known");
    assert_eq!(lines_of(&kid("bytes x\\ny").separators(unicode)), ["x", "y"]);
}

#[test]
fn what_is_there_is_delivered_at_once() {
    // The child says one thing and then nothing for a minute.
    let _guard = Guard::new();
    let quiet = kid("bytes one\\ntw -- forever");
    let mut lines = quiet.lines().expect("it starts");
    assert_eq!(soon(|| lines.next()).expect("a line").expect("good"), "one");
    drop(lines);
    let mut chunks = quiet.chunks().expect("it starts");
    assert_eq!(soon(|| chunks.next()).expect("a piece").expect("good"), b"one\ntw");
    drop(chunks);
}

#[test]
fn leaving_early_ends_the_command_without_a_failure() {
    let _guard = Guard::new();
    for line in
        ["lines 5 -- forever", "lines 2000000000", "lines 5 -- exit 9", "grandchild forever -- lines 5 -- forever"]
    {
        let mut lines = kid(line).lines().expect("it starts");
        assert_eq!(lines.next().expect("a line").expect("good"), "line-0");
        soon(|| lines.close());
        assert!(lines.next().is_none() && lines.is_over());
        soon(|| drop(kid(line).chunks().expect("it starts")));
    }
    // One that does not want to end is given its grace.
    let stubborn = kid("ignore TERM -- echo ready -- forever").grace(millis(200));
    let mut lines = stubborn.lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "ready");
    within(millis(2000), || drop(lines));
}

#[test]
fn a_failure_comes_after_the_last_line() {
    let _guard = Guard::new();
    let mut lines = kid("echo a -- echo b -- exit 3").lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "a");
    assert_eq!(lines.next().expect("a line").expect("good"), "b");
    let error = fails(ErrorKind::ExitStatus, lines.next().expect("an error"));
    assert_eq!(error.status(), Some(TerminationStatus::Exited(3)));
    assert!(lines.next().is_none() && lines.next().is_none());

    let mut chunks = kid("echo a -- signal KILL").chunks().expect("it starts");
    assert_eq!(chunks.next().expect("a piece").expect("good"), b"a\n");
    fails(ErrorKind::Signaled, chunks.next().expect("an error"));
    assert!(chunks.next().is_none());

    let piped = kid("exit 4").pipe(kid("echo x"));
    let mut lines = piped.lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("good"), "x");
    assert_eq!(fails(ErrorKind::ExitStatus, lines.next().expect("an error")).stage(), Some(0));
    assert!(kid("exit 5").unchecked().lines().expect("it starts").next().is_none());
}

#[test]
fn standard_error_can_be_captured_beside_the_lines() {
    let _guard = Guard::new();
    let command = kid("flood-err 200000 -- echo a -- exit 3").stderr_capture();
    let results: Vec<_> = soon(|| command.lines().expect("it starts").collect());
    assert_eq!(results.len(), 2);
    let error = fails(ErrorKind::ExitStatus, results.into_iter().nth(1).expect("two"));
    assert_eq!(error.stderr().map(<[u8]>::len), Some(200_000));
}

#[test]
fn output_that_goes_elsewhere_is_no_lines() {
    let _guard = Guard::new();
    soon(|| assert_eq!(lines_of(&kid("echo x").stdout_null()), Vec::<String>::new()));
    // The only output is standard error, led into the stream.
    assert_eq!(lines_of(&kid("echo x -- err y").swap_outputs().stderr_null()), ["y"]);
    assert_eq!(lines_of(&kid("echo x -- err y").stderr_to_stdout()), ["x", "y"]);
}

#[test]
fn a_process_left_behind_does_not_hold_up_the_lines() {
    let _guard = Guard::new();
    let sleep = unique_sleep(11);
    let command = kid(&format!("grandchild close-in + close-err + {sleep} -- bytes a\\nb"));
    let results: Vec<_> = within(millis(2500), || command.lines().expect("it starts").collect());
    let text: Vec<_> = results.iter().map(|line| line.as_deref().unwrap_or("error")).collect();
    assert_eq!(text, ["a", "b", "error"]);
    fails(ErrorKind::OutputHeld, results.into_iter().nth(2).expect("three"));
    kill_strays(&sleep, 1);
}

#[test]
fn a_slow_reader_slows_the_command() {
    // Nothing is read ahead: the child cannot have finished what does not fit into a pipe.
    let _guard = Guard::new();
    let scratch = crate::support::scratch::Scratch::new();
    let marker = scratch.path().join("done");
    let command = kid("lines 100000 -- touch").arg(&marker);
    let mut lines = command.lines().expect("it starts");
    lines.next().expect("a line").expect("good");
    std::thread::sleep(millis(150));
    assert!(!marker.exists(), "somebody reads ahead");
    assert_eq!(lines.count(), 99_999);
    assert!(marker.exists());
}
