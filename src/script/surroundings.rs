//! What holds around the code that is running: the layers that `with` and clean-up put over the surroundings of the
//! runtime.
//!
//! The layers are those of the thread: two closures that run at once can be in different directories.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::process::{CancelToken, Context, Expression, HostStream, Until};

use super::console::Console;
use super::error::CommandError;
use super::world::World;

thread_local! {
    static LAYERS: RefCell<Vec<Layer>> = const { RefCell::new(Vec::new()) };
}

/// One block's surroundings, with those of the blocks around it already in them.
#[derive(Clone)]
pub(crate) struct Layer {
    /// Whose it is: a host may run one runtime inside another.
    world: usize,
    pub context: Context,
    /// Where what is printed goes, when it is not the runtime's place: standard output, and standard error.
    pub consoles: Option<[Arc<Console>; 2]>,
    /// A command whose settings hold for every command that has none of its own.
    pub defaults: Option<Expression>,
    /// When the first of the blocks is over.
    pub deadline: Option<Instant>,
    /// Whether this is clean-up, which no exit, interruption or deadline keeps from running.
    pub is_cleanup: bool,
    /// How much memory was held when clean-up began: what it is to clean up may be there still.
    pub held_before: usize,
    /// The command that the deadline has ended.
    pub interrupted: Option<CommandError>,
}

/// Leaves the layer when it goes out of scope.
pub(crate) struct Entered<'w> {
    world: &'w World,
    depth: usize,
}

impl Entered<'_> {
    /// Leaves it, and gives it back.
    pub fn leave(self) -> Option<Layer> {
        // The drop finds nothing more to do.
        LAYERS
            .with_borrow_mut(|layers| (layers.len() > self.depth).then(|| layers.drain(self.depth..).next()).flatten())
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        LAYERS.with_borrow_mut(|layers| layers.truncate(self.depth));
        self.world.layers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl World {
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn innermost<T>(&self, look: impl FnOnce(&mut Layer) -> T) -> Option<T> {
        if !self.has_layers() {
            return None;
        }
        let id = self.id();
        LAYERS.with_borrow_mut(|layers| layers.iter_mut().rev().find(|layer| layer.world == id).map(look))
    }

    /// The surroundings of the code that is running.
    pub fn context(&self) -> Context {
        self.innermost(|layer| layer.context.clone()).unwrap_or_else(|| self.base.clone())
    }

    /// Where what is printed here goes.
    pub fn out(&self) -> Arc<Console> {
        self.console(0).unwrap_or_else(|| self.out.clone())
    }

    /// Where messages go.
    pub fn err(&self) -> Arc<Console> {
        self.console(1).unwrap_or_else(|| self.err.clone())
    }

    /// Whether what is printed here goes somewhere else.
    pub fn has_own_consoles(&self) -> bool {
        self.innermost(|layer| layer.consoles.is_some()) == Some(true)
    }

    fn console(&self, index: usize) -> Option<Arc<Console>> {
        self.innermost(|layer| layer.consoles.as_ref().map(|consoles| consoles[index].clone())).flatten()
    }

    /// What ends the code that is running.
    pub fn cancel_token(&self) -> CancelToken {
        let token = self.innermost(|layer| layer.context.cancel_token().clone());
        token.unwrap_or_else(|| self.base.cancel_token().clone())
    }

    /// What holds now, to be changed and [entered](Self::enter).
    pub fn layer(&self) -> Layer {
        self.innermost(|layer| layer.clone()).unwrap_or_else(|| Layer {
            world: self.id(),
            context: self.base.clone(),
            consoles: None,
            defaults: None,
            deadline: None,
            is_cleanup: false,
            held_before: 0,
            interrupted: None,
        })
    }

    /// Puts a layer over everything, until the value that is returned goes out of scope.
    pub fn enter(&self, layer: Layer) -> Entered<'_> {
        let depth = LAYERS.with_borrow_mut(|layers| {
            layers.push(Layer { interrupted: None, ..layer });
            layers.len() - 1
        });
        self.layers.fetch_add(1, Ordering::Relaxed);
        Entered { world: self, depth }
    }

    /// A command as it is started here.
    pub fn surround(&self, command: Expression) -> Expression {
        let surrounded = self.innermost(|layer| {
            let command = match &layer.defaults {
                Some(defaults) => command.clone().under(&defaults.settings.scoped),
                None => command.clone(),
            };
            command.within(&self.beside_lines(&layer.context))
        });
        surrounded.unwrap_or_else(|| command.within(&self.beside_lines(&self.base)))
    }

    /// The same surroundings, where what commands write to the terminal must go above changing lines.
    fn beside_lines<'c>(&self, context: &'c Context) -> Cow<'c, Context> {
        if !self.live.is_shown() {
            return Cow::Borrowed(context);
        }
        let sink = |console: &Arc<Console>| {
            let console = console.clone();
            HostStream::Sink(Arc::new(move |bytes: &[u8]| _ = console.write_bytes(bytes)))
        };
        let mut context = context.clone();
        if matches!(context.stdout, HostStream::Inherit) && self.out.is_above_lines() {
            context = context.with_stdout(sink(&self.out));
        }
        if matches!(context.stderr, HostStream::Inherit) && self.err.is_above_lines() {
            context = context.with_stderr(sink(&self.err));
        }
        Cow::Owned(context)
    }

    /// What ends a wait for a command that may have been started outside of the innermost block.
    pub fn until(&self) -> Until {
        let context = self.context();
        Until { cancel: context.cancel_token().clone(), deadline: context.deadline }
    }

    /// Whether the interpreter must stop at its next operation.
    pub fn must_stop(&self) -> bool {
        let of_layer = self.innermost(|layer| {
            let is_late = layer.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            (is_late || layer.context.cancel_token().is_cancelled(), layer.is_cleanup)
        });
        match of_layer {
            Some((is_stopped, is_cleanup)) => is_stopped || (!is_cleanup && self.halt.is_requested()),
            None => self.is_told_to_stop(),
        }
    }

    /// The same apart from the deadlines of blocks: whether the whole script, or its clean-up when that is what
    /// runs, was told to stop.
    pub fn is_told_to_stop(&self) -> bool {
        let of_layer = self.innermost(|layer| (layer.context.cancel_token().is_cancelled(), layer.is_cleanup));
        let (is_cancelled, is_cleanup) =
            of_layer.unwrap_or_else(|| (self.base.cancel_token().is_cancelled() || self.is_entry_interrupted(), false));
        is_cancelled || (!is_cleanup && self.halt.is_requested())
    }

    /// How much memory may be held just now.
    pub fn memory_allowance(&self) -> usize {
        let before = self.innermost(|layer| layer.held_before).unwrap_or(0);
        self.memory_limit.saturating_add(before)
    }

    /// Whether clean-up is under way on this thread.
    pub fn is_cleaning_up(&self) -> bool {
        self.innermost(|layer| layer.is_cleanup) == Some(true)
    }

    /// Remembers what a deadline has ended: the block will say so.
    pub fn note_interrupted(&self, error: CommandError) {
        self.innermost(|layer| layer.deadline.is_some().then(|| layer.interrupted.get_or_insert(error).clone()));
    }
}
