//! Values for people: as much of them as one looks at, in the form in which one looks at it.

use std::cell::Cell;
use std::path::PathBuf;

use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map, Scope};

use crate::process::{Execution, Expression, escape_controls};
use crate::script::api::Outcome;
use crate::script::convert::captured_text;
use crate::script::error::CommandError;
use crate::script::runtime::Runtime;
use crate::script::secret;
use crate::script::stream::Stream;
use crate::terminal::grouped;
use crate::terminal::{Align, Table, cut, width};

use super::timing::ending_line;

/// How much of a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// How many columns there are.
    pub columns: usize,
    /// The most rows of a table, and elements of an array, that are shown.
    pub rows: usize,
    /// Whether everything is shown, however much it is. The columns count all the same.
    pub is_whole: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { columns: 80, rows: 20, is_whole: false }
    }
}

/// What is nested deeper is not looked into, whole or not: nobody reads it, and it could be very deep.
const DEPTH: usize = 12;
/// The characters of a text, and the bytes of a blob, that are shown.
const TEXT: usize = 1000;
const BLOB: usize = 32;
/// A cell of a table has no more.
const CELL: usize = 200;

pub(super) fn show(runtime: &Runtime, value: &Dynamic, view: &View) -> String {
    let show = Show { runtime, view };
    if let Some(array) = value.read_lock::<Array>() {
        return show.array(&array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return show.map(&map);
    }
    if let Some(outcome) = value.read_lock::<Outcome>() {
        return show.outcome(&outcome);
    }
    if let Some(command) = value.read_lock::<Expression>() {
        return format!("{}\n(a command that has not been run: .run() runs it)", *command);
    }
    let limit = if view.is_whole { usize::MAX } else { TEXT };
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return quoted(&text, limit);
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return blob(&bytes, if view.is_whole { usize::MAX } else { BLOB });
    }
    show.other(value)
}

struct Show<'r> {
    runtime: &'r Runtime,
    view: &'r View,
}

