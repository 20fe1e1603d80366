use super::super::scan::scan;
use super::{first_difference, format, layout, lexer};

mod hostile;
mod soup;

/// What the layout makes of any text, without a parser in front, and whether it kept every token.
fn lay_out(source: &str) -> String {
    let scan = scan(source);
    let tokens = lexer::tokens(source, &scan);
    let formatted = layout::lay_out(source, &scan, &tokens);
    if let Some(offset) = first_difference(source, &scan, &tokens, &formatted) {
        panic!("{source:?} became {formatted:?}: another program at {offset}");
    }
    formatted
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let formatted = lay_out(source);
    assert_eq!(formatted, expected, "{source}");
    assert_eq!(lay_out(expected), expected, "again: {source}");
}

/// One line, without its line feed.
#[track_caller]
fn line(source: &str, expected: &str) {
    check(source, &format!("{expected}\n"));
}

#[test]
fn spaces_stand_around_operators() {
    line("x=1+2*3-4/5%6**7", "x = 1 + 2 * 3 - 4 / 5 % 6 ** 7");
    line("x+=1;y-=2;z<<=3;", "x += 1; y -= 2; z <<= 3;");
    line("a&&b||!c&d|e^f", "a && b || !c & d | e ^ f");
    line("a==b!=c<d>=e<<f??g", "a == b != c < d >= e << f ?? g");
    line("x in y&&z !in w", "x in y && z !in w");
    line("0 .. 10; 1 ..= 5; for i in 0..n {}", "0..10; 1..=5; for i in 0..n {}");
    line("a . b ?. c :: d", "a.b?.c::d");
    line("a?[ 0 ][ 1 ]( 2 )", "a?[0][1](2)");
}

#[test]
fn a_sign_stays_with_its_operand_and_with_nothing_else() {
    line("x=-1; y = - z; a -1; a- -b; a - - b", "x = -1; y = -z; a - 1; a - -b; a - -b");
    // Two signs would become one operator, and the sign of a number is part of it: `-1.abs()` is 1.
    line("- - x; ! ! y", "- -x; !!y");
    line("x = - 1.abs(); y = -1.abs()", "x = - 1.abs(); y = -1.abs()");
    line("switch x { 1=>-1, _ => - 1 }", "switch x { 1 => -1, _ => -1 }");
    line("return -x; f(-x, -1); [-x]", "return -x; f(-x, -1); [-x]");
    line("if a { b } -c", "if a { b } -c");
}

#[test]
fn numbers_stay_as_written() {
    line("1_000+0xFF+0b1_0+1.5e-3+1.", "1_000 + 0xFF + 0b1_0 + 1.5e-3 + 1.");
    line("1. ..2; 1 .. 2; 1 .foo(); 1.foo()", "1. ..2; 1..2; 1 .foo(); 1.foo()");
}

#[test]
fn brackets_have_spaces_only_where_they_are_braces() {
    line("f( a,b ,c )", "f(a, b, c)");
    line("[ 1,2,[ ] , ( ) ]", "[1, 2, [], ()]");
    line("#{a:1,\"b\" : #{ }}", "#{ a: 1, \"b\": #{} }");
    line("{a}{}", "{ a } {}");
    line("f(a,)", "f(a,)");
    line("if(a){b}else{c}", "if (a) { b } else { c }");
    line("while(a){} switch(b){} catch(c)", "while (a) {} switch (b) {} catch (c)");
    line("foo (1); fn bar (a){}", "foo(1); fn bar(a) {}");
    line("x.if (1)", "x.if(1)");
    line("capture ! (a)", "capture!(a)");
}

#[test]
fn closures_have_no_spaces_inside_their_bars() {
    line("f(| a,b |a+b)", "f(|a, b| a + b)");
    line("f(||1,| |2)", "f(|| 1, | | 2)");
    line("a|b||c", "a | b || c");
    line("x.each(|| {a}); return |x| -x", "x.each(|| { a }); return |x| -x");
    line("$`a`|$`b`|$`c`", "$`a` | $`b` | $`c`");
}

