//! The command template: `` $`git diff --name-only ${base}` ``.
//!
//! It is Rhai custom syntax. The parser hands over the literal text a character at a time and parses
//! each `${…}` as an ordinary expression, so that a value can never become more than one argument:
//! the words are known before any value is.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use rhai::{
    Array, Dynamic, EvalAltResult, EvalContext, Expression as Slot, ImmutableString, LexError, ParseError,
    ParseErrorType, Position,
};

use crate::process::{Expression, pipe, sh};

use super::convert;
use super::error::CallPlace;
use super::registry::Registry;
use super::shell_text;
use super::template_text::{self, Part, Redirect, RedirectKind, StageText, TemplateText, Word};
use super::world::World;

/// Says that the literal text goes on with the next character.
const RAW: &str = "$raw$";
/// Says that the syntax is complete, and gives it a position.
const COMPLETE: &str = "$$template";
/// The same for a template for the shell.
pub(super) const SHELL_COMPLETE: &str = "$$shell";

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_custom_syntax_without_look_ahead_raw("$", parse, false, move |context, inputs, state| {
        evaluate(&world, context, inputs, state)
    });
}

/// What the syntax begins with in place of the `sh` in front of it; see [`spelling`](super::spelling).
const SHELL: [&str; 2] = ["s", "h"];

