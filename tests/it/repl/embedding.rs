//! What a session can do without the program.

use std::time::Duration;

use procscript::script::{FailureKind, Runtime, Session, View};

use super::home::kid;
use crate::support::scratch::Scratch;
use crate::support::{leaks, procs, testkid};

fn session() -> Session {
    let path = testkid().parent().expect("it is in a directory").to_path_buf();
    let runtime = Runtime::builder().env("PATH", path).stdout(|_| ()).stderr(|_| ());
    Session::new(runtime.build().expect("it can be built"))
}

#[test]
fn a_panic_costs_the_entry() {
    let _guard = leaks::Guard::new();
    let runtime = Runtime::builder().register(|engine| {
        engine.register_fn("broken", || -> i64 { panic!("this is broken") });
    });
    let mut session = Session::new(runtime.build().expect("it can be built"));
    session.enter("let kept = 1; fn twice(n) { 2 * n }").expect("it can be evaluated");
    let failure = session.enter("let lost = 2; { let inner = 3; broken(); }").expect_err("it panics");
    assert!(matches!(failure.kind(), FailureKind::Internal), "{failure}");
    assert!(failure.message().contains("this is broken"), "{failure}");
    assert_eq!(session.enter("twice(kept)").expect("they are there").shown.as_deref(), Some("2"));
    let names: Vec<String> = session.variables().into_iter().map(|variable| variable.name).collect();
    assert_eq!(names, ["kept"]);
}

#[test]
fn interruption_in_three_steps() {
    let _guard = leaks::Guard::new();
    let mut session = session();
    let interrupter = session.interrupter();
    let presser = interrupter.clone();
    let scratch = Scratch::new();
    let begun = scratch.path().join("begun");
    let entry = format!("{{ defer {{ sleep(\"60s\"); }} touch({:?}); loop {{}} }}", begun.display().to_string());
    let thread = std::thread::spawn(move || {
        assert!(procs::until(Duration::from_secs(10), || begun.exists(), |is| *is), "it begins");
        presser.interrupt();
        let is_cleaning = procs::until(Duration::from_secs(10), || presser.is_cleaning_up(), |is| *is);
        presser.interrupt();
        is_cleaning
    });
    let failure = session.enter(&entry).expect_err("it is interrupted");
    assert!(matches!(failure.kind(), FailureKind::Interrupted), "{failure}");
    assert!(thread.join().expect("no panic"), "clean-up has run");
    assert_eq!(session.enter("1").expect("it goes on").shown.as_deref(), Some("1"));
    assert!(!interrupter.is_interrupted());
}

#[test]
fn jobs_outlive_entries_and_end_with_the_session() {
    let _guard = leaks::Guard::new();
    let mut first = session();
    // Nobody holds it but the session.
    first.enter(&format!("{}.start()", kid("forever"))).expect("it starts");
    for _ in 0..20 {
        first.enter("1").expect("it is a number");
    }
    assert_eq!(first.jobs().len(), 1);
    let interrupter = first.interrupter();
    interrupter.interrupt();
    assert!(first.jobs()[0].is_running(), "an interruption is about the entry");
    drop(first);
    // A program that ends them by itself.
    let mut second = session();
    second.enter(&format!("let a = {}.start();", kid("forever"))).expect("it starts");
    second.jobs()[0].end();
    assert!(procs::until(Duration::from_secs(10), || second.jobs().is_empty(), |none| *none));
    let ended = second.enter("a.wait()").expect("it was told to").shown;
    assert!(ended.is_some_and(|shown| shown.starts_with("signal TERM · ")));
    second.reset();
    assert!(second.variables().is_empty() && second.entries().is_empty());
    let failure = second.enter("nope").expect_err("there is none");
    assert_eq!(failure.place().map(|place| place.file.as_str()), Some("entry 3"), "the numbers go on");
}

#[test]
fn views_have_sizes() {
    let _guard = leaks::Guard::new();
    let mut session = session();
    session.set_view(View { columns: 20, ..View::default() });
    let shown = |session: &mut Session, entry: &str| session.enter(entry).expect("a value").shown.unwrap_or_default();
    let table = shown(&mut session, "[#{name: \"a name that is long\", note: \"a note that is longer\"}]");
    assert!(table.lines().all(|line| line.chars().count() <= 20), "{table}");
    let map = shown(&mut session, "#{a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], b: ()}");
    assert_eq!(map, "#{\n    a: [1, 2, 3, 4, 5, 6, …,\n    b: (),\n}");
    assert_eq!(shown(&mut session, "path(\"a\") / \"b\""), "path(\"a/b\")");
    assert_eq!(shown(&mut session, "secret(\"correct horse\")"), "***");
}
