//! The commands of the session.

use std::os::unix::fs::PermissionsExt;

use super::home::{Home, enter, kid, kid_line};
use crate::support::testkid;

#[test]
fn help_is_about_everything() {
    let ended = Home::new().entries(":help\n:help time\n:h :quit\n:help tiem\n:tiem\n:nothinglikeit\n");
    for name in
        ["help", "doc", "type", "time", "vars", "load", "save", "edit", "jobs", "history", "set", "reset", "quit"]
    {
        assert!(ended.out.contains(&format!("\n:{name} ")) || ended.out.contains(&format!("\n:{name}\n")), "{name}");
    }
    assert!(ended.out.contains(":quit\n    Ends the session"), "{}", ended.out);
    let hint = "error: there is no command `:tiem`; did you mean `:time`?\n";
    assert_eq!(ended.err, format!("{hint}{hint}error: there is no command `:nothinglikeit`; `:help` lists them\n"));
}

#[test]
fn doc_is_the_documentation() {
    let ended = Home::new().entries(":doc Command.lines\n:doc to_arrya\n");
    assert!(ended.out.contains(".lines(") && ended.out.contains("Shell:"), "{}", ended.out);
    assert_eq!(ended.err, "error: nothing is called `to_arrya`; did you mean `to_array`?\n");
    // Without a name no more than a screen with the next prompt.
    let topics = Home::new().entries(":doc\n:doc running commands\n:doc std/git\n").out;
    let (topics, rest) = topics.split_once("or module.\n").expect("what to do with them");
    assert!(topics.lines().count() < 24 && topics.lines().all(|line| line.chars().count() <= 80), "{topics}");
    for title in ["Commands ", "Running commands", "JSON, TOML, YAML, CSV", "std/tree"] {
        assert!(topics.contains(title), "{topics}");
    }
    assert!(rest.contains("\n  Command.read ") && rest.contains("\n  git::branch "), "{rest}");
    let home = Home::new();
    let mut narrow = home.session();
    narrow.resize(24, 30);
    narrow.type_text(":doc\r").expect("\nCommands\r\n").expect("std/tree\r\n").expect("> ");
    narrow.type_text("\x04");
    assert!(narrow.ended().success());
}

#[test]
fn words_that_no_command_takes() {
    let lines = [
        ":reset foo",
        ":all x",
        ":vars x",
        ":err x",
        ":jobs x y",
        ":quit now",
        ":edit 1 2",
        ":help time load",
        ":set rows 2 3",
        ":type",
        ":time  ",
        ":load",
        ":save",
    ];
    let ended = Home::new().entries(format!("let kept = 1;\n{}\nkept\n", lines.join("\n")));
    // None of them does anything.
    assert_eq!(ended.out, "1\n");
    let said: Vec<&str> = ended.err.lines().collect();
    assert_eq!(said.len(), lines.len(), "{}", ended.err);
    for (line, said) in lines.iter().zip(said) {
        let name = line.split_whitespace().next().expect("a name");
        assert!(said.starts_with(&format!("error: `{name}` ")) && said.contains(&format!("; usage: {name}")), "{said}");
    }
    assert!(ended.err.contains("error: `:edit` takes no more than 1 word; usage: :edit [N]\n"), "{}", ended.err);
    assert!(ended.err.contains("error: `:load` needs something behind it; usage: :load FILE\n"), "{}", ended.err);
}

#[test]
fn types_variables_and_times() {
    let home = Home::new();
    let entries =
        ["let x = [1, 2]", "const K = \"k\"", ":type x", ":type cmd(\"ls\")", ":vars", "fn f(a, b) { a }", ":v"];
    let ended = home.entries(entries.join("\n"));
    assert_eq!(
        ended.out,
        "an array of 2\na command\nx        an array of 2  [… 2 elements]\nconst K  text           \"k\"\n\
         x         an array of 2  [… 2 elements]\nconst K   text           \"k\"\nfn f(a, b)  a function\n"
            .replace("x         an", "x           an")
            .replace("const K   text", "const K     text")
            .replace("[… 2 elements]", "[1, 2]")
    );
    let time = home.entries(format!(":time {}\n", kid("sleep 30")));
    // What could not be evaluated has no time, and not that of the entry before.
    let time_of_nothing = home.entries(":time 1\n:time exit(0\n:time )\n");
    assert_eq!(time_of_nothing.out.matches("wall").count(), 1, "{}", time_of_nothing.out);
    assert!(time.out.contains("wall") && time.out.contains("procscript") && time.out.contains("(pid "), "{}", time.out);
}

#[test]
fn files_are_loaded_and_saved() {
    let home = Home::new();
    home.scratch.write("lib.rhai", "let base = 40;\nfn broken() {\n    nowhere.x\n}\n");
    home.scratch.write("good.rhai", "let base = 40;\nfn fails() {\n    throw \"in the file\";\n}\n");
    let ended = home.entries(
        ":load lib.rhai\n:load good.rhai\nbase + 2\nlet y = _ * 2;\nfails()\n:save out.rhai\n:save out.rhai\n",
    );
    assert!(ended.err.contains("lib.rhai:3:5"), "{}", ended.err);
    assert!(ended.err.contains("good.rhai:3:5"), "{}", ended.err);
    assert!(ended.err.contains("out.rhai`: File exists"), "{}", ended.err);
    let saved = std::fs::read_to_string(home.scratch.path().join("out.rhai")).expect("it was saved");
    assert!(saved.ends_with("let result_1 = base + 2;\nlet y = result_1 * 2;\n"), "{saved}");
    let run = home.entries_with(&["out.rhai"], "");
    assert_eq!((run.status.code(), run.err.as_str()), (Some(0), ""));
    for name in ["lib.rhai", "good.rhai", "out.rhai"] {
        std::fs::remove_file(home.scratch.path().join(name)).expect("it is there");
    }
}

