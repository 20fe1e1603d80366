//! The report of a failure, as text: a pure function.
//!
//! ```text
//! error: `git diff --quux` exited with code 129 after 3 ms
//!   --> deploy.rhai:2:15
//!    |
//!  2 | let changed = $`git diff --quux`.read();
//!    |               ^
//!    = called from deploy.rhai:7:5, in `changed`
//! help: …
//! ```

use std::fmt::Write;

use crate::process::{Error, ErrorKind, duration_text, escape_controls, needs_escape};

use super::failure::{Failure, FailureKind, Frame, Place};
use super::problem::Problem;

/// How much of a command's captured standard error is shown.
const TAIL_LINES: usize = 10;
const TAIL_BYTES: usize = 4 * 1024;
/// Of many calls, so many are shown at each end.
const MOST_FRAMES: usize = 5;
/// Longer source lines are cut around the caret.
const SOURCE_WIDTH: usize = 160;

/// Of many problems, so many are shown.
const MOST_PROBLEMS: usize = 20;

pub(crate) fn render(failure: &Failure) -> String {
    if !failure.problems().is_empty() {
        return render_problems(failure.problems());
    }
    if let FailureKind::Usage(text) = failure.kind() {
        return text.clone();
    }
    let mut text = format!("error: {}\n", escape_controls(&headline(failure)));
    if let Some(place) = failure.place() {
        push_place(&mut text, place);
    }
    let frames = failure.frames();
    let left_out = frames.len().saturating_sub(2 * MOST_FRAMES);
    for (index, frame) in frames.iter().enumerate() {
        match index {
            index if left_out > 0 && index == MOST_FRAMES => {
                push_note(&mut text, &format!("… {left_out} more calls …"))
            }
            index if left_out > 0 && (MOST_FRAMES..MOST_FRAMES + left_out).contains(&index) => {}
            _ => push_frame(&mut text, frame),
        }
    }
    if let FailureKind::Command(error) = failure.kind() {
        push_command(&mut text, error);
    }
    for note in failure.notes() {
        push_note(&mut text, note);
    }
    let help = failure.help().map(str::to_string).or_else(|| failure.command_error().and_then(ending_help));
    push_help(&mut text, help.as_deref());
    text
}

/// One problem of a program that has not been run. Its code is there where a comment can allow it.
pub(crate) fn render_problem(problem: &Problem) -> String {
    let mut text = format!("{}: {}", problem.severity().name(), escape_controls(problem.message()));
    if problem.can_be_allowed() {
        let _ = write!(text, " [{}]", problem.code());
    }
    text.push('\n');
    if let Some(place) = problem.place() {
        push_place(&mut text, place);
    }
    push_help(&mut text, problem.help());
    text
}

fn render_problems(problems: &[Problem]) -> String {
    let shown: Vec<String> = problems.iter().take(MOST_PROBLEMS).map(render_problem).collect();
    let mut text = shown.join("\n");
    match problems.len().saturating_sub(MOST_PROBLEMS) {
        0 => {}
        1 => text.push_str("\nerror: and one more like these\n"),
        more => {
            let _ = writeln!(text, "\nerror: and {more} more like these");
        }
    }
    text
}

fn push_help(text: &mut String, help: Option<&str>) {
    if let Some(help) = help {
        let _ = writeln!(text, "help: {}", escape_controls(help));
    }
}

fn push_frame(text: &mut String, frame: &Frame) {
    let place = match &frame.place {
        Some(place) => format!("{}:{}:{}", place.file, place.line, place.column),
        None => "the script".to_string(),
    };
    push_note(text, &format!("in `{}`, called from {place}", frame.function));
}

fn headline(failure: &Failure) -> String {
    let elapsed = failure.command_error().filter(|error| is_about_time(error)).and_then(Error::elapsed);
    match elapsed {
        Some(elapsed) => format!("{} after {}", failure.message(), duration_text(elapsed)),
        None => failure.message().to_string(),
    }
}

/// A timeout says itself how long it was, and what the output looks like has nothing to do with it.
fn is_about_time(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::DecodeFailed)
}

