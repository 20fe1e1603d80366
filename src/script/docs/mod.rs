//! The documentation of what scripts can call, from one source: definition files (`*.d.rhai`) beside the files that
//! register the functions, and the comments of the modules in `stdlib`.
//!
//! They are text in the binary, which nobody looks at before somebody asks. `procscript doc`, `docs/api.md` and
//! `docs/procscript.d.rhai` are renderings; tests compare the text with what is registered, and run every example.

mod definitions;
mod find;
mod json;
mod markdown;
mod plain;
mod signature;
mod source;
#[cfg(test)]
mod tests;

use super::stdlib;

pub(crate) use find::find;
#[cfg(test)]
use signature::Parameter;
pub(super) use signature::{Kind, Signature};

/// The definition files, in the order in which they are shown.
const SOURCES: &[&str] = &[
    include_str!("../api/command.d.rhai"),
    include_str!("../api/run.d.rhai"),
    include_str!("../stream/methods.d.rhai"),
    include_str!("../api/settings.d.rhai"),
    include_str!("../api/streams.d.rhai"),
    include_str!("../api/platform.d.rhai"),
    include_str!("../api/output.d.rhai"),
    include_str!("../api/execution.d.rhai"),
    include_str!("../api/control.d.rhai"),
    include_str!("../parallel/parallel.d.rhai"),
    include_str!("../service.d.rhai"),
    include_str!("../api/system.d.rhai"),
    include_str!("../api/arguments.d.rhai"),
    include_str!("../api/paths.d.rhai"),
    include_str!("../api/host.d.rhai"),
    include_str!("../api/processes.d.rhai"),
    include_str!("../api/ask.d.rhai"),
    include_str!("../api/show.d.rhai"),
    include_str!("../api/progress.d.rhai"),
    include_str!("../api/files.d.rhai"),
    include_str!("../api/contents.d.rhai"),
    include_str!("../api/trees.d.rhai"),
    include_str!("../api/links.d.rhai"),
    include_str!("../api/temp.d.rhai"),
    include_str!("../api/text.d.rhai"),
    include_str!("../api/numbers.d.rhai"),
    include_str!("../api/lists.d.rhai"),
    include_str!("../api/patterns.d.rhai"),
    include_str!("../api/formats.d.rhai"),
    include_str!("../api/quantities.d.rhai"),
    include_str!("../api/codes.d.rhai"),
    include_str!("../secret/secret.d.rhai"),
];

/// All that is documented.
#[derive(Debug)]
pub(crate) struct Reference {
    pub topics: Vec<Topic>,
}

/// What belongs together: a definition file, or a module.
#[derive(Debug)]
pub(crate) struct Topic {
    pub title: String,
    /// What it is imported as, when it has to be.
    pub module: Option<&'static str>,
    /// Paragraphs.
    pub intro: Vec<String>,
    pub entries: Vec<Entry>,
}

/// Functions that do the same, with what is said about them.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub signatures: Vec<Signature>,
    /// One sentence.
    pub summary: String,
    /// Paragraphs.
    pub details: Vec<String>,
    /// What one writes in a shell.
    pub shell: Option<String>,
    /// The kinds of errors that it raises, and when.
    pub errors: String,
    /// A script; what a line prints stands behind it, after `// =>`.
    pub example: String,
}

/// Marks what the line before prints.
const PRINTS: &str = "// =>";
/// Marks what the line before writes to standard error.
const COMPLAINS: &str = "// stderr:";

/// The ways to call a function, as one writes them: `retry(times: int, body: Fn)`.
pub(crate) fn usages(name: &str) -> Vec<String> {
    let reference = Reference::load();
    let signatures = reference.entries().flat_map(|(_, entry)| &entry.signatures);
    let called = signatures.filter(|signature| signature.kind == Kind::Function && signature.name == name);
    called.map(|signature| format!("`{}`", signature.call())).collect()
}

impl Reference {
    /// Reads it all.
    pub fn load() -> Self {
        let mut topics: Vec<Topic> = SOURCES.iter().map(|text| source::definitions(text)).collect();
        topics.extend(stdlib::MODULES.iter().map(|(name, text)| source::module(name, text)));
        Self { topics }
    }

    pub fn entries(&self) -> impl Iterator<Item = (&Topic, &Entry)> {
        self.topics.iter().flat_map(|topic| topic.entries.iter().map(move |entry| (topic, entry)))
    }

    /// All functions by topic, a line for each.
    pub fn overview(&self) -> String {
        let topics: Vec<&Topic> = self.topics.iter().collect();
        format!("{}\nMore about each: procscript doc NAME\n", plain::overview(&topics))
    }

    /// The titles of the topics, in as many columns as there is room for, and what to do with them.
    pub fn topics_in(&self, columns: usize) -> String {
        let titles: Vec<&str> = self.topics.iter().map(|topic| topic.title.as_str()).collect();
        let mut text = plain::in_columns(&titles, columns);
        plain::wrap(&mut text, 0, ":doc TOPIC lists what is in one; :doc NAME is about a function, type or module.");
        text
    }

    /// All of it as `docs/api.md`.
    pub fn markdown(&self) -> String {
        markdown::reference(self)
    }

    /// All of it as `docs/procscript.d.rhai`, for editors.
    pub fn definitions(&self) -> String {
        definitions::reference(self)
    }

    /// All of it for programs.
    pub fn json(&self) -> String {
        json::entries(self.entries())
    }
}

impl Topic {
    /// The name that functions of the module are called with: `git` of `std/git`.
    pub fn alias(&self) -> Option<&'static str> {
        self.module.and_then(|module| module.rsplit('/').next())
    }
}

impl Entry {
    /// The shortest name that says which it is: `cmd`, `Command.lines`, `Path <`, `git::branch`.
    pub fn label(&self, topic: &Topic) -> String {
        let Some(first) = self.signatures.first() else { return String::new() };
        match (topic.alias(), first.receivers()) {
            (Some(alias), _) => format!("{alias}::{}", first.name),
            (None, Some([receiver, ..])) => format!("{receiver}.{}", first.name),
            _ if first.kind == Kind::Syntax => first.short_name(),
            _ if first.kind == Kind::Operator => {
                let operand = first.parameters.first().and_then(|left| left.types.first());
                format!("{} {}", operand.map_or("", String::as_str), first.name)
            }
            _ => first.name.clone(),
        }
    }

    /// What the example prints, or what it writes to standard error.
    pub fn value(&self) -> String {
        self.marked(PRINTS)
    }

    pub fn messages(&self) -> String {
        self.marked(COMPLAINS)
    }

    fn marked(&self, mark: &str) -> String {
        let lines = self.example.lines().filter_map(|line| line.split_once(mark));
        lines.map(|(_, text)| format!("{}\n", text.strip_prefix(' ').unwrap_or(text))).collect()
    }
}
