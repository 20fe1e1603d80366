//! Script tests: a script that can be run by hand, with what it must print underneath.
//!
//! ```text
//! //@ args a "b c"            arguments after the script
//! //@ flags --check           arguments of procscript itself, before the script
//! //@ stdin one\ntwo\n        standard input, with escapes; without it, empty
//! //@ stdin-file data.bin     the same from a file beside the script
//! //@ env NAME=value          sets a variable; `//@ unset NAME` removes one
//! //@ create NAME text\n      a file that is there before (and may be there afterwards)
//! //@ file NAME               a file that may be there afterwards; `dir/` with all in it
//! //@ only unix               or linux, macos, windows, root: skipped elsewhere
//! //@ needs git               skipped when that program is not installed
//! //@ timeout 5s              or 500ms
//! //@ leaves-detached         a process may outlive the script
//! //@ raw-stderr              control characters on stderr are meant
//! print("hello");
//! //-- stdout
//! // hello
//! //-- status 0
//! ```
//!
//! A missing `stdout` or `stderr` block means that nothing may be printed there, a missing `status`
//! means 0; `status signal 9` is a death by signal. `(cut)` after the name of a block says that the
//! last line has no newline. `$TMP` is the working directory; what is not printable is `⟨HH⟩`.

use std::path::Path;
use std::time::Duration;

use super::escapes::unescape;
use super::expect::{Lines, diff};
use super::run::{Outcome, Run};
use super::text::words;
use super::verdict::Ended;

const BLOCK: &str = "//-- ";
const DIRECTIVE: &str = "//@ ";

/// What a script must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub stdout: Lines,
    pub stderr: Lines,
    pub ended: Ended,
}

/// A script test, read and understood.
#[derive(Debug)]
pub struct Case {
    name: String,
    source: String,
    directives: Vec<(String, String)>,
    pub expected: Expected,
}

/// What became of a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Skipped(String),
    Failed(String),
    /// The new text of the file.
    Renewed(String),
}

impl Case {
    pub fn parse(name: &str, source: &str) -> Result<Self, String> {
        let body = &source[..body_end(source)];
        let mut directives = Vec::new();
        let mut code_began = false;
        for line in body.lines() {
            match line.strip_prefix(DIRECTIVE) {
                Some(_) if code_began => return Err(format!("a directive below code: {line}")),
                Some(text) => {
                    let (verb, value) = text.split_once(' ').unwrap_or((text, ""));
                    directives.push((verb.to_string(), value.trim_start().to_string()));
                }
                None => code_began |= !line.trim().is_empty() && !line.starts_with("//"),
            }
        }
        let expected = parse_blocks(&source[body.len()..])?;
        Ok(Self { name: name.to_string(), source: source.to_string(), directives, expected })
    }

    /// Runs it; `run` says which program, `dir` is where the script's neighbours are.
    pub fn run(&self, run: Run, dir: &Path, renew: bool) -> Verdict {
        if let Some(reason) = self.reason_to_skip() {
            return Verdict::Skipped(reason);
        }
        let run = run.script_named(&self.name, &self.source).may_end(self.expected.ended);
        let prepared = self.directives.iter().try_fold(run, |run, (verb, value)| apply(run, verb, value, dir));
        match prepared.and_then(Run::try_run) {
            Ok(outcome) => self.judge(&outcome, renew),
            Err(report) => Verdict::Failed(report),
        }
    }

    fn reason_to_skip(&self) -> Option<String> {
        self.directives.iter().find_map(|(verb, value)| match verb.as_str() {
            "only" => (!fits(value)).then(|| format!("only for {value}")),
            "needs" => (!is_installed(value)).then(|| format!("{value} is not installed")),
            _ => None,
        })
    }

    fn judge(&self, outcome: &Outcome, renew: bool) -> Verdict {
        let real = Expected {
            stdout: Lines::of(&outcome.shown(&outcome.stdout)),
            stderr: Lines::of(&outcome.shown(&outcome.stderr)),
            ended: outcome.ended,
        };
        let Expected { stdout, stderr, ended } = &self.expected;
        let mut wrong = Vec::new();
        for (name, expected, real) in [("stdout", stdout, &real.stdout), ("stderr", stderr, &real.stderr)] {
            if !expected.matches(real) {
                wrong.push(format!("{name} (- expected, + came):\n{}", diff(expected, real)));
            }
        }
        if *ended != real.ended {
            wrong.push(format!("status {ended} was expected, not {}", real.ended));
        }
        match (wrong.is_empty(), renew) {
            (true, _) => Verdict::Passed,
            (false, true) => Verdict::Renewed(self.renewed(&real)),
            (false, false) => Verdict::Failed(outcome.report(&wrong.join("\n"))),
        }
    }