#[test]
fn texts_stay_as_they_are() {
    line("f( \" a  b \",'c',`  ${ x+1 }  `,#\" \"  \"#)", "f(\" a  b \", 'c', `  ${ x+1 }  `, #\" \"  \"#)");
    line("$`a   b ${ x+1 }`.run( )", "$`a   b ${ x+1 }`.run()");
    line("import\"x\"as y", "import \"x\" as y");
    line("sh$`a`; return$`b`; sh $`c`", "sh$`a`; return $`b`; sh $`c`");
    check("{\n  let x=`a  \r\n   b`;\n}", "{\n    let x = `a  \r\n   b`;\n}\n");
    check("{\n$`a\n  b`;}", "{\n    $`a\n  b`;\n}\n");
}

#[test]
fn blocks_are_indented() {
    check("if a {\nb;\n  if c {\nd\n}\n}", "if a {\n    b;\n    if c {\n        d\n    }\n}\n");
    check(
        "if a\n{\nb\n}\nelse if c\n{\nd\n}\nelse\n{\ne\n}",
        "if a {\n    b\n} else if c {\n    d\n} else {\n    e\n}\n",
    );
    check("try\n{\na\n}\ncatch (e)\n{\nb\n}", "try {\n    a\n} catch (e) {\n    b\n}\n");
    check("do\n{\na\n}\nwhile b;\nwhile c\n{\nd\n}", "do {\n    a\n} while b;\nwhile c {\n    d\n}\n");
    check("loop {\na\n}\nwhile b {}", "loop {\n    a\n}\nwhile b {}\n");
    check("fn f()\n{\na }", "fn f() {\n    a\n}\n");
    check("x.map(|y|\n{\ny\n})", "x.map(|y| {\n    y\n})\n");
    check("a;\n{\nb\n}", "a;\n{\n    b\n}\n");
    check("fn f() {\n}\nlet x = #{\n};", "fn f() {}\nlet x = #{};\n");
}

#[test]
fn blank_lines_are_kept_one_by_one() {
    check("\n\na;\n\n\n\nif b {\n\n\nc\n\n\n}\n\n\n", "a;\n\nif b {\n    c\n}\n");
    check("f(\n\n1,\n\n2\n\n)", "f(\n    1,\n\n    2\n)\n");
    check("if a {\n}\n\nelse {\n}", "if a {} else {}\n");
    check("", "");
    check(" \n\t\r\n", "");
}

#[test]
fn line_endings_are_line_feeds() {
    check("a;\r\nb; // c\r\n\r\n\r\n/* d  \r\n e */\r\n", "a;\nb; // c\n\n/* d\n e */\n");
    check("a; // b\rc", "a; // b\nc\n");
}

#[test]
fn a_line_that_goes_on_is_one_deeper() {
    check("let x=a\n.b()\n.c()\n+d;\ne", "let x = a\n    .b()\n    .c()\n    + d;\ne\n");
    check("let x =\na\n+\nb;", "let x =\n    a\n    +\n    b;\n");
    check("if a\n&& b\n{\nc\n}", "if a\n    && b {\n    c\n}\n");
    check("let x=if a {\nb\n}\n+c;", "let x = if a {\n    b\n}\n    + c;\n");
    check("if a {\nb\n}\n-c;\n|d| e;\n[f]", "if a {\n    b\n}\n-c;\n|d| e;\n[f]\n");
    check("f(a\n+b,\nc)", "f(a\n        + b,\n    c)\n");
}

#[test]
fn brackets_that_open_on_one_line_are_one_level() {
    check("f(|x| {\na\n}, [\n1,\n2,\n])", "f(|x| {\n    a\n}, [\n    1,\n    2,\n])\n");
    check("a\n.b(|x| {\nc\n})\n.d()", "a\n    .b(|x| {\n        c\n    })\n    .d()\n");
    check("f(#{\na:1,\nb: [\n2\n]\n})", "f(#{\n    a: 1,\n    b: [\n        2\n    ]\n})\n");
}

#[test]
fn cases_end_with_a_comma_or_with_their_block() {
    check(
        "switch x {\n1=>a,\n2|3=>{\nb\n}\n4..=5 if c=>\nd,\n_=>if e {\nf\n} else {\ng\n}\n}",
        "switch x {\n    1 => a,\n    2 | 3 => {\n        b\n    }\n    4..=5 if c =>\n        d,\n    \
         _ => if e {\n        f\n    } else {\n        g\n    }\n}\n",
    );
}

