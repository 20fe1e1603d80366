//! CSV and its relatives: records of texts.

use csv::{ReaderBuilder, Terminator, Trim, WriterBuilder};

use super::problem::Problem;

/// How the text is made.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    /// Whether the first record has the names of the columns.
    pub header: bool,
    pub delimiter: u8,
    pub quote: u8,
    /// Lines that begin with it do not count.
    pub comment: Option<u8>,
    /// Whether white space around a field is no part of it.
    pub trim: bool,
    /// Whether records may have different numbers of fields.
    pub flexible: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { header: true, delimiter: b',', quote: b'"', comment: None, trim: false, flexible: false }
    }
}

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Records {
    /// The names of the columns, when there is a header.
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The records of a text, in which every field is text.
pub(crate) fn parse(text: &str, dialect: &Dialect) -> Result<Records, Problem> {
    if let Some(start) = unclosed_quote(text, dialect) {
        return Err(Problem::at("this quoted field has no end", start));
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .comment(dialect.comment)
        .trim(if dialect.trim { Trim::All } else { Trim::None })
        // Checked below, with names for what is missing.
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = Records { header: Vec::new(), rows: Vec::new() };
    let mut is_first = true;
    let mut width = None;
    for record in reader.records() {
        let record = record.map_err(|error| Problem::new(error.to_string()))?;
        let start = record.position().map_or(0, |position| position.byte() as usize);
        // The position is where the record before has ended: its line ending may be in between.
        let start = start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
        let fields: Vec<String> = record.iter().map(str::to_string).collect();
        let expected = *width.get_or_insert(fields.len());
        if is_first && dialect.header {
            check_header(&fields).map_err(|reason| Problem::at(reason, start))?;
            records.header = fields;
        } else {
            let is_too_long = dialect.header && fields.len() > expected;
            if fields.len() != expected && (!dialect.flexible || is_too_long) {
                let reason = format!("this record has {}, and the first one {expected}", count(fields.len()));
                let help =
                    "records of different lengths are read with #{flexible: true}, without a header of any length";
                return Err(Problem::at(reason, start).with_help(help));
            }
            records.rows.push(fields);
        }
        is_first = false;
    }
    Ok(records)
}

fn count(fields: usize) -> String {
    format!("{fields} field{}", if fields == 1 { "" } else { "s" })
}

fn check_header(names: &[String]) -> Result<(), String> {
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(format!("two columns are called `{name}`"));
        }
    }
    Ok(())
}

/// Where a quoted field begins that never ends: the library takes the rest of the text for its contents, so that a
/// text that was cut off would look complete.
fn unclosed_quote(text: &str, dialect: &Dialect) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = 0;
    let (mut is_start_of_field, mut is_start_of_line) = (true, true);
    while index < bytes.len() {
        let byte = bytes[index];
        if is_start_of_line && dialect.comment == Some(byte) {
            index += bytes[index..].iter().position(|byte| *byte == b'\n')?;
        } else if is_start_of_field && byte == dialect.quote {
            let start = index;
            index += 1;
            loop {
                index += bytes[index..].iter().position(|byte| *byte == dialect.quote).map_or(bytes.len(), |at| at + 1);
                if index > bytes.len() {
                    return Some(start);
                }
                // Two quotes are one.
                if bytes.get(index) != Some(&dialect.quote) {
                    break;
                }
                index += 1;
            }
            (is_start_of_field, is_start_of_line) = (false, false);
            continue;
        }
        let byte = bytes[index];
        is_start_of_line = byte == b'\n' || byte == b'\r';
        is_start_of_field = is_start_of_line || byte == dialect.delimiter;
        index += 1;
    }
    None
}

/// Records as text.
pub(crate) fn write(rows: &[Vec<String>], dialect: &Dialect) -> Result<String, String> {
    let mut writer = WriterBuilder::new()
        .has_headers(false)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .terminator(Terminator::Any(b'\n'))
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        parse(text, &Dialect { header: false, ..Dialect::default() }).unwrap().rows
    }

    fn problem(text: &str) -> (String, usize) {
        let problem = parse(text, &Dialect::default()).unwrap_err();
        (problem.reason, problem.offset.unwrap())
    }

    #[test]
    fn quotes_commas_and_line_endings() {
        assert_eq!(rows("a,\"b,\"\"c\"\"\nd\"\r\ne,f"), [["a", "b,\"c\"\nd"], ["e", "f"]]);
        assert_eq!(rows(""), Vec::<Vec<String>>::new());
        assert_eq!(rows("a,\n,b\n"), [["a", ""], ["", "b"]]);
        assert_eq!(rows("a\"b,c\n"), [["a\"b", "c"]]);
    }

    #[test]
    fn what_is_broken_is_not_read() {
        assert_eq!(problem("a,b\n1,2\n3\n"), ("this record has 1 field, and the first one 2".into(), 8));
        assert_eq!(problem("a,a\n"), ("two columns are called `a`".into(), 0));
        assert_eq!(problem("a,b\n1,\"2\n3,4\n"), ("this quoted field has no end".into(), 6));
        assert_eq!(problem("a\n\"x\"\"\n"), ("this quoted field has no end".into(), 2));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let texts = ["", "a", "a,b", "\"", "a\nb", " x ", "ä;b", "\r", "'"];
        let rows: Vec<Vec<String>> =
            texts.iter().map(|first| texts.iter().map(|_| first.to_string()).collect()).collect();
        for delimiter in [b',', b';', b'\t'] {
            let dialect = Dialect { header: false, delimiter, ..Dialect::default() };
            assert_eq!(parse(&write(&rows, &dialect).unwrap(), &dialect).unwrap().rows, rows);
        }
        assert_eq!(write(&[vec![String::new()]], &Dialect::default()).unwrap(), "\"\"\n");
    }

    #[test]
    fn comments_and_blanks() {
        let dialect = Dialect { comment: Some(b'#'), trim: true, ..Dialect::default() };
        let records = parse("# \"it\na , b\n# more\n 1, 2 \n", &dialect).unwrap();
        assert_eq!((records.header, records.rows), (vec!["a".into(), "b".into()], vec![vec!["1".into(), "2".into()]]));
    }
}
