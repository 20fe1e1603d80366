//! Version numbers as [Semantic Versioning 2.0.0](https://semver.org/spec/v2.0.0.html) has them, with or without a `v`.

use std::cmp::Ordering;

use semver::{BuildMetadata, Prerelease, Version, VersionReq};

/// A version number, and whether a `v` stands in front of it, as in tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub version: Version,
    prefix: &'static str,
}

/// Which part of a version number is counted up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Major,
    Minor,
    Patch,
    Pre,
}

impl Part {
    pub const NAMES: [(&str, Part); 4] =
        [("major", Part::Major), ("minor", Part::Minor), ("patch", Part::Patch), ("pre", Part::Pre)];
}

impl Numbered {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (prefix, number) = text.strip_prefix('v').map_or(("", text), |number| ("v", number));
        match Version::parse(number) {
            Ok(version) => Ok(Self { version, prefix }),
            Err(why) => Err(format!("{} is not a version number: {why}", quoted(text))),
        }
    }

    /// Which of two is older; what stands behind `+` does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.version.cmp_precedence(&other.version)
    }

    pub fn satisfies(&self, requirement: &str) -> Result<bool, String> {
        let parsed = VersionReq::parse(requirement);
        let parsed = parsed.map_err(|why| format!("{} is not a requirement: {why}", quoted(requirement)))?;
        Ok(parsed.matches(&self.version))
    }

    /// The next version. A pre-release becomes the release that it leads up to, where that is the next one anyhow.
    pub fn bump(&self, part: Part, name: Option<&str>) -> Result<Self, String> {
        let Version { major, minor, patch, ref pre, .. } = self.version;
        let up = |number: u64| number.checked_add(1).ok_or_else(|| format!("there is no version after {self}"));
        let is_release = pre.is_empty();
        let (major, minor, patch) = match part {
            Part::Major if !is_release && (minor, patch) == (0, 0) => (major, 0, 0),
            Part::Major => (up(major)?, 0, 0),
            Part::Minor if !is_release && patch == 0 => (major, minor, 0),
            Part::Minor => (major, up(minor)?, 0),
            Part::Pre | Part::Patch if !is_release => (major, minor, patch),
            Part::Pre | Part::Patch => (major, minor, up(patch)?),
        };
        let pre = match part {
            Part::Pre => next_pre(pre, name)?,
            _ => Prerelease::EMPTY,
        };
        let next = Self { version: Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }, ..self.clone() };
        // With another name, `rc.1` to `beta`, it may be an older one.
        match next.precedence(self) {
            Ordering::Greater => Ok(next),
            _ => Err(format!("{next} does not come after {self}")),
        }
    }
}

impl std::fmt::Display for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.prefix, self.version)
    }
}

/// `rc.1` becomes `rc.2`, `alpha` becomes `alpha.1`; another name begins at 1.
fn next_pre(pre: &Prerelease, name: Option<&str>) -> Result<Prerelease, String> {
    let (stem, number) = match pre.rsplit_once('.') {
        _ if pre.is_empty() => ("", None),
        Some((stem, number)) => match number.parse::<u64>() {
            Ok(number) => (stem, Some(number)),
            Err(_) => (pre.as_str(), None),
        },
        None => match pre.parse::<u64>() {
            Ok(number) => ("", Some(number)),
            Err(_) => (pre.as_str(), None),
        },
    };
    let wanted = name.unwrap_or(if pre.is_empty() { "pre" } else { stem });
    let number = number.filter(|_| wanted == stem).map_or(Some(1), |number| number.checked_add(1));
    let number = number.ok_or_else(|| format!("there is no pre-release after {pre}"))?;
    let text = if wanted.is_empty() { number.to_string() } else { format!("{wanted}.{number}") };
    Prerelease::new(&text).map_err(|why| format!("{} cannot name a pre-release: {why}", quoted(wanted)))
}

/// The text as a message shows it: in one line, and not at any length.
fn quoted(text: &str) -> String {
    let start: String = text.escape_debug().take(60).collect();
    let rest = if text.escape_debug().nth(60).is_some() { "…" } else { "" };
    format!("`{start}{rest}`")
}

