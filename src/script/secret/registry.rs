//! The texts that are secret in a runtime, and how they are kept out of what it shows.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::process::{Error, Output, Rewrite};

use super::spellings;

/// What is shown instead.
pub(crate) const MASK: &str = "***";
/// What a secret becomes in a text of the script: the mask, and a character that is seen nowhere, so that a
/// command is not given the mask in place of the secret.
pub(crate) const MASK_IN_TEXT: &str = "***\u{fe00}";
/// A shorter text cannot be masked: it is a part of too many others.
const SHORTEST: usize = 4;

/// The secrets of a runtime.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Whether there has ever been one: almost always there is none, and this is asked for everything that is
    /// printed.
    is_used: AtomicBool,
    spellings: RwLock<Spellings>,
}

/// By first byte, the longest first.
struct Spellings([Vec<Box<[u8]>>; 256]);

impl Default for Spellings {
    fn default() -> Self {
        let mut known = Self(std::array::from_fn(|_| Vec::new()));
        known.add(MASK_IN_TEXT.into());
        known
    }
}

impl Spellings {
    fn add(&mut self, spelling: Vec<u8>) {
        let Some(first) = spelling.first() else { return };
        let bucket = &mut self.0[usize::from(*first)];
        if !bucket.iter().any(|known| **known == *spelling) {
            let index = bucket.partition_point(|known| known.len() >= spelling.len());
            bucket.insert(index, spelling.into());
        }
    }

    /// Where secrets are; those that overlap are one.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, first) in text.iter().enumerate() {
            let bucket = &self.0[usize::from(*first)];
            let Some(longest) = bucket.iter().find(|spelling| text[start..].starts_with(spelling)) else { continue };
            let end = start + longest.len();
            match found.last_mut() {
                Some(last) if start < last.end => last.end = last.end.max(end),
                _ => found.push(start..end),
            }
        }
        found
    }
}

impl Secrets {
    /// From now on this text is masked.
    ///
    /// # Errors
    /// When it is so short that it would be found everywhere. Nothing is no secret, and is fine.
    pub fn add(&self, text: &str) -> Result<(), String> {
        match text.trim().chars().count() {
            0 => {}
            1..SHORTEST => {
                return Err(format!(
                    "a secret has at least {SHORTEST} characters: a shorter one cannot be told from other text"
                ));
            }
            _ => {
                let mut known = self.spellings.write().unwrap_or_else(PoisonError::into_inner);
                spellings::all(text).into_iter().for_each(|spelling| known.add(spelling));
            }
        }
        self.is_used.store(true, Ordering::Release);
        Ok(())
    }

    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        match self.is_used.load(Ordering::Acquire) {
            true => self.spellings.read().unwrap_or_else(PoisonError::into_inner).find(text),
            false => Vec::new(),
        }
    }

    /// Bytes for people to read.
    pub fn mask_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let found = self.find(text);
        if found.is_empty() {
            return text.into();
        }
        let mut masked = Vec::with_capacity(text.len());
        let mut done = 0;
        for Range { start, end } in found {
            masked.extend_from_slice(&text[done..start]);
            masked.extend_from_slice(MASK.as_bytes());
            done = end;
        }
        masked.extend_from_slice(&text[done..]);
        masked.into()
    }

    /// Text for people to read.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.mask_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => text.into(),
            Cow::Owned(masked) => String::from_utf8_lossy(&masked).into_owned().into(),
        }
    }

    /// A part of a text, without what is left in it of a secret that goes beyond it.
    pub fn mask_part(&self, text: &str, part: Range<usize>) -> String {
        let mut shown = part.clone();
        for found in self.find(text.as_bytes()) {
            if found.start < shown.end && shown.start < found.end {
                shown = shown.start.min(found.start)..shown.end.max(found.end);
            }
        }
        text.get(shown).map_or_else(String::new, |text| self.mask(text).into_owned())
    }

    /// A line of a source text, as wide as before: a caret stands under it.
    pub fn mask_in_place(&self, line: &str) -> String {
        let found = self.find(line.as_bytes());
        let is_secret = |index: usize| found.iter().any(|range| range.contains(&index));
        line.char_indices().map(|(index, c)| if is_secret(index) { '*' } else { c }).collect()
    }

    /// An error for people to read, also what was captured.
    pub fn mask_error(&self, error: Error) -> Error {
        match self.is_used.load(Ordering::Acquire) {
            true => error.rewritten(&Rewrite(&|text| self.mask_bytes(text))),
            false => error,
        }
    }

    /// What a result shows, but for what was captured, which is the script's.
    pub fn mask_output<'o>(&self, output: &'o Output) -> Cow<'o, Output> {
        match self.is_used.load(Ordering::Acquire) {
            true => Cow::Owned(output.rewritten(&Rewrite(&|text| self.mask_bytes(text)))),
            false => Cow::Borrowed(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Secrets {
        let secrets = Secrets::default();
        texts.iter().for_each(|text| secrets.add(text).unwrap());
        secrets
    }

    #[test]
    fn the_longest_is_masked_and_what_overlaps_is_one() {
        let secrets = of(&["token", "token-and-more", "abcdef", "cdefghij"]);
        assert_eq!(secrets.mask("a token, token-and-more, token-and-less"), "a ***, ***, ***-and-less");
        assert_eq!(secrets.mask("abcdefghij abcdefabcdef"), "*** ******");
        assert_eq!(secrets.mask("tokeN"), "tokeN");
    }

    #[test]
    fn any_characters_will_do() {
        let secrets = of(&["a.*b(", "πρβ-ключ", "first line\nand second", "  around  \n"]);
        assert_eq!(secrets.mask("aXXb( a.*b("), "aXXb( ***");
        assert_eq!(secrets.mask("«πρβ-ключ»"), "«***»");
        assert_eq!(secrets.mask("first line\nand second; first line"), "***; ***");
        assert_eq!(secrets.mask(r"first line\nand second, around"), "***, ***");
        assert_eq!(secrets.mask_bytes(b"\xffaround\xff"), &b"\xff***\xff"[..]);
    }

    #[test]
    fn short_texts_are_refused_and_nothing_is_no_secret() {
        let secrets = Secrets::default();
        assert!(secrets.add("").is_ok() && secrets.add(" \n").is_ok());
        assert!(secrets.add("abc").is_err() && secrets.add(" abc\n").is_err() && secrets.add("äöüß").is_ok());
        assert_eq!(secrets.mask("abc äöüß"), "abc ***");
    }

    #[test]
    fn a_part_has_no_piece_of_a_secret() {
        let secrets = of(&["0123456789"]);
        let text = "abc0123456789def";
        assert_eq!(secrets.mask_part(text, 1..5), "bc***");
        assert_eq!(secrets.mask_part(text, 5..7), "***");
        assert_eq!(secrets.mask_part(text, 8..15), "***de");
        assert_eq!(secrets.mask_part(text, 0..3), "abc");
        assert_eq!(secrets.mask_in_place("(0123456789)"), "(**********)");
    }
}
