//! The history: its file, who shares it, and what stays out of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::leaks;
use crate::support::procscript_bin;
use crate::support::pty::{Terminal, signal_of};
use crate::support::scratch::Scratch;

fn session_at(scratch: &Scratch, variables: &[(&str, Option<&Path>)]) -> Terminal {
    let mut command = Command::new(procscript_bin());
    command.current_dir(scratch.path()).env("TERM", "xterm").env("NO_COLOR", "1").env_remove("CI");
    for name in ["PROCSCRIPT_HISTORY", "XDG_STATE_HOME", "HOME"] {
        command.env_remove(name);
    }
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env(name, ""),
        };
    }
    Terminal::start(command, [true; 3])
}

fn enter(terminal: &mut Terminal, entries: &[&str]) {
    for entry in entries {
        terminal.type_text(entry).type_text("\r").expect("\n").expect("> ");
        terminal.settled();
    }
}

fn leave(mut terminal: Terminal) {
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn thirty_two_sessions_share_a_file() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let state = scratch.path().join("state");
    let file = state.join("procscript/history");
    let at: &[(&str, Option<&Path>)] = &[("XDG_STATE_HOME", Some(&state))];
    let (mut first, mut second) = (session_at(&scratch, at), session_at(&scratch, at));
    first.expect("> ");
    second.expect("> ");
    enter(&mut first, &["\"from the first\"", "{\x1b\r1\x1b\r}"]);
    enter(&mut second, &["\"from the second\"", " \"not kept\""]);
    // It is there at once, and not when the session ends.
    let text = std::fs::read_to_string(&file).expect("it is there");
    for part in ["from the first", "from the second"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("not kept"), "{text}");
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    leave(first);
    leave(second);
    assert_eq!(text.lines().count(), 3, "an entry of several lines is one: {text}");

    let mut third = session_at(&scratch, at);
    third.expect("> ");
    third.type_text("\"from the f\x1b[A\r").expect("\n\"from the first\"").expect("> ");
    third
        .type_text("\x12THE SEC")
        .expect("\"from the second\"")
        .type_text("\r")
        .expect("\n\"from the second\"")
        .expect("> ");
    leave(third);
    std::fs::remove_dir_all(&state).expect("it is there");
}

#[test]
fn thirty_four_secrets_stay_out() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("own-history");
    let mut terminal = session_at(&scratch, &[("PROCSCRIPT_HISTORY", Some(&file))]);
    terminal.expect("> ");
    enter(
        &mut terminal,
        &[
            "let token = secret(\"hunter2222\");",
            "\"it was hunter2222\"",
            "let plain = \"xyzzy9999\";",
            "let later = secret(plain);",
            "\"the end\"",
        ],
    );
    leave(terminal);
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert!(!text.contains("hunter2222") && !text.contains("xyzzy9999"), "{text}");
    assert!(text.contains("the end") && text.contains("secret(plain)"), "{text}");
    std::fs::remove_file(&file).expect("it is there");
}

#[test]
fn a_session_goes_on_without_a_history() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    // No place for it.
    let mut terminal = session_at(&scratch, &[]);
    terminal.expect("the history is not kept: neither XDG_STATE_HOME nor HOME is set").expect("> ");
    enter(&mut terminal, &["\"one\"", "\"two\""]);
    terminal.type_text("\x1b[A\r").expect("\n\"two\"").expect("> ");
    leave(terminal);
    // Turned off: nothing is said about it.
    let mut terminal = session_at(&scratch, &[("PROCSCRIPT_HISTORY", None)]);
    terminal.expect("> ");
    enter(&mut terminal, &["\"one\""]);
    assert!(!terminal.settled().contains("history"));
    leave(terminal);
    // A place where nothing can be written: said once.
    for place in ["/dev/full", "/proc/no/such/place"] {
        let mut terminal = session_at(&scratch, &[("PROCSCRIPT_HISTORY", Some(Path::new(place)))]);
        terminal.expect("> ");
        let mut shown = terminal.settled();
        for entry in ["\"one\"", "\"two\""] {
            terminal.type_text(entry).type_text("\r");
            shown += &terminal.settled();
        }
        let before = shown.matches("the history is not kept").count();
        assert!(before <= 1, "{place}: {shown}");
        terminal.type_text("40 + 2\r").expect("\n42").expect("> ");
        leave(terminal);
    }
}

#[test]
fn seventeen_who_is_told_to_stop_while_typing_leaves_a_whole_history() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("own-history");
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let mut terminal = session_at(&scratch, &[("PROCSCRIPT_HISTORY", Some(&file))]);
        terminal.expect("> ");
        enter(&mut terminal, &["\"kept\"", "[\r7]"]);
        terminal.type_text("half an entry").expect("half an entry");
        super::send(terminal.pid(), signal);
        assert_eq!(signal_of(terminal.ended()), Some(signal));
        assert!(terminal.echoes(), "the terminal is left without echo");
        let text = std::fs::read_to_string(&file).expect("it is there, and text");
        assert!(!text.contains(['\0', 'h']) && text.ends_with('\n'), "{text:?}");
        let entries: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("every line is whole")).collect();
        assert_eq!(entries.iter().map(|entry| &entry["entry"]).collect::<Vec<_>>(), ["\"kept\"", "[\n    7]"]);
        std::fs::remove_file(&file).expect("it is there");
    }
}

#[test]
fn thirty_at_the_same_time() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("own-history");
    let sessions: Vec<Terminal> = (0..3)
        .map(|_| {
            let mut terminal = session_at(&scratch, &[("PROCSCRIPT_HISTORY", Some(&file))]);
            terminal.expect("> ");
            terminal
        })
        .collect();
    let threads = sessions.into_iter().enumerate().map(|(session, mut terminal)| {
        std::thread::spawn(move || {
            for entry in 0..30 {
                terminal.type_text(&format!("\"{session} {entry}\"\r"));
            }
            // Nothing that the terminal itself shows, which does so with what is typed ahead.
            terminal.type_text("6 * 7\r").expect("\n42").expect("> ");
            // One of them takes entries out of the file in between.
            if session == 0 {
                terminal.type_text("let plain = \"xyzzy9999\";\rlet later = secret(plain);\r6 * 8\r");
                terminal.expect("\n48").expect("> ");
            }
            terminal.type_text("\x04");
            assert!(terminal.ended().success());
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("no panic");
    }
    let text = std::fs::read_to_string(&file).expect("it is there, and text");
    let entries: Vec<String> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("every line is whole");
            line["entry"].as_str().expect("it is text").to_string()
        })
        .collect();
    for session in 0..3 {
        let own: Vec<&String> = entries.iter().filter(|entry| entry.starts_with(&format!("\"{session} "))).collect();
        let wanted: Vec<String> = (0..30).map(|entry| format!("\"{session} {entry}\"")).collect();
        assert_eq!(own, wanted.iter().collect::<Vec<_>>(), "in their order");
    }
    assert!(!text.contains("xyzzy9999"), "{text}");
    std::fs::remove_file(&file).expect("it is there");
}
