use super::{Place, Scan, Unclosed, is_incomplete, place_of, scan};

mod agreement;

/// A small generator (xorshift64), so that a failing case is the same in every run.
pub(in crate::script) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    pub fn text(&mut self, fragments: &[&str], most: usize) -> String {
        let count = self.below(most + 1);
        (0..count).map(|_| fragments[self.below(fragments.len())]).collect()
    }
}

/// The templates of a source as `literals / slots`, each joined by `|`.
fn templates(source: &str) -> Vec<String> {
    let join = |ranges: &[std::ops::Range<usize>]| {
        let texts: Vec<&str> = ranges.iter().map(|range| &source[range.clone()]).collect();
        texts.join("|")
    };
    let found = scan(source).templates;
    found.iter().map(|found| format!("{} / {}", join(&found.literals), join(&found.slots))).collect()
}

#[test]
fn finds_the_pieces_of_templates() {
    let cases: &[(&str, &[&str])] = &[
        ("$`git diff`", &["git diff / "]),
        ("$``", &[" / "]),
        ("$`a ${b} c`", &["a | c / b"]),
        ("$`${a}${b}`", &["|| / a|b"]),
        ("$`${}`", &["| / "]),
        ("$`a\nb`", &["a\nb / "]),
        ("$`a` | $`b`", &["a / ", "b / "]),
        ("$`a``b`", &["a / "]),
        ("sh$`a`", &["a / "]),
        // The end and the slots are found without regard to quotes.
        ("$`'a` + 1 + `'`", &["'a / "]),
        ("$`'${x}' \"${y}\"`", &["'|' \"|\" / x|y"]),
        // Escapes.
        (r"$`a\`b`", &[r"a\`b / "]),
        (r"$`a\\` + x", &[r"a\\ / "]),
        (r"$`\${a}`", &[r"\${a} / "]),
        (r"$`\\${a}`", &[r"\\| / a"]),
        (r"$`'C:\'${a}`", &[r"'C:\'| / a"]),
        (r"$`\é${a}`", &[r"\é| / a"]),
        // A dollar that opens nothing.
        ("$`$ $$ a$`", &["$ $$ a$ / "]),
        ("$`$${a}`", &["$| / a"]),
        ("$`{}} ${a}}`", &["{}} |} / a"]),
        // Code in slots.
        ("$`${ #{a: \"}\"}.a }`", &["| /  #{a: \"}\"}.a "]),
        ("$`${ '}' }`", &["| /  '}' "]),
        ("$`${ #\"}\"#}`", &["| /  #\"}\"#"]),
        ("$`${ /* } */ 1 // }\n }`", &["| /  /* } */ 1 // }\n "]),
        ("$`${ `}` }`", &["| /  `}` "]),
        ("$`${ `${ \"}\" }}` }`", &["| /  `${ \"}\" }}` "]),
        ("$`a ${ $`b ${c} d` } e`", &["a | e /  $`b ${c} d` ", "b | d / c"]),
        ("`text ${ $`a` } $`", &["a / "]),
        // Where a template cannot start.
        ("\"$`a`\"", &[]),
        ("// $`a`", &[]),
        ("/* $`a` */", &[]),
        ("#\"$`a`\"#", &[]),
        ("`costs $` + `x`", &[]),
        ("`\\${ $` + $`a`", &["a / "]),
        // Unterminated.
        ("$`a ${b} c", &["a | c / b"]),
        ("$`a ${b c", &["a  / b c"]),
        ("$`a\\", &["a\\ / "]),
    ];
    for (source, expected) in cases {
        assert_eq!(&templates(source), expected, "{source}");
    }
}

#[test]
fn gives_byte_offsets() {
    let found = scan("é $`a${b}` $`c");
    let [first, second] = found.templates.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.start, first.end), (3, Some(11)));
    assert_eq!(first.literals, [5..6, 10..10]);
    assert_eq!(first.slots.first(), Some(&(8..9)));
    assert_eq!((second.start, second.end), (12, None));
}

#[test]
fn finds_comments() {
    let cases: &[(&str, &[&str])] = &[
        ("#!/usr/bin/env x\nlet a = 1; // b", &["#!/usr/bin/env x", "// b"]),
        ("#! /* `\n1", &["#! /* `"]),
        (" #!x", &[]),
        ("// a\r\n1 // b\r2", &["// a", "// b"]),
        ("/* a /* b */ c */ 1 /**/ 2", &["/* a /* b */ c */", "/**/"]),
        ("/*/ a */ 1", &["/*/ a */"]),
        ("1 / 2 /* a", &["/* a"]),
        ("\"// a\" '/' `/* ${1 /* b */}`", &["/* b */"]),
        ("$`a // b ${1 // c\n}`", &["// c"]),
    ];
    for (source, expected) in cases {
        let comments: Vec<_> = scan(source).comments;
        let comments: Vec<_> = comments.into_iter().map(|range| &source[range]).collect();
        assert_eq!(&comments, expected, "{source}");
    }
}

