//! `procscript fmt`: files, standard input, what is written and what is not.

use std::os::unix::fs::PermissionsExt;

use procscript::process::cmd;

use super::shell;
use crate::support::run::Run;
use crate::support::users::{ordinary, public_copy};
use crate::support::{leaks, procscript_bin};

const UGLY: &str = "let x=1;\nif x==1\n{ print( x ) }\n";
const NEAT: &str = "let x = 1;\nif x == 1 { print(x) }\n";

fn fmt(files: &[&str]) -> Run {
    files.iter().fold(Run::new().flag("fmt"), |run, file| run.flag(*file))
}

#[test]
fn files_are_rewritten() {
    let outcome = fmt(&["a.rhai", "b.rhai"]).file("a.rhai", UGLY).file("b.rhai", NEAT).run();
    outcome.success().stdout("").stderr("");
    assert_eq!((outcome.scratch.read("a.rhai").as_str(), outcome.scratch.read("b.rhai").as_str()), (NEAT, NEAT));
    assert_eq!(outcome.scratch.listing(), ["a.rhai", "b.rhai"]);
}

#[test]
fn check_changes_nothing_and_says_what_would_change() {
    let outcome = fmt(&["--check", "a.rhai", "b.rhai"]).file("a.rhai", UGLY).file("b.rhai", NEAT).run();
    outcome.status(1).stderr("").stdout(
        "a.rhai is not formatted:\n     1 - let x=1;\n     1 + let x = 1;\n     2 - if x==1\n     3 - { print( x ) }\n     \
         2 + if x == 1 { print(x) }\n",
    );
    assert_eq!(outcome.scratch.read("a.rhai"), UGLY);
    fmt(&["--check", "b.rhai"]).file("b.rhai", NEAT).run().success().stdout("").stderr("");
}

#[test]
fn the_differences_are_short_and_show_white_space() {
    let show = |source: &str| {
        let outcome = fmt(&["--check"]).stdin(source).run();
        let shown = outcome.status(1).shown(&outcome.stdout);
        shown.strip_prefix("standard input is not formatted:\n").expect("it says which").to_string()
    };
    assert_eq!(
        show("a;\r\n\tb;"),
        "     1 - a;\\r\n     1 + a;\n     2 - \\tb;\n     2 + b;\n       (no line feed at the end)\n"
    );
    assert_eq!(show("a\n\n\n"), "     2 - \n     3 - \n");
    assert_eq!(show("\n"), "     1 - \n");
    assert_eq!(show(&"a=1;\n".repeat(1000)).lines().count(), 21);
    assert!(show(&format!("let a=\"{}\";", "x".repeat(10_000))).len() < 500);
}

#[test]
fn standard_input_goes_to_standard_output() {
    for run in [fmt(&["-"]), fmt(&[])] {
        run.stdin(UGLY).run().success().stdout(NEAT).stderr("");
    }
    fmt(&["-"]).stdin(NEAT).run().success().stdout(NEAT);
    fmt(&["-"]).run().success().stdout("").stderr("");
    fmt(&["--check", "-"]).stdin(NEAT).run().success().stdout("");
    fmt(&["-"]).stdin("f(").run().status(2).stdout("").stderr_contains("standard input:1:");
    fmt(&["-"]).stdin(b"\xff").run().status(2).stdout("").stderr_contains("not UTF-8");
    shell("exec \"$0\" fmt - <&-").run().status(2).stderr_contains("it is closed");
    shell("echo 'a' | \"$0\" fmt - > /dev/full").run().status(1).stderr_contains("No space left on device");
    shell("{ yes 'a=1;' | head -n 20000 | \"$0\" fmt -; echo $? >&2; } | testkid read-line")
        .run()
        .success()
        .stdout("a = 1;\n")
        .stderr("141\n");
}

#[test]
fn all_syntax_of_ours_is_known() {
    let source = "with dir( \"/\" ){ defer{ a() } }\nlet c=sh$`a|b`;\n";
    fmt(&["-"]).stdin(source).run().success().stdout("with dir(\"/\") { defer { a() } }\nlet c = sh$`a|b`;\n");
}

#[test]
fn what_cannot_be_done_does_not_stop_the_rest() {
    let outcome = fmt(&["none.rhai", "broken.rhai", "a.rhai", "dir", "latin.rhai"])
        .file("broken.rhai", "let x=1;\nf(\n")
        .file("a.rhai", UGLY)
        .file("dir/x", "")
        .file("latin.rhai", b"// caf\xe9\nlet x=1;\n")
        .run();
    outcome.status(2).stdout("").stderr_contains("cannot read the script `none.rhai`: No such file or directory\n");
    outcome.stderr_contains("broken.rhai:3:").stderr_contains("`dir`: it is a directory").stderr_contains("not UTF-8");
    assert_eq!(outcome.scratch.read("a.rhai"), NEAT);
    assert_eq!(outcome.scratch.read("broken.rhai"), "let x=1;\nf(\n");
    // The worst of all is the exit code, wherever it comes.
    let run = fmt(&["--check", "none.rhai", "a.rhai"]).file("a.rhai", UGLY).run();
    run.status(2).stdout_contains("a.rhai is not formatted");
}

