//! Many at once: whose output is whose, and that a signal ends all. And services.

use std::time::Duration;

use super::{eval, shell};
use crate::support::leaks::Guard;
use crate::support::procscript_bin;
use crate::support::pty::Terminal;
use crate::support::scratch::Scratch;

#[test]
fn the_output_of_each_stays_together() {
    let work = "|n| for i in 0..20 { print(n); cmd(\"testkid\", \"args\", `${n}`).run(); }";
    let outcome = eval(&format!("parallel(1..=4, #{{limit: 4}}, {work});")).run();
    outcome.status(0).stderr("");
    let text = String::from_utf8_lossy(&outcome.stdout);
    let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(['[', ']', '"'])).collect();
    let changes = lines.windows(2).filter(|pair| pair[0] != pair[1]).count();
    outcome.check(lines.len() == 160 && changes == 3, &format!("{} lines in {} runs", lines.len(), changes + 1));
}

#[test]
fn much_output_of_many_is_kept_whole() {
    // More than is kept in memory, of both streams.
    let work = "|n| { for i in 0..3000 { print(`${n} out ${\"x\".pad_to(100)}`); eprint(`${n} err`); } }";
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let code = format!(
        "fn pad_to(n) {{ let t = this; while t.len < n {{ t += t; }} t }} parallel(1..=3, #{{limit: 3}}, {work});"
    );
    let outcome = eval(&code).run();
    outcome.status(0);
    outcome.check(lines(&outcome.stdout) == 9000, "lines of standard output are missing");
    outcome.check(lines(&outcome.stderr) == 9000, "lines of standard error are missing");
}

#[test]
fn a_signal_ends_all_of_them_and_their_clean_up_runs() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        // The last one begins when the others run.
        let code = format!(
            "let begun = 0; parallel(1..=4, #{{limit: 4}}, |n| {{ \
                 defer {{ print(`clean-up of ${{n}}`); }} \
                 if n == 4 {{ while begun < 3 {{ sleep(\"1ms\"); }} cmd(\"sh\", \"-c\", \"kill -{name} $PPID\").run(); }} \
                 begun += 1; \
                 if n == 1 {{ sleep(\"1h\"); }} else if n == 2 {{ loop {{ }} }} else {{ cmd(\"testkid\", \"forever\").run(); }} \
             }}); print(\"not reached\");"
        );
        let outcome = eval(&code).run();
        outcome.signal(number).stderr("");
        let text = String::from_utf8_lossy(&outcome.stdout);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        let expected: Vec<String> = (1..=4).map(|n| format!("clean-up of {n}")).collect();
        outcome.check(lines == expected, "clean-up is missing");
        outcome.check(outcome.elapsed < Duration::from_secs(20), "it took too long");
    }
}

#[test]
fn a_thousand_commands_and_two_hundred_at_once() {
    let code = "let all = parallel(0..1000, #{limit: 4}, |n| cmd(\"testkid\", \"exit\", `${n % 2}`).code()); \
                let sum = 0; for code in all { sum += code; } print(sum); \
                print(parallel(0..200, #{limit: 200}, |n| { sleep(\"50ms\"); n }).len());";
    eval(code).run().status(0).stdout("500\n200\n").stderr("");
}

#[test]
fn deep_calls_of_an_item_are_an_error_and_no_crash() {
    let outcome = eval("fn f(n) { f(n + 1) } parallel([1, 2], |n| f(n));").run();
    outcome.status(1).stdout("");
    outcome.stderr_contains("the functions call each other too deeply");
}

#[test]
fn at_a_terminal_a_panel_shows_what_runs() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let code = "parallel([\"one\", \"two\"], #{limit: 2, show: \"panel\"}, |name| { \
                    if name == \"one\" { print(\"a\"); print(\"halfway\"); wait_for(#{path: \"go\"}); } else { throw \"bad\" } }); \
                ";
    let code = format!(
        "try {{ parallel([1], |n| 0); {} }} catch (e) {{ print(e.message) }}",
        code.replace("show", "on_fail: \"finish\", show")
    );
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &["-e", &code]);
    terminal.expect("1/2 done, 1 failed").expect("  one: halfway");
    std::fs::write(scratch.path().join("go"), "").expect("it is ours");
    terminal.expect("\r\x1b[Jbad\r\n");
    assert_eq!(terminal.ended().code(), Some(0));
    assert!(!terminal.shown.contains("halfway"), "output of what succeeds is hidden: {}", terminal.shown);
}

