//! What the machine is and has.

use std::num::NonZero;

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Bytes of memory.
pub(crate) struct Memory {
    /// What there is, of the machine or of the container that we are in.
    pub total: u64,
    /// What can be had without swapping.
    pub available: u64,
}

/// How many threads can run at once: the affinity of this process and the share of its container count.
pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// `None` where the system does not tell.
pub(crate) fn memory() -> Option<Memory> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = Memory { total: system.total_memory(), available: system.available_memory() };
    if machine.total == 0 {
        return None;
    }
    let own = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, ProcessRefreshKind::nothing());
    let container = system.process(own).and_then(|process| process.cgroup_limits());
    Some(match container.or_else(|| system.cgroup_limits()) {
        Some(limits) if limits.total_memory < machine.total => {
            Memory { total: limits.total_memory, available: machine.available.min(limits.free_memory) }
        }
        _ => machine,
    })
}

/// The name of this machine; `None` where it has none that is text.
pub(crate) fn host_name() -> Option<String> {
    System::host_name().ok()
}

/// What kind of machine this is.
pub(crate) struct Machine {
    /// `linux`, `macos`
    pub os: &'static str,
    /// `x86_64`, `aarch64`
    pub arch: &'static str,
    /// `unix`
    pub family: &'static str,
    /// `debian`, `ubuntu`; elsewhere as `os`
    pub distribution: String,
    /// Of the distribution.
    pub version: Option<String>,
    /// The version of the kernel.
    pub kernel: Option<String>,
}

pub(crate) fn machine() -> Machine {
    Machine {
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        family: std::env::consts::FAMILY,
        distribution: System::distribution_id(),
        version: System::os_version().ok(),
        kernel: System::kernel_version().ok(),
    }
}
