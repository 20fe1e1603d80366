//! A function of the host's before each start.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use procscript::process::{ErrorKind, Expression};

use super::{fails, kid, kid_with, soon};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

type Change = fn(Expression) -> Expression;

/// Alone, and together with an option that the child applies to itself.
const WAYS: [Change; 2] = [|command| command, |command| command.umask(0o77)];

fn read(command: &Expression) -> String {
    command.read().unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// A hook that cannot fail.
fn hooked(command: Expression, change: impl Fn(&mut Command) + Send + Sync + 'static) -> Expression {
    command.before_spawn(move |command| {
        change(command);
        Ok(())
    })
}

#[test]
fn what_a_hook_changes_is_what_runs() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let out = scratch.path().join("out");
    let input = scratch.write("in", "from the hook");
    for way in WAYS {
        let more = hooked(way(kid("args a")), |command| _ = command.args(["b c", ""]));
        assert_eq!(read(&more), "a\nb c\n");
        assert_eq!(read(&hooked(way(kid("arg0").arg0("other")), |command| _ = command.arg("--"))), "other");
        let env = || way(kid("env A B C PATH")).env("A", "1").env("B", "2");
        assert!(read(&hooked(env(), |command| _ = command.env("C", "3"))).starts_with("A=1\nB=2\nC=3\nPATH=/"));
        assert!(
            read(&hooked(env(), |command| _ = command.env_remove("A"))).starts_with("A unset\nB=2\nC unset\nPATH=/")
        );
        let cleared = hooked(env(), |command| _ = command.env_clear().env("C", "3"));
        assert_eq!(read(&cleared), "A unset\nB unset\nC=3\nPATH unset");
        assert_eq!(read(&hooked(way(kid("dir")), |command| _ = command.current_dir("/"))), "/");
        assert_eq!(read(&hooked(way(kid("dir").dir("/tmp")), |command| _ = command.current_dir("/"))), "/");
        let file = out.clone();
        let elsewhere = way(kid("echo there")).before_spawn(move |command| {
            command.stdout(Stdio::from(std::fs::File::create(&file)?));
            Ok(())
        });
        assert_eq!((read(&elsewhere), scratch.read("out")), (String::new(), "there\n".to_string()));
        let input = input.clone();
        let fed = way(kid("cat").stdin_bytes("not this")).before_spawn(move |command| {
            command.stdin(Stdio::from(std::fs::File::open(&input)?));
            Ok(())
        });
        assert_eq!(read(&fed), "from the hook");
        // It does not go on to the next run, nor to the expression that it was made of.
        assert_eq!(read(&more), "a\nb c\n");
        // And the child is as clean as any.
        assert_eq!(read(&hooked(way(kid("signals -- fds")), |_| ())), "ignored:\nblocked:\n0 1 2");
    }
}

#[test]
fn it_sees_what_was_set() {
    let _guard = Guard::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (notes, dir) = (seen.clone(), std::env::temp_dir());
    let command = kid("exit 0").env("A", "1").env_remove("HOME").dir(&dir).before_spawn(move |command| {
        let has = |name: &str| command.get_envs().any(|(other, value)| other == name && value.is_some());
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let dir = command.get_current_dir().map(|dir| dir.display().to_string());
        notes.lock().expect("no panic").push(format!("{args:?} {dir:?} {} {} {}", has("A"), has("PATH"), has("HOME")));
        Ok(())
    });
    command.run().expect("it succeeds");
    let expected = format!("[\"exit\", \"0\"] {:?} true true false", Some(dir.display().to_string()));
    assert_eq!(*seen.lock().expect("no panic"), [expected]);
}

#[test]
fn outer_hooks_come_first_in_each_stage_and_each_run() {
    let _guard = Guard::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let calls = calls.clone();
        move |command: &mut Command| {
            let verb = command.get_args().next().map(|arg| arg.to_string_lossy().into_owned()).unwrap_or_default();
            calls.lock().expect("no panic").push(format!("{name} {verb}"));
            command.env("LAST", name);
            Ok(())
        }
    };
    let left = kid("env LAST").before_spawn(note("inner")).before_spawn(note("outer"));
    let line = left.pipe(kid("cat-upper")).before_spawn(note("whole"));
    let expected = ["whole env", "outer env", "inner env", "whole cat-upper"];
    for _ in 0..2 {
        assert_eq!(read(&line), "LAST=INNER");
        assert_eq!(std::mem::take(&mut *calls.lock().expect("no panic")), expected);
    }
    let append = |word: &'static str| move |command: &mut Command| _ = command.arg(word);
    assert_eq!(read(&hooked(hooked(kid("args some"), append("inner")), append("outer"))), "some\nouter\ninner");
    // A command as input stands outside, as it does for other settings.
    let fed = kid("cat").before_spawn(note("reader")).stdin_command(kid("echo a"));
    assert_eq!(
        (read(&fed), std::mem::take(&mut *calls.lock().expect("no panic"))),
        ("a".into(), vec!["reader cat".into()])
    );
    // Other verbs, too.
    line.lines().expect("it starts").for_each(|line| _ = line.expect("text"));
    line.clone().stdout_null().start().expect("it starts").wait().expect("it succeeds");
    assert_eq!(calls.lock().expect("no panic").len(), 8);
    // What cannot be started for another reason calls nobody.
    fails(ErrorKind::NotFound, line.pipe(Expression::new("no-such-program-x")).run());
    assert_eq!(calls.lock().expect("no panic").len(), 8);
}

