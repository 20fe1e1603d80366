//! The session at a terminal: read an entry, evaluate it, show its value.

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::process::os;
use crate::script::{Ending, Failure, FailureKind, Runtime, Session};

const PROMPT: &str = "> ";
const CONTINUATION: &str = "… ";

/// Reads entries until the end of input or `exit()`.
pub(crate) fn run(runtime: Runtime) -> Result<Ending, Failure> {
    let mut session = Session::new(runtime);
    let mut editor = DefaultEditor::new().map_err(|error| unusable(&error))?;
    let mut entry = String::new();
    loop {
        let prompt = if entry.is_empty() { PROMPT } else { CONTINUATION };
        match editor.readline(prompt) {
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
        if let Some(end) = evaluate(&mut session, &complete) {
            return end;
        }
    }
}

/// Evaluates one entry; `Some` when the session is over.
fn evaluate(session: &mut Session, entry: &str) -> Option<Result<Ending, Failure>> {
    match session.eval(entry) {
        Ok(Ending::Finished(value)) => {
            let shown = session.show(&value)?;
            write(1, &format!("{shown}\n")).err().map(Err)
        }
        Ok(exited) => Some(Ok(exited)),
        Err(failure) if matches!(failure.kind(), FailureKind::Output(_)) => Some(Err(failure)),
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
