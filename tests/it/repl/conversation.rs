//! What is shown of values and errors.

use super::home::{Home, enter, kid, kid_line};

/// The output of entries from a pipe that all succeed.
fn shown(entries: &str) -> String {
    let ended = Home::new().entries(entries);
    assert_eq!(ended.err, "");
    assert_eq!(ended.status.code(), Some(0));
    ended.out
}

#[test]
fn results_have_names() {
    assert_eq!(shown("1\n2\n_ + _2\n_3\n[_, _2]\n\"last\";\n_\n()\n_\n"), "1\n2\n3\n1\n[1, 3]\n\"last\"\n\"last\"\n");
    // Where it is something else it stays that.
    assert_eq!(
        shown("switch 5 { 1 => \"one\", _ => \"other\" }\n#{_1: 2}.len()\n`_ ${_}`\n"),
        "\"other\"\n1\n\"_ 1\"\n"
    );
    let ended = Home::new().entries("throw \"first\"\n_err.message\n_err.line\n");
    assert_eq!(ended.out, "\"first\"\n1\n");
}

#[test]
fn values_are_shown_for_people() {
    let table = shown("[#{name: \"a\", size: 1}, #{name: \"日本\", size: 200}]\n");
    assert_eq!(table, "name  size\n----  ----\na        1\n日本   200\n");
    let long = shown("let a = []; for i in 0..500 { a.push(#{n: i}); } a\n:all\n");
    assert!(long.contains("\n19\n… 480 more\n(:all shows everything)\n"), "{long}");
    assert!(long.ends_with("\n499\n"), "{long}");
    assert_eq!(shown("blob(3, 65)\n"), "blob of 3 bytes\n41 41 41                                         AAA\n");
    let text = shown("let t = \"\"; t.pad(1500, 'x'); t\n:all\n");
    assert!(text.contains("x\"\n… 500 more characters\n(:all shows everything)\n\"xx"), "{text}");
    assert_eq!(shown("secret(\"hunter22\")\n[secret(\"hunter22\")]\n"), "***\n[***]\n");
    let path = shown("path(\"a b\")\n#{p: path(\"x\"), d: duration(\"90s\")}\n");
    assert!(path.starts_with("path(\"a b\")\n#{d: "), "{path}");
}

#[test]
fn deep_and_large_values_are_no_danger() {
    let deep = "let a = []; for i in 0..5000 { a = [a]; } a\n_.len()\n:vars\n:reset\n";
    let shown = shown(deep);
    assert!(shown.starts_with("[[[[[[[[[[[[[…]]]]]]]]]]]]]\n1\n"), "{shown}");
}

