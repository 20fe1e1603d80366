//! Programs that are not installed here: a warning, because the script may be meant for elsewhere.

use std::collections::{HashMap, HashSet};

use rhai::{CustomExpr, Expr};

use crate::process::{Context, ErrorKind};
use crate::script::problem::Code;
use crate::script::template::SHELL_COMPLETE;
use crate::script::template_text::{self, Part};

use super::Findings;
use super::program::{Call, Node, Program};

/// Reports the programs of commands whose names are literal, and that the present `PATH` does not have.
pub(super) fn find(program: &Program, context: &Context, findings: &mut Findings) {
    let mut used = Vec::new();
    // What the script asks for itself it can do without.
    let mut asked: HashSet<String> = HashSet::new();
    let mut changes_path = false;
    program.walk(&mut |node| match node {
        Node::Call(Call { call, .. }) if call.namespace.is_empty() && call.op_token.is_none() => {
            match (call.name.as_str(), call.args.first()) {
                ("cmd", Some(Expr::StringConstant(name, position))) => used.push((name.to_string(), *position)),
                ("cmd", Some(Expr::Array(words, _))) => {
                    if let Some(Expr::StringConstant(name, position)) = words.first() {
                        used.push((name.to_string(), *position));
                    }
                }
                ("which" | "require", _) => asked.extend(texts(&call.args)),
                ("env_clear", _) => changes_path = true,
                _ => {}
            }
        }
        Node::Expression(Expr::Custom(custom, position)) => {
            used.extend(template_programs(custom).into_iter().map(|name| (name, *position)));
        }
        Node::Expression(Expr::StringConstant(text, _)) => changes_path |= text == "PATH",
        Node::Expression(Expr::Map(map, _)) => changes_path |= map.0.iter().any(|(key, _)| key.name == "PATH"),
        _ => {}
    });
    if changes_path {
        return;
    }
    let mut missing: HashMap<String, Option<Option<String>>> = HashMap::new();
    for (name, position) in used {
        if name.is_empty() || name.contains(['/', '\\']) || asked.contains(&name) {
            continue;
        }
        let help = missing.entry(name.clone()).or_insert_with(|| match context.which(name.as_str()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Some(error.help().map(str::to_string)),
            _ => None,
        });
        if let Some(help) = help {
            findings.add(Code::ProgramNotFound, position, format!("`{name}` is not installed here"), help.clone());
        }
    }
}

fn texts(expressions: &[Expr]) -> impl Iterator<Item = String> {
    expressions.iter().filter_map(|expression| match expression {
        Expr::StringConstant(text, _) => Some(text.to_string()),
        _ => None,
    })
}

/// The programs that a command template names without a slot.
fn template_programs(custom: &CustomExpr) -> Vec<String> {
    // The last input says what was completed: the text of a shell names programs, too, but only to the shell.
    let is_template = custom.tokens.first().is_some_and(|token| token == "$");
    let is_for_shell = matches!(custom.inputs.last(), Some(Expr::StringConstant(end, _)) if end == SHELL_COMPLETE);
    if !is_template || is_for_shell {
        return Vec::new();
    }
    let Some(pieces) = custom.state.read_lock::<rhai::Array>() else { return Vec::new() };
    let pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let Ok(template) = template_text::parse(&pieces) else { return Vec::new() };
    let firsts = template.stages.iter().filter_map(|stage| stage.words.first());
    firsts
        .filter_map(|word| match word.parts.as_slice() {
            [Part::Text(name)] => Some(name.clone()),
            _ => None,
        })
        .collect()
}
