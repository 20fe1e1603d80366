//! Files and directories: reading, writing, copying, moving, removing, walking, matching names, temporary ones.
//!
//! Every function takes its paths as [`Location`]s and names them in its errors as they were written. None of them
//! looks at the directory or the environment of this process, and all that may take long ask a [`Watch`] whether they
//! may go on.

mod copy;
mod glob;
mod info;
mod lines;
mod links;
mod location;
mod read;
mod remove;
mod temp;
mod walk;
mod watch;
mod write;

pub(crate) use copy::{Copying, copy, move_to};
pub(crate) use glob::{Globbing, escape as escape_glob, glob};
pub(crate) use info::{info, is_there, make_dir, set_mode, touch};
pub(crate) use lines::FileLines;
pub(crate) use links::{hard_link, read_link, symlink};
pub(crate) use location::Location;
pub(crate) use read::{Encoded, read, read_pieces, text_of};
pub(crate) use remove::{Removing, remove};
pub(crate) use temp::{Kind as TempKind, Temporaries, Temporary};
pub(crate) use walk::{Walking, entries, walk};
pub(crate) use watch::Watch;
pub(crate) use write::{How, Writing, write};
