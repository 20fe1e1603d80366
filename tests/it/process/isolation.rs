//! What a child finds: its arguments, its descriptors, its signals.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use procscript::process::{ErrorKind, Expression};

use super::errors::{inheritable, inheritable_from};
use super::{fails, kid, kid_with};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

#[test]
fn arguments_arrive_as_they_are() {
    let _guard = Guard::new();
    let texts = [
        "",
        " ",
        "a  b",
        "; echo pwned",
        "$(id)",
        "`id`",
        "*",
        "?",
        "[a-z]",
        "~",
        "$HOME",
        "${x}",
        "a\nb",
        "\n",
        "\t",
        "\r",
        "\r\n",
        "\u{c}",
        "\"",
        "'",
        "\\",
        "\\\\",
        "a\\",
        "\"a b\"",
        "'a'b\"",
        "--",
        "-n",
        "--help",
        "{a,b}",
        "!x",
        "#x",
        "|",
        ">x",
        "2>&1",
        "&&",
        "%PATH%",
        "\u{1b}[31m",
        "日本語 ✓",
        "\u{202e}",
        "\u{feff}x",
        "ends in space ",
    ];
    let mut arguments: Vec<OsString> = texts.iter().map(OsString::from).collect();
    arguments.push(OsStr::from_bytes(b"\xff\xfe\x80").into());
    arguments.extend((1..=255_u8).map(|byte| OsStr::from_bytes(&[byte]).to_owned()));
    let expected: Vec<u8> = arguments.iter().flat_map(|a| [a.as_bytes(), b"\0"].concat()).collect();
    let command = kid_with("args0", &arguments);
    in_all_hosts(|host| assert!(command.bytes().expect("it succeeds") == expected, "{host}"));
    // And the line that it is shown as, given to a shell, is the same command.
    let bash = Expression::new("bash").arg("-c").arg(command.to_string());
    if procscript::process::Context::new().which("bash").is_ok() {
        assert!(bash.bytes().expect("it succeeds") == expected, "as a shell line");
    }
}

#[test]
fn nul_bytes_are_refused_before_anything_starts() {
    // The kernel would end the text there.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let command = || kid_with("touch", [scratch.path().join("marker")]);
    for refused in [
        command().arg("a\0b"),
        command().args(["fine", "\0"]),
        command().env("A", "x\0y"),
        command().env("A\0B", "x"),
        command().dir("/tmp\0x"),
        command().stdin_path("/tmp\0x"),
        command().stdout_path("/tmp\0x"),
        command().pipe(command().arg("\0")),
    ] {
        let kind = refused.run().expect_err("a NUL byte").kind();
        let paths = [ErrorKind::BadDirectory, ErrorKind::ReadFailed, ErrorKind::WriteFailed];
        assert!(kind == ErrorKind::InvalidArgument || paths.contains(&kind), "{kind}: {refused}");
    }
    let error = fails(ErrorKind::InvalidArgument, kid_with("args", ["x", "a\0b"]).run());
    assert!(error.message().contains("argument 3"), "{error}");
    assert!(scratch.listing().is_empty(), "it was started");
}

#[test]
fn a_nul_byte_is_an_invalid_argument_wherever_it_stands() {
    // The system would say "no such directory" to one and nothing at all to the other.
    let _guard = Guard::new();
    let error = fails(ErrorKind::InvalidArgument, kid("exit 0").dir("/tmp\0x").run());
    assert_eq!(error.errno(), None);
    fails(ErrorKind::InvalidArgument, kid("exit 0").arg0("x\0y").run());
}

#[test]
fn children_have_three_descriptors() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("file", "x");
    let forms = || {
        [
            kid("fds"),
            kid("fds").stdin_bytes("abc"),
            kid("fds").stdin_path(&file),
            kid("cat").pipe(kid("fds")),
            kid("fds").pipe(kid("cat")),
            kid("fds").stderr_capture().env("A", "b").dir("/"),
            kid("fds").stderr_to_stdout(),
            kid("fds").swap_outputs().swap_outputs().stderr_null(),
        ]
    };
    in_all_hosts(|host| {
        for expression in forms().iter().take(7) {
            assert_eq!(expression.read().expect("it succeeds"), "0 1 2", "{expression}, {host}");
        }
        let execution = kid("fds").stdin_piped().stdout_capture().start().expect("it starts");
        assert_eq!(execution.wait().expect("it succeeds").stdout.as_deref(), Some(&b"0 1 2\n"[..]));
        assert_eq!(kid("fds").lines().expect("it starts").next().expect("a line").expect("good"), "0 1 2");
    });
}

#[test]
fn the_host_keeps_its_descriptors() {
    // They are hidden from the child in a table of its own, and not by a change that another thread could see.
    let _guard = Guard::new();
    let held: Vec<_> = (0..3).map(|_| inheritable()).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut looks = 0_usize;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let changed = held.iter().any(|fd| !is_inheritable(fd.as_raw_fd()));
                assert!(!changed, "after {looks} looks");
                looks += 1;
            }
            looks
        });
        for _ in 0..50 {
            assert_eq!(kid("fds").read().expect("it succeeds"), "0 1 2");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(watching.join().expect("they stay inheritable") > 0);
    });
}

