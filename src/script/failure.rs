//! Why a script did not come to its end: everything a report needs, as data.

use rhai::{Dynamic, EvalAltResult, Position};

use crate::process;

use super::caught::ScriptError;
use super::check::{lower_first, parse_message};
use super::error::CommandError;
use super::parallel::Batch;
use super::problem::Problem;
use super::secret::{self, Secrets};
use super::stdlib;
use super::world::Sources;

/// What kind of failure ended a script; the runner's exit code follows from it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FailureKind {
    /// The script could not be loaded or has mistakes: nothing was run.
    Load,
    /// The arguments of the script are not what it declares (`cli`): nothing was run. With what to print for
    /// whoever called it: the message, the usage, where there is help.
    Usage(String),
    /// A command failed, and nothing caught its error.
    Command(Box<process::Error>),
    /// The script threw an error, or made a mistake at run time.
    Script,
    /// What it printed could not be written; the system's error number.
    Output(Option<i32>),
    /// The script went over a limit of its runtime.
    Limit,
    /// The runtime was cancelled.
    Interrupted,
    /// A fault of procscript itself.
    Internal,
}

/// A place in a source text, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name under which the source was loaded.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// The text of the line.
    pub text: Option<String>,
}

impl Place {
    pub(crate) fn mask(&mut self, secrets: &Secrets) {
        self.text = self.text.take().map(|line| secrets.mask_in_place(&line));
    }
}

/// A call that was under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function.
    pub function: String,
    /// Where it was called.
    pub place: Option<Place>,
}

