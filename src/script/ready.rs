//! What a script waits for: a port, a file, a line of output, or what a function says.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::{process, system};

use super::api::sleep;
use super::convert;
use super::error::CallPlace;
use super::options::Options;
use super::world::World;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// The options that [`Wait::read`] reads.
pub(crate) const OPTIONS: &[&str] = &["port", "host", "path", "ready", "timeout", "interval"];

/// Between two looks, unless the script says otherwise.
const INTERVAL: Duration = Duration::from_millis(50);
/// Nothing is waited for longer, unless the script says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a host may take to say whether it takes a connection.
const PORT_PATIENCE: Duration = Duration::from_millis(500);

/// What is waited for.
pub(crate) enum Goal {
    Port {
        host: String,
        port: u16,
    },
    File(PathBuf),
    True(FnPtr),
    /// Whoever waits knows.
    Line(String),
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port { host, port } => write!(f, "port {port} of {host}"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::True(_) => write!(f, "what the closure asks for"),
            Self::Line(text) => write!(f, "a line with `{text}`"),
        }
    }
}

/// What is waited for, and how long.
pub(crate) struct Wait {
    pub goal: Goal,
    timeout: Duration,
    interval: Duration,
}

impl Wait {
    /// Reads the options; exactly one goal must be there.
    pub fn read(world: &World, place: &CallPlace, options: &Options) -> Result<Self> {
        let invalid = |problem| place.invalid(world, problem);
        let host = options.value::<String>("host", "text").map_err(invalid)?.unwrap_or_else(|| "127.0.0.1".to_string());
        let mut goals = Vec::new();
        if let Some(port) = options.value::<i64>("port", "a number").map_err(invalid)? {
            let port = u16::try_from(port)
                .map_err(|_| invalid(format!("{port} is no port: it is a number from 0 to 65535")))?;
            goals.push(Goal::Port { host, port });
        }
        if let Some(path) = options.map.get("path") {
            let path = convert::path(path, &format!("the option `path` of {}", options.function)).map_err(invalid)?;
            goals.push(Goal::File(world.context().absolute(&path).map_err(|error| place.raise(world, error))?));
        }
        let ready = options.value::<FnPtr>("ready", "a function that answers true or false").map_err(invalid)?;
        goals.extend(ready.map(Goal::True));
        goals.extend(options.value::<String>("line", "text").map_err(invalid)?.map(Goal::Line));
        let (Some(goal), true) = (goals.pop(), goals.is_empty()) else {
            let has_line = if options.known.contains(&"line") { ", line" } else { "" };
            return Err(invalid(format!("{} takes one of port, path{has_line} and ready", options.function)));
        };
        let timeout = options.duration("timeout").map_err(invalid)?.unwrap_or(PATIENCE);
        let interval = options.duration("interval").map_err(invalid)?.unwrap_or(INTERVAL);
        Ok(Self { goal, timeout, interval })
    }

    /// Whether it is there already; lines are not known here.
    pub fn is_reached(&self, world: &World, context: &NativeCallContext) -> Result<bool> {
        Ok(match &self.goal {
            Goal::File(path) => path.exists(),
            Goal::Port { host, port } => system::is_open(host, *port, PORT_PATIENCE, || world.must_stop())
                .ok_or_else(|| World::terminated(context.call_position()))?,
            Goal::Line(_) => false,
            Goal::True(ready) => {
                let answer = ready.call_within_context::<Dynamic>(context, ())?;
                answer.as_bool().map_err(|_| {
                    let kind = convert::kind_of(&answer);
                    CallPlace::of(context)
                        .invalid(world, format!("the function `ready` answers true or false, not {kind}"))
                })?
            }
        })
    }

    /// Waits. `look` is asked before each look, and answers whether the goal is reached, as far as it knows; its errors
    /// end the wait.
    ///
    /// # Errors
    /// `timed_out`, and those of the goal and of `look`.
    pub fn until_reached(
        &self,
        world: &World,
        context: &NativeCallContext,
        mut look: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let place = CallPlace::of(context);
        let end = Instant::now().checked_add(self.timeout);
        loop {
            if look()? || self.is_reached(world, context)? {
                return Ok(());
            }
            let left = end.map_or(self.interval, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let after = process::duration_text(self.timeout);
                let message = format!("{} was not there after {after}", self.goal);
                return Err(place.raise(world, process::Error::timed_out(message)));
            }
            sleep(world, self.interval.min(left), place.position)?;
        }
    }
}
