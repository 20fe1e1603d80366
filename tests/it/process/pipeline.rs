//! Pipelines: which stage decides, who is started, who is left.

use procscript::process::{Error, ErrorKind, Expression, TerminationStatus, pipe};

use super::{fails, kid, kid_with, millis, soon, within};
use crate::support::leaks::{self, Guard};
use crate::support::scratch::Scratch;

fn code(number: i32) -> Expression {
    kid(&format!("exit {number}"))
}

#[test]
fn a_producer_whose_reader_has_left_is_no_failure() {
    // `yes | head -n 1` under pipefail ends many a shell script without a word.
    let _guard = Guard::new();
    let yes_head = kid("lines 2000000000").pipe(kid("read-line"));
    let output = soon(|| yes_head.output().expect("success"));
    assert_eq!(output.stdout.as_deref(), Some(&b"line-0\n"[..]));
    assert_eq!(output.stages[0].status, TerminationStatus::Signaled(libc::SIGPIPE));
    assert!(output.stages[0].accepted && output.success());

    for strict in
        [yes_head.clone().strict_sigpipe(), { kid("lines 2000000000").strict_sigpipe().pipe(kid("read-line")) }]
    {
        let error = fails(ErrorKind::Signaled, strict.output());
        assert_eq!((error.stage(), error.status().and_then(|s| s.signal())), (Some(0), Some(libc::SIGPIPE)));
    }
    // A chain of them, the middle one dying of it as well.
    let chain = kid("lines 2000000000").pipe(kid("cat")).pipe(kid("read-line"));
    assert_eq!(soon(|| chain.read().expect("success")), "line-0");
}

#[test]
fn other_deaths_that_look_like_it_are_failures() {
    let _shared = leaks::shared();
    // 141 is what a shell makes of it: something inside the stage failed.
    fails(ErrorKind::ExitStatus, code(141).pipe(kid("cat")).output());
    // Alone, and as the last stage, there is no reader that could have left.
    fails(ErrorKind::Signaled, kid("signal PIPE").output());
    fails(ErrorKind::Signaled, kid("echo").pipe(kid("signal PIPE")).output());
    // A producer that handles the error itself and fails.
    fails(ErrorKind::ExitStatus, kid("no-sigpipe -- lines 2000000000").pipe(kid("read-line")).output());
    fails(ErrorKind::Signaled, kid("signal TERM").pipe(kid("cat")).output());
}

#[test]
fn a_failure_anywhere_fails_the_pipeline_and_is_named() {
    let _shared = leaks::shared();
    let codes = |error: &procscript::process::Error| {
        error.stages().iter().map(|stage| stage.status.code().expect("it exited")).collect::<Vec<_>>()
    };
    let error = fails(ErrorKind::ExitStatus, code(1).pipe(code(0)).output());
    assert_eq!((error.stage(), codes(&error)), (Some(0), vec![1, 0]));
    assert!(error.message().contains("stage 1 of 2"), "{error}");
    assert!(error.message().contains("exited with code 1"), "{error}");
    for position in 0..3 {
        let stages = (0..3).map(|stage| code(if stage == position { 7 } else { 0 }));
        let error = fails(ErrorKind::ExitStatus, pipe(stages).expect("three").output());
        assert_eq!(error.stage(), Some(position));
        assert!(error.argv().ends_with(&["7".to_string()]), "the argv of the failed stage: {:?}", error.argv());
    }
    let error = fails(ErrorKind::ExitStatus, code(1).pipe(code(3)).output());
    assert_eq!((error.stage(), error.status().and_then(|s| s.code())), (Some(1), Some(3)));
}