#[test]
fn a_command_that_is_the_entry_is_run() {
    let home = Home::new();
    let entries = [
        kid("echo hello"),
        format!("{};", kid("echo hidden")),
        "_".to_string(),
        format!("let c = {}", kid("exit 3")),
        "c".to_string(),
        "c.arg(\"--\").args([\"exit\", \"4\"])".to_string(),
        format!("{} | {}", kid("echo through"), kid("cat-upper")),
        "_.code".to_string(),
    ];
    let ended = home.entries(entries.join("\n"));
    let quoted = kid_line("echo hidden");
    let (note, name) = ("(a command that has not been run: .run() runs it)", kid_line("exit 3"));
    assert_eq!(ended.out, format!("hello\n{quoted}\n{note}\n{name}\n{note}\nTHROUGH\n0\n"));
    assert!(ended.err.starts_with(&format!("exit 3 · {} · ", kid_line("exit 3 -- exit 4"))), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
}

#[test]
fn errors_point_at_the_entry_that_has_the_text() {
    let entries = "fn broken(n) {\n    let more = n + 1;\n    throw \"too much: \" + more;\n}\nlet a = 1;\nlet b = 2;\n\
                   fn calls(n) { broken(n) }\nlet c = 3;\ncalls(4)\n";
    let ended = Home::new().entries(entries);
    assert_eq!(
        ended.err,
        "error: too much: 5\n --> entry 1:3:5\n  |\n3 |     throw \"too much: \" + more;\n  |     ^\n   \
         = in `broken`, called from entry 4:1:15\n   = in `calls`, called from entry 6:1:1\n"
    );
    // One that was defined again is the new one, also for those that call it.
    let again = shown("fn f() { 1 }\nfn g() { f() }\nfn f() { 2 }\ng()\nlet h = || f();\nh.call()\n");
    assert_eq!(again, "2\n2\n");
    let closure = Home::new().entries("let f = |x| x.nope;\n1\nf.call(2)\n");
    assert!(closure.err.contains("--> entry 1:1:15"), "{}", closure.err);
}

#[test]
fn imports_stay() {
    assert_eq!(shown("import \"std/semver\" as semver\nlet x = 1;\nsemver::parse(\"1.2.3\").major\n"), "1\n");
    let ended = Home::new().entries("import \"std/semver\" as semver\nsemver::pars(\"1\")\n");
    assert!(ended.err.contains("did you mean"), "{}", ended.err);
}

#[test]
fn a_module_is_mended_and_imported_again() {
    let home = Home::new();
    for (name, text) in [("syntax", "fn f() { 1"), ("throws", "throw \"no\"; fn f() { 1 }"), ("inner", "fn f() { 1 }")]
    {
        home.scratch.write(&format!("{name}.rhai"), text);
    }
    home.scratch.write("outer.rhai", "import \"inner\" as inner; fn f() { inner::f() }");
    let mend = |name: &str, text: &str| format!("write_text({:?}, {text:?})", format!("{name}.rhai"));
    let entries = [
        // What does not parse, what fails when it is evaluated, what is not there.
        "import \"syntax\" as syntax".to_string(),
        mend("syntax", "fn f() { 42 }"),
        "import \"syntax\" as syntax; syntax::f()".into(),
        "import \"throws\" as throws".into(),
        mend("throws", "fn f() { 43 }"),
        "import \"throws\" as throws; throws::f()".into(),
        "import \"absent\" as absent".into(),
        mend("absent", "fn f() { 44 }"),
        "import \"absent\" as absent; absent::f()".into(),
        // One that is as it should be and changes: of those that import it, too, and of none before it is imported.
        "import \"outer\" as outer; outer::f()".into(),
        mend("inner", "\nfn f() {\n  45\n}\nfn fails() { throw \"in the new text\" }"),
        "outer::f()".into(),
        "import \"outer\" as outer; outer::f()".into(),
        "import \"inner\" as inner; inner::fails()".into(),
    ];
    let ended = home.entries(entries.join("\n"));
    assert_eq!(ended.out, "42\n43\n44\n1\n1\n45\n", "{}", ended.err);
    assert!(ended.err.contains("syntax.rhai:1:11") || ended.err.contains("is never closed"), "{}", ended.err);
    assert!(ended.err.contains("there is no module \"absent\""), "{}", ended.err);
    assert!(ended.err.contains("inner.rhai:5:14"), "{}", ended.err);
    for name in ["syntax", "throws", "inner", "outer", "absent"] {
        std::fs::remove_file(home.scratch.path().join(format!("{name}.rhai"))).expect("it is there");
    }
}

#[test]
fn what_a_failed_entry_has_made_stays() {
    let ended = Home::new().entries("let a = 1; throw \"no\"\na\n");
    assert_eq!(ended.out, "1\n");
}

#[test]
fn standard_input_is_a_script_without_i() {
    let home = Home::new();
    let open = home.entries_with(&[], "print(1);\nlet x = {\n");
    assert_eq!((open.status.code(), open.out.as_str()), (Some(2), ""), "nothing was run");
    // Neither a key nor text.
    let erased = home.entries_with(&[], "print(\"ab\x08c\");\n");
    assert_eq!(erased.out, "ab\x08c\n");
    let bytes = home.entries_with(&[], b"print(1);\n\xff\n");
    assert_eq!(bytes.status.code(), Some(2));
    assert!(bytes.err.contains("not UTF-8"), "{}", bytes.err);
}

#[test]
fn entries_from_a_pipe_are_read_to_the_end() {
    let home = Home::new();
    let cut = home.entries("1 + 1\nlet x = [\n");
    assert_eq!((cut.status.code(), cut.out.as_str()), (Some(2), "2\n"));
    assert!(cut.err.contains("is never closed"), "{}", cut.err);
    // A mistake takes no other line with it.
    let wrong = home.entries("foo)\n1 + 1\n\"a\x08b\".len()\n");
    assert_eq!(wrong.out, "2\n3\n");
    let bytes = home.entries(b"1\n\xff\n2\n");
    assert_eq!((bytes.status.code(), bytes.out.as_str()), (Some(2), "1\n"));
    assert!(bytes.err.contains("line 2, column 1 is not UTF-8 text"), "{}", bytes.err);
    assert_eq!(home.entries("throw 1\n").status.code(), Some(1), "a failure is heard");
    assert_eq!(home.entries("throw 1\n2\n").status.code(), Some(0));
    assert_eq!(home.entries("exit(7)\n1\n").status.code(), Some(7));
}

#[test]
fn the_rc_file_is_evaluated_first() {
    let home = Home::new();
    let config = home.scratch.temp().join(".config/procscript");
    std::fs::create_dir_all(&config).expect("it can be made");
    let rc = config.join("rc.rhai");
    std::fs::write(&rc, "let greeting = \"hello\";\nfn twice(n) { 2 * n }\n").expect("it can be written");
    assert_eq!(home.entries("greeting\ntwice(4)\n").out, "\"hello\"\n8\n");
    let without = home.entries_with(&["-i", "--no-rc"], "greeting\n");
    assert!(without.err.contains("there is no variable `greeting`"), "{}", without.err);
    // A script never sees it.
    let script = home.entries_with(&[], "print(greeting);\n");
    assert_eq!(script.status.code(), Some(2));
    // A mistake in it is told, and the session begins.
    std::fs::write(&rc, "let a = 1;\nlet b = ;\n").expect("it can be written");
    let broken = home.entries("1 + 1\n");
    assert_eq!(broken.out, "2\n");
    assert!(broken.err.contains("procscript/rc.rhai:2:9"), "{}", broken.err);
    let mut terminal = home.session_with(&[], &[]);
    enter(&mut terminal, "40 + 2", "\n42");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_dir_all(home.scratch.temp().join(".config")).expect("it is there");
}

#[test]
fn a_file_may_come_first() {
    let home = Home::new();
    home.scratch.write("lib.rhai", "fn three() { 3 }\nlet x = three();\n");
    let ended = home.entries_with(&["-i", "lib.rhai"], "x + three()\n");
    assert_eq!(ended.out, "6\n", "{}", ended.err);
    std::fs::remove_file(home.scratch.path().join("lib.rhai")).expect("it is there");
}

#[test]
fn closed_streams_are_said_and_no_panic() {
    let home = Home::new();
    let shell = |line: &str| {
        let program = crate::support::procscript_bin();
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", line]).arg(program).current_dir(home.scratch.path()).env("HOME", home.scratch.temp());
        command.output().expect("a shell")
    };
    let closed = shell("exec \"$0\" -i <&-");
    assert_eq!(closed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&closed.stderr).contains("it is closed"));
    let closed = shell("echo 1 | \"$0\" -i >&-");
    assert_eq!(closed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&closed.stderr).contains("cannot write"));
    // The same for what is no session.
    let closed = shell("exec \"$0\" <&-");
    assert_eq!(closed.status.code(), Some(2));
    let closed = shell("echo 'print(1)' | \"$0\" >&-");
    assert_eq!(closed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&closed.stderr).contains("cannot write"));
    let full = shell("echo 1 | \"$0\" -i > /dev/full");
    assert_eq!(full.status.code(), Some(1));
}

#[test]
fn background_output_goes_above_the_line() {
    let home = Home::new();
    let mut terminal = home.session();
    let go = home.scratch.path().join("go");
    let waiting = kid(&format!("wait-for {} -- echo from-behind", go.display()));
    enter(&mut terminal, &format!("let job = {waiting}.start();"), "");
    terminal.type_text("1 + ").expect("1 + ");
    std::fs::write(&go, "").expect("it can be written");
    terminal.expect("from-behind").expect("[ended] exit 0");
    // What was typed is still there.
    enter(&mut terminal, "41", "\n42");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_file(go).expect("it is there");
}
