//! What is documented: the members of types, the functions of modules, and what they give.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ops::Bound;

use rhai::{Engine, Map};

use crate::script::docs::{Entry, Kind, Reference, Signature, Topic};
use crate::script::session::Session;

use super::chain::{self, Operand};
use super::types::Type;
use super::{Candidate, Completions};

/// What could follow a dot.
pub(super) fn complete(session: &Session, operand: &Operand, start: usize, partial: &str) -> Completions {
    let mut candidates = Vec::new();
    if let Operand::Value(variable, path) = operand {
        let keys = chain::look(session, variable, path, |value| {
            let Some(map) = value.read_lock::<Map>() else { return Vec::new() };
            let keys = map.range::<str, _>((Bound::Included(partial), Bound::Unbounded)).map(|(key, _)| key.as_str());
            let keys = keys.take_while(|key| key.starts_with(partial)).filter(|key| is_name(key));
            keys.take(super::MOST + 1)
                .map(|key| Candidate { about: Some("map entry".into()), ..Candidate::plain(key) })
                .collect()
        });
        candidates.extend(keys.unwrap_or_default());
    }
    if let Some(of) = chain::type_of(session, operand) {
        candidates.extend(of_type(session, &of, partial));
    }
    Completions::of(start, candidates)
}

/// A key that can be written behind a dot.
fn is_name(key: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    key.chars().all(is_word) && !key.starts_with(|first: char| first.is_ascii_digit()) && !key.is_empty()
}

fn of_type(session: &Session, of: &Type, partial: &str) -> Vec<Candidate> {
    let reference = session.editing().reference();
    let mut members: BTreeMap<&str, Vec<&Signature>> = BTreeMap::new();
    for (_, signature) in signatures(reference) {
        let is_member = signature.receivers().is_some_and(|receivers| receivers.contains(&of.name));
        if is_member && signature.name.starts_with(partial) {
            members.entry(&signature.name).or_default().push(signature);
        }
    }
    let mut candidates: Vec<Candidate> = members.into_iter().map(|(name, all)| candidate(name, &all)).collect();
    if let Some(id) = of.id {
        for (name, is_property, takes_none) in native(session.runtime().engine(), id) {
            let is_known = candidates.iter().any(|candidate| candidate.label == name);
            if name.starts_with(partial) && !is_known && !is_function(reference, &name) {
                let end = call_end(is_property, takes_none);
                candidates.push(Candidate { text: format!("{name}{end}"), label: name, about: None });
            }
        }
    }
    candidates
}

/// Names that are functions, never methods: they take anything, or a text that is no object.
fn is_function(reference: &Reference, name: &str) -> bool {
    let is_free = |signature: &Signature| signature.receivers().is_none() && signature.kind == Kind::Function;
    matches!(name, "print" | "debug" | "eval" | "to_debug")
        || name.starts_with("__")
        || signatures(reference)
            .any(|(topic, signature)| topic.module.is_none() && signature.name == name && is_free(signature))
}

/// The methods and properties that are registered for a type: the name, whether it is a property, and whether it can be
/// called only without arguments.
fn native(engine: &Engine, id: TypeId) -> Vec<(String, bool, bool)> {
    let mut found: BTreeMap<(String, bool), bool> = BTreeMap::new();
    let all = engine.collect_fn_metadata(
        None,
        |info| {
            let of = info.metadata.param_types.first().copied();
            let name = info.metadata.name.as_str();
            if of != Some(id) || !info.namespace.is_empty() {
                return None;
            }
            match name.strip_prefix("get$") {
                Some(property) => Some((property.to_string(), true, true)),
                None if is_name(name) => Some((name.to_string(), false, info.metadata.num_params == 1)),
                None => None,
            }
        },
        true,
    );
    for (name, is_property, takes_none) in all {
        *found.entry((name, is_property)).or_insert(true) &= takes_none;
    }
    found.into_iter().map(|((name, is_property), takes_none)| (name, is_property, takes_none)).collect()
}

fn call_end(is_property: bool, takes_none: bool) -> &'static str {
    match (is_property, takes_none) {
        (true, _) => "",
        (_, true) => "()",
        (_, false) => "(",
    }
}

/// A candidate for a function or a member, from the ways in which it is called.
pub(super) fn candidate(name: &str, signatures: &[&Signature]) -> Candidate {
    let is_property = signatures.iter().any(|signature| signature.kind == Kind::Property);
    let takes_none = signatures.iter().all(|signature| signature.arguments().is_empty());
    let about = signatures.first().map(|signature| signature.to_string());
    Candidate { label: name.to_string(), text: format!("{name}{}", call_end(is_property, takes_none)), about }
}

pub(super) fn signatures(reference: &Reference) -> impl Iterator<Item = (&Topic, &Signature)> {
    reference.entries().flat_map(|(topic, entry)| entry.signatures.iter().map(move |signature| (topic, signature)))
}

pub(super) fn result_of_member(reference: &Reference, of: &Type, name: &str, is_property: bool) -> Option<Type> {
    let kind = if is_property { Kind::Property } else { Kind::Function };
    let is_it = |signature: &Signature| {
        let is_member = signature.receivers().is_some_and(|receivers| receivers.contains(&of.name));
        is_member && signature.name == name && signature.kind == kind
    };
    signatures(reference)
        .find(|(_, signature)| is_it(signature))
        .and_then(|(_, signature)| Type::named(&signature.result))
}

/// What a function gives that is called without a dot. One that is documented as a method can be called so, too.
pub(super) fn result_of_function(reference: &Reference, name: &str) -> Option<Type> {
    let called = || {
        let is_it = |topic: &Topic, signature: &Signature| {
            topic.module.is_none() && signature.kind == Kind::Function && signature.name == name
        };
        signatures(reference).filter(move |(topic, signature)| is_it(topic, signature))
    };
    let free = called().find(|(_, signature)| signature.receivers().is_none());
    free.or_else(|| called().next()).and_then(|(_, signature)| Type::named(&signature.result))
}

/// The module that a name stands for: as the text imports it, or else by its own name.
pub(super) fn module<'a>(session: &'a Session, text: &str, alias: &str) -> Option<&'a Topic> {
    let reference = session.editing().reference();
    let path = imported(session, text, alias);
    reference.topics.iter().find(|topic| match &path {
        Some(path) => topic.module == Some(path.as_str()),
        None => topic.module.is_some() && topic.alias() == Some(alias),
    })
}

/// The path that a text imports under a name, or that an earlier entry has imported.
pub(super) fn imported(session: &Session, text: &str, alias: &str) -> Option<String> {
    let earlier = session.aliases().iter().rev().find(|(name, _)| name == alias).map(|(_, path)| path.clone());
    imported_here(text, alias).or(earlier)
}

fn imported_here(text: &str, alias: &str) -> Option<String> {
    text.rmatch_indices("import ").find_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start().strip_prefix('"')?;
        let (path, rest) = rest.split_once('"')?;
        let name = rest.trim_start().strip_prefix("as ")?.trim_start();
        let name = name.split(|char: char| !char.is_alphanumeric() && char != '_').next()?;
        (name == alias).then(|| path.to_string())
    })
}

pub(super) fn result_in_module(session: &Session, text: &str, alias: &str, name: &str) -> Option<Type> {
    let topic = module(session, text, alias)?;
    let signature = in_topic(topic).find(|signature| signature.name == name)?;
    Type::named(&signature.result)
}

pub(super) fn in_topic(topic: &Topic) -> impl Iterator<Item = &Signature> {
    topic.entries.iter().flat_map(|entry: &Entry| &entry.signatures)
}