impl Show<'_> {
    fn rows(&self) -> usize {
        if self.view.is_whole { usize::MAX } else { self.view.rows }
    }

    fn array(&self, array: &Array) -> String {
        if !array.is_empty() && self.rows() > 0 && array.iter().all(|row| row.is_map()) {
            return self.table(array);
        }
        if let Some(line) = self.on_one_line(|out| self.push_array(array, 0, out)) {
            return line;
        }
        let lines: Vec<String> = array.iter().take(self.rows()).map(|value| self.line(value, "")).collect();
        if lines.is_empty() {
            return format!("[… {} elements]", grouped(array.len()));
        }
        with_rest(format!("[\n{}", lines.concat()), array.len() - lines.len(), "]")
    }

    fn map(&self, map: &Map) -> String {
        if let Some(line) = self.on_one_line(|out| self.push_map(map, 0, out)) {
            return line;
        }
        let entries = map.iter().take(self.rows());
        let lines: Vec<String> =
            entries.map(|(key, value)| self.line(value, &format!("{}: ", key_text(key)))).collect();
        if lines.is_empty() {
            return format!("#{{… {} entries}}", grouped(map.len()));
        }
        with_rest(format!("#{{\n{}", lines.concat()), map.len() - lines.len(), "}")
    }

    /// An element on a line of its own.
    fn line(&self, value: &Dynamic, before: &str) -> String {
        let room = self.view.columns.saturating_sub(5 + width(before)).max(20);
        let mut text = String::new();
        // A line that is whole may be as long as it is.
        let limit = if self.view.is_whole { usize::MAX } else { room.saturating_mul(4) };
        Inline::new(self, limit).push(value, 0, &mut text);
        let text = if self.view.is_whole { text } else { cut(&text, room).into_owned() };
        format!("    {before}{text},\n")
    }

    /// The rows as lines, where what is the same stands in the same place.
    fn table(&self, array: &Array) -> String {
        let shown: Vec<_> = array.iter().take(self.rows()).filter_map(|row| row.read_lock::<Map>()).collect();
        let mut keys: Vec<String> = Vec::new();
        for key in shown.iter().flat_map(|row| row.keys()) {
            if !keys.iter().any(|known| known == key.as_str()) {
                keys.push(key.to_string());
            }
        }
        if keys.is_empty() {
            return format!("[#{{}}, … {} empty maps]", grouped(array.len()));
        }
        let cell = |value: &Dynamic| match value.is_unit() {
            true => String::new(),
            false => {
                let mut text = String::new();
                match value.read_lock::<ImmutableString>() {
                    Some(plain) => text.extend(plain.chars().take(CELL + 1)),
                    None => Inline::new(self, CELL).push(value, 1, &mut text),
                }
                text
            }
        };
        let cells = |row: &Map| keys.iter().map(|key| row.get(key.as_str()).map(cell).unwrap_or_default()).collect();
        let is_number = |value: &Dynamic| value.is_int() || value.is_float() || value.is_unit();
        let side = |key: &String| {
            let mut values = shown.iter().filter_map(|row| row.get(key.as_str()));
            if values.all(is_number) { Align::Right } else { Align::Left }
        };
        let table = Table {
            header: Some(keys.clone()),
            rows: shown.iter().map(|row| cells(row)).collect(),
            align: keys.iter().map(side).collect(),
            columns: Some(self.view.columns),
        };
        with_rest(format!("{}\n", table.render()), array.len() - shown.len(), "").trim_end().to_string()
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        let output = &outcome.output;
        let mut text = ending_line(&output.command, output.status, output.elapsed);
        if output.stages.len() > 1 {
            for stage in &output.stages {
                text.push_str("\n  ");
                text.push_str(&ending_line(&stage.command, stage.status, stage.elapsed));
            }
        }
        let captured = captured_text(output);
        let lines = captured.lines().count();
        let room = self.view.columns.saturating_sub(3);
        for line in captured.lines().take(self.rows()) {
            text.push_str("\n  ");
            let line = escape_controls(line);
            text.push_str(&if self.view.is_whole { line.into() } else { cut(&line, room) });
        }
        with_rest(format!("{text}\n"), lines.saturating_sub(self.rows()), "").trim_end().to_string()
    }

    /// What is nested in nothing, in one line or in the form that it has of itself.
    fn other(&self, value: &Dynamic) -> String {
        if let Some(path) = value.read_lock::<PathBuf>() {
            return format!("path({:?})", path.display().to_string());
        }
        if let Some(error) = value.read_lock::<CommandError>() {
            return escape_controls(error.error().message());
        }
        if let Some(execution) = value.read_lock::<Execution>() {
            let state = if execution.is_running() { "running" } else { "ended" };
            let pids: Vec<String> = execution.pids().iter().map(ToString::to_string).collect();
            let of = if pids.len() == 1 { "pid" } else { "pids" };
            return format!("{state} · {} · {of} {}", execution.command(), pids.join(", "));
        }
        if value.is_char() {
            return format!("{value:?}");
        }
        if value.is::<Stream>() {
            return "a stream, which was not read: .to_array() reads it".to_string();
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            let name = function.fn_name();
            return if name.starts_with("anon$") { "a closure".to_string() } else { format!("the function {name}") };
        }
        let mut scope = Scope::new();
        scope.push_dynamic("value", value.clone());
        let shown = self.runtime.engine().eval_expression_with_scope::<String>(&mut scope, "to_debug(value)");
        shown.unwrap_or_else(|_| secret::shown(value))
    }

    /// The whole in one line, where it has room in one.
    fn on_one_line(&self, push: impl FnOnce(&mut Inline<'_>) -> String) -> Option<String> {
        let mut inline = Inline::new(self, self.view.columns);
        let text = push(&mut inline);
        (width(&text) <= self.view.columns && !inline.is_cut.get()).then_some(text)
    }

    fn push_array(&self, array: &Array, depth: usize, inline: &mut Inline<'_>) -> String {
        let mut text = String::new();
        inline.push_array(array, depth, &mut text);
        text
    }

    fn push_map(&self, map: &Map, depth: usize, inline: &mut Inline<'_>) -> String {
        let mut text = String::new();
        inline.push_map(map, depth, &mut text);
        text
    }
}

