//! A system that has no more to give: descriptors, processes.
//!
//! The limits belong to a whole process; see [`hosts`](super::hosts).

use std::path::PathBuf;

use procscript::process::{Error, ErrorKind, Execution, Expression, cmd};

use super::hosts::{is_played, play};
use super::{fails, kid, millis, soon};
use crate::support::users::{public_copy, skipped};
use crate::support::{leaks, procs, procscript_bin};

#[allow(unsafe_code)]
fn limit_descriptors(soft: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for reading and for writing.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = soft;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() - 1)
}

/// The limit is what it is about, whatever the descriptor was wanted for.
#[track_caller]
fn is_about_descriptors(error: &Error, limit: u64) {
    assert_eq!((error.kind(), error.errno_name()), (ErrorKind::Resource, Some("EMFILE")), "{error:?}");
    let help = error.help().unwrap_or_default();
    assert!(help.contains(&format!("may have {limit} ")) && help.contains("ulimit -n"), "{help}");
    assert!(error.command().is_some(), "{error:?}");
}

#[test]
fn too_many_descriptors_are_told_with_the_limit() {
    play("process::shortage::with_few_descriptors");
}

#[test]
fn with_few_descriptors() {
    if !is_played("process::shortage::with_few_descriptors") {
        return;
    }
    kid("exit 0").run().expect("a first run, so that what is opened once is open");
    let before = open_descriptors();
    let scratch = tempfile::tempdir().expect("a directory");
    let file = |name: &str| -> PathBuf { scratch.path().join(name) };
    std::fs::write(file("in"), "text").expect("there is room");
    // Whatever there is left when a start is asked for: it fails whole, or it works.
    let starts: Vec<(&str, Box<dyn Fn() -> Expression>)> = vec![
        ("piped", Box::new(|| kid("cat").stdin_piped().stdout_piped().stderr_piped())),
        ("pipeline", Box::new(|| kid("echo x").pipe(kid("cat")).pipe(kid("cat")).stdout_capture())),
        ("fed", Box::new(|| kid("cat").stdin_bytes("x".repeat(200_000)).stdout_capture())),
        ("files", Box::new(|| kid("cat").stdin_path(file("in")).stdout_path(file("out")).stderr_append(file("err")))),
        ("tee", Box::new(|| kid("echo x").stdout_null().tee(file("copy")))),
        ("forked", Box::new(|| kid("echo x").nice(0).stdout_capture())),
        ("extra", Box::new(|| kid("exit 0").fd(3, 1))),
        ("bounded", Box::new(|| kid("exit 0").timeout(millis(10_000)))),
    ];
    for (name, start) in &starts {
        for spare in 1..16 {
            let limit = before as u64 + spare;
            limit_descriptors(limit);
            let result = soon(|| {
                start().start().and_then(|execution| {
                    execution.finish_input();
                    execution.wait().map(drop)
                })
            });
            limit_descriptors(1024);
            match result {
                Ok(()) => assert!(spare > 1, "{name}: nothing is left, and it works with {limit}"),
                Err(error) => is_about_descriptors(&error, limit),
            }
            let left = procs::until(
                super::SOON,
                || (open_descriptors(), procs::children()),
                |left| left.0 == before && left.1.is_empty(),
            );
            assert_eq!((left.0, left.1.as_slice()), (before, &[][..]), "{name} with {spare} left something");
        }
        soon(|| {
            start().start().and_then(|execution| {
                execution.finish_input();
                execution.wait()
            })
        })
        .expect("with enough it works");
    }
    // Many at once.
    limit_descriptors(60);
    let mut running: Vec<Execution> = Vec::new();
    let error = loop {
        match kid("forever").stdin_piped().start() {
            Ok(execution) => running.push(execution),
            Err(error) => break error,
        }
    };
    is_about_descriptors(&error, 60);
    assert!(running.len() > 5, "{}", running.len());
    soon(|| drop(running));
    kid("exit 0").run().expect("all is as before");
}

#[test]
fn a_loop_that_cannot_wait_ends_the_command() {
    play("process::shortage::with_a_limit_below_what_is_open");
}

#[test]
fn with_a_limit_below_what_is_open() {
    if !is_played("process::shortage::with_a_limit_below_what_is_open") {
        return;
    }
    // `poll` refuses more descriptors than the limit allows, also those that are open already.
    let mut lines = kid("echo ready -- forever").lines().expect("it starts");
    assert_eq!(lines.next().expect("a line").expect("text"), "ready");
    limit_descriptors(1);
    let error = soon(|| fails(ErrorKind::IoFailed, lines.next().expect("an error")));
    limit_descriptors(1024);
    assert_eq!(error.errno_name(), Some("EINVAL"), "{error:?}");
    assert!(error.message().contains("cannot wait for the streams"), "{error}");
    drop(lines);
    assert_eq!(procs::children(), [], "it was ended");
}

/// A user whom no other test has, nor the same one in another run of the tests.
fn own_user(number: u32) -> u32 {
    number * 100_000_000 + std::process::id()
}

#[test]
fn too_many_processes_are_told_with_the_limit() {
    if skipped("too_many_processes_are_told_with_the_limit") {
        return;
    }
    let _shared = leaks::shared();
    let (_dir, program) = public_copy(procscript_bin());
    let script =
        "try { cmd(\"true\").run() } catch (e) { print(`${e.attempts} ${e.kind} ${e.errno_name} ${e.message}`) }
                  cmd(\"true\").run();";
    // The runner and its thread are two.
    let command = cmd(program, ["-e", script]).dir("/").uid(own_user(1)).rlimit("nproc", Some(2), Some(2));
    let output = soon(|| command.unchecked().output().expect("it starts"));
    let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(out.starts_with("6 resource EAGAIN cannot start `"), "{out}{err}");
    assert!(err.contains("its user may have 2 processes and threads at once"), "{err}");
    assert!(err.contains("ulimit -u"), "{err}");
}

#[test]
fn a_process_that_ends_in_time_makes_room_for_another() {
    if skipped("a_process_that_ends_in_time_makes_room_for_another") {
        return;
    }
    let _shared = leaks::shared();
    let (dir, program) = public_copy(procscript_bin());
    let kid = dir.path().join("testkid");
    std::fs::copy(crate::support::testkid(), &kid).expect("there is room");
    // The runner and its two threads, the command beside it with its thread, and no more. Whether the first
    // one ends within the attempts is up to the machine: it has many chances.
    let script = format!(
        "let kid = path(\"{}\"); let why = ();
         for round in 0..50 {{
             let first = cmd(kid, \"sleep\", \"15\").start();
             try {{
                 let was_running = first.is_running;
                 cmd(kid, \"exit\", \"0\").run();
                 if was_running {{ print(\"started\"); exit(0) }}
             }} catch (e) {{ why = `${{e.kind}} ${{e.errno_name}} ${{e.attempts}}`; }}
             first.wait();
         }}
         fail(`never: ${{why}}`)",
        kid.display()
    );
    let command = cmd(program, ["-e", &script]).dir("/").uid(own_user(2)).rlimit("nproc", Some(5), Some(5));
    let output = command.unchecked().output().expect("it starts");
    let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    assert_eq!(text(output.stdout), "started\n", "{}", text(output.stderr));
}
