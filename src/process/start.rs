//! Starting a command: resolve every program, open every file, then spawn from left to right.
//!
//! What can fail without a process fails before the first process exists.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use os_pipe::{PipeReader, PipeWriter};
use shared_child::SharedChild;

use super::cancel::CancelToken;
use super::context::Context;
use super::descriptor::Extras;
use super::error::{Error, ErrorKind};
use super::expression::{Command, Expression, Node};
use super::hook::{self, Image};
use super::launch::launch;
use super::open::Opener;
use super::os::{self, Way};
use super::plan::{Channel, Handles, SinkKind, Source, StagePlan, Streams, lay_out};
use super::platform::{Group, Platform};
use super::program;
use super::pump::{KILL_PATIENCE, Pump, Stop};
use super::reaper;
use super::settings::{DEFAULT_GRACE, Scoped};
use super::stage::{Running, StageInfo, place};
use super::starts::{Moment, Overlap};
use super::teardown::Teardown;
use super::tree::{Home, Tree};

/// Where the streams of a command point when it says nothing itself: what makes one verb differ
/// from another.
pub(crate) struct Defaults {
    pub stdin: Source,
    pub stdout: SinkKind,
    pub stderr: SinkKind,
    /// Whether the command runs beside the caller, who therefore keeps the terminal.
    pub background: bool,
    pub handles: Handles,
}

/// The settings that the whole command has from its last stage.
pub(crate) struct Started {
    pub pump: Pump,
    pub scoped: Scoped,
    /// The pipes of standard output and standard error that the holder reads.
    pub streams: [Option<PipeReader>; 2],
    /// The pipe to standard input, when the command asked for one.
    pub input: Option<PipeWriter>,
    /// The stage whose input that is.
    pub input_stage: Option<usize>,
}

pub(crate) fn start(expression: &Expression, defaults: Defaults) -> Result<Started, Error> {
    start_stages(expression, defaults).map_err(|error| not_started(error, expression))
}

/// What is known of a command that could not be started: the whole, and the stage at fault.
fn not_started(error: Error, expression: &Expression) -> Error {
    let whole = expression.to_string();
    let error = error.about(&whole);
    match (expression.stage_count(), &expression.node, error.stage()) {
        (1, Node::Command(command), _) => {
            error.at_stage(0).with_argv(command.shown_argv(expression.settings.scoped.arg0.as_deref()))
        }
        (count, _, Some(stage)) if count > 1 => error.adding(&place(stage, count, &whole)),
        _ => error,
    }
}

