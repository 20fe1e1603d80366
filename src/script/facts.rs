//! What results and errors tell alike: how a command ended, its stages, what it used.

use rhai::{Array, Dynamic, Map};

use crate::process::{Stage, TerminationStatus, Usage};

use super::registry::Registry;

/// How a command ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub status: TerminationStatus,
    pub core_dumped: bool,
}

impl From<Status> for Dynamic {
    fn from(status: Status) -> Self {
        Dynamic::from(status)
    }
}

pub(crate) fn register(engine: &mut Registry) {
    engine.register_type_with_name::<Status>("Status");
    engine.register_fn("to_string", |ending: &mut Status| ending.status.to_string());
    engine.register_fn("to_debug", |ending: &mut Status| format!("Status({})", ending.status));
    engine.register_fn("==", |one: Status, other: Status| one == other);
    engine.register_fn("!=", |one: Status, other: Status| one != other);
    engine.register_get("success", |ending: &mut Status| ending.status.success());
    engine.register_get("code", |ending: &mut Status| code(ending.status));
    engine.register_get("signal", |ending: &mut Status| signal(ending.status));
    engine.register_get("signal_name", |ending: &mut Status| signal_name(ending.status));
    engine.register_get("core_dumped", |ending: &mut Status| ending.core_dumped);
}

pub(crate) fn code(status: TerminationStatus) -> Dynamic {
    or_unit(status.code().map(i64::from))
}

pub(crate) fn signal(status: TerminationStatus) -> Dynamic {
    or_unit(status.signal().map(i64::from))
}

pub(crate) fn signal_name(status: TerminationStatus) -> Dynamic {
    or_unit(status.signal_name().map(str::to_string))
}

pub(crate) fn or_unit<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}

/// Captured bytes as text; what is not UTF-8 is replaced, since an error must be readable.
pub(crate) fn text_or_unit(bytes: Option<&[u8]>) -> Dynamic {
    or_unit(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

pub(crate) fn texts(texts: &[String]) -> Dynamic {
    texts.iter().map(|text| Dynamic::from(text.clone())).collect::<Array>().into()
}

pub(crate) fn path_or_unit(path: Option<&std::path::Path>) -> Dynamic {
    or_unit(path.map(|path| path.display().to_string()))
}

/// The stages as maps.
pub(crate) fn stages(stages: &[Stage]) -> Array {
    stages.iter().map(|stage| Dynamic::from_map(stage_map(stage))).collect()
}

fn stage_map(stage: &Stage) -> Map {
    let mut map = usage_map(stage.usage);
    map.insert("command".into(), stage.command.clone().into());
    map.insert("argv".into(), texts(&stage.argv));
    map.insert("program".into(), path_or_unit(Some(&stage.program)));
    map.insert("pid".into(), i64::from(stage.pid).into());
    map.insert("code".into(), code(stage.status));
    map.insert("signal".into(), signal(stage.status));
    map.insert("signal_name".into(), signal_name(stage.status));
    map.insert("core_dumped".into(), stage.core_dumped.into());
    map.insert("accepted".into(), stage.accepted.into());
    map.insert("elapsed".into(), stage.elapsed.as_secs_f64().into());
    map
}

/// Seconds of processor time, and bytes of memory.
pub(crate) fn usage(usage: Usage) -> Dynamic {
    Dynamic::from_map(usage_map(usage))
}

fn usage_map(usage: Usage) -> Map {
    let mut map = Map::new();
    map.insert("user_time".into(), usage.user.as_secs_f64().into());
    map.insert("system_time".into(), usage.system.as_secs_f64().into());
    map.insert("peak_memory".into(), (usage.peak_memory as i64).into());
    map
}
