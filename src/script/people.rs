//! How a runtime deals with the people around it: what it tells them, in which colours, and whom it asks.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::process::{Error, os};
use crate::terminal::{self, ColorChoice, Reply, Signs, Stream, Terminal};

use super::console::is_unattended;
use super::world::{World, lock};

/// Answers the questions of scripts in place of a person at the terminal: the line that one would type, or `None`
/// when there is no answer.
pub type Answers = Arc<dyn Fn(&Question) -> Option<String> + Send + Sync>;

/// What a script asks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Question {
    /// What is asked for.
    pub kind: QuestionKind,
    /// The words of the script, with secrets masked.
    pub text: String,
    /// What an empty answer stands for.
    pub fallback: Option<String>,
    /// What can be chosen from.
    pub choices: Vec<String>,
}

/// What a [`Question`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestionKind {
    /// Any text (`ask`).
    Text,
    /// `y` or `n` (`confirm`).
    Confirm,
    /// One of the choices: its text, its number from 1 on, or the beginning of its text (`select`).
    One,
    /// Any number of the choices, with commas between them (`multi_select`).
    Several,
    /// A text that must not be shown (`password`).
    Password,
}

/// What the host or the command line says about dealing with people.
#[derive(Default)]
pub(crate) struct Manners {
    pub color: ColorChoice,
    /// Messages from warnings on, and no progress.
    pub is_quiet: bool,
    /// All messages.
    pub is_verbose: bool,
    /// Nobody is asked: the answer is yes, or the fallback.
    pub says_yes: bool,
    pub answers: Option<Answers>,
    /// Whether the streams are a host's, so that the terminal is none of ours.
    pub is_hosted: bool,
    /// One question at a time.
    asking: Mutex<()>,
}

/// The levels of messages, the least important first.
const LEVELS: [(&str, &str); 4] = [("debug", "dim"), ("info", "green"), ("warn", "yellow"), ("error", "red")];
const INFO: usize = 1;
const WARN: usize = 2;

impl World {
    /// Whether what a script prints to this stream is shown in colours.
    pub fn shows_colors(&self, stream: Stream) -> bool {
        let console = match stream {
            Stream::Stdout => &self.out,
            Stream::Stderr => &self.err,
        };
        let context = self.context();
        self.manners.color.is_on(console.is_terminal() && !is_unattended(&context), |name| context.env(name))
    }

    /// Whether messages of this level are shown. The command line goes before the variable `PROCSCRIPT_LOG`.
    pub fn shows_messages(&self, level: &str) -> bool {
        let rank = |name: &str| LEVELS.iter().position(|(level, _)| *level == name);
        let lowest = match (self.manners.is_quiet, self.manners.is_verbose) {
            (true, _) => WARN,
            (false, true) => 0,
            (false, false) => {
                let wanted = self.context().env("PROCSCRIPT_LOG");
                wanted.and_then(|level| rank(&level.to_str()?.to_lowercase())).unwrap_or(INFO)
            }
        };
        rank(level).is_none_or(|rank| rank >= lowest)
    }

    /// The name of a level of messages, in its colour.
    pub fn message_mark(&self, level: &str) -> String {
        let words = LEVELS.iter().find(|(name, _)| *name == level).map_or("bold", |(_, words)| words);
        match terminal::style(words) {
            Ok(style) if self.shows_colors(Stream::Stderr) => terminal::paint(level, style),
            _ => level.to_string(),
        }
    }

