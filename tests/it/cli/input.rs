//! Scripts that are no scripts: a clear word, code 2, and nothing was run.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{eval, shell};
use crate::support::pty::signal_of;
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::verdict::Ended;
use crate::support::{leaks, procs, procscript_bin};

/// Leaves a file behind when it is run, which the harness reports.
const MARKER: &str = "cmd(\"testkid\", \"touch\", \"marker\").run();\n";

#[test]
fn files_that_are_no_scripts_are_refused() {
    Run::new().flag("missing.rhai").run().status(2).stdout("").stderr_contains("missing.rhai");
    Run::new().flag("/").run().status(2).stderr_contains("directory");
    Run::new().flag("file/x").file("file", "").run().status(2).stderr_contains("cannot read");
    Run::new().flag("").run().status(2).stderr_contains("cannot read");
    Run::new().flag("/dev/zero").run().status(2).stderr_contains("too large");
    shell("truncate -s 3G big 2>/dev/null && exec \"$0\" big")
        .allow_file("big")
        .run()
        .status(2)
        .stderr_contains("too large");
    shell("exec \"$0\" - < /").run().status(2).stderr_contains("irectory");
    shell("ln -s loop loop; exec \"$0\" loop").allow_file("loop").run().status(2).stderr_contains("cannot read");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let little = [b"\xff\xfe".to_vec(), wide(MARKER, u16::to_le_bytes)].concat();
    let big = [b"\xfe\xff".to_vec(), wide(MARKER, u16::to_be_bytes)].concat();
    Run::new().script(little).run().status(2).stderr_contains("UTF-16");
    Run::new().script(big).run().status(2).stderr_contains("UTF-16");
    Run::new().script(wide(MARKER, u16::to_le_bytes)).run().status(2).stderr_contains("NUL");
    let bad = [MARKER.as_bytes(), b"// caf\xe9\n"].concat();
    Run::new().script(&bad).run().status(2).stderr_contains("script.rhai:2:7").stderr_contains("not UTF-8");
    Run::new().stdin(&bad).run().status(2).stderr_contains("not UTF-8");
    let nul = [MARKER.as_bytes(), b"let x = \"a\0b\";\n"].concat();
    Run::new().script(nul).run().status(2).stderr_contains("script.rhai:2:").stderr_contains("NUL");
}

#[test]
fn odd_but_good_texts_run() {
    let good = "print(\"a\");\nprint(\"b\");\n";
    Run::new().script(format!("\u{feff}{good}")).run().success().stdout("a\nb\n");
    Run::new().script(good.replace('\n', "\r\n")).run().success().stdout("a\nb\n");
    Run::new().script(format!("\u{feff}#!/x\r\n{}", good.replace('\n', "\r\n"))).run().success().stdout("a\nb\n");
    Run::new().stdin(format!("\u{feff}{good}")).run().success().stdout("a\nb\n");
    Run::new().script("$`testkid\r\n  args a\r\n  b`.run();\r\n").run().success().stdout("a\nb\n");
    for empty in ["", "\n", "// nothing\n", "/* nothing */", "#!/usr/bin/env procscript", "\u{feff}", "   "] {
        Run::new().script(empty).run().success().stdout("").stderr("");
    }
    Run::new().script("print(\"no newline at the end\")").run().success();
    Run::new().script("print(\"日本語 ✓\"); // ünïcode\n").run().success().stdout("日本語 ✓\n");
}

