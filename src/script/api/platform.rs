//! What a command can be told about its process: identity, limits, sessions, descriptors.

use rhai::{Array, Dynamic, ImmutableString as Text, Map, NativeCallContext};

use super::settings::Methods;
use crate::data::quantity::Size;
use crate::process::{Expression, FdTarget};
use crate::script::convert;
use crate::script::error::CallPlace;

type Result<T> = std::result::Result<T, String>;

impl Methods<'_> {
    /// With one value of any type. What the engine would refuse at the start is refused here, where it
    /// is written.
    fn platform(&mut self, name: &'static str, change: fn(Expression, &Dynamic) -> Result<Expression>) {
        let world = self.world.clone();
        self.engine.register_fn(name, move |context: NativeCallContext, command: Expression, value: Dynamic| {
            let changed = change(command, &value).and_then(checked);
            changed.map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
        });
    }
}

fn checked(command: Expression) -> Result<Expression> {
    match command.platform_problem() {
        Some(problem) => Err(problem),
        None => Ok(command),
    }
}

pub(super) fn register(methods: &mut Methods) {
    methods.platform("uid", |command, value| Ok(command.uid(id(value, "uid")?)));
    methods.platform("gid", |command, value| Ok(command.gid(id(value, "gid")?)));
    methods.with::<Array>("groups", |command, values| {
        let groups = values.iter().enumerate().map(|(index, value)| id(value, &format!("groups[{index}]")));
        checked(command.groups(groups.collect::<Result<Vec<_>>>()?))
    });
    methods.platform("umask", |command, value| Ok(command.umask(umask(value)?)));
    methods.platform("nice", |command, value| match value.as_int().ok().and_then(|nice| i32::try_from(nice).ok()) {
        Some(nice) => Ok(command.nice(nice)),
        None => Err(format!("nice takes a whole number from -20 to 19, not {}", shown(value))),
    });
    methods.plain("new_session", Expression::new_session);
    methods.plain("own_group", Expression::own_group);
    methods.platform("process_group", |command, value| Ok(command.process_group(group(value)?)));
    methods.platform("stdin_fd", |command, value| Ok(command.stdin_fd(descriptor(value, "stdin_fd")?)));
    methods.platform("stdout_fd", |command, value| Ok(command.stdout_fd(descriptor(value, "stdout_fd")?)));
    methods.platform("stderr_fd", |command, value| Ok(command.stderr_fd(descriptor(value, "stderr_fd")?)));
    register_fd(methods);
    register_rlimit(methods);
}

fn register_fd(methods: &mut Methods) {
    let world = methods.world.clone();
    let set = move |context: NativeCallContext, command: Expression, number: Dynamic, target: Dynamic| {
        let set = || checked(command.fd(descriptor(&number, "fd")?, fd_target(&target)?));
        set().map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
    };
    methods.engine.register_fn("fd", set);
}

fn register_rlimit(methods: &mut Methods) {
    let world = methods.world.clone();
    let set = move |context: NativeCallContext, command: Expression, name: Text, soft: Dynamic, hard: Dynamic| {
        let set = || checked(command.rlimit(name.as_str(), limit(&soft, "soft")?, limit(&hard, "hard")?));
        set().map_err(|problem| CallPlace::of(&context).invalid(&world, problem))
    };
    methods.engine.register_fn("rlimit", set);
}

/// A user or a group.
fn id(value: &Dynamic, place: &str) -> Result<u32> {
    let id = value.as_int().ok().and_then(|id| u32::try_from(id).ok());
    id.ok_or_else(|| format!("{place} must be the number of a user or group, from 0 on, but is {}", shown(value)))
}

fn group(value: &Dynamic) -> Result<u32> {
    let group = value.as_int().ok().and_then(|group| u32::try_from(group).ok());
    group.ok_or_else(|| format!("process_group takes the number of a process group, from 1 on, not {}", shown(value)))
}

/// A number, or text in octal as other tools take it: a decimal 22 is hardly meant.
fn umask(value: &Dynamic) -> Result<u32> {
    let octal = value.read_lock::<Text>().and_then(|text| u32::from_str_radix(&text, 8).ok());
    octal.or_else(|| value.as_int().ok().and_then(|umask| u32::try_from(umask).ok())).ok_or_else(|| {
        format!("umask takes an octal number from 0 to 0o777, such as 0o022 or \"022\", not {}", shown(value))
    })
}

fn descriptor(value: &Dynamic, method: &str) -> Result<i32> {
    let number = value.as_int().ok().and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0);
    number.ok_or_else(|| format!("{method} takes the number of a descriptor, from 0 on, not {}", shown(value)))
}

/// An amount, text with a unit, or `"unlimited"`.
fn limit(value: &Dynamic, which: &str) -> Result<Option<u64>> {
    if let Some(text) = value.read_lock::<Text>() {
        return match text.as_str() {
            "unlimited" => Ok(None),
            text => convert::size(text).map(Some),
        };
    }
    if let Some(size) = value.read_lock::<Size>() {
        return Ok(Some(size.0));
    }
    let amount = value.as_int().ok().and_then(|amount| u64::try_from(amount).ok());
    amount.map(Some).ok_or_else(|| {
        format!("the {which} limit must be a number from 0 on, a size or \"unlimited\", but is {}", shown(value))
    })
}

/// A descriptor of ours, a path to read, or `#{write: path}`.
fn fd_target(value: &Dynamic) -> Result<FdTarget> {
    if value.is_int() {
        return Ok(FdTarget::from(descriptor(value, "fd")?));
    }
    let Some(map) = value.read_lock::<Map>() else {
        return Ok(FdTarget::read(convert::path(value, "the target of fd")?));
    };
    let mut entries = map.iter();
    let (Some((mode, path)), None) = (entries.next(), entries.next()) else {
        return Err("a target of fd has one entry: #{read: path}, #{write: path} or #{append: path}".to_string());
    };
    let path = convert::path(path, &format!("the path to {mode}"))?;
    match mode.as_str() {
        "read" => Ok(FdTarget::read(path)),
        "write" => Ok(FdTarget::write(path)),
        "append" => Ok(FdTarget::append(path)),
        _ => Err(format!("a file can be opened to read, write or append, not to {mode}")),
    }
}

fn shown(value: &Dynamic) -> String {
    match value.is_int() {
        true => value.to_string(),
        false => convert::kind_of(value),
    }
}
