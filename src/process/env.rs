//! The environment of a child, as changes to the one that is in force.
//!
//! Nothing here calls `setenv`: the process that embeds us keeps its environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::error::{Error, ErrorKind};
use super::os;

/// Changes to an environment: `None` removes a variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvChanges {
    /// Whether the inherited variables are dropped before `vars` applies.
    clear: bool,
    vars: BTreeMap<OsString, Option<Value>>,
}

#[derive(Clone)]
struct Value {
    text: OsString,
    is_secret: bool,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.is_secret {
            true => f.write_str("***"),
            false => self.text.fmt(f),
        }
    }
}

impl EnvChanges {
    pub fn is_empty(&self) -> bool {
        !self.clear && self.vars.is_empty()
    }

    pub fn set(&mut self, name: OsString, value: Option<OsString>) {
        self.vars.insert(name, value.map(|text| Value { text, is_secret: false }));
    }

    /// A value that is given to the child and shown to nobody.
    pub fn set_secret(&mut self, name: OsString, text: OsString) {
        self.vars.insert(name, Some(Value { text, is_secret: true }));
    }

    /// Whether the value of a variable was set as a secret.
    pub fn is_secret(&self, name: &OsStr) -> bool {
        matches!(self.vars.get(name), Some(Some(value)) if value.is_secret)
    }

    pub fn clear(&mut self) {
        self.clear = true;
        self.vars.clear();
    }

    /// These changes, and then the inner ones.
    pub fn merged_with(&self, inner: &Self) -> Self {
        if inner.is_empty() {
            return self.clone();
        }
        let mut merged = if inner.clear { Self { clear: true, ..Self::default() } } else { self.clone() };
        merged.vars.extend(inner.vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        merged
    }

    /// The value that a child with these changes sees.
    pub fn get(&self, name: &OsStr) -> Option<OsString> {
        match self.vars.get(name) {
            Some(value) => value.as_ref().map(|value| value.text.clone()),
            None if self.clear => None,
            None => std::env::var_os(name),
        }
    }

    /// Every variable that a child with these changes sees, sorted by name.
    pub fn resolved(&self) -> BTreeMap<OsString, OsString> {
        let mut all: BTreeMap<_, _> = if self.clear { BTreeMap::new() } else { std::env::vars_os().collect() };
        for (name, value) in &self.vars {
            match value {
                Some(value) => all.insert(name.clone(), value.text.clone()),
                None => all.remove(name),
            };
        }
        all
    }

    pub fn apply_to(&self, command: &mut std::process::Command) {
        if self.clear {
            command.env_clear();
        }
        for (name, value) in &self.vars {
            match value {
                Some(value) => command.env(name, &value.text),
                None => command.env_remove(name),
            };
        }
    }

    /// Names and values that the system would misread are refused before anything starts: std
    /// accepts the name `A=1` and creates a variable `A`.
    pub fn validate(&self) -> Result<(), Error> {
        for (name, value) in &self.vars {
            let bytes = name.as_encoded_bytes();
            let shown = name.display();
            let problem = if bytes.is_empty() {
                Some("an environment variable needs a name".to_string())
            } else if bytes.contains(&b'=') {
                Some(format!("environment name {shown:?} holds a `=`"))
            } else if bytes.contains(&0) {
                Some(format!("environment name {shown:?} holds a NUL byte"))
            } else if bytes[0].is_ascii_digit() {
                Some(format!("environment name {shown:?} starts with a digit"))
            } else if value.as_ref().is_some_and(|value| value.text.as_encoded_bytes().contains(&0)) {
                Some(format!("the value of environment variable {shown} holds a NUL byte"))
            } else {
                None
            };
            if let Some(problem) = problem {
                return Err(Error::new(ErrorKind::InvalidArgument, problem));
            }
        }
        Ok(())
    }

    /// The directories that a program is looked for in: the child's `PATH`; where it has none, the
    /// parent's; where that has none either, the system's default. A `PATH` that is set but empty
    /// means no directory at all.
    pub fn search_path(&self) -> OsString {
        self.get(OsStr::new("PATH")).or_else(|| std::env::var_os("PATH")).unwrap_or_else(os::default_search_path)
    }
}
