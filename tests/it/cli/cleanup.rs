//! `defer { … }` on every way out of a block, and what signals mean while it runs.

use std::time::Duration;

use super::eval;
use crate::support::procs;
use crate::support::run::{Outcome, Run};

/// A way out of a block: the code, the exit code or the signal, and what is printed behind the clean-up.
struct Way {
    name: &'static str,
    code: String,
    ends: Ends,
    /// Whether the script goes on behind the block.
    goes_on: bool,
}

#[derive(Clone, Copy)]
enum Ends {
    Code(i32),
    Signal(i32),
}

fn ways() -> Vec<Way> {
    let way = |name, code: &str, ends, goes_on| Way { name, code: code.to_string(), ends, goes_on };
    let signal = |name: &str| {
        // It is certain to be running when it signals us.
        format!("cmd(\"sh\", \"-c\", \"kill -{name} $PPID; exec testkid forever\").run();")
    };
    let mut ways = vec![
        way("end", "print(\"in\");", Ends::Code(0), true),
        way("throw", "throw \"x\";", Ends::Code(1), false),
        way("an error of the interpreter", "1 / 0;", Ends::Code(1), false),
        way("a failing command", "cmd(\"testkid\", \"exit\", \"7\").run();", Ends::Code(7), false),
        way("exit", "exit(9);", Ends::Code(9), false),
        way("exit in a closure", "[1].for_each(|x| exit(9));", Ends::Code(9), false),
        way("recursion", "endless(0);", Ends::Code(1), false),
        way("memory", "let s = \"0123456789abcdef\"; loop { s += s; }", Ends::Code(1), false),
        way("deadline", "with timeout(\"50ms\") { loop {} }", Ends::Code(124), false),
        way("timeout", "cmd(\"testkid\", \"forever\").timeout(\"50ms\").run();", Ends::Code(124), false),
    ];
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        ways.push(way(name, &signal(name), Ends::Signal(number), false));
    }
    ways
}

/// The blocks that something can be deferred in; WAY stands for the way out.
const BLOCKS: [(&str, &str); 6] = [
    ("the script", "defer { CLEAN } WAY"),
    ("a block", "{ defer { CLEAN } WAY }"),
    ("a function", "fn f() { defer { CLEAN } WAY } f();"),
    ("a loop", "for i in 0..1 { defer { CLEAN } WAY }"),
    ("a closure", "let f = || { defer { CLEAN } WAY }; f.call();"),
    ("a branch", "if true { defer { CLEAN } WAY }"),
];

/// Clean-up that also runs a command.
const CLEAN: &str = "print(\"clean \" + cmd(\"testkid\", \"echo\", \"up\").read());";
const ENDLESS: &str = "fn endless(n) { endless(n + 1) } ";

#[test]
fn clean_up_runs_on_every_way_out_of_every_block() {
    for way in ways() {
        for (block, text) in BLOCKS {
            let code = format!("{ENDLESS}{} print(\"after\");", text.replace("CLEAN", CLEAN).replace("WAY", &way.code));
            let outcome = Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(&code).run();
            let what = format!("{}, in {block}:\n{code}", way.name);
            match way.ends {
                Ends::Code(code) => outcome.status(code),
                Ends::Signal(number) => outcome.signal(number),
            };
            let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
            outcome.check(said.matches("clean up\n").count() == 1, &format!("no clean-up: {what}"));
            outcome.check(said.contains("after\n") == way.goes_on, &what);
        }
    }
}

/// Every way out ends what runs beside the script, too: the block's own commands before its clean-up ends, and what the
/// script keeps at its end. That nothing is left is looked at after every run.
#[test]
fn what_runs_beside_the_script_is_gone_on_every_way_out() {
    let beside = "let early = cmd(\"testkid\", \"forever\").start();";
    let clean = "kept.pids.len() == 1 && kept.is_running";
    for way in ways() {
        let code = format!(
            "{ENDLESS}let kept = cmd(\"testkid\", \"forever\").start(); \
             {{ {beside} defer {{ print(\"one\"); }} defer {{ let alive = {clean}; print(\"two\"); }} \
             defer {{ {CLEAN} }} {} }} print(\"after\");",
            way.code
        );
        let outcome = Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(&code).run();
        match way.ends {
            Ends::Code(code) => outcome.status(code),
            Ends::Signal(number) => outcome.signal(number),
        };
        let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
        outcome.check(said.contains("clean up\ntwo\none\n"), &format!("{}:\n{code}", way.name));
        outcome.check(said.contains("after\n") == way.goes_on, way.name);
    }
}

