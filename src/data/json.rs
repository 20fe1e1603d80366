//! JSON, and JSON lines.

use serde_json::Value as Json;

use super::problem::Problem;
use super::value::{Path, Value};

/// What becomes of an integer that 64 bits cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BigIntegers {
    #[default]
    Refused,
    Text,
    /// The nearest number that a float can hold.
    Float,
}

/// The value of a JSON text.
pub(crate) fn parse(text: &str, big: BigIntegers) -> Result<Value, Problem> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
        // The place is told in our own way.
        let reason = error.to_string();
        Problem::at(reason.split(" at line ").next().unwrap_or(&reason), offset)
    })?;
    value_of(json, big, &mut Path::default())
}

/// One value for each line that is not empty.
pub(crate) fn parse_lines(text: &str, big: BigIntegers) -> Result<Vec<Value>, Problem> {
    let mut start = 0;
    let mut values = Vec::new();
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            values.push(parse(line.trim_end(), big).map_err(|problem| problem.moved_by(start))?);
        }
        start += line.len();
    }
    Ok(values)
}

fn value_of(json: Json, big: BigIntegers, path: &mut Path) -> Result<Value, Problem> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => number_of(number.as_str(), big, path)?,
        Json::String(text) => Value::Text(text),
        Json::Array(values) => {
            let values = values.into_iter().enumerate();
            let values = values.map(|(index, value)| path.index(index, |path| value_of(value, big, path)));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        Json::Object(entries) => {
            let entry = |(key, value): (String, Json)| -> Result<_, Problem> {
                let value = path.key(&key, |path| value_of(value, big, path))?;
                Ok((key, value))
            };
            Value::Map(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

fn number_of(text: &str, big: BigIntegers, path: &Path) -> Result<Value, Problem> {
    if let Ok(integer) = text.parse() {
        return Ok(Value::Integer(integer));
    }
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite());
    let is_integer = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    match (is_integer, big, float) {
        (false, _, Some(float)) | (true, BigIntegers::Float, Some(float)) => Ok(Value::Float(float)),
        (true, BigIntegers::Text, _) => Ok(Value::Text(text.to_string())),
        (true, ..) => Err(Problem::new(format!("{path} is {}, an integer of more than 64 bits", shortened(text)))
            .with_help("say what becomes of such integers: #{big_integers: \"text\"}, or \"float\"")),
        (false, ..) => Err(Problem::new(format!("{path} is {}, which no float can hold", shortened(text)))),
    }
}

fn shortened(number: &str) -> String {
    match number.get(..40) {
        Some(start) if number.len() > 40 => format!("{start}…"),
        _ => number.to_string(),
    }
}

/// A value as JSON, on one line or on several.
pub(crate) fn write(value: &Value, is_pretty: bool) -> Result<String, String> {
    value.check(&|value| match value {
        Value::Float(float) if float.is_nan() => Some("not a number (NaN), which JSON does not have"),
        Value::Float(float) if float.is_infinite() => Some("infinite, which JSON does not have"),
        _ => None,
    })?;
    let text = if is_pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map_err(|error| error.to_string())
}

/// One line for each value.
pub(crate) fn write_lines(values: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        let line = write(value, false).map_err(|problem| format!("in line {}, {problem}", index + 1))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, big: BigIntegers) -> Result<Value, String> {
        parse(text, big).map_err(|problem| problem.reason)
    }

    #[test]
    fn no_number_is_changed_silently() {
        use BigIntegers::*;
        assert_eq!(number("9223372036854775807", Refused), Ok(Value::Integer(i64::MAX)));
        assert_eq!(number("-9223372036854775808", Refused), Ok(Value::Integer(i64::MIN)));
        assert!(number("9223372036854775808", Refused).unwrap_err().contains("64 bits"));
        assert_eq!(number("9223372036854775808", Text), Ok(Value::Text("9223372036854775808".into())));
        assert_eq!(number("9223372036854775808", Float), Ok(Value::Float(9223372036854775808.0)));
        assert_eq!(number("1e3", Refused), Ok(Value::Float(1000.0)));
        assert_eq!(number("-0", Refused), Ok(Value::Integer(0)));
        assert!(number("1e999", Float).unwrap_err().contains("no float"));
        assert!(number(&"9".repeat(400), Float).is_err());
    }

    #[test]
    fn the_line_of_a_bad_line_is_found() {
        let text = "{\"a\": 1}\n\n  \r\n[1,]\n2";
        assert_eq!(parse_lines(text, BigIntegers::Refused).unwrap_err().offset, Some(17));
        assert_eq!(parse_lines("1\r\n\n2", BigIntegers::Refused).unwrap().len(), 2);
        assert_eq!(parse_lines("", BigIntegers::Refused), Ok(Vec::new()));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{"b":[1,2.0,true,null,"é\n\u0001"],"a":{}}"#;
        assert_eq!(write(&parse(text, BigIntegers::Refused).unwrap(), false).unwrap(), text);
    }
}
