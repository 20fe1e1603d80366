//! The Rhai front: what scripts see, and what a Rust program embeds to run them.
//!
//! [`Runtime`] is the scripts' world: an interpreter with the command functions, a directory, an
//! environment, arguments and streams. [`Session`] evaluates one entry after another and keeps the
//! variables. [`install`] adds the functions to an engine that a program has already.
//!
//! ```
//! use procscript::script::Runtime;
//!
//! let runtime = Runtime::builder().build()?;
//! let text: String = runtime.eval(r#" $`echo ${"two words"}`.read() "#)?;
//! assert_eq!(text, "two words");
//! # Ok::<(), procscript::script::Failure>(())
//! ```

mod apart;
mod api;
#[cfg(feature = "cli")]
mod arguments;
mod builder;
mod caught;
mod check;
mod console;
mod convert;
mod defer;
#[cfg(feature = "cli")]
pub(crate) mod docs;
#[cfg(feature = "cli")]
mod editing;
mod enclosed;
mod error;
mod eval;
mod explain;
mod facts;
mod failure;
mod failure_json;
mod format;
mod input;
mod json;
mod keys;
mod library;
pub(crate) mod load;
mod options;
mod order;
mod parallel;
mod people;
mod problem;
mod quantities;
mod ready;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the runner knows its one program beforehand"))]
mod registry;
mod report;
mod resolver;
mod runtime;
pub(crate) mod scan;
mod secret;
mod service;
mod session;
mod shell_text;
mod sources;
mod spelling;
mod stdlib;
mod stream;
mod surroundings;
mod tables;
mod template;
mod template_text;
mod temporaries;
mod text_tests;
mod thread;
mod values;
mod with_block;
mod words;
mod world;

#[cfg(feature = "cli")]
pub(crate) use arguments::command as argument_command;
#[cfg(feature = "cli")]
pub(crate) use convert::size as parse_size;
#[cfg(feature = "cli")]
pub(crate) use failure_json::problem as problem_json;

pub use api::Outcome;
pub use builder::{RuntimeBuilder, install};
#[cfg(feature = "cli")]
pub use editing::{Candidate, Class, Completions};
#[cfg(feature = "cli")]
pub(crate) use editing::{Classifier, Completeness, open_levels};
pub use error::CommandError;
pub use failure::{Failure, FailureKind, Frame, Place};
pub use format::format;
pub use load::Script;
pub use people::{Answers, Question, QuestionKind};
pub use problem::{Problem, Severity};
pub use rhai;
pub use runtime::{Ending, Runtime};
#[cfg(feature = "cli")]
pub(crate) use session::Beside;
pub use session::{Interrupter, Job, Reply, Session, SessionEntry, Timing, Variable, View, ending_line};
#[cfg(feature = "cli")]
pub(crate) use thread::start_script_thread;

pub use crate::terminal::ColorChoice;
