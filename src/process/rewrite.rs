//! Changing the texts that results and errors show, for front ends that must not show some of them.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::Error;
use super::output::{Output, Stage};

/// What becomes of each text, as bytes; borrowed when nothing does.
pub(crate) struct Rewrite<'a>(pub &'a dyn for<'b> Fn(&'b [u8]) -> Cow<'b, [u8]>);

impl Rewrite<'_> {
    fn bytes(&self, bytes: &mut Vec<u8>) {
        if let Cow::Owned(new) = (self.0)(bytes) {
            *bytes = new;
        }
    }

    fn text(&self, text: &mut String) {
        if let Cow::Owned(new) = (self.0)(text.as_bytes()) {
            *text = String::from_utf8_lossy(&new).into_owned();
        }
    }

    /// A path that changes is no path any more, but only shown.
    fn path(&self, path: &mut PathBuf) {
        if let Cow::Owned(new) = (self.0)(path.as_os_str().as_encoded_bytes()) {
            *path = String::from_utf8_lossy(&new).into_owned().into();
        }
    }
}

impl Error {
    /// The same error with other texts. What led to it is told by its text alone, once that has to be changed.
    pub(crate) fn rewritten(mut self, rewrite: &Rewrite) -> Self {
        let details = &mut *self.0;
        rewrite.text(&mut details.message);
        details.help.iter_mut().chain(&mut details.command).for_each(|text| rewrite.text(text));
        details.argv.iter_mut().for_each(|text| rewrite.text(text));
        details.program.iter_mut().chain(&mut details.dir).for_each(|path| rewrite.path(path));
        details.stdout.iter_mut().chain(&mut details.stderr).for_each(|bytes| rewrite.bytes(bytes));
        details.stages.iter_mut().for_each(|stage| stage.rewrite(rewrite));
        if let Some(source) = &details.source {
            let (mut text, before) = (source.to_string(), source.to_string());
            rewrite.text(&mut text);
            if text != before {
                details.source = Some(Arc::new(std::io::Error::other(text)));
            }
        }
        self
    }
}

impl Stage {
    fn rewrite(&mut self, rewrite: &Rewrite) {
        rewrite.text(&mut self.command);
        self.argv.iter_mut().for_each(|text| rewrite.text(text));
        rewrite.path(&mut self.program);
        self.dir.iter_mut().for_each(|path| rewrite.path(path));
    }
}

impl Output {
    /// What it shows, with other texts, and without what was captured.
    pub(crate) fn rewritten(&self, rewrite: &Rewrite) -> Self {
        let (command, stages) = (self.command.clone(), self.stages.clone());
        let mut shown = Self { command, stages, stdout: None, stderr: None, ..*self };
        rewrite.text(&mut shown.command);
        shown.stages.iter_mut().for_each(|stage| stage.rewrite(rewrite));
        shown
    }
}
