//! `.env` files: `NAME=value`, one to a line.
//!
//! There is no standard; this is what sh, Docker Compose and the libraries of other languages agree on. Where they do
//! not (what `$` means), what could be taken in two ways is refused.

use super::problem::Problem;

/// The variables of a text, in its order; a later one replaces an earlier one of that name. `outside` is asked for
/// the variables that the text uses and does not set.
pub(crate) fn parse(text: &str, outside: impl Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, Problem> {
    let mut parser = Parser { text, at: 0, variables: Vec::new(), outside: &outside };
    while parser.at < text.len() {
        parser.line()?;
    }
    Ok(parser.variables)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    variables: Vec<(String, String)>,
    outside: &'t dyn Fn(&str) -> Option<String>,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_blanks(&mut self) {
        self.take_while(|char| char == ' ' || char == '\t');
    }

    fn skip_line(&mut self) {
        self.take_while(|char| char != '\n');
        self.at += usize::from(self.peek().is_some());
    }

    fn line(&mut self) -> Result<(), Problem> {
        self.take_while(char::is_whitespace);
        match self.peek() {
            None => return Ok(()),
            Some('#') => {
                self.skip_line();
                return Ok(());
            }
            Some(_) => {}
        }
        let mut start = self.at;
        let mut name = self.name();
        if name == "export" && matches!(self.peek(), Some(' ' | '\t')) {
            self.skip_blanks();
            start = self.at;
            name = self.name();
        }
        if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
            return Err(Problem::at("a line is NAME=value, and a name has letters, digits and `_`", start));
        }
        // As YAML-like files of the field have it: `NAME: value` is none of ours.
        self.skip_blanks();
        if self.peek() != Some('=') {
            return Err(Problem::at(format!("there is no `=` after `{name}`"), self.at));
        }
        self.at += 1;
        self.skip_blanks();
        let value = self.value()?;
        self.variables.retain(|(earlier, _)| earlier != name);
        self.variables.push((name.to_string(), value));
        Ok(())
    }

    /// Dots and dashes occur in the files of other programs, and the environment takes them.
    fn name(&mut self) -> &'t str {
        self.take_while(|char| char.is_ascii_alphanumeric() || "_.-".contains(char))
    }

    fn value(&mut self) -> Result<String, Problem> {
        let mut value = String::new();
        match self.peek() {
            Some('\'') => self.single_quoted(&mut value)?,
            Some('"') => self.double_quoted(&mut value)?,
            _ => return self.unquoted(),
        }
        self.skip_blanks();
        match self.peek() {
            None | Some('\n' | '\r') => {}
            Some('#') => {}
            Some(_) => return Err(Problem::at("there is something after the closing quote", self.at)),
        }
        self.skip_line();
        Ok(value)
    }

    fn single_quoted(&mut self, value: &mut String) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        let Some(end) = self.rest().find('\'') else { return Err(Problem::at("this quote has no end", start)) };
        value.push_str(&self.rest()[..end]);
        self.at += end + 1;
        Ok(())
    }

    fn double_quoted(&mut self, value: &mut String) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        loop {
            let Some(char) = self.peek() else { return Err(Problem::at("this quote has no end", start)) };
            match char {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.escape(value),
                '$' => self.reference(value)?,
                char => {
                    value.push(char);
                    self.at += char.len_utf8();
                }
            }
        }
    }

    /// What is no escape keeps its backslash, as in sh.
    fn escape(&mut self, value: &mut String) {
        self.at += 1;
        let Some(char) = self.peek() else { return value.push('\\') };
        self.at += char.len_utf8();
        match char {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            '"' | '\\' | '$' | '`' => value.push(char),
            // The line goes on.
            '\n' => {}
            other => value.extend(['\\', other]),
        }
    }

    /// To the end of the line, or to a `#` with white space in front of it.
    fn unquoted(&mut self) -> Result<String, Problem> {
        let mut value = String::new();
        let mut is_after_blank = true;
        while let Some(char) = self.peek() {
            match char {
                '\n' => break,
                '#' if is_after_blank => break,
                '$' => self.reference(&mut value)?,
                char => {
                    value.push(char);
                    self.at += char.len_utf8();
                }
            }
            is_after_blank = char.is_whitespace();
        }
        self.skip_line();
        value.truncate(value.trim_end().len());
        Ok(value)
    }

    /// `$NAME`, `${NAME}` and `${NAME:-otherwise}`; any other `$` is one.
    fn reference(&mut self, value: &mut String) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        let is_braced = self.peek() == Some('{');
        self.at += usize::from(is_braced);
        let name = self.take_while(|char| char.is_ascii_alphanumeric() || char == '_');
        if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
            if is_braced || self.peek() == Some('(') {
                return Err(Problem::at("only variables can stand here: ${NAME}", start).with_help(LITERAL));
            }
            value.push_str(&self.text[start..self.at]);
            return Ok(());
        }
        let mut otherwise = None;
        if is_braced {
            if self.rest().starts_with(":-") {
                self.at += 2;
                otherwise = Some(self.take_while(|char| char != '}' && char != '\n'));
            }
            if self.peek() != Some('}') {
                return Err(Problem::at("this `${` has no `}`", start).with_help(LITERAL));
            }
            self.at += 1;
        }
        let own = self.variables.iter().find(|(earlier, _)| earlier == name).map(|(_, value)| value.clone());
        let known = own.or_else(|| (self.outside)(name));
        let known = match otherwise {
            Some(otherwise) => known.filter(|value| !value.is_empty()).or_else(|| Some(otherwise.to_string())),
            None => known,
        };
        match known {
            Some(known) => value.push_str(&known),
            None => {
                let reason = format!("the variable `{name}` is set neither above nor in the environment");
                return Err(Problem::at(reason, start).with_help(LITERAL));
            }
        }
        Ok(())
    }
}

