//! The fast and the slow way to start a child, and a terminal.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use procscript::process::{ErrorKind, Expression};

use super::{fails, forked, kid, read};
use crate::support::leaks::{self, Guard};
use crate::support::procscript_bin;
use crate::support::scratch::Scratch;

#[test]
fn both_paths_behave_alike() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let make = |name: &str, text: &str| {
        let file = scratch.write(name, text);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("it is ours");
        file
    };
    let no_format = make("no-format", "echo ran in sh\n");
    let no_interpreter = make("no-interpreter", "#!/no/such/interpreter\n");
    type Change = fn(Expression) -> Expression;
    let ways: [Change; 2] = [|command| command, forked];
    for way in ways {
        fails(ErrorKind::BadFormat, way(Expression::from_path(&no_format)).run());
        fails(ErrorKind::BadInterpreter, way(Expression::from_path(&no_interpreter)).run());
        fails(ErrorKind::BadDirectory, way(kid("dir").dir("/no/such")).run());
        fails(ErrorKind::NotFound, way(Expression::new("testkid").env("PATH", "/no/such")).run());
        let found = way(Expression::new("testkid").arg("arg0").env("PATH", scratch.bin()));
        assert_eq!(read(&found), "testkid");
        assert_eq!(read(&found.arg0("-other")), "-other");
        assert_eq!(read(&way(kid("env A PATH").env_clear().env("A", "b"))), "A=b\nPATH unset");
        assert_eq!(read(&way(kid("signals -- fds"))), "ignored:\nblocked:\n0 1 2");
        assert_eq!(read(&way(kid("dir").dir("/"))), "/");
        assert_eq!(way(kid("exit 7")).code().expect("a code"), 7);
    }
}

#[test]
fn retrying_works_on_both_paths() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    for (name, slow) in [("a", false), ("b", true)] {
        let file = scratch.path().join(name);
        std::fs::copy(crate::support::testkid(), &file).expect("there is room");
        let command = Expression::from_path(&file).args(["echo", "ran"]);
        let command = if slow { forked(command) } else { command };
        let open = || std::fs::OpenOptions::new().append(true).open(&file).expect("it is ours");
        // Not for ever: somebody else may write it for long.
        let writer = open();
        let error = super::soon(|| fails(ErrorKind::Busy, command.run()));
        assert_eq!((error.errno(), error.errno_name()), (Some(libc::ETXTBSY), Some("ETXTBSY")));
        drop(writer);
        // The writer is done while we try. On a loaded machine that may take longer than we try, so that
        // there are several rounds.
        let is_patient = || {
            let writer = open();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    std::thread::sleep(super::millis(10));
                    drop(writer);
                });
                match command.read() {
                    Ok(text) => text == "ran",
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
                        false
                    }
                }
            })
        };
        assert!((0..50).any(|_| is_patient()), "slow: {slow}");
        assert_eq!(read(&command), "ran");
    }
}

#[test]
fn only_what_needs_it_forks() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    let calls = |script: &str| {
        started_by(&scratch, Command::new(procscript_bin()).args(["-e", script]).env("PATH", path_with(&scratch)))
    };
    let Some(plain) = calls("cmd(\"testkid\", \"exit\", \"0\").own_group().run();") else {
        println!("SKIP: strace is not installed, or may not trace");
        return;
    };
    assert_eq!(starts(&plain), [true], "{plain}");
    // No verb, and no setting that posix_spawn can do, has a step of ours between fork and exec.
    let kid = "cmd(\"testkid\", \"cat\")";
    let fast = [
        (1, ".read();"),
        (1, ".output();"),
        (1, ".lines().to_array();"),
        (1, ".start().wait();"),
        (1, ".run(|p| { p.finish(); p.lines().count() });"),
        (1, ".dir(\"/\").env(\"A\", \"b\").arg0(\"c\").read();"),
        (1, ".stdin(\"a\").timeout(\"60s\").idle_timeout(\"60s\").stderr_to_stdout().read();"),
        (2, ".pipe(cmd(\"testkid\", \"cat\")).read();"),
    ];
    for (count, rest) in fast {
        let log = calls(&format!("{kid}{rest}")).expect("it worked before");
        assert_eq!(starts(&log), vec![true; count], "{rest}: {log}");
    }
    let joined = "let p = cmd(\"testkid\", \"forever\").own_group().start(); cmd(\"testkid\", \"exit\", \"0\").process_group(p.pid).run();";
    assert_eq!(starts(&calls(joined).expect("it worked before")), [true, true]);
    let slow = calls("cmd(\"testkid\", \"exit\", \"0\").umask(0o22).run();").expect("it worked before");
    assert_eq!(starts(&slow), [false], "{slow}");
}

