//! `procscript check`: files, standard input, the two formats, exit codes.

use serde_json::{Value, json};

use super::shell;
use crate::support::run::Run;

fn check(arguments: &[&str]) -> Run {
    arguments.iter().fold(Run::new().flag("check"), |run, argument| run.flag(*argument))
}

#[test]
fn what_is_clean_is_not_talked_about() {
    let clean = "#!/usr/bin/env procscript\nlet x = 1;\nprint(x);\n";
    check(&["a.rhai", "b.rhai"]).file("a.rhai", clean).file("b.rhai", "").run().success().stdout("").stderr("");
    check(&["--format", "json", "a.rhai"]).file("a.rhai", clean).run().success().stdout("[]\n").stderr("");
    check(&["-"]).stdin(clean).run().success().stdout("").stderr("");
}

#[test]
fn problems_are_shown_with_their_lines() {
    let outcome = check(&["a.rhai"]).file("a.rhai", "cmd(\"true\");\nexit(0);\nprint(2);\n").run();
    outcome.status(1).stderr("").stdout(
        "error: this command is built but never run [unused-command]\n --> a.rhai:1:1\n  |\n1 | cmd(\"true\");\n  | ^\n\
         help: run it with .run(), or keep it: let command = …\n\
         \nwarning: this is never reached, because of the `exit` before it [unreachable-code]\n --> a.rhai:3:1\n  |\n\
         3 | print(2);\n  | ^\n\
         \n1 error, 1 warning\n",
    );
    check(&["-"]).stdin("frob();").run().status(1).stdout_contains("standard input:1:1").stdout_contains("\n1 error\n");
    // All of them, not as many as the runner tells.
    let many: String = (0..50).map(|n| format!("f{n}();\n")).collect();
    check(&["-"]).stdin(&many).run().status(1).stdout_contains("`f49`").stdout_contains("\n50 errors\n");
    check(&["-"]).stdin("exit(0); print(1)").run().status(1).stdout_contains("\n1 warning\n");
    check(&["a.rhai"]).file("a.rhai", "print(\"\u{1b}[31m\"); frob();").run().status(1);
}

#[test]
fn problems_are_data_with_json() {
    let run =
        check(&["--format=json", "a.rhai", "-"]).file("a.rhai", "print(\"日\");\nlet x = \"a\\\"\n").stdin("prnt(1);");
    let outcome = run.run();
    let found: Value = serde_json::from_slice(&outcome.stdout).expect("it is JSON");
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
    assert_eq!(found[0]["file"], json!("a.rhai"));
    assert_eq!((&found[0]["line"], &found[0]["column"], &found[0]["code"]), (&json!(2), &json!(9), &json!("syntax")));
    assert_eq!(
        found[1],
        json!({
            "file": "standard input", "line": 1, "column": 1, "code": "unknown-function", "severity": "error",
            "message": "there is no function `prnt`", "help": "did you mean `print`?",
        })
    );
    outcome.status(1).stderr("");
}

#[test]
fn files_that_cannot_be_read_do_not_stop_the_others() {
    let outcome = check(&["missing.rhai", "bad.rhai", "a.rhai", "."])
        .file("bad.rhai", b"print(1);\n\xff\xfe")
        .file("a.rhai", "frob();")
        .run();
    outcome.status(2).stdout_contains("a.rhai:1:1").stdout_contains("\n1 error\n");
    outcome.stderr_contains("`missing.rhai`").stderr_contains("bad.rhai:2:1").stderr_contains("it is a directory");
    let outcome = check(&["--format", "json", "missing.rhai", "a.rhai"]).file("a.rhai", "1").run();
    outcome.status(2).stdout("[]\n").stderr_contains("`missing.rhai`");
    shell("exec \"$0\" check - <&-").run().status(2).stderr_contains("it is closed");
}

#[test]
fn a_module_is_told_about_once() {
    let outcome = check(&["--format", "json", "a.rhai", "b.rhai", "m.rhai"])
        .file("a.rhai", "import \"m\" as m;\nfrob();\n")
        .file("b.rhai", "import \"m\" as m;\n")
        .file("m.rhai", "cmd(\"touch\", \"ran\").run();\nprint(x);\n")
        .run();
    let found: Value = serde_json::from_slice(&outcome.stdout).expect("it is JSON");
    let briefs: Vec<_> = found
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|problem| {
            let file = problem["file"].as_str().and_then(|file| file.rsplit('/').next()).unwrap_or_default();
            format!("{file} {}", problem["code"].as_str().unwrap_or_default())
        })
        .collect();
    // Nothing was run: the run would have complained about the file `ran`.
    assert_eq!(briefs, ["a.rhai unknown-function", "m.rhai undefined-variable"]);
    outcome.status(1);
}

#[test]
fn wrong_usage_and_lost_output_are_told() {
    check(&[]).run().status(2).stderr_contains("FILE");
    check(&["--format", "xml", "a.rhai"]).run().status(2).stderr_contains("json");
    check(&["--help"])
        .run()
        .success()
        .stdout_contains("procscript: allow(CODE)")
        .stdout_contains("Exit codes")
        .stdout_contains("*program-not-found ");
    let full = shell("exec \"$0\" check a.rhai > /dev/full").file("a.rhai", "frob();").run();
    full.status(1).stderr_contains("No space left on device");
    // A script that has the name of the tool.
    Run::new().flag("./check").file("check", "print(\"hi\");").run().success().stdout("hi\n");
}
