//! Every error, with the place that it points at.

use super::super::{TemplateError, parse};
use super::{parse_inside, pieces, show};

/// Finds the text that an error points at: its piece, and the text there.
fn pointed_at(inside: &str, error: &TemplateError) -> (usize, String) {
    let piece = &pieces(inside)[error.piece];
    (error.piece, piece[error.offset..error.offset + error.length].to_string())
}

#[test]
fn refuses_the_rest_of_sh() {
    // The template, the offset in the first piece, the text pointed at, and a part of the help.
    let cases = [
        ("a; b", 1, ";", "write two statements, or quote it: ';'"),
        ("a ;; b", 2, ";", "two statements"),
        ("a && b", 2, "&&", "write two statements: the second runs only if the first succeeds"),
        ("a&&b", 1, "&&", "two statements"),
        ("a || b", 2, "||", "if !cmd.test() { … }"),
        ("a &", 2, "&", ".start()"),
        ("a & b", 2, "&", ".start()"),
        ("curl http://x/?a", 14, "?", "quote it: '?'"),
        ("a |& b", 2, "|&", "2>&1 |"),
        ("a (b)", 2, "(", "quote it: '('"),
        ("a )", 2, ")", "quote it: ')'"),
        ("a b(c)", 3, "(", "sh(…)"),
        ("rm *.o", 3, "*", "sh$`"),
        ("rm a?", 4, "?", "sh$`"),
        ("ls ~", 3, "~", "`${env(\"HOME\")}`"),
        ("ls ~/x", 3, "~", "`${env(\"HOME\")}`"),
        ("~/bin/x", 0, "~", "`${env(\"HOME\")}`"),
        ("a >~/x", 3, "~", "`${env(\"HOME\")}`"),
        ("a # b", 2, "#", "quote it: '#...'"),
        ("#a", 0, "#", "quote it"),
        ("a >#b", 3, "#", "quote it"),
        // Here-documents, process substitution and other descriptors.
        ("a << EOF", 2, "<<", ".stdin(\"text\")"),
        ("a <<EOF", 2, "<<", ".stdin(\"text\")"),
        ("a <<-EOF", 2, "<<", ".stdin(\"text\")"),
        ("a <<< b", 2, "<<<", ".stdin(\"text\")"),
        ("a <(b)", 2, "<(", ".stdin(command)"),
        ("a >(b)", 2, ">(", ".tee(path)"),
        ("a <&3", 2, "<&", ".stdin_fd(n)"),
        ("a <>b", 2, "<>", ".stdin_fd(n)"),
        ("a >|b", 2, ">|", "always overwrites"),
        ("a 2>|b", 2, "2>|", "always overwrites"),
        ("a &>>b", 2, "&>>", "`>>file 2>&1`"),
        ("a >>&b", 2, ">>&", "`>>file 2>&1`"),
        ("a 3>b", 2, "3>", ".fd(3, target)"),
        ("a 10>>b", 2, "10>>", ".fd(10, target)"),
        ("a 0>b", 2, "0>", ".fd(0, target)"),
        ("a 1<b", 2, "1<", ".fd(1, target)"),
        ("a 3<b", 2, "3<", ".fd(3, target)"),
        ("a 02>b", 2, "02>", ".fd(02, target)"),
        ("a >&2", 2, ">&2", ".stdout_to_stderr()"),
        ("a 1>&2", 2, "1>&2", ".stdout_to_stderr()"),
        ("a 1>&2|b", 2, "1>&2", ".stdout_to_stderr()"),
        ("a >&-", 2, ">&-", ".stdout_null()"),
        ("a 2>&-", 2, "2>&-", ".stderr_null()"),
        ("a 3>&-", 2, "3>&-", "leave it out"),
        ("a 3>&1", 2, "3>&1", ".fd(3, 1)"),
        ("a 2>&3", 2, "2>&3", ".fd(2, 3)"),
        ("a >&1", 2, ">&1", ".fd(1, 1)"),
        ("a >&b", 2, ">&", "`&>file`"),
        ("a >& b", 2, ">&", "`&>file`"),
        ("a 2>& 1", 2, "2>&", "`2>&1`"),
        ("a 2>&1b", 2, "2>&", "`2>&1`"),
        ("a 2>&1'b'", 2, "2>&", "`2>&1`"),
        ("a 2>&1${x}", 2, "2>&", "`2>&1`"),
        ("a >&${x}", 2, ">&", "`&>file`"),
        // Expansions.
        ("a $b", 2, "$b", "write `${b}`, or `${env(\"b\")}` for the environment, or quote it: '$b'"),
        ("a b$C_1-d", 3, "$C_1", "`${C_1}`"),
        ("a $1", 2, "$1", "quote it: '$1'"),
        ("a $?", 2, "$?", "quote it: '$?'"),
        ("a $$", 2, "$$", "quote it: '$$'"),
        ("a $@ $# $* $! $-", 2, "$@", "quote it: '$@'"),
        ("a $(b)", 2, "$(", "`${cmd(…).read()}`"),
        ("a $((1))", 2, "$(", "`${cmd(…).read()}`"),
        ("a $'\\n'", 2, "$'", "`${\"…\"}`"),
        ("a $\"b\"", 2, "$\"", "`${\"…\"}`"),
        // Patterns.
        ("a [b]", 2, "[b]", "sh$`"),
        ("a b[0]c", 3, "[0]", "quote it"),
        ("a []b]", 2, "[]b]", "quote it"),
        ("a [!b]", 2, "[!b]", "quote it"),
        ("a [[b]]", 2, "[[b]", "quote it"),
        ("a ['b c']", 2, "['b c']", "quote it"),
        ("a [${x}]", 2, "[", "quote it"),
        ("a {b,c}", 2, "{b,c}", "write an array: `${[\"a\", \"b\"]}`"),
        ("a x{,.bak}", 3, "{,.bak}", "array"),
        ("a {b{c,d}}", 4, "{c,d}", "array"),
        ("a {{c},d}", 2, "{{c},d}", "array"),
        ("a {'b c',d}", 2, "{'b c',d}", "array"),
        ("a {${x},b}", 2, "{", "array"),
        ("a {1..3}", 2, "{1..3}", "array"),
        ("a {-1..10..2}", 2, "{-1..10..2}", "array"),
        ("a {a..e}", 2, "{a..e}", "array"),
    ];
    for (inside, offset, text, help) in cases {
        let Err(error) = parse_inside(inside) else { panic!("{inside} was taken") };
        assert_eq!(pointed_at(inside, &error), (0, text.into()), "{inside}");
        assert_eq!(error.offset, offset, "{inside}");
        let shown = match text.as_bytes() {
            [b'[', ..] => "[…]",
            [b'{', ..] => "{…}",
            _ => text,
        };
        assert_eq!(error.message, format!("unquoted `{shown}` in a command template"), "{inside}");
        let full = error.help.unwrap_or_default();
        assert!(full.contains(help), "{inside}: {full}");
    }
}

