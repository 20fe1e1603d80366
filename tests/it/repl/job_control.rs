//! A session as the job of a shell that has job control: Ctrl-Z, `fg` and `bg`.

use std::process::Command;

use super::home::{Home, enter, kid, kid_line};
use crate::support::procscript_bin;
use crate::support::pty::Terminal;

/// What the shell shows when it reads a line, and nobody else.
const SHELL: &str = "shell$ ";

/// A shell at a terminal that has started a session; `None` where there is no bash.
fn shell_with_session(home: &Home) -> Option<Terminal> {
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-i"]).current_dir(home.scratch.path()).env("PS1", SHELL);
    command.env("HOME", home.scratch.temp()).env("TERM", "xterm").env("NO_COLOR", "1").env_remove("CI");
    command.env("PATH", home.path()).env("PROCSCRIPT_HISTORY", "").env("HISTFILE", "").env("INPUTRC", "/dev/null");
    if Command::new("bash").args(["-c", ":"]).status().is_err() {
        eprintln!("no bash: skipped");
        return None;
    }
    let mut terminal = Terminal::start(command, [true; 3]);
    terminal.expect(SHELL).type_text(&format!("{}\r", procscript_bin().display())).expect("> ");
    Some(terminal)
}

/// Ends the session, and the shell.
fn leave(mut terminal: Terminal) {
    terminal.type_text("\x04").expect(SHELL).type_text("exit 0\r");
    assert!(terminal.ended().success());
}

#[test]
fn ctrl_z_at_the_prompt_does_nothing() {
    let home = Home::new();
    let Some(mut terminal) = shell_with_session(&home) else { return };
    terminal.type_text("20 + \x1a22\r").expect("\n42").expect("> ");
    leave(terminal);
}

#[test]
fn ctrl_z_stops_the_command_and_the_session_and_fg_goes_on_with_both() {
    let home = Home::new();
    let Some(mut terminal) = shell_with_session(&home) else { return };
    let go = home.scratch.path().join("go");
    let waiting = kid(&format!("echo ready -- wait-for {} -- echo went on", go.display()));
    // As an entry that is a command, one that a script runs, and a line for the shell.
    let line = kid_line(&format!("echo ready -- wait-for {} -- echo went on", go.display()));
    for entry in [waiting.clone(), format!("{waiting}.run();"), format!("!{line}")] {
        terminal.type_text(&entry).type_text("\r").expect("\nready");
        terminal.type_text("\x1a").expect("Stopped").expect(SHELL);
        // Nobody reads the shell's lines but the shell.
        terminal.type_text("echo of the $((40 + 2))\r").expect("of the 42").expect(SHELL);
        terminal.type_text("fg\r").expect("procscript");
        std::fs::write(&go, "").expect("it can be written");
        terminal.expect("\nwent on").expect("> ");
        enter(&mut terminal, "1 + 1", "\n2");
        std::fs::remove_file(&go).expect("it is there");
    }
    // After that the keys mean what they did.
    terminal.type_text(&kid("trap CONT went-on -- echo ready -- forever")).type_text("\r").expect("\nready");
    terminal.type_text("\x1a").expect("Stopped").expect(SHELL);
    terminal.type_text("fg\r").expect("\nwent-on").type_text("\x03").expect("signal INT").expect("> ");
    enter(&mut terminal, &kid("has-foreground"), "\nyes");
    enter(&mut terminal, &kid("modes"), "modes: +echo +icanon +opost +ixon");
    leave(terminal);
}

#[test]
fn in_the_background_it_works_on_and_waits_to_be_wanted_back() {
    let home = Home::new();
    let Some(mut terminal) = shell_with_session(&home) else { return };
    let (go, done) = (home.scratch.path().join("go"), home.scratch.path().join("done"));
    let waiting = kid(&format!("echo ready -- wait-for {} -- touch {}", go.display(), done.display()));
    terminal.type_text(&format!("{waiting}.run(); let after = 7;\r")).expect("\nready");
    terminal.type_text("\x1a").expect("Stopped").expect(SHELL);
    terminal.type_text("bg\r").expect(SHELL);
    std::fs::write(&go, "").expect("it can be written");
    // The command ends there, and the prompt is not for the background: it is stopped instead.
    terminal.type_text(&format!("{}\r", kid_line(&format!("wait-for {}", done.display())))).expect(SHELL);
    let mut tries = 0..100;
    while !terminal.shows_within("Stopped", std::time::Duration::from_millis(200)) {
        assert!(tries.next().is_some(), "it is not stopped, but:\n{}", terminal.shown);
        terminal.type_text("jobs\r").expect("jobs");
    }
    terminal.settled();
    terminal.type_text("echo of the $((40 + 2))\r").expect("of the 42").expect(SHELL);
    terminal.type_text("fg\r").expect("> ");
    enter(&mut terminal, "after", "\n7");
    leave(terminal);
    for file in [go, done] {
        std::fs::remove_file(file).expect("it is there");
    }
}

#[test]
fn stopped_from_outside_while_somebody_types() {
    let home = Home::new();
    let Some(mut terminal) = shell_with_session(&home) else { return };
    let pid = home.scratch.path().join("pid");
    // Its own process id, from the parent of a child.
    let entry = format!("write_text(\"pid\", {}.read()); print(\"writ\" + \"ten\");", kid("ppid"));
    enter(&mut terminal, &entry, "\nwritten");
    let number = std::fs::read_to_string(&pid).expect("it was written");
    for signal in ["STOP", "TSTP"] {
        terminal.type_text("20 + ").expect("20 + ");
        let status = Command::new("kill").arg(format!("-{signal}")).arg(&number).status();
        assert!(status.expect("kill is there").success());
        terminal.expect("Stopped").expect(SHELL);
        terminal.type_text("echo of the $((40 + 2))\r").expect("of the 42").expect(SHELL);
        // What was typed is there again, and the editor has its keys.
        terminal.type_text("fg\r").expect("20 + ");
        terminal.type_text("2\x0822\r").expect("\n42").expect("> ");
    }
    leave(terminal);
    std::fs::remove_file(pid).expect("it is there");
}