#[cfg(test)]
mod tests {
    use super::{Numbered, Ordering, Part};

    fn version(text: &str) -> Numbered {
        Numbered::parse(text).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn precedence_is_that_of_the_standard() {
        let ordered = [
            "0.9.0",
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
            "18446744073709551615.0.0",
        ];
        for (index, one) in ordered.iter().enumerate() {
            for (other_index, other) in ordered.iter().enumerate() {
                assert_eq!(version(one).precedence(&version(other)), index.cmp(&other_index), "{one} {other}");
            }
        }
        assert_eq!(version("v1.0.0+a").precedence(&version("1.0.0+b")), Ordering::Equal);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "v",
            "vv1.0.0",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3+",
            "1.2.3 ",
            " 1.2.3",
            "-1.0.0",
            "1.2.3-ä",
            "1.2.x",
            "18446744073709551616.0.0",
            "V1.2.3",
            "1.2.3-a..b",
            "1.2.3\n",
            "٣.0.0",
        ] {
            let why = Numbered::parse(text).expect_err(text);
            assert!(why.contains("is not a version number: ") && !why.contains('\n'), "{why}");
        }
        assert!(Numbered::parse(&"9".repeat(100_000)).expect_err("too long").len() < 300);
    }

    #[test]
    fn each_part_counts_up() {
        for (from, part, name, to) in [
            ("1.2.3", Part::Major, None, "2.0.0"),
            ("1.2.3", Part::Minor, None, "1.3.0"),
            ("v1.2.3+build", Part::Patch, None, "v1.2.4"),
            ("1.2.3", Part::Pre, None, "1.2.4-pre.1"),
            ("1.2.3", Part::Pre, Some("rc"), "1.2.4-rc.1"),
            ("1.2.4-rc.9", Part::Pre, None, "1.2.4-rc.10"),
            ("1.2.4-beta.3", Part::Pre, Some("rc"), "1.2.4-rc.1"),
            ("1.2.4-alpha", Part::Pre, None, "1.2.4-alpha.1"),
            ("1.2.4-7", Part::Pre, None, "1.2.4-8"),
            ("1.2.4-x.7.z", Part::Pre, None, "1.2.4-x.7.z.1"),
            ("1.2.4-rc.1", Part::Patch, None, "1.2.4"),
            ("1.3.0-rc.1", Part::Minor, None, "1.3.0"),
            ("1.3.1-rc.1", Part::Minor, None, "1.4.0"),
            ("2.0.0-rc.1", Part::Major, None, "2.0.0"),
            ("2.1.0-rc.1", Part::Major, None, "3.0.0"),
        ] {
            assert_eq!(version(from).bump(part, name).map(|next| next.to_string()), Ok(to.to_string()), "{from}");
        }
        for (from, part, name) in [
            ("1.2.4-rc.1", Part::Pre, Some("beta")),
            ("1.2.3", Part::Pre, Some("r c")),
            ("18446744073709551615.0.0", Part::Major, None),
            ("1.0.0-rc.18446744073709551615", Part::Pre, None),
        ] {
            assert!(version(from).bump(part, name).is_err(), "{from}");
        }
    }

    #[test]
    fn requirements_are_met_or_not() {
        for (number, requirement, met) in [
            ("1.2.0", "^1.2", true),
            ("2.0.0", "^1.2", false),
            ("0.3.0", "^0.2.1", false),
            ("1.9.9", ">=1, <2", true),
            ("1.5.0", "~1.4", false),
            ("1.4.9", "~1.4", true),
            ("1.4.9", "*", true),
            ("1.4.9", "1.4.*", true),
            ("1.4.9", "=1.4.9", true),
            ("2.0.0-rc.1", ">=1", false),
            ("2.0.0-rc.2", ">=2.0.0-rc.1", true),
        ] {
            assert_eq!(version(number).satisfies(requirement), Ok(met), "{number} {requirement}");
        }
        for requirement in ["", "abc", ">=", "^1.2 || ^2", "1.2.3.4", ">= 1 < 2", "\n"] {
            assert!(version("1.0.0").satisfies(requirement).is_err(), "{requirement:?}");
        }
    }
}
