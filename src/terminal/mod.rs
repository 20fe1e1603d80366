//! What people see of a run: lines that change, and text that fits the screen.
//!
//! Nothing here knows scripts, and nothing writes anywhere by itself: whoever owns a stream says how.

mod live;
mod width;

pub(crate) use live::{Frame, Live, LiveLine, Screen, Stream, Suspended};
