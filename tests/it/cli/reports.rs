//! Failures for programs: one line of JSON. Modules on a path of their own.

use super::{eval, shell};
use crate::support::run::{Outcome, Run};

fn json(code: &str) -> Outcome {
    Run::new().flag("--error-format").flag("json").flag("-e").flag(code).run()
}

/// The one line on standard error.
fn object(outcome: &Outcome) -> serde_json::Value {
    let text = String::from_utf8(outcome.stderr.clone()).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_failing_command_is_told_whole() {
    let outcome = json(
        "fn f() { (cmd(\"true\") | cmd(\"testkid\", \"err\", \"é\\\"\", \"--\", \"exit\", \"3\")).output(); }\nf();",
    );
    outcome.status(3).stdout("");
    let told = object(&outcome);
    assert_eq!(told["kind"], "exit_status");
    assert_eq!((&told["file"], &told["line"], &told["code"]), (&"-e".into(), &1.into(), &3.into()));
    assert_eq!(told["calls"][0]["function"], "f");
    assert_eq!(told["calls"][0]["line"], 2);
    assert_eq!((&told["stage"], told["stages"].as_array().map(Vec::len)), (&1.into(), Some(2)));
    assert_eq!(told["stages"][0]["code"], 0);
    assert_eq!(told["stderr"], "é\"\n");
    assert_eq!(told["argv"], serde_json::json!(["testkid", "err", "é\"", "--", "exit", "3"]));
    assert!(told["message"].as_str().is_some_and(|message| message.contains("stage 2 of 2")), "{told}");
}

#[test]
fn every_kind_of_failure_is_a_line() {
    for (code, exit, kind) in [
        ("let x = ;", 2, "load"),
        ("prnt(1); cmd(\"x\");", 2, "load"),
        ("throw \"a\\nb\"", 1, "script_error"),
        ("1 / 0", 1, "script_error"),
        ("cmd(\"no-such-program\").run()", 127, "not_found"),
        ("cmd(\"testkid\", \"forever\").timeout(\"20ms\").run()", 124, "timed_out"),
        ("cmd(\"testkid\", \"signal\", \"KILL\").run()", 137, "signaled"),
        ("env(\"NO_SUCH_VARIABLE\")", 1, "invalid_argument"),
    ] {
        let outcome = json(code);
        outcome.status(exit);
        assert_eq!(object(&outcome)["kind"], kind, "{code}");
    }
    let problems = object(&json("prnt(1); cmd(\"x\");"))["problems"].clone();
    let codes: Vec<_> = problems.as_array().into_iter().flatten().map(|problem| problem["code"].clone()).collect();
    assert_eq!(codes, ["unknown-function", "unused-command"]);
    json("print(1)").success().stdout("1\n").stderr("");
}

#[test]
fn reports_tell_tries_and_causes() {
    let code = "retry(3, || cmd(\"testkid\", \"exit\", \"4\").run())";
    eval(code).run().status(4).stderr_contains("= it was tried 3 times");
    let code = "with timeout(\"500ms\") { cmd(\"testkid\", \"forever\").run() }";
    let outcome = eval(code).run();
    outcome.status(124).stderr_contains("error: the block timed out after 500 ms, while `testkid forever` was running");
    outcome.stderr_contains(" --> -e:1:1\n").stderr_contains("= because of this: `testkid forever` timed out");
}

#[test]
fn modules_are_found_on_the_library_path() {
    let code = "import \"greet\" as greet; print(greet::hello());";
    let hello = |place: &str| format!("fn hello() {{ \"from {place}\" }}");
    let run = || Run::new().file("one/greet.rhai", hello("one")).file("two/greet.rhai", hello("two"));
    run().flag("-L").flag("one").flag("-e").flag(code).run().success().stdout("from one\n");
    run().flag("-L").flag("two").flag("-L").flag("one").flag("-e").flag(code).run().success().stdout("from two\n");
    let path = "no/such:two";
    run().env("PROCSCRIPT_PATH", path).flag("-e").flag(code).run().success().stdout("from two\n");
    // What is beside the script goes first, and what says where it is, is there or nowhere.
    let beside = run().file("greet.rhai", hello("here")).flag("-L").flag("one").flag("-e");
    beside.flag(code).run().success().stdout("from here\n");
    let missing = run().flag("-L").flag("one").flag("-e").flag("import \"./greet\" as greet;").run();
    missing.status(2).stderr_contains("there is no module \"./greet\"");
    run().flag("-e").flag(code).run().status(2).stderr_contains("there is no module \"greet\"");
}

#[test]
fn an_import_does_not_end_the_program() {
    let run = Run::new().file("bad.rhai", "exit(3);\n").flag("-e").flag("import \"bad\" as bad; print(1);");
    let outcome = run.run();
    outcome.status(1).stdout("").stderr_contains("exit cannot be called while a module is imported");
    outcome.stderr_contains("bad.rhai:1:1");
    // In a function of a module it is the program's.
    let run = Run::new().file("good.rhai", "fn leave() { exit(3); }\n");
    run.flag("-e").flag("import \"good\" as good; good::leave();").run().status(3).stderr("");
}

#[test]
fn a_mistake_in_the_body_of_a_module_has_its_place_there() {
    let body = "let a = 1;\n\n  defer { a += 1; } a / 0;\n";
    let run = Run::new().file("bad.rhai", body).flag("-e").flag("print(1);\nimport \"bad\" as bad;");
    let outcome = run.run();
    outcome
        .status(1)
        .stdout("1\n")
        .stderr_contains("bad.rhai:3:23\n")
        .stderr_contains("3 |   defer { a += 1; } a / 0;");
    outcome.stderr_contains("called from -e:2:8");
}

#[test]
fn a_script_says_which_version_it_needs() {
    for good in ["0.1", "0.1.0", "0"] {
        eval(&format!("requires(\"{good}\"); print(1);")).run().success().stdout("1\n");
    }
    for bad in ["0.2", "1", "0.1.1", "99.0"] {
        let outcome = eval(&format!("requires(\"{bad}\"); print(1);")).run();
        outcome.status(1).stdout("").stderr_contains(&format!("this script needs procscript {bad}, and this is "));
    }
    eval("requires(\"new\")").run().status(1).stderr_contains("`new` is no version");
}

#[test]
fn memory_and_recursion_end_in_an_error() {
    let limited = |code: &str| Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(code).run();
    let message = "the script holds more memory than its limit of 64 MiB";
    for code in [
        "let s = \"0123456789abcdef\"; loop { s += s; }",
        "let s = \"0123456789abcdef\"; try { loop { s += s; } } catch { print(\"caught\") } print(\"after\");",
        "let a = [1, 2, 3, 4]; loop { a += a; }",
        "let b = blob(1000); loop { b += b; }",
        "fn grow(s) { grow_more(s + s) } fn grow_more(s) { loop { s += s; } } grow(\"0123456789\");",
    ] {
        limited(code).status(1).stdout("").stderr_contains(message);
    }
    limited("let s = \"x\"; s.pad(1000000, \"y\"); print(s.len());").success().stdout("1000000\n");
    let wrong = Run::new().flag("--memory-limit").flag("much").flag("-e").flag("1").run();
    wrong.status(2).stderr_contains("is not a size");
}

#[test]
fn lost_messages_are_no_success() {
    for (code, status) in [
        ("eprint(1); print(2);", 1),
        ("debug(1); print(2);", 1),
        ("import \"std/log\" as log; log::error(\"x\"); print(2);", 1),
        ("eprint(1); print(2); exit(0);", 1),
        ("eprint(1); print(2); exit(3);", 3),
        ("print(2);", 0),
    ] {
        for stream in ["2> /dev/full", "2>&-"] {
            let outcome = shell(&format!("exec \"$0\" -e '{code}' {stream}")).run();
            // It goes on: nobody may stop a deployment by not listening.
            outcome.status(status).stdout("2\n");
        }
    }
    // Where the reader has left, it ends as any program does that writes there.
    // The shell, too, has a reading end, until it has started both.
    let code = "wait_for(#{ path: \"left\" }); wait_for(#{ path: \"both\" }); eprint(1); print(2);";
    let line = format!(
        "exec 3>&1; {{ \"$0\" -e '{code}' 2>&1 >&3 3>&-; echo $? >&3; }} | {{ exec <&-; : >left; }} & : >both; wait"
    );
    shell(&line).allow_file("left").allow_file("both").run().success().stdout("2\n141\n");
}

#[test]
fn a_system_without_a_null_device_is_what_is_told() {
    let line = "unshare -m sh -c 'mount -t tmpfs none /dev && exec \"$0\" -e \"cmd(\\\"echo\\\").stdout_null().run();\"' \"$0\"";
    let outcome = shell(line).run();
    let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
    if told.contains("unshare:") || told.contains("mount:") {
        println!("SKIP: nothing can be mounted");
        return;
    }
    outcome.status(1).stderr_contains("cannot open `/dev/null`: No such file or directory");
}
