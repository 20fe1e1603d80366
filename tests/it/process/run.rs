//! The verbs: what they give back, and when they fail.

use procscript::process::{ErrorKind, Expression, TerminationStatus, cmd, pipe};

use super::{fails, kid, kid_with, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::{self, Guard};
use crate::support::scratch::Scratch;

#[test]
fn every_exit_code_is_reported() {
    // Only the low eight bits exist: what the kernel makes of the others is not ours to judge.
    let _guard = Guard::new();
    let wrapped = [(256, 0), (-1, 255), (511, 255)];
    for (code, seen) in (0..=255).map(|code| (code, code)).chain(wrapped) {
        let output = kid(&format!("exit {code}")).unchecked().output().expect("it starts");
        assert_eq!(output.status, TerminationStatus::Exited(seen));
        assert_eq!(output.success(), seen == 0);
    }
}

#[test]
fn every_deadly_signal_is_reported() {
    // Death by signal n and `exit 128 + n` are different things, which a shell mixes up.
    let _shared = leaks::shared();
    let not_deadly = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    let ignored = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let deadly = (1..=31).filter(|number| !not_deadly.contains(number) && !ignored.contains(number));
    for number in deadly.chain([34, 64]) {
        let error = fails(ErrorKind::Signaled, kid(&format!("signal {number}")).output());
        let status = error.status().expect("it ended");
        assert_eq!((status.signal(), status.code(), status.success()), (Some(number), None, false));
        let name = status.signal_name().unwrap_or("");
        assert!(error.message().contains(format!("signal {name}").trim_end()), "{error}");
    }
    let error = fails(ErrorKind::ExitStatus, kid("exit 130").output());
    assert_eq!(error.status().and_then(|status| status.signal()), None);
}

#[test]
fn failure_is_heard_unless_it_is_declared() {
    // One word opts out of one kind of ending, and of nothing else.
    let _shared = leaks::shared();
    type Change = fn(Expression) -> Expression;
    let same: Change = |e| e;
    let unchecked: Change = Expression::unchecked;
    let codes: Change = |e| e.ok_codes([1, 2]);
    let zero_too: Change = |e| e.ok_codes([0, 3]);
    let signals: Change = |e| e.ok_signals([libc::SIGTERM]);
    let table: &[(&str, Change, Option<ErrorKind>)] = &[
        ("exit 0", same, None),
        ("exit 7", same, Some(ErrorKind::ExitStatus)),
        ("signal TERM", same, Some(ErrorKind::Signaled)),
        ("exit 7", unchecked, None),
        ("signal KILL", unchecked, None),
        ("exit 2", codes, None),
        ("exit 3", codes, Some(ErrorKind::ExitStatus)),
        ("exit 0", codes, Some(ErrorKind::ExitStatus)),
        ("signal TERM", codes, Some(ErrorKind::Signaled)),
        ("exit 0", zero_too, None),
        ("signal TERM", signals, None),
        ("signal INT", signals, Some(ErrorKind::Signaled)),
        ("exit 0", signals, None),
        ("exit 1", signals, Some(ErrorKind::ExitStatus)),
    ];
    for (line, change, expected) in table {
        let result = change(kid(line)).output();
        assert_eq!(result.as_ref().err().map(|error| error.kind()), *expected, "{line}");
    }
    fails(ErrorKind::NotFound, Expression::new("no-such-program-x").unchecked().run());
    fails(ErrorKind::BadDirectory, kid("exit 0").dir("/no/such/directory").unchecked().run());
}

#[test]
fn a_failure_tells_everything_known() {
    let _shared = leaks::shared();
    let error = fails(ErrorKind::ExitStatus, kid("echo out -- err oops -- exit 123").output());
    assert!(error.message().ends_with("exited with code 123"), "{error}");
    assert!(error.message().contains("testkid echo out"), "{error}");
    assert_eq!((error.stdout(), error.stderr()), (Some(&b"out\n"[..]), Some(&b"oops\n"[..])));
    assert_eq!(error.argv().len(), 9);
    assert_eq!(error.stages().len(), 1);
    assert_eq!(error.stage(), Some(0));
    assert!(error.elapsed().is_some() && error.command().is_some());
}

#[test]
fn results_tell_what_happened() {
    let _shared = leaks::shared();
    let output = kid("pid -- err x").output().expect("it succeeds");
    let pid = String::from_utf8(output.stdout.clone().expect("captured")).expect("digits");
    assert_eq!(pid.trim(), output.stages[0].pid.to_string());
    assert_eq!(output.stderr.as_deref(), Some(&b"x\n"[..]));
    assert!(!output.held_open && output.stages[0].accepted);
    // Not captured is something else than captured and empty.
    let output = kid("exit 0").output().expect("it succeeds");
    assert_eq!((output.stdout.as_deref(), output.stderr.as_deref()), (Some(&b""[..]), Some(&b""[..])));
    let output = kid("exit 0").run().expect("it succeeds");
    assert_eq!((output.stdout, output.stderr), (None, None));
    let spun = kid("spin 300").run().expect("it succeeds");
    let usage = spun.stages[0].usage;
    // On a busy machine it gets little of the time.
    assert!(usage.user + usage.system >= millis(1), "{usage:?}");
    assert!(usage.peak_memory > 100_000 && spun.elapsed >= millis(60), "{spun:?}");
    // What it was: of a pipeline, the stage that the status is of.
    let line = kid("spin 20").dir("/tmp").pipe(kid("spin 20 -- exit 3").dir("/").unchecked());
    let output = line.run().expect("unchecked");
    assert_eq!((&output.command, output.stage), (&line.to_string(), 1));
    assert!(output.argv().ends_with(&["exit".into(), "3".into()]), "{output:?}");
    assert_eq!(output.program(), Some(crate::support::testkid().as_path()));
    assert_eq!((output.dir(), output.stages[0].dir.as_deref()), (Some("/".as_ref()), Some("/tmp".as_ref())));
    let [first, second] = [0, 1].map(|index: usize| output.stages[index].usage);
    let total = output.usage();
    assert_eq!((total.user, total.system), (first.user + second.user, first.system + second.system));
    assert_eq!(total.peak_memory, first.peak_memory.max(second.peak_memory));
}

#[test]
fn a_core_that_was_left_is_told() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let die = |signal: i32, core: Option<u64>| {
        let command = kid("forever").dir(scratch.path()).rlimit("core", core, core);
        let execution = command.start().expect("it starts");
        execution.signal(signal).expect("it is ours");
        let error = fails(ErrorKind::Signaled, execution.wait());
        assert_eq!(error.status(), Some(TerminationStatus::Signaled(signal)));
        assert_eq!(error.core_dumped(), error.stages()[0].core_dumped);
        error.core_dumped()
    };
    assert!(!die(libc::SIGQUIT, Some(0)), "none is allowed");
    let hard = core_limit();
    assert!(!die(libc::SIGTERM, hard) && !die(libc::SIGKILL, hard), "no signals that leave one");
    assert!(scratch.listing().is_empty());
    let output = kid("exit 131").rlimit("core", hard, hard).unchecked().output().expect("it starts");
    assert!(!output.stages[0].core_dumped, "not even with the code that a shell makes of QUIT");
    // Where it goes is the system's affair: only a file in the child's directory is seen from here.
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if hard == Some(0) || pattern.trim().is_empty() || pattern.contains(['|', '/']) {
        println!("SKIP: no core files in the working directory here (limit {hard:?}, pattern `{}`)", pattern.trim());
        return;
    }
    for signal in [libc::SIGQUIT, libc::SIGABRT, libc::SIGSEGV] {
        assert!(die(signal, hard), "signal {signal}");
        let files = scratch.listing();
        assert_eq!(files.len(), 1, "{files:?}");
        std::fs::remove_file(scratch.path().join(&files[0])).expect("ours");
    }
    let stages = [kid("echo"), kid("forever")].map(|command| command.dir(scratch.path()).rlimit("core", hard, hard));
    let execution = pipe(stages).expect("two").unchecked().start().expect("it starts");
    execution.signal(libc::SIGQUIT).expect("they are ours");
    let output = execution.wait().expect("unchecked");
    assert!(output.stages[1].core_dumped, "{output:?}");
}

