//! What is typed, and how it looks: numbers as in the list of the pseudo-terminal tests.

use std::process::Command;
use std::time::Duration;

use super::{kid, session};
use crate::support::leaks;
use crate::support::procs;
use crate::support::procscript_bin;
use crate::support::pty::Terminal;
use crate::support::scratch::Scratch;

/// A session with other surroundings.
fn session_with(scratch: &Scratch, variables: &[(&str, &str)]) -> Terminal {
    let mut command = Command::new(procscript_bin());
    command.current_dir(scratch.path()).env("PROCSCRIPT_HISTORY", "").env_remove("NO_COLOR").env_remove("CI");
    command.env("TERM", "xterm");
    for (name, value) in variables {
        match value.is_empty() {
            true => command.env_remove(name),
            false => command.env(name, value),
        };
    }
    let mut terminal = Terminal::start(command, [true; 3]);
    terminal.expect("> ");
    terminal
}

fn end(mut terminal: Terminal) {
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn one_a_line_that_is_typed_is_shown_and_evaluated() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("1 + ").expect("1 + ").type_text("1\r").expect("\n2").expect("> ");
    // What was typed ahead of the prompt is not lost.
    terminal.type_text("20 + 1\r20 + 2\r20 + 3\r").expect("\n21").expect("\n22").expect("\n23").expect("> ");
    end(terminal);
}

#[test]
fn two_an_open_brace_asks_for_more() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    // The next line is indented.
    terminal.type_text("if true {\r").expect("    ").type_text("40 + 2\r}\r").expect("\n42").expect("> ");
    for open in ["let x =", "[1,", "`text", "$`echo", "/* comment", "1 +", "fn f("] {
        terminal.type_text(open).type_text("\r").settled();
        terminal.type_text("\x03").expect("> ");
    }
    // A mistake is told, and no reason to ask for more.
    terminal.type_text("1 2 (\r").expect("^").expect("> ");
    terminal.type_text("\"open\r").expect("^").expect("> ");
    terminal.type_text("7 * 6\r").expect("\n42").expect("> ");
    end(terminal);
}

#[test]
fn three_a_paste_is_one_entry_and_waits_for_enter() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("\x1b[200~let a = 1;\nlet b = 2;\nprint(\"sum \" + (a + b));\n\x1b[201~");
    assert!(!terminal.settled().contains("sum 3"), "nothing runs before Enter");
    terminal.type_text("\r").expect("\nsum 3").expect("> ");
    // A command over two lines, which no parser can know to be one.
    let code = format!("cmd({}, \"echo\")\n    .arg(\"two lines\").read()", kid());
    terminal.type_text(&format!("\x1b[200~{code}\x1b[201~\r")).expect("\n\"two lines\"").expect("> ");
    // The same with Alt-Enter.
    terminal.type_text("\"a\"\x1b\r+ \"b\"\r").expect("\n\"ab\"").expect("> ");
    end(terminal);
}

#[test]
fn the_cursor_moves_within_an_entry_and_then_through_the_history() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    for entry in ["\"one\"", "\"two\"", "let other = 3;"] {
        terminal.type_text(entry).type_text("\r").expect("> ");
    }
    let (up, down) = ("\x1b[A", "\x1b[B");
    // Only what begins so.
    terminal.type_text(&format!("\"{up}\r")).expect("\n\"two\"").expect("> ");
    terminal.type_text(&format!("\"{up}{up}\r")).expect("\n\"one\"").expect("> ");
    // Entries stand once, and what was typed comes back.
    terminal.type_text(&format!("\"{up}{up}{down}{down}typed\"\r")).expect("\n\"typed\"").expect("> ");
    // In an entry of two lines the keys move the cursor first.
    terminal.type_text(&format!("{{\r1\r}}{up}{up}\x05 + 5{down}{down}"));
    terminal.settled();
    terminal.type_text("\x03").expect("> ");
    terminal.type_text(&format!("[\r1,\r2{up}0\x1b[F{down}\r].len\r"));
    terminal.settled();
    terminal.type_text("\x12OTH\r").settled();
    terminal.type_text("other\r").expect("\n3").expect("> ");
    end(terminal);
}

