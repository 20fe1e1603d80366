//! Random tokens with random white space: what is written keeps the tokens, as we and as Rhai see them, and
//! does not change any more.

use rhai::{Engine, Token};

use super::super::super::scan::Unclosed;
use super::super::super::scan::tests::Random;
use super::{lay_out, scan};

const FRAGMENTS: &[&str] = &[
    "if",
    "else",
    "while",
    "do",
    "for",
    "in",
    "fn",
    "switch",
    "try",
    "catch",
    "with",
    "defer",
    "private",
    "return",
    "let",
    "loop",
    "until",
    "a",
    "b",
    "e5",
    "inside",
    "1",
    "2.5",
    "1.",
    "0x1f",
    "7_0",
    "1e3",
    "\"t\"",
    "'c'",
    "`t`",
    "#\"r\"#",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#{",
    "?[",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ";",
    ":",
    "::",
    ".",
    "?.",
    "..",
    "..=",
    "=",
    "==",
    "=>",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "!",
    "!=",
    "<",
    "<=",
    "<<",
    ">",
    ">>",
    "|",
    "||",
    "&&",
    "&",
    "^",
    "??",
    "+=",
    "-=",
    "|=",
    "~",
    "@",
    "?",
    "///c\n",
    "// c\n",
    "/*b*/",
    "/*b\n  c*/",
];

const WHITE_SPACE: &[&str] = &["", "", "", " ", " ", "  ", "\n", "\n", "\n  ", "\n\n", "\r\n", "\t"];

fn soup(random: &mut Random, fragments: &[&str], most: usize) -> String {
    let mut source = String::new();
    // At the very end Rhai takes `1.` for a number and a period.
    let end = "\n";
    for _ in 0..random.below(most) {
        source.push_str(fragments[random.below(fragments.len())]);
        source.push_str(WHITE_SPACE[random.below(WHITE_SPACE.len())]);
    }
    source + end
}

/// Whether the source ends in a text or a comment, which the line feed at the end would make longer.
fn ends_in_text(source: &str) -> bool {
    let brackets = [Unclosed::Paren, Unclosed::Bracket, Unclosed::Brace, Unclosed::Slot];
    scan(source).unclosed.is_some_and(|(what, _)| !brackets.contains(&what))
}

#[test]
fn formatting_twice_is_formatting_once() {
    let mut random = Random(0xf0a7);
    let mut fragments = FRAGMENTS.to_vec();
    fragments.extend(["$`a ${b + `c`} d`", "sh$`x\n  y`", "`m\n ${ n }`", "\"s\\\n      t\"", "é", "#", "$", "\\"]);
    let mut formatted = 0;
    for round in 0..25_000 {
        let source = soup(&mut random, &fragments, if round % 100 == 0 { 120 } else { 14 });
        if ends_in_text(&source) {
            continue;
        }
        formatted += 1;
        let once = lay_out(&source);
        assert_eq!(lay_out(&once), once, "{source:?}");
        check(&source, &once);
    }
    assert!(formatted > 20_000, "{formatted}");
}

/// What has to hold for the layout of any source.
fn check(source: &str, formatted: &str) {
    let scan = scan(formatted);
    let is_outside = |offset: usize| !scan.texts.iter().any(|text| text.contains(&offset));
    let mut offset = 0;
    for line in formatted.split_inclusive('\n') {
        let end = offset + line.len() - 1;
        let trimmed = line.trim_end();
        assert!(line.ends_with('\n'), "no line feed at the end: {source:?} {formatted:?}");
        assert!(trimmed.len() + 1 == line.len() || !is_outside(end), "white space at the end of a line: {formatted:?}");
        offset += line.len();
    }
    for (offset, _) in formatted.match_indices("\n\n\n") {
        assert!(!is_outside(offset + 1), "two blank lines: {source:?} {formatted:?}");
    }
    assert!(!formatted.starts_with(['\n', ' ']), "white space at the start: {source:?} {formatted:?}");
}

/// The tokens as Rhai sees them, up to the first that it does not know.
fn rhai_tokens(engine: &Engine, source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (token, _) in engine.lex([&source]).0 {
        match token {
            Token::EOF | Token::LexError(_) => break,
            // Whether something stands between the two makes no difference to the parser.
            Token::Unit => tokens.extend([Token::LeftParen, Token::RightParen]),
            token => tokens.push(token),
        }
    }
    tokens
}

#[test]
fn rhai_sees_the_same_tokens() {
    let engine = Engine::new_raw();
    let mut random = Random(0x70c3);
    for _ in 0..25_000 {
        let source = soup(&mut random, FRAGMENTS, 14);
        if ends_in_text(&source) {
            continue;
        }
        let formatted = lay_out(&source);
        assert_eq!(rhai_tokens(&engine, &formatted), rhai_tokens(&engine, &source), "{source:?} {formatted:?}");
    }
}
