//! `service(command, #{port: 8080})`: a command beside the script that others need, from when it is ready until the
//! block ends.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rhai::{EvalAltResult, Map, NativeCallContext};

use crate::process::{CancelToken, Error, ErrorKind, Execution, Expression, HostStream};

use super::console::Console;
use super::error::CallPlace;
use super::options::Options;
use super::parallel::{Channel, ItemOutput, Mode, Screen, short};
use super::ready::{self, Goal, Wait};
use super::registry::Registry;
use super::world::{World, lock};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Of the output, so much is kept for the error of a service that fails.
const TAIL: usize = 64 * 1024;
/// A line that is longer is not looked at whole.
const LONGEST_LINE: usize = 64 * 1024;

pub(crate) fn register(engine: &mut Registry, world: &Arc<World>) {
    let world = world.clone();
    engine.register_fn("service", move |context: NativeCallContext, command: Expression, options: Map| {
        start(&world, &context, command, &options)
    });
}

fn start(world: &Arc<World>, context: &NativeCallContext, command: Expression, options: &Map) -> Result<Execution> {
    let place = CallPlace::of(context);
    let invalid = |problem| place.invalid(world, problem);
    let known = [ready::OPTIONS, &["line", "show"]].concat();
    let options = Options::new("service", options, &known).map_err(invalid)?;
    let shows = [("quiet", Show::Quiet), ("prefix", Show::Prefix), ("inherit", Show::Inherit)];
    let show = options.choice("show", &shows).map_err(invalid)?.unwrap_or(Show::Quiet);
    let wait = Wait::read(world, &place, &options)?;
    if let Goal::Port { .. } = &wait.goal
        && wait.is_reached(world, context)?
    {
        // What answers there is not ours: it would look as if ours were ready.
        let help = "end what listens there, or choose another port";
        let message = format!("cannot start `{command}`: somebody listens on {} already", wait.goal);
        return Err(place.raise(world, Error::misuse(message, help)));
    }
    let wanted = match &wait.goal {
        Goal::Line(text) => Some(text.clone()),
        _ => None,
    };
    let watch = Arc::new(Watch { wanted, state: Mutex::default() });
    let streams = [Channel::Out, Channel::Err].map(|channel| watch.stream(channel, world, show, &command));
    let [out, err] = streams;
    let mut layer = world.layer();
    layer.context = layer.context.with_stdout(out).with_stderr(err).without_input();
    let entered = world.enter(layer);
    // As with `start`.
    let command = world.in_background(world.surround(command).beyond_deadline());
    drop(entered);

    let (shared, reporting, seen) = (world.clone(), place.clone(), watch.clone());
    let command = command.on_unobserved_failure(move |error| {
        if error.kind() == ErrorKind::Cancelled {
            return;
        }
        lock(&shared.unobserved).push(reporting.error(&shared, seen.told(error)));
    });
    let execution = command.start().map_err(|error| place.raise(world, error))?;
    execution.use_from_one_thread();
    world.note_start(&execution);
    wait.until_reached(world, context, || {
        if watch.has_found() {
            return Ok(true);
        }
        let ended = match execution.try_wait() {
            Ok(None) => return Ok(false),
            // It may have said so in the meantime and gone to the background, or failed since.
            Ok(Some(_)) if watch.has_found() => return Ok(true),
            Ok(Some(output)) => {
                let message = format!("`{}` ended before {} was there", execution.command(), wait.goal);
                Error::new(ErrorKind::ExitStatus, message).with_output(output)
            }
            Err(error) if watch.has_found() => error,
            Err(error) => error.adding(&format!("before {} was there", wait.goal)),
        };
        Err(place.raise(world, watch.told(ended)))
    })
    .map_err(|error| {
        // How it ends now is nothing to report beside this.
        execution.terminate();
        watch.told_script(*error)
    })?;
    Ok(execution)
}

/// What is shown of a service.
#[derive(Debug, Clone, Copy)]
enum Show {
    Quiet,
    Prefix,
    Inherit,
}

/// Looks at the output of a service.
struct Watch {
    wanted: Option<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    has_found: bool,
    /// The line of each stream that has not ended yet.
    lines: [Vec<u8>; 2],
    /// The last that came of each.
    tails: [Vec<u8>; 2],
}

impl Watch {
    fn stream(self: &Arc<Self>, channel: Channel, world: &Arc<World>, show: Show, command: &Expression) -> HostStream {
        let watch = self.clone();
        let show: Box<dyn Fn(&[u8]) + Send + Sync> = match show {
            Show::Quiet => Box::new(|_| {}),
            Show::Inherit => {
                let console: Arc<Console> = if channel == Channel::Out { world.out() } else { world.err() };
                Box::new(move |bytes| _ = console.write_bytes(bytes))
            }
            Show::Prefix => {
                let screen = Screen {
                    mode: Mode::Prefix,
                    out: world.out(),
                    err: world.err(),
                    halt: world.halt.clone(),
                    turn: Mutex::default(),
                    panel: None,
                    spool_dir: PathBuf::new(),
                    broken: Mutex::default(),
                    stop: CancelToken::never(),
                };
                let output = ItemOutput::new(&Arc::new(screen), &short(&world.secrets.mask(&command.to_string())));
                Box::new(move |bytes| output.take(channel, bytes))
            }
        };
        HostStream::Sink(Arc::new(move |bytes: &[u8]| {
            watch.take(channel, bytes);
            show(bytes);
        }))
    }

    fn take(&self, channel: Channel, bytes: &[u8]) {
        let mut state = lock(&self.state);
        let State { has_found, lines, tails } = &mut *state;
        let tail = &mut tails[channel as usize];
        tail.extend_from_slice(bytes);
        tail.drain(..tail.len().saturating_sub(TAIL));
        let Some(wanted) = self.wanted.as_ref().filter(|_| !*has_found) else { return };
        let line = &mut lines[channel as usize];
        // Also in a line that has not ended: a prompt.
        line.extend_from_slice(bytes);
        *has_found = line.split(|byte| *byte == b'\n').any(|line| contains(line, wanted.as_bytes()));
        let end = memchr::memrchr(b'\n', line).map_or(0, |end| end + 1);
        line.drain(..end.max(line.len().saturating_sub(LONGEST_LINE)));
    }

    fn has_found(&self) -> bool {
        lock(&self.state).has_found
    }

    /// An error with what the service said last.
    fn told(&self, error: Error) -> Error {
        let [out, err] = lock(&self.state).tails.clone();
        error.with_tails(out, err)
    }

    fn told_script(&self, error: EvalAltResult) -> Box<EvalAltResult> {
        match error {
            EvalAltResult::ErrorRuntime(value, position) => {
                let told = value
                    .read_lock::<super::CommandError>()
                    .map(|error| rhai::Dynamic::from(error.clone().with_error(|error| self.told(error))));
                EvalAltResult::ErrorRuntime(told.unwrap_or(value), position).into()
            }
            error => error.into(),
        }
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}
