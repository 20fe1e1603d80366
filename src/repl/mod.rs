//! The session at a terminal: read an entry, evaluate it, show its value.

mod reader;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::process::os;
use crate::script::{Ending, Failure, FailureKind, Runtime, Session};

use reader::{Editor, Input, LineReader};

const PROMPT: &str = "> ";

/// Reads entries until the end of input or `exit()`. `idle` is set while nothing runs; `is_told_to_stop`
/// says whether a signal other than Ctrl-C's has come.
pub(crate) fn run(runtime: Runtime, idle: &AtomicBool, is_told_to_stop: impl Fn() -> bool) -> Result<Ending, Failure> {
    let session = Session::new(runtime);
    let mut reader = Editor::new(&session).map_err(|error| unusable(&error))?;
    converse(&mut reader, session, idle, &is_told_to_stop)
}

fn converse(
    reader: &mut impl LineReader,
    mut session: Session,
    idle: &AtomicBool,
    is_told_to_stop: &impl Fn() -> bool,
) -> Result<Ending, Failure> {
    loop {
        idle.store(true, Ordering::Release);
        let input = reader.read(PROMPT, &session);
        idle.store(false, Ordering::Release);
        match input.map_err(|error| unusable(&error))? {
            Input::Entry(entry) if entry.trim().is_empty() => {}
            Input::Entry(entry) => {
                if let Some(end) = evaluate(&mut session, &entry, is_told_to_stop) {
                    return end;
                }
            }
            Input::Interrupted => {}
            Input::End => return Ok(Ending::Exited(0)),
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

fn unusable(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Output(None), format!("cannot read from the terminal: {error}"))
}
