//! The verbs of `testkid` that others build on.

use super::kid;
use crate::support::run::Run;
use crate::support::testkid;

#[test]
fn text_and_arguments_pass_unchanged() {
    let odd = ["args", "a b", "", "\\", "é", "--", "$(x)", "\n"];
    let outcome = Run::program(testkid()).args(odd).run();
    outcome.stdout("a b\n\n\\x5c\n\\xc3\\xa9\n--\n$(x)\n\\x0a\n");
    kid(r"bytes a\0\xC3\xA9\\n -- err-bytes x").run().stdout("a\0é\\n").stderr("x");
}

#[test]
fn input_is_read_no_further_than_asked() {
    let run = kid("read-line -- read-line -- count -- read-line").stdin("one\ntwo\nthree\n");
    run.run().stdout("one\ntwo\n6\nend of input\n");
    kid("tee-err").stdin("both").run().stdout("both").stderr("both");
}

#[test]
fn amounts_are_exact() {
    let outcome = kid("flood-both 100001 -- zeros 70000").run();
    let sizes = (outcome.stdout.len(), outcome.stderr.len());
    outcome.check(sizes == (170_001, 100_001), &format!("{sizes:?}"));
    kid("lines 3 -- write-slow 2 1 -- burst 2 1 a b").run().stdout("line-0\nline-1\nline-2\nline-0\nline-1\na ba b");
}

#[test]
fn wrong_calls_are_told_apart_from_failures() {
    kid("nonsense").run().status(90).stderr("testkid: unknown verb `nonsense`\n");
    kid("exit many").run().status(90).stderr_contains("`many` is not a number");
    kid("sleep").run().status(90).stderr_contains("argument 1 is missing");
    kid("echo a -- -- echo b").run().status(90).stdout("a\n");
}

#[cfg(unix)]
#[test]
fn signals_are_answered_as_asked() {
    kid("trap USR1 got it -- signal SIGUSR1 -- echo on").run().success().stdout("got it\non\n");
    kid("trap-exit TERM 42 -- signal 15").run().status(42);
    kid("ignore-term -- signal TERM").run().signal(15).stdout("ready\n");
    kid("signals").run().stdout("ignored:\nblocked:\n");
    kid("ignore HUP -- fds").run().stdout("0 1 2\n");
    kid("close-in -- close-err -- fds").run().stdout("1\n");
    kid("close-out -- echo x").run().status(91).stderr_contains("descriptor 1: Bad file");
    kid("write-fd 77 x").run().status(1);
}

#[cfg(unix)]
#[test]
fn grandchildren_run_their_own_verbs() {
    // The second file is there when the first has its text.
    let young = "grandchild ignore TERM + append log young + append done x";
    let line = format!("{young} -- wait-for done -- append log old -- exists log");
    let outcome = kid(&line).allow_file("log").allow_file("done").run();
    outcome.success().stdout("yes\n");
    assert_eq!(outcome.scratch.read("log"), "young\nold\n");
}