const LITERAL: &str = "where the sign $ itself is meant, put the value into single quotes";

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(String, String)> {
        parse(text, |name| (name == "HOME").then(|| "/home/me".to_string())).unwrap()
    }

    fn value(text: &str) -> String {
        all(&format!("X={text}")).pop().unwrap().1
    }

    fn problem(text: &str) -> (String, usize) {
        let problem = parse(text, |_| None).unwrap_err();
        (problem.reason, problem.offset.unwrap())
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("", ""),
            ("a b", "a b"),
            ("  a  ", "a"),
            ("a # b", "a"),
            ("a#b", "a#b"),
            (" # b", ""),
            ("'a # $X \\n'", "a # $X \\n"),
            ("\"a\\n\\\"b\\\" \\$x \\d\"  # c", "a\n\"b\" $x \\d"),
            ("'two\nlines'", "two\nlines"),
            ("\"two\nlines\"", "two\nlines"),
            ("\"one \\\nline\"", "one line"),
            ("a\r", "a"),
            ("\"a\"\r", "a"),
            ("${HOME}/x", "/home/me/x"),
            ("$HOME", "/home/me"),
            ("\"$HOME:$\"", "/home/me:$"),
            ("${NONE:-no one}", "no one"),
            ("5$ and $1", "5$ and $1"),
            ("a=b=c", "a=b=c"),
            ("it's", "it's"),
            ("C:\\dir", "C:\\dir"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn lines() {
        let text = "\u{20}# first\n\nexport A=1\n  B = 2\nA=3\nC=${A}${B}\nexport=4\na.b-c=5";
        let pair = |(name, value): &(String, String)| format!("{name}:{value}");
        let found: Vec<String> = all(text).iter().map(pair).collect();
        assert_eq!(found, ["B:2", "A:3", "C:32", "export:4", "a.b-c:5"]);
        assert!(all("").is_empty() && all("# only\n").is_empty());
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        assert_eq!(problem("A=1\nB\n"), ("there is no `=` after `B`".into(), 5));
        assert_eq!(problem("A: 1").0, "there is no `=` after `A`");
        assert_eq!(problem("A='x\n\ny").1, 2);
        assert_eq!(problem("A=\"x\" y"), ("there is something after the closing quote".into(), 6));
        assert_eq!(problem("=1").1, 0);
        assert_eq!(problem("A=1\nB=a$b"), ("the variable `b` is set neither above nor in the environment".into(), 7));
        assert!(problem("A=$(whoami)").0.contains("only variables"));
        assert!(problem("A=${x").0.contains("no `}`"));
    }
}