fn start_stages(expression: &Expression, defaults: Defaults) -> Result<Started, Error> {
    let context = expression.settings.context.clone().unwrap_or_default();
    reaper::sweep();
    if os::ignores_children() {
        let message = "cannot wait for commands: this process ignores the signal SIGCHLD";
        let error = Error::new(ErrorKind::MonitorFailed, message).with_errno(os::ECHILD);
        let help = "the system then reaps children, and how they ended is lost; set SIGCHLD to its default";
        return Err(error.with_help(help));
    }
    if context.cancel.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled, format!("`{expression}` was not started: cancelled")));
    }
    if context.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        return Err(Error::timed_out(format!("`{expression}` was not started: the time is over")));
    }
    let Defaults { stdin, stdout, stderr, background, handles } = defaults;
    let stdin = match stdin {
        Source::Inherit if context.is_without_input => Source::Null,
        stdin => stdin,
    };
    let stages = lay_out(expression, stdin, stdout, stderr)?;
    handles.check(&stages)?;
    let mut prepared = Vec::with_capacity(stages.len());
    for (index, stage) in stages.into_iter().enumerate() {
        prepared.push(Prepared::new(stage, &context).map_err(|error| error.at_stage(index))?);
    }
    let plans = || prepared.iter().map(|stage| &stage.plan);
    let (timeout, timeout_stage) = shortest(plans().map(|plan| (plan.scoped.timeout, plan.own_timeout)));
    let (idle_timeout, idle_stage) = shortest(plans().map(|plan| (plan.scoped.idle_timeout, plan.own_idle_timeout)));
    let scoped = prepared.last().map(|stage| stage.plan.scoped.clone()).unwrap_or_default();
    let (grace, teardown) = how_to_end(&prepared);
    let is_interactive = !background && plans().any(|plan| plan.scoped.interactive == Some(true));
    let asked = Instant::now();
    let mut opener = Opener::new(&context, timeout, idle_timeout.is_some());
    opener.extras = Extras::of(prepared.iter().map(|stage| stage.plan.scoped.platform.as_deref()));
    let before = Moment::now();
    let opened = opener.open_all(prepared.iter_mut().map(|stage| &mut stage.plan.streams));
    opened.map_err(|error| match error.stage().and_then(|stage| prepared.get(stage)) {
        Some(stage) => stage.info().describe(error),
        None => error,
    })?;

    if let Some(hook) = &context.before_start {
        hook().map_err(|error| Error::from_io(ErrorKind::WriteFailed, "cannot write to standard output", &error))?;
    }
    if let Some(show) = &context.announcement {
        show(expression);
    }
    let started = Instant::now();
    // Before it runs: a key that is typed at once is for it.
    let shield = if is_interactive { context.cancel.shield() } else { None };
    let own_group = background || !os::has_controlling_terminal();
    let mut children: Vec<SharedChild> = Vec::with_capacity(prepared.len());
    let mut running = Vec::with_capacity(prepared.len());
    let mut group = None;
    let mut homes = Vec::with_capacity(prepared.len());
    for (index, stage) in prepared.into_iter().enumerate() {
        let (place, info) = (stage.group(own_group), stage.info());
        opener.stage = Some(index);
        let joined = match place {
            GroupPlace::Ours | GroupPlace::Session => None,
            GroupPlace::Command => Some(group),
            GroupPlace::Joined(group) => Some(Some(group)),
        };
        match stage.spawn(&info, &mut opener, &context, joined) {
            Ok(child) => {
                homes.push(match place {
                    GroupPlace::Ours => Home::Ours,
                    GroupPlace::Command => Home::Group(*group.get_or_insert(child.id())),
                    GroupPlace::Session => Home::Group(child.id()),
                    GroupPlace::Joined(group) => Home::Joined(group),
                });
                running.push(Running::new(child.id(), info));
                children.push(child);
            }
            Err(error) => {
                let error = match group.filter(|_| error.errno() == Some(os::EPERM)) {
                    Some(group) if os::signal_group(group, 0).is_err() => Error::new(
                        ErrorKind::MonitorFailed,
                        "cannot start the rest of the command: somebody else has reaped its first process",
                    ),
                    _ => error,
                };
                abandon(children, &homes);
                return Err(info.describe(error.at_stage(index)));
            }
        }
    }
    let tree = Arc::new(Tree::new(children, &homes));
    // The time that opening took (a FIFO without a writer) is part of it.
    let own_deadline = timeout.and_then(|timeout| asked.checked_add(timeout));
    let Opener { feeders, feeding_threads, drains, streams, input, input_stage, .. } = opener;
    let stop = Stop {
        steps: Arc::default(),
        cancel: context.cancel.clone(),
        request: CancelToken::never(),
        deadline: own_deadline.into_iter().chain(context.deadline).min(),
        timeout,
        is_outer_deadline: own_deadline.is_none_or(|own| context.deadline.is_some_and(|outer| outer < own)),
        timeout_stage,
        idle_timeout,
        idle_stage,
        grace: grace.or(context.grace).unwrap_or(DEFAULT_GRACE),
        teardown,
    };
    let mut pump = Pump::new(expression.clone(), tree, running, feeders, drains, stop, started, Overlap::since(before));
    pump.watch_input(feeding_threads);
    pump.leave_keys(shield);
    Ok(Started { pump, scoped, streams, input, input_stage })
}

/// The shortest of the stages' times, and whose it is: that of one stage alone, which has set it itself.
fn shortest(times: impl Iterator<Item = (Option<Duration>, bool)> + Clone) -> (Option<Duration>, Option<usize>) {
    let shortest = times.clone().filter_map(|(time, _)| time).min();
    let mut having = times.enumerate().filter(|(_, (time, _))| shortest.is_some() && *time == shortest);
    match (having.next(), having.next()) {
        (Some((stage, (_, true))), None) => (shortest, Some(stage)),
        _ => (shortest, None),
    }
}

/// A command is ended as a whole: as the stage says whose time is up first, else as the last that says
/// something.
fn how_to_end(stages: &[Prepared]) -> (Option<Duration>, Option<Teardown>) {
    let scoped = |stage: &'_ Prepared| stage.plan.scoped.clone();
    let bound = |scoped: &Scoped| scoped.timeout.into_iter().chain(scoped.idle_timeout).min();
    let hurried = stages.iter().map(scoped).filter(|scoped| bound(scoped).is_some()).min_by_key(bound);
    let order: Vec<Scoped> = hurried.into_iter().chain(stages.iter().rev().map(scoped)).collect();
    let grace = order.iter().find_map(|scoped| scoped.grace);
    (grace, order.into_iter().find_map(|scoped| scoped.teardown))
}

/// The stages that are running already when a later one cannot be started.
fn abandon(children: Vec<SharedChild>, homes: &[Home]) {
    if children.is_empty() {
        return;
    }
    let tree = Arc::new(Tree::new(children, homes));
    tree.end_all(os::SIGKILL);
    // KILL ends them at once, unless the system does not let it. On a loaded machine "at once" takes a
    // while, and nobody waits for a timeout here.
    let patience = Instant::now() + 5 * KILL_PATIENCE;
    let is_running = |pid: &u32| matches!(os::peek_ending(*pid, false), Ok(None));
    while Instant::now() < patience && tree.pids().iter().any(is_running) {
        std::thread::sleep(Duration::from_millis(1));
    }
    tree.reap();
}

