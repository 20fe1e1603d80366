//! The runner: what it takes, what it says, how it ends.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::procscript_bin;
use crate::support::run::Run;
use crate::support::verdict::Ended;

mod check;
mod cleanup;
mod cleanup_more;
mod doc;
mod fmt;
mod input;
mod orphans;
mod parallel;
mod reports;
mod signals;

fn eval(code: &str) -> Run {
    Run::new().flag("-e").flag(code)
}

/// A line for the shell, in which `"$0"` is procscript: for streams that a test cannot give directly.
fn shell(line: &str) -> Run {
    Run::program("/bin/sh").flag("-c").flag(line).flag(procscript_bin())
}

#[test]
fn help_and_version_are_answers() {
    Run::new().flag("--help").run().success().stdout_contains("Usage: procscript").stdout_contains("127").stderr("");
    Run::new().flag("-h").run().success().stdout_contains("Usage: procscript").stderr("");
    let version = format!("procscript {}\n", env!("CARGO_PKG_VERSION"));
    Run::new().flag("--version").run().success().stdout(&version).stderr("");
    // An answer that nobody gets is a failure.
    for flag in ["--help", "--version"] {
        shell(&format!("exec \"$0\" {flag} > /dev/full")).run().status(1).stderr_contains("No space left on device");
        shell(&format!("exec \"$0\" {flag} >&-")).run().status(1).stderr_contains("standard output");
    }
}

#[test]
fn wrong_usage_is_2() {
    for flags in [&["--no-such-option"][..], &["-e"], &["-x", "script.rhai"], &["--versoin"]] {
        let run = flags.iter().fold(Run::new(), |run, flag| run.flag(*flag));
        run.run().status(2).stdout("").stderr_contains("error:");
    }
}

#[test]
fn exit_codes_tell_what_happened() {
    let kid = |verbs: &str| format!("cmd(\"testkid\", \"{}\".split(\" \")).run();", verbs);
    let table: Vec<(String, i32)> = vec![
        ("let x = 1;".to_string(), 0),
        ("false".to_string(), 0),
        ("exit()".to_string(), 0),
        ("exit(0); print(1)".to_string(), 0),
        ("exit(255)".to_string(), 255),
        ("exit(256)".to_string(), 2),
        ("exit(-1)".to_string(), 2),
        ("exit(\"x\")".to_string(), 1),
        ("exit(1.0)".to_string(), 1),
        ("exit(true)".to_string(), 1),
        ("throw \"x\"".to_string(), 1),
        ("fail(\"x\")".to_string(), 1),
        ("1 / 0".to_string(), 1),
        ("let x = ;".to_string(), 2),
        ("no_such_function()".to_string(), 2),
        ("import \"no/such/module\" as m;".to_string(), 2),
        (kid("exit 1"), 1),
        (kid("exit 42"), 42),
        (kid("exit 255"), 255),
        (kid("signal TERM"), 128 + 15),
        (kid("signal KILL"), 128 + 9),
        (kid("forever").replace(".run", ".timeout(\"50ms\").run"), 124),
        (kid("exit 0").replace(".run", ".ok_codes([1]).run"), 1),
        (kid("exit 3").replace("run()", "read()"), 3),
        (kid("echo hello").replace("run()", "limit(2).read()"), 1),
        ("cmd(\"no-such-program-x\").run()".to_string(), 127),
        ("cmd(\"/no/such/program\").run()".to_string(), 127),
        ("cmd(\"/tmp\").run()".to_string(), 126),
        ("cmd(\"./data\").run()".to_string(), 126),
        ("cmd(\"testkid\", \"dir\").dir(\"/no/such\").run()".to_string(), 1),
        ("cmd(\"testkid\", \"dir\").stdin_path(\"/no/such\").run()".to_string(), 1),
        ("cmd(\"testkid\", [#{}]).run()".to_string(), 1),
        ("try { throw 1 } catch { exit(9) }".to_string(), 9),
    ];
    for (code, expected) in table {
        let outcome = eval(&code).file("data", "text").run();
        outcome.status(expected).stdout("");
        let silent = expected == 0 || ((3..=255).contains(&expected) && code.contains("exit("));
        outcome.check(silent == outcome.stderr.is_empty(), &format!("a word on stderr: {code}"));
    }
    eval(&kid("exit 139")).may_end(Ended::Exit(139)).run().status(139);
}