/// The most that a core may have; `None` for no limit.
#[allow(unsafe_code)]
fn core_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for writing.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_CORE, &mut limit) }, 0);
    (limit.rlim_max != libc::RLIM_INFINITY).then_some(limit.rlim_max)
}

#[test]
fn read_removes_exactly_one_line_ending() {
    let _shared = leaks::shared();
    let table = [
        ("", ""),
        (r"\n", ""),
        ("a", "a"),
        (r"a\n", "a"),
        (r"a\n\n", "a\n"),
        (r"a\r\n", "a"),
        (r"a\r", "a\r"),
        (r"a\r\r\n", "a\r"),
        (r"\x20a\x20\n", " a "),
        (r"a\0b\n", "a\0b"),
    ];
    for (bytes, text) in table {
        let command = kid_with("bytes", [bytes]);
        assert_eq!(command.read().expect("it succeeds"), text, "{bytes}");
        assert!(command.read_raw().expect("it succeeds").starts_with(text), "{bytes}");
    }
    assert_eq!(kid_with("bytes", [r"a\r\n\n"]).read_raw().expect("it succeeds"), "a\r\n\n");
}

#[test]
fn bytes_are_left_alone() {
    let _shared = leaks::shared();
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(kid("cat").stdin_bytes(all.clone()).bytes().expect("it succeeds"), all);
}

