//! A value that all formats can be read into, and most can write.

use std::fmt;

use super::time::{Local, Moment};

/// A value without anything that only a script has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A point in time: TOML has a type for it, for the others it is text.
    Time(Moment),
    /// A date, a time of day, or both, without a time zone; only TOML has it.
    Local(Local),
    Array(Vec<Value>),
    /// In the order of the text; a key stands here once.
    Map(Vec<(String, Value)>),
}

/// So deeply values may be nested, in either direction.
pub(crate) const DEEPEST: usize = 128;

/// Where in a value something is: `servers[2].check`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// What `look` says about the value of this key.
    pub fn key<T>(&mut self, key: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Key(key.to_string()), look)
    }

    pub fn index<T>(&mut self, index: usize, look: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Index(index), look)
    }

    fn step<T>(&mut self, step: Step, look: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(step);
        let result = look(self);
        self.0.pop();
        result
    }
}

/// For the beginning of a sentence: `servers[2].check` in backquotes, or "the value".
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the value");
        }
        f.write_str("`")?;
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => write!(f, "{}{key}", if number == 0 { "" } else { "." })?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        f.write_str("`")
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|char| char.is_alphanumeric() || char == '_' || char == '-')
}

impl Value {
    /// Asks about this value and everything in it, until something is wrong.
    pub fn check(&self, refuse: &impl Fn(&Value) -> Option<&'static str>) -> Result<(), String> {
        self.check_at(&mut Path::default(), refuse)
    }

    fn check_at(&self, path: &mut Path, refuse: &impl Fn(&Value) -> Option<&'static str>) -> Result<(), String> {
        if let Some(why) = refuse(self) {
            return Err(format!("{path} is {why}"));
        }
        match self {
            Self::Array(values) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| path.index(index, |path| value.check_at(path, refuse))),
            Self::Map(entries) => {
                entries.iter().try_for_each(|(key, value)| path.key(key, |path| value.check_at(path, refuse)))
            }
            _ => Ok(()),
        }
    }
}

/// Points in time are text here; TOML, which has a type for them, does without this.
impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => serializer.serialize_str(&time.to_string()),
            Self::Local(local) => serializer.serialize_str(&local.to_string()),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_what_is_refused_is_told() {
        let map = |key: &str, value| Value::Map(vec![(key.to_string(), value)]);
        let value = map("servers", Value::Array(vec![Value::Null, map("on call", map("x", Value::Float(f64::NAN)))]));
        let refuse = |value: &Value| matches!(value, Value::Float(_)).then_some("a float");
        assert_eq!(value.check(&refuse), Err("`servers[1][\"on call\"].x` is a float".to_string()));
        assert_eq!(Value::Float(1.0).check(&refuse), Err("the value is a float".to_string()));
        assert_eq!(value.check(&|_| None), Ok(()));
    }
}
