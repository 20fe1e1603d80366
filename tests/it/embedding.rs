//! What a host may do that a script cannot.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use procscript::script::Runtime;

use crate::support::leaks::Guard;

type Text = Arc<Mutex<String>>;

fn received(text: &Text) -> String {
    text.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[test]
fn a_receiver_may_print_through_its_own_runtime() {
    let _guard = Guard::new();
    let (text, own) = (Text::default(), Arc::<OnceLock<Runtime>>::default());
    let (receiving, inner) = (text.clone(), own.clone());
    let runtime = Runtime::builder()
        .stdout(move |bytes| {
            let said = String::from_utf8_lossy(bytes).into_owned();
            let is_first = said.starts_with("first");
            receiving.lock().unwrap_or_else(PoisonError::into_inner).push_str(&said);
            if let Some(runtime) = inner.get().filter(|_| is_first) {
                // On this thread, and on another that is waited for.
                runtime.eval::<()>("print(\"here\");").expect("it prints");
                std::thread::scope(|scope| {
                    scope.spawn(|| runtime.eval::<()>("print(\"there\");").expect("it prints"));
                });
            }
        })
        .build()
        .expect("it can be built");
    _ = own.set(runtime.clone());
    runtime.eval::<()>("print(\"first\"); print(\"second\");").expect("it prints");
    assert_eq!(received(&text), "first\nhere\nthere\nsecond\n");
}

#[test]
fn a_receiver_that_panics_gets_what_comes_later() {
    let _guard = Guard::new();
    let text = Text::default();
    let receiving = text.clone();
    let runtime = Runtime::builder()
        .stdout(move |bytes| {
            assert_ne!(bytes, b"bad\n", "it wants none of this");
            receiving.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(bytes));
        })
        .build()
        .expect("it can be built");
    let failure = runtime.eval::<()>("print(\"bad\");").expect_err("it has panicked");
    assert!(failure.message().starts_with("internal error: "), "{failure}");
    runtime.eval::<()>("print(\"good\");").expect("it prints");
    assert_eq!(received(&text), "good\n");
}

#[test]
fn operations_of_closures_count_together() {
    let _guard = Guard::new();
    let runtime = Runtime::builder().operation_limit(100_000).build().expect("it can be built");
    let scripts = [
        "for i in 0..1000 { [1].for_each(|x| { for j in 0..100 { x + j; } }); }",
        "let f = |n| n + 1; loop { [1].map(f); }",
        "loop { parallel([1], |x| { for j in 0..100 { x + j; } }); }",
        "loop { attempt(|| { for j in 0..100 { j + 1; } }); }",
        "let s = []; s.pad(1000000, 1); s.map(|x| x + 1);",
    ];
    for script in scripts {
        let failure = runtime.eval::<()>(script).expect_err(script);
        assert_eq!(failure.message(), "the script took more operations than its limit", "{script}");
    }
    // Each script begins anew, and nothing in one can catch the end.
    for _ in 0..3 {
        runtime.eval::<()>("for i in 0..5000 { i + 1; }").expect("it is short enough");
    }
    let caught = "try { for i in 0..1000 { [1].for_each(|x| { for j in 0..100 { x + j; } }); } } catch { } print(1);";
    runtime.eval::<()>(caught).expect_err("it goes on");
}
