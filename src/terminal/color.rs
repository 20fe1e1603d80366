//! Colours: where they are shown, and the words for them.

use std::ffi::OsString;

use anstyle::{AnsiColor, Color, Effects, Style};

use super::width::RESET;

/// Whether text is shown in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// At a terminal, unless the environment says otherwise: `NO_COLOR`, `CLICOLOR_FORCE`, `TERM=dumb`.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl ColorChoice {
    /// Whether a stream shows colours. What the environment says is looked up by name.
    pub(crate) fn is_on(self, is_terminal: bool, env: impl Fn(&str) -> Option<OsString>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org: any text in it counts.
            Self::Auto if env("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
            Self::Auto if env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") => true,
            Self::Auto => is_terminal && env("TERM").is_some_and(|term| !term.is_empty() && term != "dumb"),
        }
    }
}

const COLORS: [(&str, AnsiColor); 8] = [
    ("black", AnsiColor::Black),
    ("red", AnsiColor::Red),
    ("green", AnsiColor::Green),
    ("yellow", AnsiColor::Yellow),
    ("blue", AnsiColor::Blue),
    ("magenta", AnsiColor::Magenta),
    ("cyan", AnsiColor::Cyan),
    ("white", AnsiColor::White),
];

const EFFECTS: [(&str, Effects); 6] = [
    ("bold", Effects::BOLD),
    ("dim", Effects::DIMMED),
    ("italic", Effects::ITALIC),
    ("underline", Effects::UNDERLINE),
    ("reverse", Effects::INVERT),
    ("strike", Effects::STRIKETHROUGH),
];

/// A style from its words: `bold red`, `bright-green on-black`.
///
/// # Errors
/// The word that is none of them.
pub(crate) fn style(words: &str) -> Result<Style, String> {
    words.split_whitespace().try_fold(Style::new(), |style, word| {
        if let Some((_, effect)) = EFFECTS.iter().find(|(name, _)| *name == word) {
            return Ok(style | *effect);
        }
        match word.strip_prefix("on-") {
            Some(name) => color(name).map(|color| style.bg_color(Some(color))),
            None => color(word).map(|color| style.fg_color(Some(color))),
        }
        .ok_or_else(|| word.to_string())
    })
}

fn color(name: &str) -> Option<Color> {
    if matches!(name, "gray" | "grey") {
        return Some(AnsiColor::BrightBlack.into());
    }
    let (plain, is_bright) = name.strip_prefix("bright-").map_or((name, false), |plain| (plain, true));
    let (_, color) = COLORS.iter().find(|(name, _)| *name == plain)?;
    Some(color.bright(is_bright).into())
}

/// All words, for the message about one that is none.
pub(crate) fn style_words() -> Vec<String> {
    let colors = || COLORS.iter().map(|(name, _)| *name).chain(["gray"]);
    let bright = COLORS.iter().map(|(name, _)| format!("bright-{name}"));
    let effects = EFFECTS.iter().map(|(name, _)| name.to_string());
    let on = colors().map(|name| format!("on-{name}"));
    effects.chain(colors().map(str::to_string)).chain(bright).chain(on).collect()
}

/// The text in a style, which holds again behind a part that has another.
pub(crate) fn paint(text: &str, style: Style) -> String {
    if style == Style::new() || text.is_empty() {
        return text.to_string();
    }
    let start = style.render().to_string();
    format!("{start}{}{RESET}", text.replace(RESET, &format!("{RESET}{start}")))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{ColorChoice, paint, style};

    fn is_on(choice: ColorChoice, is_terminal: bool, env: &[(&str, &str)]) -> bool {
        choice.is_on(is_terminal, |name| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn colours_are_where_they_are_wanted() {
        let term = ("TERM", "xterm");
        for (expected, choice, is_terminal, env) in [
            (true, ColorChoice::Auto, true, &[term][..]),
            (false, ColorChoice::Auto, false, &[term]),
            (false, ColorChoice::Auto, true, &[]),
            (false, ColorChoice::Auto, true, &[("TERM", "dumb")]),
            (false, ColorChoice::Auto, true, &[term, ("NO_COLOR", "0")]),
            (true, ColorChoice::Auto, true, &[term, ("NO_COLOR", "")]),
            (true, ColorChoice::Auto, false, &[("CLICOLOR_FORCE", "1")]),
            (false, ColorChoice::Auto, false, &[("CLICOLOR_FORCE", "0")]),
            (false, ColorChoice::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
            (true, ColorChoice::Always, false, &[("NO_COLOR", "1")]),
            (false, ColorChoice::Never, true, &[term, ("CLICOLOR_FORCE", "1")]),
        ] {
            assert_eq!(is_on(choice, is_terminal, env), expected, "{choice:?} {is_terminal} {env:?}");
        }
    }

    #[test]
    fn styles_are_words() {
        assert_eq!(paint("x", style("bold red").unwrap()), "\u{1b}[1m\u{1b}[31mx\u{1b}[0m");
        assert_eq!(paint("x", style("bright-green on-black").unwrap()), "\u{1b}[92m\u{1b}[40mx\u{1b}[0m");
        assert_eq!(paint("x", style("").unwrap()), "x");
        assert_eq!(style("bold pink").unwrap_err(), "pink");
    }

    #[test]
    fn a_style_goes_on_behind_an_inner_one() {
        let inner = paint("in", style("red").unwrap());
        let outer = paint(&format!("a{inner}b"), style("bold").unwrap());
        assert_eq!(outer, "\u{1b}[1ma\u{1b}[31min\u{1b}[0m\u{1b}[1mb\u{1b}[0m");
    }
}
