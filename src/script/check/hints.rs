//! What to write instead, where a syntax error looks like a habit from another language.

use rhai::{LexError, ParseErrorType};

/// The text around the place of a syntax error.
pub(super) struct Around<'a> {
    /// From the place on.
    rest: &'a str,
    /// The word in front of the place, or the sign.
    before: &'a str,
    /// The word or sign in front of that.
    before_that: &'a str,
    /// The line up to the place, and the line.
    line_before: &'a str,
    line: &'a str,
    /// The line before that.
    previous: &'a str,
}

impl<'a> Around<'a> {
    pub fn new(text: &'a str, offset: usize) -> Self {
        let (start, rest) = text.split_at(text.floor_char_boundary(offset));
        let (line_start, before) = (start.rfind('\n').map_or(0, |at| at + 1), last_token(start));
        let end = rest.find('\n').map_or(text.len(), |length| start.len() + length);
        let until = start.trim_end().len() - before.len();
        Self {
            rest,
            before,
            before_that: last_token(&start[..until]),
            line_before: &start[line_start..],
            line: text[line_start..end].trim(),
            previous: start[..line_start].trim_end().lines().next_back().unwrap_or_default(),
        }
    }

    /// The word at the place.
    pub fn word(&self) -> Option<&'a str> {
        let length = self.rest.find(|c: char| !is_word(c)).unwrap_or(self.rest.len());
        Some(&self.rest[..length]).filter(|word| !word.is_empty())
    }

    /// Whether the line with the place, or the one before it where the place begins a line, imports no text.
    fn imports_a_word(&self) -> bool {
        let line = if self.line_before.trim().is_empty() { self.previous } else { self.line_before };
        line.trim_start().strip_prefix("import ").is_some_and(|path| path.trim_start().starts_with(is_word))
    }

    fn is_at(&self, what: &str) -> bool {
        match what.starts_with(is_word) {
            true => self.word() == Some(what),
            false => self.rest.starts_with(what),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word at the end of a text, or its last sign.
fn last_token(text: &str) -> &str {
    let text = text.trim_end();
    let word = text.trim_end_matches(is_word).len();
    match text[word..].is_empty() {
        false => &text[word..],
        true => &text[text.char_indices().next_back().map_or(0, |(at, _)| at)..],
    }
}

/// A habit: what stands at the place, what stands in front of it, and what to write. No entry means
/// that it does not matter; the first that fits is taken.
struct Habit {
    at: &'static [&'static str],
    before: &'static [&'static str],
    help: &'static str,
}

const fn at(at: &'static [&'static str], help: &'static str) -> Habit {
    Habit { at, before: &[], help }
}

const fn after(before: &'static [&'static str], help: &'static str) -> Habit {
    Habit { at: &[], before, help }
}

const CLOSURE: &str = "a function without a name is a closure: |x| …";

const IMPORT: &str = "a module is imported with import \"path\" as name;";

const CLEAN_UP: &str = "clean-up is a statement with a block: defer { … }";

const HABITS: &[Habit] = &[
    after(&["defer"], CLEAN_UP),
    at(&["?"], "a choice is written if a { b } else { c }"),
    at(&["++"], "write += 1"),
    at(&["--"], "write -= 1"),
    Habit { at: &["fn"], before: &["=", "(", ",", ":", "return"], help: CLOSURE },
    Habit {
        at: &["fn"],
        before: &["{", "}", ";"],
        help: "put the function outside of all blocks, or make it a closure: let name = |x| …",
    },
    at(&["=>"], CLOSURE),
    at(&["->"], "a closure is written |x| …, a case 1 => …, and a function does not say what it gives"),
    at(&["try"], "`try` has no value: let result = attempt(|| …)"),
    at(&["#"], "a comment starts with //"),
    at(&["${"], "a slot belongs into a command template or a text in backquotes: `…${x}…`"),
    at(&["$("], "what a command prints is $`command`.read()"),
    at(&["$"], "a variable has no $ in front, and one of the environment is env(\"NAME\")"),
    at(&["'"], "a text stands in double quotes or backquotes; single quotes hold one character"),
    after(&["elif", "elsif", "elseif"], "write else if"),
    at(&["and"], "write &&"),
    at(&["or"], "write ||"),
    after(&["not"], "write !"),
    at(&["then", "do"], "a block stands in braces: { … }"),
    after(&["function", "def", "func", "fun"], "a function is written fn name(a, b) { … }"),
    after(&["foreach"], "a loop is written for x in list { … }"),
    after(&["unless"], "write if !condition { … }"),
    after(&["except", "rescue"], "an error is caught with try { … } catch (e) { … }"),
    at(&["except", "rescue"], "an error is caught with try { … } catch (e) { … }"),
    Habit { at: &["import", "from"], before: &["from"], help: IMPORT },
    after(&["from"], IMPORT),
    after(&["finally"], "what always happens is written in front: defer { … }"),
    after(&["echo", "printf", "puts"], "write print(…)"),
    Habit { at: &["let"], before: &["("], help: "a loop is written for i in 0..n { … }" },
    Habit { at: &["(", "["], before: &["let", "const"], help: "one name at a time: let a = pair[0]; let b = pair[1];" },
    Habit { at: &["\""], before: &["f"], help: "a text with values in it stands in backquotes: `…${x}…`" },
    Habit { at: &[">"], before: &["<"], help: "write !=" },
];