/// Why a script did not come to its end.
///
/// `Display` is the headline; [`render`](Self::render) is the whole report with the source line.
#[derive(Debug, Clone)]
pub struct Failure(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    kind: FailureKind,
    message: String,
    place: Option<Place>,
    frames: Vec<Frame>,
    notes: Vec<String>,
    help: Option<String>,
    problems: Vec<Problem>,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: message.into(),
            place: None,
            frames: Vec::new(),
            notes: Vec::new(),
            help: None,
            problems: Vec::new(),
        }))
    }

    pub(crate) fn load(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Load, message)
    }

    /// A program that is not run because of what the check has found; the first is told.
    pub(crate) fn of_problems(problems: Vec<Problem>) -> Self {
        let Some(first) = problems.first() else { return Self::load("the script has a mistake") };
        let mut failure = Self::load(first.message()).at(first.place().cloned()).with_help(first.help());
        failure.0.problems = problems;
        failure
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.0.place = place;
        self
    }

    /// With the place and the calls of another failure.
    pub(crate) fn where_is(mut self, other: Option<Self>) -> Self {
        if let Some(other) = other {
            self.0.place = other.0.place;
            self.0.frames = other.0.frames;
        }
        self
    }

    pub(crate) fn with_help(mut self, help: Option<impl Into<String>>) -> Self {
        self.0.help = help.map(Into::into);
        self
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// What a module of ours raises is told where the script calls into it: nobody can mend anything in there.
    fn out_of_library(mut self) -> Self {
        let is_ours = |place: &Place| stdlib::source(&place.file).is_some();
        while self.0.place.as_ref().is_some_and(is_ours) && self.0.frames.iter().any(|frame| frame.place.is_some()) {
            self.0.place = self.0.frames.remove(0).place;
        }
        self
    }

    /// As one of those that failed beside each other.
    fn among(self, batch: Option<&Batch>) -> Self {
        batch.map(Batch::notes).unwrap_or_default().into_iter().fold(self, Self::with_note)
    }

    /// With everything masked that is secret.
    pub(crate) fn masked(mut self, secrets: &Secrets) -> Self {
        let details = &mut *self.0;
        let texts = details.notes.iter_mut().chain(&mut details.help).chain([&mut details.message]);
        texts.for_each(|text| *text = secrets.mask(text).into_owned());
        match &mut details.kind {
            FailureKind::Command(error) => **error = secrets.mask_error((**error).clone()),
            FailureKind::Usage(text) => *text = secrets.mask(text).into_owned(),
            _ => {}
        }
        for frame in &mut details.frames {
            frame.function = secrets.mask(&frame.function).into_owned();
        }
        let places = details.frames.iter_mut().filter_map(|frame| frame.place.as_mut()).chain(&mut details.place);
        places.for_each(|place| place.mask(secrets));
        details.problems.iter_mut().for_each(|problem| problem.mask(secrets));
        self
    }

    /// The failure of a command that was started, and that nobody waited for.
    pub(crate) fn in_background(mut self) -> Self {
        self.0.message = format!("a command in the background failed, and nobody waited for it: {}", self.0.message);
        self.0.help = Some("wait for it with .wait(), or say .unchecked() when its end does not matter".to_string());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> &FailureKind {
        &self.0.kind
    }

    /// What failed and why, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The calls that were under way, the innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.0.frames
    }

    /// What else went wrong.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What to do about it, where there is something to say.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Everything that the check has found wrong with the program, by file and place, when that is why
    /// it was not run. The first is what [`message`](Self::message), [`place`](Self::place) and
    /// [`help`](Self::help) tell.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The error of the command that failed, when one did.
    pub fn command_error(&self) -> Option<&process::Error> {
        match &self.0.kind {
            FailureKind::Command(error) => Some(error),
            _ => None,
        }
    }

    /// The whole report, as the runner prints it: headline, place, source line, caret, help. Of many
    /// problems it has the first twenty.
    pub fn render(&self) -> String {
        super::report::render(self)
    }

    /// The same as [`render`](Self::render) for programs: one line of JSON, without its ending. Its names are
    /// those that a script knows from `catch`; `null` is what is not known.
    ///
    /// ```
    /// use procscript::script::Runtime;
    ///
    /// let failure = Runtime::builder().build()?.eval::<()>("cmd(\"sh\", \"-c\", \"exit 3\").run();").unwrap_err();
    /// assert!(failure.to_json().starts_with(r#"{"kind":"exit_status","message":"#));
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn to_json(&self) -> String {
        super::failure_json::to_json(self)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

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
        let mut closure: Option<String> = None;
        loop {
            match error {
                EvalAltResult::ErrorInFunctionCall(name, file, inner, position) => {
                    let place = self.place(source.as_deref(), position);
                    closure = self.sources.of_closure(&name);
                    let function = if name.starts_with("anon$") { "closure".to_string() } else { name };
                    calls.push(Frame { function, place });
                    let file = closure.clone().or_else(|| Some(file).filter(|file| !file.is_empty()));
                    source = file.or(source);
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
        let mut failure = self.innermost(error, source.as_deref(), closure.as_deref());
        failure.0.frames = calls;
        failure.out_of_library()
    }

    /// `closure`: the source of the closure that raised it, which the error itself does not know.
    fn innermost(&self, error: EvalAltResult, source: Option<&str>, closure: Option<&str>) -> Failure {
        let place = self.place(source, error.position());
        match error {
            EvalAltResult::ErrorRuntime(value, _) => self.thrown(value, place, closure),
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

    fn thrown(&self, value: Dynamic, place: Option<Place>, closure: Option<&str>) -> Failure {
        if let Some(error) = value.read_lock::<CommandError>() {
            // Where the command failed, also when it was caught and thrown again.
            let raised = error.place().and_then(|(file, line, column)| {
                self.place(closure.or(file), Position::new(line.min(65_535) as u16, column.min(65_535) as u16))
            });
            let kind = FailureKind::Command(Box::new(error.error().clone()));
            let mut failure = Failure::new(kind, error.error().message());
            if error.error().attempts() > 1 {
                failure = failure.with_note(format!("it was tried {} times", error.error().attempts()));
            }
            if let Some(cause) = error.cause() {
                failure = failure.with_note(format!("because of this: {}", cause.error().message()));
            }
            return failure.among(error.batch()).at(raised.or(place)).with_help(error.error().help());
        }
        if let Some(error) = value.read_lock::<ScriptError>() {
            // One that was caught and thrown again.
            let raised = self.place(closure.or(error.file.as_deref()), error.position);
            let failure = Failure::new(FailureKind::Script, error.message.clone());
            return failure.among(error.batch.as_deref()).at(raised.or(place));
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
        let names = (self.names)();
        // It is there, but for other values.
        if names.iter().any(|known| known == name) {
            return usage(name);
        }
        let similar = process::nearest_name(name, names.into_iter())?;
        Some(format!("did you mean `{similar}`?"))
    }
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

/// What an error says, in one line, without the calls around it.
pub(crate) fn message_of(error: &EvalAltResult) -> String {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => message_of_value(value),
        error => plain_message(error),
    }
}

/// What a thrown value says.
pub(crate) fn message_of_value(value: &Dynamic) -> String {
    if let Some(error) = value.read_lock::<CommandError>() {
        return error.error().message().to_string();
    }
    if let Some(error) = value.read_lock::<ScriptError>() {
        return error.message.clone();
    }
    if let Some(map) = value.read_lock::<rhai::Map>()
        && let Some(message) = map.get("message")
    {
        return secret::shown(message);
    }
    if value.is_unit() { "the script threw an error".to_string() } else { secret::shown(value) }
}

pub(crate) fn plain_message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("there is no variable `{name}` here"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.starts_with("anon$") {
            true => "a function was called with a number of arguments that it does not take".to_string(),
            false => cannot_be_called(signature),
        },
        EvalAltResult::ErrorPropertyNotFound(name, _) => format!("there is no property `{name}`"),
        EvalAltResult::ErrorDotExpr(text, _) => unknown_property(text).unwrap_or_else(|| lower_first(text)),
        EvalAltResult::ErrorDataRace(name, _) => {
            let name = if is_name(name) { format!("`{name}`") } else { "a variable".to_string() };
            format!("{name} is in use: by one of its own methods, or by something else that runs in parallel")
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _) if expected.is_empty() => {
            format!("{} cannot be used here", readable_type(found))
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _) => {
            format!("expected {}, but found {}", readable_type(expected), readable_type(found))
        }
        EvalAltResult::ErrorFor(_) => "`for` needs something to go through: an array, a range, lines()".to_string(),
        EvalAltResult::ErrorStackOverflow(_) => "the functions call each other too deeply".to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => "the script took more operations than its limit".to_string(),
        // Rhai's text goes on with "too large", which ours says itself.
        EvalAltResult::ErrorDataTooLarge(text, _) if text.contains(" more than ") => text.clone(),
        error => lower_first(&without_place(error)),
    }
}

/// Rhai does not know the variable everywhere, and says then which argument of which function it was.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// `Unknown property 'x' - a getter is not registered for type 'i64'` in our words.
fn unknown_property(text: &str) -> Option<String> {
    let mut parts = text.split('\'');
    let (start, name, accessor, type_name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = start.ends_with(" property ") && accessor.contains("is not registered for type");
    let rest = if accessor.contains("setter") { " that can be set" } else { "" };
    is_known.then(|| format!("{} has no property `{name}`{rest}", readable_type(type_name)))
}

/// Rhai's text without the place that it adds in parentheses: the report shows it itself.
fn without_place(error: &EvalAltResult) -> String {
    let text = error.to_string();
    match error.position().is_none() {
        true => text,
        false => text.rsplit_once(" (line ").map_or(text.clone(), |(text, _)| text.to_string()),
    }
}

fn hint(error: &EvalAltResult) -> Option<String> {
    Some(match error {
        EvalAltResult::ErrorVariableNotFound(..) => {
            "a function sees its parameters and constants (global::NAME) only: pass the value to it".to_string()
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with("cmd ") => {
            "pass the arguments as one array: cmd(\"program\", [a, b, c])".to_string()
        }
        EvalAltResult::ErrorDataRace(name, _) if !is_name(name) => {
            "give results back from the closure instead of changing a variable of all: parallel(items, |item| result)"
                .to_string()
        }
        EvalAltResult::ErrorDataRace(name, _) => {
            format!("take the stream out first: let lines = {name}.lines(); for line in lines {{ … }}")
        }
        EvalAltResult::ErrorMismatchDataType(expected, found, _)
            if expected == "bool" && found.ends_with("::Expression") =>
        {
            "to ask whether a command succeeds, run it: .test()".to_string()
        }
        EvalAltResult::ErrorPropertyNotFound(name, _) => {
            format!("look at its keys, or ask for one that may be missing: .get(\"{name}\")")
        }
        EvalAltResult::ErrorStackOverflow(_) => "look for a function that calls itself without an end".to_string(),
        _ => return None,
    })
}

/// `foo (i64, &str | ImmutableString | String)` as "`foo` cannot be called with (integer, text)".
fn cannot_be_called(signature: &str) -> String {
    let Some((name, types)) = signature.split_once(" (") else {
        return format!("there is no function `{signature}`");
    };
    let types = types.trim_end_matches(')').split(", ").filter(|name| !name.is_empty());
    let types: Vec<&str> = types.map(readable_type).collect();
    let is_operator = !name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match (is_operator, types.as_slice()) {
        (true, [left, right]) => format!("`{name}` does not work on {left} and {right}"),
        (true, [operand]) => format!("`{name}` does not work on {operand}"),
        _ => format!("`{name}` cannot be called with ({})", types.join(", ")),
    }
}

fn readable_type(name: &str) -> &str {
    match name.trim() {
        "i64" => "integer",
        "f64" => "float",
        "&str | ImmutableString | String" | "ImmutableString" | "string" | "&str" | "String" => "text",
        "()" => "()",
        name if name.ends_with("::Expression") => "Command",
        other => other.rsplit("::").next().unwrap_or(other),
    }
}
