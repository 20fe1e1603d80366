//! Documentation as a definition file of Rhai, which editors read: `docs/procscript.d.rhai`.

use std::fmt::Write;

use super::{Entry, Kind, Reference, Signature, Topic};

const HEAD: &str = "\
// What procscript adds to Rhai, for editors.
// Made from the sources by `UPDATE_EXPECT=1 cargo test --test it docs`: change those.

module static;
";

pub(super) fn reference(reference: &Reference) -> String {
    let mut text = String::from(HEAD);
    for topic in &reference.topics {
        let _ = write!(text, "\n// {}\n", topic.title);
        match topic.alias() {
            Some(alias) => {
                let _ = write!(text, "\nmodule {alias} {{\n{}}}\n", declarations(topic));
            }
            None => text += &declarations(topic),
        }
    }
    text
}

fn declarations(topic: &Topic) -> String {
    let mut text = String::new();
    for entry in &topic.entries {
        for (index, signature) in entry.signatures.iter().flat_map(Signature::apart).enumerate() {
            text.push('\n');
            // Custom syntax cannot be declared.
            let mark = if signature.kind == Kind::Syntax { "//" } else { "///" };
            match index {
                0 => comment(&mut text, mark, entry),
                // What is the same for all is said once.
                _ => _ = writeln!(text, "{mark} {}", entry.summary),
            }
            let _ = writeln!(text, "{}", declaration(&signature));
        }
    }
    text
}

fn comment(text: &mut String, mark: &str, entry: &Entry) {
    let mut lines = vec![entry.summary.clone()];
    for paragraph in &entry.details {
        lines.extend([String::new(), paragraph.clone()]);
    }
    lines.push(String::new());
    if let Some(shell) = &entry.shell {
        lines.extend([format!("Shell: {shell}"), String::new()]);
    }
    lines.extend([format!("Errors: {}", entry.errors), String::new(), "```rhai".to_string()]);
    lines.extend(entry.example.lines().map(str::to_string));
    lines.push("```".to_string());
    for line in lines {
        let _ = writeln!(text, "{}", format!("{mark} {line}").trim_end());
    }
}

fn declaration(signature: &Signature) -> String {
    let Signature { kind, name, parameters, result } = signature;
    let types = |types: &[String]| types.iter().map(|name| spelt(name)).collect::<Vec<_>>().join(" | ");
    let mut shown = Vec::new();
    for parameter in parameters {
        let types = types(&parameter.types);
        shown.push(match (kind, parameter.name.as_str()) {
            (Kind::Operator, _) => types,
            // It is no word for a parameter.
            (_, "this") => format!("{}: {types}", types.to_lowercase()),
            (_, name) => format!("{name}: {types}"),
        });
    }
    let word = match kind {
        Kind::Function => "fn ",
        Kind::Property => "fn get ",
        Kind::Operator => "op ",
        Kind::Syntax => return format!("// {name} -> {result}"),
    };
    let results: Vec<String> = result.split('|').map(|name| name.trim().to_string()).collect();
    format!("{word}{name}({}) -> {};", shown.join(", "), types(&results))
}

/// Rhai's definition files have another name for functions than `type_of`.
fn spelt(name: &str) -> &str {
    if name == "Fn" { "FnPtr" } else { name }
}
