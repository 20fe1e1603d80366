//! The functions that can be called, and with how many arguments.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use rhai::{AST, Engine, Expr, FnAccess};

use crate::script::Runtime;
use crate::script::problem::Code;

use super::Finding;
use super::comparisons;
use super::foreign;
use super::program::{Call, Node, Program};
use super::similar::Similar;

/// Functions that the interpreter itself provides under these names.
const KEYWORD_FUNCTIONS: &[&str] =
    &["Fn", "call", "curry", "type_of", "is_def_var", "is_def_fn", "is_shared", "print", "debug", "eval"];

/// The numbers of arguments that functions take, by their names.
pub(crate) type Counts = HashMap<String, BTreeSet<usize>>;

/// What is registered with an engine. It is read when the first question comes: a program without calls has none.
#[derive(Default)]
pub(crate) struct Natives {
    functions: OnceLock<Counts>,
    own_verbs: OnceLock<Vec<&'static str>>,
    /// For an engine that has only what one program can call: what there is besides.
    others: OnceLock<Counts>,
    is_partial: OnceLock<()>,
}

impl Natives {
    /// The functions that can be called without a namespace.
    pub fn functions(&self, engine: &Engine) -> &Counts {
        self.functions.get_or_init(|| native_functions(engine))
    }

    /// Whether the engine has only the functions that its program names.
    pub fn is_partial(&self) -> bool {
        self.is_partial.get().is_some()
    }

    /// Says that it has.
    pub fn set_partial(&self) {
        // Set once, when the engine is made.
        let _ = self.is_partial.set(());
    }

    /// The names of all functions that there are for other programs, too: for advice to one that has a mistake.
    pub fn all(&self, engine: &Engine) -> &Counts {
        match self.is_partial.get() {
            None => self.functions(engine),
            Some(()) => self.others.get_or_init(|| {
                let complete = Runtime::builder().build();
                complete.map(|complete| native_functions(complete.engine())).unwrap_or_default()
            }),
        }
    }

    /// The verbs that nobody else has registered for values of theirs.
    pub fn own_verbs(&self, engine: &Engine) -> &[&'static str] {
        self.own_verbs.get_or_init(|| comparisons::own_verbs(engine))
    }
}

/// The functions that are registered with an engine and can be called without a namespace.
pub(super) fn native_functions(engine: &Engine) -> Counts {
    let native = RefCell::new(Counts::new());
    let note = |name: &str, parameters: usize| {
        let mut native = native.borrow_mut();
        match native.get_mut(name) {
            Some(counts) => _ = counts.insert(parameters),
            None => _ = native.insert(name.to_owned(), BTreeSet::from([parameters])),
        }
    };
    // There are many: what a mapper gives would be copied once more.
    let nothing: Vec<()> = engine.collect_fn_metadata(
        None,
        |info| {
            let name = info.metadata.name.as_str();
            if info.namespace.is_empty() && is_word(name) {
                note(name, info.metadata.num_params);
            }
            None
        },
        true,
    );
    drop(nothing);
    native.into_inner()
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The functions that a program defines; only those that an importer sees, or all.
pub(super) fn defined(ast: &AST, only_public: bool) -> Counts {
    let mut counts = Counts::new();
    for function in ast.iter_functions().filter(|f| is_word(f.name) && !f.name.starts_with("anon$")) {
        if !only_public || function.access == FnAccess::Public {
            counts.entry(function.name.to_string()).or_default().insert(function.params.len());
        }
    }
    counts
}

/// Names of map entries and properties: what they hold may be a function, called as a method.
pub(super) fn properties(program: &Program) -> HashSet<String> {
    let mut properties = HashSet::new();
    program.walk(&mut |node| match node {
        Node::Expression(Expr::Property(property, _)) => {
            properties.insert(property.2.to_string());
        }
        Node::Expression(Expr::Map(map, _)) => properties.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
        Node::Expression(Expr::Index(parts, ..)) => {
            if let Expr::StringConstant(key, _) = &parts.rhs {
                properties.insert(key.to_string());
            }
        }
        _ => {}
    });
    properties
}

/// The functions that can be called without a namespace.
pub(super) struct Functions<'a> {
    pub engine: &'a Engine,
    pub natives: &'a Natives,
    pub script: Counts,
    /// What may be a method because a map has it; `None` when that may be anything.
    pub properties: Option<HashSet<String>>,
}

