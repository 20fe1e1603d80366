//! The machine and what runs on it, for whoever asks: nothing is looked at before.

mod end;
mod machine;
mod ports;
mod processes;

pub(crate) use end::{How, end};
pub(crate) use machine::{cpus, host_name, machine, memory};
pub(crate) use ports::{free_port, holders, reach};
pub(crate) use processes::{Process, list};
