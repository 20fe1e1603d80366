//! Ctrl-C, Ctrl-D, and the signals that end a session.

use std::time::{Duration, Instant};

use super::home::{Home, enter, kid};
use super::send;
use crate::support::pty::{Terminal, signal_of};

#[test]
fn ctrl_c_ends_the_entry_and_not_the_session() {
    let home = Home::new();
    let mut terminal = home.session();
    enter(&mut terminal, "let kept = \"kept\";", "");
    let wait = format!("{}.run()", kid("echo ready -- sleep 60000"));
    let entries = [
        // A line for the shell, and a command as it stands.
        format!("!{}", super::home::kid_line("echo ready -- sleep 60000")),
        kid("echo ready -- sleep 60000"),
        // A loop does not go on with the next.
        format!("loop {{ {wait}; }}"),
        "print(\"ready\"); loop {}".to_string(),
        "print(\"ready\"); sleep(\"60s\")".to_string(),
        // Whoever handles it and ends well does not keep the loop alive.
        format!("loop {{ {}.run(); }}", kid("trap-exit INT 0 -- echo ready -- sleep 60000")),
    ];
    for entry in entries {
        terminal.type_text(&entry).type_text("\r").expect("\nready");
        terminal.type_text("\x03").expect("> ");
        assert!(!terminal.shown.contains("ready"), "{entry}: {}", terminal.shown);
    }
    enter(&mut terminal, "kept", "\n\"kept\"");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn an_interactive_command_has_ctrl_c_for_itself() {
    let home = Home::new();
    let mut terminal = home.session();
    let handles = kid("trap-exit INT 0 -- echo ready -- sleep 60000");
    let entry = format!("for i in 0..2 {{ {handles}.interactive().run(); print(\"round \" + i); }}");
    terminal.type_text(&entry).type_text("\r");
    for round in ["round 0", "round 1"] {
        terminal.expect("\nready").type_text("\x03").expect(round);
    }
    terminal.expect("> ").type_text("\x04");
    assert!(terminal.ended().success());
}

/// Presses the key until the prompt is there; presses that come close together may be one to the system.
fn press_until_prompt(terminal: &mut Terminal) {
    for _ in 0..40 {
        terminal.type_text("\x03");
        if terminal.shows_within("interrupted", Duration::from_millis(500)) {
            terminal.expect("> ");
            return;
        }
    }
    panic!("it is not interrupted, but:\n{}", terminal.shown);
}

#[test]
fn nine_ctrl_c_again_ends_who_does_not_listen() {
    let home = Home::new();
    let mut terminal = home.session();
    // Nothing but KILL helps, and nobody waits for the grace period to pass.
    let deaf = kid("ignore INT -- ignore TERM -- echo ready -- sleep 60000");
    for entry in [
        format!("{deaf}.grace(\"60s\").run()"),
        format!("{deaf}.grace(\"60s\").stdout_inherit().output()"),
        format!("(cmd({:?}, \"cat\") | {deaf}).grace(\"60s\").run()", crate::support::testkid().display().to_string()),
    ] {
        terminal.type_text(&entry).type_text("\r").expect("\nready");
        press_until_prompt(&mut terminal);
    }
    // One that has Ctrl-C for itself, and makes nothing of it, is ended by the other key.
    terminal.type_text(&kid("trap INT heard -- echo ready -- sleep 60000")).type_text("\r").expect("\nready");
    terminal.type_text("\x03").expect("heard").type_text("\x03").expect("heard");
    terminal.type_text("\x1c").expect("interrupted").expect("> ");
    enter(&mut terminal, "1 + 1", "\n2");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn an_interruption_from_outside_is_not_a_key() {
    let home = Home::new();
    let mut terminal = home.session();
    // A command that is the entry has the keys of the terminal, and only those.
    let waits = kid("echo ready -- sleep 60000");
    for entry in [waits.clone(), format!("{waits}.interactive().run()"), format!("{waits}.run()")] {
        terminal.type_text(&entry).type_text("\r").expect("\nready");
        send(terminal.pid(), libc::SIGINT);
        terminal.expect("interrupted").expect("> ");
    }
    // The command alone: what happens to it is told of it.
    terminal.type_text(&kid("echo ready -- pid -- sleep 60000")).type_text("\r").expect("\nready\r\n");
    let pid = terminal.until("\r\n").trim().parse().expect("a number");
    send(pid, libc::SIGINT);
    terminal.expect("signal INT · ").expect("> ");
    enter(&mut terminal, "_err.kind", "\n\"signaled\"");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn a_command_that_dies_of_ctrl_c_is_told_in_one_line() {
    let home = Home::new();
    let mut terminal = home.session();
    // Whoever of us two hears of the key first.
    for _ in 0..10 {
        terminal.type_text(&kid("echo ready -- sleep 60000")).type_text("\r").expect("\nready");
        terminal.type_text("\x03").expect("signal INT · ").expect("> ");
    }
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn clean_up_is_not_cut_short_by_the_first_ctrl_c() {
    let home = Home::new();
    let mut terminal = home.session();
    let clean_up = "print(\"begun\"); while !exists(\"go\") { sleep(\"5ms\") } print(\"cleaned\");";
    terminal.type_text(&format!("{{ defer {{ {clean_up} }} 1 }}\r")).expect("\nbegun");
    terminal.type_text("\x03").expect("cleaning up; Ctrl-C again ends that");
    let go = home.scratch.path().join("go");
    std::fs::write(&go, "").expect("a file");
    terminal.expect("\ncleaned").expect("> ");
    std::fs::remove_file(go).expect("it is there");
    terminal.type_text("{ defer { print(\"begun\"); sleep(\"60s\"); } 1 }\r").expect("\nbegun");
    terminal.type_text("\x03").expect("cleaning up");
    terminal.type_text("\x03").expect("> ");
    enter(&mut terminal, "1 + 1", "\n2");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn what_runs_beside_survives_ctrl_c_and_not_the_session() {
    for signal in [None, Some(libc::SIGTERM), Some(libc::SIGHUP)] {
        let home = Home::new();
        let mut terminal = home.session();
        enter(&mut terminal, &format!("let job = {}.start();", kid("forever")), "");
        terminal.type_text("print(\"ready\"); sleep(\"60s\")\r").expect("\nready").type_text("\x03").expect("> ");
        enter(&mut terminal, "job.is_running", "\ntrue");
        match signal {
            None => {
                terminal.type_text("exit(0)\r");
                assert!(terminal.ended().success());
            }
            Some(signal) => {
                send(terminal.pid(), signal);
                assert_eq!(signal_of(terminal.ended()), Some(signal));
                assert!(terminal.echoes(), "the terminal is left without echo");
            }
        }
        // The guard of the home looks for processes.
    }
}

#[test]
fn a_session_that_is_ended_cleans_up() {
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let home = Home::new();
        let mut terminal = home.session();
        // Also while a child has the terminal.
        let entry = format!(
            "{{ defer {{ write_text(\"cleaned\", \"yes\"); }} {}.run(); }}",
            kid("raw-mode -- echo ready -- forever")
        );
        terminal.type_text(&entry).type_text("\r").expect("\nready");
        send(terminal.pid(), signal);
        assert_eq!(signal_of(terminal.ended()), Some(signal));
        assert!(terminal.echoes(), "the terminal is left in raw mode");
        std::fs::remove_file(home.scratch.path().join("cleaned")).expect("clean-up has run");
    }
}

#[test]
fn a_terminal_that_is_closed_ends_what_runs_at_once() {
    // The kernel tells the leader of the session, and not its commands.
    for how in ["run()", "interactive().run()", "read()"] {
        let home = Home::new();
        let mut terminal = home.session();
        let command = kid("touch began -- sleep 60000");
        let entry = format!("{{ defer {{ write_text(\"cleaned\", \"yes\"); }} {command}.{how}; }}");
        terminal.type_text(&entry).type_text("\r");
        let began = home.scratch.path().join("began");
        let end = Instant::now() + Duration::from_secs(20);
        while !began.exists() {
            assert!(Instant::now() < end, "{how}: nothing began");
            std::thread::sleep(Duration::from_millis(5));
        }
        terminal.hang_up();
        assert_eq!(signal_of(terminal.ended()), Some(libc::SIGHUP), "{how}");
        std::fs::remove_file(home.scratch.path().join("cleaned")).expect("clean-up has run");
    }
}

#[test]
fn ctrl_c_at_the_prompt_says_once_how_to_leave() {
    let home = Home::new();
    let mut terminal = home.session();
    // What was typed behind it at once is the next line.
    terminal.type_text("half\x030 + 1\r").expect("\n1").expect("> ");
    assert!(!terminal.shown.contains("leaves"));
    terminal.type_text("\x03").expect("(Ctrl-D leaves)").expect("> ");
    terminal.type_text("\x03").expect("> ");
    enter(&mut terminal, "1 + 1", "\n2");
    assert!(!terminal.shown.contains("leaves"));
    // Sent by somebody else it is the same to the line, as in a shell.
    terminal.type_text("half").expect("half");
    send(terminal.pid(), libc::SIGINT);
    terminal.expect("> ");
    enter(&mut terminal, "2 + 2", "\n4");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}