/// The state is an array of the literal pieces so far, each as raw text; Rhai needs it to be made of
/// its own value types, because closures are named by a hash of their body.
fn parse(symbols: &[ImmutableString], state: &mut Dynamic) -> Result<Option<ImmutableString>, ParseError> {
    let last = symbols.last().map_or("", |symbol| symbol.as_str());
    let is_shell = symbols.get(1).is_some_and(|symbol| symbol == SHELL[0]);
    let opening = 1 + if is_shell { SHELL.len() } else { 0 };
    if symbols.len() == 1 {
        *state = Dynamic::from_array(Vec::new());
        return Ok(Some(RAW.into()));
    }
    if symbols.len() <= opening && last == SHELL[symbols.len() - 2] {
        return Ok(Some(RAW.into()));
    }
    if symbols.len() <= opening + 1 {
        if last != "`" {
            return Err(error("a command template starts with $ and a backquote: $`command`".to_string()));
        }
        push_piece(state);
        return Ok(Some(RAW.into()));
    }
    if last == "$expr$" {
        return Ok(Some("}".into()));
    }
    if last == "}" && symbols.get(symbols.len() - 2).is_some_and(|symbol| symbol == "$expr$") {
        push_piece(state);
        return Ok(Some(RAW.into()));
    }
    let Some(mut pieces) = state.write_lock::<Array>() else { return Err(error("broken template state".to_string())) };
    let Some(mut piece) = pieces.last_mut().and_then(|piece| piece.write_lock::<ImmutableString>()) else {
        return Err(error("broken template state".to_string()));
    };
    let escaped = ends_in_escape(&piece);
    if last == "`" && !escaped {
        drop(piece);
        let texts: Vec<String> = pieces.iter().map(ToString::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let problem = match is_shell {
            true => shell_text::parse(&texts).err(),
            false => template_text::parse(&texts).err(),
        };
        return match problem {
            None if is_shell => Ok(Some(SHELL_COMPLETE.into())),
            None => Ok(Some(COMPLETE.into())),
            Some(problem) => Err(error(problem.message)),
        };
    }
    if last == "{" && piece.ends_with('$') && !ends_in_escape(&piece[..piece.len() - 1]) {
        let length = piece.len() - 1;
        *piece = piece[..length].into();
        return Ok(Some("$expr$".into()));
    }
    *piece += last;
    Ok(Some(RAW.into()))
}

fn push_piece(state: &mut Dynamic) {
    if let Some(mut pieces) = state.write_lock::<Array>() {
        pieces.push(Dynamic::from(ImmutableString::new()));
    }
}

/// Whether the next character is escaped: an odd number of backslashes stands at the end.
fn ends_in_escape(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

pub(crate) fn error(message: String) -> ParseError {
    ParseError(Box::new(ParseErrorType::BadInput(LexError::ImproperSymbol(String::new(), message))), Position::NONE)
}

fn evaluate(
    world: &World,
    context: &mut EvalContext,
    inputs: &[Slot],
    state: &Dynamic,
) -> Result<Dynamic, Box<EvalAltResult>> {
    // The last input is the marker of a complete template: without it the file ended too early.
    let complete = |end: &Slot| end.get_string_value().filter(|end| [COMPLETE, SHELL_COMPLETE].contains(end)).is_some();
    let Some((end, slots)) = inputs.split_last().filter(|(end, _)| complete(end)) else {
        return Err(error("unterminated command template".to_string()).into());
    };
    let place = CallPlace { file: context.source().map(str::to_string), position: end.position() };
    let mut values = Vec::with_capacity(slots.len());
    for slot in slots {
        // A captured variable comes as a shared cell.
        values.push(context.eval_expression_tree(slot)?.flatten());
    }
    let pieces = state.read_lock::<Array>();
    let texts: Vec<String> = pieces.iter().flat_map(|pieces| pieces.iter()).map(ToString::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if end.get_string_value() == Some(SHELL_COMPLETE) {
        let line = shell_line(&texts, &values).map_err(|problem| place.invalid(world, problem))?;
        return Ok(Dynamic::from(sh(line)));
    }
    let template = template_text::parse(&texts).map_err(|problem| place.invalid(world, problem.message))?;
    let expression = build(&template, &values).map_err(|problem| place.invalid(world, problem))?;
    Ok(Dynamic::from(expression))
}

/// What the shell is given: the literal text with every value as one quoted word, of an array as several.
fn shell_line(pieces: &[&str], values: &[Dynamic]) -> Result<OsString, String> {
    let pieces = shell_text::parse(pieces).map_err(|problem| problem.message)?;
    let mut line = OsString::new();
    for (index, piece) in pieces.iter().enumerate() {
        line.push(piece);
        let Some(value) = values.get(index) else { continue };
        let what = format!("value {} of the template", index + 1);
        let words = match value.read_lock::<Array>() {
            Some(array) => convert::arguments(&array, "the array")?,
            None => vec![convert::argument(value, &what)?],
        };
        for (number, word) in words.iter().enumerate() {
            if number > 0 {
                line.push(" ");
            }
            line.push(quote_for_sh(word)?);
        }
    }
    Ok(line)
}

/// Single quotes around everything: no shell sees anything in them.
fn quote_for_sh(word: &OsStr) -> Result<String, String> {
    let text = word.to_str().ok_or(
        "a value that is not UTF-8 cannot go through the shell: pass it in a variable, \
                                     .env(name, value)",
    )?;
    Ok(format!("'{}'", text.replace('\'', "'\\''")))
}

/// The command or pipeline that a template stands for, once the values of its slots are known.
fn build(template: &TemplateText, values: &[Dynamic]) -> Result<Expression, String> {
    let stages = template.stages.iter().map(|stage| build_stage(stage, values)).collect::<Result<Vec<_>, _>>()?;
    pipe(stages).ok_or_else(|| "the command template is empty".to_string())
}

fn build_stage(stage: &StageText, values: &[Dynamic]) -> Result<Expression, String> {
    let mut words = Vec::with_capacity(stage.words.len());
    for word in &stage.words {
        expand(word, values, &mut words)?;
    }
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        return Err("the command template names no program: its first value is an empty array".to_string());
    };
    let is_path = stage.words.first().and_then(Word::lone_slot).is_some_and(|slot| values[slot].is::<PathBuf>());
    let command = match is_path {
        true => Expression::from_path(program),
        false => Expression::new(program),
    };
    stage.redirects.iter().try_fold(command.args(words), |command, redirect| apply(command, redirect, values))
}

fn apply(command: Expression, redirect: &Redirect, values: &[Dynamic]) -> Result<Expression, String> {
    let target = match &redirect.target {
        Some(word) => PathBuf::from(join(word, values)?),
        None => PathBuf::new(),
    };
    Ok(match redirect.kind {
        RedirectKind::StdinFrom => command.stdin_path(target),
        RedirectKind::StdoutTo => command.stdout_path(target),
        RedirectKind::StdoutAppend => command.stdout_append(target),
        RedirectKind::StderrTo => command.stderr_path(target),
        RedirectKind::StderrAppend => command.stderr_append(target),
        RedirectKind::BothTo => command.stdout_path(target).stderr_to_stdout(),
        RedirectKind::StderrToStdout => command.stderr_to_stdout(),
    })
}

/// A word as arguments: an array that stands alone is as many as it has elements.
fn expand(word: &Word, values: &[Dynamic], words: &mut Vec<OsString>) -> Result<(), String> {
    match word.lone_slot().and_then(|slot| values[slot].read_lock::<Array>()) {
        Some(array) => words.extend(convert::arguments(&array, "the array")?),
        None => words.push(join(word, values)?),
    }
    Ok(())
}

/// A word as one argument, its parts glued together.
fn join(word: &Word, values: &[Dynamic]) -> Result<OsString, String> {
    let mut text = OsString::new();
    for part in &word.parts {
        match part {
            Part::Text(literal) => text.push(literal),
            Part::Slot(index) => {
                let value = values.get(*index).cloned().unwrap_or(Dynamic::UNIT);
                if value.is_array() {
                    let message = "an array in a command template stands alone, as its own arguments; \
                                   glued to text or in quotes it would be one";
                    return Err(message.to_string());
                }
                let what = format!("value {} of the template", index + 1);
                // A path at the beginning must not turn the word into an option: `${file}.bak` for a file `-n`.
                text.push(match word.lone_slot().is_some() || (value.is::<PathBuf>() && text.is_empty()) {
                    true => convert::argument(&value, &what)?,
                    false => convert::text(&value, &what)?,
                });
            }
        }
    }
    Ok(text)
}
