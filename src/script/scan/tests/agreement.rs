//! Does the scanner see what Rhai's own lexer and parser see?

use std::ops::Range;
use std::sync::{Arc, Mutex};

use rhai::{Dynamic, Engine, ImmutableString, LexError, Token};

use super::super::{Unclosed, scan};
use super::{Random, check};

/// What Rhai's own lexer says about a source: the comments and how many brackets are open, or the
/// string that is not terminated. `None` when it stumbles over anything else.
fn ask_rhai(engine: &Engine, source: &str) -> Option<(Vec<String>, Result<usize, LexError>, bool)> {
    let (mut lexer, control) = engine.lex([&source]);
    lexer.state.include_comments = true;
    // `true` marks the brace that belongs to a `${`: after its partner the text goes on.
    let mut braces = Vec::new();
    let mut comments = Vec::new();
    let mut in_text = false;
    let end = loop {
        let (token, _) = lexer.next()?;
        let opens_slot = std::mem::take(&mut in_text);
        match token {
            Token::Comment(text) => {
                comments.push(text.to_string());
                // It would give an unclosed comment again and again.
                if lexer.state.comment_level > 0 {
                    break Ok(braces.len());
                }
            }
            Token::InterpolatedString(..) => in_text = true,
            Token::LeftBrace | Token::MapStart => braces.push(('}', opens_slot)),
            Token::LeftParen => braces.push((')', false)),
            Token::LeftBracket | Token::QuestionBracket => braces.push((']', false)),
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                let (expected, text_follows) = braces.pop()?;
                if token.literal_syntax() != expected.to_string() {
                    return None;
                }
                control.borrow_mut().is_within_text = text_follows;
            }
            Token::LexError(error) if *error == LexError::UnterminatedString => break Err(*error),
            Token::LexError(_) => return None,
            Token::EOF => break Ok(braces.len()),
            _ => {}
        }
    };
    Some((comments, end, lexer.state.comment_level > 0))
}

#[test]
fn agrees_with_the_lexer_of_rhai() {
    let fragments = [
        "\"", "'", "`", "``", "#\"", "\"#", "##\"", "\"##", "#{", "{", "}", "(", ")", "[", "]", "?[", "${", "${", "}",
        "\\${", "\\\n", "\\\"", "/*", "*/", "//", "/", "*", "\n", "\r", "a", "1", " ", "'x'", "\"y\"",
    ];
    let engine = Engine::new_raw();
    let mut random = Random(0xace);
    let (mut compared, mut unterminated) = (0, 0);
    for _ in 0..200_000 {
        let source = random.text(&fragments, 12);
        // `$` before a backtick is ours; `##` at the end is an unterminated string to Rhai, although
        // no further line could make it one.
        if source.contains("$`") || source.ends_with("##") {
            continue;
        }
        let Some((comments, end, in_comment)) = ask_rhai(&engine, &source) else {
            continue;
        };
        let found = scan(&source);
        compared += 1;
        if end.is_err() {
            unterminated += 1;
            let (what, _) = found.unclosed.unwrap_or_else(|| panic!("{source:?} {found:?}"));
            let is_text = matches!(
                what,
                Unclosed::String
                    | Unclosed::ContinuedString
                    | Unclosed::Char
                    | Unclosed::RawString
                    | Unclosed::Backtick
            );
            assert!(is_text, "{source:?} {found:?}");
            continue;
        }
        let ours: Vec<&str> = found.comments.iter().map(|range| &source[range.clone()]).collect();
        assert_eq!(ours, comments, "{source:?}");
        assert_eq!((found.mismatched, Ok(found.open_brackets)), (None, end), "{source:?}");
        assert_eq!(in_comment, matches!(found.unclosed, Some((Unclosed::Comment, _))), "{source:?}");
        assert!(in_comment || found.unclosed.is_some() == (found.open_brackets > 0), "{source:?} {found:?}");
    }
    assert!(compared > 20_000 && unterminated > 5_000, "{compared} {unterminated}");
}

