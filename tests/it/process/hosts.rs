//! Programs that embed the engine and are not as a Rust program is by default.
//!
//! What they change belongs to the whole process: each is this test binary, started once more with one
//! test, which does nothing otherwise.

use std::process::{Command, Stdio};
use std::time::Duration;

use procscript::process::{Context, Error, ErrorKind, Expression, HostStream};

use super::{fails, kid, millis, soon, within};
use crate::support::{leaks, procs};

const ROLE: &str = "PROCSCRIPT_TEST_HOST";

/// Starts this binary again, as the host that the test of this name is; what it wrote to its two outputs.
#[track_caller]
pub fn play(role: &str) -> (String, String) {
    let _shared = leaks::shared();
    leaks::keep_foreign_descriptors();
    let myself = std::env::current_exe().expect("a running program has a path");
    let mut host = Command::new(myself);
    host.args(["--exact", role, "--nocapture"]).env(ROLE, role);
    host.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = host.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{}\n{out}\n{err}", output.status);
    (out, err)
}

/// Whether this is that host.
pub fn is_played(role: &str) -> bool {
    std::env::var_os(ROLE).is_some_and(|value| value == role)
}

#[test]
fn a_host_with_the_default_sigpipe_lives_on() {
    // A Rust program ignores the signal from its start; one in C, Python or Swift does not.
    play("process::hosts::with_default_sigpipe");
}

#[test]
#[allow(unsafe_code)]
fn with_default_sigpipe() {
    if !is_played("process::hosts::with_default_sigpipe") {
        return;
    }
    // SAFETY: plain call; nothing else runs in this process.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let much = vec![b'x'; 1 << 20];
    kid("exit 0").stdin_bytes(much.clone()).run().expect("input that nobody wants");
    kid("close-in -- sleep 50").stdin_bytes(much.clone()).run().expect("input that nobody wants");
    let pieces = std::iter::repeat_with(|| Ok(vec![b'x'; 65_536]));
    kid("exit 0").stdin_items(pieces).run().expect("input that nobody wants");
    let execution = kid("exit 0").stdin_piped().start().expect("it starts");
    procs::until(super::SOON, || execution.is_running(), |running| !running);
    fails(ErrorKind::WriteFailed, execution.write(&much));
    execution.wait().expect("it succeeds");
    let copied = kid("lines 10000000").tee("/dev/null").pipe(kid("read-line"));
    assert_eq!(copied.read().expect("nobody's fault"), "line-0");
    let body = |process: &procscript::process::Execution| {
        fails(ErrorKind::WriteFailed, (0..100).try_for_each(|_| process.write(&much)));
        Ok::<_, Error>(())
    };
    kid("close-in -- sleep 200").run_with(body).expect("it succeeds");
    let mut lines = kid("lines 10000000").lines().expect("it starts");
    assert!(lines.next().is_some());
    drop(lines);
    // The signal that a thread of ours did not get is not left for later, and children have the default.
    assert_eq!(kid("signals").read().expect("it succeeds"), "ignored:\nblocked:");
    // SAFETY: only asks what is set now.
    let set = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_eq!(set, libc::SIG_DFL, "nothing global was changed");
}

#[test]
fn a_host_that_ignores_sigchld_is_told_at_once() {
    play("process::hosts::with_sigchld_ignored");
}

#[test]
#[allow(unsafe_code)]
fn with_sigchld_ignored() {
    if !is_played("process::hosts::with_sigchld_ignored") {
        return;
    }
    // SAFETY: plain call; nothing else runs in this process.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let verbs: [fn(&Expression) -> Result<(), Error>; 5] = [
        |e| e.run().map(drop),
        |e| e.read().map(drop),
        |e| e.lines().map(drop),
        |e| e.start().map(drop),
        |e| e.run_with(|_| Ok::<_, Error>(())).map(drop),
    ];
    for verb in verbs {
        for command in [kid("forever"), kid("forever").pipe(kid("cat")), kid("exit 0")] {
            let error = within(millis(1000), || fails(ErrorKind::MonitorFailed, verb(&command)));
            assert!(error.help().is_some_and(|help| help.contains("SIGCHLD")), "{error:?}");
        }
    }
    assert_eq!(procs::children(), [], "nothing was started");
    // SAFETY: as above.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    kid("exit 0").run().expect("as ever");
}

