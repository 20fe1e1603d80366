//! From a file to a program that has been checked: what happens before anything runs.

use std::io::Read;
use std::path::{Path, PathBuf};

use rhai::{AST, Dynamic, Engine, Scope};

use super::failure::{Explainer, Failure, Place};
use super::scan::{self, Unclosed};
use super::template_text;
use super::world::Sources;

/// Rhai counts lines in sixteen bits; beyond that its positions would be wrong.
const MAX_LINES: usize = 65_535;
/// A file this large is not a script.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A program that has been parsed and checked, ready to run.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) ast: AST,
    pub(crate) name: String,
    pub(crate) path: Option<PathBuf>,
}

impl Script {
    /// The name under which its failures are reported.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The text of a script file.
pub(crate) fn read_source(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let cannot = |why: &str| Failure::load(format!("cannot read the script `{shown}`: {why}"));
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&reason(&error)))?;
    if metadata.is_dir() {
        return Err(cannot("it is a directory"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(cannot("it is too large to be a script"));
    }
    let file = std::fs::File::open(path).map_err(|error| cannot(&reason(&error)))?;
    read_text(file, &shown.to_string())
}

/// Reads a script from an open file or standard input. A device that never ends is no script either.
pub(crate) fn read_text(reader: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let result = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    result.map_err(|error| Failure::load(format!("cannot read the script `{name}`: {}", reason(&error))))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::load(format!("cannot read the script `{name}`: it is too large to be a script")));
    }
    decode(bytes, name)
}

fn reason(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), crate::process::os::errno_text)
}

/// Scripts are UTF-8, with or without a byte order mark.
fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let scan::Place { line, column } = scan::place_of(&before, valid);
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        let message = format!("the script is not UTF-8 text: byte {byte:#04x} at offset {valid}");
        let text = before.lines().nth(line - 1).map(|line| format!("{line}\u{fffd}"));
        let help = match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16: save it as UTF-8",
            _ => "save it as UTF-8",
        };
        Failure::load(message).at(Some(Place { file: name.to_string(), line, column, text })).with_help(Some(help))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
}

/// What a source text may refer to although it does not define it: the state of a session.
#[derive(Default)]
pub(crate) struct Earlier<'a> {
    pub scope: Option<&'a Scope<'a>>,
    pub functions: Option<&'a AST>,
}

/// Parses and checks a source text. Nothing is run.
pub(crate) fn compile(
    engine: &Engine,
    sources: &Sources,
    name: &str,
    source: &str,
    earlier: &Earlier,
) -> Result<AST, Failure> {
    // Rhai takes a `#!` line only from its own file loader.
    let text = match source.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => source.to_string(),
    };
    sources.add(name, source);
    let at = |offset: usize| {
        let scan::Place { line, column } = scan::place_of(&text, offset);
        Some(Place { file: name.to_string(), line, column, text: sources.line(name, line) })
    };
    if let Some(offset) = text.find('\0') {
        return Err(Failure::load("the script holds a NUL byte").at(at(offset)));
    }
    if text.lines().count() > MAX_LINES {
        return Err(Failure::load(format!("the script has more than {MAX_LINES} lines"))
            .with_help(Some("move parts of it into modules: import \"part\" as part;")));
    }
    check_text(&text, &at)?;
    let explainer = explainer(engine, sources, name);
    let parsed = match earlier.scope {
        Some(scope) => engine.compile_with_scope(&without_values(scope), &text),
        None => engine.compile(&text),
    };
    let mut ast = parsed.map_err(|error| explainer.with(|explainer| explainer.parse_failure(&error)))?;
    // Before the AST is cloned: only then do its functions know where they are from.
    ast.set_source(name);
    super::check::check(engine, &ast, earlier.functions, name, sources)?;
    Ok(ast)
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

/// What the interpreter would accept, or report at the wrong place: unclosed comments and templates,
/// and mistakes inside templates.
fn check_text(text: &str, at: &dyn Fn(usize) -> Option<Place>) -> Result<(), Failure> {
    let scan = scan::scan(text);
    for template in scan.templates.iter().filter(|template| template.end.is_some()) {
        let pieces: Vec<&str> = template.literals.iter().map(|range| &text[range.clone()]).collect();
        if let Err(problem) = template_text::parse(&pieces) {
            let offset = template.literals.get(problem.piece).map_or(template.start, |piece| piece.start);
            return Err(Failure::load(problem.message).at(at(offset + problem.offset)).with_help(problem.help));
        }
    }
    if let Some((what, offset)) = scan.unclosed {
        let (message, help) = match what {
            Unclosed::Comment => ("this comment is never closed", "close it with */"),
            Unclosed::Template => ("this command template is never closed", "close it with a backquote: `"),
            Unclosed::Slot => ("this ${ is never closed", "close it with }"),
            Unclosed::Backtick => ("this text is never closed", "close it with a backquote: `"),
            Unclosed::RawString => ("this raw text is never closed", "close it with a quote and as many # as it has"),
            // Rhai's own error for these is as good, or better.
            _ => return Ok(()),
        };
        return Err(Failure::load(message).at(at(offset)).with_help(Some(help)));
    }
    Ok(())
}

/// An [`Explainer`] needs closures that live as long as it does.
pub(crate) struct Explaining<'a> {
    engine: &'a Engine,
    sources: &'a Sources,
    name: &'a str,
}

pub(crate) fn explainer<'a>(engine: &'a Engine, sources: &'a Sources, name: &'a str) -> Explaining<'a> {
    Explaining { engine, sources, name }
}

impl Explaining<'_> {
    pub fn with<T>(&self, use_it: impl FnOnce(&Explainer) -> T) -> T {
        let line = |file: &str, number: usize| self.sources.line(file, number);
        let names = || super::check::function_names(self.engine);
        use_it(&Explainer { file: self.name, line: &line, names: &names })
    }
}
