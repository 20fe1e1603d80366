//! What a command takes from its host at the moment of its start, also when the host has changed it since.
//!
//! The environment and the streams belong to the whole process: each host is this test binary, started once
//! more (see `hosts`).

use procscript::process::{Context, ErrorKind, Expression};

use super::hosts::{is_played, play};
use super::{fails, kid};

const NAME: &str = "PROCSCRIPT_TEST_VARIABLE";

/// Changes the environment of this process.
#[allow(unsafe_code)]
fn set(name: &str, value: Option<&str>) {
    // SAFETY: nothing else runs in this process, which is a host that was started for one test.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

#[test]
fn the_environment_is_that_of_the_start() {
    play("process::surroundings::with_a_changing_environment");
}

#[test]
fn with_a_changing_environment() {
    if !is_played("process::surroundings::with_a_changing_environment") {
        return;
    }
    let read = |command: &Expression| command.read().expect("it succeeds");
    let show = || kid("env").arg(NAME);
    let context = Context::new();
    let plain = [show(), kid("cat").pipe(show()), show().nice(0), show().within(&context)];
    let removed = [
        show().env_remove(NAME),
        kid("cat").pipe(show()).env_remove(NAME),
        show().nice(0).env_remove(NAME),
        show().within(&Context::new().without_env(NAME)),
        show().env_clear(),
    ];
    let fixed = show().env(NAME, "own");
    for value in [None, Some("first"), Some("second"), None] {
        set(NAME, value);
        let expected = value.map_or(format!("{NAME} unset"), |value| format!("{NAME}={value}"));
        plain.iter().for_each(|command| assert_eq!(read(command), expected, "{command}"));
        assert_eq!(context.env(NAME), value.map(Into::into));
        // What was taken away when there was nothing to take away is taken away.
        removed.iter().for_each(|command| assert_eq!(read(command), format!("{NAME} unset"), "{command}, {value:?}"));
        assert_eq!(read(&fixed), format!("{NAME}=own"));
    }
}

#[test]
fn without_any_path_the_systems_own_is_searched() {
    play("process::surroundings::without_a_path");
}

#[test]
fn without_a_path() {
    if !is_played("process::surroundings::without_a_path") {
        return;
    }
    set("PATH", None);
    let path = Expression::new("getconf").arg("PATH").read().expect("it is found");
    assert!(path.starts_with('/'), "{path}");
    let context = Context::new();
    let expected = std::env::split_paths(&path).map(|dir| dir.join("getconf")).find(|file| file.exists());
    assert_eq!(context.which("getconf").ok(), expected, "in its order");
    let missing = Expression::new("no-such-program-x");
    for command in [missing.clone(), missing.env_remove("PATH"), Expression::new("no-such-program-x").env_clear()] {
        let error = fails(ErrorKind::NotFound, command.run());
        assert!(error.help().is_some_and(|help| help.contains(&format!("searched {path}"))), "{error:?}");
    }
    // The child is not given what was searched.
    assert_eq!(kid("env PATH").read().expect("it succeeds"), "PATH unset");
    // One that is empty is no missing one.
    set("PATH", Some(""));
    fails(ErrorKind::NotFound, Expression::new("getconf").run());
}

#[test]
fn inherited_output_reaches_the_hosts_own_streams() {
    let (out, err) = play("process::surroundings::that_lets_its_children_speak");
    // Among the words of the test runner, which are on standard output.
    let said = ["plain out", "merged err", "swapped err"];
    said.iter().for_each(|line| assert!(out.lines().any(|shown| shown == *line), "no `{line}` in:\n{out}"));
    assert_eq!(err, "plain err\nled out\nled err\npiped out\nswapped out\n");
    assert!(!out.contains("led ") && !out.contains("piped "), "{out}");
}

#[test]
fn that_lets_its_children_speak() {
    if !is_played("process::surroundings::that_lets_its_children_speak") {
        return;
    }
    // The line of the test runner is not at its end yet.
    println!();
    kid("echo plain out -- err plain err").run().expect("it succeeds");
    kid("echo led out -- err led err").stdout_to_stderr().run().expect("it succeeds");
    kid("echo piped out").pipe(kid("cat").stdout_to_stderr()).run().expect("it succeeds");
    kid("err merged err").stderr_to_stdout().run().expect("it succeeds");
    kid("echo swapped out -- err swapped err").swap_outputs().run().expect("it succeeds");
}
