//! Processes that we started and may not signal: they run as somebody else now, as under `sudo`.

use std::os::unix::fs::PermissionsExt;

use procscript::process::{Expression, cmd};

use super::{millis, within};
use crate::support::leaks;
use crate::support::users::{ordinary, public_copy, skipped};
use crate::support::{procscript_bin, testkid};

/// A script as an ordinary user, with `KID` in it standing for a program that becomes root, and the
/// directories that both are in.
fn beside_root(script: &str) -> (Expression, [tempfile::TempDir; 2]) {
    let (kids, kid) = public_copy(testkid());
    std::fs::set_permissions(&kid, PermissionsExt::from_mode(0o4755)).expect("it is ours");
    let (programs, program) = public_copy(procscript_bin());
    let script = script.replace("KID", &kid.display().to_string());
    (ordinary(cmd(program, ["-e", &script]).dir("/")), [kids, programs])
}

#[test]
fn what_cannot_be_signalled_is_told_and_not_waited_for() {
    if skipped("what_cannot_be_signalled_is_told_and_not_waited_for") {
        return;
    }
    let _shared = leaks::shared();
    let script = r#"
        let job = cmd("KID", "become-root", "--", "echo", "ready", "--", "sleep", "1500").stdout_piped().start();
        job.lines().first();
        for verb in [|| job.signal("TERM"), || job.kill()] {
            try { verb.call(); } catch (e) { print(`${e.kind} ${e.errno_name} ${e.argv[1]} ${e.command == job.to_string()}`) }
        }
        job.detach();
    "#;
    let (command, _dirs) = beside_root(script);
    let said = command.read().expect("it catches the errors");
    assert_eq!(said, "control_failed EPERM become-root true\ncontrol_failed EPERM become-root true");
    // The bound holds: timeout, grace, and a second.
    let slow = r#"cmd("KID", "become-root", "--", "sleep", "6000").stdout_null().stderr_null().timeout("200ms").grace("200ms").run();"#;
    let (command, _dirs) = beside_root(slow);
    let output = within(millis(5000), || command.unchecked().output().expect("it ends"));
    assert_eq!(output.status.code(), Some(124));
    let told = String::from_utf8_lossy(output.stderr.as_deref().unwrap_or_default()).into_owned();
    assert!(told.contains("timed out after 200 ms"), "{told}");
    assert!(told.contains("could not be ended, and may still be running"), "{told}");
    assert!(told.contains("note: cannot end a process that the script had left running: testkid (pid "), "{told}");
}

#[test]
fn who_cannot_be_killed_does_not_save_the_others() {
    if skipped("who_cannot_be_killed_does_not_save_the_others") {
        return;
    }
    let _shared = leaks::shared();
    let script = r#"
        let state = |pid| if exists(`/proc/${pid}`) { read_text(`/proc/${pid}/stat`).split(" ")[2] } else { "gone" };
        let root = cmd("KID", "become-root", "--", "err", "ready", "--", "sleep", "8000");
        let job = (cmd("KID", "forever") | root | cmd("KID", "forever")).stderr_piped().start();
        job.error_lines().first();
        let pids = job.pids;
        try { job.kill(); } catch (e) { print(`${e.kind} ${e.errno_name}`) }
        wait_for(#{ready: || state.call(pids[0]) == "Z" && state.call(pids[2]) == "Z", timeout: "5s"});
        print(state.call(pids[1]));
        // Nobody waits for it longer than a second, and what could be ended leaves no zombie.
        try { job.wait(); } catch (e) { print(e.kind) }
        cmd("true").run();
        print([state.call(pids[0]), state.call(pids[1]), state.call(pids[2])]);
    "#;
    let (command, _dirs) = beside_root(script);
    let output = within(millis(7000), || command.output().expect("it catches the errors"));
    let said = String::from_utf8_lossy(output.stdout.as_deref().unwrap_or_default()).into_owned();
    assert_eq!(said, "control_failed EPERM\nS\ncontrol_failed\n[\"gone\", \"S\", \"gone\"]\n");
}