#[test]
fn only_syntax_matters() {
    // Neither a module nor a function has to be there.
    let source = "import \"no/such\" as m; nobody( knows.it );";
    fmt(&["-"]).stdin(source).run().success().stdout("import \"no/such\" as m; nobody(knows.it);\n");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_go() {
    let outcome = fmt(&["a.rhai"]).file("a.rhai", "\u{feff}let x = 1;\r\nx").run();
    outcome.success();
    assert_eq!(outcome.scratch.read("a.rhai"), "let x = 1;\nx\n");
}

#[test]
fn permissions_and_links_stay() {
    let outcome =
        shell("chmod 751 a.rhai; ln -s a.rhai link.rhai; \"$0\" fmt link.rhai; stat -c %a a.rhai; readlink link.rhai")
            .file("a.rhai", UGLY)
            .allow_file("link.rhai")
            .run();
    outcome.success().stdout("751\na.rhai\n").stderr("");
    assert_eq!(outcome.scratch.read("a.rhai"), NEAT);
}

#[test]
fn what_is_formatted_is_not_written() {
    let line = "before=$(stat -c '%i %Y' a.rhai); \"$0\" fmt a.rhai; test \"$before\" = \"$(stat -c '%i %Y' a.rhai)\"";
    shell(line).file("a.rhai", NEAT).run().success();
}

#[test]
fn a_read_only_file_stays_as_it_is() {
    let outcome = shell("chmod 444 a.rhai; exec \"$0\" fmt a.rhai").file("a.rhai", UGLY).run();
    outcome.status(2).stderr("error: cannot write `a.rhai`: it is read-only\n");
    assert_eq!(outcome.scratch.read("a.rhai"), UGLY);
    let outcome = shell("mkfifo pipe; echo 'a=1' > pipe & \"$0\" fmt pipe").allow_file("pipe").run();
    outcome.status(2).stderr("error: cannot write `pipe`: it is no plain file\n");
}

#[test]
fn a_directory_that_takes_no_file_is_an_error_and_the_others_are_done() {
    let _shared = leaks::shared();
    let (place, program) = public_copy(procscript_bin());
    let closed = place.path().join("closed");
    let open = place.path().join("open");
    for dir in [&closed, &open] {
        std::fs::create_dir(dir).expect("it is ours");
        std::fs::write(dir.join("a.rhai"), UGLY).expect("it is ours");
        std::fs::set_permissions(dir.join("a.rhai"), PermissionsExt::from_mode(0o666)).expect("it is ours");
    }
    let mode = |dir, mode| std::fs::set_permissions(dir, PermissionsExt::from_mode(mode)).expect("it is ours");
    mode(&closed, 0o555);
    mode(&open, 0o777);
    let files = [closed.join("a.rhai"), open.join("a.rhai")];
    let command = cmd(program, ["fmt".as_ref(), files[0].as_os_str(), files[1].as_os_str()]);
    let output = ordinary(command).dir("/").unchecked().output().expect("it runs");
    mode(&closed, 0o755);
    let message =
        format!("error: cannot write `{}`: cannot make a file beside it: Permission denied\n", files[0].display());
    assert_eq!(String::from_utf8_lossy(&output.stderr.unwrap_or_default()), message);
    assert_eq!(output.status.code(), Some(2));
    let texts = files.map(|file| std::fs::read_to_string(file).expect("it is there"));
    assert_eq!(texts, [UGLY, NEAT]);
    assert_eq!(std::fs::read_dir(&closed).expect("it is there").count(), 1);
    assert_eq!(std::fs::read_dir(&open).expect("it is there").count(), 1);
}

#[test]
fn a_script_of_that_name_is_run_by_its_path() {
    let script = "print(args());";
    Run::new().flag("./fmt").arg("x").file("fmt", script).run().success().stdout("[\"x\"]\n");
    Run::new().flag("--").flag("fmt").arg("x").file("fmt", script).run().success().stdout("[\"x\"]\n");
    Run::new().flag("-e").flag(script).arg("fmt").arg("--check").run().success().stdout("[\"fmt\", \"--check\"]\n");
    // The word alone is the tool, which reads standard input.
    Run::new().flag("fmt").file("fmt", script).run().success().stdout("");
}

#[test]
fn help_says_what_it_does() {
    Run::new().flag("--help").run().success().stdout_contains("Format scripts").stdout_contains("COMMAND");
    fmt(&["--help"]).run().success().stdout_contains("--check").stdout_contains("Exit codes").stderr("");
    fmt(&["-h"]).run().success().stdout_contains("Usage: procscript fmt");
    fmt(&["--nonsense"]).run().status(2).stdout("").stderr_contains("error:");
    fmt(&["--chek", "x"]).run().status(2).stderr_contains("--check");
}
