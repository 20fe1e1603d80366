//! What came out of a run, and what a test expects of it.

use std::ffi::OsString;
use std::time::Duration;

use super::leaks::Shared;
use super::procs::{self, Mark};
use super::run::typed;
use super::scratch::Scratch;
use super::streams::Streams;
use super::text::visible;
use super::verdict::Ended;

/// A finished run that broke none of the general rules. Its directory lives as long as this.
#[must_use = "an outcome that nobody looks at tests little"]
pub struct Outcome {
    pub(super) words: Vec<OsString>,
    pub ended: Ended,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub scratch: Scratch,
    /// Finds what was left running on purpose.
    pub mark: Mark,
    pub elapsed: Duration,
    pub(super) streams: Streams,
    /// Kept until the streams are closed, so that no guard sees them close. The last field,
    /// because fields are dropped in order.
    #[expect(dead_code, reason = "held, not read")]
    pub(super) shared: Shared,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.mark.kill_all();
        self.streams.close(procs::under_load(procs::PATIENCE));
    }
}

impl Outcome {
    #[track_caller]
    pub fn success(&self) -> &Self {
        self.status(0)
    }

    #[track_caller]
    pub fn status(&self, code: i32) -> &Self {
        self.ended(Ended::Exit(code))
    }

    #[track_caller]
    pub fn signal(&self, number: i32) -> &Self {
        self.ended(Ended::Signal(number))
    }

    #[track_caller]
    fn ended(&self, wanted: Ended) -> &Self {
        let message = format!("status {wanted} was expected, not {}", self.ended);
        self.check(self.ended == wanted, &message)
    }

    #[track_caller]
    pub fn stdout(&self, exact: &str) -> &Self {
        let message = format!("stdout was expected to be exactly\n{}", visible(exact.as_bytes()));
        self.check(self.shown(&self.stdout) == visible(exact.as_bytes()), &message)
    }

    #[track_caller]
    pub fn stderr(&self, exact: &str) -> &Self {
        let message = format!("stderr was expected to be exactly\n{}", visible(exact.as_bytes()));
        self.check(self.shown(&self.stderr) == visible(exact.as_bytes()), &message)
    }

    #[track_caller]
    pub fn stdout_contains(&self, part: &str) -> &Self {
        self.check(self.shown(&self.stdout).contains(part), &format!("stdout lacks `{part}`"))
    }

    #[track_caller]
    pub fn stderr_contains(&self, part: &str) -> &Self {
        self.check(self.shown(&self.stderr).contains(part), &format!("stderr lacks `{part}`"))
    }

    #[track_caller]
    pub fn stderr_lacks(&self, part: &str) -> &Self {
        self.check(!self.shown(&self.stderr).contains(part), &format!("stderr contains `{part}`"))
    }

    /// Anything else, with the whole report when it does not hold.
    #[track_caller]
    pub fn check(&self, holds: bool, message: &str) -> &Self {
        assert!(holds, "{}", self.report(message));
        self
    }

    /// Output made readable, with the names of the temporary directories taken out.
    pub fn shown(&self, bytes: &[u8]) -> String {
        let work = self.scratch.path().display().to_string();
        let temp = self.scratch.temp().display().to_string();
        let bin = self.scratch.bin().display().to_string();
        visible(bytes).replace(&work, "$TMP").replace(&temp, "$TMPDIR").replace(&bin, "$BIN")
    }

    /// Everything known about the run, below what is wrong with it.
    pub fn report(&self, wrong: &str) -> String {
        let command = self.words.iter().map(|word| typed(word)).collect::<Vec<_>>().join(" ");
        let files = self.scratch.listing().join("  ");
        let (stdout, stderr) = (self.shown(&self.stdout), self.shown(&self.stderr));
        let Self { ended, elapsed, .. } = self;
        format!(
            "{wrong}\n\
             ── command: {command}\n\
             ── files: {files}\n\
             ── status: {ended} (after {elapsed:.0?})\n\
             ── stdout:\n{stdout}\n\
             ── stderr:\n{stderr}\n\
             ──"
        )
    }
}
