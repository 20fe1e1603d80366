//! Which names there are: those of the scopes around a place, and those that the script declares for its functions.

use std::collections::{HashMap, HashSet};

use rhai::{ASTFlags, Stmt};

use crate::script::spelling::DEFERRED;

use super::program::{Node, Program};

/// Names in scopes, the innermost last.
#[derive(Default)]
pub(super) struct Names<'a> {
    stack: Vec<&'a str>,
    counts: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub fn declare(&mut self, name: &'a str) {
        self.stack.push(name);
        *self.counts.entry(name).or_default() += 1;
    }

    /// How many names there are: what [`leave`](Self::leave) goes back to.
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    pub fn leave(&mut self, length: usize) {
        for name in self.stack.drain(length..) {
            if let Some(count) = self.counts.get_mut(name) {
                *count -= 1;
            }
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.counts.get(name).is_some_and(|count| *count > 0)
    }

    pub fn all(&self) -> impl Iterator<Item = String> {
        self.stack.iter().filter(|name| !name.starts_with(DEFERRED)).map(|name| (*name).to_string())
    }
}

/// What the statements of the script declare for its functions.
#[derive(Default)]
pub(super) struct Globals<'a> {
    pub constants: HashSet<&'a str>,
    /// Modules that functions see, and those that closures somewhere may see.
    pub aliases: HashSet<&'a str>,
    pub all_aliases: HashSet<&'a str>,
}

impl<'a> Globals<'a> {
    pub fn of(program: &'a Program) -> Self {
        let mut globals = Self::default();
        for statement in program.statements {
            match statement {
                Stmt::Var(parts, flags, _) if flags.contains(ASTFlags::CONSTANT) => {
                    globals.constants.insert(&parts.0.name);
                }
                Stmt::Import(parts, _) => {
                    globals.aliases.insert(&parts.1.name);
                }
                _ => {}
            }
        }
        program.walk(&mut |node| {
            if let Node::Statement(Stmt::Import(parts, _), _) = node {
                globals.all_aliases.insert(&parts.1.name);
            }
        });
        globals
    }
}
