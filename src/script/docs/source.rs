//! Reads documentation out of comments: those of definition files, and those of modules.
//!
//! A comment `///` is a sentence that sums it up, more paragraphs when they are needed, lines that begin with a
//! field, and an example:
//!
//! ```text
//! /// Gives the file that a program's name stands for.
//! ///
//! /// Shell: command -v git
//! /// Errors: `invalid_argument` for a value that is neither text nor a path.
//! ///
//! /// ```rhai
//! /// print(which("no-such-program") == ());  // => true
//! /// ```
//! ```
//!
//! In a module a line `Signature: branch() -> String` tells the types. A comment `//!` is about the whole file, and its
//! first line is the title.

use crate::script::scan::scan;

use super::{Entry, Signature, Topic};

/// A definition file: each comment stands above one or more declarations.
pub(super) fn definitions(text: &str) -> Topic {
    let entries = blocks(text, "///").into_iter().map(|Block { lines, after }| {
        let mut entry = entry(&lines);
        let declarations = after.lines().map(str::trim).take_while(|line| !line.is_empty() && !line.starts_with("//"));
        let declarations = declarations.filter_map(|line| line.strip_suffix(';'));
        entry.signatures.extend(declarations.filter_map(Signature::parse));
        entry
    });
    topic(text, None, entries.collect())
}

/// A module: each comment stands above one function, which may be private.
pub(super) fn module(name: &'static str, text: &str) -> Topic {
    let blocks = blocks(text, "///").into_iter().filter(|block| block.after.starts_with("fn "));
    topic(text, Some(name), blocks.map(|block| entry(&block.lines)).collect())
}

fn topic(text: &str, module: Option<&'static str>, entries: Vec<Entry>) -> Topic {
    let head = blocks(text, "//!").into_iter().next().map(|block| block.lines).unwrap_or_default();
    let mut intro = paragraphs(&head);
    let title = match module {
        Some(module) => module.to_string(),
        None if intro.is_empty() => String::new(),
        None => intro.remove(0),
    };
    Topic { title, module, intro, entries }
}

/// Comments of one kind in lines that follow one another, without their marks, and what comes behind them.
struct Block<'a> {
    lines: Vec<&'a str>,
    after: &'a str,
}

fn blocks<'a>(text: &'a str, mark: &str) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block> = Vec::new();
    for comment in scan(text).comments {
        let Some(line) = text[comment.clone()].strip_prefix(mark) else { continue };
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let after = text[comment.end..].strip_prefix('\n').unwrap_or_default();
        match blocks.last_mut() {
            Some(block) if block.after.starts_with(&text[comment]) => {
                block.lines.push(line);
                block.after = after;
            }
            _ => blocks.push(Block { lines: vec![line], after }),
        }
    }
    blocks
}

/// The lines of a paragraph, joined.
fn paragraphs(lines: &[&str]) -> Vec<String> {
    let parts = lines.split(|line| line.is_empty()).filter(|part| !part.is_empty());
    parts.map(|part| part.join(" ")).collect()
}

fn entry(lines: &[&str]) -> Entry {
    let mut entry = Entry::default();
    let is_fence = |line: &&str| line.starts_with("```");
    let prose: Vec<&str> = lines.iter().take_while(|line| !is_fence(line)).copied().collect();
    let code = lines.iter().skip_while(|line| !is_fence(line)).skip(1).take_while(|line| !is_fence(line));
    entry.example = code.map(|line| format!("{line}\n")).collect();

    // A field goes on in the lines behind it, as a paragraph does.
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for line in prose {
        if line.is_empty() || FIELDS.iter().any(|field| line.starts_with(field)) {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| !line.is_empty()) {
            part.push(line);
        }
    }
    let mut parts = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.join(" "));
    entry.summary = parts.next().unwrap_or_default();
    for part in parts {
        match FIELDS.map(|field| part.strip_prefix(field).map(|text| text.trim().to_string())) {
            [Some(signature), _, _] => entry.signatures.extend(Signature::parse(&format!("fn {signature}"))),
            [_, Some(shell), _] => entry.shell = Some(shell),
            [_, _, Some(errors)] => entry.errors = errors,
            _ => entry.details.push(part),
        }
    }
    entry
}

const FIELDS: [&str; 3] = ["Signature:", "Shell:", "Errors:"];