impl Functions<'_> {
    /// What can be called, as far as the program names it.
    fn native(&self) -> &Counts {
        self.natives.functions(self.engine)
    }

    fn all_native(&self) -> &Counts {
        self.natives.all(self.engine)
    }

    /// Whether a verb is ours alone.
    pub fn is_own_verb(&self, name: &str) -> bool {
        self.natives.own_verbs(self.engine).contains(&name)
    }

    /// Whether the script itself defines it.
    pub fn in_script(&self, name: &str) -> bool {
        self.script.contains_key(name)
    }

    pub fn exists(&self, name: &str) -> bool {
        KEYWORD_FUNCTIONS.contains(&name) || self.in_script(name) || self.all_native().contains_key(name)
    }

    /// Whether a map may have a function of this name.
    pub fn may_be_property(&self, name: &str) -> bool {
        self.properties.as_ref().is_none_or(|properties| properties.contains(name))
    }

    pub fn script_names(&self) -> impl Iterator<Item = String> {
        self.script.keys().cloned()
    }

    /// What is wrong with a call.
    pub fn problem(&self, call: Call, similar: &Similar) -> Option<Finding> {
        let (name, arguments, is_method) = (call.call.name.as_str(), call.call.args.len(), call.is_method);
        if KEYWORD_FUNCTIONS.contains(&name) || (is_method && self.may_be_property(name)) {
            return None;
        }
        let object = usize::from(is_method);
        let native = self.native().get(name);
        let script = self.script.get(name);
        let fits = |counts: &BTreeSet<usize>, arguments: usize| counts.contains(&arguments);
        if native.is_some_and(|c| fits(c, arguments + object)) || script.is_some_and(|c| fits(c, arguments)) {
            return None;
        }
        let counts: BTreeSet<usize> = native
            .into_iter()
            .flatten()
            .filter_map(|count| count.checked_sub(object))
            .chain(script.into_iter().flatten().copied())
            .collect();
        let noun = if is_method { "method" } else { "function" };
        if !counts.is_empty() {
            return Some(wrong_count(noun, name, &counts, arguments));
        }
        let help = foreign::function(name, |name| self.exists(name)).or_else(|| {
            let names = self.all_native().keys().chain(self.script.keys()).map(String::as_str);
            // Names that begin so are not for scripts.
            let names = names.chain(KEYWORD_FUNCTIONS.iter().copied()).filter(|name| !name.starts_with("__"));
            let names = names.map(str::to_string);
            similar.to_global(name, names).map(|similar| format!("did you mean `{similar}`?"))
        });
        Some(Finding::new(Code::UnknownFunction, format!("there is no {noun} `{name}`"), help))
    }
}

/// What is wrong with a call of a function of a module.
pub(super) fn in_module(call: Call, namespace: &str, functions: &Counts, similar: &Similar) -> Option<Finding> {
    let (name, arguments) = (call.call.name.as_str(), call.call.args.len());
    match functions.get(name) {
        Some(counts) if counts.contains(&arguments) => None,
        Some(counts) => Some(wrong_count("function", &format!("{namespace}::{name}"), counts, arguments)),
        None => {
            let similar = similar.to(name, functions.keys().cloned());
            let help = similar.map(|similar| format!("did you mean `{namespace}::{similar}`?"));
            Some(Finding::new(Code::UnknownFunction, format!("there is no function `{namespace}::{name}`"), help))
        }
    }
}

fn wrong_count(noun: &str, name: &str, counts: &BTreeSet<usize>, arguments: usize) -> Finding {
    let takes = counts.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
    let plural = if counts.len() == 1 && counts.contains(&1) { "" } else { "s" };
    let message = format!("the {noun} `{name}` takes {takes} argument{plural}, not {arguments}");
    Finding::new(Code::WrongArgumentCount, message, None)
}
