//! The documentation against what is registered, and against its own rules.

use std::any::TypeId;
use std::path::PathBuf;

use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};

use super::{Entry, Kind, Parameter, Reference, Signature, Topic};
use crate::data::quantity::Size;
use crate::data::time::{Local, Moment};
use crate::process::{ErrorKind, Execution, Expression, OutputStream};
use crate::script::api::{Outcome, Progress};
use crate::script::caught::ScriptError;
use crate::script::error::CommandError;
use crate::script::facts::Status;
use crate::script::scan::scan;
use crate::script::secret::Secret;
use crate::script::spelling::respell;
use crate::script::stream::Stream;
use crate::script::{Runtime, stdlib};

/// What has our names for types, and what scripts are not meant to call.
const HIDDEN: &str = "__";
/// Rhai's own functions that behave as we say.
const HOOKS: &[&str] = &["print", "debug"];

/// A function as the interpreter knows it.
struct Registered {
    kind: Kind,
    name: String,
    types: Vec<TypeId>,
}

fn registered() -> Vec<Registered> {
    let runtime = Runtime::builder().build().unwrap();
    let read = |info: rhai::FuncInfo| {
        let name = info.metadata.name.to_string();
        let kind = match &name {
            name if name.starts_with("get$") => Kind::Property,
            name if name.starts_with(|char: char| char.is_alphabetic() || char == '_') => Kind::Function,
            _ => Kind::Operator,
        };
        let name = name.trim_start_matches("get$").to_string();
        Some(Registered { kind, name, types: info.metadata.param_types.to_vec() })
    };
    let all = runtime.engine().collect_fn_metadata(None, read, false);
    all.into_iter().filter(|function| !function.name.starts_with(HIDDEN)).collect()
}

fn type_called(name: &str) -> Option<TypeId> {
    Some(match name {
        "String" => TypeId::of::<ImmutableString>(),
        "int" => TypeId::of::<i64>(),
        "float" => TypeId::of::<f64>(),
        "bool" => TypeId::of::<bool>(),
        "char" => TypeId::of::<char>(),
        "Array" => TypeId::of::<Array>(),
        "Map" => TypeId::of::<Map>(),
        "Blob" => TypeId::of::<Blob>(),
        "Fn" => TypeId::of::<FnPtr>(),
        "Range" => TypeId::of::<std::ops::Range<i64>>(),
        "()" => TypeId::of::<()>(),
        "?" => TypeId::of::<Dynamic>(),
        "Command" => TypeId::of::<Expression>(),
        "Path" => TypeId::of::<PathBuf>(),
        "Execution" => TypeId::of::<Execution>(),
        "OutputStream" => TypeId::of::<OutputStream>(),
        "Output" => TypeId::of::<Outcome>(),
        "Stream" => TypeId::of::<Stream>(),
        "Status" => TypeId::of::<Status>(),
        "Secret" => TypeId::of::<Secret>(),
        "Duration" => TypeId::of::<jiff::SignedDuration>(),
        "Size" => TypeId::of::<Size>(),
        "Time" => TypeId::of::<Moment>(),
        "LocalTime" => TypeId::of::<Local>(),
        "Regex" => TypeId::of::<regex::Regex>(),
        "Progress" => TypeId::of::<Progress>(),
        "CommandError" => TypeId::of::<CommandError>(),
        "ScriptError" => TypeId::of::<ScriptError>(),
        _ => return None,
    })
}

impl Parameter {
    /// Whether a value of each of these types can be given where the interpreter wants this one.
    fn includes(&self, wanted: TypeId) -> bool {
        let any = TypeId::of::<Dynamic>();
        wanted == any || self.types.iter().any(|name| name == "?" || type_called(name) == Some(wanted))
    }
}

/// Whether this signature says that there is such a function.
fn covers(signature: &Signature, function: &Registered) -> bool {
    let Signature { kind, name, parameters, .. } = signature;
    (*kind, name, parameters.len()) == (function.kind, &function.name, function.types.len())
        && parameters.iter().zip(&function.types).all(|(parameter, wanted)| parameter.includes(*wanted))
}