/// What to write, when the error looks like a habit.
pub(super) fn help(error: &ParseErrorType, around: &Around) -> Option<String> {
    let fixed = match error {
        ParseErrorType::BadInput(LexError::UnterminatedString) => {
            "a text over several lines stands in backquotes: `…`; a quote inside one is \\\""
        }
        ParseErrorType::BadInput(LexError::MalformedEscapeSequence(_)) => {
            "a backslash is written \\\\; a raw text has none to escape: #\"…\"#"
        }
        ParseErrorType::MissingToken(_, what) if what.contains("parameters of") => match around.rest.chars().next() {
            Some(':') => "parameters have no types: fn f(a, b) { … }",
            Some('=') => "parameters have no default values: write a second function with fewer parameters",
            _ => return None,
        },
        ParseErrorType::MissingToken(..) if is_shell_test(around) => {
            "a file is asked for with exists(\"path\"), is_file(\"path\"), is_dir(\"path\"); values with =="
        }
        // `import os`
        ParseErrorType::MissingToken(token, _) if token == ";" && around.imports_a_word() => IMPORT,
        ParseErrorType::LoopBreak => "in a closure, `return` goes on with the next value",
        // They have their own words.
        ParseErrorType::Reserved(word) if word.starts_with(is_word) => return None,
        _ => match habit(around) {
            Some(help) => help,
            None => return missing_token(error, around),
        },
    };
    Some(fixed.to_string())
}

/// `if [ -f "x" ]`
fn is_shell_test(around: &Around) -> bool {
    let start = around.line.trim_start_matches("} else ").trim_start_matches("el");
    let condition = ["if ", "while "].iter().find_map(|word| start.strip_prefix(word));
    condition.is_some_and(|condition| condition.starts_with("[ ") || condition.starts_with("[[ "))
}

fn habit(around: &Around) -> Option<&'static str> {
    let fits = |habit: &&Habit| {
        (habit.at.is_empty() || habit.at.iter().any(|what| around.is_at(what)))
            && (habit.before.is_empty() || habit.before.contains(&around.before))
    };
    HABITS.iter().find(fits).map(|habit| habit.help)
}

/// Where a statement should have ended, or a block should have begun.
fn missing_token(error: &ParseErrorType, around: &Around) -> Option<String> {
    let ParseErrorType::MissingToken(token, _) = error else { return None };
    if token == "{" {
        return Some("a block stands in braces: { … }".to_string());
    }
    if token != ";" {
        return None;
    }
    if around.is_at(":") {
        return Some(match around.before_that {
            "let" | "const" => "variables have no types: let x = …".to_string(),
            _ => "a map is written #{ name: value }".to_string(),
        });
    }
    if around.line.starts_with("export ") {
        return Some(
            "a command gets a variable with .env(\"NAME\", value), several with with env(#{NAME: value}) { … }"
                .to_string(),
        );
    }
    if [around.line, around.previous.trim()].iter().any(|line| line.starts_with("set -")) {
        return Some(
            "leave `set` out: a command that fails ends the script, and a name that does not exist is refused"
                .to_string(),
        );
    }
    if around.line_before.trim().is_empty() {
        return Some("a `;` is missing at the end of the line before".to_string());
    }
    // `git status`: a word as the whole beginning of a line, and then something else.
    let is_word_alone = around.line_before.trim() == around.before && around.before.starts_with(is_word);
    let looks_like_an_argument = around.rest.starts_with(|c: char| is_word(c) || "-\"./~".contains(c));
    (is_word_alone && looks_like_an_argument).then(|| {
        let line = around.line.trim_end_matches(';');
        format!("to run a program: $`{line}`.run()")
    })
}
