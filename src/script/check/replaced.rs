//! Functions of a script that take the place of native ones in modules, too: the interpreter looks for the functions of
//! every script that is under way before it looks for native ones.

use rhai::Stmt;

use crate::script::problem::Code;

use super::Findings;
use super::calls::Counts;
use super::modules::imports;
use super::program::Program;

/// Reports them where a module of the standard library is imported, which is then not what its tests have seen.
pub(super) fn find(program: &Program, native: &Counts, findings: &mut Findings) {
    let uses_library = |path: &Option<String>| path.as_deref().is_some_and(|path| path.starts_with("std/"));
    // What only defines is a module, whose functions are called by its name.
    let defines = |statement: &Stmt| matches!(statement, Stmt::Import(..) | Stmt::Var(..) | Stmt::Export(..));
    if program.statements.iter().all(defines) || !imports(program).iter().any(|import| uses_library(&import.path)) {
        return;
    }
    for function in program.functions.iter().filter(|function| !function.is_closure()) {
        let (name, count) = (function.definition.name.as_str(), function.definition.params.len());
        if native.get(name).is_some_and(|counts| counts.contains(&count)) {
            let message =
                format!("this function takes the place of our `{name}`, also in the modules that are imported");
            let position = function.definition.body.start_position();
            findings.add(Code::ReplacedNative, position, message, Some("give it another name"));
        }
    }
}
