//! The processes of the machine.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use crate::process::{os, quote_argument};

/// A process as it was when it was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub pid: u32,
    pub parent: Option<u32>,
    /// The name of the program; the system may have cut it.
    pub name: String,
    /// As a shell line; the name in brackets where there is none (a thread of the kernel).
    pub command: String,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Its name, or else its number.
    pub user: Option<String>,
    /// In the machine's memory, in bytes.
    pub memory: u64,
    /// Seconds since 1970.
    pub started: u64,
}

impl Process {
    /// Whether the program has this name: as the system has it, or as the file is called.
    pub fn is_called(&self, name: &str) -> bool {
        let file = self.argv.first().and_then(|program| Path::new(program).file_name());
        self.name == name || file.is_some_and(|file| file == name)
    }
}

/// All processes, by number.
///
/// # Errors
/// When they cannot be looked at: no descriptor is left, or there is no `/proc`.
pub(crate) fn list() -> io::Result<Vec<Process>> {
    os::processes_can_be_seen()?;
    let list = look(ProcessesToUpdate::All);
    // We are one of them.
    if list.is_empty() { Err(io::Error::other("none is shown")) } else { Ok(list) }
}

/// One process, unless there is none of this number.
pub(crate) fn find(pid: u32) -> Option<Process> {
    look(ProcessesToUpdate::Some(&[Pid::from_u32(pid)])).into_iter().find(|process| process.pid == pid)
}

fn look(which: ProcessesToUpdate) -> Vec<Process> {
    let Ok(mut system) = System::new() else { return Vec::new() };
    let details =
        ProcessRefreshKind::nothing().with_memory().with_user(UpdateKind::Always).with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(which, false, details);
    let mut users: HashMap<u32, String> = HashMap::new();
    // Linux lists the threads of a process, too, and what has ended and was not waited for.
    let all = system.processes().values().filter(|process| {
        let has_ended = matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
        process.thread_kind().is_none() && !has_ended
    });
    let mut processes: Vec<Process> = all
        .map(|process| {
            let name = process.name().to_string_lossy().into_owned();
            let argv = process.cmd().to_vec();
            let command = match argv.is_empty() {
                true => format!("[{name}]"),
                false => argv.iter().map(|word| quote_argument(word)).collect::<Vec<_>>().join(" "),
            };
            let user = process.user_id().map(|uid| {
                let uid = **uid;
                users.entry(uid).or_insert_with(|| user_name(uid)).clone()
            });
            Process {
                pid: process.pid().as_u32(),
                parent: process.parent().map(Pid::as_u32),
                name,
                command,
                argv,
                user,
                memory: process.memory(),
                started: process.start_time(),
            }
        })
        .collect();
    processes.sort_unstable_by_key(|process| process.pid);
    processes
}

fn user_name(uid: u32) -> String {
    os::user(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