#[test]
fn a_service_is_ready_when_its_port_is_open() {
    let _guard = Guard::new();
    // What listens here is not the service.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let code = format!("let s = service(cmd(\"testkid\", \"forever\"), #{{port: {port}}});");
    eval(&code).run().status(1).stderr_contains(&format!("somebody listens on port {port} of 127.0.0.1 already"));
    drop(listener);
    let code = format!("let s = service(cmd(\"testkid\", \"forever\"), #{{port: {port}, timeout: \"100ms\"}});");
    let outcome = eval(&code).run();
    outcome.status(124).stderr_contains(&format!("port {port} of 127.0.0.1 was not there after 100 ms"));
}

#[test]
fn a_signal_ends_the_wait_for_a_service_and_the_service() {
    let code = "let s = service(cmd(\"sh\", \"-c\", \"kill -TERM $PPID; exec testkid forever\"), #{line: \"never\"});";
    let outcome = eval(code).run();
    outcome.signal(15).stderr("");
    outcome.check(outcome.elapsed < Duration::from_secs(20), "it took too long");
}

#[test]
fn a_signal_reaches_what_items_have_left_behind() {
    // The call is over; its results are not.
    let signal = "cmd(\"sh\", \"-c\", \"kill -INT $PPID; exec testkid forever\")";
    for code in [
        format!("let all = parallel([1], |n| {signal}.start()); all[0].wait();"),
        format!("let all = parallel([1], |n| {signal}.lines()); for line in all[0] {{ print(line); }}"),
        format!("let all = parallel([1], |n| parallel([n], |m| {signal}.start())); all[0][0].wait();"),
    ] {
        let outcome = eval(&code).run();
        outcome.signal(2).stdout("").stderr("");
        outcome.check(outcome.elapsed < Duration::from_secs(20), "it took too long");
    }
}

#[test]
fn nobody_goes_on_writing_to_a_reader_that_has_left() {
    for show in ["prefix", "group"] {
        let work = "|n| { if n == 1 { cmd(\"yes\", \"a\").run(); } else { loop { print(\"a\"); } } }";
        let work = if show == "prefix" { work } else { "|n| { for i in 0..50000 { print(\"a\"); } }" };
        let code = format!("parallel([1, 2], #{{limit: 2, show: \"{show}\"}}, {work}); eprint(\"not reached\");");
        let line = "{ \"$0\" -e \"$CODE\"; echo $? >&2; } | testkid read-line";
        let outcome = shell(line).env("CODE", code).run();
        outcome.status(0).stderr("141\n");
        outcome.check(outcome.elapsed < Duration::from_secs(20), "it took too long");
    }
}

#[test]
fn output_that_cannot_be_kept_is_an_error_of_the_call() {
    let code = "try { parallel([1, 2], #{limit: 2}, |n| cmd(\"yes\").run()); } catch (e) { eprint(e.message); }";
    // A directory that is not there, as the script has it and not as the process has it.
    let missing = format!("with env(\"TMPDIR\", \"/no/such\") {{ {code} }}");
    let said = "cannot keep the output of what runs in parallel in `/no/such`: No such file or directory\n";
    eval(&missing).run().status(0).stderr(said);
    // The system ends a process with SIGXFSZ there, unless it says otherwise.
    let outcome = shell("ulimit -f 600; exec \"$0\" -e \"$CODE\" > /dev/null").env("CODE", code).run();
    outcome.status(0).stdout("").stderr_contains("File too large\n");
}

#[test]
fn threads_take_no_descriptors() {
    let code = "print(parallel(0..200, #{limit: 200}, |n| { sleep(\"20ms\"); n }).len()); \
                parallel([1, 2, 3], #{limit: 3}, |n| cmd(\"testkid\", \"exit\", \"0\").run());";
    shell("ulimit -n 48; exec \"$0\" -e \"$CODE\"").env("CODE", code).run().status(0).stdout("200\n").stderr("");
}
