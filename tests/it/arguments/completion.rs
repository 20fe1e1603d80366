//! `procscript complete`: what shells make of it.

use crate::support::run::Run;

const SCRIPT: &str = r#"
print("ran");
cmd("testkid", "echo", "ran").stdout_path("ran.txt").run();
let opt = cli(#{
    args: ["-v, --verbose...  say more", "--format=FORMAT  [values: text, json, $(touch pwned), a b]", "--internal  [hidden]"],
    commands: #{
        push: #{ args: ["-f, --force  it's all 'right' $(touch pwned) `touch pwned`", "--file=FILE  [path]"] },
        pull: #{ args: ["REMOTE  [values: origin, upstream]"] },
    },
});
"#;

/// What bash completes the words to, of which the last is begun.
fn completed(words: &str) -> Vec<String> {
    let line = format!(
        "exec 3< <(\"$0\" complete bash deploy.rhai) && source /dev/fd/3 || exit 9
         COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); compopt() {{ :; }}
         function=$(complete -p deploy.rhai | sed 's/.*-F \\([^ ]*\\).*/\\1/')
         \"$function\" deploy.rhai \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let run = Run::program("/usr/bin/env").flag("bash").flag("-c").flag(line).flag(crate::support::procscript_bin());
    let outcome = run.file("deploy.rhai", SCRIPT).file("notes.txt", "").run();
    outcome.success().stderr("");
    let mut found: Vec<String> = String::from_utf8_lossy(&outcome.stdout).lines().map(str::to_string).collect();
    found.retain(|line| !line.is_empty());
    found.sort();
    found
}