#[test]
fn refuses_what_has_no_meaning() {
    // The template, the piece, the offset in it, the text pointed at, the message without its end.
    let cases = [
        ("", 0, 0, "", "empty command template"),
        (" \n ", 0, 0, " \n ", "empty command template"),
        ("\\\n", 0, 0, "\\\n", "empty command template"),
        // Quotes.
        ("a 'b", 0, 2, "'", "unclosed `'`"),
        ("a b\"c", 0, 3, "\"", "unclosed `\"`"),
        ("a \"b' \\\"", 0, 2, "\"", "unclosed `\"`"),
        ("a '\"' 'b ${x} c", 0, 6, "'", "unclosed `'`"),
        ("a ${x} 'b\\'c' d", 1, 6, "'", "unclosed `'`"),
        ("a \"b $c\"", 0, 5, "$c", "double-quoted `$c`"),
        ("a \"$(b)\"", 0, 3, "$(", "double-quoted `$(`"),
        ("a \"b${x}$1\"", 1, 0, "$1", "double-quoted `$1`"),
        // Stages.
        ("a |", 0, 2, "|", "nothing after `|`"),
        ("a | \n", 0, 2, "|", "nothing after `|`"),
        ("| b", 0, 0, "|", "nothing before `|`"),
        ("a | | b", 0, 4, "|", "nothing before `|`"),
        ("${x} |", 1, 1, "|", "nothing after `|`"),
        (">b", 0, 0, ">", "redirection without a program"),
        ("a | 2>b", 0, 4, "2>", "redirection without a program"),
        ("a | 2>&1 | c", 0, 4, "2>&1", "redirection without a program"),
        ("A=b c", 0, 0, "A=", "assignment before the program"),
        ("A=${x} c", 0, 0, "A=", "assignment before the program"),
        ("A='b c'", 0, 0, "A=", "assignment before the program"),
        (">b _a1= c", 0, 3, "_a1=", "assignment before the program"),
        ("a | B=c d", 0, 4, "B=", "assignment before the program"),
        // Redirections.
        ("a >", 0, 2, ">", "`>` without a file"),
        ("a 2>> ", 0, 2, "2>>", "`2>>` without a file"),
        ("a < | b", 0, 2, "<", "`<` without a file"),
        ("a > > b", 0, 2, ">", "`>` without a file"),
        ("a > 2>&1", 0, 2, ">", "`>` without a file"),
        ("a >b >c", 0, 5, ">", "standard output is redirected twice"),
        ("a >b >>c", 0, 5, ">>", "standard output is redirected twice"),
        ("a >b &>c", 0, 5, "&>", "standard output is redirected twice"),
        ("a &>b 2>&1", 0, 6, "2>&1", "standard error is redirected twice"),
        ("a 2>b 2>c", 0, 6, "2>", "standard error is redirected twice"),
        ("a 2>&1 2>&1", 0, 7, "2>&1", "standard error is redirected twice"),
        ("a <b <c", 0, 5, "<", "standard input is redirected twice"),
        ("a >${x} >${y}", 1, 1, ">", "standard output is redirected twice"),
        ("a 2>&1 >b", 0, 7, ">", "`2>&1` before the redirection of standard output"),
        ("a | b <c", 0, 6, "<", "the pipe already takes standard input of this stage"),
        ("a | <c b", 0, 4, "<", "the pipe already takes standard input of this stage"),
        ("a >b | c", 0, 2, ">", "the pipe already takes standard output of this stage"),
        ("a &>b | c", 0, 2, "&>", "the pipe already takes standard output of this stage"),
        ("a | b >>c | d", 0, 6, ">>", "the pipe already takes standard output of this stage"),
        // The first mistake is the one that is told.
        ("a ${x} ${y};'", 2, 0, ";", "unquoted `;`"),
    ];
    for (inside, piece, offset, text, message) in cases {
        let Err(error) = parse_inside(inside) else { panic!("{inside} was taken") };
        assert_eq!(pointed_at(inside, &error), (piece, text.into()), "{inside}");
        assert_eq!(error.offset, offset, "{inside}");
        let full = format!("{message} in a command template");
        assert!(error.message == message || error.message == full, "{inside}: {error}");
        assert!(error.help.is_some(), "{inside}");
    }
}

#[test]
fn accepts_pieces_that_no_scanner_makes() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "empty command template"),
        (&["a \\"], "nothing follows the backslash in a command template"),
        (&["a \\", ""], "nothing follows the backslash in a command template"),
        (&["a \"\\"], "unclosed `\"` in a command template"),
        (&["a ${"], "unquoted `${` in a command template"),
    ];
    for (pieces, message) in cases {
        let error = parse(pieces).expect_err("no template");
        assert_eq!(error.message, *message, "{pieces:?}");
    }
    assert_eq!(parse(&["a `", "\"\\", "\""]).map(|template| show(&template)), Ok("a·'`«0»\\«1»".into()));
}
