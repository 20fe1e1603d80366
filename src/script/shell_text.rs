//! The text of `` sh$`…` ``: a script for `/bin/sh`, in which each `${…}` is one quoted word.
//!
//! The text is the shell's: quotes, `$name`, `;`, `*` mean what they mean there, and only two things are written in
//! another way: `` \` `` is a backquote, and `\${` is a `${` of the shell's own. What is looked at is where the slots
//! are: a value is quoted for the shell, which inside quotes of the author's would end them.

use super::template_text::TemplateError;

/// What is open where a piece of the text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Single,
    Double,
    /// `(` or `$(`, in which quotes begin anew.
    Paren,
    Comment,
    /// `` ` ``, in which backslashes are read once more.
    Backquote,
    /// `${` of the shell's own.
    Parameter,
    /// `$((`, whose value is read as an expression.
    Arithmetic,
}

impl Open {
    /// Where a value would not be one word, whatever is open inside.
    fn refuses(self) -> Option<&'static str> {
        match self {
            Self::Backquote => Some("backquotes"),
            Self::Parameter => Some("a ${…} of the shell"),
            Self::Arithmetic => Some("$((…))"),
            Self::Single | Self::Double | Self::Paren | Self::Comment => None,
        }
    }
}

/// Reads the literal text, given as its pieces, and gives them as the shell gets them.
///
/// # Errors
///
/// A slot where its value would not be one word (inside quotes, backquotes, `${…}` and `$((…))` of the shell, in a
/// comment, behind a here-document or a `$'…'`), and a quote that is never closed.
pub(super) fn parse(pieces: &[&str]) -> Result<Vec<String>, TemplateError> {
    let mut open: Vec<(Open, usize, usize)> = Vec::new();
    let mut read = Vec::with_capacity(pieces.len());
    // Whether a `#` would begin a comment.
    let mut at_word_start = true;
    // What this reader does not follow to its end.
    let mut unread: Option<&str> = None;
    for (index, piece) in pieces.iter().enumerate() {
        let mut text = String::with_capacity(piece.len());
        let mut rest = piece.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let inside = open.last().map(|(open, ..)| *open);
            let next = rest.peek().map(|(_, next)| *next);
            let was_word_start = std::mem::replace(&mut at_word_start, c.is_whitespace() || "(;&|".contains(c));
            match (c, inside) {
                ('\\', _) if next == Some('`') => {
                    rest.next();
                    text.push('`');
                    match inside {
                        Some(Open::Single | Open::Comment) => {}
                        _ => match open.iter().rposition(|(open, ..)| *open == Open::Backquote) {
                            Some(first) => open.truncate(first),
                            None => open.push((Open::Backquote, index, at)),
                        },
                    }
                    continue;
                }
                ('\\', _) if piece[at..].starts_with("\\${") => {
                    rest.next();
                    rest.next();
                    text.push_str("${");
                    if !matches!(inside, Some(Open::Single | Open::Comment)) {
                        open.push((Open::Parameter, index, at));
                    }
                    continue;
                }
                ('\n', Some(Open::Comment)) | ('\'', Some(Open::Single)) | ('"', Some(Open::Double)) => _ = open.pop(),
                (_, Some(Open::Single | Open::Comment)) => {}
                ('\\', _) => {
                    text.push(c);
                    rest.next();
                    text.extend(next);
                    continue;
                }
                ('}', Some(Open::Parameter)) => _ = open.pop(),
                ('"', _) => open.push((Open::Double, index, at)),
                ('$', _) if next == Some('(') => {
                    text.push(c);
                    rest.next();
                    text.push('(');
                    let is_arithmetic = piece[at..].starts_with("$((");
                    open.push((if is_arithmetic { Open::Arithmetic } else { Open::Paren }, index, at));
                    at_word_start = true;
                    continue;
                }
                (_, Some(Open::Double)) => {}
                ('$', _) if next == Some('\'') => unread = Some("behind a $'…'"),
                ('<', _) if piece[at..].starts_with("<<<") => {
                    text.push_str("<<<");
                    rest.next();
                    rest.next();
                    continue;
                }
                ('<', _) if next == Some('<') => unread = Some("in or behind a here-document"),
                ('\'', _) => open.push((Open::Single, index, at)),
                ('(', _) => open.push((Open::Paren, index, at)),
                (')', Some(Open::Paren | Open::Arithmetic)) => _ = open.pop(),
                ('#', _) if was_word_start => open.push((Open::Comment, index, at)),
                _ => {}
            }
            text.push(c);
        }
        read.push(text);
        if index + 1 == pieces.len() {
            continue;
        }
        at_word_start = false;
        let problem = |what: &str, help: &str| {
            Err(TemplateError {
                piece: index,
                offset: piece.len(),
                length: 0,
                message: format!("a value {what} of a shell template"),
                help: Some(help.to_string()),
            })
        };
        if let Some(place) = unread {
            return problem(
                place,
                "pass the value in a variable, .env(\"NAME\", value), or on standard input, .stdin(value)",
            );
        }
        if let Some(what) = open.iter().find_map(|(open, ..)| open.refuses()) {
            return problem(
                &format!("inside {what}"),
                "pass the value in a variable, .env(\"NAME\", value), or use $(…)",
            );
        }
        match open.last().map(|(open, ..)| *open) {
            Some(Open::Single | Open::Double) => {
                return problem("inside quotes", "leave the quotes out: ${…} is quoted for the shell, as one word");
            }
            Some(Open::Comment) => return problem("in a comment", "write comments outside the template"),
            _ => {}
        }
    }
    let quote = open.iter().find(|(open, ..)| matches!(open, Open::Single | Open::Double));
    match quote.filter(|_| unread.is_none()) {
        Some((_, piece, offset)) => Err(TemplateError {
            piece: *piece,
            offset: *offset,
            length: 1,
            message: "this quote of a shell template is never closed".to_string(),
            help: None,
        }),
        None => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn text_is_the_shells() {
        let read = |text: &str| parse(&[text]).map(|pieces| pieces.concat());
        for text in
            ["a && b; c *.x $x | d > \"f\" 2>&1", "echo 'it''s' \"$(echo \"x\")\" \\' # don't", "case x in (a) ;; esac"]
        {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("echo \\`date\\` \\${HOME} \\\\").as_deref(), Ok("echo `date` ${HOME} \\\\"));
        for text in ["cat <<EOF\nit's \nEOF", "cat <<< x", "echo $((1 + (2)))", "echo $'x'"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn values_are_refused_where_they_would_be_code() {
        let message = |pieces: &[&str]| parse(pieces).err().map(|error| error.message).unwrap_or_default();
        for pieces in [
            ["cat <<EOF\n", "\nEOF"],
            ["cat <<-'EOF'\nx\nEOF\necho ", ""],
            ["echo \"\\`echo \"", "\"\\`\""],
            ["echo \\`echo ", "\\`"],
            ["echo \"\\${x:-\"", "\"}\""],
            ["echo \\${x:-", "}"],
            ["echo $((1 + ", "))"],
            ["echo \"$((1 + ", "))\""],
            ["echo $((1 + $(cat ", ")))"],
            ["echo $'it\\'s ", "'"],
        ] {
            assert!(message(&pieces).starts_with("a value "), "{pieces:?}");
        }
        // Behind them is well.
        for pieces in [
            ["echo \\`date\\` ", ""],
            ["echo \\${HOME} ", ""],
            ["echo $((1 + 2)) ", ""],
            ["cat <<< ", ""],
            ["echo \"$(cat ", ")\""],
            ["case x in a) echo ", ";; esac"],
        ] {
            assert_eq!(message(&pieces), "", "{pieces:?}");
        }
    }

    #[test]
    fn values_stand_where_quoting_is_ours() {
        let refused = |pieces: &[&str]| parse(pieces).err().map(|error| (error.piece, error.offset, error.message));
        let quotes = "a value inside quotes of a shell template".to_string();
        assert_eq!(refused(&["echo ", ""]), None);
        assert_eq!(refused(&["echo a", "b 'x' ", " \"y\"", ""]), None);
        assert_eq!(refused(&["echo \"$(cat ", ")\""]), None);
        assert_eq!(refused(&["echo \"", "\""]), Some((0, 6, quotes.clone())));
        assert_eq!(refused(&["echo ", " '", "'"]), Some((1, 2, quotes.clone())));
        assert_eq!(refused(&["echo \\\"", ""]), None);
        assert_eq!(refused(&["# don't\necho ", ""]), None);
        assert!(refused(&["echo x # ", ""]).is_some_and(|(_, _, message)| message.contains("comment")));
        assert!(refused(&["echo 'x"]).is_some_and(|(_, at, message)| at == 5 && message.contains("never closed")));
    }
}
