//! Colours of what is typed.

use std::borrow::Cow;
use std::ops::Range;

use rustyline::CompletionType;
use rustyline::highlight::{CmdKind, Highlighter};

use super::{Helper, Parts};
use crate::script::{Class, Classifier};
use crate::terminal;

/// A longer entry is shown without colours: a paste of a whole file must not wait for them.
const LONGEST_COLOURED: usize = 64 * 1024;

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        let Some(classifier) = self.classifier.as_ref().filter(|_| line.len() <= LONGEST_COLOURED) else {
            return Cow::Borrowed(line);
        };
        let mut known = self.parts.borrow_mut();
        let parts = match &mut *known {
            Some((text, parts)) if text == line => parts,
            known => &mut known.insert((line.to_string(), parts(classifier, line))).1,
        };
        Cow::Owned(painted(line, parts, self.brackets.get()))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(paint(prompt, "bold"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(paint(hint, "dim"))
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        match candidate.split_once("  ") {
            Some((name, about)) => Cow::Owned(format!("{name}  {}", paint(about, "dim"))),
            None => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        let had = self.brackets.take();
        if kind == CmdKind::ForcedRefresh {
            return had.is_some();
        }
        if line.len() <= LONGEST_COLOURED {
            self.brackets.set(brackets_at(line, pos));
        }
        // A letter may change the colour of everything.
        kind == CmdKind::Other || self.brackets.get() != had
    }
}

/// The bracket under the cursor or in front of it, with its partner.
fn brackets_at(line: &str, pos: usize) -> Option<(usize, usize)> {
    let is_bracket = |at: &usize| line.as_bytes().get(*at).is_some_and(|byte| b"()[]{}".contains(byte));
    let at = [Some(pos), pos.checked_sub(1)].into_iter().flatten().find(is_bracket)?;
    Classifier::partner(line, at).map(|partner| (at, partner))
}

/// The parts of an entry, of a meta command or of a line for the shell.
fn parts(classifier: &Classifier, line: &str) -> Parts {
    if line.starts_with('!') {
        return vec![(0..1, Class::Keyword)];
    }
    if !line.starts_with(':') {
        return classifier.classes(line);
    }
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let mut parts = vec![(0..end, Class::Keyword)];
    if matches!(&line[..end], ":type" | ":time") {
        let rest = classifier.classes(&line[end..]).into_iter();
        parts.extend(rest.map(|(range, class)| (range.start + end..range.end + end, class)));
    }
    parts
}

fn painted(line: &str, parts: &[(Range<usize>, Class)], brackets: Option<(usize, usize)>) -> String {
    let mut text = String::with_capacity(line.len() * 2);
    let mut at = 0;
    let plain = |from: usize, to: usize, text: &mut String| {
        // Brackets are in no part.
        for (offset, char) in line[from..to].char_indices() {
            let offset = from + offset;
            match brackets.is_some_and(|(one, other)| one == offset || other == offset) {
                true => text.push_str(&paint(&char.to_string(), "bold cyan")),
                false => text.push(char),
            }
        }
    };
    for (range, class) in parts {
        plain(at, range.start, &mut text);
        text.push_str(&paint(&line[range.clone()], words(*class)));
        at = range.end;
    }
    plain(at, line.len(), &mut text);
    text
}

fn words(class: Class) -> &'static str {
    match class {
        Class::Comment => "dim",
        Class::Keyword => "magenta",
        Class::Number => "cyan",
        Class::String => "green",
        Class::Template => "yellow",
        Class::Slot => "bold",
        Class::Function => "blue",
        Class::Program => "bold green",
        Class::MissingProgram => "red underline",
    }
}

fn paint(text: &str, words: &str) -> String {
    match terminal::style(words) {
        Ok(style) => terminal::paint(text, style),
        Err(_) => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Runtime, Session};

    fn stripped(text: &str) -> String {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn colours_take_no_room() {
        let session = Session::new(Runtime::builder().build().expect("a runtime"));
        let helper = Helper { classifier: Some(session.classifier()), ..Helper::default() };
        for line in
            ["let x = cmd(\"ls\", [1, \"ü\"]); // c", "`a ${f(\"b\")} c", ":time f(1)", "!ls", "", "x\ny(", "$`a | b"]
        {
            for pos in 0..=line.len() {
                helper.highlight_char(line, pos, CmdKind::Other);
                assert_eq!(stripped(&helper.highlight(line, pos)), line);
            }
        }
        let line = "f([1])";
        helper.highlight_char(line, 6, CmdKind::MoveCursor);
        assert!(helper.highlight(line, 6).starts_with("f\u{1b}[1m\u{1b}[36m("), "{:?}", helper.highlight(line, 6));
        helper.highlight_char(line, 6, CmdKind::ForcedRefresh);
        assert!(helper.highlight(line, 6).starts_with("f("));
    }
}
