//! `cli(#{…})` outside of what a script test shows: hosts, sessions, terminals, streams that fail, and completion.

use std::sync::{Arc, Mutex};

use procscript::process::Context;
use procscript::script::rhai::{Engine, Map};
use procscript::script::{Ending, Failure, FailureKind, Runtime, RuntimeBuilder, Session, install};

use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::{leaks, procscript_bin};

mod completion;

const SCRIPT: &str = r#"
print("printed");
cmd("testkid", "echo", "started").stdout_path("started.txt").run();
let opt = cli(#{
    about: "Deploy the site",
    args: ["[TARGET]  where to [default: staging]", "-j, --jobs=N  how many at once [int] [env: DEPLOY_JOBS]"],
});
`${opt.target} ${opt.jobs}`
"#;

/// What a runtime with these arguments writes, and how the script ends.
fn run(
    source: &str,
    change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
) -> (Result<Ending, Failure>, String, String) {
    let streams: [Arc<Mutex<Vec<u8>>>; 2] = Default::default();
    let [out, err] = streams.clone();
    let builder = Runtime::builder()
        .stdout(move |bytes| out.lock().unwrap().extend_from_slice(bytes))
        .stderr(move |bytes| err.lock().unwrap().extend_from_slice(bytes));
    let runtime = change(builder).build().expect("it builds");
    let script = runtime.load("deploy", source).expect("it loads");
    let ending = runtime.run(&script);
    let [out, err] = streams.map(|stream| String::from_utf8(stream.lock().unwrap().clone()).expect("text"));
    (ending, out, err)
}

#[test]
fn a_host_sees_help_as_an_ending() {
    let _shared = leaks::shared();
    for word in ["--help", "-h"] {
        let (ending, out, err) = run(SCRIPT, |builder| builder.args([word]).script_path("/opt/bin/deploy"));
        assert!(matches!(ending, Ok(Ending::Exited(0))), "{ending:?}");
        assert!(out.starts_with("Deploy the site\n\nUsage: deploy [OPTIONS] [TARGET]\n"), "{out}");
        assert!(!out.contains("printed") && err.is_empty(), "{out}{err}");
    }
    assert!(!std::path::Path::new("started.txt").exists());
}

#[test]
fn a_host_sees_wrong_arguments_as_a_failure() {
    let _shared = leaks::shared();
    let (ending, out, err) = run(SCRIPT, |builder| builder.args(["-j", "x"]));
    let failure = ending.expect_err("it is wrong");
    let FailureKind::Usage(text) = failure.kind() else { panic!("{failure:?}") };
    assert_eq!(failure.message(), "invalid value 'x' for '--jobs <N>': it must be a whole number");
    assert!(
        text.starts_with(&format!("error: {}\n", failure.message())) && text.ends_with("try '--help'.\n"),
        "{text}"
    );
    assert_eq!(&failure.render(), text);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
}

#[test]
fn the_environment_is_that_of_the_runtime() {
    let _shared = leaks::shared();
    let source = SCRIPT.replace("cmd(\"testkid\", \"echo\", \"started\").stdout_path(\"started.txt\").run();", "");
    let (ending, ..) = run(&source, |builder| builder.env("DEPLOY_JOBS", "3"));
    let Ok(Ending::Finished(value)) = ending else { panic!("{ending:?}") };
    assert_eq!(value.into_string().as_deref(), Ok("staging 3"));
    let (ending, ..) = run(&source, |builder| builder.env("DEPLOY_JOBS", "many").args(["--jobs", "5", "prod"]));
    let Ok(Ending::Finished(value)) = ending else { panic!("{ending:?}") };
    assert_eq!(value.into_string().as_deref(), Ok("prod 5"));
    let map: Map = Runtime::builder().build().unwrap().eval("cli(#{ args: [\"-v...\"] })").expect("it runs");
    assert_eq!(map["v"].as_int(), Ok(0));
}

#[test]
fn a_script_can_run_again_with_one_runtime() {
    let _shared = leaks::shared();
    let runtime = Runtime::builder().args(["-vv"]).build().unwrap();
    for _ in 0..2 {
        let count: i64 = runtime.eval("cli(#{ args: [\"-v...\"] }).v").expect("it runs");
        assert_eq!(count, 2);
    }
    // Another declaration is another reading.
    let failure = runtime.eval::<Map>("cli(#{ args: [\"-x\"] })").expect_err("-v is not there");
    assert!(matches!(failure.kind(), FailureKind::Usage(_)), "{failure:?}");
}