#[test]
fn many_threads_start_commands_in_any_host() {
    // Each has pipes open while others are started: none of them may reach another's child, or be held open by it.
    let _guard = Guard::new();
    in_all_hosts(|host| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        assert_eq!(kid("echo").pipe(kid("fds")).read().expect("it succeeds"), "0 1 2", "{host}");
                        assert_eq!(kid("cat").stdin_bytes("fed").read().expect("it succeeds"), "fed", "{host}");
                    }
                });
            }
        });
    });
}

#[test]
fn many_inheritable_descriptors_stay_here() {
    let _guard = Guard::new();
    let numbers = (2..10).map(|power| 1 << power).chain([1000]).filter(|number| *number < most_descriptors());
    let held: Vec<_> = (0..20).map(|_| inheritable()).chain(numbers.map(inheritable_from)).collect();
    assert_eq!(kid("fds").read().expect("it succeeds"), "0 1 2");
    assert_eq!(kid("echo").pipe(kid("fds")).read().expect("it succeeds"), "0 1 2");
    let (mut ours, theirs) = os_pipe::pipe().expect("a pipe");
    let number = theirs.as_raw_fd();
    set_inheritable(number);
    for number in held.iter().map(AsRawFd::as_raw_fd).chain([number]) {
        assert_eq!(kid(&format!("write-fd {number} leaked")).code().expect("a code"), 1, "descriptor {number}");
    }
    drop(theirs);
    let mut seen = Vec::new();
    std::io::Read::read_to_end(&mut ours, &mut seen).expect("it is open");
    assert!(seen.is_empty());
    drop(held);
}

/// From this number on there are none.
#[allow(unsafe_code)]
fn most_descriptors() -> i32 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for writing.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    i32::try_from(limit.rlim_cur).unwrap_or(i32::MAX)
}

#[allow(unsafe_code)]
fn set_inheritable(number: i32) {
    // SAFETY: only changes a flag of a descriptor that the caller owns.
    unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
}

#[allow(unsafe_code)]
fn is_inheritable(number: i32) -> bool {
    // SAFETY: only asks for a flag.
    unsafe { libc::fcntl(number, libc::F_GETFD) == 0 }
}

/// In a host that has nothing that a child would inherit, in one with a descriptor, and in one with an ignored signal:
/// commands are started in another way in each of them. The caller has the exclusive guard.
pub fn in_all_hosts(mut test: impl FnMut(&str)) {
    test("a clean host");
    let held = inheritable();
    test("a host with a descriptor");
    drop(held);
    let disturbed = Disturbed::new(&[libc::SIGUSR1], &[]);
    test("a host that ignores a signal");
    drop(disturbed);
}

/// Ignores signals and blocks others for as long as it lives.
struct Disturbed {
    ignored: Vec<i32>,
    mask: libc::sigset_t,
}

#[allow(unsafe_code)]
impl Disturbed {
    fn new(ignored: &[i32], blocked: &[i32]) -> Self {
        // SAFETY: plain calls on local sets; the guard of the test keeps all others away.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            let mut mask: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            blocked.iter().for_each(|signal| _ = libc::sigaddset(&mut set, *signal));
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut mask);
            ignored.iter().for_each(|signal| _ = libc::signal(*signal, libc::SIG_IGN));
            Self { ignored: ignored.to_vec(), mask }
        }
    }
}

#[allow(unsafe_code)]
impl Drop for Disturbed {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe {
            self.ignored.iter().for_each(|signal| _ = libc::signal(*signal, libc::SIG_DFL));
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, std::ptr::null_mut());
        }
    }
}

#[test]
fn children_start_with_the_default_signals() {
    // A child that ignores INT because its host does cannot be stopped by Ctrl-C.
    let _guard = Guard::new();
    let default = "ignored:\nblocked:";
    let read = || kid("signals").read().expect("it succeeds");
    assert_eq!(read(), default);
    for (ignored, blocked) in [
        (&[libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGTSTP, libc::SIGTTOU, 40][..], &[][..]),
        (&[], &[libc::SIGTERM, libc::SIGUSR2, 41]),
        (&[libc::SIGTERM], &[libc::SIGINT, libc::SIGPIPE]),
    ] {
        let disturbed = Disturbed::new(ignored, blocked);
        assert_eq!(read(), default, "{ignored:?} {blocked:?}");
        let started = kid("signals").stdout_capture().start().expect("it starts").wait().expect("it succeeds");
        assert_eq!(String::from_utf8_lossy(&started.stdout.expect("captured")).trim_end(), default);
        assert_eq!(kid("echo").pipe(kid("signals")).read().expect("it succeeds"), default);
        drop(disturbed);
    }
    assert_eq!(read(), default);
}

#[test]
fn a_host_that_ignores_the_end_of_children_gets_an_error_and_no_hang() {
    // With SIGCHLD ignored the kernel reaps them, and their status is gone.
    let _guard = Guard::new();
    let disturbed = Disturbed::new(&[libc::SIGCHLD], &[]);
    let result = super::soon(|| kid("exit 3").output());
    let killed = super::soon(|| kid("forever").timeout(super::millis(100)).run());
    drop(disturbed);
    assert_eq!(result.expect_err("no status").kind(), ErrorKind::MonitorFailed);
    killed.expect_err("no status");
}
