//! Texts that are no program, and the habits behind them.

use super::{check, expect, expect_help};

#[test]
fn what_is_no_program() {
    expect(&[
        ("let x = ;", &["syntax@1:9"]),
        ("print(1", &["syntax@1:8"]),
        ("print(1);\n\nlet y = 5 6;", &["syntax@3:11"]),
        ("let x = 1;\n/* never closed", &["unclosed-comment@2:1"]),
        ("$`a", &["template@1:1"]),
        ("$`a ${b`", &["syntax@1:8"]),
        ("$`a; b`; $`c && d`; $`e *`", &["template@1:4", "template@1:14", "template@1:25"]),
        ("let match = 1;", &["reserved-word@1:5"]),
        ("x.spawn()", &["reserved-word@1:3"]),
        ("#{default: 1}", &["reserved-word@1:3"]),
        ("fn with() {}", &["reserved-word@1:4"]),
        ("a\0b", &["syntax@1:2"]),
    ]);
}

#[test]
fn reserved_words_say_what_to_write_instead() {
    expect_help(&[
        ("x.spawn()", ".start()"),
        ("spawn(\"a\")", ".start()"),
        ("let new = 1;", "`make`"),
        ("fn default() {}", "`fallback`"),
        ("x.match(\"a\")", "`matches`"),
        ("match 1 { 1 => 2 }", "switch"),
        ("let with = 1;", "`using`"),
        ("async f();", ".start()"),
        ("await f();", ".wait()"),
        ("let thread = 1;", "`worker`"),
        ("let sync = 1;", "`synchronize`"),
        ("let x = null;", "`()`"),
        ("var x = 1;", "`let`"),
        ("print \"a\";", "print(x)"),
        ("let fn = 1;", "`function`"),
        ("let x = 1; x.in", "`inside`"),
    ]);
}

#[test]
fn habits_from_elsewhere_are_understood() {
    expect_help(&[
        ("let x = try { 1 } catch { 2 };", "attempt(|| …)"),
        ("let y = true ? 1 : 2;", "if a { b } else { c }"),
        ("let i = 1; i++;", "+= 1"),
        ("let i = 1; --i;", "-= 1"),
        ("if true { } elif false { }", "else if"),
        ("if true and false { }", "&&"),
        ("if true or false { }", "||"),
        ("if not true { }", "write !"),
        ("let s = \"a\nb\";", "backquotes"),
        ("let s = 'text';", "double quotes"),
        ("# comment", "//"),
        ("print(1); # comment", "//"),
        ("print(${x});", "`…${x}…`"),
        ("let x = $(ls);", "$`command`.read()"),
        ("print($HOME);", "env(\"NAME\")"),
        ("let f = fn(x) { x };", "|x|"),
        ("let f = (x) => x;", "|x|"),
        ("for (let i = 0; i < 3; i++) { }", "for i in 0..n"),
        ("for x in [1] do print(x) done", "{ … }"),
        ("if true print(1);", "{ … }"),
        ("let (a, b) = x;", "one name at a time"),
        ("let x: int = 3;", "no types"),
        ("fn f(x: int) { }", "no types"),
        ("fn f(x = 1) { }", "default"),
        ("function f() { }", "fn name(a, b)"),
        ("def f() { }", "fn name(a, b)"),
        ("let m = {a: 1};", "#{ name: value }"),
        ("git status --short;", "$`git status --short`.run()"),
        ("echo \"hi\";", "print(…)"),
        ("let p = \"C:\\dir\";", "\\\\"),
        ("let x = 1\nlet y = 2", "`;` is missing at the end of the line before"),
        ("fn f() { fn g() { } }", "outside of all blocks"),
        ("[1].for_each(|x| break);", "return"),
        ("let x = f\"{a}\";", "backquotes"),
        ("unless true { }", "if !condition"),
    ]);
}

#[test]
fn brackets_say_where_they_were_opened() {
    expect_help(&[
        ("fn f() {\n  if true {\n  }\nprint(1);", "the `{` in line 1, column 8 is never closed"),
        ("let x = [1, 2", "the `[` in line 1, column 9 is never closed"),
        ("print(1));", "nothing is open that it could close"),
        ("}", "nothing is open that it could close"),
    ]);
}

#[test]
fn help_is_not_given_at_random() {
    for source in ["let x = ;", "let 5 = x;", "f(1 2)", "let x = [1,,2];", "#{a 1}"] {
        let problems = check(source);
        assert_eq!(problems.len(), 1, "{source}");
        assert_eq!(problems[0].help(), None, "{source}");
    }
}
