//! What ends a line, and finding it.

use std::error::Error;
use std::fmt;

use memchr::memchr;
use memchr::memmem::Finder;

/// What ends a line.
///
/// ```
/// use procscript::text::Separators;
///
/// assert_eq!(Separators::default(), Separators::Lines);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Separators {
    /// A line feed, or a carriage return and a line feed. A carriage return alone is text.
    #[default]
    Lines,
    /// Every line break of Unicode: LF, VT, FF, CR, CRLF, NEL, LS and PS
    /// ([UAX 14](https://www.unicode.org/reports/tr14/#BK), which is also what Swift takes).
    Unicode,
    /// This text, exactly: `"\0"` for `git ls-files -z`. With `"\n"` a carriage return before
    /// it stays in the line. Empty text occurs nowhere, so that everything is one line.
    Text(String),
}

impl Separators {
    /// Reads the name `lines` or `unicode`; anything else is a separator itself.
    ///
    /// # Errors
    ///
    /// [`EmptySeparator`] for empty text.
    ///
    /// ```
    /// use procscript::text::Separators;
    ///
    /// assert_eq!(Separators::parse("unicode")?, Separators::Unicode);
    /// assert_eq!(Separators::parse("\0")?, Separators::Text("\0".to_owned()));
    /// assert!(Separators::parse("").is_err());
    /// # Ok::<(), procscript::text::EmptySeparator>(())
    /// ```
    pub fn parse(text: &str) -> Result<Separators, EmptySeparator> {
        match text {
            "lines" => Ok(Separators::Lines),
            "unicode" => Ok(Separators::Unicode),
            "" => Err(EmptySeparator),
            text => Ok(Separators::Text(text.to_owned())),
        }
    }
}

/// A separator without any text, which would be everywhere.
///
/// Returned by [`Separators::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptySeparator;

impl fmt::Display for EmptySeparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the separator must not be empty")
    }
}

impl Error for EmptySeparator {}

/// What a search found.
pub(super) enum Search {
    /// A separator, from the first position up to the second.
    Found(usize, usize),
    /// No separator begins before this position. After it, more text may complete one.
    NotBefore(usize),
}

/// [`Separators`], made ready for searching.
///
/// Searches look at bytes, which is safe in UTF-8: a separator is whole characters, and no
/// character's bytes occur inside another's.
#[derive(Debug)]
pub(super) enum Searcher {
    Lines,
    Unicode,
    Text(Box<Finder<'static>>),
    Never,
}

impl Searcher {
    pub(super) fn new(separators: &Separators) -> Searcher {
        match separators {
            Separators::Lines => Searcher::Lines,
            Separators::Unicode => Searcher::Unicode,
            Separators::Text(text) if text.is_empty() => Searcher::Never,
            Separators::Text(text) => Searcher::Text(Box::new(Finder::new(text).into_owned())),
        }
    }

    /// Whether LF and CRLF end a line.
    pub(super) fn is_lines(&self) -> bool {
        matches!(self, Searcher::Lines)
    }

    /// Finds the first separator that begins at or after `from`: where a line begins, or where an
    /// earlier search of that line ended. `ended` says that no text can follow this `text`.
    pub(super) fn search(&self, text: &[u8], from: usize, ended: bool) -> Search {
        match self {
            Searcher::Lines => search_lines(text, from),
            Searcher::Unicode => search_unicode(text, from, ended),
            Searcher::Text(finder) => search_text(finder, text, from),
            Searcher::Never => Search::NotBefore(text.len()),
        }
    }
}

fn search_lines(text: &[u8], from: usize) -> Search {
    match memchr(b'\n', &text[from..]) {
        Some(at) => {
            let feed = from + at;
            let after_return = text[from..feed].last() == Some(&b'\r');
            Search::Found(feed - usize::from(after_return), feed + 1)
        }
        None => {
            // The next search has to see a carriage return before its line feed.
            let after_return = text[from..].last() == Some(&b'\r');
            Search::NotBefore(text.len() - usize::from(after_return))
        }
    }
}

fn search_unicode(text: &[u8], mut from: usize, ended: bool) -> Search {
    // Every separator begins with one of these bytes. The last two begin other characters too.
    let may_begin = |byte: &u8| matches!(byte, b'\n'..=b'\r' | 0xc2 | 0xe2);
    while let Some(at) = text[from..].iter().position(may_begin) {
        let start = from + at;
        let length = match &text[start..] {
            [b'\r'] if !ended => return Search::NotBefore(start),
            [b'\r', b'\n', ..] | [0xc2, 0x85, ..] => 2,
            [b'\n'..=b'\r', ..] => 1,
            [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
            _ => 0,
        };
        if length > 0 {
            return Search::Found(start, start + length);
        }
        from = start + 1;
    }
    Search::NotBefore(text.len())
}

fn search_text(finder: &Finder<'_>, text: &[u8], from: usize) -> Search {
    let length = finder.needle().len();
    match finder.find(&text[from..]) {
        Some(at) => Search::Found(from + at, from + at + length),
        // The end of the text may be all of a separator but its last byte.
        None => Search::NotBefore(text.len().saturating_sub(length - 1).max(from)),
    }
}