#[test]
fn ctrl_z_does_not_stop_the_session() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("21\x1a * 2\r").expect("\n42").expect("> ");
    end(terminal);
}

#[test]
fn the_keys_of_vi() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text(":set edit vi\r").expect("> ");
    terminal.settled();
    // Escape, to the beginning, a word deleted, back to inserting, Enter.
    terminal.type_text("wrong 40 + 2\x1b").settled();
    terminal.type_text("0dwi").settled();
    terminal.type_text("\r").expect("\n42").expect("> ");
    terminal.type_text("\x1bk").settled();
    terminal.type_text("\r").expect("\n42").expect("> ");
    // A new line is made and indented as elsewhere.
    terminal.type_text("if true {\r").expect("    ").type_text("7\r}\r").expect("\n7").expect("> ");
    terminal.type_text("8\x1a\r").expect("\n8").expect("> ");
    terminal.type_text(":set edit emacs\r").expect("> ");
    terminal.settled();
    terminal.type_text("1\x01 9 + \r").expect("\n10").expect("> ");
    end(terminal);
}

#[test]
fn twenty_a_resize_keeps_what_was_typed() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("\"a text that is longer than the terminal will be\".len").expect("will be\".len");
    terminal.resize(24, 20).settled();
    terminal.type_text("()").settled();
    terminal.resize(24, 100).settled();
    terminal.type_text("\r").expect("\n47").expect("> ");
    end(terminal);
}

#[test]
fn twenty_a_resize_while_progress_is_shown() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    let label = "a label that is longer than the narrow terminal will be";
    let steps = [
        format!("let bar = progress(3, #{{label: \"{label}\"}})"),
        "while !exists(\"one\") { sleep(\"5ms\") } bar.advance(); print(\"first\")".to_string(),
        // A command that is waited for is no reason not to notice.
        format!("cmd({}, \"wait-for\", \"two\").stdout_null().stdin_null().output(); print(\"second\")", kid()),
        "while !exists(\"three\") { sleep(\"5ms\") } bar.advance(2); bar.finish(\"all\")".to_string(),
    ];
    terminal.type_text(&format!("{{ {}; }}\r", steps.join("; "))).expect("0/3");
    // The line is as long as the terminal is wide, less a column.
    let longest = |shown: &str| {
        let rows = shown.split(['\r', '\n']).map(|row| row.split("\x1b[J").last().unwrap_or_default());
        rows.filter(|row| row.contains("a label")).map(|row| row.chars().count()).max()
    };
    terminal.resize(24, 20);
    // What is broken over four rows by then is taken away with all of them.
    terminal.expect("\x1b[3A\x1b[J");
    assert_eq!(longest(&terminal.settled()).expect("it is drawn again"), 19);
    std::fs::write(scratch.path().join("one"), "").expect("it can be written");
    terminal.expect("\x1b[Jfirst\r\n");
    terminal.resize(24, 120);
    terminal.expect("1/3");
    std::fs::write(scratch.path().join("two"), "").expect("it can be written");
    terminal.expect("\x1b[Jsecond\r\n").resize(24, 40);
    std::fs::write(scratch.path().join("three"), "").expect("it can be written");
    terminal.expect("all").expect("> ");
    // And the editor knows the new size.
    terminal.type_text("\"0123456789012345678901234567890123456789\".len()\r").expect("\n40").expect("> ");
    end(terminal);
    for file in ["one", "two", "three"] {
        std::fs::remove_file(scratch.path().join(file)).expect("it is there");
    }
}

