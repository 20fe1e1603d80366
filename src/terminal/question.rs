//! Asking a person: a line of the terminal, and what it means.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use crate::process::{CancelToken, os};

/// Between two looks at what may end the wait besides a cancellation, which wakes it.
const TICK: Duration = Duration::from_millis(100);
/// A longer answer is none that a person types.
const LONGEST: usize = 64 * 1024;

/// What came of waiting for a line.
#[derive(Debug)]
pub(crate) enum Reply {
    Line(Vec<u8>),
    /// Ctrl-D, or the terminal has gone.
    End,
    /// Nobody waits for it any more.
    Stopped,
}

/// Where a person answers.
#[derive(Debug)]
pub(crate) struct Terminal(OwnedFd);

impl Terminal {
    /// `None` when there is none, or when it belongs to somebody else just now: a process in the background would
    /// be stopped for reading.
    pub fn open() -> Option<Self> {
        os::open_terminal().filter(os::has_foreground).map(Self)
    }

    /// Writes a question: to standard error where that is seen, else to the terminal itself.
    pub fn show(&self, text: &str) -> io::Result<()> {
        match os::is_terminal(2) {
            true => os::write_standard_stream(2, text.as_bytes()),
            false => os::write_all(&self.0, text.as_bytes()),
        }
    }

    /// From now on, and as long as the value lives that is returned, what is typed is not shown.
    pub fn hide_input(&self) -> io::Result<os::HiddenInput<'_, OwnedFd>> {
        os::HiddenInput::of(&self.0)
    }

    /// Waits for a line, and reads no more than that: what was typed for the next question, or for a command,
    /// stays where it is.
    pub fn read_line(&self, cancel: &CancelToken, is_over: impl Fn() -> bool) -> io::Result<Reply> {
        let mut line = Vec::new();
        loop {
            if cancel.is_cancelled() || is_over() {
                return Ok(Reply::Stopped);
            }
            if !self.is_readable(cancel)? {
                continue;
            }
            if let ControlFlow::Break(reply) = self.read_byte(&mut line)? {
                return Ok(reply);
            }
        }
    }

    fn is_readable(&self, cancel: &CancelToken) -> io::Result<bool> {
        let mut fds = vec![os::PollFd::readable(&self.0)];
        fds.extend(cancel.reader().map(os::PollFd::readable));
        os::poll(&mut fds, Some(TICK))?;
        Ok(fds[0].is_ready())
    }

    fn read_byte(&self, line: &mut Vec<u8>) -> io::Result<ControlFlow<Reply>> {
        let before = line.len();
        let read = match os::read_append(&self.0, line, 1) {
            // The other end of a pseudo-terminal has gone.
            Err(error) if error.raw_os_error() == Some(os::EIO) => 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ControlFlow::Continue(())),
            read => read?,
        };
        if read == 0 {
            let text = std::mem::take(line);
            return Ok(ControlFlow::Break(if text.is_empty() { Reply::End } else { Reply::Line(text) }));
        }
        if line[before..].contains(&b'\n') || line.len() > LONGEST {
            let mut text = std::mem::take(line);
            text.pop_if(|byte| *byte == b'\n');
            text.pop_if(|byte| *byte == b'\r');
            return Ok(ControlFlow::Break(Reply::Line(text)));
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Yes or no; `None` for anything else.
pub(crate) fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// Which of the choices an answer names: by its text, its number from 1 on, or the beginning of its text.
///
/// # Errors
/// What is wrong with the answer.
pub(crate) fn choice(answer: &str, choices: &[String]) -> Result<usize, String> {
    let answer = answer.trim();
    if let Some(index) = choices.iter().position(|choice| choice == answer) {
        return Ok(index);
    }
    if let Ok(number) = answer.parse::<usize>() {
        let index = number.checked_sub(1).filter(|index| *index < choices.len());
        return index.ok_or_else(|| format!("there are the numbers 1 to {}", choices.len()));
    }
    let wanted = answer.to_lowercase();
    let begins = |choice: &&String| !wanted.is_empty() && choice.to_lowercase().starts_with(&wanted);
    let same: Vec<&String> = choices.iter().filter(|choice| choice.to_lowercase() == wanted).collect();
    let fitting = if same.is_empty() { choices.iter().filter(begins).collect() } else { same };
    match fitting.as_slice() {
        [one] => choices.iter().position(|choice| choice == *one).ok_or_else(String::new),
        [] => Err(format!("`{answer}` is none of them: type a number, or the beginning of a name")),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            Err(format!("`{answer}` may be {}", names.join(", ")))
        }
    }
}

