//! `cli(#{…})`: what a script takes, declared in the script.
//!
//! The declaration is read from the program, and never by running it: it has to be a literal at the top level, which
//! the check holds. So the arguments are read before the first statement runs, and whatever ends there (help, an error)
//! has run nothing, whatever stands in front of the call and in the modules. The call itself gives what was read.

mod declare;
mod find;
mod literal;
mod types;

use std::path::Path;

use rhai::{AST, Dynamic, Map};

use crate::arguments::{self, Answer, Declaration, Raw, Variable, Width, read};
use crate::process::{Error, escape_controls, needs_escape};

use super::failure::{Failure, FailureKind};
use super::load::Script;
use super::world::{Why, World, lock};

pub(crate) use declare::{Misdeclared, of_literal};
pub(crate) use find::{NAME, heads, is_cli};
pub(crate) use literal::{Constants, Literal};

/// What somebody reads who has no terminal.
const COLUMNS: usize = 100;

/// A declaration whose arguments were read, with what `cli` gives for it.
pub(crate) type Known = (Declaration, Map);

/// What a checked program declares.
pub(crate) fn declaration(ast: &AST) -> Option<Declaration> {
    let literal = find::declared(ast.statements())?.ok()?;
    of_literal(&literal).ok()
}

/// The command line of a script, for whoever completes it.
pub(crate) fn command(script: &Script) -> Option<arguments::Command> {
    let declaration = arguments::completable(declaration(&script.ast)?);
    Some(arguments::command(&declaration, &name_of(script.path.as_deref()), Width::Columns(COLUMNS)))
}

/// The name of a script in its help.
pub(crate) fn name_of(path: Option<&Path>) -> String {
    let name = path.and_then(Path::file_name).map(|name| escape_controls(&name.to_string_lossy()));
    name.unwrap_or_else(|| "script".to_string())
}

/// Reads the arguments of a program that is about to run. `false` when it must not, because all was said.
pub(crate) fn begin(world: &World, ast: &AST) -> Result<bool, Failure> {
    // The script's own goes before ours.
    if ast.iter_functions().any(|function| function.name == NAME && function.params.len() == 1) {
        return Ok(true);
    }
    let Some(declaration) = declaration(ast) else { return Ok(true) };
    let context = world.context();
    let variable = |name: &str| {
        let value = context.env(name)?;
        Some(Variable { text: value.into_string().ok(), is_secret: context.is_secret(name) })
    };
    let width = if world.out.is_terminal() { Width::OfTerminal } else { Width::Columns(COLUMNS) };
    let name = name_of(lock(&world.script).as_deref());
    let mut answer = read(&declaration, &name, &world.args, &variable, width);
    if matches!(answer, Answer::Wrong { .. }) && world.args.iter().any(|argument| argument.contains(needs_escape)) {
        // The message repeats them: a line feed in one must not look like the next line of the message.
        let shown: Vec<String> = world.args.iter().map(|argument| escape_controls(argument)).collect();
        let again = read(&declaration, &name, &shown, &variable, width);
        if matches!(again, Answer::Wrong { .. }) {
            answer = again;
        }
    }
    match answer {
        Answer::Print(text) => {
            let why = match world.out.print_line(text.trim_end()) {
                Ok(()) => Why::Exit(0),
                Err(error) => Why::Output(error.raw_os_error()),
            };
            world.halt.request(why);
            Ok(false)
        }
        Answer::Wrong { message, text } => {
            // What is left are the texts of the environment and of the script.
            let text: String = text.lines().map(|line| format!("{}\n", escape_controls(line))).collect();
            Err(Failure::new(FailureKind::Usage(text), escape_controls(&message)))
        }
        Answer::Values { commands, given } => {
            let mut values = Map::new();
            for given in given {
                let value = |text: &str| types::value(world, given.item.value_type, text, given.is_secret);
                let value = match &given.raw {
                    Raw::Missing => Dynamic::UNIT,
                    Raw::Flag(is_on) => (*is_on).into(),
                    Raw::Count(count) => i64::try_from(*count).unwrap_or(i64::MAX).into(),
                    Raw::One(text) => value(text),
                    Raw::Many(texts) => texts.iter().map(|text| value(text)).collect::<Vec<_>>().into(),
                };
                values.insert(given.item.key.as_str().into(), value);
            }
            if !declaration.commands.is_empty() {
                let chosen = Some(commands.join(" ")).filter(|chosen| !chosen.is_empty());
                values.insert("command".into(), chosen.map_or(Dynamic::UNIT, Into::into));
            }
            let declaration = sorted(declaration);
            let mut known = lock(&world.arguments);
            known.retain(|(other, _)| *other != declaration);
            known.push((declaration, values));
            Ok(true)
        }
    }
}

/// What `cli` gives when it is called.
pub(crate) fn values(world: &World, map: &Map) -> Result<Map, Error> {
    let literal = Literal::of_value(&Dynamic::from(map.clone()));
    let declaration = of_literal(&literal).map_err(|Misdeclared { mistake, .. }| {
        let error = Error::invalid_argument(mistake.message);
        mistake.help.into_iter().fold(error, Error::with_help)
    })?;
    let declaration = sorted(declaration);
    let known = lock(&world.arguments);
    known.iter().find(|(other, _)| *other == declaration).map(|(_, values)| values.clone()).ok_or_else(|| {
        let help = "write the call at the top level of the script, with a literal declaration";
        Error::misuse("cli reads the arguments before the script runs, and has not seen this declaration", help)
    })
}

/// A map of the interpreter has its keys in their order, and not in that of the text.
fn sorted(mut declaration: Declaration) -> Declaration {
    declaration.commands.sort_by(|(one, _), (other, _)| one.cmp(other));
    declaration.commands = declaration.commands.into_iter().map(|(name, below)| (name, sorted(below))).collect();
    declaration
}
