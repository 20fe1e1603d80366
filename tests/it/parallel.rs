//! Many at once in a host: panics of its functions, runtimes on many threads, limits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use procscript::script::{FailureKind, Runtime};

use crate::support::leaks::Guard;
use crate::support::testkid;

/// A runtime with a function that panics, and one that notes what it is told.
fn runtime(notes: &Arc<Mutex<Vec<String>>>) -> Runtime {
    let notes = notes.clone();
    let registered =
        Runtime::builder().env("PATH", testkid().parent().expect("it is in a directory")).register(move |engine| {
            engine.register_fn("give_up", |what: &str| -> i64 { panic!("{what} has given up") });
            engine.register_fn("note", move |text: &str| {
                notes.lock().expect("nobody panics here").push(text.to_string())
            });
        });
    registered.build().expect("it can be built")
}

#[test]
fn a_panic_of_the_host_ends_the_others_and_all_clean_up_runs() {
    let _guard = Guard::new();
    let notes = Arc::default();
    let runtime = runtime(&notes);
    let started = Instant::now();
    let failure = runtime
        .eval::<()>(
            r#" let begun = 0;
                parallel([1, 2], #{limit: 2}, |n| {
                    defer { note(`clean-up of ${n}`); }
                    begun += 1;
                    while begun < 2 { sleep("1ms"); }
                    if n == 1 { give_up("one"); }
                    cmd("testkid", "forever").run();
                }); "#,
        )
        .expect_err("a panic is no success");
    assert!(matches!(failure.kind(), FailureKind::Internal));
    assert_eq!(failure.message(), "internal error: one has given up");
    assert!(started.elapsed() < Duration::from_secs(20));
    let mut noted = notes.lock().expect("nobody panics here").clone();
    noted.sort();
    assert_eq!(noted, ["clean-up of 1", "clean-up of 2"]);
    // It can be used as before.
    assert_eq!(runtime.eval::<i64>("parallel([20, 22], |n| n).reduce(|a, b| a + b, 0)").expect("it works"), 42);
}

#[test]
fn a_panic_in_clean_up_is_an_error_also_behind_another() {
    let _guard = Guard::new();
    let notes = Arc::default();
    let runtime = runtime(&notes);
    let clean_up = r#" defer { note("first"); } defer { give_up("clean-up"); } "#;
    let failure = runtime.eval::<()>(clean_up).expect_err("it is no success");
    assert!(failure.message().contains("clean-up has given up"), "{}", failure.message());
    // While the stack is unwound, a second panic would end the process.
    let failure = runtime.eval::<()>(&format!("{clean_up} give_up(\"all\");")).expect_err("it is no success");
    assert_eq!(failure.message(), "internal error: all has given up");
    let code = format!("parallel([1], |n| {{ {clean_up} give_up(\"item\"); }})");
    let failure = runtime.eval::<()>(&code).expect_err("it is no success");
    assert_eq!(failure.message(), "internal error: item has given up");
    assert_eq!(notes.lock().expect("nobody panics here").len(), 3);
}

#[test]
fn clones_of_a_runtime_work_on_many_threads() {
    let _guard = Guard::new();
    let written = Arc::new(Mutex::new(Vec::new()));
    let receiver = written.clone();
    let runtime = Runtime::builder()
        .env("PATH", testkid().parent().expect("it is in a directory"))
        .stdout(move |bytes| receiver.lock().expect("nobody panics here").extend_from_slice(bytes))
        .build()
        .expect("it can be built");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let runtime = runtime.clone();
            scope.spawn(move || {
                let code = format!(
                    "with env(#{{WHO: \"{thread}\"}}) {{ let all = parallel(0..20, #{{limit: 4}}, |n| {{ print(env(\"WHO\")); \
                     cmd(\"testkid\", \"env\", \"WHO\").read() }}); all.filter(|who| who.contains(\"{thread}\")).len() }}"
                );
                assert_eq!(runtime.eval::<i64>(&code).expect("it works"), 20);
            });
        }
    });
    let text = String::from_utf8(written.lock().expect("nobody panics here").clone()).expect("it is text");
    for thread in 0..4 {
        assert_eq!(text.lines().filter(|line| *line == thread.to_string()).count(), 20);
    }
}

#[test]
fn the_limit_of_operations_ends_items() {
    let _guard = Guard::new();
    let runtime = Runtime::builder().operation_limit(100_000).build().expect("it can be built");
    let failure = runtime.eval::<()>("parallel([1, 2], |n| { loop { } });").expect_err("it has no end");
    assert_eq!(failure.message(), "the script took more operations than its limit");
}

/// The runner sets no such limit; a host's script is left by it as by everything else.
#[test]
fn the_limit_of_operations_leaves_clean_up_its_turn() {
    let _guard = Guard::new();
    let printed: Arc<Mutex<Vec<u8>>> = Arc::default();
    let receiver = printed.clone();
    let runtime = Runtime::builder()
        .operation_limit(20_000)
        .env("PATH", testkid().parent().expect("it is in a directory"))
        .stdout(move |bytes| receiver.lock().expect("nobody panics here").extend_from_slice(bytes))
        .build()
        .expect("it can be built");
    for block in [
        "defer { CLEAN } loop { }",
        "{ defer { CLEAN } loop { } }",
        "fn f() { defer { CLEAN } loop { } } f();",
        "let f = || { defer { CLEAN } loop { } }; f.call();",
        "try { defer { CLEAN } loop { } } catch { print(\"caught\"); }",
        "with timeout(\"1m\") { defer { CLEAN } loop { } }",
        "let beside = cmd(\"testkid\", \"forever\").start(); defer { CLEAN } loop { }",
    ] {
        let code = block.replace("CLEAN", "for n in 0..100 { let x = n; } print(\"clean\");");
        let failure = runtime.eval::<()>(&code).expect_err("it has no end");
        assert_eq!(failure.message(), "the script took more operations than its limit", "{code}");
        let text = String::from_utf8(std::mem::take(&mut *printed.lock().expect("nobody panics here")));
        assert_eq!(text.as_deref(), Ok("clean\n"), "{code}");
    }
}
