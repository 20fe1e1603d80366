//! Finds the paths into our own crate that a source names.

/// A name, `::`, or a single other character.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
}

pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let is_name = |char: char| char.is_alphanumeric() || char == '_';
        let length = match first {
            first if is_name(first) => rest.find(|char| !is_name(char)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            first => first.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        line += usize::from(first == '\n');
        if !first.is_whitespace() {
            found.push(Token { text, line });
        }
        rest = after;
    }
    found
}

/// Every path that begins with `crate`, `self` or `super`, with its line, seen from the root.
/// Imports in braces are taken apart; an import of the root itself is an empty path.
pub fn named_paths(tokens: &[Token], module: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut inner = Inner::new(module);
    for (index, token) in tokens.iter().enumerate() {
        inner.step(tokens, index);
        let begins = ["crate", "self", "super"].contains(&token.text) && text(tokens, index + 1) == "::";
        let goes_on = index > 0 && text(tokens, index - 1) == "::";
        if begins && !goes_on {
            let mut next = index;
            tree(tokens, &mut next, inner.module.clone(), &mut found);
        }
    }
    found
}

fn text<'a>(tokens: &[Token<'a>], index: usize) -> &'a str {
    tokens.get(index).map_or("", |token| token.text)
}

/// Reads one path or one group of paths.
fn tree(tokens: &[Token], next: &mut usize, mut path: Vec<String>, found: &mut Vec<(usize, Vec<String>)>) {
    loop {
        let Some(token) = tokens.get(*next) else {
            return;
        };
        match token.text {
            "{" => return group(tokens, next, &path, found),
            "crate" => path.clear(),
            "super" => _ = path.pop(),
            "self" | "*" => (),
            name if name.starts_with(|char: char| char.is_alphabetic() || char == '_') => path.push(name.into()),
            // As in `crate::f::<T>()`: the type is no part of the path.
            _ => return found.push((token.line, path)),
        }
        *next += 1;
        if text(tokens, *next) != "::" {
            return found.push((token.line, path));
        }
        *next += 1;
    }
}

fn group(tokens: &[Token], next: &mut usize, path: &[String], found: &mut Vec<(usize, Vec<String>)>) {
    *next += 1;
    while *next < tokens.len() && text(tokens, *next) != "}" {
        tree(tokens, next, path.to_vec(), found);
        // Over ` as name` and the comma.
        while !["", "}", ","].contains(&text(tokens, *next)) {
            *next += 1;
        }
        *next += usize::from(text(tokens, *next) == ",");
    }
    *next += 1;
}

/// The module at a place in the file: `mod name { … }` goes one deeper, and so does `super`.
struct Inner {
    module: Vec<String>,
    depth: usize,
    /// The depth of braces at which each inner module began.
    began: Vec<usize>,
}

impl Inner {
    fn new(module: &[String]) -> Self {
        Self { module: module.to_vec(), depth: 0, began: Vec::new() }
    }

    fn step(&mut self, tokens: &[Token], index: usize) {
        match tokens[index].text {
            "{" => {
                if index >= 2 && text(tokens, index - 2) == "mod" {
                    self.module.push(text(tokens, index - 1).to_string());
                    self.began.push(self.depth);
                }
                self.depth += 1;
            }
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self.began.last() == Some(&self.depth) {
                    self.began.pop();
                    self.module.pop();
                }
            }
            _ => (),
        }
    }
}
