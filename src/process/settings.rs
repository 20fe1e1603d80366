//! What a command or pipeline was told, apart from what it runs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::text::{Encoding, Malformed, Separators, TextFormat};

use super::context::Context;
use super::env::EnvChanges;
use super::error::Error;
use super::hook::SpawnHook;
use super::platform::Platform;
use super::redirect::Redirects;
use super::status::Acceptance;
use super::teardown::Teardown;

/// The largest capture unless a command says otherwise.
pub(crate) const DEFAULT_LIMIT: u64 = 64 * 1024 * 1024;
/// Between the first signal and KILL, unless a command says otherwise.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// Settings of one node of an expression. `None` leaves the choice to the pipeline around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub scoped: Scoped,
    pub redirects: Redirects,
    pub context: Option<Context>,
    pub unobserved: Option<Hook>,
    pub is_detached: bool,
}

/// Receives the failure of a started command that nobody waited for.
#[derive(Clone)]
pub(crate) struct Hook(pub Arc<dyn Fn(Error) + Send + Sync>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// Settings that a stage inherits from the pipelines around it unless it has its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scoped {
    pub dir: Option<PathBuf>,
    pub env: EnvChanges,
    pub acceptance: Acceptance,
    pub arg0: Option<OsString>,
    pub name: Option<String>,
    pub timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub teardown: Option<Teardown>,
    pub limit: Option<u64>,
    pub encoding: Option<Encoding>,
    pub malformed: Option<Malformed>,
    pub separators: Option<Separators>,
    pub max_line: Option<Option<usize>>,
    pub platform: Option<Arc<Platform>>,
    /// Whether Ctrl-C at the terminal is for it alone.
    pub interactive: Option<bool>,
    /// The outermost first.
    pub hooks: Vec<SpawnHook>,
}

impl Scoped {
    /// These settings with those of an inner node on top.
    pub fn merged_with(&self, inner: &Self) -> Self {
        Self {
            dir: inner.dir.clone().or_else(|| self.dir.clone()),
            env: self.env.merged_with(&inner.env),
            acceptance: self.acceptance.merged_with(&inner.acceptance),
            // A name belongs to the node that has it.
            arg0: inner.arg0.clone(),
            name: inner.name.clone(),
            timeout: inner.timeout.or(self.timeout),
            idle_timeout: inner.idle_timeout.or(self.idle_timeout),
            grace: inner.grace.or(self.grace),
            teardown: inner.teardown.clone().or_else(|| self.teardown.clone()),
            limit: inner.limit.or(self.limit),
            encoding: inner.encoding.or(self.encoding),
            malformed: inner.malformed.or(self.malformed),
            separators: inner.separators.clone().or_else(|| self.separators.clone()),
            max_line: inner.max_line.or(self.max_line),
            platform: match (&self.platform, &inner.platform) {
                (Some(outer), Some(inner)) => Some(Arc::new(outer.merged_with(inner))),
                (outer, inner) => inner.clone().or_else(|| outer.clone()),
            },
            interactive: inner.interactive.or(self.interactive),
            hooks: self.hooks.iter().chain(&inner.hooks).cloned().collect(),
        }
    }

    pub fn text_format(&self) -> TextFormat {
        let default = TextFormat::default();
        TextFormat {
            encoding: self.encoding.unwrap_or(default.encoding),
            malformed: self.malformed.unwrap_or(default.malformed),
            separators: self.separators.clone().unwrap_or(default.separators),
            max_line: self.max_line.unwrap_or(default.max_line),
        }
    }
}

impl Settings {
    /// Whether nothing was set, so that the node can be merged into the one around it.
    pub fn is_plain(&self) -> bool {
        let Self { scoped, redirects, context, unobserved, is_detached } = self;
        redirects.is_plain() && context.is_none() && unobserved.is_none() && !is_detached && scoped.is_plain()
    }
}

impl Scoped {
    fn is_plain(&self) -> bool {
        let Self { dir, env, acceptance, arg0, name, timeout, idle_timeout, grace, teardown, .. } = self;
        let Self { limit, encoding, malformed, separators, max_line, platform, interactive, hooks, .. } = self;
        let Acceptance { unchecked, ok_codes, ok_signals, strict_sigpipe } = acceptance;
        (env.is_empty() && platform.is_none() && interactive.is_none() && hooks.is_empty())
            && (dir.is_none() && arg0.is_none() && name.is_none())
            && (unchecked.is_none() && ok_codes.is_none() && ok_signals.is_none() && strict_sigpipe.is_none())
            && (timeout.is_none() && idle_timeout.is_none() && grace.is_none() && teardown.is_none() && limit.is_none())
            && (encoding.is_none() && malformed.is_none() && separators.is_none() && max_line.is_none())
    }
}