#[test]
fn text_goes_in_and_comes_out() {
    let _shared = leaks::shared();
    let text = "日本語 ✓ é\n";
    let cat = kid("cat").stdin_bytes(text);
    assert_eq!(cat.read_raw().expect("it succeeds"), text);
    assert_eq!(cat.bytes().expect("it succeeds"), text.as_bytes());
    assert_eq!(cat.lines().expect("it starts").next().expect("a line").expect("text"), text.trim_end());
    assert_eq!(cat.stderr_to_stdout().output().expect("it succeeds").stdout.as_deref(), Some(text.as_bytes()));
    assert_eq!(kid_with("echo", ["日本語"]).bytes().expect("it succeeds"), "日本語\n".as_bytes());
}

#[test]
fn small_captures_again_and_again_keep_their_streams_apart() {
    let _guard = Guard::new();
    let captured = |line: &str| {
        let output = kid(line).limit(4).output().expect("it succeeds");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes.expect("captured")).expect("text"))
    };
    for _ in 0..128 {
        assert_eq!(captured("echo x -- err y"), ["x\n", "y\n"]);
        assert_eq!(captured("exit 0"), ["", ""]);
    }
}

#[test]
fn what_is_not_text_is_an_error_with_its_offset() {
    let _shared = leaks::shared();
    let bad = kid_with("bytes", [r"abc\xffd"]);
    let error = fails(ErrorKind::DecodeFailed, bad.read());
    assert!(error.message().contains("byte 3"), "{error}");
    let help = error.help().expect("two ways out");
    assert!(help.contains(".lossy()") && help.contains(".encoding("), "{help}");
    assert_eq!(bad.clone().lossy().read().expect("it succeeds"), "abc\u{fffd}d");
    let cut = kid_with("bytes", [r"ab\xc3"]);
    assert!(fails(ErrorKind::DecodeFailed, cut.read()).message().contains("byte 2"));
}

#[test]
fn questions_have_two_answers() {
    // `grep` says 1 for "not there" and 2 for "wrong pattern": the second must not look like "no".
    let _shared = leaks::shared();
    assert!(kid("exit 0").test().expect("an answer"));
    assert!(!kid("exit 1").test().expect("an answer"));
    fails(ErrorKind::ExitStatus, kid("exit 2").test());
    fails(ErrorKind::Signaled, kid("signal TERM").test());
    fails(ErrorKind::NotFound, Expression::new("no-such-program-x").test());
}

#[test]
fn codes_are_numbers_and_deaths_are_errors() {
    let _shared = leaks::shared();
    for code in [0, 1, 77, 255] {
        assert_eq!(kid(&format!("exit {code}")).code().expect("a code"), code);
    }
    fails(ErrorKind::Signaled, kid("signal KILL").code());
    fails(ErrorKind::Signaled, kid("signal KILL").unchecked().code());
    fails(ErrorKind::TimedOut, kid("forever").timeout(millis(50)).code());
}

