//! Much data, slow data, and data that is passed on.

use std::time::Duration;

use crate::stream::{Stream, read};

/// As much as a pipe holds, usually.
const CHUNK: usize = 64 * 1024;

/// `total` bytes to each stream, in turns, so that a reader of only one of them is found out.
pub fn flood(streams: &[Stream], byte: u8, total: usize) {
    let chunk = vec![byte; CHUNK.min(total)];
    let mut left = total;
    while left > 0 {
        let size = left.min(CHUNK);
        streams.iter().for_each(|stream| stream.write(&chunk[..size]));
        left -= size;
    }
}

pub fn write_lines(out: &Stream, count: usize, pause: Duration) {
    // Without a pause the speed matters, so lines go out in large pieces.
    let mut pending = Vec::new();
    for number in 0..count {
        pending.extend_from_slice(format!("line-{number}\n").as_bytes());
        if pending.len() >= CHUNK || !pause.is_zero() {
            out.write(&pending);
            pending.clear();
            std::thread::sleep(pause);
        }
    }
    out.write(&pending);
}

pub fn burst(out: &Stream, count: usize, pause: Duration, text: &[u8]) {
    for _ in 0..count {
        out.write(text);
        std::thread::sleep(pause);
    }
}

/// Copies standard input as it arrives and returns how many bytes came.
pub fn copy(targets: &[Stream], mut change: impl FnMut(&mut [u8])) -> usize {
    let mut buffer = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let size = read(&mut buffer);
        if size == 0 {
            return total;
        }
        change(&mut buffer[..size]);
        targets.iter().for_each(|target| target.write(&buffer[..size]));
        total += size;
    }
}

/// Byte by byte, because what follows the line belongs to whoever reads next.
pub fn read_line() -> Vec<u8> {
    let mut line = Vec::new();
    let mut byte = [0];
    while read(&mut byte) == 1 {
        if byte[0] == b'\n' {
            return line;
        }
        line.push(byte[0]);
    }
    if line.is_empty() { b"end of input".to_vec() } else { line }
}
