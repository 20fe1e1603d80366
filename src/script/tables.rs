//! Tables of scripts as CSV: an array of maps with the names of the columns, or an array of arrays.

use rhai::{Array, Dynamic, ImmutableString as Text, Map};

use crate::data::csv::{self, Dialect};
use crate::data::value::Value;

use super::api::NotRead;
use super::convert;
use super::options::Options;
use super::values;

pub(crate) const READING: &[&str] = &["header", "delimiter", "quote", "comment", "trim", "flexible"];
pub(crate) const WRITING: &[&str] = &["header", "delimiter", "quote", "columns"];

fn dialect(options: &Options) -> Result<Dialect, String> {
    let usual = Dialect::default();
    let flag = |name: &str, usual: bool| Ok::<_, String>(options.value(name, "true or false")?.unwrap_or(usual));
    Ok(Dialect {
        header: flag("header", usual.header)?,
        delimiter: sign(options, "delimiter")?.unwrap_or(usual.delimiter),
        quote: sign(options, "quote")?.unwrap_or(usual.quote),
        comment: sign(options, "comment")?,
        trim: flag("trim", usual.trim)?,
        flexible: flag("flexible", usual.flexible)?,
    })
}

/// One ASCII character, as text or as a character.
fn sign(options: &Options, name: &str) -> Result<Option<u8>, String> {
    let Some(value) = options.map.get(name) else { return Ok(None) };
    let text = if value.is_string() || value.is_char() { value.to_string() } else { String::new() };
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !b"\r\n".contains(byte) => Ok(Some(*byte)),
        _ => Err(format!("the option `{name}` is one ASCII character, such as \";\"")),
    }
}

pub(crate) fn read(text: &str, options: &Options) -> Result<Dynamic, NotRead> {
    let dialect = dialect(options)?;
    let csv::Records { header, rows } = csv::parse(text, &dialect)?;
    let row = |fields: Vec<String>| -> Dynamic {
        let fields = fields.into_iter().map(Dynamic::from);
        match dialect.header {
            true => header.iter().map(|name| name.as_str().into()).zip(fields).collect::<Map>().into(),
            false => fields.collect::<Array>().into(),
        }
    };
    Ok(rows.into_iter().map(row).collect::<Array>().into())
}

pub(crate) fn write(value: &Dynamic, options: &Options) -> Result<(String, bool), String> {
    let dialect = dialect(options)?;
    let columns = columns(options)?;
    let Some(rows) = value.read_lock::<Array>() else {
        return Err(format!("the value must be an array of rows, but is {}", convert::kind_of(value)));
    };
    let mut has_secret = false;
    let mut field = |row: usize, column: &str, value: &Dynamic| -> Result<String, String> {
        let place = || format!("{column} of row {}", row + 1);
        let (value, is_secret) = values::from_script(value).map_err(|problem| format!("{}: {problem}", place()))?;
        has_secret |= is_secret;
        field_text(&value).ok_or_else(|| format!("{} must be one value, not an array or a map", place()))
    };
    let mut records = Vec::with_capacity(rows.len() + 1);
    if rows.iter().all(|row| row.is_map()) && !(rows.is_empty() && columns.is_none()) {
        let columns = match columns {
            Some(columns) => columns,
            None => all_columns(&rows),
        };
        for name in &columns {
            let is_there = |row: &Dynamic| row.read_lock::<Map>().is_some_and(|row| row.contains_key(name.as_str()));
            if !rows.is_empty() && !rows.iter().any(is_there) {
                return Err(format!("no row has the column `{name}`"));
            }
        }
        if dialect.header {
            records.push(columns.clone());
        }
        for (index, row) in rows.iter().enumerate() {
            let Some(row) = row.read_lock::<Map>() else { continue };
            let fields = columns.iter().map(|name| match row.get(name.as_str()) {
                Some(value) => field(index, &format!("`{name}`"), value),
                None => Ok(String::new()),
            });
            records.push(fields.collect::<Result<_, _>>()?);
        }
    } else {
        let has_columns = columns.is_some();
        records.extend(columns);
        for (index, row) in rows.iter().enumerate() {
            let Some(fields) = row.read_lock::<Array>() else {
                let kind = convert::kind_of(row);
                return Err(format!("row {} must be a map or an array, as the others, but is {kind}", index + 1));
            };
            let fields = fields.iter().enumerate();
            let fields = fields.map(|(column, value)| field(index, &format!("field {}", column + 1), value));
            let fields: Vec<String> = fields.collect::<Result<_, _>>()?;
            if has_columns && fields.len() != records[0].len() {
                let (length, wanted) = (fields.len(), records[0].len());
                return Err(format!("row {} has the length {length}, and the columns have {wanted}", index + 1));
            }
            records.push(fields);
        }
    }
    Ok((csv::write(&records, &dialect)?, has_secret))
}

fn columns(options: &Options) -> Result<Option<Vec<String>>, String> {
    let Some(names) = options.value::<Array>("columns", "an array of names")? else { return Ok(None) };
    let name = |name: &Dynamic| {
        let text = name.read_lock::<Text>().map(|text| text.to_string());
        text.ok_or_else(|| format!("the option `columns` is an array of names, not of {}", convert::kind_of(name)))
    };
    names.iter().map(name).collect::<Result<_, _>>().map(Some)
}

/// All keys of all rows, in their order, which is that of the alphabet.
fn all_columns(rows: &Array) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    for row in rows {
        if let Some(row) = row.read_lock::<Map>() {
            names.extend(row.keys().map(ToString::to_string));
        }
    }
    names.into_iter().collect()
}

fn field_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => Dynamic::from_float(*float).to_string(),
        Value::Text(text) => text.clone(),
        Value::Time(moment) => moment.to_string(),
        Value::Local(local) => local.to_string(),
        Value::Array(_) | Value::Map(_) => return None,
    })
}
