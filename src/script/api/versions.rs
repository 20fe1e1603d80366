//! What `std/semver` is made of: version numbers.

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString as Text, Map, NativeCallContext};

use crate::data::version::{Numbered, Part};
use crate::process::nearest_name;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::world::World;

pub(super) fn register(engine: &mut Engine, world: &Arc<World>) {
    for (name, work) in WORK {
        let shared = world.clone();
        engine.register_fn(
            name,
            move |context: NativeCallContext, first: Dynamic, second: Dynamic| -> Result<Dynamic, Box<EvalAltResult>> {
                work(&first, &second).map_err(|problem| CallPlace::of(&context).invalid(&shared, problem))
            },
        );
    }
}

type Work = fn(&Dynamic, &Dynamic) -> Result<Dynamic, String>;

const WORK: [(&str, Work); 4] = [
    ("__semver_parts", |version, _| parts(&parsed(version)?)),
    ("__semver_compare", |one, other| Ok((parsed(one)?.precedence(&parsed(other)?) as i64).into())),
    ("__semver_satisfies", |version, requirement| {
        Ok(parsed(version)?.satisfies(&text(requirement, "a requirement")?)?.into())
    }),
    ("__semver_bump", bump),
];

fn text(value: &Dynamic, what: &str) -> Result<Text, String> {
    let text = value.read_lock::<Text>().map(|text| text.clone());
    text.ok_or_else(|| format!("{what} is a text, not {}", convert::kind_of(value)))
}

fn parsed(value: &Dynamic) -> Result<Numbered, String> {
    Numbered::parse(&text(value, "a version number")?)
}

fn parts(numbered: &Numbered) -> Result<Dynamic, String> {
    let version = &numbered.version;
    let mut map = Map::new();
    for (name, number) in [("major", version.major), ("minor", version.minor), ("patch", version.patch)] {
        let number = i64::try_from(number).map_err(|_| format!("{name} is too large a number in {numbered}"))?;
        map.insert(name.into(), number.into());
    }
    map.insert("pre".into(), version.pre.as_str().to_string().into());
    map.insert("build".into(), version.build.as_str().to_string().into());
    Ok(map.into())
}

/// `"minor"`, or `["pre", "rc"]`.
fn bump(version: &Dynamic, part: &Dynamic) -> Result<Dynamic, String> {
    let words = match part.read_lock::<rhai::Array>() {
        Some(words) => {
            words.iter().map(|word| text(word, "the name of a pre-release")).collect::<Result<Vec<_>, _>>()?
        }
        None => vec![text(part, "the part of a version number")?],
    };
    let word = words.first().map(Text::as_str).unwrap_or_default();
    let Some((_, part)) = Part::NAMES.iter().find(|(name, _)| *name == word) else {
        let names = Part::NAMES.map(|(name, _)| name.to_string());
        let similar = nearest_name(word, names.into_iter());
        let hint =
            similar.map_or("; there are major, minor, patch, pre".into(), |name| format!("; did you mean `{name}`?"));
        return Err(format!("a version number has no part `{word}`{hint}"));
    };
    Ok(parsed(version)?.bump(*part, words.get(1).map(Text::as_str))?.to_string().into())
}
