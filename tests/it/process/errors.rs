//! Failures to start: told apart, and told alike on all ways of starting.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use procscript::process::{Context, Error, ErrorKind, Expression};

use super::isolation::in_all_hosts;
use super::{fails, kid};
use crate::support::leaks::{self, Guard};
use crate::support::project_dir;
use crate::support::scratch::Scratch;

/// A descriptor that children would inherit: with one open, commands are started with a descriptor table of their own.
pub fn inheritable() -> OwnedFd {
    inheritable_from(200)
}

/// The same, with the first free number from this one on.
#[allow(unsafe_code)]
pub fn inheritable_from(first: i32) -> OwnedFd {
    let null = std::fs::File::open("/dev/null").expect("/dev/null");
    // SAFETY: the descriptor is open, and the duplicate is ours.
    unsafe {
        let number = libc::fcntl(null.as_raw_fd(), libc::F_DUPFD, first);
        assert!(number >= first, "{}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(number)
    }
}

fn file(scratch: &Scratch, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = scratch.write(name, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
    path
}

#[test]
fn lookalikes_are_told_apart_on_all_ways_of_starting() {
    // `execve` says ENOENT for a missing program, directory and interpreter alike.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let run = |path: &PathBuf| Expression::new(path);
    let plain = file(&scratch, "plain", "#!/bin/sh\necho ran\n", 0o644);
    let good = file(&scratch, "good", "#!/bin/sh\necho ran\n", 0o755);
    let no_interpreter = file(&scratch, "no-interpreter", "#!/no/such/interpreter -x\n", 0o755);
    let carriage = file(&scratch, "carriage", "#!/bin/sh\r\necho ran\r\n", 0o755);
    let dir_interpreter = file(&scratch, "dir-interpreter", "#!/tmp\n", 0o755);
    let no_line = file(&scratch, "no-line", "echo ran\n", 0o755);
    let empty = file(&scratch, "empty", "", 0o755);
    let elf = file(&scratch, "elf", "\u{7f}ELF\u{2}\u{1}\u{1}", 0o755);
    let knot = scratch.path().join("knot");
    symlink("knot", &knot).expect("ours");
    let table: Vec<(&str, Expression, ErrorKind, i32, &[&str])> = vec![
        (
            "missing name",
            Expression::new("no-such-program-x"),
            ErrorKind::NotFound,
            libc::ENOENT,
            &["no-such-program-x"],
        ),
        ("missing file", Expression::new("/no/such/file"), ErrorKind::NotFound, libc::ENOENT, &["/no/such/file"]),
        (
            "long name",
            Expression::new(format!("/tmp/{}", "x".repeat(300))),
            ErrorKind::NotFound,
            libc::ENAMETOOLONG,
            &["xxx", "File name too long"],
        ),
        ("link to itself", run(&knot), ErrorKind::NotFound, libc::ENOENT, &["knot"]),
        ("below a file", run(&good.join("x")), ErrorKind::NotFound, libc::ENOTDIR, &["good/x"]),
        ("far below a file", run(&good.join("x/y")), ErrorKind::NotFound, libc::ENOTDIR, &["good/x/y"]),
        ("missing dir", run(&good).dir("/no/such/dir"), ErrorKind::BadDirectory, libc::ENOENT, &["/no/such/dir"]),
        (
            "dir is a file",
            run(&good).dir(&plain),
            ErrorKind::BadDirectory,
            libc::ENOTDIR,
            &["plain", "not a directory"],
        ),
        (
            "no interpreter",
            run(&no_interpreter),
            ErrorKind::BadInterpreter,
            libc::ENOENT,
            &["/no/such/interpreter", "no-interpreter"],
        ),
        ("CRLF", run(&carriage), ErrorKind::BadInterpreter, libc::ENOENT, &["/bin/sh\\r", "carriage"]),
        ("dir as interpreter", run(&dir_interpreter), ErrorKind::BadInterpreter, libc::EACCES, &["/tmp"]),
        ("not executable", run(&plain), ErrorKind::NotExecutable, libc::EACCES, &["plain", "not executable"]),
        ("directory", Expression::new("/tmp"), ErrorKind::NotExecutable, libc::EACCES, &["/tmp", "is a directory"]),
        ("device", Expression::new("/dev/null"), ErrorKind::NotExecutable, libc::EACCES, &["/dev/null"]),
        ("no #! line", run(&no_line), ErrorKind::BadFormat, libc::ENOEXEC, &["no-line"]),
        ("no #! line, own environment", run(&no_line).env("A", "b"), ErrorKind::BadFormat, libc::ENOEXEC, &["no-line"]),
        ("no #! line, own PATH", run(&no_line).env("PATH", "/bin"), ErrorKind::BadFormat, libc::ENOEXEC, &["no-line"]),
        ("no #! line, empty environment", run(&no_line).env_clear(), ErrorKind::BadFormat, libc::ENOEXEC, &["no-line"]),
        ("no #! line, in a dir", run(&no_line).dir("/"), ErrorKind::BadFormat, libc::ENOEXEC, &["no-line"]),
        ("empty file", run(&empty), ErrorKind::BadFormat, libc::ENOEXEC, &["empty"]),
        ("broken ELF", run(&elf), ErrorKind::BadFormat, libc::ENOEXEC, &["elf"]),
        (
            "no #! line, by name",
            Expression::new("no-line").env("PATH", scratch.path()),
            ErrorKind::BadFormat,
            libc::ENOEXEC,
            &["no-line"],
        ),
    ];
    let told =
        |error: &Error| format!("{} | {} | {:?} | {:?}", error.kind(), error.message(), error.help(), error.errno());
    for (name, expression, kind, errno, parts) in table {
        let spawned = expression.output().expect_err(name);
        assert_eq!((spawned.kind(), spawned.errno()), (kind, Some(errno)), "{name}: {spawned:?}");
        for part in parts {
            assert!(spawned.message().contains(part), "{name}: `{part}` is not in `{spawned}`");
        }
        assert!(spawned.command().is_some() && spawned.status().is_none() && !spawned.argv().is_empty(), "{name}");
        in_all_hosts(|host| {
            let here = expression.output().expect_err(name);
            assert_eq!(told(&spawned), told(&here), "{name}, {host}");
        });
    }
    let crlf = fails(ErrorKind::BadInterpreter, run(&carriage).run());
    assert!(crlf.help().is_some_and(|help| help.contains("CRLF")), "{:?}", crlf.help());
}

#[test]
fn nothing_is_run_by_a_shell_behind_the_back() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = file(&scratch, "script", &format!("touch {}\n", scratch.path().join("marker").display()), 0o755);
    in_all_hosts(|_| {
        fails(ErrorKind::BadFormat, Expression::new(&script).run());
    });
    fails(ErrorKind::BadFormat, Expression::new("script").env("PATH", scratch.path()).run());
    assert!(!scratch.path().join("marker").exists());
}

#[test]
fn too_much_is_told_with_a_way_out() {
    let _shared = leaks::shared();
    let long = |length: usize| kid("exit 0 --").args(["args".to_string(), "x".repeat(length)]);
    long(131_071).run().expect("the kernel takes it");
    let error = fails(ErrorKind::ArgumentTooLong, long(131_072).run());
    assert_eq!(error.errno(), Some(libc::E2BIG));
    assert!(error.help().is_some_and(|help| help.contains("stdin")), "{error:?}");
    fails(ErrorKind::ArgumentTooLong, kid("exit 0").env("BIG", "x".repeat(131_072)).run());
    fails(ErrorKind::ArgumentTooLong, kid("args").args((0..3000).map(|_| "x".repeat(1000))).run());
    // What goes through standard input has no such limit.
    assert_eq!(kid("count").stdin_bytes("x".repeat(3_000_000)).read().expect("it succeeds"), "3000000");
}

#[test]
fn messages_cannot_act_on_a_terminal() {
    let _shared = leaks::shared();
    let evil = "x\u{1b}]0;title\u{7}\r\n\u{202e}y";
    let missing = Expression::new(format!("/no/{evil}"));
    for error in [
        fails(ErrorKind::NotFound, missing.run()),
        fails(ErrorKind::NotFound, Expression::new(evil).run()),
        fails(ErrorKind::ExitStatus, kid("exit 3 --").arg(evil).run()),
        fails(ErrorKind::BadDirectory, kid("exit 0").dir(format!("/no/{evil}")).run()),
        fails(ErrorKind::ReadFailed, kid("exit 0").stdin_path(format!("/no/{evil}")).run()),
        fails(ErrorKind::InvalidArgument, kid("exit 0").env(format!("A={evil}"), "").run()),
    ] {
        // The command as a shell line is quoted; the message is one line.
        let command = error.command().expect("a command");
        assert!(!command.chars().any(char::is_control), "{command:?}");
        assert!(!error.message().contains('\n'), "{:?}", error.message());
    }
}

#[test]
fn every_kind_has_its_name() {
    let names = [
        (ErrorKind::NotFound, "not_found"),
        (ErrorKind::NotExecutable, "not_executable"),
        (ErrorKind::BadFormat, "bad_format"),
        (ErrorKind::BadInterpreter, "bad_interpreter"),
        (ErrorKind::ArgumentTooLong, "argument_too_long"),
        (ErrorKind::Busy, "busy"),
        (ErrorKind::Resource, "resource"),
        (ErrorKind::SpawnFailed, "spawn_failed"),
        (ErrorKind::BadDirectory, "bad_directory"),
        (ErrorKind::ExitStatus, "exit_status"),
        (ErrorKind::Signaled, "signaled"),
        (ErrorKind::TimedOut, "timed_out"),
        (ErrorKind::Cancelled, "cancelled"),
        (ErrorKind::OutputHeld, "output_held"),
        (ErrorKind::OutputLimit, "output_limit"),
        (ErrorKind::ReadFailed, "read_failed"),
        (ErrorKind::WriteFailed, "write_failed"),
        (ErrorKind::MonitorFailed, "monitor_failed"),
        (ErrorKind::ControlFailed, "control_failed"),
        (ErrorKind::IoFailed, "io_failed"),
        (ErrorKind::DecodeFailed, "decode_failed"),
        (ErrorKind::InvalidArgument, "invalid_argument"),
        (ErrorKind::DoublyRedirected, "doubly_redirected"),
        (ErrorKind::Misuse, "misuse"),
        (ErrorKind::Unanswered, "unanswered"),
    ];
    for (kind, name) in names {
        assert_eq!((kind.name(), kind.to_string().as_str()), (name, name));
        // The same word in both languages.
        let spelled: String = format!("{kind:?}").chars().flat_map(snake).collect();
        assert_eq!(spelled.trim_start_matches('_'), name);
    }
    // A new one has to come here too, since scripts ask for the names.
    let _shared = leaks::shared();
    let source = std::fs::read_to_string(project_dir().join("src/process/error/kind.rs")).expect("it is there");
    let arms = source.lines().filter(|line| line.trim_start().starts_with("Self::") && line.contains(" => \""));
    assert_eq!(arms.count(), names.len());
}

/// `A` as `_a`.
fn snake(letter: char) -> impl Iterator<Item = char> {
    letter.is_uppercase().then_some('_').into_iter().chain(letter.to_lowercase())
}

#[test]
fn a_name_stands_for_the_line() {
    let _guard = Guard::new();
    let build = || kid("echo secret -- exit 3").name("the build");
    assert_eq!(build().to_string(), "the build");
    assert_eq!(build().pipe(kid("cat").name("b")).to_string(), "the build | b");
    let error = fails(ErrorKind::ExitStatus, build().output());
    assert_eq!((error.message(), error.command()), ("`the build` exited with code 3", Some("the build")));
    assert_eq!(error.stages()[0].command, "the build");
    // What was run is told all the same.
    assert_eq!(error.argv()[1..], ["echo", "secret", "--", "exit", "3"]);
    let error = fails(ErrorKind::ExitStatus, kid("echo").pipe(build()).output());
    assert!(error.message().contains("`the build`") && !error.message().contains("secret"), "{error}");
    let error = fails(ErrorKind::NotFound, Expression::new("no-such-program-x").name("the build").run());
    assert_eq!(error.command(), Some("the build"));
    let execution = build().unchecked().stdout_null().start().expect("it starts");
    assert_eq!(execution.command(), "the build");
    execution.wait().expect("unchecked");
    // The last one holds, and the one of a pipeline is the pipeline's.
    assert_eq!(build().name("x").to_string(), "x");
    assert_eq!(kid("echo").pipe(kid("cat")).name("both").to_string(), "both");
}

#[test]
fn an_error_tells_what_was_run_as_it_was_found() {
    // A name is not yet a file, nor a relative path: whoever reads the error has another directory.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let here = Context::new().with_dir(scratch.path()).with_env("PATH", scratch.bin());
    let failing = || Expression::new("testkid").args(["exit", "3"]).within(&here);
    for command in
        [failing(), failing().nice(0), kid("echo").pipe(Expression::new("testkid").args(["exit", "3"])).within(&here)]
    {
        let error = fails(ErrorKind::ExitStatus, command.output());
        assert_eq!(error.program(), Some(scratch.bin().join("testkid").as_path()));
        assert_eq!(error.argv(), ["testkid", "exit", "3"]);
        assert_eq!(error.dir(), Some(scratch.path()));
    }
    std::fs::create_dir(scratch.path().join("sub")).expect("ours");
    let error = fails(ErrorKind::ExitStatus, failing().dir("sub").arg0("other").output());
    assert_eq!(error.dir(), Some(scratch.path().join("sub").as_path()));
    assert_eq!(error.argv()[0], "other");
    // The surroundings are a value as well: what becomes of them afterwards is nothing to the command.
    let command = failing().unchecked();
    let changed = here.clone().with_dir("/no/such").with_env("PATH", "/no/such");
    assert_eq!(command.output().expect("unchecked").status.code(), Some(3));
    fails(ErrorKind::NotFound, command.within(&changed).run());
}
