//! From an error of the interpreter to a failure with its place, its calls and its help.

use rhai::{Dynamic, EvalAltResult, Position};

use crate::process;

use super::caught::ScriptError;
use super::check::parse_message;
use super::error::CommandError;
use super::failure::{Failure, FailureKind, Frame, Place};
use super::secret;
use super::sources::Sources;
use super::words::{hint, message_of_value, plain_message};

/// Makes failures from Rhai's errors, with the sources at hand for the lines.
pub(crate) struct Explainer<'a> {
    /// The name of the source in which a position without one lies.
    pub file: &'a str,
    pub sources: &'a Sources,
    /// Names that a misspelt one may have meant.
    pub names: &'a dyn Fn() -> Vec<String>,
}

impl Explainer<'_> {
    fn place(&self, file: Option<&str>, position: Position) -> Option<Place> {
        self.sources.place(file.filter(|file| !file.is_empty()).unwrap_or(self.file), position)
    }

    /// An error that nothing in the script caught.
    pub fn run_failure(&self, error: EvalAltResult) -> Failure {
        let mut error = error;
        let mut calls = Vec::new();
        let mut source: Option<String> = None;
        loop {
            match error {
                EvalAltResult::ErrorInFunctionCall(name, file, inner, position) => {
                    let place = self.place(source.as_deref(), position);
                    let function = if name.starts_with("anon$") { "closure".to_string() } else { name };
                    calls.push(Frame { function, place });
                    source = Some(file).filter(|file| !file.is_empty()).or(source);
                    error = *inner;
                }
                EvalAltResult::ErrorInModule(path, inner, position) => {
                    let place = self.place(source.as_deref(), position);
                    calls.push(Frame { function: format!("import \"{path}\""), place });
                    source = Some(path).filter(|path| !path.is_empty()).or(source);
                    error = *inner;
                }
                _ => break,
            }
        }
        calls.reverse();
        let failure = self.innermost(error, source.as_deref());
        failure.called_by(calls).out_of_library()
    }

    fn innermost(&self, error: EvalAltResult, source: Option<&str>) -> Failure {
        let place = self.place(source, error.position());
        match error {
            EvalAltResult::ErrorRuntime(value, _) => self.thrown(value, place),
            EvalAltResult::ErrorParsing(problem, _) => {
                let (message, help) = parse_message(&problem);
                Failure::load(message).at(place).with_help(help)
            }
            EvalAltResult::ErrorModuleNotFound(path, _) => {
                Failure::load(format!("there is no module `{path}`")).at(place)
            }
            error => {
                let message = plain_message(&error);
                let help = self.about_function(&error).or_else(|| hint(&error));
                Failure::new(FailureKind::Script, message).at(place).with_help(help)
            }
        }
    }

    fn thrown(&self, value: Dynamic, place: Option<Place>) -> Failure {
        if let Some(error) = value.read_lock::<CommandError>() {
            // Where the command failed, also when it was caught and thrown again.
            let raised = error.raised_at().cloned();
            let kind = FailureKind::Command(Box::new(error.error().clone()));
            let mut failure = Failure::new(kind, error.error().message());
            if error.error().attempts() > 1 {
                failure = failure.with_note(format!("it was tried {} times", error.error().attempts()));
            }
            if let Some(cause) = error.cause() {
                failure = failure.with_note(format!("because of this: {}", cause.error().message()));
            }
            let help = advice(error.error()).or_else(|| error.error().help().map(str::to_string));
            return failure.among(error.batch()).at(raised.or(place)).with_help(help);
        }
        if let Some(error) = value.read_lock::<ScriptError>() {
            // One that was caught and thrown again.
            let raised = error.place.clone();
            let failure = Failure::new(FailureKind::Script, error.message.clone());
            return failure.among(error.batch.as_deref()).at(raised.or(place)).with_help(error.help.clone());
        }
        let help = value.read_lock::<rhai::Map>().and_then(|map| map.get("help").map(secret::shown));
        Failure::new(FailureKind::Script, message_of_value(&value)).at(place).with_help(help)
    }

    /// For a function that is not there with these arguments: what it takes, or what may have been meant.
    fn about_function(&self, error: &EvalAltResult) -> Option<String> {
        let EvalAltResult::ErrorFunctionNotFound(signature, _) = error else { return None };
        let (name, _) = signature.split_once(" (")?;
        if name == "cmd" {
            return None;
        }
        let texts = signature.matches("ImmutableString").count();
        if SHORTHANDS.contains(&name) && texts > 1 && signature.matches(", ").count() + 1 == texts {
            return Some(format!("the arguments are an array: {name}(\"program\", [\"first\", \"second\"])"));
        }
        let names = (self.names)();
        // It is there, but for other values.
        if names.iter().any(|known| known == name) {
            return usage(name);
        }
        let similar = process::nearest_name(name, names.into_iter())?;
        Some(format!("did you mean `{similar}`?"))
    }
}

/// Verbs that take a program and its arguments.
const SHORTHANDS: &[&str] =
    &["run", "output", "read", "read_raw", "bytes", "json", "lines", "chunks", "test", "code", "start"];

/// For a program that is none: a word of the shell, or a whole line.
fn advice(error: &process::Error) -> Option<String> {
    if error.kind() != process::ErrorKind::NotFound {
        return None;
    }
    let [program, arguments @ ..] = error.argv() else { return None };
    let builtin = match program.as_str() {
        "cd" | "pushd" => "a command runs elsewhere with .dir(\"path\"), several with with dir(\"path\") { … }",
        "export" | "set" | "unset" => {
            "a command gets a variable with .env(\"NAME\", value), several with with env(#{NAME: value}) { … }"
        }
        "source" | "." => {
            "a file of settings is read with dotenv(\"file\"), a module is imported with import \"path\" as name;"
        }
        "alias" | "eval" | "exec" | "ulimit" | "trap" | "wait" => {
            "it is a word of the shell, and no program: sh(\"…\") runs a shell"
        }
        _ => "",
    };
    if !builtin.is_empty() {
        return Some(builtin.to_string());
    }
    let (first, rest) = program.split_once(' ').filter(|(first, _)| arguments.is_empty() && !first.is_empty())?;
    let words: Vec<String> =
        std::iter::once(first).chain(rest.split_whitespace()).map(|word| format!("{word:?}")).collect();
    Some(format!("the program and its arguments are written apart: cmd({}), or $`{program}`", words.join(", ")))
}

/// The ways to call a function that is documented, where they are few enough to read.
#[cfg(feature = "cli")]
fn usage(name: &str) -> Option<String> {
    let usages = super::docs::usages(name);
    match usages.len() {
        0 => None,
        1..=3 => Some(format!("it takes {}", usages.join(", or "))),
        _ => Some(format!("`procscript doc {name}` tells what it takes")),
    }
}

#[cfg(not(feature = "cli"))]
fn usage(_: &str) -> Option<String> {
    None
}
