//! From a source text to a program, or to what is wrong with the text.

use rhai::{AST, Dynamic, Engine, LexError, ParseErrorType, Scope};

use crate::script::failure::Place;
use crate::script::library::Library;
use crate::script::problem::{Code, Problem};
use crate::script::scan::{self, LineIndex, Scan, Unclosed};
use crate::script::sources::MAX_LINES;
use crate::script::{shell_text, spelling, template_text};

use super::hints::{self, Around};
use super::reserved;

/// So many mistakes in templates are told at once.
const MOST_TEMPLATES: usize = 100;

/// A source text that is a program.
pub(crate) struct Parsed {
    pub ast: AST,
    pub scan: Scan,
    /// The text in which the scan has its offsets.
    pub text: String,
}

/// Whether this is the scope of a session, or a part of one.
fn has_results(scope: &Scope) -> bool {
    scope.contains(&format!("{}1", spelling::RESULT))
}

/// Parses a source text, and looks at nothing that it refers to.
pub(crate) fn parse(
    engine: &Engine,
    library: &Library,
    name: &str,
    source: &str,
    scope: Option<&Scope>,
) -> Result<Parsed, Vec<Problem>> {
    let sources = &library.sources;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let text = match source.strip_prefix("#!") {
        // Rhai takes a `#!` line only from its own file loader.
        Some(rest) => format!("//{rest}"),
        None => source.to_string(),
    };
    let lines = LineIndex::of(&text);
    let scan = scan::scan(&text);
    let (spelt, additions) = spelling::respell(&text, &scan, scope.is_some_and(has_results));
    let before = sources.add(name, source, lines, additions);
    let at = |offset: usize| sources.place_of(name, offset);
    if let Some(offset) = memchr::memchr(0, text.as_bytes()) {
        return Err(vec![Problem::new(Code::Syntax, "the script holds a NUL byte").at(at(offset))]);
    }
    if let Some(offset) =
        memchr::memchr_iter(b'\n', text.as_bytes()).nth(MAX_LINES - 1).filter(|at| at + 1 < text.len())
    {
        let problem = Problem::new(Code::Syntax, format!("the script has more than {MAX_LINES} lines"));
        let help = "move parts of it into modules: import \"part\" as part;";
        return Err(vec![problem.at(at(offset + 1)).with_help(Some(help))]);
    }
    let mut problems = template_problems(&text, &scan);
    problems.extend(unclosed_problem(&scan));
    problems.extend(scan.private.iter().take(MOST_TEMPLATES).map(|word| {
        let message = format!("`{}` is a word that procscript keeps for itself", &text[word.clone()]);
        (word.start, Problem::new(Code::ReservedWord, message).with_help(Some("choose another name")))
    }));
    if !problems.is_empty() {
        return Err(problems.into_iter().map(|(offset, problem)| problem.at(at(offset))).collect());
    }
    let spelt = match before {
        0 => spelt,
        _ => format!("{}{spelt}", "\n".repeat(before)),
    };
    let parsed = match scope {
        Some(scope) => engine.compile_with_scope(&without_values(scope), &spelt),
        None => engine.compile(&spelt),
    };
    match parsed {
        Ok(ast) => {
            library.assigned_keys.note(&ast);
            Ok(Parsed { ast, scan, text })
        }
        Err(error) => {
            let place = sources.place(name, error.1);
            let offset = place.as_ref().and_then(|place| sources.offset_of(place));
            let around = Around::new(&text, offset.unwrap_or(text.len()));
            let mut problem = explain(&error.0, Some(&around));
            if let Some(help) = bracket_help(&text, &scan, offset, &at) {
                problem = problem.with_help(Some(help));
            }
            Err(vec![problem.at(place)])
        }
    }
}

/// Of an error at the end of the text what is open there, and of one at a closing bracket that it closes
/// nothing.
fn bracket_help(text: &str, scan: &Scan, offset: Option<usize>, at: &dyn Fn(usize) -> Option<Place>) -> Option<String> {
    let offset = offset.unwrap_or(text.len());
    if scan.mismatched == Some(offset) {
        return Some("nothing is open that it could close".to_string());
    }
    let (Unclosed::Paren | Unclosed::Bracket | Unclosed::Brace, opened) = scan.unclosed? else { return None };
    if !text[text.floor_char_boundary(offset)..].trim().is_empty() {
        return None;
    }
    let (place, sign) = (at(opened)?, &text[opened..=opened]);
    Some(format!("the `{sign}` in line {}, column {} is never closed", place.line, place.column))
}