#[test]
fn failed_output_is_never_lost() {
    // Even one byte that is still in a buffer when the script ends.
    for code in ["print(\"x\")", "for i in 0..100000 { print(i) }", "print(1); sleep(\"1ms\"); exit(7)"] {
        let outcome = shell(&format!("exec \"$0\" -e '{code}' > /dev/full")).run();
        outcome.status(1).stderr_contains("No space left on device");
        shell(&format!("exec \"$0\" -e '{code}' >&-")).run().status(1).stderr_contains("standard output");
    }
    // Nothing to write, nothing lost.
    shell("exec \"$0\" -e 'let x = 1;' > /dev/full").run().success().stderr("");
    shell("exec \"$0\" -e 'let x = cmd(\"testkid\", \"echo\", \"a\").read(); exit(x.len)' >&-")
        .run()
        .status(1)
        .stderr("");
}

#[test]
fn failed_output_is_not_hidden_by_exit() {
    // The last line is written when the script has ended already.
    shell("exec \"$0\" -e 'print(1); exit(0)' > /dev/full").run().status(1).stderr_contains("No space left on device");
}

#[test]
fn failed_output_stops_the_script_before_the_next_command() {
    // What comes after would rest on a lie.
    shell("exec \"$0\" -e 'print(1); cmd(\"testkid\", \"touch\", \"marker\").run();' > /dev/full").run().status(1);
}

#[test]
fn a_reader_that_leaves_ends_the_script_quietly() {
    for code in [
        "loop { print(\"x\") }",
        "try { loop { print(\"x\") } } catch { exit(5) }",
        "let h = cmd(\"testkid\", \"forever\").start(); loop { print(\"x\") }",
        "[1].for_each(|| loop { print(\"x\") })",
    ] {
        let line = format!("{{ \"$0\" -e '{code}'; echo $? >&2; }} | testkid read-line");
        shell(&line).run().success().stdout("x\n").stderr("141\n");
    }
}

#[test]
fn a_lost_standard_error_keeps_the_exit_code() {
    for code in [
        ("exit(3)", 3),
        ("cmd(\"testkid\", \"exit\", \"7\").run()", 7),
        ("let x = ;", 2),
        ("throw 1", 1),
        ("print(1)", 0),
    ] {
        for target in ["&-", "/dev/full"] {
            let stdout = if code.1 == 0 { "1\n" } else { "" };
            shell(&format!("exec \"$0\" -e '{}' 2>{target}", code.0)).run().status(code.1).stdout(stdout);
        }
    }
    // With all three closed nothing ends up in a file that was opened in their place.
    let line =
        "exec \"$0\" -e 'cmd(\"testkid\", \"echo\", \"in file\").stdout_path(\"out\").run(); exit(4)' <&- >&- 2>&-";
    let outcome = shell(line).allow_file("out").run();
    outcome.status(4).check(outcome.scratch.read("out") == "in file\n", "the file holds what the command wrote");
    for closed in ["<&-", ">&-", "2>&-", "<&- 2>&-", ">&- 2>&-", "<&- >&-"] {
        let line = format!("exec \"$0\" -e 'exit(cmd(\"testkid\", \"fds\").read().len)' {closed}");
        shell(&line).run().status(5).stderr("");
        let piped = format!(
            "exec \"$0\" -e 'exit((cmd(\"testkid\", \"echo\", \"ab\") | cmd(\"testkid\", \"cat\")).read().len)' {closed}"
        );
        shell(&piped).run().status(2).stderr("");
    }
}

