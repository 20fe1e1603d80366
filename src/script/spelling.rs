//! What the interpreter gets in place of what was written, and where the two differ.
//!
//! Seven things are spelt in another way for Rhai. Its places are translated back, so that nobody sees it:
//! - `\\0` in strings, which it does not know, is `\\x00`;
//! - `` sh$`…` `` is `` $sh`…` ``, since its custom syntax begins with a symbol of its own;
//! - `defer { … }` is `let __defer_1 = __defer { … };`: a variable, which goes with its block. Further ones of the same
//!   block are `__defer_more { … };`: they go with that variable, since Rhai's parser compares each new name with all
//!   others, and many would take it long;
//! - `catch (e) {` goes on with `e = __caught e;`, so that errors of Rhai's own have the fields of ours;
//! - `m[key] = 1` is `m[__assigned key] = 1`, so that a new key is known from one that is misspelt;
//! - `eval(…)` is `__eval(…)`, which prepares its text as this one is;
//! - in a session `_`, `_1` to `_9`, which are the last values, are `__result_1` to `__result_9`.
//!
//! These words are syntax, and no functions that somebody could call by name; a script that has one of them is refused.

use super::scan::{Place, Scan};

/// The beginning of the names of the variables that stand for `defer`.
pub(super) const DEFERRED: &str = "__defer_";
/// The word for Rhai: with the user's own it would be none for names and properties.
pub(super) const DEFER: &str = "__defer";
/// The beginning of the names of the variables that hold the last values of a session.
pub(super) const RESULT: &str = "__result_";
/// The word for further ones of a block.
pub(super) const DEFER_MORE: &str = "__defer_more";
/// What looks at what was caught.
pub(super) const CAUGHT: &str = "__caught";
/// What an index that is assigned to goes through.
pub(super) const ASSIGNED: &str = "__assigned";

/// The word for `eval`.
pub(super) const EVAL: &str = "__eval";

/// The variable that a session's `_` or `_2` to `_9` means.
#[cfg(feature = "cli")]
pub(super) fn name_of_result(word: &str) -> Option<String> {
    let number = match word.as_bytes() {
        b"_" => b'1',
        [b'_', digit @ b'1'..=b'9'] => *digit,
        _ => return None,
    };
    Some(format!("{RESULT}{}", char::from(number)))
}

/// Whether a word is one of these.
pub(super) fn is_private(word: &str) -> bool {
    word.starts_with("__")
        && ([DEFER, CAUGHT, ASSIGNED, EVAL].contains(&word) || word.starts_with(DEFERRED) || word.starts_with(RESULT))
}

/// One difference: from this byte on, so many bytes are another text.
struct Change {
    at: usize,
    length: usize,
    text: String,
}

/// A message of the interpreter with the words that the user has written.
pub(super) fn unspelt(message: &str) -> String {
    [(EVAL, "eval"), (DEFER_MORE, "defer"), (DEFER, "defer"), (ASSIGNED, "[…] ="), (CAUGHT, "catch")]
        .into_iter()
        .fold(message.to_string(), |message, (ours, theirs)| message.replace(ours, theirs))
}

/// The text for the interpreter, and the places in it where it is longer than what was written, with the number
/// of characters that were added.
pub(super) fn respell(text: &str, scan: &Scan, has_results: bool) -> (String, Vec<(Place, usize)>) {
    let mut changes = Vec::new();
    let mut change = |at, length, text: &str| changes.push(Change { at, length, text: text.to_string() });
    for offset in &scan.nul_escapes {
        change(*offset, 2, "\\x00");
    }
    for template in scan.templates.iter().filter(|template| template.is_shell) {
        change(template.start, 3, "$sh");
    }
    for (number, (block, is_first)) in scan.defers.iter().enumerate() {
        match is_first {
            true => change(block.start, "defer".len(), &format!("let {DEFERRED}{number} = {DEFER}")),
            false => change(block.start, "defer".len(), DEFER_MORE),
        }
        change(block.end, 0, ";");
    }
    for (name, body) in &scan.catches {
        let name = &text[name.clone()];
        change(*body, 0, &format!(" {name} = {CAUGHT} {name};"));
    }
    for word in &scan.evals {
        change(*word, "eval".len(), EVAL);
    }
    for index in &scan.assigned_indexes {
        change(*index, 0, &format!("{ASSIGNED} "));
    }
    for (word, number) in scan.results.iter().filter(|_| has_results) {
        change(word.start, word.len(), &format!("{RESULT}{number}"));
    }
    // A block may begin where another ends.
    changes.sort_by_key(|change| change.at);

    let mut spelt = Spelt::default();
    let mut done = 0;
    let mut additions = Vec::new();
    for Change { at, length, text: new } in changes {
        spelt.push(&text[done..at]);
        let added = new.chars().count().saturating_sub(length);
        if added > 0 {
            additions.push((spelt.end, added));
        }
        spelt.push(&new);
        done = at + length;
    }
    spelt.push(&text[done..]);
    (spelt.text, additions)
}

/// A text, and the place of its end.
struct Spelt {
    text: String,
    end: Place,
}

impl Default for Spelt {
    fn default() -> Self {
        Self { text: String::new(), end: Place { line: 1, column: 1 } }
    }
}

impl Spelt {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        match text.rfind('\n') {
            Some(last) => {
                self.end.line += text.bytes().filter(|byte| *byte == b'\n').count();
                self.end.column = text[last + 1..].chars().count() + 1;
            }
            None => self.end.column += text.chars().count(),
        }
    }
}
