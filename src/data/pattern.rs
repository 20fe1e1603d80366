//! Regular expressions, with errors that show the place.

use std::sync::Mutex;

use regex::{Captures, Regex};

use super::problem::Problem;

/// A compiled pattern, or what is wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Problem> {
    Regex::new(pattern).map_err(|error| {
        // The error of `Regex` has the place in a drawing only.
        match (regex_syntax::Parser::new().parse(pattern), error) {
            (Err(regex_syntax::Error::Parse(error)), _) => at(&error.kind().to_string(), error.span().start.offset),
            (Err(regex_syntax::Error::Translate(error)), _) => at(&error.kind().to_string(), error.span().start.offset),
            (_, regex::Error::CompiledTooBig(limit)) => {
                Problem::new(format!("it needs more than {} MiB: are there large counts in it?", limit >> 20))
            }
            (_, error) => Problem::new(error.to_string()),
        }
    })
}

fn at(reason: &str, offset: usize) -> Problem {
    let problem = Problem::at(reason.trim_end_matches('.'), offset);
    match reason.contains("look-around") || reason.contains("backreference") {
        true => problem.with_help("patterns here take time in proportion to the text, which rules that out"),
        false => problem,
    }
}

/// The patterns that were used last, compiled: a pattern in a loop is compiled once.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Vec<(String, Regex)>>);

/// More distinct patterns than this are hardly written into one loop.
const KEPT: usize = 32;

impl Cache {
    pub fn get(&self, pattern: &str) -> Result<Regex, Problem> {
        // A panic in between leaves a list that is still one.
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let regex = match kept.iter().position(|(known, _)| known == pattern) {
            Some(index) => kept.remove(index).1,
            None => compile(pattern)?,
        };
        kept.truncate(KEPT - 1);
        kept.insert(0, (pattern.to_string(), regex.clone()));
        Ok(regex)
    }
}

/// A replacement with `$1`, `${name}` and `$$`, whose groups exist: one that does not would become nothing.
pub(crate) fn check_replacement(regex: &Regex, replacement: &str) -> Result<(), Problem> {
    let mut offset = 0;
    while let Some(found) = replacement[offset..].find('$') {
        let start = offset + found;
        let rest = &replacement[start + 1..];
        if rest.starts_with('$') {
            offset = start + 2;
            continue;
        }
        let (name, length) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len());
                (&rest[..end], end)
            }
        };
        let exists = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => regex.capture_names().flatten().any(|known| known == name),
        };
        if !name.is_empty() && !exists {
            let digits = name.find(|char: char| !char.is_ascii_digit()).unwrap_or(name.len());
            let problem = Problem::at(format!("the pattern has no group `{name}`"), start);
            return Err(match digits {
                digits if digits == 0 || digits == name.len() => problem.with_help("the sign $ itself is written $$"),
                _ => problem.with_help(format!("the group in front of letters is written ${{{}}}", &name[..digits])),
            });
        }
        offset = start + 1 + length;
    }
    Ok(())
}

/// The groups of a match: its number, its name where it has one, and its text where it took part.
pub(crate) fn groups<'r, 't>(
    regex: &'r Regex,
    captures: &'r Captures<'t>,
) -> impl Iterator<Item = (usize, Option<&'r str>, Option<&'t str>)> {
    let names = regex.capture_names().enumerate();
    names.map(|(index, name)| (index, name, captures.get(index).map(|group| group.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pattern_shows_where() {
        for (pattern, offset) in [("a(b", 1), ("ä[z-a]", 3), ("*", 0), ("(?=x)", 0), (r"(a)\1", 3), (r"\p{Nope}", 0)] {
            assert_eq!(compile(pattern).unwrap_err().offset, Some(offset), "{pattern}");
        }
        assert!(compile(r"\w{1000}{1000}").unwrap_err().reason.contains("MiB"));
        assert!(compile("(?=x)").unwrap_err().help.is_some());
    }

    #[test]
    fn replacements_name_groups_that_exist() {
        let regex = compile(r"(\d+)(?<unit>[a-z])").unwrap();
        for good in ["$1", "${1}x", "$unit-$0", "$$1", "5$", "$-", "", "$$$1", "${unit}"] {
            assert!(check_replacement(&regex, good).is_ok(), "{good}");
        }
        for (bad, offset) in [("$3", 0), ("a$1x", 1), ("${no}", 0), ("$$$no", 2)] {
            assert_eq!(check_replacement(&regex, bad).unwrap_err().offset, Some(offset), "{bad}");
        }
        assert!(check_replacement(&regex, "$1x").unwrap_err().help.unwrap().contains("${1}"));
    }

    #[test]
    fn the_cache_keeps_what_is_used() {
        let cache = Cache::default();
        for round in 0..3 {
            for index in 0..KEPT * 2 {
                assert!(cache.get(&format!("a{{{index}}}")).unwrap().is_match(&"a".repeat(index)), "{round}");
            }
            assert!(cache.get("(").is_err());
        }
        assert_eq!(cache.0.lock().unwrap().len(), KEPT);
    }
}
