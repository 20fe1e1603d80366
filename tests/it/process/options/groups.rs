//! Commands in process groups that were there before them.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use procscript::process::{ErrorKind, Execution, Expression, Scope, Teardown, TerminationStatus};

use super::{fails, forked, kid, millis, read, soon, unique_sleep};
use crate::process::{await_strays, strays};
use crate::support::leaks::Guard;
use crate::support::{procs, testkid};

/// A process that the engine does not know, which leads a group; it ends with the value.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        Self::made_by(Command::new(testkid()).arg("forever").process_group(0))
    }

    /// In a session of its own.
    #[allow(unsafe_code)]
    fn elsewhere() -> Self {
        let mut command = Command::new(testkid());
        // SAFETY: a system call between fork and exec.
        unsafe {
            command
                .arg("forever")
                .pre_exec(|| if libc::setsid() == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) })
        };
        Self::made_by(&mut command)
    }

    fn made_by(command: &mut Command) -> Self {
        Self(command.spawn().expect("it starts"))
    }

    fn group(&self) -> u32 {
        self.0.id()
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_is_joined_by_every_stage_on_both_ways_of_starting() {
    let _guard = Guard::new();
    let mut stranger = Stranger::new();
    let group = stranger.group();
    type Change = fn(Expression) -> Expression;
    let ways: [Change; 2] = [|command| command, forked];
    for way in ways {
        assert_eq!(read(&way(kid("pgid").process_group(group))), group.to_string());
        let both = way(kid("pgid").pipe(kid("cat -- pgid")).process_group(group));
        assert_eq!(read(&both), format!("{group}\n{group}"));
        // The last setting of a node holds, and that of the inner node before that of the outer one.
        let own = way(kid("pid -- pgid").process_group(group).own_group());
        let [pid, pgid] = &read(&own).lines().map(str::to_string).collect::<Vec<_>>()[..] else { panic!("two lines") };
        assert_eq!(pid, pgid);
        assert_eq!(read(&way(kid("pgid").own_group().process_group(group))), group.to_string());
        let mixed = way(kid("pgid").pipe(kid("cat -- pid -- pgid").own_group()).process_group(group));
        let text = read(&mixed);
        let [first, pid, pgid] = text.lines().collect::<Vec<_>>()[..] else { panic!("three lines: {text}") };
        assert!(first == group.to_string() && pid == pgid, "{text}");
    }
    assert!(stranger.lives());
}

#[test]
fn our_own_group_can_be_asked_for() {
    let _guard = Guard::new();
    // SAFETY: only asks.
    #[allow(unsafe_code)]
    let ours = unsafe { libc::getpgrp() } as u32;
    assert_eq!(read(&kid("pgid").process_group(ours)), ours.to_string());
    // What is in our group is ended by itself, as where a terminal is.
    let sleep = unique_sleep(81);
    let slow = kid(&format!("grandchild {sleep} -- {sleep}")).process_group(ours).timeout(millis(200));
    soon(|| fails(ErrorKind::TimedOut, slow.run()));
    assert!(strays(&sleep).is_empty());
}

/// A command of three generations in the group, of which the second has ended.
fn family(sleep: &str, group: u32) -> Expression {
    kid(&format!("grandchild {sleep} -- grandchild grandchild {sleep} + {sleep} -- echo ready -- {sleep}"))
        .process_group(group)
}

fn started(command: Expression) -> Execution {
    let execution = command.stdout_piped().start().expect("it starts");
    let mut lines = execution.stdout().lines().expect("piped");
    assert_eq!(lines.next().expect("a line").expect("good"), "ready");
    execution
}

#[test]
fn whatever_ends_the_command_leaves_the_rest_of_the_group_alone() {
    let _guard = Guard::new();
    let mut stranger = Stranger::new();
    let group = stranger.group();
    let sleep = unique_sleep(82);
    let command = || family(&sleep, group);

    let error = soon(|| fails(ErrorKind::TimedOut, command().timeout(millis(300)).run()));
    assert_eq!(error.status(), Some(TerminationStatus::Signaled(libc::SIGTERM)));
    assert!(stranger.lives() && strays(&sleep).is_empty(), "by a timeout");

    let execution = started(command());
    soon(|| drop(execution));
    assert!(stranger.lives() && strays(&sleep).is_empty(), "by the end of its handle");

    let execution = started(command());
    execution.kill().expect("it is ours");
    let _ = execution.wait();
    assert!(stranger.lives() && await_strays(&sleep, 0) == 0, "by kill()");

    // `Group` is a group of its own, which it does not have.
    for (scope, left) in [(Scope::Process, 3), (Scope::Group, 3), (Scope::Tree, 0)] {
        let teardown = Teardown::kill().after(libc::SIGTERM, scope, super::SOON);
        let execution = started(command());
        assert_eq!(await_strays(&sleep, 4), 4);
        soon(|| execution.teardown(&teardown));
        assert!(stranger.lives() && !execution.is_running(), "{scope:?}");
        crate::process::kill_strays(&sleep, left);

        let execution = started(command().teardown(Teardown::kill().after(libc::SIGTERM, scope, super::SOON)));
        assert_eq!(await_strays(&sleep, 4), 4);
        soon(|| drop(execution));
        assert!(stranger.lives(), "{scope:?}");
        crate::process::kill_strays(&sleep, left);
    }
    // A stage that cannot be started ends the others, and no more.
    let broken = kid(&sleep).pipe(Expression::new("/no/such/program")).process_group(group);
    fails(ErrorKind::NotFound, broken.run());
    let hooked = kid(&sleep).pipe(kid("exit 0").rlimit("nofile", Some(u64::MAX - 1), Some(u64::MAX - 1)));
    fails(ErrorKind::SpawnFailed, hooked.process_group(group).run());
    assert!(stranger.lives() && strays(&sleep).is_empty(), "by a stage that cannot be started");
}

#[test]
fn who_leads_the_group_takes_along_what_has_joined() {
    let _guard = Guard::new();
    let sleep = unique_sleep(83);
    let leader = kid(&sleep).own_group().start().expect("it starts");
    let joined = kid(&sleep).process_group(leader.pids()[0]).unchecked().start().expect("it starts");
    assert_eq!(await_strays(&sleep, 2), 2);
    soon(|| leader.terminate());
    let output = soon(|| joined.wait()).expect("it is not checked");
    assert_eq!(output.status, TerminationStatus::Signaled(libc::SIGTERM));
    // A group outlives its leader, as long as somebody is in it.
    let leader = kid(&sleep).own_group().start().expect("it starts");
    let group = leader.pids()[0];
    let joined = kid(&sleep).process_group(group).unchecked().start().expect("it starts");
    leader.signal(libc::SIGKILL).expect("it is ours");
    soon(|| leader.wait()).expect_err("it was killed");
    assert_eq!(read(&kid("pgid").process_group(group)), group.to_string());
    assert!(joined.is_running());
    drop(joined);
    fails(ErrorKind::SpawnFailed, kid("pgid").process_group(group).run());
}

#[test]
fn what_cannot_be_joined_is_told_before_anything_starts() {
    let _guard = Guard::new();
    let scratch = crate::support::scratch::Scratch::new();
    let touch = || super::kid_with("touch", [scratch.path().join("marker")]);
    let elsewhere = Stranger::elsewhere();
    procs::until(super::SOON, procs::all, |all| {
        all.iter().any(|process| process.pid == elsewhere.group() && process.session == elsewhere.group())
    });
    let gone = {
        let stranger = Stranger::new();
        stranger.group()
    };
    let table: [(u32, ErrorKind, Option<i32>, &str); 4] = [
        (gone, ErrorKind::SpawnFailed, Some(libc::ESRCH), "there is no such group"),
        (elsewhere.group(), ErrorKind::SpawnFailed, Some(libc::EPERM), "it is in another session"),
        (0, ErrorKind::InvalidArgument, None, "0 is no process group that can be joined"),
        (u32::MAX, ErrorKind::InvalidArgument, None, "4294967295 is no process group"),
    ];
    for (group, kind, errno, text) in table {
        for command in [touch().process_group(group), touch().pipe(kid("cat").process_group(group))] {
            let error = fails(kind, command.run());
            assert!(error.to_string().contains(text), "{error}");
            assert_eq!(error.errno(), errno, "{error}");
        }
    }
    let both = touch().new_session().process_group(elsewhere.group());
    let error = fails(ErrorKind::InvalidArgument, both.run());
    assert!(error.to_string().contains("exclude each other"), "{error}");
    assert!(!scratch.path().join("marker").exists());
}
