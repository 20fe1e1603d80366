//! `cli(#{…})`: its help can be shown, and its errors found, without running anything of the script. So the call stands
//! at the top level, and says what it declares.

use rhai::{Expr, Position, ScriptFuncDef};

use crate::script::arguments::{Constants, Literal, Misdeclared, NAME, heads, is_cli, of_literal};
use crate::script::problem::Code;

use super::Findings;
use super::program::{Node, Program};

/// Looks at the calls of a program, or of a module, which has none.
pub(super) fn find(program: &Program, is_module: bool, findings: &mut Findings) {
    // The script's own goes before ours.
    let is_own = |definition: &ScriptFuncDef| definition.name == NAME && definition.params.len() == 1;
    if program.functions.iter().any(|function| is_own(function.definition)) {
        return;
    }
    let at_the_top: Vec<Position> = heads(program.statements).map(|(.., position)| position).collect();
    program.walk(&mut |node| {
        let Node::Call(call) = node else { return };
        if call.is_method || !is_cli(call.call) {
            return;
        }
        if is_module {
            let help = "the arguments are the script's: call `cli` there, and pass on what the module needs";
            findings.add(Code::CliDeclaration, call.position, "a module cannot call `cli`", Some(help));
        } else if !at_the_top.contains(&call.position) {
            let help =
                "begin a statement of the script with it: let opt = cli(#{ … }); it is read before anything runs";
            findings.add(Code::CliDeclaration, call.position, "`cli` is not called at the top level", Some(help));
        } else if at_the_top.first() != Some(&call.position) {
            let help = "a script has one declaration; parts of it are its `commands`";
            findings.add(Code::CliDeclaration, call.position, "`cli` is called a second time", Some(help));
        }
    });
    let Some((index, call, _)) = heads(program.statements).next().filter(|_| !is_module) else { return };
    let mut constants = Constants::default();
    program.statements[..index].iter().for_each(|statement| constants.pass(statement));
    match call.args.first().map(|argument: &Expr| Literal::of(argument, &constants)) {
        Some(Ok(literal)) => {
            if let Err(Misdeclared { mistake, position }) = of_literal(&literal) {
                findings.add(Code::CliDeclaration, position, mistake.message, mistake.help);
            }
        }
        Some(Err(position)) => {
            let message = "what `cli` declares is not known before the script runs";
            let help =
                "write it with texts and with constants of the script (`const`): its help is shown without running it";
            findings.add(Code::CliDeclaration, position, message, Some(help));
        }
        None => {}
    }
}
