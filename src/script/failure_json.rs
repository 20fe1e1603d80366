//! A failure for programs: one line of JSON, with the names that scripts know.

use serde_json::{Map, Value, json};

use crate::process::{Error, Stage};

use super::failure::{Failure, FailureKind, Frame, Place};
use super::problem::Problem;

/// One line, without its ending.
pub(crate) fn to_json(failure: &Failure) -> String {
    let mut object = Map::new();
    object.insert("kind".into(), kind(failure).into());
    object.insert("message".into(), failure.message().into());
    if let Some(place) = failure.place() {
        push_place(&mut object, place);
        object.insert("source".into(), json!(place.text));
    }
    object.insert("calls".into(), failure.frames().iter().map(frame).collect());
    if let Some(error) = failure.command_error() {
        push_command(&mut object, error);
    }
    if let FailureKind::Usage(text) = failure.kind() {
        object.insert("text".into(), text.as_str().into());
    }
    object.insert("notes".into(), json!(failure.notes()));
    object.insert("help".into(), json!(failure.help()));
    object.insert("problems".into(), failure.problems().iter().map(problem).collect());
    Value::Object(object).to_string()
}

fn kind(failure: &Failure) -> &'static str {
    match failure.kind() {
        FailureKind::Load => "load",
        FailureKind::Usage(_) => "usage",
        FailureKind::Command(error) => error.kind().name(),
        FailureKind::Script => "script_error",
        FailureKind::Limit => "limit",
        FailureKind::Output(_) => "output",
        FailureKind::Interrupted => "interrupted",
        FailureKind::Internal => "internal",
    }
}

fn push_place(object: &mut Map<String, Value>, place: &Place) {
    object.insert("file".into(), place.file.as_str().into());
    object.insert("line".into(), place.line.into());
    object.insert("column".into(), place.column.into());
}

fn frame(frame: &Frame) -> Value {
    let mut object = Map::new();
    object.insert("function".into(), frame.function.as_str().into());
    if let Some(place) = &frame.place {
        push_place(&mut object, place);
    }
    Value::Object(object)
}

fn push_command(object: &mut Map<String, Value>, error: &Error) {
    let text = |bytes: Option<&[u8]>| json!(bytes.map(String::from_utf8_lossy));
    let path = |path: Option<&std::path::Path>| json!(path.map(|path| path.display().to_string()));
    let fields = [
        ("command", json!(error.command())),
        ("argv", json!(error.argv())),
        ("program", path(error.program())),
        ("dir", path(error.dir())),
        ("code", json!(error.status().and_then(|status| status.code()))),
        ("signal", json!(error.status().and_then(|status| status.signal()))),
        ("signal_name", json!(error.status().and_then(|status| status.signal_name()))),
        ("errno", json!(error.errno())),
        ("errno_name", json!(error.errno_name())),
        ("elapsed", json!(error.elapsed().map(|elapsed| elapsed.as_secs_f64()))),
        ("attempts", json!(error.attempts())),
        ("stage", json!(error.stage())),
        ("stages", error.stages().iter().map(stage).collect()),
        ("stdout", text(error.stdout())),
        ("stderr", text(error.stderr())),
    ];
    object.extend(fields.map(|(name, value)| (name.to_string(), value)));
}

/// What the check has found, with the names that it has everywhere.
pub(crate) fn problem(problem: &Problem) -> Value {
    let place = problem.place();
    json!({
        "file": place.map(|place| place.file.as_str()),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "code": problem.code(),
        "severity": problem.severity().name(),
        "message": problem.message(),
        "help": problem.help(),
    })
}

fn stage(stage: &Stage) -> Value {
    json!({
        "command": stage.command,
        "pid": stage.pid,
        "code": stage.status.code(),
        "signal": stage.status.signal(),
        "signal_name": stage.status.signal_name(),
        "core_dumped": stage.core_dumped,
        "accepted": stage.accepted,
        "elapsed": stage.elapsed.as_secs_f64(),
        "user_time": stage.usage.user.as_secs_f64(),
        "system_time": stage.usage.system.as_secs_f64(),
        "peak_memory": stage.usage.peak_memory,
    })
}
