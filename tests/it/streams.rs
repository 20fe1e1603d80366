//! Streams of scripts as their host sees them: what they leave behind, and which engine calls their
//! functions. What scripts see is in `tests/scripts/lines`.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use procscript::process::{CancelToken, Context};
use procscript::script::rhai::{Array, Engine};
use procscript::script::{FailureKind, Runtime, install};

use crate::support::leaks::Guard;
use crate::support::{procs, testkid};

fn runtime() -> Runtime {
    let path = testkid().parent().expect("it is in a directory").to_path_buf();
    Runtime::builder().env("PATH", path).register(register_is_there).build().expect("it can be built")
}

/// `is_there(pid)`: a process of this number exists, be it a zombie.
fn register_is_there(engine: &mut Engine) {
    engine.register_fn("is_there", |pid: &str| Path::new("/proc").join(pid).exists());
}

/// The command is gone when the error arrives, and not some time later.
#[test]
fn a_function_that_throws_ends_its_command_at_once() {
    let _guard = Guard::new();
    for read in
        ["s.to_array()", "s.count()", "s.join()", "s.first()", "s.each(|x| x)", "for x in s { throw \"unreached\" }"]
    {
        for method in ["map", "filter"] {
            let script = format!(
                r#"
                let pid = "";
                let s = cmd("testkid", "pid", "--", "forever").lines();
                let s = s.{method}(|line| {{ pid = line; throw "stop" }});
                let told = "";
                try {{ {read} }} catch (e) {{ told = e }}
                if pid == "" {{ throw "never called" }}
                `${{told}} ${{is_there(pid)}}`
                "#
            );
            assert_eq!(runtime().eval::<String>(&script).expect(read), "stop false", "{read} {method}");
        }
    }
}

#[test]
fn leaving_a_changed_stream_early_ends_its_command_at_once() {
    let _guard = Guard::new();
    let ways = [
        "for line in s { pid = line; break; }",
        "pid = s.first();",
        "pid = s.take(1).to_array()[0];",
        "try { for line in s { pid = line; throw 1; } } catch {}",
        "try { s.each(|line| { pid = line; throw 1; }) } catch {}",
    ];
    for way in ways {
        let script = format!(
            r#"
            let pid = "";
            let s = cmd("testkid", "pid", "--", "forever").lines().map(|line| line).filter(|line| true);
            {way}
            if pid == "" {{ throw "nothing came" }}
            is_there(pid)
            "#
        );
        assert!(!runtime().eval::<bool>(&script).expect(way), "{way}");
    }
}

/// A handle that was never read, a refused step, and a stream that was given on and forgotten.
#[test]
fn streams_that_nobody_reads_leave_nothing() {
    let _guard = Guard::new();
    let script = r#"
        let unread = cmd("testkid", "forever").lines().map(|line| line);
        let given = cmd("testkid", "forever").lines();
        given.take(1);
        try { cmd("testkid", "forever").lines().matching("(") } catch {}
        let input = cmd("testkid", "cat").stdin(cmd("testkid", "forever").lines().map(|line| line));
        1
    "#;
    assert_eq!(runtime().eval::<i64>(script).expect("it succeeds"), 1);
}

#[test]
fn cancelling_in_a_function_stops_the_script() {
    let _guard = Guard::new();
    let reads =
        ["s.count()", "for x in s { unreached() }", "for x in s {}", r#"cmd("testkid", "cat").stdin(s).read()"#];
    for read in reads {
        let token = CancelToken::new().expect("a pipe can be made");
        let (cancelling, reached) = (token.clone(), Arc::new(Mutex::new(0)));
        let count = reached.clone();
        let runtime = Runtime::builder()
            .env("PATH", testkid().parent().expect("it is in a directory"))
            .cancel(token)
            .register(move |engine| {
                engine.register_fn("cancel", move || cancelling.cancel());
                engine.register_fn("unreached", move || *count.lock().expect("nobody panics") += 1);
            })
            .build()
            .expect("it can be built");
        let script = format!(
            r#"
            let s = cmd("testkid", "lines", "3", "--", "forever").lines().map(|line| {{ cancel(); line }});
            try {{ {read}; unreached(); }} catch {{ unreached(); }}
            "#
        );
        let failure = runtime.eval::<()>(&script).expect_err(read);
        assert!(matches!(failure.kind(), FailureKind::Interrupted), "{read}: {failure}");
        assert_eq!(*reached.lock().expect("nobody panics"), 0, "{read}");
    }
}

/// Rhai lends a host's engine to native functions only.
#[test]
fn in_a_hosts_engine_functions_are_called_by_methods() {
    let _guard = Guard::new();
    let mut engine = Engine::new();
    install(&mut engine, Context::new());
    let kid = testkid();
    let lines = format!(r#"cmd({:?}, "lines", "3").lines()"#, kid.display().to_string());
    let eval = |rest: &str| engine.eval::<Array>(&rest.replace("LINES", &lines)).map(|array| array.len());
    assert_eq!(eval("LINES.map(|x| x + 1).to_array()").expect("it succeeds"), 3);
    assert_eq!(eval("let a = []; LINES.filter(|x| x != \"line-1\").each(|x| a.push(x)); a").expect("it succeeds"), 2);
    assert_eq!(eval("let a = []; for x in LINES.skip(1) { a.push(x); } a").expect("it succeeds"), 2);
    let refused = [
        r#"for x in LINES.map(|x| x) { told.push("went on") }"#,
        r#"cmd("testkid", "cat").stdin(LINES.filter(|x| true))"#,
    ];
    for refused in refused {
        let script = format!("let told = []; try {{ {refused} }} catch (e) {{ told.push(e.kind) }} told");
        let told = engine.eval::<Array>(&script.replace("LINES", &lines)).expect(refused);
        assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), ["misuse"], "{refused}");
    }
}

/// The thread that makes the input of a command belongs to nobody, and still goes with its command.
#[test]
fn a_function_that_makes_input_ends_with_the_command() {
    let _guard = Guard::new().patience(Duration::from_secs(5));
    let script = r#"
        let pid = "";
        let source = cmd("testkid", "pid", "--", "lines", "100000000").lines();
        let input = source.map(|line| { if pid == "" { pid = line; } line });
        let first = cmd("testkid", "read-line").stdin(input).read();
        if first != pid { throw "another line" }
        pid
    "#;
    let pid = runtime().eval::<String>(script).expect("it succeeds");
    let is_there = || Path::new("/proc").join(&pid).exists();
    assert!(!procs::until(Duration::from_secs(5), is_there, |there| !there));
}