fn push_place(text: &mut String, place: &Place) {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(text, "{margin}--> {}:{}:{}", escape_controls(&place.file), place.line, place.column);
    let Some(line) = &place.text else { return };
    let (shown, column) = window(line, place.column);
    let _ = writeln!(text, "{margin} |");
    let _ = writeln!(text, "{number} | {shown}");
    let _ = writeln!(text, "{margin} | {}^", " ".repeat(column));
}

/// The line as it is shown, and how many columns stand in front of the caret. Tabs become single
/// spaces, so that the caret stands right whatever the terminal's tab stops are.
fn window(line: &str, column: usize) -> (String, usize) {
    let clean: Vec<char> = line.trim_end().chars().map(|c| if needs_escape(c) { ' ' } else { c }).collect();
    let index = column.saturating_sub(1).min(clean.len());
    let start = if clean.len() <= SOURCE_WIDTH { 0 } else { index.saturating_sub(SOURCE_WIDTH / 2) };
    let end = clean.len().min(start + SOURCE_WIDTH);
    let shown: String = clean[start..end].iter().collect();
    let width = clean[start..index].iter().map(|c| char_width(*c)).sum();
    match start {
        0 => (shown, width),
        _ => (format!("…{shown}"), width + 1),
    }
}

/// Columns that a character takes: two for the wide East Asian blocks and emoji, none for combining
/// marks.
fn char_width(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

fn push_note(text: &mut String, note: &str) {
    let _ = writeln!(text, "   = {}", escape_controls(note));
}

fn push_command(text: &mut String, error: &Error) {
    if let Some(dir) = error.dir() {
        push_note(text, &format!("in the directory {}", dir.display()));
    }
    if error.stages().len() > 1 {
        for (index, stage) in error.stages().iter().enumerate() {
            let mark = if error.stage() == Some(index) { ">" } else { " " };
            let note = if stage.accepted && !stage.status.success() { ", which is accepted" } else { "" };
            push_note(text, &format!("{mark} {} `{}` {}{note}", index + 1, stage.command, stage.status));
        }
    }
    let of_stderr = error.stderr().and_then(tail_of).map(|tail| ("standard error:", tail));
    // Some say on standard output what is wrong.
    let of_stdout = || error.stderr().and(error.stdout()).and_then(tail_of).map(|tail| ("standard output:", tail));
    if let Some((name, tail)) = of_stderr.or_else(of_stdout) {
        push_note(text, name);
        for line in tail.lines() {
            let _ = writeln!(text, "     {}", escape_controls(line));
        }
    }
}

/// The last lines of what a command wrote to standard error. It is there only when it was captured,
/// that is, when the user has not seen it.
fn tail_of(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&stderr[stderr.len().saturating_sub(TAIL_BYTES)..]).into_owned();
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let shown = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    let left_out = stderr.len() > TAIL_BYTES || shown.len() < lines.len();
    match (shown.is_empty(), left_out) {
        (true, _) => None,
        (false, true) => Some(format!("…\n{}", shown.join("\n"))),
        (false, false) => Some(shown.join("\n")),
    }
}

/// What well-known endings usually mean.
fn ending_help(error: &Error) -> Option<String> {
    let status = error.status()?;
    match (error.kind(), status.code(), status.signal_name()) {
        (ErrorKind::ExitStatus, Some(126), _) => {
            Some("code 126 usually means that a program was found but cannot be executed".to_string())
        }
        (ErrorKind::ExitStatus, Some(127), _) => {
            Some("code 127 usually means that a shell inside the command found no such program".to_string())
        }
        // 128 + n is how a shell reports a signal. Only those that are common: git means a wrong call by 129.
        (ErrorKind::ExitStatus, Some(code @ (130 | 134 | 137 | 139 | 141 | 143)), _) => {
            let name = crate::process::os::signal_name(code - 128)?;
            Some(format!("code {code} usually means that a process inside the command was ended by signal {name}"))
        }
        (ErrorKind::Signaled, _, Some("KILL")) => Some("the system ends a process so when memory runs out".to_string()),
        _ => None,
    }
}