#[test]
fn precedence_of_endings_is_that_of_duct() {
    // A checked error beats an unchecked one, an error beats success, otherwise the right-most wins.
    let _shared = leaks::shared();
    let un = |number| code(number).unchecked();
    let status = |expression: Expression| {
        expression.output().map_or_else(|error| error.status().expect("it ended").code(), |o| o.status.code())
    };
    assert_eq!(status(code(1).pipe(code(2)).unchecked()), Some(2));
    assert_eq!(status(un(1).pipe(un(2))), Some(2));
    assert_eq!(status(un(1).pipe(code(0))), Some(1));
    assert_eq!(status(un(1).pipe(un(0))), Some(1));
    assert_eq!(status(code(0).pipe(un(3)).pipe(code(0))), Some(3));
    // The unchecked right stage must not hide the left one.
    let error = fails(ErrorKind::ExitStatus, code(1).pipe(un(2)).output());
    assert_eq!((error.stage(), error.status().and_then(|s| s.code())), (Some(0), Some(1)));
    let error = fails(ErrorKind::ExitStatus, un(2).pipe(code(1)).output());
    assert_eq!(error.stage(), Some(1));
    un(1).pipe(un(2)).run().expect("all unchecked");
    un(1).pipe(code(0)).run().expect("the failing one is unchecked");
}

#[test]
fn duct_says_that_unchecked_on_the_whole_still_prefers_the_checked_stage() {
    // `exit1 | (exit2 unchecked)`, the whole unchecked: 1, because checked beats unchecked inside.
    let _shared = leaks::shared();
    let whole = code(1).pipe(code(2).unchecked()).unchecked();
    assert_eq!(whole.output().expect("unchecked").status.code(), Some(1));
}

