//! What stands left of a dot.

use rhai::{Array, Dynamic, Map};

use crate::script::format::Kind;
use crate::script::session::Session;
use crate::script::spelling;

use super::members;
use super::place::Code;
use super::types::Type;

/// What a chain of calls, properties and indices comes to, as far as it can be told without running it.
pub(super) enum Operand {
    /// What is there: a variable, an entry of it, an entry of that.
    Value(String, Vec<Key>),
    Type(Type),
    Unknown,
}

pub(super) enum Key {
    Name(String),
    Index(usize),
}

/// So deep an expression may be nested before nothing is said about it.
const DEEPEST: usize = 32;

/// What the tokens up to `end` come to, and the number of the first of them that belongs to it.
pub(super) fn resolve(session: &Session, code: &Code, end: usize) -> (Operand, usize) {
    Resolver { session, code, depth: 0 }.chain(end)
}

pub(super) struct Resolver<'a, 'c> {
    pub session: &'a Session,
    pub code: &'a Code<'c>,
    depth: usize,
}

impl Resolver<'_, '_> {
    pub fn chain(&mut self, end: usize) -> (Operand, usize) {
        let Some(last) = end.checked_sub(1) else { return (Operand::Unknown, end) };
        if self.depth >= DEEPEST {
            return (Operand::Unknown, end);
        }
        self.depth += 1;
        let found = self.link(last);
        self.depth -= 1;
        found
    }

    /// Looks at a part, unless it is too deep in others.
    pub fn deeper(&mut self, look: impl FnOnce(&mut Self) -> Operand) -> Operand {
        if self.depth >= DEEPEST {
            return Operand::Unknown;
        }
        self.depth += 1;
        let found = look(self);
        self.depth -= 1;
        found
    }

    fn link(&mut self, last: usize) -> (Operand, usize) {
        let text = self.code.text(last);
        match (self.code.tokens[last].kind, text) {
            (Kind::Word, "true" | "false") => (known("bool"), last),
            (Kind::Word, _) => self.name(last),
            (Kind::Number, _) => {
                let is_float = text.contains('.') || (text.contains(['e', 'E']) && !text.starts_with("0x"));
                (known(if is_float { "float" } else { "int" }), last)
            }
            (Kind::Text, _) => {
                let name = match text.as_bytes() {
                    [b'$' | b's', ..] => "Command",
                    [b'\'', ..] => "char",
                    _ => "String",
                };
                (known(name), last)
            }
            (Kind::Close, ")") => self.call(last),
            (Kind::Close, "]") => self.index(last),
            (Kind::Close, "}") => match self.opening(last) {
                Some(open) if self.code.text(open) == "#{" => (known("Map"), open),
                _ => (Operand::Unknown, last),
            },
            _ => (Operand::Unknown, last),
        }
    }

    /// A variable, or a property of what is in front of the dot.
    fn name(&mut self, at: usize) -> (Operand, usize) {
        let name = self.code.text(at);
        if !self.follows_dot(at) {
            return (self.variable(name), at);
        }
        let (left, start) = self.chain(at - 1);
        if let Operand::Value(variable, mut path) = left {
            path.push(Key::Name(name.to_string()));
            if look(self.session, &variable, &path, |_| ()).is_some() {
                return (Operand::Value(variable, path), start);
            }
            path.pop();
            return (self.result(&Operand::Value(variable, path), name, true), start);
        }
        (self.result(&left, name, true), start)
    }

    /// Something in parentheses: the arguments of a call, or an expression.
    fn call(&mut self, close: usize) -> (Operand, usize) {
        let Some(open) = self.opening(close) else { return (Operand::Unknown, close) };
        let callee = open.checked_sub(1).filter(|callee| self.code.tokens[*callee].kind == Kind::Word);
        let Some(callee) = callee.filter(|callee| !is_statement_word(self.code.text(*callee))) else {
            return (self.whole(open + 1, close), open);
        };
        let name = self.code.text(callee);
        if self.follows_dot(callee) {
            let (left, start) = self.chain(callee - 1);
            return (self.result(&left, name, false), start);
        }
        let reference = self.session.editing().reference();
        if callee >= 2 && self.code.text(callee - 1) == "::" {
            let module = self.code.text(callee - 2);
            let found = members::result_in_module(self.session, self.code.whole, module, name);
            return (found.map_or(Operand::Unknown, Operand::Type), callee - 2);
        }
        let is_own = self.session.functions().iter_functions().any(|function| function.name == name);
        let found = members::result_of_function(reference, name).filter(|_| !is_own);
        (found.map_or(Operand::Unknown, Operand::Type), callee)
    }

