//! `// procscript: allow(code, code)`: comments that silence problems of their line.

use std::collections::HashMap;

use crate::process::nearest_name;
use crate::script::problem::{Code, Problem};
use crate::script::sources::Sources;

use super::syntax::Parsed;

const MARK: &str = "procscript:";

/// What is allowed, by line.
#[derive(Default)]
pub(super) struct Allowed(HashMap<usize, Vec<Code>>);

impl Allowed {
    pub fn covers(&self, problem: &Problem) -> bool {
        let line = problem.place().map(|place| place.line);
        line.and_then(|line| self.0.get(&line)).is_some_and(|codes| codes.contains(&problem.kind()))
    }
}

/// Reads the comments of a program; those that mean nothing are problems.
pub(super) fn read(parsed: &Parsed, sources: &Sources, name: &str) -> (Allowed, Vec<Problem>) {
    let (mut allowed, mut problems) = (Allowed::default(), Vec::new());
    let mut next_lines: Option<Vec<usize>> = None;
    for comment in &parsed.scan.comments {
        let text = &parsed.text[comment.clone()];
        let Some(words) = text.strip_prefix("//").map(str::trim_start).and_then(|text| text.strip_prefix(MARK)) else {
            continue;
        };
        let Some(place) = sources.place_of(name, comment.start) else { continue };
        let codes = words.trim_start().strip_prefix("allow(").and_then(|rest| rest.split_once(')'));
        let Some((codes, _)) = codes else {
            let problem = Problem::new(Code::UnknownAllow, "this comment says nothing that procscript knows");
            problems.push(problem.at(Some(place)).with_help(Some("write // procscript: allow(code)")));
            continue;
        };
        let is_alone = place.text.as_deref().is_some_and(|line| line.trim_start().starts_with("//"));
        let line = match is_alone {
            true => {
                let next = next_lines.get_or_insert_with(|| next_lines_with_code(&parsed.text));
                next.get(place.line).copied().unwrap_or(place.line)
            }
            false => place.line,
        };
        for code in codes.split(',').map(str::trim) {
            match Code::named(code).filter(|code| code.can_be_allowed()) {
                Some(code) => allowed.0.entry(line).or_default().push(code),
                None => problems.push(unknown(code).at(Some(place.clone()))),
            }
        }
    }
    (allowed, problems)
}

fn unknown(code: &str) -> Problem {
    if Code::named(code).is_some() {
        let problem = Problem::new(Code::UnknownAllow, format!("`{code}` cannot be allowed"));
        return problem.with_help(Some("a program with this mistake has no meaning"));
    }
    let codes: Vec<&str> = Code::allowable().collect();
    let help = match nearest_name(code, codes.iter().map(|code| (*code).to_string())) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("the codes are {}", codes.join(", ")),
    };
    Problem::new(Code::UnknownAllow, format!("there is no code `{code}`")).with_help(Some(help))
}

/// For each line, counted from 0, the first from there on, counted from 1, that is more than a comment.
fn next_lines_with_code(text: &str) -> Vec<usize> {
    let mut next = 0;
    let lines = text.lines().enumerate().collect::<Vec<_>>().into_iter().rev();
    let mut found: Vec<usize> = lines
        .map(|(index, line)| {
            let line = line.trim_start();
            if !line.is_empty() && !line.starts_with("//") {
                next = index + 1;
            }
            next
        })
        .collect();
    found.reverse();
    found
}
