//! The session at a terminal: read an entry, evaluate it, show its value.

use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::process::os;
use crate::script::{Ending, Failure, FailureKind, Runtime, Session};

const PROMPT: &str = "> ";
const CONTINUATION: &str = "… ";

/// Reads entries until the end of input or `exit()`. `idle` is set while nothing runs; `is_told_to_stop`
/// says whether a signal other than Ctrl-C's has come.
pub(crate) fn run(runtime: Runtime, idle: &AtomicBool, is_told_to_stop: impl Fn() -> bool) -> Result<Ending, Failure> {
    let mut session = Session::new(runtime);
    let mut editor = DefaultEditor::new().map_err(|error| unusable(&error))?;
    let mut entry = String::new();
    loop {
        let prompt = if entry.is_empty() { PROMPT } else { CONTINUATION };
        idle.store(true, Ordering::Release);
        let line = editor.readline(prompt);
        idle.store(false, Ordering::Release);
        match line {
            Ok(line) => {
                entry.push_str(&line);
                entry.push('\n');
            }
            Err(ReadlineError::Interrupted) => {
                entry.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(Ending::Exited(0)),
            Err(error) => return Err(unusable(&error)),
        }
        if Session::is_incomplete(&entry) {
            continue;
        }
        let complete = std::mem::take(&mut entry);
        if complete.trim().is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(complete.trim_end());
        if let Some(end) = evaluate(&mut session, &complete, &is_told_to_stop) {
            return end;
        }
    }
}

/// Evaluates one entry; `Some` when the session is over.
fn evaluate(
    session: &mut Session,
    entry: &str,
    is_told_to_stop: &impl Fn() -> bool,
) -> Option<Result<Ending, Failure>> {
    match session.eval(entry) {
        Ok(Ending::Finished(value)) => {
            let shown = session.show(&value)?;
            write(1, &format!("{shown}\n")).err().map(Err)
        }
        Ok(exited) => Some(Ok(exited)),
        Err(failure) if matches!(failure.kind(), FailureKind::Output(_)) => Some(Err(failure)),
        // Ctrl-C ends the entry; any other signal, told to the process, ends the session.
        Err(failure) if matches!(failure.kind(), FailureKind::Interrupted) && is_told_to_stop() => Some(Err(failure)),
        Err(failure) => write(2, &failure.render()).err().map(Err),
    }
}

fn write(fd: i32, text: &str) -> Result<(), Failure> {
    os::write_standard_stream(fd, text.as_bytes()).map_err(|error| {
        Failure::new(FailureKind::Output(error.raw_os_error()), format!("cannot write to the terminal: {error}"))
    })
}

fn unusable(error: &ReadlineError) -> Failure {
    Failure::new(FailureKind::Output(None), format!("cannot read from the terminal: {error}"))
}
