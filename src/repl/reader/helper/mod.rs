//! What rustyline asks while an entry is typed: colours, hints, completions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustyline::completion::{self, Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Context};

use super::keys::InterruptState;
use super::past::Prefix;
use super::typing::Typing;
use super::{Argument, MetaCommand, Settings};
use crate::script::{Candidate, Class, Classifier, Completions, Session};
use crate::terminal;
use crate::terminal::grouped;

/// So few candidates are shown with what they are, one on a line.
const DESCRIBED: usize = 16;
/// A longer entry is shown without colours: a paste of a whole file must not wait for them.
const LONGEST_COLOURED: usize = 64 * 1024;

/// A question to the session, which is borrowed by a thread of its own while the editor reads: rustyline owns what it
/// asks for longer than the session is lent.
type Question = Box<dyn FnOnce(&Session) + Send>;

/// Answers questions about a session until nobody can ask any more.
pub(super) fn answer(session: &Session, questions: &Receiver<Question>) {
    for question in questions {
        // A fault in what only helps with typing must not cost the session: the question stays without an answer.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| question(session)));
    }
}

/// Ranges of a text in their order.
type Parts = Vec<(Range<usize>, Class)>;

#[derive(Default)]
pub(super) struct Helper {
    pub settings: Settings,
    pub commands: Vec<MetaCommand>,
    pub prefix: Prefix,
    pub interrupts: Arc<InterruptState>,
    /// What colours are found out with; set for each read, since the environment may have changed.
    pub classifier: Option<Classifier>,
    asks: Option<Sender<Question>>,
    /// The parts of the text that was shown last.
    parts: RefCell<Option<(String, Parts)>>,
    /// The bracket at the cursor and its partner.
    brackets: Cell<Option<(usize, usize)>>,
}

impl Helper {
    pub fn new(prefix: Prefix, interrupts: Arc<InterruptState>) -> Self {
        Self { prefix, interrupts, ..Self::default() }
    }

    /// Where the questions of the next read will come from.
    pub fn begin(&mut self) -> Receiver<Question> {
        let (sender, receiver) = channel();
        self.asks = Some(sender);
        *self.parts.borrow_mut() = None;
        self.brackets.set(None);
        receiver
    }

    /// Nobody asks any more.
    pub fn end(&mut self) {
        self.asks = None;
    }

    fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Session) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = channel();
        let question: Question = Box::new(move |session| {
            let _ = sender.send(question(session));
        });
        self.asks.as_ref()?.send(question).ok()?;
        receiver.recv().ok()
    }

    fn completions(&self, line: &str, cursor: usize) -> Completions {
        let before = &line[..cursor];
        if before.starts_with(':') {
            return self.meta(line, cursor);
        }
        if let Some(shell) = before.strip_prefix('!') {
            // Its words are those of a template, as far as typing goes.
            let text = format!("$`{shell}");
            let cursor = text.len();
            let found = self.ask(move |session| session.complete(&text, cursor)).unwrap_or_default();
            return Completions { start: found.start.saturating_sub(1), ..found };
        }
        let text = before.to_string();
        self.ask(move |session| session.complete(&text, text.len())).unwrap_or_default()
    }

    /// Meta commands and what follows them.
    fn meta(&self, line: &str, cursor: usize) -> Completions {
        let before = &line[..cursor];
        let Some(space) = before.find(char::is_whitespace) else {
            let named = self.commands.iter().filter(|command| command.name.starts_with(before));
            let candidates = named.map(|command| Candidate {
                label: command.name.clone(),
                text: command.name.clone(),
                about: Some(command.summary.clone()),
            });
            return Completions { start: 0, candidates: candidates.collect(), more: 0 };
        };
        let start = space + before[space..].len() - before[space..].trim_start().len();
        let partial = before[start..].to_string();
        let argument = self.commands.iter().find(|command| command.name == before[..space]);
        let found = match argument.map(|command| &command.argument) {
            None | Some(Argument::None) => None,
            Some(Argument::Code) => self.ask(move |session| session.complete(&partial, partial.len())),
            Some(Argument::Path) => self.ask(move |session| session.complete_path(&partial)),
            Some(Argument::Documented) => self.ask(move |session| Completions {
                candidates: session.complete_documented(&partial),
                ..Completions::default()
            }),
            Some(Argument::OneOf(words)) => {
                let words = words.iter().filter(|word| word.starts_with(&partial));
                let of = |word: &String| Candidate { label: word.clone(), text: word.clone(), about: None };
                Some(Completions { candidates: words.map(of).collect(), ..Completions::default() })
            }
        };
        let mut found = found.unwrap_or_default();
        found.start += start;
        found
    }

    /// The rest of the newest entry that begins so.
    fn from_history(line: &str, context: &Context) -> Option<String> {
        let last = context.history().len().checked_sub(1)?;
        let mut index = last;
        loop {
            let found = context.history().starts_with(line, index, SearchDirection::Reverse).ok()??;
            if let Some(rest) = found.entry.strip_prefix(line).filter(|rest| !rest.is_empty()) {
                return Some(rest.to_string());
            }
            index = found.idx.checked_sub(1)?;
        }
    }

    /// How the function is called whose arguments are about to be written.
    fn signature(&self, line: &str) -> Option<String> {
        if !line.trim_end().ends_with(['(', ',']) || line.starts_with([':', '!']) {
            return None;
        }
        let text = line.to_string();
        self.ask(move |session| session.signature_at(&text, text.len())).flatten().filter(|text| !text.is_empty())
    }
}

impl rustyline::Helper for Helper {}
impl Validator for Helper {}

