//! What a line editor asks a session: what could be written at the cursor, what a text consists of, what the call takes
//! that is being written, and whether an entry is complete.
//!
//! Nothing here evaluates anything. What stands left of a dot is known from the values of variables, from literals, and
//! from what the documentation says that a function gives.

mod chain;
mod classes;
mod expression;
mod members;
mod names;
mod paths;
mod place;
mod private;
mod programs;
mod signatures;
#[cfg(test)]
mod tests;
mod types;
mod words;

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::docs::Reference;
use super::scan;
use super::session::Session;
use crate::process::Context;
use crate::terminal::Stream;

pub use classes::Class;
pub(crate) use classes::Classifier;
use place::Place;
use programs::Programs;

/// So many candidates are told at once: nobody reads more, and a terminal would scroll for minutes.
const MOST: usize = 500;

/// What could stand at the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// Each candidate takes the place of the text from this byte on, up to the cursor.
    pub start: usize,
    /// In the order of their names.
    pub candidates: Vec<Candidate>,
    /// How many there are besides: at least so many.
    pub more: usize,
    /// What the text of each begins with, of those besides too: this may be put into the text. Empty when there is
    /// nothing, and when not all were looked at.
    pub common: String,
}

/// One thing that could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What people read in a list: of a path, its last part.
    pub label: String,
    /// What is put into the text, with quotes and escapes where it needs them.
    pub text: String,
    /// How it is called, or what it is.
    pub about: Option<String>,
}

impl Candidate {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { label: text.clone(), text, about: None }
    }
}

impl Completions {
    fn of(start: usize, mut candidates: Vec<Candidate>) -> Self {
        candidates.sort();
        candidates.dedup_by(|one, other| one.text == other.text);
        // In this order the ends have the least in common.
        let common = match (candidates.first(), candidates.last()) {
            (Some(first), Some(last)) => common_beginning(&first.text, &last.text).to_string(),
            _ => String::new(),
        };
        let more = candidates.len().saturating_sub(MOST);
        candidates.truncate(MOST);
        Self { start, candidates, more, common }
    }

    /// When there may be others that nobody has looked at.
    fn partly_seen(self) -> Self {
        Self { more: self.more + 1, common: String::new(), ..self }
    }
}

fn common_beginning<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, one), other)| one == other);
    &one[..same.last().map_or(0, |((at, char), _)| at + char.len_utf8())]
}

/// What is found out once for a session, when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Editing {
    reference: OnceLock<Arc<Reference>>,
    programs: Arc<Programs>,
}

impl Editing {
    fn reference(&self) -> &Arc<Reference> {
        self.reference.get_or_init(|| Arc::new(Reference::load()))
    }
}

impl Session {
    /// What could stand at the cursor, a byte offset in the text.
    ///
    /// Behind a dot these are the methods, properties and map entries of the value in front of it; in strings and
    /// command templates, programs, files, environment variables and modules, each where it fits; elsewhere variables,
    /// functions and keywords. At most 500 are told.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session};
    ///
    /// let mut session = Session::new(Runtime::builder().build()?);
    /// session.eval(r#"let config = #{ host: "web1", port: 80 };"#)?;
    /// let found = session.complete("config.ho", 9);
    /// assert_eq!((found.start, found.candidates[0].text.as_str()), (7, "host"));
    /// // Nothing is run to find out what it gives: the documentation tells.
    /// let found = session.complete(r#"cmd("git", "diff").lin"#, 22);
    /// assert_eq!(found.candidates[0].text, "lines()");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn complete(&self, text: &str, cursor: usize) -> Completions {
        let before = &text[..text.floor_char_boundary(cursor)];
        let context = self.context();
        match Place::find(before) {
            Place::Nowhere => Completions::default(),
            Place::Code(code) => names::complete(self, before, &code),
            Place::Text(text) => paths::complete_string(self, &context, before, &text),
            Place::Template(template) => paths::complete_template(self, &context, before, &template),
        }
    }

    /// The names of what is documented that begin so: functions, methods, types, modules.
    pub(crate) fn complete_documented(&self, text: &str) -> Vec<Candidate> {
        names::documented(self.editing().reference(), text)
    }

    /// The files that a path could go on with, not quoted in any way.
    pub(crate) fn complete_path(&self, text: &str) -> Completions {
        paths::complete_plain(&self.context(), text)
    }

    /// What the parts of a text are, for colours: in the order of the text, without overlaps. What is in no range is
    /// nothing special.
    ///
    /// ```
    /// use procscript::script::{Class, Runtime, Session};
    ///
    /// let session = Session::new(Runtime::builder().build()?);
    /// let text = "let n = 12; // dozen";
    /// let parts: Vec<_> = session.highlight(text).into_iter().map(|(range, class)| (&text[range], class)).collect();
    /// assert_eq!(parts, [("let", Class::Keyword), ("12", Class::Number), ("// dozen", Class::Comment)]);
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn highlight(&self, text: &str) -> Vec<(Range<usize>, Class)> {
        self.classifier().classes(text)
    }

    /// How the function is called in whose parentheses the cursor is.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session};
    ///
    /// let mut session = Session::new(Runtime::builder().build()?);
    /// session.eval("fn twice(n) { n * 2 }")?;
    /// assert_eq!(session.signature_at("1 + twice(", 10).as_deref(), Some("twice(n)"));
    /// assert!(session.signature_at("sleep(", 6).is_some_and(|text| text.starts_with("sleep(duration: String | ")));
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn signature_at(&self, text: &str, cursor: usize) -> Option<String> {
        signatures::find(self, &text[..text.floor_char_boundary(cursor)])
    }

    /// Whether an entry ends too early: in a bracket, a text, a comment, or behind an operator.
    ///
    /// It is more than [`is_incomplete`](Self::is_incomplete), which looks at the text alone: the entry is parsed.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session};
    ///
    /// let session = Session::new(Runtime::builder().build()?);
    /// assert!(session.needs_more("let x ="));
    /// assert!(session.needs_more("fn f(a) {"));
    /// assert!(!session.needs_more("let x = 1"));
    /// // A mistake is no reason to ask for more.
    /// assert!(!session.needs_more("1 2 ("));
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn needs_more(&self, entry: &str) -> bool {
        self.completeness().needs_more(entry)
    }

    /// For a thread of its own: whether entries are complete.
    pub(crate) fn completeness(&self) -> Completeness {
        Completeness { runtime: self.runtime().clone() }
    }

    /// For a thread of its own: what the parts of texts are.
    pub(crate) fn classifier(&self) -> Classifier {
        Classifier::new(self.context(), self.editing().reference().clone(), self.editing().programs.clone())
    }

    /// Whether a text holds a secret: one that the session knows, or one that it will know when the text is run,
    /// because a literal is given to `secret`.
    pub(crate) fn tells_secret(&self, text: &str) -> bool {
        self.runtime().mask(text) != text || private::holds_secret(text)
    }

    /// Whether what goes to standard output is shown in colours.
    pub(crate) fn shows_colors(&self) -> bool {
        self.runtime().world.shows_colors(Stream::Stdout)
    }

    fn context(&self) -> Context {
        self.runtime().world.context()
    }
}