#[test]
fn an_error_of_a_hook_starts_nothing_and_ends_what_runs() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let marker = scratch.path().join("marker");
    let refused = |error: fn() -> io::Error| kid_with("touch", [&marker]).before_spawn(move |_| Err(error()));
    let with_number: fn() -> io::Error = || io::Error::from_raw_os_error(libc::EMFILE);
    let error = fails(ErrorKind::SpawnFailed, refused(with_number).run());
    assert_eq!((error.errno_name(), error.stage(), error.argv().len()), (Some("EMFILE"), Some(0), 3));
    assert!(error.message().ends_with("failed: Too many open files"), "{error}");
    let error = fails(ErrorKind::SpawnFailed, refused(|| io::Error::other("not on Fridays")).output());
    assert!(error.message().contains("hook") && error.message().ends_with("failed: not on Fridays"), "{error}");
    assert_eq!(error.errno(), None);
    let error = fails(ErrorKind::SpawnFailed, hooked(refused(with_number), |_| panic!("on purpose")).run());
    assert!(error.message().ends_with("failed: it panicked"), "{error}");
    // A later stage: what runs already is killed and reaped.
    let line = kid("forever").pipe(refused(with_number)).pipe(kid("forever"));
    let error = soon(|| fails(ErrorKind::SpawnFailed, line.read()));
    assert_eq!((error.stage(), error.command()), (Some(1), Some(line.to_string().as_str())));
    assert!(error.message().contains("(stage 2 of 3 of `"), "{error}");
    assert!(!marker.exists(), "it was started");
    let other = hooked(kid("echo a"), |command| *command = Command::new("/bin/echo"));
    let error = fails(ErrorKind::SpawnFailed, other.run());
    assert!(error.message().contains("another command"), "{error}");
}

#[test]
fn failures_to_start_are_told_as_without_a_hook() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let no_line = scratch.write("no-line", "touch marker\n");
    std::fs::set_permissions(&no_line, PermissionsExt::from_mode(0o755)).expect("ours");
    // std would have a shell run it.
    fails(ErrorKind::BadFormat, hooked(Expression::from_path(&no_line), |_| ()).run());
    fails(ErrorKind::BadFormat, hooked(Expression::from_path(&no_line), |command| _ = command.gid(own_gid())).run());
    let error = fails(ErrorKind::BadDirectory, hooked(kid("dir"), |command| _ = command.current_dir("/no/such")).run());
    assert!(error.message().contains("/no/such"), "{error}");
    fails(ErrorKind::ArgumentTooLong, hooked(kid("args"), |command| _ = command.arg("x".repeat(200_000))).run());
    fails(ErrorKind::SpawnFailed, hooked(kid("args"), |command| _ = command.arg("a\0b")).run());
}

/// Ours, so that setting it is allowed to everybody; std leaves `posix_spawn` for it all the same.
#[allow(unsafe_code)]
fn own_gid() -> u32 {
    // SAFETY: only asks.
    unsafe { libc::getegid() }
}

#[test]
#[allow(unsafe_code)]
fn a_function_between_fork_and_exec() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let input = scratch.write("in", "from a file\n");
    for way in WAYS {
        // What it makes inheritable, and ignores, stays so; options come behind it.
        let path = std::ffi::CString::new(input.to_str().expect("plain")).expect("plain");
        let command = hooked(way(kid("read-fd 300 -- fds -- signals")), move |command| {
            let path = path.clone();
            // SAFETY: system calls only, on memory that was prepared.
            let act = move || unsafe {
                let file = libc::open(path.as_ptr(), libc::O_RDONLY);
                if file < 0 || libc::dup2(file, 300) < 0 || libc::close(file) < 0 {
                    return Err(io::Error::last_os_error());
                }
                libc::signal(libc::SIGHUP, libc::SIG_IGN);
                Ok(())
            };
            // SAFETY: as above.
            unsafe { command.pre_exec(act) };
        });
        // Ignored signals make `signals` fail.
        assert_eq!(read(&command.unchecked()), "from a file\n0 1 2 300\nignored: HUP\nblocked:");
    }
    let refuses = hooked(kid("exit 0"), |command| {
        // SAFETY: makes no call at all.
        unsafe { command.pre_exec(|| Err(io::Error::from_raw_os_error(libc::EPERM))) };
    });
    let error = fails(ErrorKind::SpawnFailed, refuses.run());
    assert_eq!(error.errno_name(), Some("EPERM"));
}
