//! How a command is ended: steps, scopes, and what is left afterwards.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use procscript::process::{CancelToken, Context, ErrorKind, Execution, HostStream, Lines, Scope, Teardown};
use procscript::process::{Error, Expression, TerminationStatus};

use super::{await_strays, fails, kid, kill_strays, millis, soon, strays, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

const LONG: Duration = Duration::from_secs(30);

fn steps(signals: &[i32], scope: Scope, wait: Duration) -> Teardown {
    signals.iter().fold(Teardown::kill(), |teardown, signal| teardown.after(*signal, scope, wait))
}

/// Starts it, and waits until it has written `ready`. The rest of its output is in the lines.
fn started(expression: Expression) -> (Execution, Lines) {
    let execution = expression.stdout_piped().start().expect("it starts");
    let mut lines = execution.stdout().lines().expect("piped");
    assert_eq!(lines.next().expect("a line").expect("good"), "ready");
    (execution, lines)
}

fn rest(lines: Lines) -> Vec<String> {
    lines.map(|line| line.expect("good")).collect()
}

fn status(result: Result<procscript::process::Output, Error>) -> TerminationStatus {
    match result {
        Ok(output) => output.status,
        Err(error) => error.status().expect("it was started"),
    }
}

/// Cancels the command as soon as it has written `ready`; the lines that came after that.
fn cancelled(expression: Expression) -> (Error, Vec<String>) {
    let token = CancelToken::new().expect("a pipe");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (seeing, cancel) = (seen.clone(), token.clone());
    let sink = move |bytes: &[u8]| {
        seeing.lock().expect("no panic").extend_from_slice(bytes);
        cancel.cancel();
    };
    let context = Context::new().with_cancel(token).with_stdout(HostStream::Sink(Arc::new(sink)));
    let error = soon(|| fails(ErrorKind::Cancelled, expression.within(&context).run()));
    let text = String::from_utf8(seen.lock().expect("no panic").clone()).expect("text");
    (error, text.lines().skip(1).map(str::to_string).collect())
}

#[test]
fn the_steps_follow_each_other_and_kill_comes_last() {
    // Everything is caught, so that each step is seen, once and in order.
    let _guard = Guard::new();
    let caught = "trap QUIT quit -- trap USR1 usr1 -- trap INT int -- trap TERM term -- echo ready -- forever";
    let expected = ["usr1", "quit", "int"];
    // What is told behind the last of them has to be written before the KILL.
    let ladder = steps(&[libc::SIGUSR1, libc::SIGQUIT], Scope::Tree, millis(300));
    let ladder = ladder.after(libc::SIGINT, Scope::Tree, millis(2000));

    let (execution, lines) = started(kid(caught));
    let begun = Instant::now();
    soon(|| execution.teardown(&ladder));
    assert!(begun.elapsed() >= millis(900), "{:?}", begun.elapsed());
    assert!(!execution.is_running());
    assert_eq!(rest(lines), expected);
    assert_eq!(status(execution.wait()), TerminationStatus::Signaled(libc::SIGKILL));

    let (execution, lines) = started(kid(caught).teardown(ladder.clone()));
    soon(|| drop(execution));
    assert_eq!(rest(lines), expected, "by a drop");
    let (execution, lines) = started(kid(caught).teardown(ladder.clone()));
    soon(|| execution.terminate());
    assert_eq!(rest(lines), expected, "by terminate");
    let (error, lines) = cancelled(kid(caught).teardown(ladder.clone()));
    assert_eq!((lines, error.status()), (expected.map(String::from).to_vec(), Some(TerminationStatus::Signaled(9))));
    let timed = kid(caught).teardown(ladder).timeout(millis(2000));
    let error = soon(|| fails(ErrorKind::TimedOut, timed.output()));
    assert_eq!(error.stdout(), Some(&b"ready\nusr1\nquit\nint\n"[..]));
}

#[test]
fn it_stops_at_the_step_that_works() {
    let _guard = Guard::new();
    let line = "trap QUIT quit -- trap-exit INT 42 -- echo ready -- forever";
    let teardown = steps(&[libc::SIGQUIT], Scope::Tree, millis(1000));
    let teardown = teardown.after(libc::SIGINT, Scope::Tree, LONG).after(libc::SIGKILL, Scope::Tree, LONG);
    let (execution, lines) = started(kid(line));
    soon(|| execution.teardown(&teardown));
    assert_eq!(rest(lines), ["quit"]);
    assert_eq!(status(execution.wait()), TerminationStatus::Exited(42));
    let (error, lines) = cancelled(kid(line).teardown(teardown));
    assert_eq!((lines, error.status()), (vec!["quit".to_string()], Some(TerminationStatus::Exited(42))));
}

#[test]
fn no_steps_are_a_kill_at_once() {
    let _guard = Guard::new();
    let line = "trap-exit TERM 3 -- trap-exit INT 3 -- echo ready -- forever";
    let (execution, _lines) = started(kid(line));
    within(millis(1500), || execution.teardown(&Teardown::kill()));
    assert_eq!(status(execution.wait()), TerminationStatus::Signaled(libc::SIGKILL));
    let (error, _) = cancelled(kid(line).grace(LONG).teardown(Teardown::kill()));
    assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGKILL)));
    let timed = kid(line).grace(LONG).teardown(Teardown::kill()).timeout(millis(300));
    let error = soon(|| fails(ErrorKind::TimedOut, timed.output()));
    assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGKILL)));
}

