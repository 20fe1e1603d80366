//! Documentation as plain text, 80 columns wide.

use std::fmt::Write;

use super::{Entry, Topic};

const WIDTH: usize = 80;
const INDENT: usize = 4;
/// Where the summaries of a list begin.
const COLUMN: usize = 26;

/// The entries of topics, a line for each.
pub(super) fn overview(topics: &[&Topic]) -> String {
    let mut text = String::new();
    for topic in topics {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}\n", topic.title);
        if topics.len() == 1 {
            for paragraph in &topic.intro {
                wrap(&mut text, INDENT, paragraph);
                text.push('\n');
            }
        }
        topic.entries.iter().for_each(|entry| list(&mut text, &entry.label(topic), entry));
    }
    text
}

/// Short texts beside and below each other, each column from top to bottom.
pub(super) fn in_columns(texts: &[&str], columns: usize) -> String {
    const GAP: usize = 2;
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or_default() + GAP;
    let across = ((columns + GAP) / width).max(1);
    let down = texts.len().div_ceil(across);
    let mut text = String::new();
    for row in 0..down {
        let line: String = texts[row..].iter().step_by(down).map(|text| format!("{text:width$}")).collect();
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The methods and properties of a type, a line for each.
pub(super) fn methods(receiver: &str, entries: &[(&Topic, &Entry)]) -> String {
    let mut text = String::new();
    for (_, entry) in entries {
        let name = entry.signatures.first().map_or("", |signature| signature.name.as_str());
        list(&mut text, &format!("{receiver}.{name}"), entry);
    }
    text
}

fn list(text: &mut String, label: &str, entry: &Entry) {
    let label = format!("  {label:<width$}", width = COLUMN - 4);
    let room = WIDTH - 2 - label.chars().count().min(WIDTH / 2);
    let _ = writeln!(text, "{label}  {}", cut(&unquoted(&entry.summary), room));
}

/// The beginning of a text, at the end of a word.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_string();
    }
    let start: String = text.chars().take(room.saturating_sub(1)).collect();
    let end = start.rfind(' ').unwrap_or(start.len());
    format!("{}…", start[..end].trim_end_matches([',', ';', ':']))
}

/// All that is known of an entry.
pub(super) fn entry(topic: &Topic, entry: &Entry) -> String {
    let mut text = String::new();
    let prefix = topic.alias().map(|alias| format!("{alias}::")).unwrap_or_default();
    for signature in &entry.signatures {
        let _ = writeln!(text, "{prefix}{signature}");
    }
    text.push('\n');
    if let Some(module) = topic.module {
        let _ = writeln!(text, "{:INDENT$}import \"{module}\" as {};\n", "", topic.alias().unwrap_or_default());
    }
    wrap(&mut text, INDENT, &entry.summary);
    for paragraph in &entry.details {
        text.push('\n');
        wrap(&mut text, INDENT, paragraph);
    }
    text.push('\n');
    if let Some(shell) = &entry.shell {
        let _ = writeln!(text, "{:INDENT$}Shell:  {shell}", "");
    }
    wrap(&mut text, INDENT, &format!("Errors: {}", entry.errors));
    let _ = writeln!(text, "\n{:INDENT$}Example:", "");
    for line in entry.example.lines() {
        let _ = writeln!(text, "{}", format!("{:width$}{line}", "", width = 2 * INDENT).trim_end());
    }
    text
}

/// Words in lines.
pub(super) fn wrap(text: &mut String, indent: usize, paragraph: &str) {
    let mut column = 0;
    for word in unquoted(paragraph).split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        }
        match column {
            0 => {
                let _ = write!(text, "{:indent$}{word}", "");
                column = indent + length;
            }
            _ => {
                let _ = write!(text, " {word}");
                column += 1 + length;
            }
        }
    }
    text.push('\n');
}

/// Without the doubled marks that Markdown wants around code with a backquote in it.
fn unquoted(text: &str) -> String {
    text.replace("`` ", "").replace(" ``", "").replace("``", "")
}