/// Rhai's words for a syntax error in ours, where there is no text to look at.
pub(crate) fn parse_message(error: &ParseErrorType) -> (String, Option<String>) {
    let problem = explain(error, None);
    (problem.message().to_string(), problem.help().map(str::to_string))
}

fn explain(error: &ParseErrorType, around: Option<&Around>) -> Problem {
    let help = around.and_then(|around| hints::help(error, around));
    if let Some(word) = reserved_word(error, around) {
        let message = format!("`{word}` is a reserved word and cannot be a name");
        return Problem::new(Code::ReservedWord, message).with_help(help.or_else(|| reserved::instead(word)));
    }
    let message = match error {
        ParseErrorType::VariableUndefined(name) => format!("there is no variable `{name}` here"),
        ParseErrorType::ExprTooDeep => {
            let help = Some("give the inner parts names with `let`");
            return Problem::new(Code::Syntax, "this is nested too deeply").with_help(help);
        }
        ParseErrorType::BadInput(LexError::UnexpectedInput(what)) => format!("`{what}` cannot stand here"),
        ParseErrorType::BadInput(LexError::ImproperSymbol(sign, _)) if sign == "=" => {
            let help = Some("write == to compare; = assigns, and is a statement of its own");
            return Problem::new(Code::Syntax, "`=` cannot stand here").with_help(help);
        }
        ParseErrorType::AssignmentToConstant(name) => {
            let help = format!("declare it with `let {name} = …` to change it");
            return Problem::new(Code::Syntax, format!("`{name}` is a constant")).with_help(Some(help));
        }
        ParseErrorType::UnexpectedEOF => "the script ends in the middle of something".to_string(),
        error => spelling::unspelt(&lower_first(&error.to_string())),
    };
    Problem::new(Code::Syntax, message).with_help(help)
}

/// The word that the language keeps for itself, when it stands where a name should.
fn reserved_word<'a>(error: &'a ParseErrorType, around: Option<&Around<'a>>) -> Option<&'a str> {
    match error {
        ParseErrorType::Reserved(word) => Some(word.as_str()).filter(|word| reserved::is_reserved(word)),
        ParseErrorType::VariableExpected | ParseErrorType::PropertyExpected | ParseErrorType::FnMissingName => {
            around.and_then(Around::word).filter(|word| reserved::is_reserved(word))
        }
        _ => None,
    }
}

/// Mistakes inside templates; the interpreter would report them at the wrong place.
fn template_problems(text: &str, scan: &Scan) -> Vec<(usize, Problem)> {
    let closed = scan.templates.iter().filter(|template| template.end.is_some());
    let found = closed.filter_map(|template| {
        let pieces: Vec<&str> = template.literals.iter().map(|range| &text[range.clone()]).collect();
        let error = match template.is_shell {
            true => shell_text::parse(&pieces).err()?,
            false => template_text::parse(&pieces).err()?,
        };
        let start = template.literals.get(error.piece).map_or(template.start, |piece| piece.start);
        Some((start + error.offset, Problem::new(Code::Template, error.message).with_help(error.help)))
    });
    found.take(MOST_TEMPLATES).collect()
}

/// What the interpreter would accept, or report at the end of the text.
fn unclosed_problem(scan: &Scan) -> Option<(usize, Problem)> {
    let (what, offset) = scan.unclosed?;
    let (code, message, help) = match what {
        Unclosed::Comment => (Code::UnclosedComment, "this comment is never closed", "close it with */"),
        Unclosed::Template => (Code::Template, "this command template is never closed", "close it with a backquote: `"),
        Unclosed::Slot => (Code::Syntax, "this ${ is never closed", "close it with }"),
        Unclosed::Backtick => (Code::Syntax, "this text is never closed", "close it with a backquote: `"),
        Unclosed::RawString => {
            (Code::Syntax, "this raw text is never closed", "close it with a quote and as many # as it has")
        }
        // Rhai's own error for these is as good, or better.
        _ => return None,
    };
    Some((offset, Problem::new(code, message).with_help(Some(help))))
}

/// The names of a scope as plain variables: the optimiser would fold the values of constants into
/// the program.
fn without_values(scope: &Scope) -> Scope<'static> {
    let mut names = Scope::new();
    for (name, _, _) in scope.iter_raw() {
        names.push_dynamic(name.to_string(), Dynamic::UNIT);
    }
    names
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
