//! The types of values, as the documentation names them.

use std::any::TypeId;

use rhai::{Array, Blob, Dynamic, Engine, FnPtr, ImmutableString, Map};

/// A type, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type {
    pub name: String,
    /// What functions are registered for.
    pub id: Option<TypeId>,
}

/// Rhai's own types, whose methods are not all documented by us.
fn own() -> [(&'static str, TypeId); 9] {
    [
        ("String", TypeId::of::<ImmutableString>()),
        ("Array", TypeId::of::<Array>()),
        ("Map", TypeId::of::<Map>()),
        ("Blob", TypeId::of::<Blob>()),
        ("int", TypeId::of::<i64>()),
        ("float", TypeId::of::<f64>()),
        ("char", TypeId::of::<char>()),
        ("bool", TypeId::of::<bool>()),
        ("Fn", TypeId::of::<FnPtr>()),
    ]
}

impl Type {
    /// A type by its name in the documentation; of several, the first that is something.
    pub fn named(names: &str) -> Option<Self> {
        let name = names.split('|').map(str::trim).find(|name| !matches!(*name, "()" | "?" | ""))?;
        let id = own().into_iter().find(|(own, _)| *own == name).map(|(_, id)| id);
        Some(Self { name: name.to_string(), id })
    }

    pub fn of(engine: &Engine, value: &Dynamic) -> Self {
        let id = value.type_id();
        match own().into_iter().find(|(_, own)| *own == id) {
            Some((name, id)) => Self { name: name.to_string(), id: Some(id) },
            None => Self { name: engine.map_type_name(value.type_name()).to_string(), id: Some(id) },
        }
    }
}
