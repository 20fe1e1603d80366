//! Errors that a script can catch.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString, NativeCallContext, Position};

use crate::process::{self, Usage};

use super::facts::{Status, code, or_unit, path_or_unit, signal, signal_name, stages, text_or_unit, texts, usage};
use super::failure::Place;
use super::parallel::Batch;
use super::registry::Registry;
use super::secret::Secrets;
use super::sources::Sources;
use super::world::World;

/// The object that `catch (e)` receives when a command fails: the [`process::Error`] and where in the
/// script it was raised.
#[derive(Debug, Clone)]
pub struct CommandError {
    error: process::Error,
    /// Where it was raised, as the interpreter has it, and as the user has it.
    position: Position,
    place: Option<Place>,
    cause: Option<Box<CommandError>>,
    batch: Option<Arc<Batch>>,
}

impl CommandError {
    /// With the error that led to this one.
    pub(crate) fn caused_by(self, cause: Option<CommandError>) -> Self {
        Self { cause: cause.map(Box::new), ..self }
    }

    /// After so many tries.
    pub(crate) fn after(self, tries: u32) -> Self {
        Self { error: self.error.with_attempts(tries), ..self }
    }

    /// With another error of the engine's.
    pub(crate) fn with_error(self, change: impl FnOnce(process::Error) -> process::Error) -> Self {
        Self { error: change(self.error), ..self }
    }

    /// As one of those that failed beside each other.
    pub(crate) fn with_batch(self, batch: Arc<Batch>, words: Option<&str>) -> Self {
        let error = match words {
            Some(words) => self.error.adding(words),
            None => self.error,
        };
        Self { error, batch: Some(batch), ..self }
    }

    pub(crate) fn batch(&self) -> Option<&Batch> {
        self.batch.as_deref()
    }

    /// The error that led to this one.
    pub fn cause(&self) -> Option<&CommandError> {
        self.cause.as_deref()
    }

    /// The error of the engine.
    pub fn error(&self) -> &process::Error {
        &self.error
    }

    pub(crate) fn raised_at(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The file, line and column of the call that failed.
    pub fn place(&self) -> Option<(Option<&str>, usize, usize)> {
        let place = self.place.as_ref()?;
        Some((Some(place.file.as_str()).filter(|file| !file.is_empty()), place.line, place.column))
    }
}

impl From<CommandError> for Box<EvalAltResult> {
    fn from(error: CommandError) -> Self {
        let position = error.position;
        EvalAltResult::ErrorRuntime(Dynamic::from(error), position).into()
    }
}

/// Why something that waits for a command and calls functions of the script ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Command(process::Error),
    Script(Box<EvalAltResult>),
}

impl From<process::Error> for Stop {
    fn from(error: process::Error) -> Self {
        Self::Command(error)
    }
}

/// Where in the script a native function was called.
#[derive(Debug, Clone)]
pub(crate) struct CallPlace {
    pub file: Option<String>,
    pub position: Position,
}

impl CallPlace {
    pub fn of(context: &NativeCallContext) -> Self {
        Self { file: context.call_source().map(str::to_string), position: context.call_position() }
    }

    /// The script error for a failed command. A runtime that must stop (it was cancelled, or its output
    /// has failed) ends the script instead: that cannot be caught.
    pub fn raise(&self, world: &World, error: process::Error) -> Box<EvalAltResult> {
        if world.must_stop() {
            world.note_interrupted(self.error(world, error));
            return World::terminated(self.position);
        }
        // A function of the script that made input, in another thread: the error is its own.
        let own = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<EvalAltResult>());
        if let Some(own) = own {
            let mut own = copied(own);
            if own.position().is_none() {
                own.set_position(self.position);
            }
            return own;
        }
        self.error(world, error).into()
    }

    /// The script error for whichever it was.
    pub fn stop(&self, world: &World, stop: Stop) -> Box<EvalAltResult> {
        match stop {
            Stop::Command(error) => self.raise(world, error),
            Stop::Script(error) => error,
        }
    }

    /// What `catch` gets, with secrets masked.
    pub fn error(&self, world: &World, error: process::Error) -> CommandError {
        self.masked_error(&world.secrets, &world.library.sources, error)
    }

    pub fn masked_error(&self, secrets: &Secrets, sources: &Sources, error: process::Error) -> CommandError {
        let place = sources.place(self.file.as_deref().unwrap_or_default(), self.position);
        CommandError { error: secrets.mask_error(error), position: self.position, place, cause: None, batch: None }
    }

    /// The script error for a value that cannot be used.
    pub fn invalid(&self, world: &World, message: String) -> Box<EvalAltResult> {
        // Variables, arguments and files give text.
        let is_for_number = message.ends_with(", not text") && message.contains(" number");
        let error = process::Error::invalid_argument(message);
        self.raise(world, if is_for_number { error.with_help("a text becomes a number with .to_int()") } else { error })
    }
}

