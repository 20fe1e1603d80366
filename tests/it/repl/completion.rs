//! Completion with the Tab key.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use super::home::enter;
use super::session;
use crate::support::leaks;
use crate::support::procscript_bin;
use crate::support::pty::Terminal;
use crate::support::scratch::Scratch;

#[test]
fn twenty_two_programs_in_commands_and_templates() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let bin = scratch.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    for name in ["gizmo-one", "gizmo-two", "only-one"] {
        std::fs::write(bin.join(name), "#!/bin/sh\n").expect("a file");
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut command = Command::new(procscript_bin());
    command.current_dir(scratch.path()).env("PATH", &bin).env("PROCSCRIPT_HISTORY", "").env("TERM", "xterm");
    command.env("NO_COLOR", "1").env_remove("CI");
    let mut terminal = Terminal::start(command, [true; 3]);
    terminal.expect("> ");
    terminal.type_text("cmd(\"giz\t").expect("gizmo-one").expect("gizmo-two").settled();
    terminal.type_text("\x03").expect("[?2004h").expect("> ");
    terminal
        .type_text("cmd(\"on\t")
        .expect("cmd(\"only-one")
        .type_text("\").to_string() + \"!\"\r")
        .expect("\n\"only-one!\"")
        .expect("> ");
    terminal.type_text("$`ls | on\t").expect("| only-one").type_text("\x03").expect("[?2004h").expect("> ");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_dir_all(&bin).expect("it is there");
}

#[test]
fn twenty_two_a_directory_of_seventy_thousand_files() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let dir = scratch.path().join("many");
    std::fs::create_dir(&dir).expect("a directory");
    for number in 0..70_000 {
        std::fs::File::create(dir.join(format!("file-{number:05}"))).expect("a file");
    }
    let mut terminal = session(&scratch);
    // Where everything is slow not all of them are looked at. Ctrl-C leaves the list, and not the line.
    terminal.type_text("let f = \"many/fi\t").expect("file-").expect("--More--");
    terminal.type_text("\x03").expect("> let f = \"many/fi").settled();
    terminal.type_text("\t").expect("--More--").type_text("q").settled();
    terminal.type_text("\"; find_pr\t").expect("find_processes").type_text("\x03").expect("[?2004h").expect("> ");
    // Neither do the keys change what was typed: those that were not looked at may go on otherwise.
    terminal.type_text("\"many/file-0001");
    let is_listed = (0..30).any(|_| terminal.type_text("\t").shows_within("file-00010", Duration::from_secs(2)));
    assert!(is_listed, "{}", terminal.shown);
    terminal.settled();
    terminal.type_text("0\".len()").expect("0\".len()").type_text("\r").expect("\n15").expect("> ");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    std::fs::remove_dir_all(&dir).expect("it is there");
}

#[test]
fn twenty_three_members_of_maps_commands_and_texts() {
    let _guard = leaks::Guard::new();
    let scratch = Scratch::new();
    let mut terminal = session(&scratch);
    terminal.type_text("let m = #{ hostname: \"web\", port: 80 }; let c = cmd(\"ls\"); let t = \"a\";\r").expect("> ");
    terminal.type_text("m.hos\t").expect("m.hostname").type_text("\r").expect("\n\"web\"").expect("> ");
    terminal.type_text("c.li\t\t").expect("limit(").expect("lines").settled();
    terminal.type_text("\x03").expect("[?2004h").expect("> ");
    terminal.type_text("t.to_up\t").expect("t.to_upper()").type_text("\r").expect("> ");
    // What was shown last has members, too.
    enter(&mut terminal, "m", "port: 80}");
    terminal.type_text("_.hostn\t").expect("_.hostname").type_text("\r").expect("\n\"web\"").expect("> ");
    terminal.type_text("_2.hostn\t").expect("_2.hostname").type_text("\r").expect("\n\"web\"").expect("> ");
    // Nothing is run to find out what it gives.
    terminal.type_text("print(\"RUN\" + \"NING\"); cmd(\"true\").read().starts\t").expect("starts_with(");
    assert!(!terminal.settled().contains("RUNNING"));
    terminal.type_text("\x03").expect("[?2004h").expect("> ");
    terminal.type_text("import \"std/gi\t").expect("std/git").type_text("\x03").expect("[?2004h").expect("> ");
    terminal
        .type_text("env(\"PROCSCRIPT_HIS\t")
        .expect("PROCSCRIPT_HISTORY")
        .type_text("\x03")
        .expect("[?2004h")
        .expect("> ");
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
}
