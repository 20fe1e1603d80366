//! Documentation as Markdown: `docs/api.md`.

use std::fmt::Write;

use super::{Entry, Reference, Topic};

const HEAD: &str = "\
# Functions of scripts

Everything that procscript adds to [Rhai](https://rhai.rs/book/), by topic. `procscript doc NAME` shows the same in a
terminal, and `procscript.d.rhai` tells it to editors. Every example is run by the tests, and prints what stands after
`// =>`.

In a signature, `a: String | Path` takes either, `?` is a value of any type, and `()` is nothing. `Command.dir(…)` is a
method: `command.dir(\"web\")`. The kinds of errors are what `catch (e)` finds in `e.kind`.

<!-- Made from the sources by `UPDATE_EXPECT=1 cargo test --test it docs`: change those. -->
";

pub(super) fn reference(reference: &Reference) -> String {
    let mut text = String::from(HEAD);
    text.push('\n');
    for topic in &reference.topics {
        let links: Vec<String> = topic.entries.iter().map(|entry| link(topic, entry)).collect();
        let _ = writeln!(text, "- [{}](#{}): {}", topic.title, anchor(&topic.title), links.join(", "));
    }
    for topic in &reference.topics {
        let _ = writeln!(text, "\n## {}", topic.title);
        topic.intro.iter().for_each(|paragraph| _ = writeln!(text, "\n{paragraph}"));
        topic.entries.iter().for_each(|entry| text += &section(topic, entry));
    }
    text
}

fn link(topic: &Topic, entry: &Entry) -> String {
    format!("[{}](#{})", quoted(&entry.label(topic)), id(topic, entry))
}

fn section(topic: &Topic, entry: &Entry) -> String {
    // Headings of code in backquotes, and several of one name, get anchors that nobody can foresee.
    let mut text = format!("\n<a id=\"{}\"></a>\n\n### {}\n\n", id(topic, entry), quoted(&entry.label(topic)));
    let prefix = topic.alias().map(|alias| format!("{alias}::")).unwrap_or_default();
    text += "```text\n";
    entry.signatures.iter().for_each(|signature| _ = writeln!(text, "{prefix}{signature}"));
    text += "```\n";
    let _ = writeln!(text, "\n{}", entry.summary);
    entry.details.iter().for_each(|paragraph| _ = writeln!(text, "\n{paragraph}"));
    text.push('\n');
    if let Some(shell) = &entry.shell {
        let _ = writeln!(text, "- Shell: {}", quoted(shell));
    }
    let _ = write!(text, "- Errors: {}\n\n```rhai\n{}```\n", entry.errors, entry.example);
    text
}

/// As code, whatever backquotes are in it.
fn quoted(code: &str) -> String {
    match code.contains('`') {
        true => format!("`` {code} ``"),
        false => format!("`{code}`"),
    }
}

/// Where a link leads to. In a module each number of arguments has a function of its own.
pub(super) fn id(topic: &Topic, entry: &Entry) -> String {
    let mut id = String::from("fn");
    if let Some(signature) = entry.signatures.first().filter(|_| topic.module.is_some()) {
        let _ = write!(id, "{}", signature.parameters.len());
    }
    id.push('-');
    for char in entry.label(topic).chars() {
        match char {
            char if char.is_ascii_alphanumeric() || char == '_' => id.push(char),
            '.' | ':' | ' ' => id.push('-'),
            '`' | '…' => {}
            char => _ = write!(id, "{:x}", u32::from(char)),
        }
    }
    id
}

fn anchor(title: &str) -> String {
    let title = title.to_lowercase().replace(' ', "-");
    title.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect()
}
