//! The session at a terminal, on a real pseudo-terminal.

mod commands;
mod completion;
mod conversation;
mod editing;
mod embedding;
mod history;
mod home;
mod job_control;
mod ownership;
mod recorded;
mod signals;

use crate::support::leaks;
use crate::support::pty::{Terminal, signal_of};
use crate::support::scratch::Scratch;
use crate::support::{procscript_bin, testkid};

fn session(scratch: &Scratch) -> Terminal {
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &[]);
    terminal.expect("> ");
    terminal
}

/// The path of the child program as script text.
fn kid() -> String {
    format!("{:?}", testkid().display().to_string())
}

#[test]
fn entries_keep_variables_and_functions() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("let x = 20;\r").expect("> ");
    // An entry goes on until it is complete.
    terminal.type_text("fn twice(n) {\r").expect("    ").type_text("n * 2 }\r").expect("> ");
    terminal.type_text("twice(x) + 2\r").expect("\n42").expect("> ");
    terminal.type_text(&format!("cmd({}, \"echo\", \"hi\").read()\r", kid())).expect("\n\"hi\"").expect("> ");
    // A mistake costs the entry and no more.
    terminal.type_text("nope\r").expect("there is no variable `nope`").expect("> ");
    terminal.type_text("x\r").expect("\n20").expect("> ");
    // Only at the prompt is it the end of the input: before, nobody reads in the editor's way.
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn ctrl_c_ends_what_runs_and_not_the_session() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("let kept = \"kept\";\r").expect("> ");
    for code in
        [format!("cmd({}, \"echo\", \"ready\", \"--\", \"forever\").run()", kid()), "print(\"ready\"); loop {}".into()]
    {
        // At the start of a line, unlike in the echo of what is typed.
        terminal.type_text(&code).type_text("\r").expect("\nready");
        terminal.type_text("\x03").expect("interrupted").expect("> ");
    }
    // At the prompt it drops the entry.
    terminal.type_text("half an entry\x03").expect("> ");
    terminal.type_text("kept + \"!\"\r").expect("\n\"kept!\"").expect("> ");
    terminal.type_text("exit(3)\r");
    assert_eq!(terminal.ended().code(), Some(3));
}

#[test]
fn told_to_stop_it_leaves_the_terminal_as_it_was() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let mut idle = session(&scratch);
        send(idle.pid(), signal);
        assert_eq!(signal_of(idle.ended()), Some(signal));
        assert!(idle.echoes(), "the terminal is left without echo");

        let mut busy = session(&scratch);
        let code = format!("cmd({}, \"echo\", \"ready\", \"--\", \"forever\").run()", kid());
        busy.type_text(&code).type_text("\r").expect("\nready");
        send(busy.pid(), signal);
        assert_eq!(signal_of(busy.ended()), Some(signal));
        assert!(busy.echoes(), "the terminal is left without echo");
    }
}

#[test]
fn a_script_at_a_terminal_stops_at_ctrl_c() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let code =
        format!("for i in 0..100 {{ cmd({}, \"echo\", \"round\", \"--\", \"sleep\", \"30000\").run(); }}", kid());
    std::fs::write(scratch.path().join("loop.rhai"), code).expect("a script");
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &["loop.rhai"]);
    terminal.expect("round").type_text("\x03");
    assert_eq!(signal_of(terminal.ended()), Some(libc::SIGINT), "as if it had never been handled");
    assert!(!terminal.shown.contains("round"), "no second round: {}", terminal.shown);
    std::fs::remove_file(scratch.path().join("loop.rhai")).expect("it is there");
}

fn send(pid: u32, signal: i32) {
    let status = std::process::Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status();
    assert!(status.expect("kill is there").success());
}