/// The fields of an error.
pub(crate) const FIELDS: &[(&str, fn(&CommandError) -> Dynamic)] = &[
    ("kind", |e| e.error.kind().name().into()),
    ("message", |e| e.error.message().to_string().into()),
    ("help", |e| or_unit(e.error.help().map(str::to_string))),
    ("command", |e| or_unit(e.error.command().map(str::to_string))),
    ("argv", |e| texts(e.error.argv())),
    ("program", |e| path_or_unit(e.error.program())),
    ("dir", |e| path_or_unit(e.error.dir())),
    ("status", |e| or_unit(e.error.status().map(|status| Status { status, core_dumped: e.error.core_dumped() }))),
    ("code", |e| e.error.status().map_or(Dynamic::UNIT, code)),
    ("signal", |e| e.error.status().map_or(Dynamic::UNIT, signal)),
    ("signal_name", |e| e.error.status().map_or(Dynamic::UNIT, signal_name)),
    ("core_dumped", |e| e.error.core_dumped().into()),
    ("stdout", |e| text_or_unit(e.error.stdout())),
    ("stderr", |e| text_or_unit(e.error.stderr())),
    ("elapsed", |e| or_unit(e.error.elapsed().map(|d| d.as_secs_f64()))),
    ("stages", |e| stages(e.error.stages()).into()),
    ("usage", |e| match e.error.stages() {
        [] => Dynamic::UNIT,
        stages => usage(Usage::total(stages.iter().map(|stage| stage.usage))),
    }),
    ("stage", |e| or_unit(e.error.stage().map(|stage| stage as i64))),
    ("errno", |e| or_unit(e.error.errno().map(i64::from))),
    ("errno_name", |e| or_unit(e.error.errno_name().map(str::to_string))),
    ("attempts", |e| i64::from(e.error.attempts()).into()),
    ("cause", |e| e.cause().map_or(Dynamic::UNIT, |cause| Dynamic::from(cause.clone()))),
    ("failures", |e| e.batch().map_or(Dynamic::UNIT, |batch| batch.failures().into())),
    ("file", |e| or_unit(e.place().and_then(|(file, ..)| file.map(str::to_string)))),
    ("line", |e| or_unit(e.place().map(|(_, line, _)| line as i64))),
    ("column", |e| or_unit(e.place().map(|(.., column)| column as i64))),
];

pub(crate) fn register(engine: &mut Registry) {
    engine.register_type_with_name::<CommandError>("CommandError");
    engine.register_fn("to_string", |e: &mut CommandError| e.error.message().to_string());
    engine.register_fn("to_debug", |e: &mut CommandError| format!("{:?}", e.error));
    for (name, value) in FIELDS {
        engine.register_get(*name, move |e: &mut CommandError| value(e));
    }
    // What `throw "text"` and `fail("text")` raise is the text itself.
    engine.register_get("kind", |_: &mut ImmutableString| "thrown");
    engine.register_get("message", |text: &mut ImmutableString| text.clone());
}

/// The same error again: Rhai's cannot be cloned, because of one variant that never occurs here.
pub(crate) fn copied(error: &EvalAltResult) -> Box<EvalAltResult> {
    use EvalAltResult as E;
    let copy = match error {
        E::ErrorInFunctionCall(name, file, inner, at) => {
            E::ErrorInFunctionCall(name.clone(), file.clone(), copied(inner), *at)
        }
        E::ErrorInModule(path, inner, at) => E::ErrorInModule(path.clone(), copied(inner), *at),
        E::ErrorRuntime(value, at) => E::ErrorRuntime(value.clone(), *at),
        E::ErrorTerminated(value, at) => E::ErrorTerminated(value.clone(), *at),
        E::ErrorParsing(problem, at) => E::ErrorParsing(problem.clone(), *at),
        E::ErrorVariableNotFound(name, at) => E::ErrorVariableNotFound(name.clone(), *at),
        E::ErrorPropertyNotFound(name, at) => E::ErrorPropertyNotFound(name.clone(), *at),
        E::ErrorIndexNotFound(index, at) => E::ErrorIndexNotFound(index.clone(), *at),
        E::ErrorFunctionNotFound(signature, at) => E::ErrorFunctionNotFound(signature.clone(), *at),
        E::ErrorModuleNotFound(path, at) => E::ErrorModuleNotFound(path.clone(), *at),
        E::ErrorUnboundThis(at) => E::ErrorUnboundThis(*at),
        E::ErrorMismatchDataType(wanted, found, at) => E::ErrorMismatchDataType(wanted.clone(), found.clone(), *at),
        E::ErrorMismatchOutputType(wanted, found, at) => E::ErrorMismatchOutputType(wanted.clone(), found.clone(), *at),
        E::ErrorIndexingType(name, at) => E::ErrorIndexingType(name.clone(), *at),
        E::ErrorArrayBounds(length, index, at) => E::ErrorArrayBounds(*length, *index, *at),
        E::ErrorStringBounds(length, index, at) => E::ErrorStringBounds(*length, *index, *at),
        E::ErrorBitFieldBounds(length, index, at) => E::ErrorBitFieldBounds(*length, *index, *at),
        E::ErrorFor(at) => E::ErrorFor(*at),
        E::ErrorDataRace(name, at) => E::ErrorDataRace(name.clone(), *at),
        E::ErrorAssignmentToConstant(name, at) => E::ErrorAssignmentToConstant(name.clone(), *at),
        E::ErrorDotExpr(text, at) => E::ErrorDotExpr(text.clone(), *at),
        E::ErrorArithmetic(text, at) => E::ErrorArithmetic(text.clone(), *at),
        E::ErrorTooManyOperations(at) => E::ErrorTooManyOperations(*at),
        E::ErrorTooManyVariables(at) => E::ErrorTooManyVariables(*at),
        E::ErrorTooManyModules(at) => E::ErrorTooManyModules(*at),
        E::ErrorStackOverflow(at) => E::ErrorStackOverflow(*at),
        E::ErrorDataTooLarge(text, at) => E::ErrorDataTooLarge(text.clone(), *at),
        other => E::ErrorRuntime(other.to_string().into(), other.position()),
    };
    Box::new(copy)
}
