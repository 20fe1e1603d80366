//! What commands leave behind is ended with the script, unless it was let go.

use std::time::Duration;

use super::{eval, shell};
use crate::support::procs;

/// Runs a command that leaves a process in a session of its own, with another parent.
fn leaves(words: &str) -> String {
    format!("cmd(\"testkid\", \"daemon {words}\".split(\" \")).stdout_null().run();")
}

#[test]
fn what_commands_leave_behind_is_ended_with_a_note() {
    // The harness looks for what is left.
    let note = "note: ended a process that the script had left running: testkid (pid ";
    let outcome = eval(&format!("{} print(\"end\");", leaves("sleep 30000"))).run();
    outcome.success().stdout("end\n").stderr_contains(note);
    outcome.check(outcome.elapsed < Duration::from_secs(20), "it took too long");
    // The exit code is the script's.
    eval(&format!("{} exit(7);", leaves("sleep 30000"))).run().status(7).stderr_contains(note);
    eval(&format!("{} throw \"x\";", leaves("sleep 30000"))).run().status(1).stderr_contains(note);
    // One that ignores the request, one that is stopped, and several.
    eval(&leaves("ignore TERM + sleep 30000")).run().success().stderr_contains(note);
    eval(&leaves("stop-self + sleep 30000")).run().success().stderr_contains(note);
    let outcome = eval(&leaves("sleep 30000").repeat(5)).run();
    let notes = String::from_utf8_lossy(&outcome.stderr).matches(note).count();
    outcome.success().check(notes == 5, "a note for each");
    // As a shell leaves it: perhaps still the shell itself.
    let shell = "cmd(\"sh\", \"-c\", \"(testkid setsid -- sleep 30000 &)\").stdout_null().run();";
    eval(shell).run().success().stderr_contains("note: ended a process that the script had left running: ");
    // What ended by itself is not worth a note.
    let wait = "let own = parse_int(cmd(\"testkid\", \"ppid\").read()); while !process_tree(own).children.is_empty() { sleep(\"5ms\"); }";
    eval(&format!("{} {wait}", leaves("exit 0"))).run().success().stderr("");
}

#[test]
fn what_was_let_go_is_left_alone() {
    for code in [
        "cmd(\"testkid\", \"sleep\", \"30000\").stdout_null().detach().start();",
        "let job = cmd(\"testkid\", \"sleep\", \"30000\").stdout_null().start(); job.detach();",
        "cmd(\"testkid\", [\"grandchild\", \"sleep\", \"30000\"]).stdout_null().detach().start().wait();",
    ] {
        let outcome = eval(code).leaves_detached().run();
        outcome.success().stdout("").stderr("");
        let left = outcome.mark.processes();
        outcome.check(left.len() == 1, &format!("{code}: {left:?}"));
        // The outcome kills them.
    }
}

#[test]
fn an_orphan_that_has_ended_is_gone() {
    // A script that waits for it by its id would wait for ever for a zombie.
    for (wait, count) in [("sleep(\"5ms\");", 2000), ("", 5000)] {
        let code = format!(
            "let pid = cmd(\"sh\", \"-c\", \"testkid sleep 50 >/dev/null & echo $!\").output().stdout.trim();
             let there = 0;
             while there < {count} && sh$`kill -0 ${{pid}}`.stderr_null().test() {{ there += 1; {wait} }}
             print(there < {count});"
        );
        eval(&code).timeout(Duration::from_secs(60)).run().success().stdout("true\n");
    }
}