#[test]
fn clean_up_runs_when_a_function_or_a_loop_is_left() {
    for code in [
        "fn f() { defer { CLEAN } return 1; } f(); print(\"after\");",
        "fn f() { for i in 0..3 { defer { CLEAN } return 1; } } f(); print(\"after\");",
        "for i in 0..3 { defer { CLEAN } break; } print(\"after\");",
        "for i in 0..1 { defer { CLEAN } continue; } print(\"after\");",
        "let i = 0; while i < 1 { i += 1; { defer { CLEAN } continue; } } print(\"after\");",
        "switch 1 { 1 => { defer { CLEAN } } } print(\"after\");",
        "with timeout(\"1m\") { defer { CLEAN } } print(\"after\");",
        "try { defer { CLEAN } throw 1; } catch { } print(\"after\");",
        "loop { { defer { CLEAN } break; } } print(\"after\");",
        "let f = |x| { defer { CLEAN } if x { return 1; } 2 }; f.call(true); print(\"after\");",
        "defer { print(\"after\"); } { defer { CLEAN } return; }",
    ] {
        eval(&code.replace("CLEAN", CLEAN)).run().success().stdout("clean up\nafter\n").stderr("");
    }
}

#[test]
fn only_the_block_is_left() {
    let code = "
        fn f() { defer { print(\"f\"); } return 5; }
        print(f());
        for i in 0..5 { defer { print(`end ${i}`); } if i == 0 { continue; } if i == 1 { break; } }
        try { defer { print(\"first\"); } defer { print(\"second\"); } throw \"x\"; } catch (e) { print(`caught ${e}`); }
        let x = if true { defer { print(\"branch\"); } 7 } else { 8 };
        print(x);
        let y = 1;
        defer { print(`y is ${y}`); }
        y = 2;
        while y < 4 { defer { y += 1; } }
        print(\"end\");
    ";
    let told = "f\n5\nend 0\nend 1\nsecond\nfirst\ncaught x\nbranch\n7\nend\ny is 4\n";
    eval(code).run().success().stdout(told).stderr("");
}

#[test]
fn a_failure_of_clean_up_is_not_lost() {
    let failing = "defer { cmd(\"testkid\", \"exit\", \"3\").run(); }";
    // By itself it is the failure of the script.
    let outcome = eval(&format!("{{ {failing} print(\"in\"); }} print(\"after\");")).run();
    outcome.status(3).stdout("in\n").stderr_contains("`testkid exit 3` exited with code 3");
    eval(&format!("{failing} exit(0);")).run().status(3).stderr_contains("exited with code 3");
    // Beside another it is a note, and the others run all the same.
    let outcome =
        eval(&format!("defer {{ print(\"still\"); }} {failing} cmd(\"testkid\", \"exit\", \"9\").run();")).run();
    outcome.status(9).stdout("still\n").stderr_contains("exited with code 9");
    outcome.stderr_contains("and clean-up failed at -e:1:63: `testkid exit 3` exited with code 3");
    eval("defer { exit(3); } print(\"x\");").run().status(1).stderr_contains("exit cannot be called in clean-up");
}

/// A script whose clean-up takes long, told twice to stop.
fn told_twice(clean: &str) -> Run {
    let signal = "cmd(\"sh\", \"-c\", \"kill -TERM $PPID; exec testkid forever\").run();";
    eval(&format!("defer {{ {clean} print(\"whole\"); }} {signal}"))
}

#[test]
fn a_second_signal_ends_clean_up() {
    // The command of the clean-up sends it.
    let outcome = told_twice("cmd(\"sh\", \"-c\", \"kill -TERM $PPID; exec testkid forever\").run();").run();
    outcome.signal(15).stdout("").check(outcome.elapsed < Duration::from_secs(40), "it took too long");
    let outcome = told_twice("cmd(\"sh\", \"-c\", \"kill -TERM $PPID\").run(); loop {}").run();
    outcome.signal(15).stdout("").check(outcome.elapsed < Duration::from_secs(40), "it took too long");
}

#[test]
fn a_third_signal_does_not_wait() {
    // It ignores TERM, and would have five seconds.
    let stubborn = "cmd(\"sh\", \"-c\", \"trap '' TERM; kill -TERM $PPID; testkid sleep 1000; kill -TERM $PPID; exec testkid forever\").run();";
    let outcome: Outcome = told_twice(stubborn).run();
    outcome
        .signal(15)
        .stdout("")
        .check(outcome.elapsed < procs::under_load(Duration::from_secs(6)), "it took too long");
}