#[test]
fn who_cleans_up_is_given_the_time() {
    // It goes on after the signal until it is allowed to end.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let go = scratch.path().join("go");
    let line = kid("trap TERM cleaning -- echo ready -- wait-for").arg(&go).args(["--", "echo", "cleaned"]);
    let (execution, mut lines) = started(line.grace(LONG));
    std::thread::scope(|scope| {
        let ending = scope.spawn(|| execution.terminate());
        assert_eq!(lines.next().expect("a line").expect("good"), "cleaning");
        assert!(execution.is_running());
        std::fs::write(&go, "").expect("ours");
        soon(|| ending.join()).expect("no panic");
    });
    assert_eq!(rest(lines), ["cleaned"]);
    assert_eq!(status(execution.wait()), TerminationStatus::Exited(0));
}

#[test]
fn who_ends_its_own_children_is_let_do_it() {
    // The signal is for it alone: what it has started is its own affair, for which it has the time.
    let _guard = Guard::new();
    let script = r#""$0" forever & trap 'kill $!; wait; exit 0' TERM; echo $!; wait"#;
    let command = Expression::new("sh").args(["-c", script]).arg(crate::support::testkid()).stdout_piped();
    let execution = command.start().expect("it starts");
    let pid = execution.stdout().lines().expect("piped").next().expect("a line").expect("good");
    let child: u32 = pid.parse().expect("a process id");
    assert!(procs::process(child).is_some());
    soon(|| execution.teardown(&steps(&[libc::SIGTERM], Scope::Process, LONG)));
    assert_eq!(status(execution.wait()), TerminationStatus::Exited(0));
    assert!(procs::process(child).is_none(), "it was reaped by its parent");
}

#[test]
fn the_scope_says_who_is_meant() {
    let _guard = Guard::new();
    let sleep = unique_sleep(51);
    let family = format!(
        "grandchild {sleep} -- grandchild setpgid + {sleep} -- grandchild-detached {sleep} -- echo ready -- {sleep}"
    );
    for (scope, left) in [(Scope::Process, 3), (Scope::Group, 2), (Scope::Tree, 0)] {
        let teardown = steps(&[libc::SIGTERM], scope, LONG);
        let (execution, lines) = started(kid(&family));
        assert_eq!(await_strays(&sleep, 4), 4);
        // The one that makes a group of its own may still be about to.
        procs::until(super::SOON, || in_own_group(&sleep), |count| *count == 3);
        soon(|| execution.teardown(&teardown));
        assert!(!execution.is_running());
        assert_eq!(await_strays(&sleep, left), left, "by hand: {scope:?}");
        kill_strays(&sleep, left);
        drop(lines);

        let (execution, lines) = started(kid(&family).teardown(teardown));
        assert_eq!(await_strays(&sleep, 4), 4);
        procs::until(super::SOON, || in_own_group(&sleep), |count| *count == 3);
        soon(|| drop(execution));
        assert_eq!(await_strays(&sleep, left), left, "by the setting: {scope:?}");
        kill_strays(&sleep, left);
        drop(lines);
    }
}