#[test]
fn input_is_empty_unless_it_is_given() {
    // Whatever the tests' own input is, a captured command must not eat it.
    let _shared = leaks::shared();
    assert_eq!(kid("count").read().expect("it succeeds"), "0");
    assert_eq!(kid("count").output().expect("it succeeds").stdout.as_deref(), Some(&b"0\n"[..]));
    assert_eq!(kid("count").lines().expect("it starts").count(), 1);
    let execution = kid("count").stdout_capture().start().expect("it starts");
    assert_eq!(execution.wait().expect("it succeeds").stdout.as_deref(), Some(&b"0\n"[..]));
    assert_eq!(kid("count").stdin_bytes("").read().expect("it succeeds"), "0");
}

#[test]
fn an_expression_is_a_value() {
    // Run twice, changed without changing the original, compared as the line it stands for.
    let _shared = leaks::shared();
    let base = kid("args a");
    let more = base.clone().arg("b").env("X", "1").stdout_null();
    assert_eq!(base.read().expect("it succeeds"), "a");
    assert_eq!(base.read().expect("it succeeds"), "a");
    assert_eq!(more.stdout_capture().read().expect("it succeeds"), "a\nb");
    let sorted = cmd("sort", ["-u", "it's"]).stdin_path("in file").stdout_path("out");
    assert_eq!(sorted.to_string(), r"sort -u 'it'\''s' < 'in file' > out");
}

#[test]
fn much_data_in_both_directions_at_once() {
    // A pipe holds 64 KiB: feeding first and reading afterwards would wait for ever.
    let _guard = Guard::new();
    let data: Vec<u8> = (0_u32..1_048_576).flat_map(u32::to_le_bytes).collect();
    assert_eq!(data.len(), 4 << 20);
    within(millis(20_000), || assert!(kid("cat").stdin_bytes(data.clone()).bytes().expect("it succeeds") == data));
    let long = kid("cat").pipe(kid("cat")).pipe(kid("cat")).stdin_bytes(data.clone());
    within(millis(20_000), || assert!(long.bytes().expect("it succeeds") == data));
}

#[test]
fn both_outputs_flooded_at_once() {
    let _guard = Guard::new();
    let tee = kid("tee-err").stdin_bytes(vec![b'X'; 100_000]);
    let sizes = |output: procscript::process::Output| (output.stdout.map(|o| o.len()), output.stderr.map(|e| e.len()));
    for _ in 0..8 {
        assert_eq!(sizes(tee.output().expect("it succeeds")), (Some(100_000), Some(100_000)));
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(sizes(tee.output().expect("it succeeds")), (Some(100_000), Some(100_000))));
        }
    });
    let mega = 1 << 20;
    let flood = kid(&format!("flood-both {mega}"));
    assert_eq!(sizes(flood.output().expect("it succeeds")), (Some(mega), Some(mega)));
    assert_eq!(sizes(flood.clone().stdout_null().output().expect("it succeeds")), (None, Some(mega)));
    assert_eq!(sizes(flood.clone().stdout_null().stderr_null().output().expect("it succeeds")), (None, None));
    let merged = flood.stderr_to_stdout().output().expect("it succeeds");
    assert_eq!(sizes(merged), (Some(2 * mega), None));
}

#[test]
fn input_that_nobody_wants_is_no_error() {
    // EPIPE is the child's choice; its own failure still counts.
    let _guard = Guard::new();
    let big = vec![0; 10_000_000];
    // The first is just over what a pipe holds.
    for size in [100_000, 1_000_000, big.len()] {
        soon(|| kid("exit 0").stdin_bytes(&big[..size]).run().expect("it succeeds"));
    }
    let error = fails(ErrorKind::ExitStatus, kid("exit 3").stdin_bytes(big).run());
    assert_eq!(error.status().and_then(|status| status.code()), Some(3));
    let lines: String = (0..50_000).map(|n| format!("line-{n}\n")).collect();
    assert_eq!(kid("read-line").stdin_bytes(lines).read().expect("it succeeds"), "line-0");
}