/// Tells whether entries are complete.
pub(crate) struct Completeness {
    runtime: super::Runtime,
}

impl Completeness {
    pub fn needs_more(&self, entry: &str) -> bool {
        let found = scan::scan(entry);
        if found.mismatched.is_some() {
            return false;
        }
        match found.unclosed {
            Some((what, _)) if !what.can_go_on() => false,
            Some((scan::Unclosed::Paren | scan::Unclosed::Bracket | scan::Unclosed::Brace, _)) => {
                let closing: String = found.open.iter().rev().map(|(what, _)| closing(*what)).collect();
                self.ends_early(entry, &closing)
            }
            None => self.ends_early(entry, ""),
            // Rhai would call the start of the text the mistake.
            Some(_) => true,
        }
    }

    /// Whether the parser finds no mistake, or its first one behind the last character, when what is open is closed:
    /// a bracket that is open is the beginning of more, unless something is wrong before.
    fn ends_early(&self, entry: &str, closing: &str) -> bool {
        let entry = entry.trim_end();
        let whole = format!("{entry}\n{closing}");
        let (spelt, _) = super::spelling::respell(&whole, &scan::scan(&whole), true);
        let parsed = super::thread::on_script_thread(|| self.runtime.engine().compile(&spelt).err());
        let Ok(Some(error)) = parsed else { return !closing.is_empty() };
        // Without a place: the text is over.
        let Some(line) = error.1.line() else { return true };
        let last = entry.split('\n').count();
        let width = spelt.split('\n').nth(last - 1).unwrap_or_default().chars().count();
        line > last || (line == last && error.1.position().unwrap_or_default() > width)
    }
}

fn closing(what: scan::Unclosed) -> &'static str {
    match what {
        scan::Unclosed::Paren => ")",
        scan::Unclosed::Bracket => "]",
        scan::Unclosed::Brace | scan::Unclosed::Slot => "}",
        _ => "",
    }
}

/// How many lines have brackets that are open at the end of a text, which is how far the formatter indents; none when
/// it ends in a string, a template or a comment, where white space is not free.
pub(crate) fn open_levels(text: &str) -> usize {
    use scan::Unclosed::{Brace, Bracket, Paren};
    let open = scan::scan(text).open;
    let is_bracket = |what: &scan::Unclosed| matches!(what, Brace | Bracket | Paren);
    match open.iter().all(|(what, _)| is_bracket(what)) {
        true => {
            let mut lines: Vec<usize> = open.iter().map(|(_, at)| text[..*at].matches('\n').count()).collect();
            lines.dedup();
            lines.len()
        }
        false => 0,
    }
}

/// The directory that relative paths count from.
fn base(context: &Context) -> Option<std::path::PathBuf> {
    context.absolute(Path::new(".")).ok()
}