#[test]
fn finds_texts() {
    let cases: &[(&str, &[&str])] = &[
        ("\"a\" + 'b' + #\"c\"# + `d` + $`e`", &["\"a\"", "'b'", "#\"c\"#", "`d`", "$`e`"]),
        ("`a ${\"b\" + `c`} d` + $`e ${$`f`}`", &["`a ${\"b\" + `c`} d`", "$`e ${$`f`}`"]),
        ("#{a: \"b\"}", &["\"b\""]),
        ("\"a\"\"b\" `a``b`", &["\"a\"\"b\"", "`a``b`"]),
        ("// \"a\"\n/* 'b' */", &[]),
        ("`a ${f(} b` + \"c\"", &["`a ${f(} b`", "\"c\""]),
        ("\"a\" + `b", &["\"a\""]),
        ("\"a", &[]),
    ];
    for (source, expected) in cases {
        let texts: Vec<_> = scan(source).texts.into_iter().map(|range| &source[range]).collect();
        assert_eq!(&texts, expected, "{source}");
    }
    let source = "\"a\\\n b\" `${\"c\\\r\nd\"}` \"e\"";
    let continued: Vec<_> = scan(source).continued.into_iter().map(|range| &source[range]).collect();
    assert_eq!(continued, ["\"a\\\n b\"", "\"c\\\r\nd\""]);
}

#[test]
fn finds_what_is_unclosed() {
    use Unclosed::*;
    let cases: &[(&str, Option<(Unclosed, usize)>)] = &[
        ("let a = [1, (2), #{b: {}}];", None),
        ("fn f() {", Some((Brace, 7))),
        ("f(1, [2", Some((Bracket, 5))),
        ("f(1, [2]", Some((Paren, 1))),
        ("a?[1", Some((Bracket, 2))),
        ("#{a: 1", Some((Brace, 1))),
        ("{ \"a", Some((String, 2))),
        ("\"a\nb\"", Some((String, 0))),
        ("\"a\\\nb\"", None),
        ("\"a\\\r\n  b\"", None),
        ("\"a\\", Some((ContinuedString, 0))),
        ("\"a\\\n", Some((ContinuedString, 0))),
        ("\"a\\\nb", Some((String, 0))),
        ("\"a\\\n\nb", Some((String, 0))),
        ("\"a\\\"", Some((String, 0))),
        ("\"a\"\"b\"", None),
        ("\"a\"\"b", Some((String, 0))),
        ("\"\"", None),
        ("'a", Some((Char, 0))),
        ("'\\'' '\"'", None),
        ("'\\\n'", Some((Char, 0))),
        ("#\"a\\\"#", None),
        ("##\"a\"#", Some((RawString, 0))),
        ("##\"a\"#\"##", None),
        ("#\"a\"\"#", None),
        ("`a\n``b", Some((Backtick, 0))),
        ("`a``b`", None),
        ("`a\\`", None),
        ("`a ${b} c", Some((Backtick, 0))),
        ("`a ${b", Some((Slot, 3))),
        ("`a ${ {b}", Some((Slot, 3))),
        ("$`a ${f(b", Some((Paren, 7))),
        ("$`a ${b", Some((Slot, 4))),
        ("x + $`a", Some((Template, 4))),
        ("{ /* a /* b */", Some((Comment, 2))),
        // The first mistake is the one to report.
        ("f(\"a\n{", Some((String, 2))),
        ("$`a ${\"b`\n} c", Some((String, 6))),
    ];
    for (source, expected) in cases {
        assert_eq!(&scan(source).unclosed, expected, "{source}");
    }
}

#[test]
fn finds_brackets_without_a_partner() {
    let cases = [
        ("(a]", Some(2), 1),
        ("a)", Some(1), 0),
        ("a}", Some(1), 0),
        ("{ f( }", Some(5), 0),
        ("{ f( } {", Some(5), 1),
        ("$`${ f( } b` (", Some(8), 1),
        ("[(", None, 2),
        ("`${ {", None, 2),
        ("$`a ) ] }`", None, 0),
    ];
    for (source, mismatched, open_brackets) in cases {
        let found = scan(source);
        assert_eq!((found.mismatched, found.open_brackets), (mismatched, open_brackets), "{source}");
    }
    assert_eq!(templates("$`${ f( } b`"), ["| b /  f( "], "the rest of the template is still found");
}

#[test]
fn tells_incomplete_from_wrong() {
    let incomplete = [
        "if a {",
        "f(",
        "[1,",
        "#{a: 1,",
        "`a",
        "`a ${",
        "#\"a",
        "/* a",
        "$`a",
        "$`a ${b",
        "$`a ${b}",
        "$`a\\",
        "\"a\\",
        "\"a\\\n",
        "{ // a",
        "let a = $`x` | $`y",
    ];
    let complete = [
        "", "1", "f()", "{}", "\"a", "'a", "{ \"a", "(]", "}", "$`a`", "// {", "/* { */", "\"{\"", "$`{ ( [`", "{ f( }",
    ];
    for source in incomplete {
        assert!(is_incomplete(source), "{source}");
    }
    for source in complete {
        assert!(!is_incomplete(source), "{source}");
    }
}