#[test]
fn capture_limits_are_exact() {
    // N bytes with limit N are fine, one more is an error that carries the first N.
    let _guard = Guard::new();
    for limit in [0, 1, 1000, 65_536, 200_000, 2_097_152] {
        let flood = |bytes: u64| kid(&format!("flood {bytes}")).limit(limit);
        assert_eq!(flood(limit).bytes().expect("within the limit").len() as u64, limit);
        let error = fails(ErrorKind::OutputLimit, flood(limit + 1).bytes());
        assert_eq!(error.stdout().map(<[u8]>::len), Some(limit as usize));
        assert!(error.message().contains(&format!("{limit} bytes")), "{error}");
    }
    // Each stream has the limit for itself.
    let both = kid("flood-both 1000").limit(1000);
    both.output().expect("each within the limit");
    let error = fails(ErrorKind::OutputLimit, kid("bytes abc -- flood-err 1001").limit(1000).output());
    assert_eq!(error.stdout(), Some(&b"abc"[..]));
    // What never stops is ended.
    soon(|| fails(ErrorKind::OutputLimit, kid("lines 2000000000").limit(1000).read()));
    soon(|| fails(ErrorKind::OutputLimit, kid("ignore TERM -- flood 1001 -- forever").limit(1000).output()));
}

#[test]
fn a_process_left_behind_does_not_hold_up_the_reader() {
    // `$(sleep 30 & echo hi)` takes 30 s in a shell.
    let _guard = Guard::new();
    let sleep = unique_sleep(1);
    let command = kid(&format!("grandchild close-in + {sleep} -- bytes hi"));
    let error = within(millis(2500), || fails(ErrorKind::OutputHeld, command.read()));
    assert_eq!(error.stdout(), Some(&b"hi"[..]));
    assert_eq!(error.status(), Some(TerminationStatus::Exited(0)));
    let output = within(millis(2500), || command.output().expect("only marked"));
    assert!(output.held_open && output.success());
    assert_eq!(output.stdout.as_deref(), Some(&b"hi"[..]));
    // Nothing of it is waited for when nothing is read.
    within(millis(450), || command.clone().stdout_null().stderr_null().run().expect("it succeeds"));
    kill_strays(&sleep, 3);
}

#[test]
fn a_failure_beats_a_pipe_that_is_held() {
    let _guard = Guard::new();
    let sleep = unique_sleep(2);
    let command = kid(&format!("grandchild close-in + {sleep} -- exit 4"));
    let error = fails(ErrorKind::ExitStatus, command.read());
    assert_eq!(error.status().and_then(|status| status.code()), Some(4));
    kill_strays(&sleep, 1);
}

#[test]
fn late_output_of_a_process_left_behind_is_taken() {
    // It is quiet for less than the half second that ends the wait.
    let _guard = Guard::new();
    let command = kid("grandchild burst 4 250 x -- exit 0");
    assert_eq!(command.read().expect("it closes the pipe in the end"), "xxxx");
}

#[test]
fn a_process_left_behind_that_holds_the_input_is_not_fed() {
    let _guard = Guard::new();
    let sleep = unique_sleep(3);
    let command = kid(&format!("grandchild close-out + close-err + {sleep} -- read-line"));
    let input = [&b"GO\n"[..], &vec![0; 16 << 20]].concat();
    assert_eq!(soon(|| command.stdin_bytes(input).read().expect("it succeeds")), "GO");
    kill_strays(&sleep, 1);
}

#[test]
fn a_process_that_closes_its_output_early_is_waited_for() {
    let _guard = Guard::new();
    let output =
        kid("echo a -- close-out -- close-err -- sleep 300 -- exit 3").unchecked().output().expect("it starts");
    assert_eq!((output.status.code(), output.stdout.as_deref()), (Some(3), Some(&b"a\n"[..])));
    assert!(output.elapsed >= millis(300));
}

#[test]
fn a_stage_has_its_own_limit() {
    let _guard = Guard::new();
    let noisy = kid("flood-err 1000").stderr_capture();
    let error = fails(ErrorKind::OutputLimit, noisy.clone().limit(10).pipe(kid("count")).read());
    assert_eq!(error.stderr().map(<[u8]>::len), Some(10));
    // The limit of one is not that of the other.
    assert_eq!(noisy.limit(1000).pipe(kid("flood 5000")).read().expect("it is enough").len(), 5000);
}