#[test]
fn a_host_without_standard_streams_gets_what_it_asks_for() {
    // Our pipes then get the numbers of the streams, and must neither be mixed up nor reach a child that inherits.
    play("process::hosts::without_standard_streams");
}

#[test]
#[allow(unsafe_code)]
fn without_standard_streams() {
    if !is_played("process::hosts::without_standard_streams") {
        return;
    }
    for closed in 1..8 {
        // SAFETY: plain calls on the numbers of the streams; nothing else runs in this process.
        let kept = [0, 1, 2].map(|number| unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 100) });
        // SAFETY: as above. What has these numbers is put back below.
        (0..3).filter(|number| closed & (1 << number) != 0).for_each(|number| _ = unsafe { libc::close(number) });
        let result = std::panic::catch_unwind(use_all_streams);
        let inherited = std::panic::catch_unwind(inherit_the_rest);
        for (number, kept) in (0..).zip(kept) {
            // SAFETY: as above.
            unsafe { assert_eq!((libc::dup2(kept, number), libc::close(kept)), (number, 0)) };
        }
        result.and(inherited).unwrap_or_else(|_| panic!("with {closed:03b} closed"));
    }
}

/// Where all three streams of the child are ours.
fn use_all_streams() {
    for change in [|command: Expression| command, |command: Expression| command.nice(0)] {
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.expect("captured")).expect("text");
        let both = |command: Expression| {
            let output = soon(|| change(command).stdin_bytes("in\n").output()).expect("it succeeds");
            (text(output.stdout), text(output.stderr))
        };
        let kid_of_both = || kid("cat -- echo out -- err err -- fds");
        assert_eq!(both(kid_of_both()), ("in\nout\n0 1 2\n".into(), "err\n".into()));
        assert_eq!(both(kid_of_both().swap_outputs()), ("err\n".into(), "in\nout\n0 1 2\n".into()));
        let line = kid("cat").pipe(kid("cat-upper")).pipe(kid("cat -- err err -- fds").stderr_to_stdout());
        assert_eq!(both(line), ("IN\nerr\n0 1 2\n".into(), String::new()));
        let talk = |process: &procscript::process::Execution| {
            process.write(b"hello\n")?;
            process.stdout().lines()?.next().transpose()
        };
        let (_, answer) = soon(|| change(kid("cat-upper").stderr_null()).run_with(talk)).expect("it succeeds");
        assert_eq!(answer.as_deref(), Some("HELLO"));
        fails(ErrorKind::NotFound, change(Expression::new("no-such-program-x")).output());
        fails(ErrorKind::ExitStatus, change(kid("exit 3").stderr_null()).output());
    }
}

/// A child that inherits a stream finds that of the host or none, and never a pipe of ours.
fn inherit_the_rest() {
    for change in [|command: Expression| command, |command: Expression| command.nice(0)] {
        let said = |command: Expression| soon(|| change(command.unchecked()).run()).expect("it starts");
        let output = said(kid("echo LEAK -- cat").stdout_inherit().stdin_bytes("x").stderr_capture());
        assert!(!String::from_utf8_lossy(&output.stderr.expect("captured")).contains("LEAK"));
        let output = said(kid("err LEAK -- echo x").stderr_inherit().stdout_capture());
        assert!(!String::from_utf8_lossy(&output.stdout.expect("captured")).contains("LEAK"));
        let output = said(kid("count").stdin_inherit().stdout_capture().stderr_null());
        assert_ne!(output.status.signal(), Some(libc::SIGPIPE));
    }
}

#[test]
fn a_host_that_blocks_sigchld_hears_of_every_end() {
    play("process::hosts::with_sigchld_blocked");
}

