//! Which entries a name stands for.

use crate::process::nearest_name;

use super::{Entry, Kind, Reference, Topic, plain};

/// What there is under a name.
pub(crate) enum Found<'a> {
    /// Functions of that name.
    Entries(Vec<(&'a Topic, &'a Entry)>),
    /// A module or a topic, with all that is in it.
    Topic(&'a Topic),
    /// A type, with its methods and properties.
    Type(String, Vec<(&'a Topic, &'a Entry)>),
}

/// Looks up `lines`, `Command.lines`, `git::branch`, `std/git`, `with`, `$` or `Command`; an unknown name comes back
/// with the one that was perhaps meant.
pub(crate) fn find<'a>(reference: &'a Reference, name: &str) -> Result<Found<'a>, Option<String>> {
    let name = name.strip_suffix("()").unwrap_or(name).trim_matches('.');
    let select = |is_meant: &dyn Fn(&Topic, &Entry) -> bool| -> Vec<(&'a Topic, &'a Entry)> {
        reference.entries().filter(|(topic, entry)| is_meant(topic, entry)).collect()
    };
    let entries = select(&|topic, entry| names(topic, entry).iter().any(|known| known == name));
    if !entries.is_empty() {
        return Ok(Found::Entries(entries));
    }
    let is_meant = |topic: &&Topic| topic.title.eq_ignore_ascii_case(name) || topic.alias() == Some(name);
    if let Some(topic) = reference.topics.iter().find(is_meant) {
        return Ok(Found::Topic(topic));
    }
    let of_type = select(&|_, entry| types(entry).any(|known| known == name));
    if !of_type.is_empty() {
        return Ok(Found::Type(name.to_string(), of_type));
    }
    let all = reference.entries().flat_map(|(topic, entry)| {
        let types: Vec<String> = types(entry).cloned().collect();
        names(topic, entry).into_iter().chain(types).chain([topic.title.clone()])
    });
    Err(nearest_name(name, all))
}

impl Found<'_> {
    /// As text for a terminal.
    pub fn text(&self) -> String {
        match self {
            Self::Entries(entries) => {
                entries.iter().map(|(topic, entry)| plain::entry(topic, entry)).collect::<Vec<_>>().join("\n")
            }
            Self::Topic(topic) => plain::overview(&[topic]),
            Self::Type(name, entries) => plain::methods(name, entries),
        }
    }

    pub fn json(&self) -> String {
        match self {
            Self::Entries(entries) | Self::Type(_, entries) => super::json::entries(entries.iter().copied()),
            Self::Topic(topic) => super::json::entries(topic.entries.iter().map(|entry| (*topic, entry))),
        }
    }
}

/// The names that an entry is found by.
fn names(topic: &Topic, entry: &Entry) -> Vec<String> {
    let mut names = Vec::new();
    for signature in &entry.signatures {
        let name = match signature.kind {
            // `with` of `with setting(…) { … }`.
            Kind::Syntax => signature.name.split([' ', '`']).next().unwrap_or_default(),
            _ => signature.name.as_str(),
        };
        names.push(name.to_string());
        if signature.kind == Kind::Syntax {
            names.extend([signature.short_name(), signature.name.clone()]);
        }
        names.extend(signature.receivers().into_iter().flatten().map(|receiver| format!("{receiver}.{name}")));
        if let (Some(alias), Some(module)) = (topic.alias(), topic.module) {
            names.extend([format!("{alias}::{name}"), format!("{module}::{name}")]);
        }
    }
    names
}

fn types(entry: &Entry) -> impl Iterator<Item = &String> {
    entry.signatures.iter().flat_map(|signature| signature.receivers().into_iter().flatten())
}
