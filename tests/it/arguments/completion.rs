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
