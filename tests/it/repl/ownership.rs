//! Children that have the terminal, and what they leave of it.

use super::home::{Home, enter, kid};
use crate::support::pty::Terminal;

/// The prompt works, and commands find the terminal as they should.
fn is_in_order(terminal: &mut Terminal, modes: &str) {
    enter(terminal, "40 + 2", "\n42");
    enter(terminal, &kid("modes"), modes);
    enter(terminal, &kid("has-foreground"), "\nyes");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    assert!(terminal.echoes());
}

const SANE: &str = "modes: +echo +icanon +opost +ixon";

#[test]
fn an_editor_gets_the_terminal_and_gives_it_back() {
    let home = Home::new();
    let mut terminal = home.session();
    for entry in
        [kid("read-key"), format!("{}.run();", kid("read-key")), format!("!{}", super::home::kid_line("read-key"))]
    {
        terminal.type_text(&entry).type_text("\r").expect("press a key");
        // A key and not a signal.
        terminal.type_text("\x03").expect("key 3").expect("> ");
    }
    is_in_order(&mut terminal, SANE);
}

#[test]
fn a_password_is_asked_for_at_the_terminal() {
    let home = Home::new();
    let mut terminal = home.session();
    terminal.type_text(&format!("{}.read()\r", kid("ask-terminal"))).expect("Password: ");
    terminal.type_text("hunter2\r").expect("7 characters").expect("> ");
    assert!(!terminal.shown.contains("hunter2"));
    is_in_order(&mut terminal, SANE);
}

#[test]
fn who_fails_in_raw_mode_leaves_nothing_of_it() {
    let home = Home::new();
    for ending in ["exit 1", "signal KILL", "signal SEGV"] {
        let mut terminal = home.session();
        enter(&mut terminal, &kid(&format!("raw-mode -- {ending}")), "");
        is_in_order(&mut terminal, SANE);
    }
    // Nobody can work without some modes, whatever was meant.
    let mut terminal = home.session();
    enter(&mut terminal, &kid("raw-mode"), "");
    is_in_order(&mut terminal, "modes: +echo +icanon +opost -ixon");
}

#[test]
fn what_stty_sets_stays() {
    let home = Home::new();
    let mut terminal = home.session();
    enter(&mut terminal, &kid("no-flow-control"), "");
    is_in_order(&mut terminal, "modes: +echo +icanon +opost -ixon");
    let mut terminal = home.session();
    enter(&mut terminal, &kid("no-flow-control -- exit 1"), "exit 1");
    is_in_order(&mut terminal, SANE);
}

#[test]
fn a_child_may_leave_reads_that_do_not_wait() {
    let home = Home::new();
    let mut terminal = home.session();
    enter(&mut terminal, &kid("non-blocking"), "");
    is_in_order(&mut terminal, SANE);
}

#[test]
fn a_child_may_leave_output_stopped_and_input_signalled() {
    let home = Home::new();
    for (verb, ending) in [("stop-output", "exit 0"), ("stop-output", "signal KILL"), ("signalled-input", "exit 0")] {
        let mut terminal = home.session();
        enter(&mut terminal, &kid(&format!("{verb} -- {ending}")), "");
        is_in_order(&mut terminal, SANE);
    }
    // Also where a value is shown behind it.
    let mut terminal = home.session();
    enter(&mut terminal, &format!("{}.interactive().run(); 40 + 2", kid("stop-output")), "\n42");
    is_in_order(&mut terminal, SANE);
}

#[test]
fn the_foreground_is_taken_back() {
    let home = Home::new();
    for ending in ["exit 0", "exit 1", "signal KILL"] {
        let mut terminal = home.session();
        enter(&mut terminal, &kid(&format!("steal-foreground -- {ending}")), "");
        is_in_order(&mut terminal, SANE);
    }
    // Also from one that is still running.
    let mut terminal = home.session();
    let thief = "grandchild steal-foreground + echo stolen + touch stolen + sleep 2000 -- wait-for stolen";
    enter(&mut terminal, &kid(thief), "stolen");
    enter(&mut terminal, "40 + 2", "\n42");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_file(home.scratch.path().join("stolen")).expect("it is there");
}

#[test]
fn a_screen_is_left_for_who_could_not() {
    let home = Home::new();
    let mut terminal = home.session();
    enter(&mut terminal, &kid("alternate-screen -- signal KILL"), "\x1b[?1047l\x1b[?25h");
    is_in_order(&mut terminal, SANE);
}

#[test]
fn eleven_a_program_that_draws_the_whole_screen() {
    let home = Home::new();
    let mut terminal = home.session();
    // Drawn on a screen of its own, told of another size, and left by a key.
    let draws = kid("alternate-screen -- trap WINCH resized -- read-key -- normal-screen -- echo done");
    for entry in [draws.clone(), format!("{draws}.interactive().run();")] {
        terminal.type_text(&entry).type_text("\r").expect("\x1b[?1049h").expect("press a key");
        terminal.resize(30, 100).expect("resized").resize(24, 80).expect("resized");
        terminal.type_text("q").expect("key 113").expect("\x1b[?1049l").expect("done").expect("> ");
    }
    is_in_order(&mut terminal, SANE);
}
