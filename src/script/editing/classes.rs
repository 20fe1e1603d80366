//! What the parts of a text are, for colours.

use std::ops::Range;
use std::sync::Arc;

use crate::process::Context;
use crate::script::docs::{Kind as What, Reference};
use crate::script::format::{Kind, Token, tokens};
use crate::script::scan::{Scan, Template, Unclosed, scan};

use super::names::KEYWORDS;
use super::programs::Programs;
use super::words::{self, Role, Word};

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A comment.
    Comment,
    /// A word of the language.
    Keyword,
    /// A number.
    Number,
    /// The literal text of a string or a character.
    String,
    /// The literal text of a command template.
    Template,
    /// The `${` and `}` around a value in a text.
    Slot,
    /// The name of a function that comes with procscript.
    Function,
    /// The name of a program that is there.
    Program,
    /// The name of a program that could not be started.
    MissingProgram,
}

/// So deep texts in texts are looked into.
const DEEPEST: usize = 16;

/// Finds out what the parts of texts are.
pub(crate) struct Classifier {
    context: Context,
    functions: Vec<String>,
    programs: Arc<Programs>,
}

impl Classifier {
    pub(super) fn new(context: Context, reference: Arc<Reference>, programs: Arc<Programs>) -> Self {
        let named = super::members::signatures(&reference).filter(|(topic, _)| topic.module.is_none());
        let named = named.filter(|(_, signature)| signature.kind == What::Function);
        let mut functions: Vec<String> = named.map(|(_, signature)| signature.name.clone()).collect();
        functions.sort();
        functions.dedup();
        Self { context, functions, programs }
    }

    /// The parts of a text in their order.
    pub fn classes(&self, text: &str) -> Vec<(Range<usize>, Class)> {
        let mut found = Vec::new();
        self.code(text, 0, 0, &mut found);
        found
    }

    /// The brackets that belong to the one at a place in code: both ends, or nothing.
    pub fn partner(text: &str, at: usize) -> Option<usize> {
        partner(text, at, 0)
    }

    fn code(&self, text: &str, offset: usize, depth: usize, found: &mut Vec<(Range<usize>, Class)>) {
        let scan = scan(text);
        let open = open_text(&scan);
        let code = &text[..open.map_or(text.len(), |(_, at)| at)];
        let tokens = match open {
            // The scan of the whole would have what is in the open text.
            Some(_) => tokens(code, &super::scan::scan(code)),
            None => tokens(code, &scan),
        };
        let around = Around { text, scan: &scan, offset, depth };
        for (index, token) in tokens.iter().enumerate() {
            let range = token.range.clone();
            let class = match token.kind {
                Kind::LineComment | Kind::BlockComment => Some(Class::Comment),
                Kind::Number => Some(Class::Number),
                Kind::Word => self.word(code, &tokens, index),
                Kind::Text => {
                    self.text(&around, range, self.string_class(code, &tokens, index), found);
                    continue;
                }
                Kind::Open | Kind::Close | Kind::Symbol | Kind::Other => None,
            };
            found.extend(class.map(|class| around.part(range.start, range.end, class)));
        }
        match open {
            Some((Unclosed::Comment, at)) => found.push(around.part(at, text.len(), Class::Comment)),
            Some((_, at)) => self.text(&around, at..text.len(), Class::String, found),
            None => {}
        }
    }

    fn word(&self, code: &str, tokens: &[Token], index: usize) -> Option<Class> {
        let text = tokens[index].text(code);
        let before = index.checked_sub(1).map_or("", |at| tokens[at].text(code));
        let after = tokens.get(index + 1).map_or("", |token| token.text(code));
        let is_member = matches!(before, "." | "?.");
        let is_syntax = matches!((text, after), ("with", _) | ("defer", "{"));
        if !is_member && (KEYWORDS.contains(&text) || is_syntax) {
            return Some(Class::Keyword);
        }
        let is_call = after == "(" && before != "fn" && before != "::";
        let is_known = || self.functions.binary_search_by(|name| name.as_str().cmp(text)).is_ok();
        (is_call && is_known()).then_some(Class::Function)
    }

    /// A string that names a program is one: `cmd("git", …)`, `cmd(["git", …])`.
    fn string_class(&self, code: &str, tokens: &[Token], index: usize) -> Class {
        let text = |back: usize| index.checked_sub(back).map_or("", |at| tokens[at].text(code));
        let is_program = (text(1) == "(" && text(2) == "cmd" && text(3) != ".")
            || (text(1) == "[" && text(2) == "(" && text(3) == "cmd" && text(4) != ".");
        let name = tokens[index].text(code).strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match name.filter(|name| is_program && !name.is_empty() && !name.contains('\\')) {
            Some(name) => self.program_class(name),
            None => Class::String,
        }
    }

