//! YAML 1.2.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Options};

use super::problem::Problem;
use super::value::{DEEPEST, Value};

/// The value of the one document in a text.
pub(crate) fn parse(text: &str) -> Result<Value, Problem> {
    let Wrapped(value) = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let problem = problem_of(&error, text);
        match problem.reason.starts_with("multiple YAML documents") {
            true => Problem { reason: "there is more than one document".to_string(), ..problem }
                .with_help("parse_yaml_all and read_yaml_all give an array of documents"),
            false => problem,
        }
    })?;
    large_numbers(&value, text)?;
    Ok(value)
}

/// The values of all documents in a text; the library leaves out those that are empty or `null`.
pub(crate) fn parse_all(text: &str) -> Result<Vec<Value>, Problem> {
    let documents: Vec<Wrapped> =
        serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| problem_of(&error, text))?;
    let values: Vec<Value> = documents.into_iter().map(|document| document.0).collect();
    values.iter().try_for_each(|value| large_numbers(value, text))?;
    Ok(values)
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: DEEPEST,
        // An honest document is as large as its text, and may use one anchor everywhere. What grows beyond it grows
        // by aliases, and those have a limit of their own, which stays.
        max_nodes: 100_000_000,
        max_events: 300_000_000,
        max_total_scalar_bytes: usize::MAX,
        max_documents: 1_000_000,
        enforce_alias_anchor_ratio: false,
    };
    serde_saphyr::options! {
        budget: budget,
        // `no` and `y` are text, as in YAML 1.2.
        strict_booleans: true,
        // `0644` and `1_000` are numbers to some and not to others.
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn problem_of(error: &Error, text: &str) -> Problem {
    let reason = error.without_snippet().to_string();
    let Some(location) = error.location() else { return Problem::new(reason) };
    let place = format!(" at line {}, column {}", location.line(), location.column());
    let reason = reason.trim_end().trim_end_matches(&place);
    // Advice for Rust programs.
    let reason = reason.split(", set DuplicateKeyPolicy").next().unwrap_or(reason);
    Problem::at_place(reason, text, location.line() as usize, location.column() as usize)
}

/// The library makes floats of integers that are too large, and infinities of floats that are: both would be another
/// number without a word. Whether it has done so can be told from the text alone.
fn large_numbers(value: &Value, text: &str) -> Result<(), Problem> {
    let mut large = Vec::new();
    collect_large(value, &mut large);
    if large.is_empty() {
        return Ok(());
    }
    let ends = |char: char| char.is_whitespace() || ",[]{}:".contains(char);
    for (start, token) in tokens(text, ends) {
        let digits = token.trim_start_matches(['-', '+']);
        let plain = digits.replace('_', "");
        if !plain.starts_with(|char: char| char.is_ascii_digit() || char == '.') || plain.starts_with("0x") {
            continue;
        }
        let Ok(float) = plain.parse::<f64>() else { continue };
        let is_integer = plain.bytes().all(|byte| byte.is_ascii_digit());
        if large.contains(&float) && (is_integer || float.is_infinite()) {
            let why = if is_integer { "is an integer of more than 64 bits" } else { "is more than a float can hold" };
            let help = "put it into quotes: then it is text";
            return Err(Problem::at(format!("{token} {why}"), start).with_help(help));
        }
    }
    Ok(())
}

fn collect_large(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Float(float) if float.abs() >= 9e18 => found.push(float.abs()),
        Value::Array(values) => values.iter().for_each(|value| collect_large(value, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| collect_large(value, found)),
        _ => {}
    }
}

/// The pieces between separators, with their offsets.
fn tokens(text: &str, is_end: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let pieces = text.split(is_end);
    pieces.filter(|piece| !piece.is_empty()).map(move |piece| (piece.as_ptr().addr() - text.as_ptr().addr(), piece))
}

/// A value that the library can make.
struct Wrapped(Value);

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder).map(Wrapped)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        let too_large = || E::custom(format!("{value} is an integer of more than 64 bits"));
        i64::try_from(value).map(Value::Integer).map_err(|_| too_large())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        let too_large = || E::custom(format!("{value} is an integer of more than 64 bits"));
        i64::try_from(value).map(Value::Integer).map_err(|_| too_large())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Wrapped(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map: Vec<(String, Value)> = Vec::new();
        while let Some((Wrapped(key), Wrapped(value))) = entries.next_entry()? {
            let key = key_of(key).map_err(A::Error::custom)?;
            map.push((key, value));
        }
        // `1` and `"1"` are two keys in YAML, and one in a map.
        let mut keys: Vec<&str> = map.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(A::Error::custom(format!("two keys are `{}` as text", pair[0]))),
            None => Ok(Value::Map(map)),
        }
    }
}

