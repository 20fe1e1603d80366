//! What the check finds in a program before it runs.

use super::failure::Place;
use super::secret::Secrets;

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The program is not run.
    Error,
    /// The program is run, and may not do what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Makes the kinds of problems and their table from one list.
macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $meaning:literal,)*) => {
        /// The kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Code { $($variant),* }

        /// Every kind: its code, how much it weighs, and what it means.
        const CODES: &[(Code, &str, Severity, &str)] =
            &[$((Code::$variant, $name, Severity::$severity, $meaning)),*];
    };
}

codes! {
    Syntax "syntax" Error "the text is not a program",
    ReservedWord "reserved-word" Error "a word that the language keeps for itself is used as a name",
    Template "template" Error "a command template has a mistake",
    UnclosedComment "unclosed-comment" Error "a comment goes on to the end of the text",
    MissingModule "missing-module" Error "what is imported is not there, or cannot be read",
    ImportCircle "import-circle" Error "modules import each other in a circle",
    UndefinedVariable "undefined-variable" Error "a variable that does not exist here",
    UndefinedModule "undefined-module" Error "`name::` without an import of that name",
    UnknownFunction "unknown-function" Error "a function or method that does not exist",
    WrongArgumentCount "wrong-argument-count" Error "a function does not take so many arguments",
    UnusedCommand "unused-command" Error "a command is built and never run",
    UnusedStream "unused-stream" Error "a stream is made and never read",
    UnusedExecution "unused-execution" Error "a command beside the script is ended as soon as it is started",
    UnusedValue "unused-value" Error "the result of a method that changes nothing is not used",
    CommandAsCondition "command-as-condition" Error "a command stands where a truth value is needed",
    DecidedComparison "decided-comparison" Error "the types of its sides decide a comparison",
    ShellText "shell-text" Error "a value is put into a text that a shell reads again",
    WrongExit "exit-code" Error "`exit` with a number that is no exit code",
    CliDeclaration "cli-declaration" Error "what `cli` declares is wrong, or not known before the script runs",
    CapturedReceiver "captured-receiver" Error "a closure uses the variable whose method is given it",
    Unreachable "unreachable-code" Warning "a statement that is never reached",
    SharedLoopVariable "shared-loop-variable" Warning "closures that are kept share the variable of a loop",
    RemoteText "remote-text" Warning "a value is given to `ssh`, whose shell reads it again",
    LiteralEscape "literal-escape" Warning "a text between backquotes has a backslash that looks like an escape",
    LiteralSlot "literal-slot" Warning "a text in double quotes has `${name}` with the name of a variable",
    ProgramNotFound "program-not-found" Warning "a command's program is not installed here",
    UnknownAllow "unknown-allow" Warning "a `procscript:` comment that means nothing",
}

impl Code {
    /// The code of this name.
    pub fn named(name: &str) -> Option<Self> {
        CODES.iter().find(|(_, known, ..)| *known == name).map(|(code, ..)| *code)
    }

    /// The names of all codes that a comment can allow.
    pub fn allowable() -> impl Iterator<Item = &'static str> {
        CODES.iter().filter(|(code, ..)| code.can_be_allowed()).map(|(_, name, ..)| *name)
    }

    /// What has no meaning, or no file, cannot be run, whatever a comment says.
    pub fn can_be_allowed(self) -> bool {
        !matches!(
            self,
            Self::Syntax
                | Self::ReservedWord
                | Self::Template
                | Self::UnclosedComment
                | Self::MissingModule
                | Self::ImportCircle
                | Self::CliDeclaration
        )
    }

    fn row(self) -> &'static (Code, &'static str, Severity, &'static str) {
        // The table has a row for every variant, in their order.
        &CODES[self as usize]
    }
}

/// Something that is wrong with a program, found before it runs.
///
/// ```
/// use procscript::script::{Runtime, Severity};
///
/// let problems = Runtime::builder().build()?.check("deploy.rhai", "cmd(\"make\");\nprnt(1)")?;
/// let found: Vec<_> = problems.iter().map(|p| (p.code(), p.place().map(|place| place.line))).collect();
/// assert_eq!(found, [("unused-command", Some(1)), ("unknown-function", Some(2))]);
/// assert_eq!(problems[1].severity(), Severity::Error);
/// assert_eq!(problems[1].help(), Some("did you mean `print`?"));
/// # Ok::<(), procscript::script::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    message: String,
    place: Option<Place>,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, help: None }
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn with_help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into);
        self
    }

    pub(crate) fn mask(&mut self, secrets: &Secrets) {
        self.message = secrets.mask(&self.message).into_owned();
        self.help = self.help.take().map(|help| secrets.mask(&help).into_owned());
        self.place.iter_mut().for_each(|place| place.mask(secrets));
    }

    /// Forgets the text of its line when that is longer.
    pub(crate) fn with_line_of_at_most(mut self, bytes: usize) -> Self {
        if let Some(place) = &mut self.place {
            place.text = place.text.take().filter(|text| text.len() <= bytes);
        }
        self
    }

    pub(crate) fn kind(&self) -> Code {
        self.code
    }

    /// All kinds of problems: the code, how much it weighs, and what it means.
    ///
    /// ```
    /// use procscript::script::{Problem, Severity};
    ///
    /// let warnings: Vec<_> = Problem::kinds().filter(|(_, severity, _)| *severity == Severity::Warning).collect();
    /// assert!(warnings.iter().any(|(code, ..)| *code == "program-not-found"));
    /// ```
    pub fn kinds() -> impl Iterator<Item = (&'static str, Severity, &'static str)> {
        CODES.iter().map(|(_, code, severity, meaning)| (*code, *severity, *meaning))
    }

    /// The stable name of its kind, as `// procscript: allow(…)` takes it.
    pub fn code(&self) -> &'static str {
        self.code.row().1
    }

    /// What problems of its kind are, in a few words.
    pub fn meaning(&self) -> &'static str {
        self.code.row().3
    }

    /// Whether a program with it is run.
    pub fn severity(&self) -> Severity {
        self.code.row().2
    }

    /// Whether `// procscript: allow(…)` on its line silences it.
    pub fn can_be_allowed(&self) -> bool {
        self.code.can_be_allowed()
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What to do about it, where there is something to say.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The report: headline, place, source line, caret, help.
    pub fn render(&self) -> String {
        super::report::render_problem(self)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_row() {
        for (index, (code, name, _, meaning)) in CODES.iter().enumerate() {
            assert_eq!(*code as usize, index);
            assert_eq!(Code::named(name), Some(*code));
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !meaning.is_empty(), "{name}");
        }
    }
}
