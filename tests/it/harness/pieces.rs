//! The small parts of the harness.

use crate::support::escapes::unescape;
use crate::support::expect::{Lines, diff};
use crate::support::rust_source::{code_only, without_tests};
use crate::support::text::{visible, without_times, words};

#[test]
fn words_are_split_at_blanks_outside_of_quotes() {
    let split = |text| words(text).expect("well-formed");
    assert_eq!(split(r#"a "b c"  'd "e" \n' x"y z"w """#), ["a", "b c", r#"d "e" \n"#, "xy zw", ""]);
    assert_eq!(split(r#""a\n\"b\\" é"#), ["a\n\"b\\", "é"]);
    assert!(words("'open").is_err());
}

#[test]
fn escapes_and_back() {
    assert_eq!(unescape(br"a\n\t\r\0\x41\xff\\n\q\"), b"a\n\t\r\0A\xff\\n\\q\\");
    assert_eq!(visible(b"a\tb\r\n\x1b\xff\xc3\xa9"), "a\tb⟨0D⟩\n⟨1B⟩⟨FF⟩é");
}

#[test]
fn times_are_taken_out_and_nothing_else() {
    assert_eq!(without_times("after 12 ms, 0.3s and 1.25 seconds"), "after [..], [..] and [..]");
    assert_eq!(without_times("code 12 items 3 sticks x86 s 1. s"), "code 12 items 3 sticks x86 s 1. s");
    assert_eq!(without_times("exited with code 128"), "exited with code 128");
}

#[track_caller]
fn fits(pattern: &str, real: &str, wanted: bool) {
    assert_eq!(Lines::of(pattern).matches(&Lines::of(real)), wanted, "{pattern:?} and {real:?}");
}

#[test]
fn patterns_match() {
    fits("", "", true);
    fits("\n", "\n", true);
    fits("\n", "", false);
    fits("", "\n", false);
    fits("a\n", "a", false);
    fits("a\n...\nz\n", "a\nz\n", true);
    fits("a\n...\nz\n", "a\nb\nz\nz\n", true);
    fits("a\n...\nz\n", "a\nb\n", false);
    fits("...\n", "", true);
    fits("pid [..] of [..]x\n", "pid 12 of xxx\n", true);
    fits("a[..]a\n", "a\n", false);
    fits("[..]b[..]c\n", "abbc\n", true);
    fits("[..]b[..]c\n", "acb\n", false);
}

#[test]
fn a_diff_shows_what_is_common() {
    let shown = diff(&Lines::of("a\nb [..]\nc\n"), &Lines::of("a\nb 1\nx\nc"));
    assert_eq!(shown, "    a\n    b 1\n  + x\n    c\n  + (no newline at the end)");
}

#[test]
fn only_code_remains() {
    let source = "a // \"b\nc /* d /* e */ f */ g \"h\\\"i\" j r#\"k\"l\"# m 'n' '\\'' 'o: b'p' r#q é";
    let words = code_only(source);
    assert_eq!(words.len(), source.len());
    assert_eq!(words.split_whitespace().collect::<Vec<_>>().join(" "), "a c g j m 'o: b r#q é");
}

#[test]
fn tests_are_cut_out() {
    let code = "a(); #[cfg(test)] mod t { f({}); } b(); #[cfg(test)] #[x] use y::{z}; c(); #[cfg(unix)] d()";
    let rest = without_tests(code);
    assert_eq!(rest.split_whitespace().collect::<Vec<_>>().join(" "), "a(); b(); ; c(); #[cfg(unix)] d()");
}
