//! The line that a command is shown as, given to a shell.

use procscript::process::{Context, Expression, pipe};

use super::{kid, kid_with, soon};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

fn both() -> Expression {
    kid("echo out -- err err")
}

/// What is left of a run: its two outputs, its code, the files below the directory.
#[derive(Debug, PartialEq)]
struct Traces {
    stdout: String,
    stderr: String,
    code: Option<i32>,
    files: Vec<(String, String)>,
}

/// Runs it in a directory of its own, where there is a file `in`.
fn traces(expression: &Expression) -> Traces {
    let scratch = Scratch::new();
    scratch.write("in", "from a file\n");
    scratch.write("old", "old\n");
    let here = Context::new().with_dir(scratch.path());
    let output = soon(|| expression.clone().within(&here).unchecked().output()).expect("it starts");
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default()).expect("text");
    let files = scratch.listing().into_iter().map(|name| (name.clone(), scratch.read(&name))).collect();
    Traces { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code(), files }
}

#[test]
fn a_shell_does_with_it_what_we_do() {
    let _guard = Guard::new();
    if Context::new().which("bash").is_err() {
        println!("SKIP: there is no bash");
        return;
    }
    let upper = || kid("cat-upper -- err right");
    let cat = || kid("cat");
    let table = [
        both(),
        kid_with("args", ["two words", "it's", "$HOME", "a\nb", "*", "", "~", "日本語", "\u{1b}[31m"]),
        kid("exit 7"),
        cat().stdin_path("in"),
        cat().stdin_null(),
        both().stdout_path("new file").stderr_null(),
        both().stdout_append("old"),
        both().stderr_append("old"),
        both().stderr_to_stdout(),
        both().stdout_to_stderr(),
        both().stdout_path("new").stderr_to_stdout(),
        both().swap_outputs(),
        both().stdout_path("new").swap_outputs(),
        both().tee("copy"),
        both().tee("copy").stderr_to_stdout(),
        both().tee("copy").stderr_path("new"),
        both().tee("copy").stderr_null(),
        both().tee("copy").stdout_path("new"),
        both().tee("copy").swap_outputs(),
        both().tee("copy").stderr_to_stdout().pipe(upper()),
        both().stderr_path("new").stdout_to_stderr(),
        both().stderr_null().stdout_to_stderr(),
        cat().stdin_path("in").tee("copy").pipe(upper()),
        both().pipe(upper()),
        both().swap_outputs().pipe(upper()),
        both().stderr_to_stdout().pipe(cat().pipe(upper())),
        both().pipe(upper()).swap_outputs(),
        both().pipe(upper()).stdout_path("new").stderr_append("old"),
        cat().pipe(upper()).stdin_path("in"),
        cat().pipe(cat()).stdout_path("new").pipe(upper()).stdin_path("in"),
        both().pipe(cat()).stderr_null().pipe(upper().stderr_to_stdout()),
        upper().stdin_command(both()),
        upper().pipe(cat()).stdin_command(both()),
        pipe([both(), cat(), upper()]).expect("three"),
    ];
    for expression in table {
        let line = expression.to_string();
        let pasted = Expression::new("bash").arg("-c").arg(&line);
        assert_eq!(traces(&expression), traces(&pasted), "{line}");
    }
}

#[test]
fn it_does_not_say_what_is_fed_or_kept_secret() {
    // However long the input is, and whatever is in the environment.
    let secret = "s3cret".repeat(1000);
    let plain = kid("cat").to_string();
    let fed = kid("cat").stdin_bytes(secret.clone()).env("TOKEN", &secret).dir("/").timeout(super::millis(1));
    assert_eq!(fed.to_string(), plain);
    assert_eq!(fed.pipe(kid("cat")).env("TOKEN", secret).to_string(), format!("{plain} | {plain}"));
}