#[test]
fn twenty_six_plain_terminals() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let no_colour = |shown: &str| {
        for number in ["30", "31", "32", "33", "34", "35", "36", "1", "2", "4"] {
            assert!(!shown.contains(&format!("\x1b[{number}m")), "{shown:?}");
        }
    };
    // Dumb: nothing is drawn, and Ctrl-C drops what was typed all the same.
    for term in ["dumb", ""] {
        let mut terminal = session_with(&scratch, &[("TERM", term)]);
        terminal.type_text("if true {\r").expect("… ").type_text("6 * 7 }\r").expect("\n42");
        let shown = terminal.settled();
        assert!(!shown.contains('\x1b'), "{term:?}: {shown:?}");
        terminal.type_text("let kept = 1;\r").expect("> ").type_text("half an en\x03").expect("> ");
        terminal.type_text("{\r").expect("… ").type_text("\x03").expect("> ");
        terminal.type_text("kept\x1a\r").expect("> ").settled();
        terminal.type_text("kept + 1\r").expect("\n2").expect("> ");
        terminal.type_text("print(\"be\" + \"gun\"); loop {}\r").expect("\nbegun");
        terminal.type_text("\x03").expect("interrupted").expect("> ");
        end(terminal);
    }
    let mut terminal = session_with(&scratch, &[("NO_COLOR", "1")]);
    terminal.type_text("let x = \"text\"; // comment\r").expect("comment").expect("> ");
    terminal.type_text("x\r").expect("\n\"text\"");
    no_colour(&terminal.until("> "));
    end(terminal);

    // A narrow one.
    let mut terminal = session_with(&scratch, &[]);
    terminal.resize(10, 20).settled();
    terminal.type_text("\"0123456789012345678901234567890123456789\".len()\r").expect("\n40").expect("> ");
    end(terminal);
}

#[test]
fn colours_while_typing() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session_with(&scratch, &[]);
    terminal.type_text("let").expect("\x1b[35mlet");
    terminal.type_text(" x = \"a\"").expect("\x1b[32m\"a\"");
    terminal.type_text("; cmd(\"no-such-program-at-all\")").expect("\x1b[31m");
    terminal.type_text("\x03").settled();
    // What a function takes is shown behind the cursor, and is not part of the entry.
    terminal.type_text("sleep(").expect("sleep(duration:").type_text("0)\r").expect("> ");
    // So is the rest of an earlier entry, which End accepts.
    terminal.type_text("\"remember me\"\r").expect("> ");
    terminal.settled();
    terminal.type_text("\"rem").expect("ember me").type_text("\x1b[F\r").expect("\n\"remember me\"").expect("> ");
    end(terminal);
}

#[test]
fn twenty_seven_what_is_typed_is_not_in_a_piped_output() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut command = Command::new(procscript_bin());
    command.current_dir(scratch.path()).env("PROCSCRIPT_HISTORY", "").env("TERM", "xterm").env_remove("CI");
    command.stdout(std::process::Stdio::piped());
    let mut terminal = Terminal::start(command, [true, false, true]);
    terminal.expect("> ").type_text("print(\"printed\");\r").expect("> ").type_text("40 + 2\r").expect("> ");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    assert_eq!(terminal.output(), "printed\n42\n");
}

#[test]
fn an_entry_of_two_hundred_lines_can_be_typed_on() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session_with(&scratch, &[]);
    let lines: String = (0..200).map(|n| format!("let v{n} = cmd(\"git\", \"{n}\"); // {n}\n")).collect();
    terminal.type_text(&format!("\x1b[200~{lines}\x1b[201~")).settled();
    let start = std::time::Instant::now();
    for _ in 0..10 {
        terminal.type_text("1").settled();
    }
    // Each wait for silence takes 200 ms of its own.
    assert!(start.elapsed() < procs::under_load(Duration::from_secs(10)), "{:?}", start.elapsed());
    terminal.type_text("\r").expect("\x1b[?2004h").settled();
    terminal.type_text("v199.arg(\"x\")").settled();
    // The line is drawn once more before it is dropped.
    terminal.type_text("\x03").expect("> ").settled();
    end(terminal);
}

#[test]
fn a_paste_of_five_thousand_lines_is_one_entry() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    for colours in [&[][..], &[("NO_COLOR", "1")]] {
        let mut terminal = session_with(&scratch, colours);
        let lines: String = (0..5000).map(|n| format!("let v{n} = {n}; // line {n}\n")).collect();
        terminal.paste(&format!("\x1b[200~{lines}\x1b[201~"));
        terminal.type_text("\r");
        terminal.type_text("print(\"the \" + (v4999 - v0) + \"th\")\r").expect("the 4999th").expect("> ");
        terminal.type_text(":vars\r").expect("v4998").expect("v4999").expect("> ");
        end(terminal);
    }
}