    /// The file with its blocks written anew.
    fn renewed(&self, real: &Expected) -> String {
        let body = &self.source[..body_end(&self.source)];
        let said_status = self.source[body.len()..].contains(&format!("{BLOCK}status"));
        let mut text = format!("{}\n", body.trim_end());
        block(&mut text, "stdout", &real.stdout.renewed(&self.expected.stdout));
        block(&mut text, "stderr", &real.stderr.renewed(&self.expected.stderr));
        if said_status || real.ended != Ended::Exit(0) {
            text += &format!("{BLOCK}status {}\n", real.ended);
        }
        text
    }
}

/// Where the expectations begin.
fn body_end(source: &str) -> usize {
    let starts = source.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    let mut blocks = starts.filter(|(_, line)| line.starts_with(BLOCK));
    blocks.next().map_or(source.len(), |(start, _)| start)
}

fn parse_blocks(text: &str) -> Result<Expected, String> {
    let mut expected = Expected { stdout: Lines::default(), stderr: Lines::default(), ended: Ended::Exit(0) };
    let mut open: Option<&mut Lines> = None;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix(BLOCK) {
            let (name, rest) = header.split_once(' ').unwrap_or((header, ""));
            open = match (name, rest) {
                ("stdout", "" | "(cut)") => Some(&mut expected.stdout),
                ("stderr", "" | "(cut)") => Some(&mut expected.stderr),
                ("status", rest) => {
                    expected.ended = rest.parse()?;
                    None
                }
                _ => return Err(format!("unknown block: {line}")),
            };
            if let Some(lines) = &mut open {
                lines.cut = !rest.is_empty();
            }
        } else if !line.trim().is_empty() {
            let content = line.strip_prefix("// ").or_else(|| (line == "//").then_some(""));
            let content = content.ok_or(format!("not a comment within the expectations: {line}"))?;
            let lines = open.as_mut().ok_or(format!("a line that belongs to no block: {line}"))?;
            lines.lines.push(content.to_string());
        }
    }
    Ok(expected)
}

fn block(text: &mut String, name: &str, lines: &Lines) {
    if lines.is_empty() {
        return;
    }
    let cut = if lines.cut { " (cut)" } else { "" };
    *text += &format!("{BLOCK}{name}{cut}\n");
    for line in &lines.lines {
        *text += &if line.is_empty() { "//\n".to_string() } else { format!("// {line}\n") };
    }
}

fn apply(run: Run, verb: &str, value: &str, dir: &Path) -> Result<Run, String> {
    Ok(match verb {
        "args" => run.args(words(value)?),
        "flags" => words(value)?.into_iter().fold(run, Run::flag),
        "stdin" => run.stdin(unescape(value.as_bytes())),
        "stdin-file" => run.stdin(std::fs::read(dir.join(value)).map_err(|error| format!("{value}: {error}"))?),
        "env" => {
            let (name, value) = value.split_once('=').ok_or(format!("not NAME=value: {value}"))?;
            run.env(name, value)
        }
        "unset" => run.env_remove(value),
        "create" => {
            let (name, contents) = value.split_once(' ').unwrap_or((value, ""));
            run.file(name, unescape(contents.as_bytes()))
        }
        "file" => run.allow_file(value),
        "timeout" => run.timeout(duration(value)?),
        "leaves-detached" => run.leaves_detached(),
        "raw-stderr" => run.raw_stderr(),
        // They decided before that it runs at all.
        "only" | "needs" => run,
        _ => return Err(format!("unknown directive: {DIRECTIVE}{verb} {value}")),
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    let number = number.parse::<u64>().map_err(|_| format!("`{text}` is not a time like 5s or 500ms"))?;
    Ok(Duration::from_millis(number * unit))
}

fn fits(what: &str) -> bool {
    match what {
        "unix" => cfg!(unix),
        "linux" => cfg!(target_os = "linux"),
        "macos" => cfg!(target_os = "macos"),
        "windows" => cfg!(windows),
        "root" => is_root(),
        // A directive with a slip in it must not skip a test in silence.
        other => panic!("unknown directive: {DIRECTIVE}only {other}"),
    }
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn is_root() -> bool {
    // SAFETY: only asks.
    unsafe { libc::geteuid() == 0 }
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

pub fn is_installed(program: &str) -> bool {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(&name).is_file())
}
