//! `procscript doc`: names, the width of the page, and what is not known.

use super::shell;
use crate::support::run::Run;

fn doc(name: &str) -> Run {
    Run::new().flag("doc").flag(name)
}

#[test]
fn everything_is_listed_in_80_columns() {
    let outcome = Run::new().flag("doc").run();
    outcome.success().stderr("");
    for part in ["\nRunning commands\n\n  Command.run ", "\n  $`…` ", "\n  with ", "\nstd/git\n\n  git::root "] {
        outcome.check(format!("\n{}", String::from_utf8_lossy(&outcome.stdout)).contains(part), part);
    }
    let all = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let wide: Vec<&str> = all.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn a_name_is_that_of_anything() {
    doc("which").run().success().stderr("").stdout(
        "which(name: String) -> Path | ()\nwhich(path: Path) -> Path | ()\n\n    Gives the file that would be run for a \
         program's name or path, or `()` when\n    there is none.\n\n    Shell:  command -v docker\n    Errors: none that \
         a missing program causes.\n\n    Example:\n        print(which(\"no-such-program\") == ()); // => true\n        \
         print(which(\"sh\").ends_with(\"sh\")); // => true\n",
    );
    let command = "(Command | Execution | OutputStream).lines() -> Stream";
    doc("lines").run().success().stdout_contains("(String | Output).lines() -> Array").stdout_contains(command);
    let one = doc("Command.lines").run();
    one.success().stdout_contains(command).check(!one.shown(&one.stdout).contains("(String"), "only the one");
    doc("lines()").run().success().stdout_contains(command);
    doc("$").run().success().stdout_contains("$`program argument ${value} …` -> Command");
    doc("sh$").run().success().stdout_contains("sh$`shell line");
    doc("with").run().success().stdout_contains("with setting(value), … { … }");
    doc("defer").run().success().stdout_contains("defer { … }");
    doc("|").run().success().stdout_contains("Command | Command -> Command");
    doc("git::branch").run().success().stdout_contains("import \"std/git\" as git;");
    doc("std/git").run().success().stdout_contains("git::branch").stdout_contains("not_a_repository");
    doc("Execution").run().success().stdout_contains("\n  Execution.wait ").stdout_contains("Execution.lines ");
    doc("running commands").run().success().stdout_contains("Command.read_raw");
    doc("--format=json").flag("trim").run().success().stdout_contains("\"name\": \"String.trim\"");
}

#[test]
fn what_is_not_known_is_an_error() {
    doc("Comand.lines")
        .run()
        .status(1)
        .stdout("")
        .stderr("error: nothing is called `Comand.lines`\nhelp: did you mean `Command.lines`?\n");
    doc("quux\u{1b}").run().status(1).stderr(
        "error: nothing is called `quux\\u{1b}`\nhelp: `procscript doc` lists everything; Rhai's own functions are in \
         https://rhai.rs/book/\n",
    );
    doc("--format=markdown").flag("trim").run().status(2).stderr_contains("takes no name");
}

#[test]
fn a_reader_may_leave_and_a_lost_answer_is_told() {
    shell("{ \"$0\" doc --format markdown; echo $? >&2; } | testkid read-line").run().success().stderr("141\n");
    shell("exec \"$0\" doc > /dev/full").run().status(1).stderr_contains("No space left on device");
    // A script of that name is run by its path.
    Run::new().flag("./doc").file("doc", "print(\"a script\");").run().success().stdout("a script\n");
}