/// How many processes with these words lead a group, the command itself among them.
#[allow(unsafe_code)]
fn in_own_group(words: &str) -> usize {
    // SAFETY: only asks; a process that has ended gives an error, which is no group.
    let leads = |pid: u32| unsafe { libc::getpgid(pid as i32) } == pid as i32;
    strays(words).iter().filter(|stray| leads(stray.pid)).count()
}

#[test]
fn kill_goes_to_whom_the_last_step_was_for() {
    let _guard = Guard::new();
    let sleep = unique_sleep(52);
    let family = format!("ignore TERM -- grandchild ignore TERM + {sleep} -- echo ready -- {sleep}");
    let places: [fn(Expression) -> Expression; 2] = [|command| command, Expression::new_session];
    for (scope, left) in [(Scope::Process, 1), (Scope::Group, 0), (Scope::Tree, 0)] {
        for place in places {
            let command = place(kid(&family)).teardown(steps(&[libc::SIGTERM], scope, millis(100)));
            let (execution, lines) = started(command);
            assert_eq!(await_strays(&sleep, 2), 2);
            soon(|| drop(execution));
            assert_eq!(await_strays(&sleep, left), left, "{scope:?}");
            kill_strays(&sleep, left);
            drop(lines);
        }
    }
}

#[test]
fn a_session_is_ended_by_its_group() {
    let _guard = Guard::new();
    let sleep = unique_sleep(57);
    let family = || kid(&format!("grandchild {sleep} -- echo ready -- {sleep}")).new_session();
    let teardown = steps(&[libc::SIGTERM], Scope::Group, LONG);
    let terminated = TerminationStatus::Signaled(libc::SIGTERM);
    for by_hand in [true, false] {
        let (execution, lines) = started(family().teardown(teardown.clone()));
        assert_eq!(await_strays(&sleep, 2), 2);
        soon(|| if by_hand { execution.teardown(&teardown) } else { execution.terminate() });
        assert_eq!(status(execution.wait()), terminated, "by hand: {by_hand}");
        assert_eq!(await_strays(&sleep, 0), 0, "by hand: {by_hand}");
        drop(lines);
    }
    let (error, _) = cancelled(family().teardown(teardown));
    assert_eq!(error.status(), Some(terminated));
    assert_eq!(await_strays(&sleep, 0), 0);
}

#[test]
fn a_stage_that_has_left_the_group_is_ended_too() {
    // Its own session: signals to the group of the pipeline do not reach it.
    let _guard = Guard::new();
    let sleep = unique_sleep(53);
    let pipeline = || kid("forever").pipe(kid(&format!("setsid -- err ready -- {sleep}"))).stderr_null();
    let left = || procs::until(super::SOON, || in_own_session(&sleep), |count| *count == 1);
    within(millis(3000), || fails(ErrorKind::TimedOut, pipeline().timeout(millis(300)).grace(millis(200)).run()));
    assert_eq!(strays(&sleep), []);
    for end in [
        |e: Execution| {
            e.kill().expect("it is ours");
            drop(e.wait());
        },
        |e: Execution| e.terminate(),
        |e: Execution| drop(e),
        |e: Execution| e.teardown(&Teardown::kill()),
    ] {
        let execution = pipeline().start().expect("it starts");
        assert_eq!(left(), 1);
        soon(|| end(execution));
        assert_eq!(strays(&sleep), []);
    }
    // A stage after it that the system refuses to run.
    let scratch = Scratch::new();
    let no_program = scratch.write("no-program", "neither a script nor a program\n");
    make_executable(&no_program);
    for _ in 0..10 {
        let broken = pipeline().pipe(Expression::from_path(&no_program));
        let begun = Instant::now();
        soon(|| fails(ErrorKind::BadFormat, broken.run()));
        let elapsed = begun.elapsed();
        assert_eq!(strays(&sleep), [], "after {elapsed:?}");
    }
}

#[test]
fn a_stage_that_has_left_the_group_is_in_its_scope() {
    // The command's own processes are always ended: only what they started may be left.
    let _guard = Guard::new();
    let sleep = unique_sleep(54);
    for scope in [Scope::Process, Scope::Group, Scope::Tree] {
        let pipeline = kid("forever").pipe(kid(&format!("setsid -- {sleep}")));
        let execution = pipeline.teardown(steps(&[libc::SIGTERM], scope, millis(200))).start().expect("it starts");
        procs::until(super::SOON, || in_own_session(&sleep), |count| *count == 1);
        soon(|| drop(execution));
        let left = strays(&sleep);
        left.iter().for_each(|stray| procs::kill(stray.pid));
        assert_eq!(left, [], "{scope:?}");
    }
}