/// Values one behind the other, until the text is long enough.
struct Inline<'s> {
    show: &'s Show<'s>,
    /// In bytes.
    limit: usize,
    is_cut: Cell<bool>,
}

impl<'s> Inline<'s> {
    fn new(show: &'s Show<'s>, limit: usize) -> Self {
        Self { show, limit, is_cut: Cell::new(false) }
    }

    fn push(&self, value: &Dynamic, depth: usize, text: &mut String) {
        if let Some(array) = value.read_lock::<Array>() {
            self.push_array(&array, depth, text);
        } else if let Some(map) = value.read_lock::<Map>() {
            self.push_map(&map, depth, text);
        } else if let Some(string) = value.read_lock::<ImmutableString>() {
            let room = self.limit.saturating_sub(text.len());
            self.is_cut.set(self.is_cut.get() || string.chars().nth(room).is_some());
            text.push_str(&quoted_inline(&string, room));
        } else if let Some(bytes) = value.read_lock::<Blob>() {
            text.push_str(&format!("blob of {} bytes", grouped(bytes.len())));
        } else if let Some(command) = value.read_lock::<Expression>() {
            text.push_str(&format!("$`{}`", *command));
        } else if let Some(outcome) = value.read_lock::<Outcome>() {
            let output = &outcome.output;
            text.push_str(&ending_line(&output.command, output.status, output.elapsed));
        } else {
            text.push_str(&self.show.other(value));
        }
    }

    fn is_full(&self, text: &mut String) -> bool {
        if text.len() > self.limit {
            text.push('…');
            self.is_cut.set(true);
            return true;
        }
        false
    }

    fn push_array(&self, array: &Array, depth: usize, text: &mut String) {
        if depth >= DEPTH && !array.is_empty() {
            text.push_str("[…]");
            return;
        }
        text.push('[');
        for (index, value) in array.iter().enumerate() {
            text.push_str(if index > 0 { ", " } else { "" });
            if self.is_full(text) {
                return;
            }
            self.push(value, depth + 1, text);
        }
        text.push(']');
    }

    fn push_map(&self, map: &Map, depth: usize, text: &mut String) {
        if depth >= DEPTH && !map.is_empty() {
            text.push_str("#{…}");
            return;
        }
        text.push_str("#{");
        for (index, (key, value)) in map.iter().enumerate() {
            text.push_str(if index > 0 { ", " } else { "" });
            if self.is_full(text) {
                return;
            }
            text.push_str(&key_text(key));
            text.push_str(": ");
            self.push(value, depth + 1, text);
        }
        text.push('}');
    }
}

/// A key as one writes it.
fn key_text(key: &str) -> String {
    let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { key.to_string() } else { format!("{key:?}") }
}

fn quoted(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => format!("{text:?}"),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            format!("{:?}\n… {} more characters", &text[..end], grouped(left_out))
        }
    }
}

fn quoted_inline(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Its size, and its beginning: as numbers, and as text where it is some.
fn blob(bytes: &[u8], limit: usize) -> String {
    let mut text = format!("blob of {} bytes", grouped(bytes.len()));
    for line in bytes[..bytes.len().min(limit)].chunks(16) {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain = line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' });
        let plain: String = plain.collect();
        text.push_str(&format!("\n{:<47}  {plain}", hex.join(" ")));
    }
    with_rest(format!("{text}\n"), bytes.len().saturating_sub(limit), "").trim_end().to_string()
}

/// The lines, how much more there is, and the end.
fn with_rest(lines: String, left_out: usize, end: &str) -> String {
    let rest = if left_out > 0 { format!("… {} more\n", grouped(left_out)) } else { String::new() };
    format!("{lines}{rest}{end}")
}