#[test]
fn what_commands_write_to_a_closed_stream_is_no_success() {
    for verb in ["run()", "tee(\"/dev/null\").run()", "idle_timeout(\"1m\").run()", "start().wait()"] {
        for closed in [">&-", "<&- >&-"] {
            let code = format!("cmd(\"sh\", \"-c\", \"echo x\").{verb}");
            shell(&format!("exec \"$0\" -e '{code}' {closed}")).run().status(1);
        }
    }
    shell("exec \"$0\" -e 'cmd(\"sh\", \"-c\", \"echo x >&2\").run()' 2>&-").run().status(1);
}

#[test]
fn output_of_script_and_commands_is_in_order() {
    let code = "print(\"a\"); cmd(\"testkid\", \"echo\", \"b\").run(); print(\"c\"); (cmd(\"testkid\", \"echo\", \"d\") | cmd(\"testkid\", \"cat\")).run(); print(\"e\");";
    eval(code).run().success().stdout("a\nb\nc\nd\ne\n");
    let outcome = shell(&format!("\"$0\" -e '{code}' > out")).allow_file("out").run();
    outcome.success().check(outcome.scratch.read("out") == "a\nb\nc\nd\ne\n", "the order in a file");
    let code =
        "print(\"a\"); eprint(\"b\"); print(\"c\"); cmd(\"testkid\", \"err\", \"d\").run(); print(\"e\"); throw \"f\"";
    let outcome = shell(&format!("\"$0\" -e '{code}' > out 2>&1")).allow_file("out").run();
    let text = outcome.scratch.read("out");
    outcome.check(text.starts_with("a\nb\nc\nd\ne\nerror: f\n"), &format!("the order of both in a file:\n{text}"));
}

#[test]
fn a_nonblocking_output_gets_everything() {
    // Somebody who shares our pipe may have made it non-blocking; a full one is then EAGAIN.
    let reader = "import sys, time; time.sleep(0.3); sys.exit(0 if len(sys.stdin.buffer.read()) == 1000001 else 1)";
    let writer =
        "import fcntl, os, sys; fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK); os.execv(sys.argv[1], sys.argv[1:])";
    let code = "let s = \"x\"; for i in 0..20 { s += s; } print(s.sub_string(0, 1000000));";
    let line = format!("python3 -c '{writer}' \"$0\" -e '{code}' | python3 -c '{reader}'");
    let python = std::process::Command::new("python3").arg("--version").output();
    if python.is_ok_and(|output| output.status.success()) {
        shell(&line).run().success().stderr("");
    }
}

#[test]
fn arguments_reach_the_script_as_they_are() {
    let args = ["a b", "", "--help", "-x", "--", "-e", "$(id)", "*", "ä\n", "-"];
    let script = "for a in args() { print(`[${a}]`) }";
    let expected: String = args.iter().map(|arg| format!("[{arg}]\n")).collect();
    Run::new().script(script).args(args).run().success().stdout(&expected);
    let with_code = args.iter().fold(eval(script).flag("--"), |run, arg| run.arg(*arg));
    with_code.run().success().stdout(&expected);
    eval(script).arg("first").arg("-e").arg("x").run().success().stdout("[first]\n[-e]\n[x]\n");
    Run::new().flag("-").args(args).stdin(script).run().success().stdout(&expected);
    eval("print(args().len)").run().success().stdout("0\n");
}

#[test]
fn arguments_that_are_not_text_are_refused_before_anything_runs() {
    let bad = OsStr::from_bytes(b"\xff\xfe");
    let marker = "cmd(\"testkid\", \"touch\", \"marker\").run();";
    Run::new().script(marker).arg("fine").arg(bad).run().status(2).stdout("").stderr_contains("argument 2");
    Run::new().flag("-e").flag(bad).run().status(2).stderr_contains("error");
    eval(marker).arg(bad).run().status(2);
    // The path of a script need not be text.
    let line = "printf 'print(args().len)' > \"$(printf 'a\\377')\"; exec \"$0\" \"$(printf 'a\\377')\" x";
    shell(line).allow_file("a\u{fffd}").run().success().stdout("1\n");
}

