//! Texts in the documentation that a session has written.

use super::home::Home;
use crate::support::project_dir;

/// What is typed for the README, to be shown with what comes of it.
const ENTRIES: &[&str] = &[
    "let colours = $`printf '%s\\n' red green blue`.lines().to_array()",
    "colours.map(|name| #{name: name, letters: name.len()})",
    "_.filter(|row| row.letters > 3)",
    "$`ls -d /` | $`tr / X`",
    "_.elapsed < 5.0",
    "$`test -d colours`",
    "fn half(n) {",
    "    if n % 2 == 1 { throw `${n} is odd`; }",
    "    n / 2",
    "}",
    "half(3)",
    "let job = $`sleep 60`.start();",
    ":type job",
    ":time $`sleep 0.1`",
    "!echo $((6 * 7))",
    ":tiem",
    "job.terminate()",
    ":save session.rhai",
];

/// The part of a document between its markers is this text; `UPDATE_EXPECT=1` writes it.
fn is_fresh(document: &str, marker: &str, made: &str, same: impl Fn(&str) -> String) {
    let path = project_dir().join(document);
    let text = std::fs::read_to_string(&path).expect("it is there");
    let (begin, end) = (format!("<!-- {marker} -->\n"), format!("<!-- end of {marker} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{document} has lost {begin}"));
    let (there, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{document} has lost {end}"));
    if same(there) == same(made) {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        std::fs::write(&path, format!("{before}{begin}{made}{end}{after}")).expect("it can be written");
        return;
    }
    assert_eq!(there, made, "{document} is stale: UPDATE_EXPECT=1 cargo test --test it recorded");
}

/// Without what differs from run to run: times, process ids and the rules under them.
fn without_numbers(text: &str) -> String {
    let times = regex::Regex::new(r"[0-9.]+ (µs|ms|s)\b|pid [0-9]+|-{3,}| {2,}").expect("a pattern");
    times.replace_all(text, "#").into_owned()
}

#[test]
fn the_session_in_the_readme() {
    let home = Home::new();
    // A terminal that draws nothing: what is typed and what is shown follow each other.
    let mut terminal = home.session_with(&[], &[("TERM", "dumb")]);
    let mut shown = String::from("> ");
    for entry in ENTRIES {
        let prompt = if ["fn", "  "].iter().any(|start| entry.starts_with(start)) { "\n… " } else { "\n> " };
        terminal.type_text(entry).type_text("\n");
        shown += &terminal.until(prompt);
    }
    terminal.type_text("\x04");
    assert!(terminal.ended().success());
    let directory = format!("{}/", home.scratch.path().display());
    let shown = shown.replace('\r', "").replace(&directory, "");
    let shown = shown.strip_suffix("> ").expect("the last prompt");
    is_fresh("README.md", "session", &format!("```console\n{shown}```\n"), without_numbers);
    std::fs::remove_file(home.scratch.path().join("session.rhai")).expect("it was saved");
}

#[test]
fn the_commands_in_the_guide() {
    let home = Home::new();
    let overview = home.entries(":help\n").out;
    let names = overview.lines().filter_map(|line| line.strip_prefix(':')?.split_whitespace().next());
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 10, "{overview}");
    let mut made = format!("```text\n{overview}```\n\n");
    for name in names {
        made += &format!("```text\n{}```\n\n", home.entries(format!(":help {name}\n")).out);
    }
    is_fresh("docs/session.md", "commands", &made, str::to_string);
}
