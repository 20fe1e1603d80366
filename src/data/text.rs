//! What is done with text every day.

/// Without the white space that all lines begin with. Lines of white space only do not count, and become empty; a
/// line break at the very beginning, and white space behind the last one, are those of the quotes around the text.
pub(crate) fn dedent(text: &str) -> String {
    let text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
    let lines: Vec<&str> = text.split('\n').collect();
    let margin = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indentation(line));
    // Tabs and spaces are different: only what is common is taken away.
    let margin = margin.reduce(|one, other| {
        let common = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        &one[..common]
    });
    let margin = margin.unwrap_or_default();
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| match line.trim().is_empty() {
            true => {
                if line.ends_with('\r') {
                    "\r"
                } else {
                    ""
                }
            }
            false => &line[margin.len()..],
        })
        .collect();
    lines.join("\n")
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// With a prefix in front of each line that is not empty.
pub(crate) fn indent(text: &str, prefix: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { line.to_string() } else { format!("{prefix}{line}") };
    text.split_inclusive('\n').map(line).collect()
}

/// Without the sequences that colour a terminal, move its cursor, set its title and so on (ECMA-48).
pub(crate) fn strip_ansi(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\u{1b}', '\u{9b}']) {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        rest = &rest[sequence_length(rest)..];
    }
    plain.push_str(rest);
    plain
}

/// How long the sequence is that a text begins with; one without an end goes on to the end of its line.
fn sequence_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    let line_end = text.find('\n').unwrap_or(text.len());
    let kind = match text.starts_with('\u{9b}') {
        true => Some('['),
        false => chars.next().map(|(_, char)| char),
    };
    let after = |(index, char): (usize, char)| index + char.len_utf8();
    match kind {
        // Parameters, and one letter or sign.
        Some('[') => chars
            .find(|(_, char)| ('\u{40}'..='\u{7e}').contains(char) || *char == '\n')
            .map_or(text.len(), |end| if end.1 == '\n' { end.0 } else { after(end) }),
        // A text that BEL or `ESC \` ends.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let bell = text.find('\u{7}').map(|index| index + 1);
            let terminator = text[1..].find("\u{1b}\\").map(|index| index + 3);
            bell.into_iter().chain(terminator).min().filter(|end| *end <= line_end + 1).unwrap_or(line_end)
        }
        // Which set of characters holds: one more.
        Some(' '..='/') => chars.next().map_or(text.len(), after),
        Some('\n') | None => 1,
        Some(char) => 1 + char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_margin_goes() {
        assert_eq!(dedent("\n    a\n      b\n\n    c\n    "), "a\n  b\n\nc\n");
        assert_eq!(dedent("a\n  b"), "a\n  b");
        assert_eq!(dedent("\ta\n  b"), "\ta\n  b");
        assert_eq!(dedent("  a\r\n   \r\n  b\r\n"), "a\r\n\r\nb\r\n");
        assert_eq!(dedent(""), "");
        assert_eq!(dedent("\u{a0}a\n\u{a0}b"), "\u{a0}a\n\u{a0}b");
    }

    #[test]
    fn empty_lines_get_no_margin() {
        assert_eq!(indent("a\n\n  b\n", "  "), "  a\n\n    b\n");
        assert_eq!(indent("", "  "), "");
        assert_eq!(indent("a", "> "), "> a");
    }

    #[test]
    fn sequences_go_and_text_stays() {
        for (text, plain) in [
            ("\x1b[1;31merror\x1b[0m: x", "error: x"),
            ("\x1b[38;2;1;2;3mä\x1b[K", "ä"),
            ("\u{9b}31mred", "red"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b(Bx\x1b=y", "xy"),
            ("a\x1b", "a"),
            ("a\x1b[", "a"),
            ("a\x1b[31\nb", "a\nb"),
            ("a\x1b]0;no end\nb", "a\nb"),
            ("no sequence", "no sequence"),
        ] {
            assert_eq!(strip_ansi(text), plain, "{text:?}");
        }
    }
}
