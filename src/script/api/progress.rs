//! `progress` and `spinner`: how far the script is, for people.

use std::sync::{Arc, Mutex};

use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext};

use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::script::secret;
use crate::script::world::{World, lock};
use crate::terminal::{self, LiveLine, Unit};

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// What `progress` and `spinner` give: a line that goes with the last of its copies.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Shown>);

struct Shown {
    world: Arc<World>,
    progress: Arc<Mutex<terminal::Progress>>,
    /// On a screen that can change.
    line: Mutex<Option<LiveLine>>,
    /// Where lines stay; off with `--quiet`, and once it is finished.
    tells: Mutex<bool>,
}

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    engine.register_type_with_name::<Progress>("Progress");
    let shared = world.clone();
    engine.register_fn("progress", move |context: NativeCallContext, total: Dynamic| {
        bar(&shared, &context, &total, &Map::new())
    });
    let shared = world.clone();
    engine.register_fn("progress", move |context: NativeCallContext, total: Dynamic, options: Map| {
        bar(&shared, &context, &total, &options)
    });
    let shared = world.clone();
    engine.register_fn("spinner", move |label: Dynamic| {
        Progress::start(&shared, terminal::Progress::new(secret::shown(&label), None, Unit::Items))
    });

    engine.register_fn("advance", |progress: &mut Progress| {
        progress.change(|state| state.done = state.done.saturating_add(1))
    });
    engine.register_fn("advance", |context: NativeCallContext, progress: &mut Progress, by: Dynamic| -> Result<()> {
        let by = progress.count(&context, "advance", &by)?;
        progress.change(|state| state.done = state.done.saturating_add(by));
        Ok(())
    });
    engine.register_fn("set", |context: NativeCallContext, progress: &mut Progress, done: Dynamic| -> Result<()> {
        let done = progress.count(&context, "set", &done)?;
        progress.change(|state| state.done = done);
        Ok(())
    });
    engine.register_fn("label", |progress: &mut Progress, text: Dynamic| {
        let text = secret::shown(&text);
        progress.change(|state| state.label = text);
    });
    engine.register_fn("finish", |progress: &mut Progress| progress.0.finish(None));
    engine
        .register_fn("finish", |progress: &mut Progress, text: Dynamic| progress.0.finish(Some(&secret::shown(&text))));
}

fn bar(world: &Arc<World>, context: &NativeCallContext, total: &Dynamic, options: &Map) -> Result<Progress> {
    let invalid = |problem| CallPlace::of(context).invalid(world, problem);
    let options = Options::new("progress", options, &["label", "unit"]).map_err(invalid)?;
    let total = whole("progress", total).map_err(invalid)?;
    let label = options.map.get("label").map(secret::shown).unwrap_or_default();
    let unit = match options.value::<String>("unit", "\"items\" or \"bytes\"").map_err(invalid)?.as_deref() {
        None | Some("items") => Unit::Items,
        Some("bytes") => Unit::Bytes,
        Some(other) => {
            return Err(invalid(format!("the option `unit` of progress is \"items\" or \"bytes\", not \"{other}\"")));
        }
    };
    Ok(Progress::start(world, terminal::Progress::new(label, Some(total), unit)))
}

/// A number of things.
fn whole(function: &str, value: &Dynamic) -> std::result::Result<u64, String> {
    let number = value.as_int().ok().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| match value.as_int() {
        Ok(negative) => format!("{function} takes a whole number of at least 0, not {negative}"),
        Err(_) => format!("{function} takes a whole number of at least 0, not {}", convert::kind_of(value)),
    })
}

impl Progress {
    fn start(world: &Arc<World>, progress: terminal::Progress) -> Self {
        let progress = Arc::new(Mutex::new(progress));
        let is_quiet = world.manners.is_quiet;
        let line = (world.live.is_on() && !is_quiet).then(|| {
            let (progress, signs) = (progress.clone(), world.signs());
            world.live.add_drawing(Arc::new(move |frame| lock(&progress).draw(frame, signs)))
        });
        let tells = line.is_none() && !is_quiet;
        let shown = Shown { world: world.clone(), progress, line: Mutex::new(line), tells: Mutex::new(tells) };
        shown.tell(terminal::Progress::next_line);
        Self(Arc::new(shown))
    }

    fn count(&self, context: &NativeCallContext, method: &str, value: &Dynamic) -> Result<u64> {
        whole(method, value).map_err(|problem| CallPlace::of(context).invalid(&self.0.world, problem))
    }

    fn change(&self, change: impl FnOnce(&mut terminal::Progress)) {
        change(&mut lock(&self.0.progress));
        self.0.tell(terminal::Progress::next_line);
    }
}

impl Shown {
    /// Where lines stay, says what there is to say.
    fn tell(&self, line: impl FnOnce(&mut terminal::Progress) -> Option<String>) {
        if !*lock(&self.tells) {
            return;
        }
        let line = line(&mut lock(&self.progress));
        if let Some(line) = line {
            self.say(&line);
        }
    }

    fn say(&self, line: &str) {
        // What the script has printed comes before it. Nobody may be listening.
        let _ = self.world.out.flush();
        let _ = self.world.err.print_line(&terminal::one_line(line));
    }

    /// Takes the line away; a text stays in its place.
    fn finish(&self, text: Option<&str>) {
        self.tell(terminal::Progress::last_line);
        let had_line = lock(&self.line).take().is_some();
        let told = std::mem::replace(&mut *lock(&self.tells), false);
        if let Some(text) = text
            && (had_line || told)
        {
            let line = lock(&self.progress).finished(text);
            self.say(&line);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.finish(None);
    }
}
