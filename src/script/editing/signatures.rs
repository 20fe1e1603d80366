//! How the function is called that is being called at the cursor.

use crate::script::docs::{Kind as What, Reference, Signature};
use crate::script::format::{Kind, tokens};
use crate::script::scan::{Unclosed, scan};
use crate::script::session::Session;

use super::chain;
use super::members;
use super::place::{Code, Place};

pub(super) fn find(session: &Session, before: &str) -> Option<String> {
    let open = scan(before).open;
    // A `${` is the beginning of code of its own.
    let (_, paren) =
        open.iter().rev().take_while(|(what, _)| *what != Unclosed::Slot).find(|(what, _)| *what == Unclosed::Paren)?;
    let Place::Code(code) = Place::find(&before[..*paren]) else { return None };
    let (name, at) = code.partial();
    if name.is_empty() {
        return None;
    }
    let arguments = &before[paren + 1..];
    let count = commas(arguments);
    let sign = at.checked_sub(1).map_or("", |at| code.text(at));
    let reference = session.editing().reference();
    if matches!(sign, "." | "?.") {
        let (left, _) = chain::resolve(session, &code, at - 1);
        let of = chain::type_of(session, &left)?;
        let is_member = |signature: &&Signature| signature.receivers().is_some_and(|all| all.contains(&of.name));
        return best(called(reference, name).filter(is_member).collect(), count);
    }
    if sign == "::" && at >= 2 {
        let topic = members::module(session, code.whole, code.text(at - 2))?;
        return best(members::in_topic(topic).filter(|signature| signature.name == name).collect(), count);
    }
    own(session, &code, name, count)
        .or_else(|| best(called(reference, name).filter(|signature| signature.receivers().is_none()).collect(), count))
}

/// A function of the session.
fn own(session: &Session, code: &Code, name: &str, count: usize) -> Option<String> {
    // It is being defined.
    if code.tokens.iter().rev().nth(1).is_some_and(|token| token.text(code.source) == "fn") {
        return Some(String::new());
    }
    let mut own: Vec<_> = session.functions().iter_functions().filter(|function| function.name == name).collect();
    own.sort_by_key(|function| function.params.len());
    let fitting = own.iter().find(|function| function.params.len() > count).or(own.last())?;
    Some(format!("{name}({})", fitting.params.join(", ")))
}

fn called<'a>(reference: &'a Reference, name: &str) -> impl Iterator<Item = &'a Signature> {
    let is_it = move |signature: &&Signature| signature.kind == What::Function && signature.name == name;
    members::signatures(reference)
        .filter(|(topic, _)| topic.module.is_none())
        .map(|(_, signature)| signature)
        .filter(is_it)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The first way to call it that takes so many arguments and one more.
fn best(signatures: Vec<&Signature>, count: usize) -> Option<String> {
    let takes_more = |signature: &&&Signature| {
        let arguments = signature.arguments();
        arguments.iter().map(|argument| argument.most).sum::<usize>() > count
    };
    let found = signatures.iter().find(takes_more).or(signatures.last())?;
    Some(found.to_string())
}

/// How many commas stand between the arguments so far.
fn commas(arguments: &str) -> usize {
    let found = scan(arguments);
    let mut depth = 0_usize;
    let mut count = 0;
    for token in tokens(arguments, &found) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Symbol if depth == 0 && token.text(arguments) == "," => count += 1,
            _ => {}
        }
    }
    count
}