#[test]
fn comments_stay_where_they_are() {
    check(
        "#!/usr/bin/env procscript  \n//! a  \n\n/// b\nfn c(){} // d",
        "#!/usr/bin/env procscript\n//! a\n\n/// b\nfn c() {} // d\n",
    );
    check("f(/* a */b/* c */,d/*e*/)", "f(/* a */ b /* c */, d /*e*/)\n");
    check("if a { // b\nc // d\n// e\n}\n// f\nelse {}", "if a { // b\n    c // d\n    // e\n}\n// f\nelse {}\n");
    check("if a // b\n{\nc\n}", "if a // b\n{\n    c\n}\n");
    check("a\n// b\n.c();\n// d", "a\n    // b\n    .c();\n// d\n");
    check("f(a, // b\n// c\n)", "f(a, // b\n    // c\n)\n");
    check("{ // a\n}", "{ // a\n}\n");
}

#[test]
fn the_lines_of_a_block_comment_move_together() {
    check("{\n/* a\n   b\n\n  /* c */\n*/\nd\n}", "{\n    /* a\n       b\n\n      /* c */\n    */\n    d\n}\n");
    check("\t\t/*\n\t\t * a\n\t\t */", "/*\n * a\n */\n");
    check("a; /* b  \n      c */", "a; /* b\n      c */\n");
}

#[test]
fn syntax_of_our_own_is_formatted_too() {
    check(
        "with dir(\"x\"),env(#{A:1})\n{\nsh$`a`.run();\n}\nb",
        "with dir(\"x\"), env(#{ A: 1 }) {\n    sh$`a`.run();\n}\nb\n",
    );
    check("with dir(a),\nenv(b) {\nc\n}", "with dir(a),\n    env(b) {\n    c\n}\n");
    check("fn f() {\ndefer\n{\na()\n}\n-b\n}", "fn f() {\n    defer {\n        a()\n    }\n    -b\n}\n");
    line("defer{a}", "defer { a }");
    line("let defer=1; defer + 1", "let defer = 1; defer + 1");
}

#[test]
fn strings_that_go_on_keep_their_value() {
    // Rhai leaves out white space up to the column of the quote.
    check("let x=\"a\\\n   b\";", "let x = \"a\\\n   b\";\n");
    check("{\nlet x=\"a\\\n        b\";\n}", "{\n    let x = \"a\\\n              b\";\n}\n");
    check("        f(\"a\\\n        b\")", "f(\"a\\\nb\")\n");
    let sources = [
        "if true { x = \"a\\\n             b\\\n    c\\t  d\\\n \\t   e\" } x",
        "{\n     let y = \"é\\\n          a\\\r\n             b\"; y }",
        "    `${\"a\\\n     b\"}`",
        "let a=[\"b\\\n                   \\\n             c\"]; a[0]",
        "\"a\\\n \\x41  \\u0041  b\"",
    ];
    for source in sources {
        let source = format!("let x=\"\";{{\n{source}\n}}");
        let formatted = format("test", &source).unwrap_or_else(|failure| panic!("{}", failure.render()));
        let value = |source: &str| rhai::Engine::new_raw().eval::<String>(source).expect("it gives a text");
        assert_eq!(value(&formatted), value(&source), "{source}\n{formatted}");
        assert_eq!(format("test", &formatted).ok().as_ref(), Some(&formatted), "{source}");
    }
}

#[test]
fn what_does_not_parse_is_refused_with_its_place() {
    let cases = [
        ("let x = ;", 1, 9),
        ("a\n/* b", 2, 1),
        ("f(1", 1, 4),
        ("$`a", 1, 1),
        ("$`a; b`", 1, 4),
        ("\"a", 1, 1),
        ("a\0", 1, 2),
        ("}", 1, 1),
    ];
    for (source, line, column) in cases {
        let failure = format("x.rhai", source).expect_err(source);
        let place = failure.place().unwrap_or_else(|| panic!("{source:?}: {failure:?}"));
        assert_eq!((place.file.as_str(), place.line, place.column), ("x.rhai", line, column), "{source:?} {failure}");
    }
}

#[test]
fn names_that_only_a_host_knows_are_no_mistake() {
    let formatted = format("x", "host_function( host_value ); import \"no/such/module\" as m;");
    assert_eq!(formatted.ok().as_deref(), Some("host_function(host_value); import \"no/such/module\" as m;\n"));
}

#[test]
fn a_byte_order_mark_is_dropped() {
    assert_eq!(format("x", "\u{feff}let x=1;").ok().as_deref(), Some("let x = 1;\n"));
}
