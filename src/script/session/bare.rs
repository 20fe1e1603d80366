//! Entries that are a command as it stands: at a prompt it is run, as in a shell.

use rhai::{AST, Dynamic, Expr, Position, Stmt};

use crate::process::{Expression, Output};
use crate::script::error::CallPlace;
use crate::script::scan;
use crate::script::world::World;

/// What an entry consists of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Whether it is one expression.
    pub is_expression: bool,
    /// Whether it makes something: more than to name what is there, which only shows it. If that is a command, it
    /// is run.
    pub is_command: bool,
}

impl Kind {
    pub fn of(ast: &AST) -> Self {
        let makes = match ast.statements() {
            [Stmt::Expr(expression)] => Some(makes(expression)),
            [Stmt::FnCall(..)] => Some(true),
            _ => None,
        };
        let is_expression = makes.is_some() && ast.iter_functions().all(|function| function.name.contains('$'));
        Self { is_expression, is_command: is_expression && makes == Some(true) }
    }
}

/// `c`, `c[0]` and `m.c` name a value; `cmd("ls")`, `a | b` and `c.arg("x")` make one.
fn makes(expression: &Expr) -> bool {
    match expression {
        Expr::Variable(..) | Expr::Property(..) | Expr::Index(..) | Expr::ThisPtr(..) => false,
        Expr::Dot(parts, ..) => makes(&parts.rhs),
        _ => true,
    }
}

/// The names that modules are imported under, with their paths.
pub(super) fn imports(ast: &AST) -> Vec<(String, String)> {
    let import = |statement: &Stmt| match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) if !import.1.name.is_empty() => {
                Some((import.1.name.to_string(), path.to_string()))
            }
            _ => None,
        },
        _ => None,
    };
    ast.statements().iter().filter_map(import).collect()
}

/// An entry without a semicolon at its end, and whether it had one. Places stay where they are.
pub(super) fn without_semicolon(entry: &str) -> (String, bool) {
    let scan = scan::scan(entry);
    let mut end = entry.trim_end().len();
    while let Some(comment) = scan.comments.iter().find(|comment| comment.end == end) {
        end = entry[..comment.start].trim_end().len();
    }
    match entry[..end].strip_suffix(';') {
        Some(text) => (format!("{text} {}", &entry[end..]), true),
        None => (entry.to_string(), false),
    }
}

/// Runs the command, if it is one; else the value is as it was.
pub(super) fn run(world: &World, name: &str, command: &Dynamic) -> Result<Output, Box<rhai::EvalAltResult>> {
    let place = CallPlace { file: Some(name.to_string()), position: Position::new(1, 1) };
    let command =
        command.read_lock::<Expression>().map(|command| command.clone()).unwrap_or_else(|| Expression::new(""));
    let _alone = world.live.is_shown().then(|| world.live.suspend());
    world.surround(command).interactive().run().map_err(|error| place.raise(world, error))
}

#[cfg(test)]
mod tests {
    use super::without_semicolon;

    #[test]
    fn the_last_semicolon_is_found_behind_comments() {
        for (entry, rest, is_quiet) in [
            ("1;", "1 ", true),
            ("1 ; // why\n", "1   // why\n", true),
            ("1; /* a */ // b", "1  /* a */ // b", true),
            ("\"a;\"", "\"a;\"", false),
            ("1 // ;", "1 // ;", false),
            ("", "", false),
            (";", " ", true),
        ] {
            assert_eq!(without_semicolon(entry), (rest.to_string(), is_quiet), "{entry}");
        }
    }
}
