//! What people see of a run, and what they are asked: lines that change, colours, tables, questions.
//!
//! Nothing here knows scripts, and no text goes anywhere but where it is told to.

mod bar;
mod color;
mod live;
mod number;
mod question;
mod table;
mod width;

pub(crate) use bar::{Progress, Signs, Unit};
pub use color::ColorChoice;
pub(crate) use color::{paint, style, style_words};
pub(crate) use live::{Live, LiveLine, Screen, Stream, Suspended};
pub(crate) use number::grouped;
pub(crate) use question::{Reply, Terminal, choice, choices, yes_or_no};
pub(crate) use table::{Align, Table};
pub(crate) use width::{cut, one_line, width};