/// Which of the choices an answer names, several with commas between them: `1, 3-5, web`, `all`, `none`.
///
/// # Errors
/// What is wrong with the answer.
pub(crate) fn choices(answer: &str, choices: &[String]) -> Result<Vec<usize>, String> {
    let mut chosen = vec![false; choices.len()];
    let is_name = |word: &str| choices.iter().any(|choice| choice == word);
    for word in answer.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.split_once('-').map(|(first, last)| (first.trim().parse(), last.trim().parse())) {
            Some((Ok(first), Ok(last))) if !is_name(word) => {
                let (first, last): (usize, usize) = (first, last);
                if first < 1 || last > choices.len() || first > last {
                    return Err(format!("there are the numbers 1 to {}", choices.len()));
                }
                chosen[first - 1..last].fill(true);
            }
            _ if word == "all" && !is_name(word) => chosen.fill(true),
            _ if word == "none" && !is_name(word) => chosen.fill(false),
            _ => chosen[choice(word, choices)?] = true,
        }
    }
    Ok(chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(index, _)| index).collect())
}

#[cfg(test)]
mod tests {
    use super::{choice, choices, yes_or_no};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_answer_is_a_name_a_number_or_a_beginning() {
        let stages = names(&["staging", "production", "stable", "prod"]);
        assert_eq!(choice("production", &stages), Ok(1));
        assert_eq!(choice(" 1 ", &stages), Ok(0));
        assert_eq!(choice("stag", &stages), Ok(0));
        assert_eq!(choice("PRODU", &stages), Ok(1));
        // The whole name, although another begins with it.
        assert_eq!(choice("prod", &stages), Ok(3));
        assert_eq!(choice("PROD", &stages), Ok(3));
        assert_eq!(choice("sta", &stages).unwrap_err(), "`sta` may be staging, stable");
        assert_eq!(choice("0", &stages).unwrap_err(), "there are the numbers 1 to 4");
        assert_eq!(choice("5", &stages).unwrap_err(), "there are the numbers 1 to 4");
        assert!(choice("x", &stages).unwrap_err().starts_with("`x` is none of them"));
        assert!(choice("", &stages).is_err());
        // A name that is a number.
        assert_eq!(choice("2021", &names(&["2020", "2021"])), Ok(1));
    }

    #[test]
    fn several_are_chosen_at_once() {
        let parts = names(&["web", "api", "worker", "1-2"]);
        assert_eq!(choices("1, wo", &parts), Ok(vec![0, 2]));
        assert_eq!(choices("2-3,2", &parts), Ok(vec![1, 2]));
        assert_eq!(choices("1-2", &parts), Ok(vec![3]));
        assert_eq!(choices("all", &parts), Ok(vec![0, 1, 2, 3]));
        assert_eq!(choices("none", &parts), Ok(vec![]));
        assert_eq!(choices("", &parts), Ok(vec![]));
        assert!(choices("3-9", &parts).is_err());
        assert!(choices("3-2", &parts).is_err());
        assert!(choices("0-2", &parts).is_err());
        assert!(choices("w", &parts).is_err());
    }

    #[test]
    fn yes_is_yes() {
        assert_eq!(
            ["y", " YES ", "n", "No", "", "maybe", "yess"].map(yes_or_no),
            [Some(true), Some(true), Some(false), Some(false), None, None, None]
        );
    }
}
