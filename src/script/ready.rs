//! What a script waits for: a port, a file, a line of output, or what a function says.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::{process, system};

use super::api::sleep;
use super::convert;
use super::error::CallPlace;
use super::options::Options;
use super::with_block::is_termination;
use super::world::{World, lock};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// The options that [`Wait::read`] reads.
pub(crate) const OPTIONS: &[&str] = &["port", "host", "path", "ready", "timeout", "interval"];

/// Between two looks, unless the script says otherwise.
const INTERVAL: Duration = Duration::from_millis(50);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);
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
    /// Why the last look found nothing, as far as it is known.
    why: Mutex<Option<String>>,
}

/// Why a port could not be reached, in words.
fn no_answer(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there".to_string(),
        io::ErrorKind::TimedOut => "no answer".to_string(),
        _ => error.raw_os_error().map_or_else(|| error.to_string(), process::os::errno_text),
    }
}

impl Wait {
    /// Reads the options; exactly one goal must be there.
    pub fn read(world: &World, place: &CallPlace, options: &Options) -> Result<Self> {
        let invalid = |problem| place.invalid(world, problem);
        let host = options.value::<String>("host", "text").map_err(invalid)?;
        let mut goals = Vec::new();
        if let Some(port) = options.value::<i64>("port", "a number").map_err(invalid)? {
            let port = u16::try_from(port).ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| {
                let number = options.map.get("port").map(ToString::to_string).unwrap_or_default();
                invalid(format!("{number} is no port: it is a number from 1 to 65535"))
            })?;
            let host = host.unwrap_or_else(|| "127.0.0.1".to_string());
            // As in addresses of the web.
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host).to_string();
            if host.is_empty() {
                return Err(invalid(format!("the option `host` of {} is empty", options.function)));
            }
            goals.push(Goal::Port { host, port });
        } else if host.is_some() {
            return Err(invalid(format!("the option `host` of {} goes with `port`", options.function)));
        }
        if let Some(path) = options.map.get("path") {
            let path = convert::path(path, &format!("the option `path` of {}", options.function)).map_err(invalid)?;
            goals.push(Goal::File(world.context().absolute(&path).map_err(|error| place.raise(world, error))?));
        }
        let ready = options.value::<FnPtr>("ready", "a function that answers true or false").map_err(invalid)?;
        goals.extend(ready.map(Goal::True));
        let line = options.value::<String>("line", "text").map_err(invalid)?;
        if line.as_ref().is_some_and(|line| line.is_empty() || line.contains('\n')) {
            return Err(invalid(format!("the option `line` of {} is a part of one line", options.function)));
        }
        goals.extend(line.map(Goal::Line));
        let (Some(goal), true) = (goals.pop(), goals.is_empty()) else {
            let has_line = if options.known.contains(&"line") { ", line" } else { "" };
            return Err(invalid(format!("{} takes one of port, path{has_line} and ready", options.function)));
        };
        let timeout = options.duration("timeout").map_err(invalid)?.unwrap_or(PATIENCE);
        let interval = options.duration("interval").map_err(invalid)?.unwrap_or(INTERVAL).max(SHORTEST_INTERVAL);
        Ok(Self { goal, timeout, interval, why: Mutex::default() })
    }

    /// Whether it is there already; lines are not known here.
    pub fn is_reached(&self, world: &World, context: &NativeCallContext) -> Result<bool> {
        self.is_reached_within(PORT_PATIENCE, world, context)
    }

    fn is_reached_within(&self, patience: Duration, world: &World, context: &NativeCallContext) -> Result<bool> {
        Ok(match &self.goal {
            Goal::File(path) => path.exists(),
            Goal::Port { host, port } => {
                let answer = system::reach(host, *port, patience, || world.must_stop());
                let answer = answer.ok_or_else(|| World::terminated(context.call_position()))?;
                let mut why = lock(&self.why);
                // A look that had not its time, at the end, knows less than the one before.
                let is_cut_short = patience < PORT_PATIENCE
                    && answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
                if !(is_cut_short && why.is_some()) {
                    *why = answer.as_ref().err().map(no_answer);
                }
                answer.is_ok()
            }
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
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            let patience = left.clamp(SHORTEST_INTERVAL, PORT_PATIENCE);
            if look()? || self.look_until(end, world, || self.is_reached_within(patience, world, context))? {
                return Ok(());
            }
            let left = end.map_or(self.interval, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let after = process::duration_text(self.timeout);
                let why = lock(&self.why).take().map(|why| format!(": {why}")).unwrap_or_default();
                let message = format!("{} was not there after {after}{why}", self.goal);
                return Err(place.raise(world, process::Error::timed_out(message)));
            }
            sleep(world, self.interval.min(left), place.position)?;
        }
    }

    /// One look. A function that is asked has no longer than there is time: it is ended as in `with timeout`.
    fn look_until(&self, end: Option<Instant>, world: &World, look: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let (Goal::True(_), Some(end)) = (&self.goal, end) else { return look() };
        let mut layer = world.layer();
        layer.context = layer.context.with_deadline(end);
        layer.deadline = Some(layer.deadline.map_or(end, |outer| outer.min(end)));
        let entered = world.enter(layer);
        let looked = look();
        let is_late = Instant::now() >= end;
        let interrupted = entered.leave().and_then(|layer| layer.interrupted);
        match looked {
            Err(error) if is_late && is_termination(&error) && !world.must_stop() => Ok(false),
            looked => {
                interrupted.into_iter().for_each(|error| world.note_interrupted(error));
                looked
            }
        }
    }
}