fn in_own_session(words: &str) -> usize {
    strays(words).iter().filter(|stray| stray.session == stray.pid).count()
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn silence_ends_a_command_and_a_trickle_does_not() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    let quiet = || kid("echo one -- forever").idle_timeout(millis(300));
    let error = within(millis(5000), || fails(ErrorKind::TimedOut, quiet().idle_timeout(millis(2000)).output()));
    assert_eq!(error.stdout(), Some(&b"one\n"[..]));
    assert!(error.message().contains("without output"), "{error}");
    within(millis(3000), || fails(ErrorKind::TimedOut, quiet().lines().expect("it starts").last().expect("an error")));
    within(millis(3000), || fails(ErrorKind::TimedOut, quiet().stdout_null().start().expect("it starts").wait()));
    within(millis(3000), || fails(ErrorKind::TimedOut, quiet().stdout_path(&file).run()));
    // Longer in all than it may be silent.
    let trickle = || kid("write-slow 8 300").idle_timeout(millis(2000));
    assert_eq!(trickle().read().expect("never silent").lines().count(), 8);
    assert_eq!(trickle().lines().expect("it starts").inspect(|line| assert!(line.is_ok(), "never silent")).count(), 8);
    trickle().stdout_capture().start().expect("it starts").wait().expect("never silent");
    trickle().pipe(kid("cat")).read().expect("never silent");
    trickle().stdout_to_stderr().output().expect("never silent");
    let sink = HostStream::Sink(Arc::new(|_| ()));
    trickle().within(&Context::new().with_stdout(sink)).run().expect("never silent");
}

#[test]
fn a_trickle_that_others_read_is_no_silence() {
    let _guard = Guard::new();
    let trickle = || kid("write-slow 8 300").idle_timeout(millis(2000));
    let execution = trickle().stdout_piped().start().expect("it starts");
    let lines: Result<Vec<_>, _> = execution.stdout().lines().expect("piped").collect();
    assert_eq!(lines.expect("never silent").len(), 8);
    execution.wait().expect("never silent");
    let (_, count) = trickle()
        .run_with(|process| process.stdout().lines()?.try_fold(0, |sum, line| line.map(|_| sum + 1)))
        .expect("never silent");
    assert_eq!(count, 8);
}

#[test]
fn a_trickle_into_a_file_is_no_silence() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    let trickle = || kid("write-slow 8 300").idle_timeout(millis(2000));
    trickle().stdout_path(&file).run().expect("never silent");
    assert_eq!(scratch.read("file").lines().count(), 8);
    trickle().stdout_null().run().expect("never silent");
}

#[test]
fn a_reader_that_takes_its_time_is_not_the_commands_silence() {
    let _guard = Guard::new();
    let mut lines = kid("lines 100000").idle_timeout(millis(2000)).lines().expect("it starts");
    assert!(lines.next().is_some());
    std::thread::sleep(millis(3000));
    assert_eq!(lines.inspect(|line| assert!(line.is_ok(), "never silent")).count(), 99_999);
}

#[test]
fn of_two_readers_the_one_that_waits_counts() {
    // One is at its end at once, and must not be taken for an answer to the other.
    let _guard = Guard::new();
    let command = kid("sleep 200 -- close-err -- forever").stdout_piped().stderr_piped().idle_timeout(millis(500));
    let execution = command.start().expect("it starts");
    let count = |stream: procscript::process::OutputStream| stream.chunks().expect("piped").count();
    std::thread::scope(|scope| {
        let errors = scope.spawn(|| count(execution.stderr()));
        assert_eq!(soon(|| count(execution.stdout())), 0);
        assert_eq!(errors.join().expect("no panic"), 0);
    });
    soon(|| fails(ErrorKind::TimedOut, execution.wait()));
}

#[test]
fn who_leaves_the_group_while_it_is_ended_is_ended_too() {
    // Between the look at the descendants and the signal to their group.
    let _guard = Guard::new();
    let sleep = unique_sleep(57);
    for delay in 0..60_u32 {
        let execution = kid(&format!("grandchild-detached {sleep} -- {sleep}")).start().expect("it starts");
        std::thread::sleep(Duration::from_micros(u64::from(delay) * 100));
        soon(|| drop(execution));
        assert_eq!(strays(&sleep), [], "after {delay}00 µs");
    }
}

