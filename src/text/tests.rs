//! Cases in which every way to cut the bytes must give the same lines and the same error.

mod encodings;
mod endings;
mod limits;
mod noise;
mod skipping;

use super::{Encoding, LineSplitter, Malformed, Separators, TextError, TextFormat};

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
fn split_chunks<'a>(format: &TextFormat, chunks: impl IntoIterator<Item = &'a [u8]>, eager: bool) -> Outcome {
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
            assert_eq!(outcome, whole, "{format:?} {bytes:x?} cut at {first}, {second}");
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
    assert_eq!((found, error), (lines.iter().map(|l| l.to_string()).collect(), None));
}

#[track_caller]
fn check_error(format: &TextFormat, bytes: impl AsRef<[u8]>, lines: &[&str], message: &str) {
    let (found, error) = split(format, bytes.as_ref());
    assert_eq!(found, lines);
    assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
}

fn lines() -> TextFormat {
    TextFormat::default()
}

fn separated(separator: &str) -> TextFormat {
    let separators = Separators::parse(separator).expect("the tests pass no empty separator");
    TextFormat { separators, ..lines() }
}

fn encoded(label: &str) -> TextFormat {
    let encoding = Encoding::for_label(label).expect("the tests pass known labels");
    TextFormat { encoding, ..lines() }
}

fn limited(limit: usize, separator: &str) -> TextFormat {
    TextFormat { max_line: Some(limit), ..separated(separator) }
}

fn lossy(format: TextFormat) -> TextFormat {
    TextFormat { malformed: Malformed::Lossy, ..format }
}
