//! Why a script did not come to its end: everything a report needs, as data.

use crate::process;

use super::parallel::Batch;
use super::problem::Problem;
use super::secret::Secrets;
use super::stdlib;

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

    pub(crate) fn called_by(mut self, frames: Vec<Frame>) -> Self {
        self.0.frames = frames;
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
    pub(crate) fn out_of_library(mut self) -> Self {
        let is_ours = |place: &Place| stdlib::source(&place.file).is_some();
        while self.0.place.as_ref().is_some_and(is_ours) && self.0.frames.iter().any(|frame| frame.place.is_some()) {
            self.0.place = self.0.frames.remove(0).place;
        }
        self
    }

    /// As one of those that failed beside each other.
    pub(crate) fn among(self, batch: Option<&Batch>) -> Self {
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

    /// Its place and its message, behind what it is told of.
    pub(crate) fn with_place(&self) -> String {
        match &self.0.place {
            Some(Place { file, line, column, .. }) => format!(" at {file}:{line}:{column}: {}", self.0.message),
            None => format!(": {}", self.0.message),
        }
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
