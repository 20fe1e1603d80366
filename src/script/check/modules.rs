//! What the imported modules provide.

use std::collections::{HashMap, HashSet};

use rhai::{AST, ASTFlags, Expr, Position, Stmt};

use super::calls::{Counts, defined, properties};
use super::program::{Node, Program};

/// What an importer sees of a module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exports {
    functions: Counts,
    variables: HashSet<String>,
    /// What may be a method, because a map of the module, or of one that it imports, has it; `None` when
    /// that may be anything.
    properties: Option<HashSet<String>>,
}

impl Exports {
    pub fn of(ast: &AST, program: &Program, imports: &Imports) -> Self {
        let mut variables = HashSet::new();
        for statement in program.statements {
            match statement {
                Stmt::Var(parts, flags, _) if flags.contains(ASTFlags::EXPORTED) => {
                    variables.insert(parts.0.name.to_string());
                }
                Stmt::Export(parts, _) => {
                    let (name, alias) = &**parts;
                    variables.insert(if alias.name.is_empty() { &name.name } else { &alias.name }.to_string());
                }
                _ => {}
            }
        }
        let properties = imports.properties().map(|theirs| {
            let mut properties = properties(program);
            properties.extend(theirs.iter().cloned());
            properties
        });
        Self { functions: defined(ast, true), variables, properties }
    }
}

/// The modules that a program imports, by the names that it gives them.
#[derive(Default)]
pub(super) struct Imports {
    known: HashMap<String, Exports>,
    /// Names under which there may be anything: of paths that are computed, and of modules with mistakes.
    unknown: HashSet<String>,
    properties: HashSet<String>,
    /// Whether the properties of some module are not known.
    has_more_properties: bool,
}

impl Imports {
    /// A second module under the same name is visible elsewhere, or instead: both count.
    pub fn add(&mut self, alias: &str, exports: Option<&Exports>) {
        match exports.and_then(|exports| exports.properties.as_ref()) {
            Some(properties) => self.properties.extend(properties.iter().cloned()),
            None => self.has_more_properties = true,
        }
        let Some(exports) = exports else {
            self.unknown.insert(alias.to_string());
            return;
        };
        let all = self.known.entry(alias.to_string()).or_default();
        for (name, counts) in &exports.functions {
            all.functions.entry(name.clone()).or_default().extend(counts);
        }
        all.variables.extend(exports.variables.iter().cloned());
    }

    fn get(&self, alias: &str) -> Option<&Exports> {
        self.known.get(alias).filter(|_| !self.unknown.contains(alias))
    }

    pub fn functions(&self, alias: &str) -> Option<&Counts> {
        self.get(alias).map(|exports| &exports.functions)
    }

    pub fn variables(&self, alias: &str) -> Option<&HashSet<String>> {
        self.get(alias).map(|exports| &exports.variables)
    }

    /// What may be a method because some module has it; `None` when that may be anything.
    pub fn properties(&self) -> Option<&HashSet<String>> {
        Some(&self.properties).filter(|_| !self.has_more_properties)
    }
}

/// An `import path as alias`.
pub(super) struct Import {
    /// `None` when it is computed.
    pub path: Option<String>,
    pub alias: String,
    pub position: Position,
}

pub(super) fn imports(program: &Program) -> Vec<Import> {
    let mut imports = Vec::new();
    program.walk(&mut |node| {
        if let Node::Statement(Stmt::Import(import, position), _) = node {
            let path = match &import.0 {
                Expr::StringConstant(path, _) => Some(path.to_string()),
                _ => None,
            };
            imports.push(Import { path, alias: import.1.name.to_string(), position: *position });
        }
    });
    imports
}