    /// `x[0]`, `x["name"]`, or an array.
    fn index(&mut self, close: usize) -> (Operand, usize) {
        let Some(open) = self.opening(close) else { return (Operand::Unknown, close) };
        let is_operand = |at: usize| {
            let is_name = self.code.tokens[at].kind == Kind::Word && !is_statement_word(self.code.text(at));
            is_name || matches!(self.code.text(at), ")" | "]")
        };
        if !open.checked_sub(1).is_some_and(is_operand) {
            return (known("Array"), open);
        }
        let (left, start) = self.chain(open);
        let Operand::Value(variable, mut path) = left else { return (Operand::Unknown, start) };
        let key = self.code.text(open + 1);
        let key = match self.code.tokens[open + 1].kind {
            Kind::Number if close == open + 2 => key.parse().ok().map(Key::Index),
            Kind::Text if close == open + 2 && key.starts_with('"') => {
                Some(Key::Name(key.trim_matches('"').to_string()))
            }
            _ => None,
        };
        let Some(key) = key else { return (Operand::Unknown, start) };
        path.push(key);
        (Operand::Value(variable, path), start)
    }

    /// What a variable holds: one of the entry that is being written, or one of the session.
    fn variable(&mut self, name: &str) -> Operand {
        if let Some(operand) = self.local(name) {
            return operand;
        }
        let name = spelling::name_of_result(name).unwrap_or_else(|| name.to_string());
        match self.session.scope().get(&name) {
            Some(_) => Operand::Value(name, Vec::new()),
            None => Operand::Unknown,
        }
    }

    /// The last `let name = …;`, `for name in …` or `catch (name)` before.
    fn local(&mut self, name: &str) -> Option<Operand> {
        let outer;
        // What is in a slot sees what is defined outside of it.
        let code = match self.code.start {
            0 => self.code,
            start => {
                outer = Code::outside(self.code.whole, start);
                &outer
            }
        };
        let text = |at: usize| code.text(at);
        for at in (1..code.tokens.len()).rev().filter(|at| text(*at) == name) {
            match (text(at - 1), text(at + 1)) {
                ("let" | "const", "=") => {
                    let end = end_of_statement(code, at + 2)?;
                    return Some(Resolver { session: self.session, code, depth: self.depth }.whole(at + 2, end));
                }
                ("for", "in") => {
                    let end = (at + 2..code.tokens.len()).find(|end| text(*end) == "{")?;
                    let source = Resolver { session: self.session, code, depth: self.depth }.whole(at + 2, end);
                    return Some(match self.type_of(&source) {
                        Some(of) if matches!(of.name.as_str(), "Stream" | "OutputStream") => known("String"),
                        _ => Operand::Unknown,
                    });
                }
                ("(", ")") if at >= 2 && text(at - 2) == "catch" => return Some(known("CommandError")),
                _ => {}
            }
        }
        None
    }

    pub fn type_of(&self, operand: &Operand) -> Option<Type> {
        type_of(self.session, operand)
    }

    /// What the documentation says that a method or a property gives.
    fn result(&self, left: &Operand, name: &str, is_property: bool) -> Operand {
        let reference = self.session.editing().reference();
        let found = self.type_of(left).and_then(|of| members::result_of_member(reference, &of, name, is_property));
        found.map_or(Operand::Unknown, Operand::Type)
    }

    fn follows_dot(&self, at: usize) -> bool {
        at > 0 && matches!(self.code.text(at - 1), "." | "?.")
    }

    /// The bracket that a closing one belongs to.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..=close).rev() {
            match self.code.tokens[at].kind {
                Kind::Close => depth += 1,
                Kind::Open => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }
}

/// Words in front of a parenthesis or a bracket that call and index nothing.
fn is_statement_word(word: &str) -> bool {
    matches!(word, "if" | "while" | "for" | "in" | "return" | "switch" | "throw" | "until" | "catch" | "else" | "loop")
}

pub(super) fn known(name: &str) -> Operand {
    Type::named(name).map_or(Operand::Unknown, Operand::Type)
}

fn end_of_statement(code: &Code, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in start..code.tokens.len() {
        match code.tokens[at].kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.checked_sub(1)?,
            Kind::Symbol if depth == 0 && code.text(at) == ";" => return Some(at),
            _ => {}
        }
    }
    None
}

/// The type of what a chain comes to.
pub(super) fn type_of(session: &Session, operand: &Operand) -> Option<Type> {
    match operand {
        Operand::Type(of) => Some(of.clone()),
        Operand::Value(variable, path) => {
            look(session, variable, path, |value| Type::of(session.runtime().engine(), value))
        }
        Operand::Unknown => None,
    }
}

/// Looks at a value of the session where it is: it may be large.
pub(super) fn look<T>(session: &Session, variable: &str, path: &[Key], look: impl FnOnce(&Dynamic) -> T) -> Option<T> {
    walk(session.scope().get(variable)?, path, look)
}

fn walk<T>(value: &Dynamic, path: &[Key], look: impl FnOnce(&Dynamic) -> T) -> Option<T> {
    let Some((key, rest)) = path.split_first() else { return Some(look(value)) };
    match key {
        Key::Name(name) => walk(value.read_lock::<Map>()?.get(name.as_str())?, rest, look),
        Key::Index(index) => walk(value.read_lock::<Array>()?.get(*index)?, rest, look),
    }
}