/// A `$` syntax that only notes the literal pieces of the templates that it reads.
fn template_reader(seen: Arc<Mutex<Vec<Vec<String>>>>) -> Engine {
    let mut engine = Engine::new_raw();
    // The state is what was read since the last slot, and then the pieces before it.
    let parse = move |read: &[ImmutableString], state: &mut Dynamic| {
        let last = read.last().map_or("", |text| text.as_str());
        if read.len() <= 2 {
            *state = Dynamic::from_array(vec!["".into()]);
            return Ok(Some("$raw$".into()));
        }
        let mut pieces = state.write_lock::<rhai::Array>().expect("the state is an array");
        let mut piece = pieces[0].clone().into_string().expect("a piece is text");
        let escaped = piece.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1;
        let dollar_escaped = piece
            .strip_suffix('$')
            .is_some_and(|before| before.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1);
        let next = match last {
            "$expr$" => Some("}".into()),
            "}" if read[read.len() - 2] == "$expr$" => Some("$raw$".into()),
            "`" if !escaped => {
                let _ = pieces.remove(0);
                let mut all: Vec<String> = pieces.iter().map(ToString::to_string).collect();
                all.push(piece.clone());
                seen.lock().expect("no test thread panics here").push(all);
                return Ok(None);
            }
            "{" if piece.ends_with('$') && !dollar_escaped => {
                piece.pop();
                pieces.push(piece.clone().into());
                piece.clear();
                Some("$expr$".into())
            }
            text => {
                piece.push_str(text);
                Some("$raw$".into())
            }
        };
        pieces[0] = piece.into();
        Ok(next)
    };
    engine.register_custom_syntax_without_look_ahead_raw("$", parse, false, |_, _, _| Ok(Dynamic::UNIT));
    engine
}

/// A random expression with templates in it.
fn expression(random: &mut Random, depth: usize) -> String {
    let leaves = [
        "x",
        "\"}\"",
        "'}'",
        "'`'",
        "#\"}`\"#",
        "#{a: [1, (2)]}",
        "{ 1 }",
        "/* } ` */ 1",
        "1 // } `\n",
        "\"$`\\\"\"",
        "`$` ",
        "`a``}`",
    ];
    if depth == 0 || random.below(4) == 0 {
        return leaves[random.below(leaves.len())].into();
    }
    let text = ["a ", "'", "\"", "\\`", "\\$", "\\\\", "$ ", "{", "}", "é", "\n", "//", "/*", "\\é", "#", "("];
    let (open, text) = match random.below(3) {
        0 => ("`", &["a", "\\", "``", "{", "}", "$ ", "\\${", "\"", "'"][..]),
        1 => {
            return format!("f({}, [{}])", expression(random, depth - 1), expression(random, depth - 1));
        }
        _ => ("$`", &text[..]),
    };
    let mut source = format!("{open} {}", random.text(text, 4));
    for _ in 0..random.below(3) {
        let slot = expression(random, depth - 1);
        // In a backtick string a backslash before `${` would escape it.
        let gap = if open == "`" { " " } else { "" };
        source += &format!("{gap}${{{slot}}}{}", random.text(text, 3));
    }
    source + if open == "`" { " `" } else { "`" }
}

#[test]
fn agrees_with_the_custom_syntax_of_rhai() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut engine = template_reader(seen.clone());
    engine.set_max_expr_depths(0, 0);
    let mut random = Random(0xfeed);
    let mut templates = 0;
    for _ in 0..3_000 {
        let source = format!("let v = {};", expression(&mut random, 3));
        seen.lock().expect("no other thread").clear();
        engine.compile(&source).unwrap_or_else(|error| panic!("{source:?}: {error}"));
        let found = scan(&source);
        check(&source, &found);
        assert_eq!((found.unclosed, found.mismatched, found.open_brackets), (None, None, 0), "{source:?}");
        // Rhai finishes an inner template before the one around it.
        let mut ours = found.templates;
        ours.sort_by_key(|template| template.end);
        let pieces = |literals: &[Range<usize>]| -> Vec<String> {
            literals.iter().map(|range| source[range.clone()].to_string()).collect()
        };
        let ours: Vec<Vec<String>> = ours.iter().map(|template| pieces(&template.literals)).collect();
        assert_eq!(ours, *seen.lock().expect("no other thread"), "{source:?}");
        templates += ours.len();
    }
    assert!(templates > 2_000, "{templates}");
}
