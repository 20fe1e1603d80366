//! TOML.

use toml::value::{Datetime, Table};

use super::problem::Problem;
use super::time::{Local, Moment};
use super::value::Value;

/// The table of a TOML document.
pub(crate) fn parse(text: &str) -> Result<Value, Problem> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let reason = reason(error.message());
        match error.span() {
            Some(span) => Problem::at(reason, span.start),
            None => Problem::new(reason),
        }
    })?;
    value_of(toml::Value::Table(table))
}

/// What the parser says of an integer names its own types.
fn reason(message: &str) -> String {
    match message.strip_prefix("invalid type: integer `").and_then(|rest| rest.split_once('`')) {
        Some((number, _)) => format!("{number} is an integer of more than 64 bits"),
        None => message.to_string(),
    }
}

fn value_of(value: toml::Value) -> Result<Value, Problem> {
    use toml::Value as Toml;
    Ok(match value {
        Toml::String(text) => Value::Text(text),
        Toml::Integer(integer) => Value::Integer(integer),
        Toml::Float(float) => Value::Float(float),
        Toml::Boolean(value) => Value::Bool(value),
        Toml::Datetime(time) => time_of(&time)?,
        Toml::Array(values) => Value::Array(values.into_iter().map(value_of).collect::<Result<_, _>>()?),
        Toml::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, value_of(value)?)));
            Value::Map(entries.collect::<Result<_, Problem>>()?)
        }
    })
}

fn time_of(time: &Datetime) -> Result<Value, Problem> {
    let text = time.to_string();
    let wrong = |why: String| Problem::new(format!("`{text}` is no time: {why}"));
    match time.offset {
        Some(_) => Moment::from_rfc3339(&text).map(Value::Time).map_err(wrong),
        None => Local::parse(&text).map(Value::Local).map_err(wrong),
    }
}

/// A map as a TOML document.
pub(crate) fn write(value: &Value) -> Result<String, String> {
    value.check(&|value| match value {
        Value::Null => Some("`()`, which TOML does not have: leave the key out"),
        _ => None,
    })?;
    let Value::Map(_) = value else { return Err("the value must be a map: a TOML document is one".to_string()) };
    toml::to_string(&toml_of(value)?).map_err(|error| error.to_string())
}

fn toml_of(value: &Value) -> Result<toml::Value, String> {
    use toml::Value as Toml;
    let time = |text: String| text.parse::<Datetime>().map(Toml::Datetime).map_err(|error| format!("{text}: {error}"));
    Ok(match value {
        Value::Null => return Err("TOML does not have `()`".to_string()),
        Value::Bool(value) => Toml::Boolean(*value),
        Value::Integer(integer) => Toml::Integer(*integer),
        Value::Float(float) => Toml::Float(*float),
        Value::Text(text) => Toml::String(text.clone()),
        Value::Time(moment) => time(moment.to_string())?,
        Value::Local(local) => time(local.to_string())?,
        Value::Array(values) => Toml::Array(values.iter().map(toml_of).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), toml_of(value)?)));
            Toml::Table(entries.collect::<Result<_, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "a = 1\nb = 1.5\nc = nan\nd = 1979-05-27T07:32:00.5-08:00\ne = 1979-05-27\nf = 07:32:00\n\
                    g = 1979-05-27T07:32:00\nh = [\"x\", []]\n\n[t.\"x y\"]\nk = true\n";
        assert_eq!(write(&parse(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn places_and_reasons() {
        let problem = parse("a = 1\nb = 99999999999999999999").unwrap_err();
        assert_eq!(
            (problem.reason.as_str(), problem.offset),
            ("99999999999999999999 is an integer of more than 64 bits", Some(10))
        );
        assert_eq!(parse("a = 1\na = 2").unwrap_err().reason, "duplicate key");
        assert!(write(&Value::Array(Vec::new())).unwrap_err().contains("must be a map"));
        assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
