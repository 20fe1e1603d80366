//! Escapes in texts between backquotes, which has none: `` print(`a\n`) `` prints a backslash and an `n`.

use rhai::{Expr, Position};

use crate::script::problem::Code;

use super::Findings;
use super::program::{Call, Node, Program};

/// Functions whose text is for people or for files: elsewhere a backslash may be meant (`printf`, patterns).
const FOR_READERS: &[&str] = &["print", "eprint", "fail", "write_text", "append_text"];
const ESCAPES: &[&str] = &["\\n", "\\t", "\\r", "\\\"", "\\x1b", "\\e["];

/// Reports texts between backquotes that look as if they had an escape. `is_raw` says whether a backquote stands at
/// a place.
pub(super) fn find(program: &Program, is_raw: impl Fn(Position) -> bool, findings: &mut Findings) {
    program.walk(&mut |node| {
        let Node::Call(Call { call, .. }) = node else { return };
        if !call.namespace.is_empty() || call.op_token.is_some() || !FOR_READERS.contains(&call.name.as_str()) {
            return;
        }
        for argument in &call.args {
            let (parts, position) = match argument {
                Expr::StringConstant(_, position) => (std::slice::from_ref(argument), *position),
                Expr::InterpolatedString(parts, position) => (&**parts, *position),
                _ => continue,
            };
            let found = parts.iter().find_map(|part| match part {
                Expr::StringConstant(text, _) => ESCAPES.iter().find(|escape| text.contains(**escape)),
                _ => None,
            });
            if let Some(escape) = found.filter(|_| is_raw(position)) {
                let message = format!("`{escape}` is no escape in a text between backquotes");
                let help = "put a line break there, or use double quotes for that part: \"…\\n\"";
                findings.add(Code::LiteralEscape, position, message, Some(help));
            }
        }
    });
}
