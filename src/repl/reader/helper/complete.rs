//! What could stand at the cursor: the session's answers, and the meta commands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustyline::Context;
use rustyline::completion::{self, Completer, Pair};

use super::Helper;
use crate::repl::reader::Argument;
use crate::repl::reader::keys::InterruptState;
use crate::script::{Candidate, Completions};
use crate::terminal::grouped;

/// So few candidates are shown with what they are, one on a line.
const DESCRIBED: usize = 16;

impl Helper {
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
            return Completions { candidates: candidates.collect(), ..Completions::default() };
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
}

/// A candidate that says when it is listed: rustyline does not, and a list has keys of its own.
pub(in crate::repl::reader) struct Listed {
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

impl Completer for Helper {
    type Candidate = Listed;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Listed>)> {
        let Completions { start, candidates, more, common } = self.completions(line, pos);
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
            // What rustyline puts into the text is what all that it is given have in common, or the only one.
            let replacement = if common.is_empty() { line[start..pos].to_string() } else { common };
            let display = format!("… {} more: type another letter", grouped(more));
            pairs.push(Pair { display, replacement });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repl::reader::MetaCommand;
    use crate::repl::reader::helper::answer;
    use crate::script::{Runtime, Session};

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
    fn what_is_shown_and_put_into_the_text() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
        assert_eq!(without_doubled("lines()".into(), "()"), "lines");
        assert_eq!(without_doubled("lines()".into(), ""), "lines()");
    }
}