#[test]
fn nothing_runs_any_more_when_the_end_is_told() {
    // KILL is heard of the first process while others still die of it.
    let _guard = Guard::new();
    let sleep = unique_sleep(61);
    let children = vec![format!("grandchild {sleep}"); 8].join(" -- ");
    for _ in 0..20 {
        let (execution, lines) = started(kid(&format!("{children} -- echo ready -- forever")));
        assert_eq!(await_strays(&sleep, 9), 9);
        execution.kill().expect("it is ours");
        fails(ErrorKind::Signaled, execution.wait());
        assert_eq!(strays(&sleep).len(), 0);
        drop(lines);
    }
}

#[test]
fn a_stage_says_how_it_is_ended_wherever_it_stands() {
    let _guard = Guard::new();
    let stubborn = || kid("ignore TERM -- forever").timeout(millis(100));
    let orders: [fn(Expression) -> Expression; 3] = [|e| e.pipe(kid("cat")), |e| kid("echo x").pipe(e), |e| e];
    for order in orders {
        // With the grace period of five seconds it would take longer.
        within(millis(4000), || fails(ErrorKind::TimedOut, order(stubborn().grace(millis(50))).run()));
        within(millis(4000), || fails(ErrorKind::TimedOut, order(stubborn().teardown(Teardown::kill())).run()));
    }
    // Whose time is up first decides, not who stands last.
    let slow = kid("forever").timeout(millis(60_000)).grace(millis(60_000));
    within(millis(4000), || fails(ErrorKind::TimedOut, stubborn().grace(millis(50)).pipe(slow).run()));
}

#[test]
fn signals_go_to_the_tree_when_they_are_asked_to() {
    let _guard = Guard::new();
    let sleep = unique_sleep(58);
    let execution = kid(&format!("grandchild-detached {sleep} -- {sleep}")).start().expect("it starts");
    procs::until(super::SOON, || in_own_session(&sleep), |count| *count == 1);
    execution.signal_within(Scope::Tree, libc::SIGTERM).expect("they are ours");
    let error = soon(|| fails(ErrorKind::Signaled, execution.wait()));
    assert_eq!(error.status().and_then(|status| status.signal()), Some(libc::SIGTERM));
    procs::until(super::SOON, || strays(&sleep).len(), |count| *count == 0);
    assert_eq!(strays(&sleep), []);
}

#[test]
fn steps_by_hand_are_as_good_as_those_of_the_command() {
    let _guard = Guard::new();
    let sleep = unique_sleep(77);
    let text = format!("(trap '' TERM; echo ready; exec {} {sleep}) & wait", crate::support::testkid().display());
    let steps = || steps(&[libc::SIGTERM], Scope::Tree, millis(200));
    let (execution, _lines) = started(Expression::new("sh").arg("-c").arg(&text));
    soon(|| execution.teardown(&steps()));
    assert_eq!(strays(&sleep).len(), 0, "a descendant that ignores the first of them");
    // Of two who want it ended, the last says how.
    let (execution, _lines) = started(kid("trap TERM term -- echo ready -- forever").grace(LONG));
    std::thread::scope(|scope| {
        let first = execution.clone();
        scope.spawn(move || first.terminate());
        std::thread::sleep(millis(100));
        soon(|| execution.teardown(&steps()));
    });
    // Also from the function that receives its output, which cannot wait for it.
    let held: Arc<std::sync::OnceLock<Execution>> = Arc::default();
    let (holder, called) = (held.clone(), Arc::new(Mutex::new(0)));
    let calls = called.clone();
    let sink = move |_: &[u8]| {
        procs::until(Duration::from_secs(5), || holder.get().is_some(), |is| *is);
        holder.get().expect("it is started").teardown(&Teardown::kill());
        *calls.lock().expect("no panic") += 1;
    };
    let context = Context::new().with_stdout(HostStream::Sink(Arc::new(sink)));
    let execution = kid("echo x -- forever").within(&context).start().expect("it starts");
    held.set(execution.clone()).expect("once");
    let _ = soon(|| execution.wait());
    assert_eq!(*called.lock().expect("no panic"), 1);
    drop(held);
}