/// What is shown behind the cursor.
pub(super) enum Suggestion {
    /// The rest of an entry, which can be accepted.
    Rest(String),
    /// Something to know.
    Note(String),
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        let (Self::Rest(text) | Self::Note(text)) = self;
        text
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Self::Rest(text) => Some(text),
            Self::Note(_) => None,
        }
    }
}

impl Hinter for Helper {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        let is_back = context.history_index() < context.history().len();
        if !is_back {
            self.prefix.set(line);
        }
        // Without colours it could not be told from what was typed.
        if !self.settings.hints || !self.settings.color || is_back || pos < line.len() || line.is_empty() {
            return None;
        }
        let rest = Self::from_history(line, context).map(Suggestion::Rest);
        rest.or_else(|| self.signature(line).map(|text| Suggestion::Note(format!("  {text}"))))
    }
}

/// A candidate that says when it is listed: rustyline does not, and a list has keys of its own.
pub(super) struct Listed {
    pair: Pair,
    interrupts: Arc<InterruptState>,
}

impl completion::Candidate for Listed {
    fn display(&self) -> &str {
        self.interrupts.is_listing.store(true, Ordering::Relaxed);
        &self.pair.display
    }

    fn replacement(&self) -> &str {
        &self.pair.replacement
    }
}

/// The prompt, which is drawn when a list is over.
pub(super) struct Prompt<'a> {
    pub text: &'a str,
    pub interrupts: Arc<InterruptState>,
    pub typing: Typing,
}

impl rustyline::Prompt for Prompt<'_> {
    fn raw(&self) -> &str {
        self.interrupts.is_listing.store(false, Ordering::Relaxed);
        // The editor has set the terminal for itself.
        self.typing.begin();
        self.text
    }
}

impl Completer for Helper {
    type Candidate = Listed;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Listed>)> {
        let Completions { start, candidates, more } = self.completions(line, pos);
        let after = &line[pos..];
        let is_short = candidates.len() <= DESCRIBED;
        let width = candidates.iter().map(|candidate| candidate.label.chars().count()).max().unwrap_or_default();
        let mut pairs: Vec<Pair> = candidates
            .into_iter()
            .map(|candidate| Pair {
                display: match candidate.about {
                    Some(about) if is_short => format!("{:width$}  {about}", candidate.label),
                    _ => candidate.label,
                },
                replacement: without_doubled(candidate.text, after),
            })
            .collect();
        if more > 0 {
            // It changes nothing: what all have in common is in the text already, or is put there.
            let common = common_prefix(&pairs);
            pairs.push(Pair {
                display: format!("… {} more: type another letter", grouped(more)), replacement: common
            });
        }
        let listed = |pair| Listed { pair, interrupts: self.interrupts.clone() };
        Ok((start, pairs.into_iter().map(listed).collect()))
    }
}

/// A parenthesis or a quote that stands behind the cursor already is not written again.
fn without_doubled(text: String, after: &str) -> String {
    let text = match text.strip_suffix("()").or_else(|| text.strip_suffix('(')) {
        Some(name) if after.starts_with('(') => name.to_string(),
        _ => text,
    };
    match text.strip_suffix("::") {
        Some(name) if after.starts_with("::") => name.to_string(),
        _ => text,
    }
}

fn common_prefix(pairs: &[Pair]) -> String {
    let mut texts = pairs.iter().map(|pair| pair.replacement.as_str());
    let Some(first) = texts.next() else { return String::new() };
    let length = texts.fold(first.len(), |length, text| {
        let same = first.char_indices().zip(text.chars()).take_while(|((_, one), other)| one == other);
        length.min(same.last().map_or(0, |((at, char), _)| at + char.len_utf8()))
    });
    first[..length].to_string()
}

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
    use crate::script::Runtime;

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

    #[test]
    fn meta_commands_and_their_arguments() {
        let command = |name: &str, argument| MetaCommand { name: name.into(), summary: "does it".into(), argument };
        let words = Argument::OneOf(vec!["vi".into(), "emacs".into()]);
        let mut helper = Helper {
            commands: vec![
                command(":help", Argument::Documented),
                command(":history", Argument::None),
                command(":time", Argument::Code),
                command(":set", words),
            ],
            ..Helper::default()
        };
        let session = Session::new(Runtime::builder().build().expect("a runtime"));
        let questions = helper.begin();
        std::thread::scope(|scope| {
            let session = &session;
            scope.spawn(move || answer(session, &questions));
            let found = |line: &str| {
                let found = helper.completions(line, line.len());
                let texts =
                    found.candidates.iter().map(|found_one| format!("{}{}", &line[..found.start], found_one.text));
                texts.collect::<Vec<_>>()
            };
            assert_eq!(found(":h"), [":help", ":history"]);
            assert_eq!(found(":help Command.line"), [":help Command.lines"]);
            assert_eq!(found(":time slee"), [":time sleep("]);
            assert_eq!(found(":set  e"), [":set  emacs"]);
            assert_eq!(found(":history x"), Vec::<String>::new());
            assert_eq!(found(":nothing x"), Vec::<String>::new());
            assert!(found("!l").contains(&"!ls".to_string()));
            helper.end();
        });
    }

    #[test]
    fn what_all_have_in_common() {
        let pair = |text: &str| Pair { display: String::new(), replacement: text.to_string() };
        assert_eq!(common_prefix(&[pair("über"), pair("übel"), pair("übung")]), "üb");
        assert_eq!(common_prefix(&[]), "");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
        assert_eq!(without_doubled("lines()".into(), "()"), "lines");
        assert_eq!(without_doubled("lines()".into(), ""), "lines()");
    }
}