    fn program_class(&self, name: &str) -> Class {
        match self.programs.has(&self.context, name) {
            true => Class::Program,
            false => Class::MissingProgram,
        }
    }

    /// A text with its slots.
    fn text(&self, around: &Around, range: Range<usize>, class: Class, found: &mut Vec<(Range<usize>, Class)>) {
        let Around { text, scan, offset, depth } = *around;
        let template = scan.templates.iter().find(|template| template.start == range.start);
        let class = if template.is_some() { Class::Template } else { class };
        let programs = template.map(|template| self.programs_of(text, template)).unwrap_or_default();
        let slots = scan.templates.iter().flat_map(|template| &template.slots).chain(&scan.interpolations);
        let mut slots: Vec<&Range<usize>> =
            slots.filter(|slot| range.start < slot.start && slot.end <= range.end).collect();
        slots.sort_by_key(|slot| slot.start);
        let mut at = range.start;
        for slot in slots {
            // One that is in another.
            if slot.start < at {
                continue;
            }
            around.literal(at, slot.start - 2, class, &programs, found);
            found.push(around.part(slot.start - 2, slot.start, Class::Slot));
            if depth < DEEPEST {
                self.code(&text[slot.clone()], offset + slot.start, depth + 1, found);
            }
            at = slot.end;
            if at < range.end {
                found.push(around.part(at, at + 1, Class::Slot));
                at += 1;
            }
        }
        around.literal(at, range.end, class, &programs, found);
    }

    fn programs_of(&self, text: &str, template: &Template) -> Vec<(Range<usize>, Class)> {
        if template.is_shell {
            return Vec::new();
        }
        // The one that is being typed is not known yet.
        let is_typed = |word: &Word| template.end.is_none() && word.range.end == text.len();
        let words = words::words(text, template).into_iter();
        let named = words.filter(|word| word.role == Role::Program && !is_typed(word)).filter_map(|word| {
            let name = word.value.filter(|name| !name.is_empty())?;
            Some((word.range, self.program_class(&name)))
        });
        named.collect()
    }
}

/// A text that is walked over, and where it is in the whole.
#[derive(Clone, Copy)]
struct Around<'a> {
    text: &'a str,
    scan: &'a Scan,
    offset: usize,
    depth: usize,
}

impl Around<'_> {
    fn part(&self, start: usize, end: usize, class: Class) -> (Range<usize>, Class) {
        (start + self.offset..end + self.offset, class)
    }

    /// Literal text, with programs in it.
    fn literal(
        &self,
        start: usize,
        end: usize,
        class: Class,
        programs: &[(Range<usize>, Class)],
        found: &mut Vec<(Range<usize>, Class)>,
    ) {
        let mut at = start;
        for (word, of_word) in programs.iter().filter(|(word, _)| start <= word.start && word.end <= end) {
            if at < word.start {
                found.push(self.part(at, word.start, class));
            }
            found.push(self.part(word.start, word.end, *of_word));
            at = word.end;
        }
        if at < end {
            found.push(self.part(at, end, class));
        }
    }
}

/// The outermost text or comment that is open at the end.
fn open_text(scan: &Scan) -> Option<(Unclosed, usize)> {
    let is_bracket =
        |what: &Unclosed| matches!(what, Unclosed::Paren | Unclosed::Bracket | Unclosed::Brace | Unclosed::Slot);
    scan.open.iter().find(|(what, _)| !is_bracket(what)).copied()
}

fn partner(text: &str, at: usize, depth: usize) -> Option<usize> {
    let found = scan(text);
    let end = open_text(&found).map_or(text.len(), |(_, at)| at);
    let slots = found.templates.iter().flat_map(|template| &template.slots).chain(&found.interpolations);
    // In the innermost code that the bracket is in.
    if let Some(slot) = slots.filter(|slot| slot.contains(&at)).min_by_key(|slot| slot.end - slot.start) {
        return match depth < DEEPEST {
            true => partner(&text[slot.clone()], at - slot.start, depth + 1).map(|partner| partner + slot.start),
            false => None,
        };
    }
    let code = &text[..end];
    let tokens = tokens(code, &scan(code));
    let index = tokens.iter().position(|token| token.range.contains(&at))?;
    let closes = tokens[index].kind == Kind::Close;
    let mut level = 0_i32;
    let look = |token: &Token| {
        level += match token.kind {
            Kind::Open => 1,
            Kind::Close => -1,
            _ => 0,
        };
        (level == 0).then(|| token.range.end - 1)
    };
    match (tokens[index].kind, closes) {
        (_, true) => tokens[..=index].iter().rev().find_map(look),
        (Kind::Open, _) => tokens[index..].iter().find_map(look),
        _ => None,
    }
}
