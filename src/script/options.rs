//! Option maps: `retry(5, #{delay: "1s"}, …)`.

use std::time::Duration;

use rhai::Map;

use crate::process::nearest_name;

use super::convert;

/// Reads the values of an options map, and refuses what it does not know.
pub(crate) struct Options<'a> {
    pub function: &'static str,
    pub map: &'a Map,
    /// The options that there are.
    pub known: &'a [&'a str],
}

impl<'a> Options<'a> {
    pub fn new(function: &'static str, map: &'a Map, known: &'a [&'a str]) -> Result<Self, String> {
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(Self { function, map, known }),
            Some(key) => {
                let names = known.iter().map(|name| name.to_string());
                let hint = nearest_name(key, names).map(|similar| format!("; did you mean `{similar}`?"));
                let hint = hint.unwrap_or_else(|| format!("; it has {}", known.join(", ")));
                Err(format!("{function} has no option `{key}`{hint}"))
            }
        }
    }

    pub fn value<T: Clone + 'static>(&self, name: &str, what: &str) -> Result<Option<T>, String> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        let found = value.clone().try_cast::<T>();
        let wrong = || format!("the option `{name}` of {} is {what}, not {}", self.function, convert::kind_of(value));
        found.map(Some).ok_or_else(wrong)
    }

    /// `true` or `false`; without the option, `otherwise`.
    pub fn flag(&self, name: &str, otherwise: bool) -> Result<bool, String> {
        Ok(self.value::<bool>(name, "true or false")?.unwrap_or(otherwise))
    }

    pub fn duration(&self, name: &str) -> Result<Option<Duration>, String> {
        let what = || format!("the option `{name}` of {}", self.function);
        self.map.get(name).map(|value| convert::waiting(value, &what())).transpose()
    }

    pub fn number(&self, name: &str) -> Result<Option<f64>, String> {
        match self.map.get(name).and_then(|value| value.as_int().ok()) {
            Some(number) => Ok(Some(number as f64)),
            None => self.value::<f64>(name, "a number"),
        }
    }

    /// One of a few words, by what each stands for.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, String> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let what = format!("one of {}", words.join(", "));
        let Some(chosen) = self.value::<String>(name, &what)? else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == chosen) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(format!("the option `{name}` of {} is {what}, not `{chosen}`", self.function)),
        }
    }
}