/// A host whose descriptors a child would inherit is not copied for that, however large it is.
#[test]
fn a_host_with_descriptors_does_not_fork() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    let test = "process::isolation::the_host_keeps_its_descriptors";
    let this = std::env::current_exe().expect("it runs");
    let Some(log) = started_by(&scratch, Command::new(this).args(["--exact", test])) else {
        println!("SKIP: strace is not installed, or may not trace");
        return;
    };
    assert_eq!(starts(&log), [true; 50], "{log}");
}

/// What strace says of the processes and threads that a command makes; `None` when there is no strace.
fn started_by(scratch: &Scratch, command: &mut Command) -> Option<String> {
    let log = scratch.path().join("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=clone,clone3,fork,vfork", "-o"]).arg(&log);
    strace.arg(command.get_program()).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = strace.stdout(std::process::Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| std::fs::read_to_string(&log).unwrap_or_default())
}

/// Of each process in it: whether it was made without a copy of its parent.
fn starts(log: &str) -> Vec<bool> {
    let is_start = |line: &&str| !line.contains("CLONE_THREAD") && line.contains("SIGCHLD") && line.contains('(');
    log.lines().filter(is_start).map(|line| line.contains("CLONE_VFORK")).collect()
}

fn path_with(scratch: &Scratch) -> std::ffi::OsString {
    let mut path = scratch.bin().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// What a script prints that runs at a terminal of its own.
#[allow(unsafe_code)]
fn at_a_terminal(scratch: &Scratch, script: &str) -> Vec<u32> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both; no name, mode or size is asked for.
    let made = unsafe {
        let null = std::ptr::null_mut();
        libc::openpty(&mut ends[0], &mut ends[1], null, null.cast(), null.cast())
    };
    assert_eq!(made, 0, "no terminal: {}", std::io::Error::last_os_error());
    // SAFETY: openpty has just opened them for us.
    let [_ours, theirs] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    let number = theirs.as_raw_fd();
    let mut command = Command::new(procscript_bin());
    command.args([OsStr::new("-e"), script.as_ref()]).env("PATH", path_with(scratch));
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || match libc::setsid() != -1 && libc::ioctl(number, libc::TIOCSCTTY, 0) == 0 {
            true => Ok(()),
            false => Err(std::io::Error::last_os_error()),
        });
    }
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

#[test]
fn an_own_group_also_at_a_terminal() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    let show = "cmd(\"testkid\", \"cat\", \"--\", \"pid\", \"--\", \"pgid\")";
    let [a, ag, b, bg] = at_a_terminal(&scratch, &format!("({show} | {show}).run();"))[..] else { panic!("4 numbers") };
    assert!(ag == bg && ag != a && ag != b, "with us by default");
    let own = at_a_terminal(&scratch, &format!("({show} | {show}).own_group().run();"));
    let [a, ag, _, bg] = own[..] else { panic!("4 numbers") };
    assert!(ag == a && bg == a, "led by the first stage");
    let mixed = at_a_terminal(&scratch, &format!("({show}.own_group() | {show}).run();"));
    let [a, ag, b, bg] = mixed[..] else { panic!("4 numbers") };
    assert!(ag == a && bg != a && bg != b, "one by itself, the other with us");
    let script = "let p = (cmd(\"testkid\", \"forever\").own_group() | cmd(\"testkid\", \"forever\")).timeout(\"200ms\");\
                  try { p.run(); } catch (e) { for s in e.stages { print(s.signal); } }";
    assert_eq!(at_a_terminal(&scratch, script), [15, 15], "both get the signal");
}

#[test]
fn a_session_of_its_own_has_no_terminal() {
    let _shared = leaks::shared();
    let scratch = Scratch::new();
    // The eighth number that Linux tells of a process is the group in front of its terminal, if it has one.
    let has_one = |setting: &str| {
        let front = format!("parse_int(cmd(\"cat\", \"/proc/self/stat\"){setting}.read().split(\" \")[7])");
        at_a_terminal(&scratch, &format!("print(if {front} > 0 {{ 1 }} else {{ 0 }});"))
    };
    assert_eq!(has_one(""), [1]);
    assert_eq!(has_one(".own_group()"), [1]);
    assert_eq!(has_one(".new_session()"), [0]);
}
