//! A screen for tests.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Live, Screen, Stream};

/// A screen that understands what we write, one row of 20 columns for each line.
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<Sheet>>);

#[derive(Default)]
struct Sheet {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Sheet {
    fn put(&mut self, text: &str) {
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            while self.rows.len() <= self.row {
                self.rows.push(Vec::new());
            }
            match c {
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                '\r' => self.column = 0,
                '\u{1b}' => {
                    rest.next();
                    let mut number = String::new();
                    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                        number.push(digit);
                    }
                    match rest.next() {
                        Some('A') => self.row -= number.parse().unwrap_or(1),
                        Some('J') => {
                            self.rows.truncate(self.row + 1);
                            self.rows[self.row].truncate(self.column);
                        }
                        _ => {}
                    }
                }
                c => {
                    let (row, column) = (&mut self.rows[self.row], self.column);
                    row.resize(row.len().max(column + 1), ' ');
                    row[column] = c;
                    self.column += 1;
                }
            }
        }
    }
}

impl Paper {
    pub(super) fn put(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(&String::from_utf8_lossy(bytes));
    }

    pub(super) fn live(&self) -> Arc<Live> {
        let paper = self.clone();
        Live::on(Screen {
            write: Box::new(move |bytes| paper.put(bytes)),
            size: Box::new(|| (20, 5)),
            mask: Box::new(|text| text.replace("s3cret", "***")),
        })
    }

    pub(super) fn above(&self, live: &Live, text: &str) {
        let write = |bytes: &[u8]| {
            self.put(bytes);
            Ok(())
        };
        live.above(Stream::Stdout, text.as_bytes(), write).expect("paper takes everything");
    }

    pub(super) fn shown(&self) -> Vec<String> {
        let sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows: Vec<String> = sheet.rows.iter().map(|row| row.iter().collect()).collect();
        rows.into_iter().filter(|row| !row.is_empty()).collect()
    }
}