#[test]
fn a_mistake_anywhere_runs_nothing() {
    // The whole program is parsed and checked first: half a deployment is worse than none.
    let table = [
        ("let x = ;", "2:9"),
        ("if", "2:"),
        ("let x = (1 + ;", "2:"),
        ("print(\"abc);", "2:7"),
        ("print(`abc);", "2:7"),
        ("{", "2:"),
        ("}", "2:1"),
        ("print(1", "2:"),
        ("/* never closed", "2:1"),
        ("let x = 1; /* a /* b */", "2:12"),
        ("$`testkid echo", "2:1"),
        ("$`testkid ${1 `.run();", "2:"),
        ("$`testkid echo; rm`.run();", "2:15"),
        ("$`testkid *.txt`.run();", "2:11"),
        ("$`testkid 'a`.run();", "2:"),
        ("$`testkid |`.run();", "2:11"),
        ("$`testkid >`.run();", "2:11"),
        ("$``.run();", "2:"),
        ("$`testkid ${nope}`.run();", "2:13"),
        ("$`testkid $HOME`.run();", "2:11"),
        ("$`a && b`.run();", "2:5"),
        ("$`a &`.run();", "2:5"),
        ("print(nope);", "2:7"),
        ("nope();", "2:1"),
        ("cmd(\"x\").runn();", "2:10"),
        ("cmd(\"x\").timeout().run();", "2:10"),
        ("cmd(\"x\").timeout(\"1s\", 2).run();", "2:10"),
        ("fn f(a) { a } f();", "2:15"),
        ("fn f(a) { nope(a) }", "2:11"),
        ("if args().len > 9 { nope() }", "2:21"),
        ("let f = |x| nope(x);", "2:13"),
        ("switch 1 { 2 => nope(), _ => () }", "2:17"),
        ("try { print(1) } catch { nope() }", "2:26"),
        ("let with = 1;", "2:5"),
        ("let x = 1; let x = y;", "2:20"),
        ("import \"no/such\" as m;", "2:1"),
        ("if args().len > 9 { import \"no/such\" as m; }", "2:21"),
        ("cmd(\"x\");", "2:1"),
        ("cmd(\"x\").dir(\"/\").env(\"A\", \"b\");", "2:"),
        ("break;", "2:1"),
        ("let s = \"\\q\";", "2:"),
        ("const A = 1; A = 2;", "2:"),
    ];
    let mut wrong = Vec::new();
    for (mistake, place) in table {
        for (before, line) in [(MARKER.to_string(), '2'), (format!("#!/x\n{MARKER}"), '3')] {
            let place = place.replacen('2', &line.to_string(), 1);
            let outcome = match Run::new().script(format!("{before}{mistake}")).try_run() {
                Ok(outcome) => outcome,
                Err(report) => {
                    wrong.push(format!("══ {mistake}\n{report}"));
                    continue;
                }
            };
            let told = outcome.shown(&outcome.stderr).contains(&format!("script.rhai:{place}"));
            if outcome.ended != Ended::Exit(2) || !outcome.stdout.is_empty() || !told {
                wrong.push(outcome.report(&format!("══ {mistake}: expected code 2 and place {place}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistake_far_down_is_found_with_its_line() {
    let long = format!("{MARKER}{}nope();\n", "let x = 1;\n".repeat(30_000));
    Run::new().script(long).run().status(2).stderr_contains("script.rhai:30002:1");
    let too_long = format!("{MARKER}{}", "\n".repeat(70_000));
    Run::new().script(too_long).run().status(2).stderr_contains("lines");
    let wide = format!("{MARKER}let x = {}; nope();\n", "1 + ".repeat(100) + "1");
    Run::new().script(wide).run().status(2).stderr_contains("nope");
}

#[test]
fn modules_are_checked_before_anything_runs() {
    let main = format!("{MARKER}import \"lib\" as lib;\nlib::f();\n");
    let with = |lib: &str| Run::new().script(&main).file("lib.rhai", lib).run();
    let outcome = Run::new().script(main.replace("touch", "echo")).file("lib.rhai", "fn f() { print(\"f\") }").run();
    outcome.success().stdout("marker\nf\n");
    with("fn f() { nope() }\n").status(2).stderr_contains("nope");
    with("fn f() { let x = ; }\n").status(2).stderr_contains("lib.rhai");
    with("/* never closed\n").status(2).stderr_contains("never closed");
    with("import \"script\" as s; fn f() { }\n").status(2).stderr_contains("circle");
    with("import \"nowhere\" as s; fn f() { }\n").status(2).stderr_contains("nowhere");
    // A function that the module does not have.
    with("fn g() { }\n").status(2).stderr_contains("lib::f");
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let nest =
        |open: &str, middle: &str, close: &str, n: usize| [open.repeat(n), middle.into(), close.repeat(n)].concat();
    let deep = 10_000;
    for script in [
        nest("(", "1", ")", deep),
        nest("[", "", "]", deep),
        nest("#{a:", "1", "}", deep),
        nest("{", "1", "}", deep),
        nest("if true {", "1", "}", deep),
        nest("!", "true", "", deep),
        nest("f(", "1", ")", deep),
        nest("1+(", "1", ")", deep),
        nest("|x| ", "1", "", deep),
        nest("`${", "1", "}`", 3000),
        nest("$`a ${", "1", "}`", 3000),
        nest("1 + ", "1", "", deep),
        nest("a[", "1", "]", deep),
        nest("a.b", "", "", deep),
        nest("fn f() { ", "", " }", deep),
        nest("/*", "", "", 100_000),
    ] {
        let outcome = Run::new().script(format!("{MARKER}let v = {script};\n")).run();
        outcome.status(2).check(outcome.stderr.len() < 2000, "a short report");
    }
    // What a program needs is not refused.
    let fine = nest("(", "1", ")", 60);
    eval(&format!("print({fine})")).run().success().stdout("1\n");
    Run::new().script(nest("if true { ", "print(1)", " }", 60)).run().success().stdout("1\n");
    let sum = vec!["1"; 400].join(" + ");
    eval(&format!("let x = {sum}; print(x)")).run().success().stdout("400\n");
    let chain = ".replace(\"a\", \"b\")".repeat(300);
    eval(&format!("let x = \"a\"{chain}; print(x)")).run().success().stdout("b\n");
    let long = (0..5000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    eval(&format!("let x = [{long}]; print(x.len)")).run().success().stdout("5000\n");
}

#[test]
fn a_script_that_does_not_come_can_be_given_up() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let fifo = scratch.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("there is a mkfifo").success());
    // Somebody has opened it, and writes nothing.
    let _writer = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("a FIFO");
    for from_stdin in [true, false] {
        let mut runner = Command::new(procscript_bin());
        match from_stdin {
            true => runner.arg("-").stdin(std::fs::File::open(&fifo).expect("it has a writer")),
            false => runner.arg(&fifo).stdin(Stdio::null()),
        };
        let mut child = runner.spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(300));
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("it runs").success());
        let ended = procs::until(Duration::from_secs(10), || child.try_wait().expect("ours"), Option::is_some);
        if ended.is_none() {
            child.kill().expect("it is ours");
        }
        assert_eq!(ended.and_then(signal_of), Some(libc::SIGTERM), "{from_stdin}");
    }
}

#[test]
fn a_script_may_come_through_a_pipe_that_does_not_block() {
    let _shared = leaks::shared();
    let (reader, mut writer) = os_pipe::pipe().expect("a pipe");
    set_nonblocking(&reader);
    let child = Command::new(procscript_bin()).arg("-").stdin(reader).stdout(Stdio::piped()).spawn();
    let child = child.expect("it starts");
    std::thread::sleep(Duration::from_millis(200));
    std::io::Write::write_all(&mut writer, b"print(1 + 1);").expect("it is read");
    drop(writer);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("2\n", Some(0)));
}

#[allow(unsafe_code)]
fn set_nonblocking(fd: &impl std::os::fd::AsRawFd) {
    // SAFETY: sets a flag of an open descriptor.
    assert_eq!(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
}

#[test]
fn a_variable_that_is_no_text_is_not_blamed_on_the_arguments() {
    use std::os::unix::ffi::OsStringExt;
    let odd = std::ffi::OsString::from_vec(vec![0xfe]);
    eval("print(1)").env("PROCSCRIPT_QUIET", odd).run().success().stdout("1\n").stderr("");
    eval("print(1)").env("PROCSCRIPT_QUIET", "off").run().success().stdout("1\n").stderr("");
}