#[test]
fn a_script_can_come_from_many_places() {
    let script = "print(\"hi \" + args().len); cmd(\"testkid\", \"count\").run();";
    Run::new().stdin(script).run().success().stdout("hi 0\n0\n");
    Run::new().flag("-").arg("a").stdin(script).run().success().stdout("hi 1\n0\n");
    shell("exec \"$0\" /dev/stdin a < script").file("script", script).run().success().stdout("hi 1\n0\n");
    shell("cat script | \"$0\" /dev/stdin a b").file("script", script).run().success().stdout("hi 2\n0\n");
    let fifo = "mkfifo fifo; cat script > fifo & \"$0\" fifo a; wait";
    shell(fifo).file("script", script).allow_file("fifo").run().success().stdout("hi 1\n0\n");
    shell("ln -s script link; exec \"$0\" ./link").file("script", script).allow_file("link").run().success();
    Run::new().script_named("sub dir/näme\n.rhai", script).run().success().stdout("hi 0\n0\n");
    Run::new().script_named("-dash.rhai", script).run().status(2);
    shell("exec \"$0\" -- -dash.rhai -x").file("-dash.rhai", script).run().success().stdout("hi 1\n0\n");
    // A file that is no longer there after the start does not matter.
    let gone = "cmd(\"testkid\", \"touch\", \"x\").run(); cmd(\"rm\", \"script.rhai\", \"x\").run(); print(\"on\");";
    Run::new().script(gone).run().success().stdout("on\n");
}

#[test]
fn a_script_can_be_a_program() {
    let body = "print(args()); exit(args().len)";
    let make = |first: &str| {
        format!("printf '%s\\n%s\\n' \"#!{first}\" '{body}' > tool; chmod +x tool; ./tool 'a b' '' -x --help")
    };
    shell(&make("$0")).allow_file("tool").run().status(4).stdout("[\"a b\", \"\", \"-x\", \"--help\"]\n");
    let by_env = format!("PATH=\"$(dirname \"$0\"):$PATH\"; {}", make("/usr/bin/env procscript"));
    shell(&by_env).allow_file("tool").run().status(4).stdout("[\"a b\", \"\", \"-x\", \"--help\"]\n");
    // Positions count the first line.
    Run::new().script("#!/usr/bin/env procscript\nlet x = ;\n").run().status(2).stderr_contains("script.rhai:2:9");
    Run::new().script("#!/usr/bin/env procscript\n").run().success().stdout("");
}

#[test]
fn the_surroundings_may_be_poor() {
    for name in ["HOME", "PATH", "LANG", "TMPDIR"] {
        eval("print(cmd(\"true\").code())").env_remove(name).run().success().stdout("0\n");
        eval("print(1)").env(name, "").run().success().stdout("1\n");
    }
    eval("print(1)").env("TERM", "dumb").env("COLUMNS", "-1").env("LINES", "x").run().success().stdout("1\n");
    // A variable that is not text goes on to children as it is, and is an error for the script alone.
    let line = "A=\"$(printf 'x\\377')\" exec \"$0\" -e 'cmd(\"testkid\", \"env\", \"A\").run(); env(\"A\")'";
    shell(line).run().status(1).stdout("A=x\\xff\n").stderr_contains("not UTF-8");
    // The working directory was deleted.
    let line = "mkdir d; cd d; rmdir ../d; exec \"$0\" -e 'print(cmd(\"testkid\", \"echo\", \"ran\").read())'";
    shell(line).run().success().stdout("ran\n");
    let line = "mkdir d; cd d; rmdir ../d; exec \"$0\" -e 'cmd(\"./tool\").run()'";
    shell(line).run().check(true, "an error and no crash").stderr_contains("cannot find the working directory");
    // Descriptors and signals that whoever started us left behind do not go on to children.
    let line = "exec 7</dev/null 9>&1; trap '' USR1 HUP; exec \"$0\" -e 'cmd(\"testkid\", [\"fds\", \"--\", \"signals\"]).run()'";
    shell(line).run().success().stdout("0 1 2\nignored:\nblocked:\n");
}