#[test]
fn an_entry_is_edited() {
    let home = Home::new();
    // An editor that adds a line.
    let editor = format!("{} append", testkid().display());
    let script = home.scratch.write("editor", format!("#!/bin/sh\nexec {editor} \"$1\" '+ 1'\n"));
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut terminal = home.session_with(&[], &[("EDITOR", script.to_str().expect("it is text"))]);
    enter(&mut terminal, "20 + 20", "\n40");
    enter(&mut terminal, "1", "\n1");
    enter(&mut terminal, ":edit 1", "\n41");
    // One that fails changes nothing.
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    let mut terminal = home.session_with(&[], &[("VISUAL", "false")]);
    enter(&mut terminal, ":edit", "exit 1 · false");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_file(script).expect("it is there");
}

#[test]
fn an_editor_may_leave_anything() {
    let home = Home::new();
    for (editor, said) in [
        ("/nonexistent/editor", "no such program file"),
        ("\"unclosed", "is no command line"),
        ("rm", "error: cannot edit the entry: No such file or directory"),
        ("sh -c 'rm $0; mkfifo $0'", "error: the edited text is no entry: it is no regular file"),
        ("sh -c 'rm $0; mkdir $0'", "error: cannot edit the entry: Is a directory"),
        ("sh -c 'printf \"\\377\\n\" > $0'", "error: the edited text is no entry: it is not UTF-8"),
        ("sh -c 'head -c 2000000 /dev/zero > $0'", "error: the edited text is no entry: it is longer than 1 MiB"),
        ("sh -c 'kill -9 $$'", "signal KILL · "),
        ("sh -c 'echo \"let x = {\" > $0'", "is never closed"),
        ("true", "nothing was changed"),
        // What comes back is an entry as any other.
        ("sh -c 'echo :jobs > $0'", "nothing is running"),
    ] {
        let temp = home.scratch.temp().display().to_string();
        let mut terminal = home.session_with(&[], &[("EDITOR", editor), ("TMPDIR", &temp)]);
        enter(&mut terminal, ":edit", said);
        enter(&mut terminal, "6 * 7", "\n42");
        terminal.type_text("\x04");
        assert!(terminal.ended().success(), "{editor}");
    }
    for entry in std::fs::read_dir(home.scratch.temp()).expect("it is there") {
        let path = entry.expect("it can be read").path();
        assert!(!path.is_dir() || std::fs::remove_dir(&path).is_ok(), "{}", path.display());
    }
}

#[test]
fn a_file_that_nobody_writes_is_waited_for_until_ctrl_c() {
    let home = Home::new();
    let fifo = home.scratch.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("it is there").success());
    let mut terminal = home.session();
    terminal.type_text(":load fifo\r").expect(":load fifo").settled();
    terminal.type_text("\x03").expect("interrupted").expect("> ");
    terminal.type_text(":load fifo\r").expect(":load fifo");
    std::fs::write(&fifo, "fn from_the_fifo() { 42 }\n").expect("somebody reads it");
    terminal.expect("> ");
    enter(&mut terminal, "from_the_fifo()", "\n42");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_file(fifo).expect("it is there");
}

#[test]
fn a_line_for_the_shell() {
    let ended = Home::new().entries("!echo $((40 + 2))\n!exit 3\n!\n !true\n");
    assert_eq!(ended.out, "42\nfalse\n");
    assert!(ended.err.starts_with("exit 3 · exit 3 · "), "{}", ended.err);
    assert!(ended.err.contains("error: `!` is followed by a line"), "{}", ended.err);
}

#[test]
fn what_runs_is_listed_and_asked_about() {
    let home = Home::new();
    let mut terminal = home.session();
    enter(&mut terminal, ":jobs", "nothing is running");
    enter(&mut terminal, &format!("let job = {}.start();", kid("forever")), "");
    enter(&mut terminal, ":jobs", &kid_line("forever"));
    terminal.type_text("\x04").expect("a command is still running (:jobs); Ctrl-D again").expect("> ");
    // Something else in between is an answer.
    enter(&mut terminal, "1 + 1", "\n2");
    terminal.type_text("\x04").expect("still running").expect("> ");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}

#[test]
fn settings_and_reset() {
    let ended = Home::new()
        .entries(":set rows 2\n[1,2,3].map(|n| #{n: n})\n:set\n:set edit wi\n:set eddit vi\nlet x = 1\n:reset\nx\n");
    assert!(ended.out.starts_with("n\n-\n1\n2\n… 1 more\n"), "{}", ended.out);
    assert!(ended.out.contains("edit emacs\n") && ended.out.contains("rows 2\n"), "{}", ended.out);
    assert!(ended.err.contains("`:set edit` is followed by emacs or vi"), "{}", ended.err);
    assert!(ended.err.contains("did you mean `edit`?"), "{}", ended.err);
    assert!(ended.err.contains("there is no variable `x`"), "{}", ended.err);
}
