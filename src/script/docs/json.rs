//! Documentation for programs: an array with an object for each entry.

use serde_json::{Value, json};

use super::{Entry, Topic};

pub(super) fn entries<'a>(entries: impl Iterator<Item = (&'a Topic, &'a Entry)>) -> String {
    let objects: Vec<Value> = entries.map(|(topic, entry)| object(topic, entry)).collect();
    format!("{:#}\n", Value::Array(objects))
}

fn object(topic: &Topic, entry: &Entry) -> Value {
    let signatures: Vec<String> = entry.signatures.iter().map(ToString::to_string).collect();
    json!({
        "name": entry.label(topic),
        "topic": topic.title,
        "module": topic.module,
        "signatures": signatures,
        "summary": entry.summary,
        "details": entry.details,
        "shell": entry.shell,
        "errors": entry.errors,
        "example": entry.example,
        "value": entry.value(),
        "stderr": entry.messages(),
    })
}