#[test]
fn hundreds_of_orphans_do_not_pile_up() {
    // Each becomes a child of the runner, and a zombie when it ends.
    let code = format!(
        "for n in 0..300 {{ {} }}
         print(cmd(\"sh\", \"-c\", \"cat /proc/[0-9]*/stat 2>/dev/null | grep -c \\\") Z $PPID \\\"\").unchecked().read());",
        leaves("exit 0")
    );
    let outcome = eval(&code).timeout(Duration::from_secs(600)).run();
    outcome.success();
    let zombies: usize = String::from_utf8_lossy(&outcome.stdout).trim().parse().expect("a number");
    outcome.check(zombies < 200, "zombies");
}

/// As in a container whose first process is a script: everything that daemons leave comes to it, and it may wait for one
/// command for days.
#[test]
fn orphans_go_while_one_command_runs() {
    // The shell that counts is one of them. What it forks has its name, too, for a moment: so often is it looked.
    let count = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c \"(sh) . $PPID \"";
    let leave = "(setsid sh -c 'until [ -e go ]; do sleep 0.05; done' >/dev/null 2>&1 &)";
    let until = |number: &str| {
        format!("j=0; until [ $({count}) {number} ]; do j=$((j+1)); [ $j -lt 300 ] || exit 1; sleep 0.1; done")
    };
    let all = format!(
        "i=0; while [ $i -lt 20 ]; do {leave}; i=$((i+1)); done; {}; echo came; : >go; {}; echo gone",
        until("-ge 21"),
        until("-eq 1")
    );
    let script = format!("print(cmd(\"sh\", [\"-c\", #\"{all}\"#]).read());");
    let outcome = eval(&script).allow_file("go").timeout(Duration::from_secs(90)).run();
    outcome.success().stdout("came\ngone\n");
}

#[test]
fn a_signal_during_the_sweep_is_heard() {
    // What is left behind signals the runner when it is told to end, and does not end.
    let left =
        "R=$PPID; export R; setsid sh -c 'trap \"kill -TERM $R\" TERM; : > ready; while :; do sleep 0.02; done' &";
    let script = format!(
        "cmd(\"sh\", [\"-c\", #\"{left}\"#]).stdout_null().stderr_null().run(); while !exists(\"ready\") {{ sleep(\"5ms\") }} print(\"end\");"
    );
    let outcome = eval(&script).allow_file("ready").run();
    outcome.signal(15).stdout("end\n");
    outcome.check(outcome.elapsed < procs::under_load(Duration::from_secs(6)), "it took too long");
}

/// A shell that calls `exec` leaves its jobs to the program that takes its place, which has not started them.
#[test]
fn what_was_there_before_is_left_alone() {
    let outcome = shell("testkid sleep 30000 >/dev/null 2>&1 & exec \"$0\" -e 'print(1);'").leaves_detached().run();
    outcome.success().stdout("1\n").stderr("");
    let left = outcome.mark.processes();
    outcome.check(left.len() == 1, &format!("{left:?}"));
    // Its output may go through one of them, which has more to do when the script is over.
    let reader = "while read -r line; do echo \"$line\"; done > log; : > done";
    let line = format!("mkfifo pipe; {{ {reader}; }} < pipe & exec \"$0\" -e 'for n in 0..5000 {{ print(n) }}' > pipe");
    let outcome = shell(&line).allow_file("pipe").allow_file("log").allow_file("done").leaves_detached().run();
    outcome.success().stderr("");
    let is_done = || outcome.scratch.path().join("done").exists();
    outcome.check(procs::until(Duration::from_secs(20), is_done, |is| *is), "the reader goes on");
    outcome.check(outcome.scratch.read("log").lines().count() == 5000, "every line");
}

#[test]
fn what_belongs_to_somebody_who_was_let_go_is_left_alone() {
    // As a shell with job control, or a server with workers: each in a group of its own.
    let shell = "cmd(\"sh\", \"-c\", \"testkid setsid -- sleep 30000 & testkid sleep 30000; true\")";
    let code = format!(
        "let job = {shell}.stdout_null().detach().start();
         while process_tree(job.pids[0]).children.filter(|child| child.name == \"testkid\").len < 2 {{ sleep(\"5ms\"); }}"
    );
    let outcome = eval(&code).leaves_detached().run();
    outcome.success().stderr("");
    let left = outcome.mark.processes();
    outcome.check(left.len() == 3, &format!("{left:?}"));
}

/// In a namespace of its own a program may still see the `/proc` of outside, where the same numbers are others.
#[test]
fn the_proc_of_another_namespace_is_not_looked_at() {
    let script =
        "sh(\"setsid testkid sleep 30000 >/dev/null 2>&1 & exit 0\").run(); print(attempt(|| processes()).error.kind);";
    let line = format!("unshare -pf --kill-child \"$0\" -e '{script}'");
    let outcome = shell(&line).run();
    if String::from_utf8_lossy(&outcome.stderr).contains("unshare:") {
        println!("SKIP: no namespace can be made");
        return;
    }
    outcome.success().stdout("io_failed\n");
    outcome
        .stderr("note: processes that the script has started may be left running: there is no /proc to find them by\n");
}