#[test]
#[allow(unsafe_code)]
fn with_sigchld_blocked() {
    if !is_played("process::hosts::with_sigchld_blocked") {
        return;
    }
    // SAFETY: plain calls on a local set; threads that are started from here on have the same mask.
    unsafe {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()), 0);
    }
    assert_eq!(soon(|| kid("signals").read()).expect("it succeeds"), "ignored:\nblocked:");
    assert_eq!(soon(|| kid("echo hi").pipe(kid("cat-upper")).read()).expect("it succeeds"), "HI");
    soon(|| fails(ErrorKind::TimedOut, kid("forever").timeout(millis(100)).run()));
    let running: Vec<_> = (0..20).map(|n| kid(&format!("sleep {n} -- exit {n}")).unchecked().start()).collect();
    for (n, execution) in (0..).zip(running) {
        let output = soon(|| execution.expect("it starts").wait()).expect("unchecked");
        assert_eq!(output.status.code(), Some(n));
    }
    let (_, lines) = soon(|| kid("lines 3").run_with(|process| process.stdout().lines())).expect("it succeeds");
    assert_eq!(lines.count(), 3);
    assert_eq!(procs::children(), [], "nothing is left");
}

#[test]
fn a_host_that_reaps_our_children_costs_an_error_and_no_hang() {
    play("process::hosts::with_a_thief");
}