fn has_bash() -> bool {
    std::process::Command::new("bash")
        .args(["-c", "(( BASH_VERSINFO[0] >= 4 ))"])
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn bash_completes_options_values_commands_and_files() {
    if !has_bash() {
        return;
    }
    assert_eq!(completed("deploy.rhai pu"), ["pull", "push"]);
    assert_eq!(completed("deploy.rhai --v"), ["--verbose"]);
    // What is hidden is not offered.
    assert_eq!(completed("deploy.rhai --i"), Vec::<String>::new());
    // Values that a shell would run are left out.
    assert_eq!(completed("deploy.rhai --format ''"), ["json", "text"]);
    assert_eq!(completed("deploy.rhai push --f"), ["--file", "--force", "--format"]);
    assert_eq!(completed("deploy.rhai push --file no"), ["notes.txt"]);
    assert_eq!(completed("deploy.rhai pull up"), ["upstream"]);
}

/// Whether a shell is there; a test that cannot run says so.
fn has(shell: &str) -> bool {
    let is_there = crate::support::script_case::is_installed(shell);
    if !is_there {
        println!("SKIP: {shell} is not installed");
    }
    is_there
}

#[test]
fn fish_completes_options_values_commands_and_files() {
    if !has("fish") {
        return;
    }
    let completed = |words: &str| {
        let line = "$argv[1] complete fish deploy.rhai | source; complete -C $argv[2]";
        let run = Run::program("/usr/bin/env").flag("fish").flag("--no-config").flag("-c").flag(line);
        let run = run.flag(crate::support::procscript_bin()).flag(words);
        let run = run.file("deploy.rhai", SCRIPT).file("notes.txt", "").allow_file(".local/").allow_file(".config/");
        let outcome = run.allow_file(".cache/").run();
        outcome.success().stderr("");
        let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
        text.lines().filter_map(|line| line.split('\t').next()).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(completed("deploy.rhai pu"), ["pull", "push"]);
    assert_eq!(completed("deploy.rhai --v"), ["--verbose"]);
    assert_eq!(completed("deploy.rhai --i"), Vec::<String>::new());
    // With the option not yet complete for whoever parses the line.
    assert_eq!(completed("deploy.rhai --format "), ["json", "text"]);
    assert_eq!(completed("deploy.rhai --format=j"), ["--format=json"]);
    assert_eq!(completed("deploy.rhai push --f"), ["--file", "--force", "--format"]);
    assert_eq!(completed("deploy.rhai push --format "), ["json", "text"]);
    assert_eq!(completed("deploy.rhai push --file no"), ["notes.txt"]);
}

/// What a session of zsh makes of words and a tabulator, each shown between bars.
const ZSH: &str = r#"
zmodload zsh/zpty || exit 9
"$0" complete zsh deploy.rhai > it || exit 9
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell 'PS1= PS2=; autoload -Uz compinit && compinit -u -D; source ./it
    deploy.rhai() { print -r -- "GOT<${(j:|:)@}>" }; print READ''Y'
zpty -r shell line '*READY*'
for words in "$@"; do
    zpty -n -w shell "$words"$'\t\n'
    zpty -r shell line '*GOT<*>*' && print -r -- "${${line##*GOT<}%%>*}"
done
zpty -w shell exit
zpty -d shell
"#;

#[test]
fn zsh_completes_options_values_commands_and_files() {
    if !has("zsh") {
        return;
    }
    let cases = [
        ("pus", "push"),
        ("--verb", "--verbose"),
        ("--inter", "--inter"),
        ("--format js", "--format|json"),
        ("push --forc", "push|--force"),
        ("push --file no", "push|--file|notes.txt"),
        ("pull up", "pull|upstream"),
    ];
    let run = Run::program("/usr/bin/env").flag("zsh").flag("-f").flag("-c").flag(ZSH);
    let run = run.flag(crate::support::procscript_bin());
    let run = cases.iter().fold(run, |run, (words, _)| run.flag(format!("deploy.rhai {words}")));
    let outcome = run.file("deploy.rhai", SCRIPT).file("notes.txt", "").allow_file("it").run();
    let expected: String = cases.iter().map(|(_, completed)| format!("{completed}\n")).collect();
    outcome.success().stderr("").stdout(&expected);
}

#[test]
fn other_shells_can_read_theirs() {
    for (shell, check) in [("bash", "bash -n"), ("zsh", "zsh -n"), ("fish", "fish --no-execute")] {
        let line =
            format!("command -v {shell} > /dev/null || exit 0; \"$0\" complete {shell} deploy.rhai > it && {check} it");
        let run = Run::program("/bin/sh").flag("-c").flag(line).flag(crate::support::procscript_bin());
        run.file("deploy.rhai", SCRIPT).allow_file("it").run().success().stdout("").stderr("");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Run::new().flag("complete").flag(shell).flag("deploy.rhai").file("deploy.rhai", SCRIPT);
        run.run().success().stdout_contains("force").stdout_contains("verbose").stderr("");
        let own = Run::new().flag("complete").flag(shell).run();
        own.success().stdout_contains("memory-limit").stdout_contains("fmt").stderr("");
    }
}

#[test]
fn what_cannot_be_completed_is_said() {
    let complete = |words: &[&str]| words.iter().fold(Run::new().flag("complete"), |run, word| run.flag(*word));
    let plain = complete(&["bash", "plain.rhai"]).file("plain.rhai", "print(1);").run();
    plain.status(2).stdout("").stderr_contains("error: the script `plain.rhai` does not declare its arguments");
    complete(&["bash", "none.rhai"]).run().status(2).stderr_contains("cannot read the script `none.rhai`");
    let broken = complete(&["bash", "x.rhai"]).file("x.rhai", "cli(#{ abuot: \"x\" });").run();
    broken.status(2).stdout("").stderr_contains("did you mean `about`?");
    complete(&["csh", "x.rhai"]).run().status(2).stderr_contains("'csh'");
    let script = "cli(#{ args: [\"--all\"] });";
    let odd = complete(&["bash", "a b;c.rhai"]).file("a b;c.rhai", script).run();
    odd.status(2).stdout("").stderr_contains("--name");
    let named = complete(&["bash", "--name", "deploy", "a b;c.rhai"]).file("a b;c.rhai", script).run();
    named.success().stdout_contains("complete -F _deploy ").stderr("");
    complete(&["bash", "--name", "", "x.rhai"]).file("x.rhai", script).run().status(2);
}
