//! The inner parts, each by itself: `cargo bench --bench inner`, or one of them: `cargo bench --bench inner -- lines`.

// A benchmark has nobody to give an error to.
#![allow(clippy::unwrap_used)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use procscript::process::{Expression, pipe};
use procscript::script::Runtime;
use procscript::text::{Decoder, Encoding, LineSplitter, Malformed, Separators, TextFormat};

fn main() {
    divan::main();
}

/// As much as a pipe gives at once.
const PIECE: usize = 64 * 1024;

/// A mebibyte of lines like those of a log.
fn log() -> Vec<u8> {
    let lines = (0..).map(|index| format!("2026-01-01T00:00:00Z INFO request {index} served in 12 ms\n"));
    let mut text: Vec<u8> = lines.take(32 * 1024).flat_map(String::into_bytes).collect();
    text.truncate(1 << 20);
    text
}

#[divan::bench(args = ["lines", "unicode", "\0"])]
fn lines(bencher: Bencher, separators: &str) {
    let text = log();
    let separators = Separators::parse(separators).unwrap();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let format = TextFormat { separators: separators.clone(), max_line: None, ..TextFormat::default() };
        let mut splitter = LineSplitter::new(format);
        let mut count = 0;
        for piece in text.chunks(PIECE) {
            splitter.push(piece);
            while let Some(line) = splitter.next_line().unwrap() {
                count += black_box(line).len();
            }
        }
        count
    });
}

#[divan::bench(args = ["utf-8", "utf-16le", "windows-1252", "shift_jis"])]
fn decode(bencher: Bencher, label: &str) {
    let encoding = Encoding::for_label(label).unwrap();
    let text = encoding.encode(std::str::from_utf8(&log()).unwrap()).unwrap();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut decoder = Decoder::new(encoding, Malformed::Strict);
        let mut out = String::new();
        for piece in text.chunks(PIECE) {
            decoder.decode(piece, false, &mut out).unwrap();
        }
        decoder.decode(&[], true, &mut out).unwrap();
        out.len()
    });
}

/// Parsing and checking a script of so many templates.
#[divan::bench(args = [1, 10, 100])]
fn template_check(bencher: Bencher, count: usize) {
    let runtime = Runtime::builder().build().unwrap();
    let line = "let found = $`git log --format='%H %s' ${since}..HEAD -- ${dirs} | head -n 5 2>/dev/null`.read();\n";
    let script = format!("let since = \"v1\"; let dirs = [\"a\", \"b\"];\n{}print(found);", line.repeat(count));
    bencher.counter(ItemsCount::new(count)).bench_local(|| runtime.load("bench", &script).unwrap());
}

/// Building the command of a template, without running it.
#[divan::bench]
fn template_build(bencher: Bencher) {
    let line = "c = $`git log ${x}..HEAD -- ${[x, x]}`;";
    let script = format!("let x = \"v1\"; let c = (); for i in 0..1000 {{ {line} }} print(type_of(c));");
    let runtime = Runtime::builder().stdout(|_| {}).build().unwrap();
    let script = runtime.load("bench", &script).unwrap();
    bencher.counter(ItemsCount::new(1000_usize)).bench_local(|| runtime.run(&script).unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 20)]
fn spawn(bencher: Bencher) {
    let command = Expression::new("/bin/true");
    bencher.bench_local(|| command.run().unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 20)]
fn capture(bencher: Bencher) {
    let command = Expression::new("/bin/echo").arg("hi");
    bencher.bench_local(|| command.read().unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 5)]
fn pipeline(bencher: Bencher) {
    let command =
        pipe([Expression::new("/bin/echo").arg("hi"), Expression::new("/bin/cat"), Expression::new("/bin/cat")])
            .unwrap();
    bencher.bench_local(|| command.read().unwrap());
}

/// What the child writes as fast as it can.
#[divan::bench(sample_count = 20, sample_size = 1, args = [1, 16, 64])]
fn capture_mebibytes(bencher: Bencher, count: usize) {
    let command = Expression::new("head").arg("-c").arg(format!("{count}M")).arg("/dev/zero").limit(u64::MAX);
    bencher.counter(BytesCount::new(count << 20)).bench_local(|| command.bytes().unwrap());
}
