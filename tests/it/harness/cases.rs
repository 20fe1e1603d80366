//! Script tests on trial, with `testkid play` in the place of procscript.

use crate::support::leaks;
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::script_case::{Case, Verdict};
use crate::support::testkid;
use crate::support::topic::run_dir;

fn play() -> Run {
    Run::program(testkid()).flag("play")
}

fn verdict(source: &str, renew: bool) -> Verdict {
    let case = Case::parse("case.rhai", source).unwrap_or_else(|problem| panic!("{problem}"));
    case.run(play(), std::path::Path::new("."), renew)
}

#[track_caller]
fn passes(source: &str) {
    assert_eq!(verdict(source, false), Verdict::Passed, "{source}");
}

#[track_caller]
fn fails(source: &str, part: &str) {
    match verdict(source, false) {
        Verdict::Failed(report) => assert!(report.contains(part), "`{part}` is not in:\n{report}"),
        other => panic!("{other:?}: {source}"),
    }
}

#[test]
fn expectations_hold() {
    passes("echo hi\n//-- stdout\n// hi\n");
    passes("echo a\necho\necho b\nerr oh\nexit 3\n//-- stdout\n// a\n//\n// b\n//-- stderr\n// oh\n//-- status 3\n");
    passes("dir\n//-- stdout\n// $TMP\n//-- status 0\n");
    passes("bytes a\\r\\xff\n//-- stdout (cut)\n// a⟨0D⟩⟨FF⟩\n");
    passes("exit 101\n//-- status 101\n");
    passes("lines 50\necho end\n//-- stdout\n// line-0\n// ...\n// line-[..]\n// end\n");
    #[cfg(unix)]
    passes("signal KILL\n//-- status signal 9\n");
}

#[test]
fn differences_are_told() {
    fails("echo hi\n", "  + hi");
    fails("echo hi\n//-- stdout\n// ho\n", "  - ho\n  + hi");
    fails("echo hi\n//-- stdout (cut)\n// hi\n", "  - (no newline at the end)");
    fails("err hi\n//-- stdout\n// hi\n", "stderr (- expected, + came):\n  + hi");
    fails("exit 1\n", "status 0 was expected, not 1");
    fails("touch stray\n", "did not declare: stray");
}

#[test]
fn directives_work() {
    passes("//@ stdin one\\ntwo\\n\ncat\n//-- stdout\n// one\n// two\n");
    passes("// Why.\n//@ env A=b=c\n//@ unset HOME\n\nenv A HOME\n//-- stdout\n// A=b=c\n// HOME unset\n");
    passes("//@ create in one\\n\n//@ file out\n//@ file d/\nexists in\ntouch out\n//-- stdout\n// yes\n");
    passes(
        "//@ stdin-file tests/testkid.rs\n//@ only linux\n//@ timeout 60s\n//@ raw-stderr\nread-line -- err-bytes \\x1b\\n\n\
            //-- stdout\n// //![..]\n//-- stderr\n// ⟨1B⟩\n",
    );
    fails("//@ timeout 200ms\nsleep 9000\n", "ran for more than 200ms");
    fails("//@ tymeout 2s\n", "unknown directive: //@ tymeout 2s");
    fails("//@ timeout soon\n", "`soon` is not a time");
    let skipped = Verdict::Skipped("no-such-program-x is not installed".to_string());
    assert_eq!(verdict("//@ needs no-such-program-x\nexit 1\n", false), skipped);
    let elsewhere = if cfg!(windows) { "unix" } else { "windows" };
    let skipped = Verdict::Skipped(format!("only for {elsewhere}"));
    assert_eq!(verdict(&format!("//@ only {elsewhere}\nexit 1\n"), false), skipped);
}

#[test]
fn slips_in_a_case_are_errors() {
    let problem = |source| Case::parse("case.rhai", source).expect_err("it has a slip");
    assert!(problem("echo\n//@ args a\n").contains("a directive below code"));
    assert!(problem("//-- stdoud\n// x\n").contains("unknown block"));
    assert!(problem("//-- status three\n").contains("neither a number"));
    assert!(problem("//-- stdout\nprint(1);\n").contains("not a comment"));
    assert!(problem("//-- status 0\n// x\n").contains("belongs to no block"));
}

#[test]
fn expectations_are_renewed() {
    let renewed = |source: &str| match verdict(source, true) {
        Verdict::Renewed(text) => text,
        other => panic!("{other:?}"),
    };
    let text = renewed("// Why.\necho took 12 ms\nerr-bytes x\nexit 2\n\n");
    assert_eq!(
        text,
        "// Why.\necho took 12 ms\nerr-bytes x\nexit 2\n//-- stdout\n// took [..]\n//-- stderr (cut)\n// x\n//-- status 2\n"
    );
    passes(&text);

    // What still fits stays loose or exact, as it was written.
    let text = renewed("echo pid 77\necho in 5 s\necho new\n//-- stdout\n// pid [..]\n// in 5 s\n//-- status 0\n");
    assert!(text.ends_with("//-- stdout\n// pid [..]\n// in 5 s\n// new\n//-- status 0\n"), "{text}");
    assert_eq!(verdict("echo a\n//-- stdout\n// ...\n", true), Verdict::Passed);
}

#[test]
fn folders_are_run_together() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    scratch.write("good.rhai", "echo hi\n//-- stdout\n// hi\n");
    scratch.write("bad.rhai", "echo hi\n");
    scratch.write("other.rhai", "exit 4\n//-- status 5\n");
    scratch.write("data.txt", "not a case");
    let report = run_dir(scratch.path(), "", false, &play);
    assert_eq!((report.total, report.failures.len()), (3, 2), "{}", report.lines);
    assert!(report.lines.contains("good.rhai ... ok"), "{}", report.lines);
    assert!(report.failures[1].contains("status 5 was expected, not 4"), "{}", report.failures[1]);

    assert_eq!(run_dir(scratch.path(), "good", false, &play).total, 1);
    assert!(run_dir(scratch.path(), "", true, &play).failures.is_empty());
    assert_eq!(scratch.read("other.rhai"), "exit 4\n//-- status 4\n");
    assert!(run_dir(scratch.path(), "", false, &play).failures.is_empty());
}