/// Keys are text here: numbers and truth values as they are written.
fn key_of(key: Value) -> Result<String, String> {
    match key {
        Value::Text(text) => Ok(text),
        Value::Integer(integer) => Ok(integer.to_string()),
        Value::Float(float) => Ok(float.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Ok("null".to_string()),
        _ => Err("a key must be text, not an array or a map".to_string()),
    }
}

/// A value as one document.
pub(crate) fn write(value: &Value) -> Result<String, String> {
    // Long texts stay on their lines: who changes a word changes one line.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX, compact_list_indent: false };
    let mut text = serde_saphyr::to_string_with_options(value, options).map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Values as documents, one after another.
pub(crate) fn write_all(values: &[Value]) -> Result<String, String> {
    if let Some(index) = values.iter().position(|value| *value == Value::Null) {
        return Err(format!("`[{index}]` is `()`, and who reads documents leaves out empty ones"));
    }
    values.iter().map(|value| Ok(format!("---\n{}", write(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        parse(text).map_or_else(|problem| problem.reason, |value| format!("{value:?}"))
    }

    #[test]
    fn what_yaml_1_1_took_for_truth_is_text() {
        let value = parse("country: no\ny: on\nyes: [off, Off, true, False, ~, 012, 0o12]").unwrap();
        let text = |text: &str| Value::Text(text.to_string());
        let Value::Map(entries) = value else { panic!() };
        assert_eq!(entries[0], ("country".to_string(), text("no")));
        assert_eq!(entries[1], ("y".to_string(), text("on")));
        let expected = vec![text("off"), text("Off"), Value::Bool(true), Value::Bool(false), Value::Null];
        let Value::Array(values) = &entries[2].1 else { panic!() };
        assert_eq!(values[..5], expected);
        assert_eq!(values[5..], [text("012"), Value::Integer(10)]);
    }

    #[test]
    fn no_number_is_changed_silently() {
        assert!(reason("a: 9223372036854775808").contains("9223372036854775808 is an integer of more than 64 bits"));
        assert!(reason("a: [-123456789012345678901234567890]").contains("64 bits"));
        assert!(reason("a: 1e999").contains("more than a float can hold"));
        assert_eq!(reason("1e30"), "Float(1e30)");
        assert_eq!(reason("[.inf, -.inf]"), "Array([Float(inf), Float(-inf)])");
        assert_eq!(reason("\"123456789012345678901234567890\""), "Text(\"123456789012345678901234567890\")");
    }

    #[test]
    fn keys_are_text_and_stand_once() {
        assert!(reason("a: 1\na: 2").contains("duplicate mapping key: a"));
        assert!(reason("1: x\n'1': y").contains("two keys are `1`"));
        assert!(reason("[a]: 1").contains("a key must be text"));
        assert_eq!(parse("a: 1\na: 2").unwrap_err().offset, Some(5));
    }

    #[test]
    fn neither_depth_nor_aliases_bring_it_down() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","));
        }
        assert!(parse(&bomb).is_err());
        let many = format!("a: &a {{k: 1}}\nb:\n{}", "- *a\n".repeat(2000));
        assert!(parse(&many).is_ok(), "{:?}", parse(&many).err());
    }

    #[test]
    fn any_text_survives() {
        let texts = [
            "",
            "yes",
            "no",
            "y",
            "~",
            "null",
            "1",
            "1.0",
            "1e3",
            "0x1F",
            ".inf",
            "- a",
            "a: b",
            "#x",
            "a #b",
            "a\nb\n",
            "a\n\n\nb\n\n",
            " lead",
            "trail ",
            "\ttab",
            "@x",
            "*x",
            "&x",
            "!x",
            "%x",
            "\u{7}",
            "\u{2028}",
            "x\r\ny",
            "2024-01-01",
            "12:30",
            "<<",
            "=",
            "---",
            "\n",
            "  a\nb",
            "'",
            "\"",
            "\u{feff}x",
            "a\u{85}b",
        ];
        for text in texts.map(String::from).into_iter().chain(["word ".repeat(60)]) {
            for value in [Value::Text(text.clone()), Value::Map(vec![(text.clone(), Value::Text(text.clone()))])] {
                let written = write(&value).unwrap();
                assert_eq!(parse(&written), Ok(value), "{written}");
            }
        }
    }

    #[test]
    fn documents_are_separate() {
        assert_eq!(parse_all("a\n---\nb\n...\n").unwrap(), [Value::Text("a".into()), Value::Text("b".into())]);
        assert_eq!(parse_all("").unwrap(), []);
        assert!(parse("a\n---\nb").unwrap_err().help.is_some());
        assert!(write_all(&[Value::Null]).is_err());
        let values = [Value::Integer(1), Value::Map(vec![("a".into(), Value::Array(Vec::new()))])];
        assert_eq!(parse_all(&write_all(&values).unwrap()).unwrap(), values);
    }
}
