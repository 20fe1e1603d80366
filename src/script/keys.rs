//! Keys that a map does not have: reading one is an error that names those it has, assigning to one makes it.
//!
//! Rhai asks one callback for both, and does not say which it is. It hands over the text of the key, though, and that
//! is the very text that stands in the program, or that an index has given: by where it lies in memory it is known
//! again. So the places that a program assigns to are noted when it is loaded, and an index that is assigned to and
//! is no constant is put into a text of its own first ([`ASSIGNED`], which the [spelling](super::spelling) writes in
//! front of it).

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::{AST, ASTFlags, ASTNode, Dynamic, Engine, EvalAltResult, Expr, ImmutableString, Map, Position, Stmt};

use crate::process::{escape_controls, nearest_name};

use super::library::Library;
use super::spelling::ASSIGNED;
use super::template::error as parse_error;
use super::world::lock;

/// So many keys are listed.
const FEW: usize = 8;
/// In so many a similar one is looked for.
const MANY: usize = 10_000;
/// Between the message and the help, which have no control characters.
const SEPARATOR: char = '\0';

/// The constant keys that programs assign to, by where their texts are. They are kept, so that no other text can get
/// their place.
#[derive(Debug, Default)]
pub(crate) struct AssignedKeys(Mutex<HashMap<usize, ImmutableString>>);

thread_local! {
    /// The index of the assignment that is under way on this thread.
    static INDEX: RefCell<Option<ImmutableString>> = const { RefCell::new(None) };
}

impl AssignedKeys {
    /// Notes the keys that a program assigns to. One that it changes (`m.n += 1`) has to be there.
    pub fn note(&self, ast: &AST) {
        ast.walk(&mut |path: &[ASTNode]| {
            if let Some(ASTNode::Stmt(Stmt::Assignment(parts))) = path.last()
                && !parts.0.is_op_assignment()
                && let Some(key) = last_key(&parts.1.lhs)
            {
                lock(&self.0).insert(address(key), key.clone());
            }
            true
        });
    }

    fn has(&self, key: &str) -> bool {
        lock(&self.0).contains_key(&address(key))
    }
}

fn address(text: &str) -> usize {
    text.as_ptr() as usize
}

/// The constant at the end of a chain that is assigned to.
fn last_key(target: &Expr) -> Option<&ImmutableString> {
    let mut target = target;
    loop {
        target = match target {
            Expr::Dot(parts, ..) => &parts.rhs,
            Expr::Index(parts, flags, _) if flags.contains(ASTFlags::BREAK) => {
                return match &parts.rhs {
                    Expr::StringConstant(key, _) => Some(key),
                    _ => None,
                };
            }
            Expr::Index(parts, ..) => &parts.rhs,
            Expr::Property(parts, _) => return Some(&parts.2),
            Expr::StringConstant(key, _) => return Some(key),
            _ => return None,
        }
    }
}

pub(crate) fn register(engine: &mut Engine, library: &Arc<Library>) {
    let library = library.clone();
    engine.on_map_missing_property(move |map, key, _| {
        let is_index = |index: &Option<ImmutableString>| index.as_ref().is_some_and(|own| address(own) == address(key));
        if !INDEX.with_borrow(is_index) && !library.assigned_keys.has(key) {
            return Err(EvalAltResult::ErrorPropertyNotFound(missing(map, key), Position::NONE).into());
        }
        map.entry(key.into()).or_insert(Dynamic::UNIT).try_into()
    });
    let parse = |symbols: &[ImmutableString], _: &str, _: &mut Dynamic| match symbols.len() {
        1 => Ok(Some("$expr$".into())),
        _ => Ok(None),
    };
    engine.register_custom_syntax_with_state_raw(ASSIGNED, parse, false, |context, inputs, _| {
        let [index] = inputs else { return Err(parse_error("broken index".to_string()).into()) };
        let index = context.eval_expression_tree(index)?.flatten();
        let Some(text) = index.read_lock::<ImmutableString>().map(|text| text.as_str().into()) else {
            return Ok(index);
        };
        let own: ImmutableString = text;
        INDEX.set(Some(own.clone()));
        Ok(own.into())
    });
}

/// What is wrong and what to do about it, in the one text that Rhai's error has room for.
fn missing(map: &Map, key: &str) -> String {
    let shown = |key: &str| format!("`{}`", escape_controls(key));
    let optional = format!("one that may be missing is read with .get({key:?})");
    let similar = match map.len() {
        0..=MANY => nearest_name(key, map.keys().map(ToString::to_string)),
        _ => None,
    };
    let help = match (similar, map.len()) {
        (Some(similar), 1..=FEW) => format!("did you mean {}? It has {}", shown(&similar), listed(map, shown)),
        (Some(similar), _) => format!("did you mean {}?", shown(&similar)),
        (None, 0) => format!("it has no keys at all; {optional}"),
        (None, 1..=FEW) => format!("it has {}; {optional}", listed(map, shown)),
        (None, count) => format!("it has {count} others; {optional}"),
    };
    format!("the map has no {}{SEPARATOR}{help}", shown(key))
}

fn listed(map: &Map, shown: impl Fn(&str) -> String) -> String {
    map.keys().map(|key| shown(key)).collect::<Vec<_>>().join(", ")
}

/// The message and the help of an error for a missing key.
pub(crate) fn parts(text: &str) -> (String, Option<String>) {
    match text.split_once(SEPARATOR) {
        Some((message, help)) => (message.to_string(), Some(help.to_string())),
        // In an engine of a host.
        None => (format!("there is no property `{text}`"), None),
    }
}
