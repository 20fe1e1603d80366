//! Files: what a script alone cannot show.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use procscript::process::CancelToken;
use procscript::script::{Runtime, Session};

use crate::support::leaks;
use crate::support::procscript_bin;
use crate::support::pty::{Terminal, signal_of};
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::users::{as_ordinary_user, skipped};

fn eval(code: &str) -> Run {
    Run::new().flag("-e").flag(code)
}

/// Something to be removed, with a directory in it that is closed.
const MADE: &str = "let dir = temp_dir(); mkdir(dir / \"closed/inside\"); chmod(dir / \"closed\", 0); temp_file(); ";

// That nothing is left in `TMPDIR` is what every run looks at afterwards.

#[test]
fn temporary_files_go_on_every_way_out() {
    for (code, status) in [
        ("", 0),
        ("throw \"x\";", 1),
        ("1 / 0;", 1),
        ("exit(9);", 9),
        ("[1].for_each(|x| exit(9));", 9),
        ("fn f() { f() } f();", 1),
        ("let s = \"0123456789abcdef\"; loop { s += s; }", 1),
        ("cmd(\"testkid\", \"exit\", \"7\").run();", 7),
        ("cmd(\"testkid\", \"forever\").timeout(\"50ms\").run();", 124),
        ("with timeout(\"50ms\") { loop {} }", 124),
        ("defer { temp_dir(); throw \"late\"; } temp_dir(|dir| exit(9));", 1),
        ("let process = cmd(\"testkid\", \"forever\").dir(dir).start();", 0),
    ] {
        let code = format!("{MADE}{code}");
        let outcome = Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(&code).run();
        outcome.status(status);
    }
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let command = format!("cmd(\"sh\", \"-c\", \"kill -{name} $PPID; exec testkid forever\")");
        eval(&format!("{MADE}{command}.run();")).run().signal(number);
        eval(&format!("{MADE}temp_dir(|dir| {command}.run());")).run().signal(number);
        eval(&format!("{MADE}let process = {command}.start(); loop {{}}")).run().signal(number);
    }
}

#[test]
fn a_session_removes_them_when_it_ends() {
    let _guard = leaks::Guard::new();
    for signal in [None, Some(libc::SIGTERM), Some(libc::SIGHUP)] {
        let scratch = Scratch::new();
        let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &[]);
        terminal.expect("> ");
        // In a place that we can look at.
        let made = || std::fs::read_dir(scratch.path()).expect("it is there").count();
        let before = made();
        terminal.type_text("let dir = temp_dir(#{ dir: cwd() });\r").expect("> ");
        terminal.type_text("write_text(dir / \"x\", \"\"); dir.exists()\r").expect("\ntrue").expect("> ");
        assert_eq!(made(), before + 1);
        match signal {
            None => drop(terminal.type_text("\x04")),
            Some(signal) => send(terminal.pid(), signal),
        }
        assert_eq!(signal_of(terminal.ended()), signal);
        assert_eq!(made(), before, "{signal:?}");
    }
}

#[allow(unsafe_code)]
fn send(pid: u32, signal: i32) {
    // SAFETY: the process is a child that is not reaped yet.
    assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
}

#[test]
fn a_host_finds_them_gone_when_its_script_has_ended() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let runtime = Runtime::builder().dir(scratch.path()).build().expect("a plain runtime");
    let made: String =
        runtime.eval("let dir = temp_dir(#{ dir: \".\" }); dir.absolute().to_string()").expect("it runs");
    assert!(!Path::new(&made).exists());
    // A session of the same runtime keeps its own, also while scripts come and go.
    let mut session = Session::new(runtime.clone());
    session.eval("let dir = temp_dir(#{ dir: \".\" });").expect("it runs");
    runtime.eval::<()>("temp_file(#{ dir: \".\" }); ()").expect("it runs");
    session.eval("if !dir.exists() { throw \"gone\"; }").expect("it is there");
    drop(session);
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it is there").count(), 0);
    // In an engine that is the host's, they go with it.
    let mut engine = procscript::script::rhai::Engine::new();
    let context = procscript::process::Context::new().with_dir(scratch.path());
    procscript::script::install(&mut engine, context);
    engine.run("temp_dir(#{ dir: \".\" })").expect("it runs");
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it is there").count(), 1);
    drop(engine);
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it is there").count(), 0);
}