fn signatures(reference: &Reference) -> Vec<(String, Signature)> {
    let is_called = |topic: &Topic, signature: &Signature| topic.module.is_none() && signature.kind != Kind::Syntax;
    let all = reference.entries().flat_map(|(topic, entry)| {
        let signatures = entry.signatures.iter().filter(move |signature| is_called(topic, signature));
        signatures.flat_map(Signature::apart).map(move |signature| (entry.label(topic), signature))
    });
    all.collect()
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn what_is_documented_exists() {
    let functions = registered();
    let mut problems = Vec::new();
    for (label, signature) in signatures(&Reference::load()) {
        if HOOKS.contains(&signature.name.as_str()) {
            continue;
        }
        let of_it: Vec<&Registered> = functions.iter().filter(|function| covers(&signature, function)).collect();
        if of_it.is_empty() {
            problems.push(format!("{label}: there is no `{signature}`"));
        }
        // Each of several types must be one that can be given.
        for (index, parameter) in signature.parameters.iter().enumerate() {
            for name in &parameter.types {
                let one = Parameter { types: vec![name.clone()], ..parameter.clone() };
                let takes = |function: &&Registered| one.includes(function.types[index]);
                match type_called(name) {
                    None => {
                        problems.push(format!("{label}: `{signature}` names the type `{name}`, which is not known"))
                    }
                    Some(_) if !of_it.is_empty() && !of_it.iter().any(takes) => {
                        problems.push(format!("{label}: `{signature}` does not take `{name}` as `{}`", parameter.name));
                    }
                    Some(_) => {}
                }
            }
        }
        for name in signature.result.split('|').map(str::trim).filter(|name| type_called(name).is_none()) {
            problems.push(format!("{label}: `{signature}` gives the type `{name}`, which is not known"));
        }
    }
    none(problems);
}

#[test]
fn what_exists_is_documented() {
    let signatures = signatures(&Reference::load());
    let is_missing = |function: &&Registered| !signatures.iter().any(|(_, signature)| covers(signature, function));
    let shown = |function: &Registered| {
        let Registered { kind, name, types } = function;
        format!("no entry for {kind:?} `{name}` with {} parameters: see CONTRIBUTING.md", types.len())
    };
    none(registered().iter().filter(is_missing).map(shown).collect());
}

#[test]
fn the_functions_of_modules_are_what_their_comments_say() {
    let runtime = Runtime::builder().build().unwrap();
    for topic in Reference::load().topics {
        let Some(module) = topic.module else { continue };
        let source = stdlib::source(module).unwrap();
        let (source, _) = respell(source, &scan(source), false);
        let ast = runtime.engine().compile(source).unwrap();
        let mut real: Vec<(String, Vec<String>)> = ast
            .iter_functions()
            .filter(|function| function.access == rhai::FnAccess::Public && !function.name.starts_with("anon$"))
            .map(|function| (function.name.into(), function.params.iter().map(ToString::to_string).collect()))
            .collect();
        let told = topic.entries.iter().flat_map(|entry| &entry.signatures);
        let mut told: Vec<(String, Vec<String>)> =
            told.map(|s| (s.name.clone(), s.parameters.iter().map(|p| p.name.clone()).collect())).collect();
        real.sort();
        told.sort();
        assert_eq!(told, real, "{module}");
    }
}

/// The kinds that an error may have, besides those of modules.
fn is_kind(name: &str) -> bool {
    let own = [
        "script_error",
        "thrown",
        "not_a_repository",
        "assertion_failed",
        "http_status",
        "http_failed",
        "unsafe_archive",
    ];
    // A function that has to do with it.
    let is_function =
        |name| Reference::load().entries().any(|(_, entry)| entry.signatures.iter().any(|s| s.name == name));
    own.contains(&name) || is_function(name) || ErrorKind::ALL.iter().any(|kind| kind.name() == name)
}

#[test]
fn every_entry_has_its_parts() {
    let reference = Reference::load();
    let mut problems = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for (topic, entry) in reference.entries() {
        let label = entry.label(topic);
        problems.extend(problems_of(entry).into_iter().map(|problem| format!("{label}: {problem}")));
        let id = super::markdown::id(topic, entry);
        if ids.contains(&id) {
            problems.push(format!("{label}: there are two entries with this label"));
        }
        ids.push(id);
    }
    for topic in &reference.topics {
        if topic.title.is_empty() || topic.intro.is_empty() {
            problems.push(format!("{}: a topic has a title and an introduction", topic.title));
        }
    }
    none(problems);
}

fn problems_of(entry: &Entry) -> Vec<String> {
    let mut problems = Vec::new();
    let mut require = |holds: bool, text: String| {
        if !holds {
            problems.push(text);
        }
    };
    let Entry { signatures, summary, errors, example, shell, details } = entry;
    require(!signatures.is_empty(), "no declaration".to_string());
    require(summary.ends_with('.') && !summary.contains(". "), format!("the summary is one sentence: {summary}"));
    require(errors.ends_with('.'), "what errors it raises, as a sentence".to_string());
    require(shell.as_ref().is_none_or(|shell| !shell.is_empty()), "an empty shell line".to_string());
    require(!format!("{}{}", entry.value(), entry.messages()).is_empty(), "an example with its value".to_string());
    require(details.iter().all(|text| text.ends_with('.')), "paragraphs end in a full stop".to_string());
    let widest = example.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    require(widest <= 96, format!("a line of the example has {widest} columns"));
    for word in errors.split('`').skip(1).step_by(2) {
        let looks_like_one = word.contains('_') && word.chars().all(|char| char.is_ascii_lowercase() || char == '_');
        require(!looks_like_one || is_kind(word), format!("`{word}` is no kind of error"));
    }
    problems
}

#[test]
fn the_parts_of_a_comment_are_told_apart() {
    let topic = super::source::definitions(
        "//! Title\n//!\n//! One\n//! two.\n\n\
         /// Sums it\n/// up.\n///\n/// More.\n///\n/// Shell: a | b\n/// Errors: none,\n\
         /// really.\n///\n/// ```rhai\n/// f(1);  // => 2\n/// // => 3\n/// // stderr: x\n/// ```\n\
         fn f(this: Command | Path, a: int | (), …2) -> Array | ();\n\
         op |(left: Command, right: Command) -> Command;\n\n\
         /// Other.\nsyntax with … -> ?;\n",
    );
    assert_eq!((topic.title.as_str(), topic.intro.join("/").as_str()), ("Title", "One two."));
    let [first, second] = topic.entries.as_slice() else { panic!("two entries") };
    assert_eq!((first.summary.as_str(), first.details.join("/").as_str()), ("Sums it up.", "More."));
    assert_eq!((first.shell.as_deref(), first.errors.as_str()), (Some("a | b"), "none, really."));
    assert_eq!((first.value().as_str(), first.messages().as_str()), ("2\n3\n", "x\n"));
    let shown: Vec<String> = first.signatures.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["(Command | Path).f(a: int | (), …) -> Array | ()", "Command | Command -> Command"]);
    let apart: Vec<String> = first.signatures[0].apart().iter().map(ToString::to_string).collect();
    assert_eq!(
        apart,
        [
            "Command.f(a: int | ()) -> Array | ()",
            "Path.f(a: int | ()) -> Array | ()",
            "Command.f(a_1: int | (), a_2: int | ()) -> Array | ()",
            "Path.f(a_1: int | (), a_2: int | ()) -> Array | ()"
        ]
    );
    assert_eq!((second.summary.as_str(), second.signatures[0].name.as_str()), ("Other.", "with …"));
}
