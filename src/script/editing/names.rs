//! What could stand where code is written: variables, functions, words of the language, members.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::script::docs::{Kind, Reference, Signature};
use crate::script::format::{Kind as TokenKind, tokens};
use crate::script::scan::scan;
use crate::script::session::Session;

use super::place::Code;
use super::{Candidate, Completions, chain, members};

/// The words of the language that begin or join something.
pub(super) const KEYWORDS: &[&str] = &[
    "as", "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import", "in",
    "let", "loop", "private", "return", "switch", "this", "throw", "true", "try", "until", "while",
];

/// Functions of Rhai's own that are used as such, where they are registered.
const OF_RHAI: &[&str] =
    &["debug", "eval", "is_def_fn", "is_def_var", "parse_float", "parse_int", "print", "range", "timestamp", "type_of"];

pub(super) fn complete(session: &Session, before: &str, code: &Code) -> Completions {
    let (partial, end) = code.partial();
    let start = before.len() - partial.len();
    let sign = end.checked_sub(1).map_or("", |at| code.text(at));
    match sign {
        "." | "?." => {
            let (left, _) = chain::resolve(session, code, end - 1);
            members::complete(session, &left, start, partial)
        }
        "::" if end >= 2 => Completions::of(start, in_module(session, code, code.text(end - 2), partial)),
        _ if partial.is_empty() && follows_operand(code, end) => Completions::default(),
        // It names something new.
        "let" | "const" | "fn" | "as" => Completions::default(),
        _ => Completions::of(start, plain(session, code, partial)),
    }
}

/// Whether an operator would have to come first.
fn follows_operand(code: &Code, end: usize) -> bool {
    let Some(token) = end.checked_sub(1).map(|at| &code.tokens[at]) else { return false };
    let touches = token.range.end == code.source.len();
    touches && matches!(token.kind, TokenKind::Word | TokenKind::Number | TokenKind::Text | TokenKind::Close)
}

fn plain(session: &Session, code: &Code, partial: &str) -> Vec<Candidate> {
    let begins = |name: &str| name.starts_with(partial) && !name.starts_with("__");
    let engine = session.runtime().engine();
    let mut candidates = Vec::new();
    for (name, _, value) in session.scope().iter().filter(|(name, ..)| begins(name)) {
        let about = super::types::Type::of(engine, &value).name;
        candidates.push(Candidate { about: Some(about), ..Candidate::plain(name) });
    }
    candidates.extend(defined_here(code.whole).into_iter().filter(|name| begins(name)).map(Candidate::plain));
    for function in session.functions().iter_functions().filter(|function| begins(function.name)) {
        candidates.push(own_function(function.name, &function.params));
    }
    let mut documented: BTreeMap<&str, Vec<&Signature>> = BTreeMap::new();
    for (topic, signature) in members::signatures(session.editing().reference()) {
        let is_free = topic.module.is_none() && signature.receivers().is_none();
        match signature.kind {
            Kind::Function if is_free && begins(&signature.name) => {
                documented.entry(&signature.name).or_default().push(signature);
            }
            Kind::Syntax => {
                let word = signature.name.split([' ', '`']).next().unwrap_or_default();
                if begins(word) && word.chars().all(char::is_alphabetic) {
                    candidates.push(Candidate { about: Some(signature.name.clone()), ..Candidate::plain(word) });
                }
            }
            _ => {}
        }
    }
    candidates.extend(documented.into_iter().map(|(name, all)| members::candidate(name, &all)));
    for name in OF_RHAI.iter().filter(|name| begins(name)) {
        if !candidates.iter().any(|candidate| candidate.label == *name) {
            candidates.push(Candidate { text: format!("{name}("), label: (*name).to_string(), about: None });
        }
    }
    let words = KEYWORDS.iter().filter(|word| begins(word));
    candidates.extend(words.map(|word| Candidate { about: Some("keyword".into()), ..Candidate::plain(*word) }));
    let mut modules = imported_names(code.whole);
    modules.extend(session.aliases().iter().map(|(name, _)| name.to_string()));
    let modules = modules.into_iter().filter(|name| begins(name));
    candidates.extend(modules.map(|name| Candidate {
        text: format!("{name}::"),
        label: name,
        about: Some("module".into()),
    }));
    candidates
}

fn own_function(name: &str, params: &[&str]) -> Candidate {
    let end = if params.is_empty() { "()" } else { "(" };
    let about = format!("{name}({})", params.join(", "));
    Candidate { label: name.to_string(), text: format!("{name}{end}"), about: Some(about) }
}

/// The names that the entry itself defines so far: what it will be when it is run cannot be known.
fn defined_here(whole: &str) -> BTreeSet<String> {
    let tokens = tokens(whole, &scan(whole));
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text(whole));
    let mut names = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate().skip(1) {
        let is_name = token.kind == TokenKind::Word && token.range.end < whole.len();
        let is_caught = text(at - 1) == "(" && at >= 2 && text(at - 2) == "catch";
        if is_name && (is_caught || matches!(text(at - 1), "let" | "const" | "for")) {
            names.insert(text(at).to_string());
        }
    }
    names
}

/// The names that the entry imports modules under.
fn imported_names(whole: &str) -> BTreeSet<String> {
    let tokens = tokens(whole, &scan(whole));
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text(whole));
    let imports = (0..tokens.len()).filter(|at| text(*at) == "import" && text(at + 2) == "as");
    imports.map(|at| text(at + 3).to_string()).filter(|name| !name.is_empty()).collect()
}

/// The functions of a module: as it is documented, or as its file has them.
fn in_module(session: &Session, code: &Code, alias: &str, partial: &str) -> Vec<Candidate> {
    if let Some(topic) = members::module(session, code.whole, alias) {
        let mut all: BTreeMap<&str, Vec<&Signature>> = BTreeMap::new();
        for signature in members::in_topic(topic).filter(|signature| signature.name.starts_with(partial)) {
            all.entry(&signature.name).or_default().push(signature);
        }
        return all.into_iter().map(|(name, all)| members::candidate(name, &all)).collect();
    }
    let Some(path) = members::imported(session, code.whole, alias) else { return Vec::new() };
    // The session knows the file, the text only what the import says.
    let file = if path.ends_with(".rhai") { path } else { format!("{path}.rhai") };
    let Ok(path) = session.context().absolute(&PathBuf::from(file)) else { return Vec::new() };
    let Some(source) = super::paths::read_small(&path) else { return Vec::new() };
    let tokens = tokens(&source, &scan(&source));
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text(&source));
    let public = |at: &usize| text(*at) == "fn" && (*at == 0 || text(at - 1) != "private");
    let functions = (0..tokens.len()).filter(public).map(|at| {
        let parameters = (at + 3..tokens.len()).take_while(|at| text(*at) != ")").map(text).filter(|text| *text != ",");
        own_function(text(at + 1), &parameters.collect::<Vec<_>>())
    });
    functions.filter(|candidate| candidate.label.starts_with(partial)).collect()
}

/// The names under which something is found in the documentation.
pub(super) fn documented(reference: &Reference, partial: &str) -> Vec<Candidate> {
    let mut names = BTreeSet::new();
    for (topic, entry) in reference.entries() {
        names.insert(entry.label(topic));
        for receiver in entry.signatures.iter().filter_map(Signature::receivers).flatten() {
            names.insert(receiver.clone());
            names.extend(entry.signatures.iter().map(|signature| format!("{receiver}.{}", signature.name)));
        }
    }
    names.extend(reference.topics.iter().map(|topic| topic.title.clone()));
    names.into_iter().filter(|name| name.starts_with(partial)).map(Candidate::plain).collect()
}