#[test]
fn whatever_takes_long_is_interrupted() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let made = std::process::Command::new("mkfifo").arg(scratch.path().join("fifo")).status();
    assert!(made.expect("mkfifo is there").success());
    let made = std::process::Command::new("mkfifo").arg(scratch.path().join("stalled")).status();
    assert!(made.expect("mkfifo is there").success());
    // Its reader has opened it, and does something else. Open for both, so that nobody waits here.
    let stalled = std::fs::OpenOptions::new().read(true).write(true).open(scratch.path().join("stalled"));
    let _stalled = stalled.expect("a FIFO can be opened for both");
    std::fs::write(scratch.path().join("large"), vec![b'x'; 1 << 20]).expect("there is room");
    let list = format!("[{}1]", "1, ".repeat(3_000_000));
    std::fs::write(scratch.path().join("list"), list).expect("there is room");
    for code in [
        "write_bytes(\"stalled\", blob(1000000))",
        "copy(\"large\", \"stalled\")",
        "parse_json(read_text(\"list\"))",
        "read_yaml(\"list\")",
        "parse_toml(\"a = \" + read_text(\"list\"))",
        "read_text(\"list\").find_all(\".\")",
        // Nobody writes, nobody reads, and there is no end.
        "read_text(\"fifo\")",
        "path(\"fifo\").lines().count()",
        "write_text(\"fifo\", \"x\")",
        "copy(\"/etc/passwd\", \"fifo\")",
        "read_bytes(\"/dev/zero\")",
        "loop { write_text(\"f\", \"x\", #{ atomic: true }); }",
        "loop { walk(\"/proc/self/fd\"); }",
        "loop { walk(\"/\", #{ skip_unreadable: true }); }",
        "loop { glob(\"/usr/**/*.nothing\", #{ skip_unreadable: true }); }",
        "loop { temp_dir(#{ dir: \".\" }, |dir| { mkdir(dir / \"t/a/b\"); copy(dir / \"t\", dir / \"u\"); }); }",
    ] {
        let token = CancelToken::new().expect("there is a pipe");
        let runtime = Runtime::builder().dir(scratch.path()).cancel(token.clone()).build().expect("a runtime");
        let started = std::time::Instant::now();
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                token.cancel();
            });
            runtime.eval::<()>(&format!("try {{ {code}; }} catch {{ }} loop {{ }}"))
        });
        assert!(result.is_err(), "{code}");
        assert!(started.elapsed() < Duration::from_secs(20), "{code} took {:?}", started.elapsed());
        // And so does a deadline.
        let late = Runtime::builder().dir(scratch.path()).build().expect("a runtime");
        let failure = late.eval::<()>(&format!("with timeout(\"50ms\") {{ {code}; }}")).expect_err("it is over");
        assert!(
            failure.message().contains("timed out") || failure.message().contains("longer"),
            "{}",
            failure.message()
        );
    }
}

#[test]
fn memory_has_its_limit() {
    // The whole file would be in memory.
    let outcome = Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag("read_bytes(\"/dev/zero\");").run();
    outcome.status(1).check(String::from_utf8_lossy(&outcome.stderr).contains("more memory"), "another error");
    // A file that only says that it is large takes nothing in advance.
    let code = "cmd(\"truncate\", \"-s\", \"1T\", \"f\").run(); path(\"f\").lines().first();";
    Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(code).allow_file("f").run().status(1);
}