    /// The signs that the locale has.
    pub fn signs(&self) -> Signs {
        let context = self.context();
        let set = |name: &&str| context.env(name).is_some_and(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set).and_then(|name| context.env(name));
        let locale = locale.unwrap_or_default().to_string_lossy().to_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => Signs::Unicode,
            false => Signs::Ascii,
        }
    }

    /// Asks until `accept` takes an answer; what it refuses is told, and asked again. `None` when the script must
    /// stop.
    ///
    /// # Errors
    /// When nobody answers, and there is no fallback; and what `accept` fails with.
    pub fn ask<T, E: From<Error>>(
        &self,
        question: &Question,
        mut accept: impl FnMut(String) -> Result<Result<T, String>, E>,
    ) -> Result<Option<T>, E> {
        // What the script has said before is what the question is about.
        let _ = self.out.flush();
        let _alone = self.live.suspend();
        if let Some(answer) = self.standing_answer(question)? {
            return accept(answer)?.map(Some).map_err(|problem| refused(question, &problem).into());
        }
        let Some(terminal) = Terminal::open() else {
            return Err(nobody(question, "there is no terminal").into());
        };
        let surroundings = self.context();
        let is_over = || self.must_stop() || surroundings.deadline.is_some_and(|end| Instant::now() >= end);
        let is_hidden = question.kind == QuestionKind::Password;
        let failed = |error: std::io::Error| {
            let reason = error.raw_os_error().map_or_else(|| error.to_string(), os::errno_text);
            nobody(question, &format!("the terminal cannot be used: {reason}"))
        };
        let mut words = introduction(question);
        loop {
            // Not held while the answer is looked at, which may take another question.
            let one_at_a_time = lock(&self.manners.asking);
            if surroundings.cancel_token().is_cancelled() || is_over() {
                return Ok(None);
            }
            // Before anybody is asked to type.
            let hidden = is_hidden.then(|| terminal.hide_input()).transpose().map_err(failed)?;
            words.push_str(&prompt(question));
            terminal.show(&self.secrets.mask(&std::mem::take(&mut words))).map_err(failed)?;
            let reply = terminal.read_line(surroundings.cancel_token(), is_over).map_err(failed)?;
            drop((hidden, one_at_a_time));
            let problem = match reply {
                Reply::Stopped => {
                    let _ = terminal.show("\n");
                    return Ok(None);
                }
                Reply::End => {
                    let _ = terminal.show("\n");
                    return Err(nobody(question, "the input has ended").into());
                }
                Reply::Line(line) => match (String::from_utf8(line), &question.fallback) {
                    (Err(_), _) => "the answer is not UTF-8 text".to_string(),
                    (Ok(line), Some(fallback)) if line.trim().is_empty() => match accept(fallback.clone())? {
                        Ok(value) => return Ok(Some(value)),
                        Err(problem) => problem,
                    },
                    (Ok(line), _) => match accept(line)? {
                        Ok(value) => return Ok(Some(value)),
                        Err(problem) => problem,
                    },
                },
            };
            words = format!("{}\n", lines(&problem));
        }
    }

    /// The answer where no person is asked.
    fn standing_answer(&self, question: &Question) -> Result<Option<String>, Error> {
        let manners = &self.manners;
        let fallback = |why: &str| match &question.fallback {
            Some(fallback) => Ok(Some(fallback.clone())),
            None => Err(nobody(question, why)),
        };
        if manners.says_yes {
            return match question.kind {
                QuestionKind::Confirm => Ok(Some("yes".to_string())),
                _ => fallback("it has no fallback, which --yes would take"),
            };
        }
        if let Some(answers) = &manners.answers {
            let shown = Question { text: self.secrets.mask(&question.text).into_owned(), ..question.clone() };
            return match (answers(&shown), &question.fallback) {
                (None, _) => Err(nobody(question, "the program that runs the script did not")),
                (Some(answer), Some(fallback)) if answer.trim().is_empty() => Ok(Some(fallback.clone())),
                (Some(answer), _) => Ok(Some(answer)),
            };
        }
        if manners.is_hosted {
            return fallback("the program that runs the script does not say who answers");
        }
        if is_unattended(&self.context()) {
            return fallback("this is a CI system");
        }
        match os::open_terminal() {
            None => fallback("there is no terminal"),
            Some(terminal) if !os::has_foreground(&terminal) => fallback("this process runs in the background"),
            Some(_) => Ok(None),
        }
    }
}

/// Nobody answers, and that is why.
fn nobody(question: &Question, why: &str) -> Error {
    let help = match question.kind {
        QuestionKind::Confirm => "run the script with --yes, or give the question a fallback: #{fallback: false}",
        QuestionKind::Password => "where nobody can be asked, let the script take it from the environment: env(…)",
        _ => "give the question a fallback, which is taken where nobody can be asked (and with --yes): #{fallback: …}",
    };
    Error::unanswered(format!("nobody answered `{}`: {why}", question.text.trim()), help)
}

/// The fallback, or the answer of the host, is none that the script takes.
fn refused(question: &Question, problem: &str) -> Error {
    let message = format!("the answer to `{}` cannot be used: {problem}", question.text.trim());
    Error::unanswered(message, "it is the fallback, or what the program that runs the script has answered")
}

/// What a script says, which may have several lines and colours, and nothing else that acts on the terminal.
fn lines(text: &str) -> String {
    text.split('\n').map(terminal::one_line).collect::<Vec<_>>().join("\n")
}

/// What stands above the place where an answer is typed.
fn introduction(question: &Question) -> String {
    if question.choices.is_empty() {
        return String::new();
    }
    let number = |index: usize| format!("{:>1$}", index + 1, question.choices.len().to_string().len());
    let choices = question.choices.iter().enumerate();
    let choices = choices.map(|(index, choice)| format!("  {}) {}\n", number(index), terminal::one_line(choice)));
    format!("{}\n{}", lines(question.text.trim_end()), choices.collect::<String>())
}

/// What stands in front of the answer.
fn prompt(question: &Question) -> String {
    let text = lines(&question.text);
    let fallback = question.fallback.as_deref().map(terminal::one_line).filter(|fallback| !fallback.is_empty());
    let fallback = fallback.map(|fallback| format!("[{fallback}] ")).unwrap_or_default();
    let gap = if text.is_empty() || text.ends_with(char::is_whitespace) { "" } else { " " };
    match (question.kind, question.fallback.as_deref()) {
        (QuestionKind::Confirm, Some("yes")) => format!("{text}{gap}[Y/n] "),
        (QuestionKind::Confirm, Some(_)) => format!("{text}{gap}[y/N] "),
        (QuestionKind::Confirm, None) => format!("{text}{gap}[y/n] "),
        (QuestionKind::One, _) => format!("number or name: {fallback}"),
        (QuestionKind::Several, _) => format!("numbers or names, with commas: {fallback}"),
        (QuestionKind::Text | QuestionKind::Password, _) => format!("{text}{gap}{fallback}"),
    }
}