#[test]
fn what_is_accepted_is_said_for_each_node() {
    // A stage's own word goes before that of the pipelines around it, and holds for no other stage.
    let _shared = leaks::shared();
    let term = || kid("signal TERM");
    let (exit, signal) = (ErrorKind::ExitStatus, ErrorKind::Signaled);
    let nested = |left: Expression, right: Expression| kid("cat").pipe(left.pipe(right)).pipe(kid("cat"));
    type Row = (&'static str, Expression, Result<usize, (ErrorKind, usize)>);
    let table: Vec<Row> = vec![
        ("on the whole", kid("echo").pipe(term()).ok_signals([libc::SIGTERM]), Ok(1)),
        ("on the stage", kid("echo").pipe(term().ok_signals([libc::SIGTERM])), Ok(1)),
        ("not on the other", term().pipe(kid("cat").ok_signals([libc::SIGTERM])), Err((signal, 0))),
        ("the inner one", term().pipe(term().ok_signals([libc::SIGINT])).ok_signals([libc::SIGTERM]), Err((signal, 1))),
        ("codes of both", code(3).ok_codes([3]).pipe(code(4)).ok_codes([4]), Ok(1)),
        ("the inner codes", code(4).ok_codes([3]).pipe(code(4)).ok_codes([4]), Err((exit, 0))),
        ("a part", nested(code(3), term()).ok_codes([0, 3]).ok_signals([libc::SIGTERM]), Ok(3)),
        ("codes and no signals", nested(code(3), term()).ok_codes([0, 3]), Err((signal, 2))),
        ("a part that is unchecked", code(1).pipe(code(2)).unchecked().pipe(code(0)), Ok(1)),
        (
            "unchecked beside checked",
            code(1).pipe(code(2)).unchecked().pipe(code(3).pipe(code(4).unchecked())),
            Err((exit, 2)),
        ),
        ("unchecked in an inner part", kid("cat").pipe(term().unchecked().pipe(kid("cat"))), Ok(1)),
        ("a producer", kid("lines 2000000000").ok_signals([libc::SIGTERM]).pipe(kid("read-line")), Ok(1)),
        (
            "strict within, unchecked around",
            kid("lines 2000000000").pipe(kid("cat")).strict_sigpipe().unchecked().pipe(kid("read-line")),
            Ok(1),
        ),
        (
            "strict within",
            kid("lines 2000000000").pipe(kid("cat")).strict_sigpipe().pipe(kid("read-line")),
            Err((signal, 1)),
        ),
    ];
    for (name, expression, expected) in table {
        let result = soon(|| expression.stdin_null().output());
        let seen = result.map(|output| output.stage).map_err(|error| (error.kind(), error.stage().expect("a stage")));
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_right_side_that_cannot_start_leaves_no_left_side() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let marker = scratch.path().join("marker");
    let left = kid_with("touch", [&marker]).args(["--", "forever"]);
    // Not there, which is known before anything starts.
    let error = soon(|| fails(ErrorKind::NotFound, left.clone().pipe(Expression::new("no-such-program-x")).run()));
    assert_eq!(error.errno(), Some(libc::ENOENT));
    fails(ErrorKind::BadDirectory, left.clone().pipe(kid("cat").dir("/no/such")).run());
    fails(ErrorKind::InvalidArgument, left.clone().pipe(kid_with("args", ["a\0b"])).run());
    fails(ErrorKind::InvalidArgument, left.clone().pipe(kid("cat").env("A=B", "")).run());
    fails(ErrorKind::ReadFailed, left.clone().pipe(kid("cat").stdin_path("/no/such/file")).run());
    fails(ErrorKind::WriteFailed, left.clone().pipe(kid("cat").stdout_path("/no/such/file")).run());
    assert!(!marker.exists(), "the left side was started");
    // Refused by the kernel, when the left side runs already.
    let text = scratch.write("text", "no program\n");
    make_executable(&text);
    let error = soon(|| fails(ErrorKind::BadFormat, left.pipe(Expression::from_path(text)).output()));
    assert_eq!(error.stage(), Some(1));
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a file of ours");
}

#[test]
fn nested_pipelines_are_pipelines() {
    let _guard = Guard::new();
    let hi = || kid("echo hi");
    let read = |expression: Expression| expression.read().expect("it succeeds");
    assert_eq!(read(hi().pipe(kid("cat").pipe(kid("cat-upper")))), "HI");
    assert_eq!(read(hi().pipe(kid("cat")).pipe(kid("cat-upper"))), "HI");
    assert_eq!(read(pipe([hi().pipe(kid("cat")), kid("cat").pipe(kid("cat-upper"))]).expect("two")), "HI");
    assert!(pipe([]).is_none());
    assert_eq!(read(pipe([hi()]).expect("one")), "hi");
    let many = pipe(std::iter::once(hi()).chain((0..30).map(|_| kid("cat")))).expect("many");
    assert_eq!(read(many), "hi");
    let flood = kid("flood 1000000").pipe(kid("read-line -- bytes x").stdin_null());
    soon(|| flood.output().expect("the reader of the pipe is nobody"));
}

#[test]
fn settings_reach_the_stages_that_have_none() {
    let _shared = leaks::shared();
    let read = |expression: Expression| expression.read().expect("it succeeds");
    let show = || kid("env A B");
    let both = || show().stdout_to_stderr().pipe(show()).stderr_capture();
    assert_eq!(read(kid("echo").pipe(show()).env("A", "1")), "A=1\nB unset");
    let inner = kid("echo").pipe(show().env("A", "inner")).env("A", "outer").env("B", "outer");
    assert_eq!(read(inner), "A=inner\nB=outer");
    // What a stage has taken away for itself does not come back.
    let stage = kid("echo").pipe(show().env_remove("A")).env("A", "outer").env("B", "outer");
    assert_eq!(read(stage), "A unset\nB=outer");
    let stage = kid("echo").pipe(kid("env").env_clear().env("B", "own")).env("A", "outer").env("B", "outer");
    assert_eq!(read(stage), "B=own");
    let output = both().env("A", "1").output().expect("it succeeds");
    assert_eq!(output.stderr.as_deref(), Some(&b"A=1\nB unset\n"[..]), "the left stage has it too");
    assert_eq!(read(kid("echo").pipe(kid("dir")).dir("/")), "/");
    assert_eq!(read(kid("echo").pipe(kid("dir").dir("/")).dir("/tmp")), "/");
    // The shortest time holds for all of it.
    let slow = kid("forever").timeout(millis(100)).pipe(kid("cat")).timeout(millis(60_000));
    soon(|| fails(ErrorKind::TimedOut, slow.output()));
    let slow = kid("forever").pipe(kid("cat").timeout(millis(100)));
    soon(|| fails(ErrorKind::TimedOut, slow.output()));
}

#[test]
fn errors_of_all_stages_are_captured() {
    let _shared = leaks::shared();
    let stages = pipe([kid("err one"), kid("count -- err two")]).expect("two");
    let output = stages.output().expect("it succeeds");
    assert_eq!(output.stderr.as_deref(), Some(&b"one\ntwo\n"[..]));
    // On the stage: into the pipe. On the pipeline: to where its output goes.
    let left = || kid("echo out -- err err");
    assert_eq!(left().stderr_to_stdout().pipe(kid("cat-upper")).read().expect("it succeeds"), "OUT\nERR");
    let whole = left().pipe(kid("cat-upper")).stderr_to_stdout().output().expect("it succeeds");
    let text = String::from_utf8(whole.stdout.expect("captured")).expect("text");
    assert!(text == "err\nOUT\n" || text == "OUT\nerr\n", "{text}");
}

#[test]
fn a_command_as_input_is_a_stage() {
    // In a shell the status of `<(false)` is lost.
    let _guard = Guard::new();
    assert_eq!(kid("cat-upper").stdin_command(kid("echo hi")).read().expect("it succeeds"), "HI");
    let error = fails(ErrorKind::ExitStatus, kid("cat").stdin_command(code(9)).output());
    assert_eq!((error.stage(), error.stages().len()), (Some(0), 2));
    let nested = kid("cat").stdin_command(kid("cat-upper").stdin_command(kid("echo deep")));
    assert_eq!(nested.read().expect("it succeeds"), "DEEP");
    let on_pipeline = kid("cat").pipe(kid("cat-upper")).stdin_command(kid("echo in"));
    assert_eq!(on_pipeline.read().expect("it succeeds"), "IN");
    fails(ErrorKind::NotFound, kid("cat").stdin_command(Expression::new("no-such-program-x")).run());
}

#[test]
fn processes_are_listed_from_left_to_right() {
    let _guard = Guard::new();
    let three = kid("pid -- cat").pipe(kid("pid -- cat").pipe(kid("pid -- cat")));
    let output = three.output().expect("it succeeds");
    let text = String::from_utf8(output.stdout.expect("captured")).expect("text");
    let mut printed: Vec<u32> = text.lines().map(|line| line.parse().expect("a pid")).collect();
    printed.reverse();
    assert_eq!(printed, output.stages.iter().map(|stage| stage.pid).collect::<Vec<_>>());
    let execution = three.stdin_piped().stdout_null().start().expect("it starts");
    assert_eq!(execution.pids().len(), 3);
    execution.wait().expect("it succeeds");
    let three = kid("cat").pipe(kid("cat").pipe(kid("cat")));
    let (output, pids) = three.run_with(|process| Ok::<_, Error>(process.pids())).expect("it succeeds");
    assert_eq!(pids, output.stages.iter().map(|stage| stage.pid).collect::<Vec<_>>());
}

#[test]
fn a_pipeline_can_be_killed() {
    let _guard = Guard::new();
    let execution = kid("forever").pipe(kid("forever")).start().expect("it starts");
    assert!(execution.try_wait().expect("no error").is_none());
    assert!(execution.try_wait().expect("no error").is_none());
    execution.kill().expect("it is ours");
    for _ in 0..2 {
        let error = soon(|| fails(ErrorKind::Signaled, execution.wait()));
        assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGKILL));
    }
    fails(ErrorKind::Signaled, execution.try_wait());
}

#[test]
fn every_stage_has_its_own_time() {
    let _shared = leaks::shared();
    let output = kid("close-out -- sleep 3000").pipe(kid("exit 0")).output().expect("it succeeds");
    assert!(output.stages[0].elapsed >= millis(3000), "{output:?}");
    assert!(output.stages[1].elapsed < output.stages[0].elapsed, "{output:?}");
    assert!(output.elapsed >= millis(3000));
    within(millis(20_000), || kid("lines 300000").pipe(kid("cat")).pipe(kid("count")).read().expect("it succeeds"));
}
