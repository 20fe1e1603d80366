//! Entries that must not be kept, because a secret stands in them.

use crate::script::format::{Kind, Token, tokens};
use crate::script::scan::scan;

/// Whether a literal is made a secret: `secret("…")`, `secret(token)` beside a literal that `token` may have come from,
/// `.secret_env("NAME", "…")`.
pub(super) fn holds_secret(text: &str) -> bool {
    let tokens: Vec<Token> = tokens(text, &scan(text)).into_iter().filter(|token| !token.is_comment()).collect();
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    (0..tokens.len()).filter(|at| word(at + 1) == "(").any(|at| {
        let arguments = arguments(&tokens, at + 2);
        let is_literal = |at: &usize| matches!(tokens[*at].kind, Kind::Text | Kind::Number);
        match word(at) {
            "secret" if arguments.iter().any(is_literal) => true,
            // A variable: it may have been set in the same entry.
            "secret" => {
                let is_variable = |at: &usize| tokens[*at].kind == Kind::Word && !matches!(word(at + 1), "(" | "::");
                arguments.iter().any(is_variable) && (0..tokens.len()).any(|at| is_literal(&at))
            }
            "secret_env" => arguments.iter().filter(|at| is_literal(at)).count() > 1,
            _ => false,
        }
    })
}

/// The tokens of the arguments that are in no further brackets: what is given to other calls is not what is given here.
fn arguments(tokens: &[Token], start: usize) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => break,
            Kind::Close => depth -= 1,
            _ if depth == 0 => found.push(at),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::holds_secret;

    #[test]
    fn literals_that_become_secrets() {
        for text in [
            "secret(\"hunter22\")",
            "let t = secret ( `hunter22` );",
            "let t = \"hunter22\"; let s = secret(t);",
            "cmd(\"x\").secret_env(\"TOKEN\", \"hunter22\")",
            "secret(\"hunter\" + 22)",
            "print(secret(#\"raw\"#))",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in [
            "secret(env(\"TOKEN\"))",
            "let s = secret(read_text(\"token\").trim());",
            "secret(t)",
            "// secret(\"x\")",
            "print(\"secret(x)\")",
            "cmd(\"x\").secret_env(\"TOKEN\", token)",
            "secret",
            "secret(",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