#[test]
fn counts_lines_and_characters() {
    let source = "aé\r\n\nb→c";
    let cases = [
        (0, 1, 1),
        (1, 1, 2),
        (2, 1, 2),
        (3, 1, 3),
        (4, 1, 4),
        (5, 2, 1),
        (6, 3, 1),
        (7, 3, 2),
        (8, 3, 2),
        (10, 3, 3),
        (11, 3, 4),
        (99, 3, 4),
    ];
    for (offset, line, column) in cases {
        assert_eq!(place_of(source, offset), Place { line, column }, "{offset}");
    }
    assert_eq!(place_of("", 7), Place { line: 1, column: 1 });
}

#[test]
fn survives_deep_nesting() {
    let depth = 100_000;
    assert_eq!(scan(&"$`${".repeat(depth)).templates.len(), depth);
    assert_eq!(scan(&"`${{[(".repeat(depth)).open_brackets, 4 * depth);
    let closed = format!("{}{}", "/*".repeat(depth), "*/".repeat(depth));
    assert_eq!(scan(&closed).unclosed, None);
}

/// Everything that has to hold for any text.
fn check(source: &str, found: &Scan) {
    for comment in &found.comments {
        assert!(source.get(comment.clone()).is_some(), "{source:?} {found:?}");
    }
    let mut text_end = 0;
    for text in &found.texts {
        assert!(text_end <= text.start && source.get(text.clone()).is_some(), "{source:?} {found:?}");
        text_end = text.end;
    }
    let mut last_start = None;
    for template in &found.templates {
        assert!(last_start < Some(template.start), "{source:?}");
        last_start = Some(template.start);
        let mut pieces = template.literals.clone();
        pieces.extend(template.slots.clone());
        pieces.sort_by_key(|piece| (piece.start, piece.end));
        let end = template.end.unwrap_or(source.len());
        let mut at = template.start;
        for piece in pieces {
            assert!(at <= piece.start && piece.end <= end, "{source:?} {found:?}");
            assert!(source.get(piece.clone()).is_some(), "{source:?} {found:?}");
            at = piece.end;
        }
        match template.end {
            Some(_) => assert_eq!(template.literals.len(), template.slots.len() + 1, "{source:?}"),
            None => assert!(found.unclosed.is_some(), "{source:?} {found:?}"),
        }
    }
    if let Some((_, at)) = found.unclosed {
        assert!(at < source.len() && source.is_char_boundary(at), "{source:?} {found:?}");
    }
}

#[test]
fn accepts_any_text() {
    let fragments = [
        "$", "`", "{", "}", "(", ")", "[", "]", "\"", "'", "\\", "#", "/", "*", "\n", "\r", " ", "a", "é", "→", "!",
        "${", "$`",
    ];
    let mut random = Random(0x5eed);
    for _ in 0..200_000 {
        let source = random.text(&fragments, 16);
        check(&source, &scan(&source));
    }
}

/// What closes the thing, on a new line where it is code.
fn closing(source: &str, what: Unclosed, start: usize) -> String {
    match what {
        Unclosed::Comment => " */".into(),
        Unclosed::ContinuedString => "\n\"".into(),
        Unclosed::RawString => {
            let hashes = source[start..].bytes().take_while(|&byte| byte == b'#').count();
            format!("\"{}", "#".repeat(hashes))
        }
        Unclosed::Backtick | Unclosed::Template => "`".into(),
        Unclosed::Slot | Unclosed::Brace => "\n}".into(),
        Unclosed::Paren => "\n)".into(),
        Unclosed::Bracket => "\n]".into(),
        Unclosed::String | Unclosed::Char => panic!("{source:?} is no longer incomplete"),
    }
}

#[test]
fn incomplete_text_can_be_completed() {
    let fragments = [
        "{", "(", "[", "\"", "\"a\"", "\\", "#\"", "##\"", "/*", "//", "\n", "\r\n", "a", "${", "${", "$`", "$`", "`",
        "}", "é",
    ];
    let mut random = Random(0xc0de);
    let mut completed = 0;
    for _ in 0..50_000 {
        let mut source = random.text(&fragments, 10);
        completed += usize::from(is_incomplete(&source));
        for _ in 0..40 {
            match scan(&source).unclosed {
                Some((what, start)) if is_incomplete(&source) => source += &closing(&source, what, start),
                _ => break,
            }
        }
        assert!(!is_incomplete(&source), "{source:?}");
    }
    assert!(completed > 10_000, "{completed}");
}