#[test]
#[allow(unsafe_code)]
fn with_a_thief() {
    if !is_played("process::hosts::with_a_thief") {
        return;
    }
    // As a library that waits for "any child" does.
    std::thread::spawn(|| {
        loop {
            // SAFETY: asks for no status; without children it returns at once.
            if unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } == -1 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    // Who comes first is open; a wrong answer is not among the answers. A later stage cannot join the group
    // of a first one that is gone, so that it is not started.
    let is_fair = |result: Result<(), Error>| match result {
        Ok(()) => {}
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::MonitorFailed | ErrorKind::SpawnFailed), "{error:?}");
        }
    };
    let silent = Context::new().with_stdout(HostStream::Null);
    let verbs: [fn(&Expression) -> Result<(), Error>; 5] = [
        |e| e.run().map(drop),
        |e| e.bytes().map(drop),
        |e| e.lines()?.try_for_each(|line| line.map(drop)),
        |e| e.start()?.wait().map(drop),
        |e| e.clone().timeout(millis(20_000)).run().map(drop),
    ];
    for verb in verbs {
        for line in ["echo hi", "sleep 20"] {
            for _ in 0..10 {
                soon(|| is_fair(verb(&kid(line).within(&silent))));
                soon(|| is_fair(verb(&kid(line).pipe(kid("cat")).within(&silent))));
            }
        }
    }
    // What is gone is not signalled: its id may be another's by now.
    for _ in 0..10 {
        let execution = kid("exit 0").start().expect("it starts");
        procs::until(super::SOON, || execution.is_running(), |running| !running);
        execution.signal(libc::SIGKILL).expect("a no-op");
        execution.kill().expect("a no-op");
        soon(|| execution.terminate());
        is_fair(execution.wait().map(drop));
    }
    // And what is still running can be ended.
    let execution = kid("forever").start().expect("it starts");
    soon(|| drop(execution));
    soon(|| kid("forever").timeout(millis(100)).run().expect_err("timed out, or stolen"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_without_process_descriptors_will_do() {
    play("process::hosts::without_process_descriptors");
}

#[test]
#[cfg(target_os = "linux")]
fn without_process_descriptors() {
    if !is_played("process::hosts::without_process_descriptors") {
        return;
    }
    if let Err(error) = refuse_process_descriptors() {
        println!("SKIP: the system takes no filter of system calls: {error}");
        return;
    }
    let pipeline = || kid("echo hi").pipe(kid("cat-upper"));
    assert_eq!(soon(|| pipeline().read()).expect("it succeeds"), "HI");
    let lines: Result<Vec<_>, _> = soon(|| kid("lines 3").lines().expect("it starts").collect());
    assert_eq!(lines.expect("good").len(), 3);
    soon(|| fails(ErrorKind::ExitStatus, kid("sleep 50 -- exit 3").pipe(kid("cat")).output()));
    // It closes its outputs early, so that nothing but its end tells of its end.
    soon(|| kid("close-out -- close-err -- sleep 100").output().expect("it succeeds"));
    soon(|| fails(ErrorKind::TimedOut, kid("forever").pipe(kid("cat")).timeout(millis(100)).run()));
    let execution = kid("forever").start().expect("it starts");
    assert!(execution.process_descriptors().is_empty(), "the filter does not work");
    assert!(execution.wait_timeout(millis(50)).expect("no error").is_none());
    execution.kill().expect("it is ours");
    soon(|| fails(ErrorKind::Signaled, execution.wait()));
    soon(|| drop(kid("forever").start().expect("it starts")));
    let running: Vec<_> = (0..20).map(|_| kid("sleep 50").start().expect("it starts")).collect();
    soon(|| running.iter().for_each(|execution| assert!(execution.wait().expect("it succeeds").success())));
    assert_eq!(procs::children(), [], "nothing is left");
}

/// From now on `pidfd_open` says in this thread, and in those that it starts, that there is no such call:
/// so do old kernels, and the filters of some containers.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn refuse_process_descriptors() -> std::io::Result<()> {
    let instruction = |code: u32, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let mut program = [
        // The number of the system call is the first field that the filter sees.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, libc::SYS_pidfd_open as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program, and what it points to, live as long as the calls.
    let results = unsafe {
        [
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program),
        ]
    };
    match results {
        [0, 0] => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[test]
fn a_host_hears_each_signal_once() {
    play("process::hosts::with_signals_for_its_group");
}

/// Where the handler writes, as those of many programs do.
static HEARD: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(-1);

#[test]
#[allow(unsafe_code)]
fn with_signals_for_its_group() {
    extern "C" fn note(_: libc::c_int) {
        // SAFETY: async-signal-safe.
        unsafe { libc::write(HEARD.load(std::sync::atomic::Ordering::Acquire), b"x".as_ptr().cast(), 1) };
    }
    if !is_played("process::hosts::with_signals_for_its_group") {
        return;
    }
    let (mut reader, writer) = os_pipe::pipe().expect("a pipe");
    HEARD.store(std::os::fd::AsRawFd::as_raw_fd(&writer), std::sync::atomic::Ordering::Release);
    // SAFETY: a handler that is async-signal-safe, and a group of our own.
    unsafe {
        libc::setpgid(0, 0);
        libc::signal(libc::SIGUSR1, note as *const () as usize);
    }
    const SENT: usize = 200;
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for _ in 0..SENT {
                std::thread::sleep(Duration::from_micros(700));
                // SAFETY: takes numbers only; the group is ours.
                unsafe { libc::kill(0, libc::SIGUSR1) };
            }
        });
        while !sending.is_finished() {
            // What hits the child in its program ends it.
            let _ = kid("exit 0").umask(0o22).run();
        }
    });
    HEARD.store(-1, std::sync::atomic::Ordering::Release);
    drop(writer);
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut heard).expect("it is at its end");
    assert!(heard.len() <= SENT, "{} of {SENT}", heard.len());
}

#[test]
fn a_child_may_want_to_end_with_its_parent() {
    play("process::hosts::with_a_child_that_ends_with_its_parent");
}

#[test]
fn with_a_child_that_ends_with_its_parent() {
    if !is_played("process::hosts::with_a_child_that_ends_with_its_parent") {
        return;
    }
    // A host that ignores signals, as one that a shell has put into the background, starts its children otherwise.
    procs::default_signals();
    // The parent is the thread that has started it: that has to live on.
    let _inherited = super::errors::inheritable();
    let starters = || {
        let tasks = std::fs::read_dir("/proc/self/task").expect("there is a /proc").flatten();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.starts_with("procscript spaw")).count()
    };
    let child = Expression::new("setpriv").args(["--pdeathsig", "KILL", "sleep", "0.3"]);
    let Ok(execution) = child.start() else {
        println!("SKIP: there is no setpriv");
        return;
    };
    assert_eq!(starters(), 1);
    execution.wait().expect("it is not killed");
    assert_eq!(procs::until(super::SOON, starters, |count| *count == 0), 0, "and ends with it");
}