#[test]
fn what_is_closed_to_an_ordinary_user_is_an_error() {
    if skipped("what_is_closed_to_an_ordinary_user_is_an_error") {
        return;
    }
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let open = |mode| PermissionsExt::from_mode(mode);
    for dir in ["closed", "readable", "own"] {
        std::fs::create_dir(scratch.path().join(dir)).expect("it can be made");
    }
    scratch.write("closed/file", "x");
    scratch.write("readable/file", "x");
    for (name, mode) in [("closed", 0o700), ("readable/file", 0o600), ("own", 0o777)] {
        std::fs::set_permissions(scratch.path().join(name), open(mode)).expect("it is ours");
    }
    let mut around = scratch.path();
    while let Some(parent) = around.parent().filter(|parent| parent.starts_with(std::env::temp_dir())) {
        std::fs::set_permissions(around, open(0o755)).expect("it is ours");
        around = parent;
    }
    let base = scratch.path().display();
    let said = |code: &str| {
        let script =
            format!("let base = path(\"{base}\"); try {{ {code}; print(\"no\"); }} catch (e) {{ print(e.message); }}");
        as_ordinary_user(&script).expect("it runs").replace(&format!("{base}/"), "").replace(&base.to_string(), "BASE")
    };
    for (code, message) in [
        ("exists(base / \"closed/file\")", "cannot look at `closed/file`: Permission denied"),
        ("read_dir(base / \"closed\")", "cannot read `closed`: Permission denied"),
        ("walk(base)", "cannot read `closed`: Permission denied"),
        ("glob(base, \"**/*\")", "cannot read `closed`: Permission denied"),
        ("glob(base, \"*/file\")", "cannot look at `closed/file`: Permission denied"),
        ("read_text(base / \"readable/file\")", "cannot read `readable/file`: Permission denied"),
        ("write_text(base / \"readable/file\", \"\")", "cannot write `readable/file`: Permission denied"),
        (
            "write_text(base / \"readable/file\", \"\", #{ atomic: true })",
            "cannot write `readable/file`: Permission denied",
        ),
        ("write_text(base / \"readable/new\", \"\")", "cannot write `readable/new`: Permission denied"),
        ("remove(base / \"readable/file\")", "cannot remove `readable/file`: Permission denied"),
        ("remove(base / \"readable\", #{ recursive: true })", "cannot remove `readable/file`: Permission denied"),
        ("copy(base / \"closed\", base / \"own/x\")", "cannot read `closed`: Permission denied"),
        (
            "mkdir(base / \"own/half\"); copy(base, base / \"own/half/x\")",
            "cannot copy `BASE`: `own/half/x` is inside of it",
        ),
        ("throw #{ message: exists(base / \"own/x\") }", "false"),
        ("remove(base / \"own/half\"); throw #{ message: \"gone\" }", "gone"),
        ("mkdir(base / \"readable/x\")", "cannot make the directory `readable/x`: Permission denied"),
        ("chmod(base / \"own\", 0o700)", "cannot change the permissions of `own`: Operation not permitted"),
        (
            "temp_dir(#{ dir: base / \"readable\" })",
            "cannot make a temporary directory in `readable`: Permission denied",
        ),
        // A directory of one's own that is closed is no obstacle for what is temporary.
        (
            "let dir = temp_dir(#{ dir: base / \"own\" }); mkdir(dir / \"a/b\"); chmod(dir / \"a\", 0); throw #{ message: \"fine\" }",
            "fine",
        ),
        ("throw #{ message: read_dir(base / \"own\").len }", "0"),
        ("throw #{ message: walk(base, #{ skip_unreadable: true, kind: \"file\" }).len }", "1"),
        ("throw #{ message: glob(base, \"**/file\", #{ skip_unreadable: true }).len }", "1"),
        // What a link leads to cannot be looked at either.
        (
            "symlink(\"../closed/file\", base / \"own/link\"); walk(base / \"own\", #{ follow: true })",
            "cannot look at `own/link`: Permission denied",
        ),
        ("throw #{ message: walk(base / \"own\", #{ follow: true, skip_unreadable: true }).len }", "1"),
        ("remove(base / \"own/link\"); throw #{ message: \"gone\" }", "gone"),
    ] {
        assert_eq!(said(code), message, "{code}");
    }
}

#[test]
fn what_has_gone_is_passed_over_on_request() {
    let _guard = leaks::Guard::new();
    // A process that has ended, and whose status nobody has taken: what it had for `net` cannot be read.
    let mut ended = std::process::Command::new("true").spawn().expect("there is a true");
    let dir = format!("/proc/{}", ended.id());
    let is_readable = || std::fs::read_dir(format!("{dir}/net")).is_ok_and(|mut names| names.all(|name| name.is_ok()));
    while is_readable() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let runtime = Runtime::builder().build().expect("a runtime");
    for (code, what) in [("walk(dir)", "net"), ("glob(dir, \"net/*\")", "net")] {
        let code = code.replace("dir", &format!("\"{dir}\""));
        let failure = runtime.eval::<()>(&format!("{code}; ()")).expect_err("it cannot be read");
        assert!(failure.message().starts_with("cannot read `") && failure.message().contains(what), "{failure}");
        assert!(failure.help().is_some_and(|help| help.contains("skip_unreadable")), "{failure}");
        let code = format!("{}, #{{ skip_unreadable: true }}); ()", code.trim_end_matches(')'));
        runtime.eval::<()>(&code).expect(&code);
    }
    ended.wait().expect("it has ended");
    // Where a walk begins there has to be something.
    let code = format!("walk(\"{dir}\", #{{ skip_unreadable: true }});");
    let failure = runtime.eval::<()>(&code).expect_err("it has gone");
    assert!(failure.message().contains("No such file"), "{failure}");
}

#[test]
fn what_is_atomic_is_never_half() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    scratch.write("f", "0".repeat(300_000));
    let runtime = Runtime::builder().dir(scratch.path()).build().expect("a runtime");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let code = "for turn in 0..40 { let text = \"\"; text.pad(300000, `${turn % 10}`); write_text(\"f\", text, #{ atomic: true }); }";
            runtime.eval::<()>(code)
        });
        while !writer.is_finished() {
            let text = std::fs::read(scratch.path().join("f")).expect("it is always there");
            assert!(text.len() == 300_000 && text.iter().all(|byte| *byte == text[0]), "half of it");
        }
        writer.join().expect("no panic").expect("it runs");
    });
    assert_eq!(std::fs::read_dir(scratch.path()).expect("it is there").count(), 1, "something is left beside it");
}

#[test]
fn secrets_in_paths_are_masked_in_errors() {
    let outcome = eval("let s = secret(\"hidden-name\"); read_text(path(s) / \"x\");").run();
    outcome.status(1).check(!String::from_utf8_lossy(&outcome.stderr).contains("hidden-name"), "the secret is told");
}