#[test]
fn a_session_reads_the_arguments_of_its_runtime() {
    let _shared = leaks::shared();
    let mut session = Session::new(Runtime::builder().build().unwrap());
    session.eval("let opt = cli(#{ args: [\"--jobs=N  [int] [default: 4]\"] });").expect("nothing is required");
    let Ok(Ending::Finished(value)) = session.eval("opt.jobs") else { panic!() };
    assert_eq!(value.as_int(), Ok(4));
    let failure = session.eval("cli(#{ args: [\"TARGET  where to\"] })").expect_err("there is none");
    assert!(matches!(failure.kind(), FailureKind::Usage(_)), "{failure:?}");
    assert!(session.eval("opt.jobs").is_ok(), "the session goes on");
}

#[test]
fn an_engine_of_a_host_has_no_arguments() {
    let _shared = leaks::shared();
    let mut engine = Engine::new();
    install(&mut engine, Context::new());
    let error = engine.eval::<Map>("cli(#{ args: [\"--all\"] })").expect_err("nobody has read them");
    let kind: String = engine
        .eval("let kind = \"none\"; try { cli(#{}); } catch (e) { kind = e.kind; } kind")
        .expect("it can be caught");
    assert_eq!(kind, "misuse", "{error}");
}

#[test]
fn modules_have_no_arguments() {
    let script = "import \"part\" as part; print(part::f());";
    let module = "let opt = cli(#{ args: [\"--all\"] }); fn f() { 1 }";
    let outcome = Run::new().script(script).file("part.rhai", module).arg("--all").run();
    outcome.status(2).stdout("").stderr_contains("a module cannot call `cli`").stderr_contains("part.rhai:1:11");
    // Nor do those whose path only a running script knows.
    let script = "let path = \"pa\" + \"rt\"; try { import path as part; } catch (e) { print(e); }";
    let outcome = Run::new().script(script).file("part.rhai", module).arg("--all").run();
    outcome.success().stdout_contains("a module cannot call `cli`");
}

#[test]
fn a_help_that_nobody_gets_is_a_failure() {
    let script = "cli(#{ about: \"x\" });";
    let run = |line: &str| Run::program("/bin/sh").flag("-c").flag(line).flag(procscript_bin()).file("x.rhai", script);
    run("exec \"$0\" x.rhai --help > /dev/full").run().status(1).stderr_contains("No space left on device");
    run("exec \"$0\" x.rhai --help >&-").run().status(1).stderr_contains("standard output");
    // When nobody reads a message, the code still tells.
    run("exec \"$0\" x.rhai --no 2>&-").run().status(2).stdout("");
    run("exec \"$0\" x.rhai --no 2>/dev/full").run().status(2).stdout("");
}

#[test]
fn scripts_without_a_file_have_help_too() {
    let code = "cli(#{ about: \"A try\" });";
    Run::new()
        .flag("-e")
        .flag(code)
        .flag("--")
        .flag("--help")
        .run()
        .success()
        .stdout_contains("A try\n\nUsage: script\n");
    let outcome = Run::new().flag("-").flag("--help").stdin(code).run();
    outcome.success().stdout_contains("A try\n\nUsage: script").stderr("");
}

#[test]
fn messages_are_safe_to_show() {
    let outcome = Run::new().script("cli(#{});").arg("a\u{1b}[31m\nb").run();
    outcome.status(2).stdout("").stderr_contains("error: unexpected argument 'a\\u{1b}[31m\\nb' found\n\n");
    let json = Run::new().flag("--error-format").flag("json").script("cli(#{});").arg("--a\u{7}").run();
    json.status(2).stdout("");
    let object: serde_json::Value = serde_json::from_slice(&json.stderr).expect("one line of JSON");
    assert_eq!(
        (&object["kind"], &object["message"]),
        (&"usage".into(), &"unexpected argument '--a\\u{7}' found".into())
    );
    assert!(object["text"].as_str().is_some_and(|text| text.contains("Usage: script.rhai")), "{object}");
}

#[test]
fn arguments_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let word = std::ffi::OsStr::from_bytes(b"--file=\xff");
    let outcome = Run::new().script("print(1); cli(#{ args: [\"--file=FILE  [path]\"] });").arg(word).run();
    outcome.status(2).stdout("").stderr_contains("is not UTF-8 text");
    let outcome = Run::new().script("print(1); cli(#{ args: [\"--file=FILE  [path] [env: F]\"] });");
    let outcome = outcome.env("F", std::ffi::OsStr::from_bytes(b"\xff")).run();
    outcome.status(2).stdout("").stderr_contains("in the environment variable F: it is not UTF-8 text");
}

#[test]
fn the_help_is_as_wide_as_the_terminal() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    let help = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
    let script = format!("cli(#{{ args: [\"--words=WORD  {help}\"] }});");
    std::fs::write(scratch.path().join("x.rhai"), script).expect("written");
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &["x.rhai", "--help"]);
    assert!(terminal.ended().success());
    let widest = terminal.shown.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or_default();
    // The test's terminal has 80 columns; without one there would be a hundred.
    assert!((50..=80).contains(&widest), "{}", terminal.shown);
    assert!(!terminal.shown.contains('\u{1b}'), "{:?}", terminal.shown);
}
