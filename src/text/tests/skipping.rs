//! Lines that are passed over are those that nobody wanted, however the bytes are cut.

use memchr::memmem::Finder;

use super::{LineSplitter, Outcome, Separators, TextError, TextFormat, split_chunks, take_lines};

/// The lines with a part when the bytes come in pieces of this size, and how many lines were given out for that.
fn wanted(format: &TextFormat, bytes: &[u8], size: usize, part: &str) -> (Outcome, usize) {
    let mut splitter = LineSplitter::new(format.clone());
    let (mut outcome, mut given) = (Outcome::default(), 0);
    let finder = Finder::new(part);
    let mut pieces: Vec<Option<&[u8]>> = bytes.chunks(size).map(Some).collect();
    pieces.push(None);
    for piece in pieces {
        match piece {
            Some(piece) => splitter.push(piece),
            None => splitter.finish(),
        }
        loop {
            splitter.skip_lines_without(&finder);
            match splitter.next_line() {
                Ok(Some(line)) => {
                    given += 1;
                    outcome.0.extend(Some(line.to_owned()).filter(|line| line.contains(part)));
                }
                Ok(None) => break,
                Err(error) => {
                    outcome.1 = Some(error);
                    break;
                }
            }
        }
    }
    (outcome, given)
}

/// How many lines there are with a part when as many as possible are counted at once, and what ended them.
fn counted(format: &TextFormat, bytes: &[u8], size: usize, part: Option<&str>) -> (usize, Option<TextError>) {
    let mut splitter = LineSplitter::new(format.clone());
    let finder = part.map(Finder::new);
    let mut count = 0;
    let mut pieces: Vec<Option<&[u8]>> = bytes.chunks(size).map(Some).collect();
    pieces.push(None);
    for piece in pieces {
        match piece {
            Some(piece) => splitter.push(piece),
            None => splitter.finish(),
        }
        loop {
            count += splitter.count_at_hand(finder.as_ref());
            match splitter.next_line() {
                Ok(Some(line)) => count += usize::from(part.is_none_or(|part| line.contains(part))),
                Ok(None) => break,
                Err(error) => return (count, Some(error)),
            }
        }
    }
    (count, None)
}

fn check(bytes: &[u8]) {
    for part in ["a", "ab", "aa", "a\r", "\n", "é"] {
        for separators in ["lines", "unicode", "b"] {
            for max_line in [None, Some(3), Some(8)] {
                let separators = Separators::parse(separators).unwrap();
                let format = TextFormat { separators, max_line, ..TextFormat::default() };
                let mut whole = split_chunks(&format, [bytes], true);
                let all = (whole.0.len(), whole.1.clone());
                whole.0.retain(|line| line.contains(part));
                for size in 1..=bytes.len().max(1) {
                    let (outcome, _) = wanted(&format, bytes, size, part);
                    let case = format!("{part:?} {format:?} {bytes:x?} in chunks of {size}");
                    assert_eq!(outcome, whole, "{case}");
                    let whole = (whole.0.len(), whole.1.clone());
                    assert_eq!(counted(&format, bytes, size, Some(part)), whole, "{case}, counted");
                    assert_eq!(counted(&format, bytes, size, None), all, "{case}, all counted");
                }
            }
        }
    }
}

#[test]
fn only_unwanted_lines_are_passed_over() {
    let texts: [&[u8]; 8] = [
        b"",
        b"a",
        b"x\ny\nab\nxx\na",
        b"x\r\na\r\ny\r\n\r\n",
        b"xxxx\nyyyyyyyyyy\na\n",
        b"aaa\naaaaaaaaaaaa\nx",
        "x\ncaf\u{e9}\ny\n".as_bytes(),
        b"x\na\n\xffa\nx\n",
    ];
    texts.into_iter().for_each(check);
    let mut seed = 11_u64;
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..14)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b"aabx\n\n\r\xc3\xa9"[(seed >> 40) as usize % 9]
            })
            .collect();
        check(&bytes);
    }
}

#[test]
fn what_nobody_wants_is_not_split() {
    let unwanted = "nothing here\n".repeat(10_000);
    let text = format!("{unwanted}a line\n{unwanted}");
    let (outcome, given) = wanted(&TextFormat::default(), text.as_bytes(), 64 * 1024, "a line");
    assert_eq!(outcome.0, ["a line"]);
    assert!(given < 10, "{given} lines were split off");
    // The number of a line that is too long counts those that were passed over.
    let long = format!("{text}{}", "x".repeat(200_000));
    let (outcome, _) = wanted(&TextFormat::default(), long.as_bytes(), 64 * 1024, "a line");
    assert_eq!(outcome.1.unwrap().to_string(), {
        let mut splitter = LineSplitter::new(TextFormat::default());
        let mut outcome = Outcome::default();
        splitter.push(long.as_bytes());
        take_lines(&mut splitter, &mut outcome);
        outcome.1.unwrap().to_string()
    });
}
