//! Values that a shell would read again: an argument is an argument, but `sh`, `sh -c` and `ssh` take text.

use rhai::{CustomExpr, Expr, FnCallExpr, Position, Stmt};

use crate::script::problem::Code;
use crate::script::template::SHELL_COMPLETE;
use crate::script::template_text::{self, Part, StageText, Word};

use super::Findings;
use super::program::{Call, Node, Program, start_of};

/// Programs that read the argument behind `-c` as a script.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "su"];
/// Programs that hand their arguments to a shell elsewhere, as one text.
const REMOTE: &[&str] = &["ssh"];

/// Reports texts for a shell that are put together from values.
pub(super) fn find(program: &Program, findings: &mut Findings) {
    program.walk(&mut |node| match node {
        Node::Call(Call { call, is_method: false, .. }) if call.namespace.is_empty() && call.op_token.is_none() => {
            match (call.name.as_str(), &*call.args) {
                ("sh", [text]) if is_composed(text) => local(findings, start_of(text)),
                ("cmd", [Expr::Array(words, _)] | [Expr::Array(words, _), ..]) => command(words, findings),
                ("cmd", [program, Expr::Array(words, _)]) => {
                    let all: Vec<&Expr> = std::iter::once(program).chain(&**words).collect();
                    words_of(&all, findings);
                }
                ("cmd", words) => command(words, findings),
                _ => {}
            }
        }
        Node::Expression(Expr::Custom(custom, position)) => template(custom, *position, findings),
        _ => {}
    });
}

fn local(findings: &mut Findings, position: Position) {
    let help = "write sh$`… ${value} …`, which quotes each value, or give it as an argument of its own";
    findings.add(
        Code::ShellText,
        position,
        "a value is put into the text of a shell, which reads it again",
        Some(help),
    );
}

fn remote(findings: &mut Findings, position: Position) {
    let help = "quote it for that shell: ${quote_args([value])}";
    findings.add(Code::RemoteText, position, "ssh gives this value to a shell, which reads it again", Some(help));
}

fn command(words: &[Expr], findings: &mut Findings) {
    words_of(&words.iter().collect::<Vec<_>>(), findings);
}

fn words_of(words: &[&Expr], findings: &mut Findings) {
    let [Expr::StringConstant(program, _), arguments @ ..] = words else { return };
    if REMOTE.contains(&program.as_str()) {
        // The first is the host, as far as options can be told from here.
        let composed = arguments.iter().skip(1).filter(|argument| is_composed(argument));
        composed.for_each(|argument| remote(findings, start_of(argument)));
    }
    if SHELLS.contains(&program.as_str()) {
        let script = arguments.windows(2).find(|pair| matches!(pair[0], Expr::StringConstant(text, _) if text == "-c"));
        if let Some([_, script]) = script.filter(|pair| is_composed(pair[1])) {
            local(findings, start_of(script));
        }
    }
}

/// Whether a text is put together from something that is not written there.
fn is_composed(expression: &Expr) -> bool {
    let is_open = |part: &Expr| !matches!(part, Expr::StringConstant(..)) && !is_harmless(part);
    match expression {
        Expr::InterpolatedString(parts, _) => parts.iter().any(is_open),
        Expr::FnCall(call, _) if call.op_token.is_some() && call.name == "+" => {
            call.args.iter().any(|part| is_composed(part) || is_open(part) && !is_sum(part))
        }
        _ => false,
    }
}

fn is_sum(expression: &Expr) -> bool {
    matches!(expression, Expr::FnCall(call, _) if call.op_token.is_some() && call.name == "+")
}

/// `quote_args(…)` and what can only be a number, also as the only statement of `${…}`.
fn is_harmless(expression: &Expr) -> bool {
    let is_harmless_call = |call: &FnCallExpr| match call.op_token {
        Some(_) => matches!(call.name.as_str(), "-" | "*" | "/" | "%" | "**"),
        None => matches!(call.name.as_str(), "quote_args" | "to_int" | "len"),
    };
    match expression {
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) => true,
        Expr::FnCall(call, _) | Expr::MethodCall(call, _) => is_harmless_call(call),
        Expr::Dot(parts, ..) => is_harmless(&parts.rhs),
        Expr::Property(property, _) => property.2 == "len",
        Expr::Stmt(block) => match block.statements() {
            [Stmt::FnCall(call, _)] => is_harmless_call(call),
            [Stmt::Expr(inner)] => is_harmless(inner),
            _ => false,
        },
        _ => false,
    }
}

fn template(custom: &CustomExpr, position: Position, findings: &mut Findings) {
    let is_template = custom.tokens.first().is_some_and(|token| token == "$");
    let is_for_shell = matches!(custom.inputs.last(), Some(Expr::StringConstant(end, _)) if end == SHELL_COMPLETE);
    if !is_template || is_for_shell {
        return;
    }
    let Some(pieces) = custom.state.read_lock::<rhai::Array>() else { return };
    let pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let Ok(template) = template_text::parse(&pieces) else { return };
    for stage in &template.stages {
        let slots = |word: &Word| -> Vec<usize> {
            let slot = |part: &Part| if let Part::Slot(index) = part { Some(*index) } else { None };
            let open = word.parts.iter().filter_map(slot);
            open.filter(|index| !custom.inputs.get(*index).is_some_and(is_harmless)).collect()
        };
        let place = |index: usize| custom.inputs.get(index).map_or(position, start_of);
        match name_of(stage) {
            Some(name) if SHELLS.contains(&name) => {
                let script = stage.words.windows(2).find(|pair| text_of(&pair[0]) == Some("-c")).map(|pair| &pair[1]);
                // A script that is a value as a whole is meant to be one.
                if let Some(script) = script.filter(|script| script.parts.len() > 1)
                    && let Some(index) = slots(script).first()
                {
                    local(findings, place(*index));
                }
            }
            Some(name) if REMOTE.contains(&name) => {
                let words = stage.words.iter().skip(2);
                words.flat_map(slots).for_each(|index| remote(findings, place(index)));
            }
            _ => {}
        }
    }
}

fn name_of(stage: &StageText) -> Option<&str> {
    stage.words.first().and_then(text_of)
}

fn text_of(word: &Word) -> Option<&str> {
    match word.parts.as_slice() {
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}