#[test]
fn a_relative_program_counts_from_where_the_script_was_started() {
    // Neither from where the script is, nor from where the child is to be.
    let script = "cmd(\"./tool\", \"dir\").dir(\"sub\").run(); cmd(path(\"tool\"), \"dir\").dir(\"/\").run();";
    let line = "mkdir -p here/sub; ln -s \"$(command -v testkid)\" here/tool; cd here; \"$0\" ../there/run.rhai; cd ..; rm -r here";
    let outcome = shell(line).file("there/run.rhai", script).run();
    outcome.success();
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(said.ends_with("/here/sub\n/\n"), "{said}");
    // A tool beside the script is asked for by its name.
    let line = "mkdir -p here; ln -s \"$(command -v testkid)\" there/tool; cd here; \"$0\" ../there/run.rhai; cd ..; rm -r here there/tool";
    let script = "try { cmd(\"./tool\").run() } catch (e) { print(e.kind) } cmd(script_dir() / \"tool\", \"echo\", \"ran\").run();";
    shell(line).file("there/run.rhai", script).run().success().stdout("not_found\nran\n");
}

#[test]
fn the_first_error_is_told_with_its_place() {
    let outcome = Run::new().script("fn inner(x) {\n    cmd(\"testkid\", \"err\", \"seen\", \"--\", \"exit\", \"3\").run();\n}\nfn outer() { inner(1) }\nouter();\n").run();
    outcome.status(3).stderr_contains("seen\nerror: `testkid err seen -- exit 3` exited with code 3");
    outcome.stderr_contains("--> script.rhai:2:").stderr_contains("in `inner`, called from script.rhai:4:");
    outcome.stderr_contains("in `outer`, called from script.rhai:5:1");
    // What the user has seen already is not repeated; what was captured is shown, and not at length.
    outcome.stderr_lacks("standard error:");
    let outcome = eval("cmd(\"testkid\", \"err\", \"hidden\", \"--\", \"exit\", \"3\").output()").run();
    outcome.status(3).stderr_contains("standard error:").stderr_contains("hidden");
    let outcome = eval("cmd(\"testkid\", \"flood-err\", \"1000000\", \"--\", \"exit\", \"3\").output()").run();
    outcome.status(3).check(outcome.stderr.len() < 10_000, "a flood is not repeated");
    // Control characters of whatever origin are escaped.
    eval("throw \"a\\x1b[31mb\\rc\"").run().status(1).stderr_contains(r"a\u{1b}[31mb\rc");
    let outcome =
        eval("cmd(\"testkid\", \"err-bytes\", \"\\\\x1b[1mx\\\\x07\", \"--\", \"exit\", \"3\").output()").run();
    outcome.status(3).stderr_contains(r"\u{1b}[1mx\u{7}");
    eval("(cmd(\"testkid\", \"exit\", \"2\") | cmd(\"testkid\", \"cat\")).run()")
        .run()
        .status(2)
        .stderr_contains("stage 1 of 2");
}

#[test]
fn a_deep_call_stack_is_shown_in_part() {
    let code = "fn a(n) { b(n) } fn b(n) { [n].map(|x| a(x + 1)) } a(0);";
    let outcome = eval(code).run();
    outcome.status(1).stderr_contains("too deeply").check(outcome.stderr.len() < 4000, "a short report");
}
