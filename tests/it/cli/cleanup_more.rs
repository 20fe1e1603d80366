//! What clean-up may do, and what nothing may do in it.

use super::eval;
use crate::support::run::Run;

#[test]
fn comments_may_stand_before_its_brace() {
    for code in [
        "defer /* c */ { print(1); } print(2); print(3);",
        "defer // c\n{ print(1); } print(2); print(3);",
        "defer /* a /* b */ { */\n /* c */ { print(1); } print(2); print(3);",
        "defer{print(1);}print(2);print(3);",
    ] {
        eval(code).run().success().stdout("2\n3\n1\n").stderr("");
    }
    for code in [
        "try { 1 / 0 } catch /* c */ (e) { print(e.kind) }",
        "try { 1 / 0 } catch (/* c */ e /* d */) // why\n{ print(e.kind) }",
        "try { 1 / 0 } catch(e){print(e.kind)}",
    ] {
        eval(code).run().success().stdout("script_error\n").stderr("");
    }
    // Elsewhere it is a name like any other.
    eval("let m = #{ defer: 1 }; m.defer = 2; print(m.defer);").run().success().stdout("2\n");
    eval("let defer = 3; print(defer);").run().success().stdout("3\n");
}

#[test]
fn the_order_holds_in_one_block_and_across_blocks() {
    let code = "
        defer { print(1); }
        let x = 2;
        defer { print(x); }
        { defer { print(\"a\"); } defer { print(\"b\"); } print(\"in\"); }
        for i in 0..2 { defer { print(`c${i}`); } defer { print(`d${i}`); } }
        x = 3;
        defer { defer { print(5); } defer { print(6); } print(4); }
        fn f() { defer { print(\"f\"); } defer { throw \"g\"; } defer { print(\"h\"); } }
        f();
    ";
    let outcome = eval(code).run();
    outcome.status(1).stdout("in\nb\na\nd0\nc0\nd1\nc1\nh\nf\n4\n6\n5\n3\n1\n").stderr_contains("error: g");
}

#[test]
fn memory_is_bounded_in_it_too() {
    let limited = |code: &str| Run::new().flag("--memory-limit").flag("64MiB").flag("-e").flag(code).run();
    let told = "the limit";
    limited("defer { let s = \"0123456789\"; loop { s += s; } } print(1);")
        .status(1)
        .stdout("1\n")
        .stderr_contains(told);
    // What is to be cleaned up is there still, and does not keep it from running.
    let code = "let s = \"\"; defer { print(\"clean \" + cmd(\"testkid\", \"echo\", \"up\").read()); } s = \"0123456789\"; loop { s += s; }";
    limited(code).status(1).stdout("clean up\n").stderr_contains("64 MiB");
    // Small pieces count as well as large ones, and what native functions gather.
    for code in [
        "let d = []; loop { d = [d, d]; }",
        "let d = #{}; loop { d = #{ a: d, b: d }; }",
        "cmd(\"yes\", \"0123456789\").lines().to_array();",
    ] {
        limited(code).status(1).stderr_contains("64 MiB");
    }
}

#[test]
fn a_signal_during_it_is_what_the_runner_dies_of() {
    let signal = "cmd(\"sh\", \"-c\", \"kill -TERM $PPID; exec testkid sleep 5000\").run();";
    for end in ["exit(3);", "print(1);", "throw \"x\";"] {
        eval(&format!("defer {{ {signal} }} {end}")).run().signal(15);
    }
}

#[test]
fn at_the_limit_of_calls_it_still_runs() {
    let outcome = eval("fn f(n) { defer { g(n); } f(n + 1) } fn g(n) { print(n); } f(0)").run();
    outcome.status(1).stderr_contains("the functions call each other too deeply").stderr_lacks("clean-up failed");
    outcome.stdout_contains("599\n598\n");
}

#[test]
fn what_cannot_be_parsed_can_be_caught() {
    let code = "try { parse_json(\"[1,\"); } catch (e) { print(`${e.kind} ${e.line}`); } print(parse_json(\"{\\\"a\\\": 1}\").a);";
    eval(code).run().success().stdout("decode_failed 1\n1\n");
}
