//! Rust source reduced to what the repository's own rules are about.

/// The source with comments, strings and character literals blanked out, same lengths, same lines.
pub fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, is_code) = piece(rest, first);
        let (text, after) = rest.split_at(length);
        match is_code {
            true => code += text,
            false => blank(text, &mut code),
        }
        rest = after;
    }
    code
}

fn blank(text: &str, code: &mut String) {
    // One blank for each byte, so that positions stay what they were.
    code.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

/// How long the next piece is, and whether it is code.
fn piece(rest: &str, first: char) -> (usize, bool) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if first == '"' {
        return (string(rest), false);
    }
    if first == '\'' {
        return character(rest).map_or((1, true), |length| (length, false));
    }
    if first.is_alphanumeric() || first == '_' {
        let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_');
        let length = end.unwrap_or(rest.len());
        let raw = ["r", "br", "cr"].contains(&&rest[..length]);
        if let Some(string) = raw.then(|| raw_string(&rest[length..])).flatten() {
            return (length + string, false);
        }
        return (length, true);
    }
    (first.len_utf8(), true)
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let tail = &rest.as_bytes()[at..];
        match tail {
            [] => return rest.len(),
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(rest.len(), |end| end + 2)
}

/// None for `r#name`, which is no string.
fn raw_string(after_prefix: &str) -> Option<usize> {
    let hashes = after_prefix.bytes().take_while(|byte| *byte == b'#').count();
    let inner = after_prefix[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inner.find(&close).map_or(inner.len(), |end| end + close.len());
    Some(hashes + 1 + end)
}

/// None for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    let first = inner.chars().next()?;
    if first == '\\' {
        // The escaped character itself may be a quote.
        let end = inner.char_indices().skip(2).find(|(_, char)| *char == '\'');
        return end.map(|(end, _)| end + 2);
    }
    inner[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

/// Code (from [`code_only`]) with everything under `#[cfg(test)]` blanked out.
pub fn without_tests(code: &str) -> String {
    if code.contains("#![cfg(test)]") {
        return String::new();
    }
    let mut result = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(") {
        let (before, attribute) = rest.split_at(start);
        result += before;
        let end = attribute.find(']').map_or(attribute.len(), |end| end + 1);
        let mut length = end;
        match is_for_tests(&attribute[..end]) {
            true => {
                length += item_length(&attribute[end..]);
                blank(&attribute[..length], &mut result);
            }
            false => result += &attribute[..end],
        }
        rest = &attribute[length..];
    }
    result + rest
}

fn is_for_tests(attribute: &str) -> bool {
    let mut words = attribute.split(|char: char| !char.is_alphanumeric() && char != '_');
    words.any(|word| word == "test") && !attribute.contains("not(test")
}

/// Up to the end of an item: its closing brace, or a semicolon outside of all brackets.
fn item_length(rest: &str) -> usize {
    let mut depth = 0_i32;
    for (at, char) in rest.char_indices() {
        match char {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => (),
        }
        let ends = depth < 0 || (depth == 0 && ['}', ';'].contains(&char));
        if ends {
            return at + char.len_utf8();
        }
    }
    rest.len()
}

/// All `.rs` files below a directory: path below it with `/`, and contents.
pub fn rust_files(dir: &std::path::Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(dir, "", &mut files);
    files.sort();
    files
}

fn collect(dir: &std::path::Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path);
            files.push((name, text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))));
        }
    }
}
