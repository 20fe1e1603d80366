//! Sources that nobody writes.

use super::super::super::failure::FailureKind;
use super::{format, lay_out, lexer, scan};

const DEEP: usize = 10_000;

#[test]
fn unclosed_things_are_laid_out_all_the_same() {
    for source in ["f(", "if x {", "#{ a: [", "} ) ]", "{ f( }", "|a", "else {", "let x =", "`a ${", "'", "\""] {
        let formatted = super::layout::lay_out(source, &scan(source), &lexer::tokens(source, &scan(source)));
        assert!(!formatted.is_empty(), "{source}");
    }
}

#[test]
fn nesting_is_never_too_deep_for_the_layout() {
    let pairs =
        [("(", ")"), ("[", "]"), ("{\n", "\n}"), ("#{ a: ", " }"), ("f(|x| {\n", "\n})"), ("`${", "}`"), ("/*", "*/")];
    for (open, close) in pairs {
        let closed = format!("{}{}", open.repeat(DEEP), close.repeat(DEEP));
        lay_out(&closed);
        if !matches!(open, "`${" | "/*") {
            lay_out(&open.repeat(DEEP));
            lay_out(&close.repeat(DEEP));
        }
    }
    lay_out(&"-".repeat(DEEP));
    lay_out(&"! ".repeat(DEEP));
    lay_out(&"if a {} else ".repeat(DEEP));
}

#[test]
fn nesting_that_is_too_deep_for_the_parser_is_a_failure_and_no_crash() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{", "}"), ("-", "1"), ("!", "x"), ("#{ a: ", "}"), ("`${", "}`"), ("f(", ")")]
    {
        let failure = format("deep", &format!("{}{}", open.repeat(DEEP), close.repeat(DEEP))).expect_err(open);
        assert!(matches!(failure.kind(), FailureKind::Load), "{open}: {failure:?}");
    }
}

/// Anything that takes more time than the length of the source allows would not come to an end here.
#[test]
fn a_large_source_takes_no_longer_than_its_length() {
    let lines = [
        "let name = call(first,second)[ 3 ] + \"text\"; // comment\n",
        "x.map(|a| { a+1 }).filter(|b|b>2)\n.run( );\n",
        "(",
        "{",
        "}\n",
        "\n",
        "/* a */",
        "// a\n",
        "\"a\\\n b\" ",
        "`a ${b} c` ",
        "$`a b` ",
        "a ",
        "- ",
        "|",
        "1 . ",
        "é",
        "# ",
    ];
    for line in lines {
        lay_out(&line.repeat(250_000 / line.len()));
    }
    let script = "if a==b { print( \"c\" ); } // d\n".repeat(30_000);
    assert!(format("large", &script).is_ok());
}
