//! Text that stands for values, in both directions: JSON, TOML, YAML, CSV, `.env`, templates, patterns, codes; and the
//! quantities of scripts: points in time, durations, sizes.
//!
//! Nothing here reads a file, waits, or knows scripts. What cannot be read is a `Problem` with its place in the text;
//! what cannot be written is told with its path in the value ([`value::Path`]).

pub(crate) mod codes;
pub(crate) mod csv;
pub(crate) mod digest;
pub(crate) mod dotenv;
pub(crate) mod json;
pub(crate) mod pattern;
pub(crate) mod problem;
pub(crate) mod quantity;
pub(crate) mod template;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod toml;
pub(crate) mod value;
pub(crate) mod version;
pub(crate) mod yaml;