/// Whose process group a stage is to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupPlace {
    Ours,
    /// That of the command, led by its first stage there.
    Command,
    /// Its own, which it makes itself together with a session.
    Session,
    Joined(u32),
}

/// A stage whose program, directory and environment have been found to be in order.
struct Prepared {
    plan: StagePlan,
    program: PathBuf,
    dir: Option<PathBuf>,
}

impl Prepared {
    fn new(mut plan: StagePlan, context: &Context) -> Result<Self, Error> {
        plan.scoped.env = context.env.merged_with(&plan.scoped.env);
        let dir = match plan.scoped.dir.as_ref().or(context.dir.as_ref()) {
            Some(dir) => Some(context.absolute(dir)?),
            None => None,
        };
        let mut stage = Self { plan, program: PathBuf::new(), dir };
        match stage.check(context) {
            Ok(program) => {
                stage.program = program;
                Ok(stage)
            }
            Err(error) => Err(stage.info().describe(error)),
        }
    }

    fn check(&self, context: &Context) -> Result<PathBuf, Error> {
        let Command { program, arguments } = &*self.plan.command;
        let holds_nul = |text: &std::ffi::OsStr| text.as_encoded_bytes().contains(&0);
        let place = match (&self.dir, &self.plan.scoped.arg0) {
            (Some(dir), _) if holds_nul(dir.as_os_str()) => Some("the directory".to_string()),
            (_, Some(arg0)) if holds_nul(arg0) => Some("argument 0".to_string()),
            _ => arguments.iter().position(|a| holds_nul(a)).map(|index| format!("argument {}", index + 1)),
        };
        if let Some(place) = place {
            let message = format!("{place} of `{}` holds a NUL byte", program.as_os_str().display());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.plan.scoped.env.validate()?;
        if let Some(platform) = self.plan.scoped.platform.as_deref() {
            platform.check()?;
            platform.group_refusal().map_or(Ok(()), Err)?;
        }
        // The working directory may have been deleted; only a relative program needs it.
        let program = program.resolve(&self.plan.scoped.env, || context.base_dir())?;
        match self.plan.scoped.dir.as_ref().and(self.dir.as_deref()).and_then(program::directory_problem) {
            Some(problem) => Err(problem),
            None => Ok(program),
        }
    }

    fn group(&self, own_group: bool) -> GroupPlace {
        let platform = self.plan.scoped.platform.as_deref();
        if platform.is_some_and(Platform::wants_session) {
            return GroupPlace::Session;
        }
        match platform.and_then(|platform| platform.group) {
            Some(Group::Joined(group)) if group == os::own_group() => GroupPlace::Ours,
            Some(Group::Joined(group)) => GroupPlace::Joined(group),
            Some(Group::Own) => GroupPlace::Command,
            None if own_group => GroupPlace::Command,
            None => GroupPlace::Ours,
        }
    }

    fn info(&self) -> StageInfo {
        StageInfo {
            command: self.plan.command.clone(),
            scoped: self.plan.scoped.clone(),
            program: self.program.clone(),
            dir: self.dir.clone(),
        }
    }

    fn spawn(
        self,
        info: &StageInfo,
        opener: &mut Opener,
        context: &Context,
        group: Option<Option<u32>>,
    ) -> Result<SharedChild, Error> {
        let mut command = std::process::Command::new(&info.program);
        let mut image = Image { argv: info.command.argv(info.scoped.arg0.as_deref()), environment: None };
        os::set_arg0(&mut command, &image.argv[0]);
        command.args(&image.argv[1..]);
        if let Some(dir) = &info.dir {
            command.current_dir(dir);
        }
        info.scoped.env.apply_to(&mut command);
        if let Some(group) = group {
            os::set_process_group(&mut command, group);
        }
        let Streams { stdin, stdout, stderr } = self.plan.streams;
        command.stdin(opener.stdin(stdin)?);
        command.stdout(opener.output(stdout, Channel::Stdout)?);
        command.stderr(opener.output(stderr, Channel::Stderr)?);
        let mut setup = info.scoped.platform.as_deref().map(Platform::setup).unwrap_or_default();
        if let Some(platform) = info.scoped.platform.as_deref() {
            setup.descriptors = opener.extras.duplicates(platform)?;
        }
        let is_hooked = !info.scoped.hooks.is_empty();
        if is_hooked {
            image = hook::call(info, &mut command, image)?;
        }
        let way = if is_hooked || !setup.is_empty() {
            Way::Fork
        } else if context.owns_process {
            Way::Plain
        } else {
            os::cleanest_way()
        };
        launch(&mut command, info, image, way, setup, &context.cancel)
    }
}
