//! Declarations and what they make of command lines; and that no declaration which passes makes clap panic.

use super::item::ValueType;
use super::{Answer, Declaration, Item, Mistake, Raw, Variable, Width, check, command, item, read};

fn number(text: &str) -> Result<(), String> {
    text.parse::<i64>().map(|_| ()).map_err(|_| "it must be a whole number".to_string())
}

const PLAIN: ValueType =
    ValueType { name: "text", check: |_| Ok(()), is_path: false, is_number: false, is_secret: false };
const TYPES: &[ValueType] = &[
    PLAIN,
    ValueType { name: "int", check: number, is_number: true, ..PLAIN },
    ValueType { name: "secret", is_secret: true, ..PLAIN },
];

fn declare(lines: &[&str]) -> Declaration {
    let items = lines.iter().map(|line| item(line, TYPES).unwrap_or_else(|mistake| panic!("{line}: {mistake:?}")));
    let declaration = Declaration { items: items.collect(), ..Declaration::default() };
    check(&declaration, &[]).unwrap_or_else(|mistake| panic!("{lines:?}: {mistake:?}"));
    declaration
}

/// The mistake in the last of the lines.
fn mistake(lines: &[&str]) -> Mistake {
    let mut items = Vec::new();
    for line in lines {
        match item(line, TYPES) {
            Ok(item) => items.push(item),
            Err(mistake) => return mistake,
        }
    }
    let declaration = Declaration { items, ..Declaration::default() };
    check(&declaration, &[]).map(|()| Mistake::new("none")).unwrap_or_else(|(_, mistake)| mistake)
}

/// The values as `key=value`, or the message.
fn given(declaration: &Declaration, words: &[&str], env: &[(&str, &str)]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    let variable = |name: &str| {
        let found = env.iter().find(|(known, _)| *known == name)?;
        Some(Variable { text: Some(found.1.to_string()), is_secret: false })
    };
    match read(declaration, "tool", &words, &variable, Width::Columns(80)) {
        Answer::Print(text) => format!("print {}", text.lines().next().unwrap_or_default()),
        Answer::Wrong { message, text } => {
            assert!(text.starts_with("error: ") && text.contains("--help"), "{text}");
            format!("wrong: {message}")
        }
        Answer::Values { commands, given } => {
            let shown = given.iter().map(|given| {
                let value = match &given.raw {
                    Raw::Missing => "()".to_string(),
                    Raw::Flag(value) => value.to_string(),
                    Raw::Count(count) => count.to_string(),
                    Raw::One(text) => format!("'{text}'"),
                    Raw::Many(texts) => format!("{texts:?}"),
                };
                format!("{}={value}", given.item.key)
            });
            commands.iter().map(|name| name.to_string()).chain(shown).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn a_line_is_read_as_it_is_written_in_a_help() {
    let brief = |line: &str| {
        let Item { key, short, long, placeholder, is_many, is_last, is_required, help, value_type, .. } =
            item(line, TYPES).unwrap_or_else(|mistake| panic!("{line}: {mistake:?}"));
        let flags = [(is_many, '*'), (is_last, '-'), (is_required, '!')];
        let flags: String = flags.into_iter().filter(|(is_there, _)| *is_there).map(|(_, sign)| sign).collect();
        let name = |name: Option<String>| name.unwrap_or_else(|| "·".to_string());
        let parts = [key, name(short.map(String::from)), name(long), name(placeholder), flags];
        format!("{} | {} | {help}", parts.join(" "), value_type.name)
    };
    for (line, wanted) in [
        ("-n, --dry-run  change nothing", "dry_run n dry-run ·  | text | change nothing"),
        ("-n --dry-run\tchange nothing", "dry_run n dry-run ·  | text | change nothing"),
        ("--dry-run,-n", "dry_run n dry-run ·  | text | "),
        ("-v, --verbose...  more", "verbose v verbose · * | text | more"),
        ("-V", "V V · ·  | text | "),
        ("-j, --jobs=N  at once [int]", "jobs j jobs N  | int | at once"),
        ("-j N, --jobs N  at once [int]", "jobs j jobs N  | int | at once"),
        ("-j=N [int]", "j j · N  | int | "),
        ("--jobs <n>  at once", "jobs · jobs n  | text | at once"),
        ("--exclude=GLOB...  not", "exclude · exclude GLOB * | text | not"),
        ("--exclude GLOB ...  not", "exclude · exclude GLOB * | text | not"),
        ("TARGET  where to", "target · · TARGET ! | text | where to"),
        ("<target-dir>  where to", "target_dir · · target-dir ! | text | where to"),
        ("[TARGET]", "target · · TARGET  | text | "),
        ("FILES...  what [int]", "files · · FILES *! | int | what"),
        ("[FILES...]  what", "files · · FILES * | text | what"),
        ("[FILES]...  what", "files · · FILES * | text | what"),
        ("-- COMMAND...  what", "command · · COMMAND *-! | text | what"),
        ("[-- COMMAND...]  what", "command · · COMMAND *- | text | what"),
        ("--a=B  see [this] one", "a · a B  | text | see [this] one"),
        ("--a=B  see [this] one.  Twice [required]", "a · a B ! | text | see [this] one.  Twice"),
        ("--a=B  [name: it] [default: [x: y]]", "it · a B  | text | "),
    ] {
        assert_eq!(brief(line), wanted, "{line}");
    }
}

#[test]
fn what_is_wrong_with_a_line_is_said() {
    for (lines, message, help) in [
        (&["--jobs=N  [defualt: 4]"][..], "`[defualt: 4]` is no property of an argument", "did you mean `default`?"),
        (&["--jobs=N  [nit]"], "`[nit]` is no property of an argument", "did you mean `int`?"),
        (&["--jobs=N  [xyzzy]"], "`[xyzzy]` is no property of an argument", "[default: …]"),
        (&["--jobs=N  [int] [secret]"], "`[secret]`: a value has one type", ""),
        (&["--jobs=N  [env: A] [env: B]"], "`[env]` is there twice", ""),
        (&["--jobs=N  [env]"], "`[env]` lacks its value", "[env: …]"),
        (&["--jobs=N  [required: yes]"], "`[required]` takes no value", ""),
        (&["--dry-run  [int]"], "`[int]`: a flag has no value", "--name=VALUE"),
        (&["--dry-run  [default: true]"], "the flag `--dry-run` cannot have [default]", ""),
        (&["--dry-run  [required]"], "the flag `--dry-run` cannot have [required]", ""),
        (&["--a=B  x]"], "a bracket is missing in `x]`", ""),
        (&["-v, --verbose say more"], "`say` is no name of an option and no value", "two spaces"),
        (&["--verbose SAY MORE"], "an option has one value, not both SAY and MORE", "two spaces"),
        (&["--color[=WHEN]  x"], "`--color[=WHEN]`: an option takes a value always or never", "--color-when"),
        (&["-dry-run"], "`-dry-run` is no name of an option", "two dashes"),
        (&["--"], "`--` is no name of an option", ""),
        (&["--a --b"], "an option has one long name, not both --a and --b", ""),
        (&["target  where"], "`target` is no argument and no option", "TARGET"),
        (&["TARGET where to"], "`TARGET where to` is more than one name", "two spaces"),
        (&[""], "an argument needs a name", ""),
        (&["A\nB"], "an argument is declared in one line", ""),
        (&["--a", "--b", "-x, --a"], "`--a` is declared twice", ""),
        (&["-x, --a", "-x, --b"], "`-x` is declared twice", ""),
        (&["--a-b", "A_B"], "two arguments are called `a_b` in the result", "[name: what]"),
        (&["--help"], "`--help` is there by itself", ""),
        (&["--a=B  [name: x y]"], "`--a <B>`: `x y` cannot be its name in the result", ""),
        (&["--a=B  [env: A-B]"], "`--a <B>`: `A-B` is no name of an environment variable", ""),
        (&["--a=B  [int] [default: x]"], "the default `x` cannot be: it must be a whole number", ""),
        (&["--a=B  [values: one, two] [default: on]"], "the default `on` cannot be", "did you mean `one`?"),
        (&["--a=B  [values: 1, x] [int]"], "the value `x` is none: it must be a whole number", ""),
        (&["--a=B  [required] [default: x]"], "one of them has no meaning", ""),
        (&["--a  [needs: --user]", "--usr=X"], "`--a` names `--user`, which is not declared", "did you mean `--usr`?"),
        (&["--a  [conflicts: --a]"], "`--a` names itself", ""),
        (&["[A]", "B"], "`<B>` is always there: it has to stand before `<A>`", ""),
        (&["A...", "B...", "C"], "`<A>...` takes all the rest", ""),
        (&["[A...]", "B"], "`<A>...` takes all the rest", ""),
        (&["A...", "B"], "`<A>...` takes all the rest", ""),
        (&["A  [env: X]", "B"], "`<B>` is always there", ""),
        (&["-- A...", "B"], "`<A>...` takes everything behind `--`", ""),
    ] {
        let found = mistake(lines);
        assert!(found.message.contains(message), "{lines:?}: {found:?}");
        assert!(found.help.as_deref().unwrap_or_default().contains(help), "{lines:?}: {found:?}");
    }
    let commands = vec![("run".to_string(), Declaration::default())];
    for line in ["A", "--command"] {
        let items = vec![item(line, TYPES).unwrap()];
        let declaration = Declaration { items, commands: commands.clone(), ..Declaration::default() };
        assert!(check(&declaration, &[]).is_err(), "{line}");
    }
}

#[test]
fn values_come_from_the_command_line_the_environment_and_the_default() {
    let declaration = declare(&[
        "DEST  where",
        "SOURCE...  what",
        "-n, --dry-run  nothing [env: DRY]",
        "-v, --verbose...  more [env: VERBOSE]",
        "-k, --keep=N  how many [int] [default: 7] [env: KEEP]",
        "-x, --exclude=GLOB...  not [default: a, b] [env: EXCLUDE]",
        "--as=USER  who",
    ]);
    let none: &[(&str, &str)] = &[];
    for (words, env, wanted) in [
        (
            &["a", "b", "c"][..],
            none,
            "dest='a' source=[\"b\", \"c\"] dry_run=false verbose=0 keep='7' exclude=[\"a\", \"b\"] as=()",
        ),
        (
            &["-nvv", "a", "-x", "1,2", "b", "--keep=-3", "c", "-x3"],
            none,
            "dest='a' source=[\"b\", \"c\"] dry_run=true verbose=2 keep='-3' exclude=[\"1,2\", \"3\"] as=()",
        ),
        (
            &["a", "b"],
            &[("DRY", "YES"), ("VERBOSE", "3"), ("KEEP", "9"), ("EXCLUDE", "x, y,")],
            "dest='a' source=[\"b\"] dry_run=true verbose=3 keep='9' exclude=[\"x\", \"y\"] as=()",
        ),
        (
            &["a", "b", "-k1"],
            &[("DRY", ""), ("VERBOSE", "on"), ("KEEP", "not looked at")],
            "dest='a' source=[\"b\"] dry_run=false verbose=1 keep='1' exclude=[\"a\", \"b\"] as=()",
        ),
        (
            &["--", "-a", "-b"],
            none,
            "dest='-a' source=[\"-b\"] dry_run=false verbose=0 keep='7' exclude=[\"a\", \"b\"] as=()",
        ),
        (&["a"], none, "wrong: the following required arguments were not provided: <SOURCE>..."),
        (&["a", "b", "--kep", "1"], none, "wrong: unexpected argument '--kep' found"),
        (&["a", "b", "-k"], none, "wrong: a value is required for '--keep <N>' but none was supplied"),
        (&["a", "b", "-k", "x"], none, "wrong: invalid value 'x' for '--keep <N>': it must be a whole number"),
        (&["a", "b", "-n", "-n"], none, "wrong: the argument '--dry-run' cannot be used multiple times"),
        (
            &["a", "b"],
            &[("KEEP", "x")],
            "wrong: invalid value 'x' for '--keep <N>' in the environment variable KEEP: it must be a whole number",
        ),
        (
            &["a", "b"],
            &[("DRY", "perhaps")],
            "wrong: invalid value 'perhaps' for '--dry-run' in the environment variable DRY: it must be true or false",
        ),
        (&["--help"], none, "print Usage: tool [OPTIONS] <DEST> <SOURCE>..."),
        (&["-h", "--nonsense"], none, "print Usage: tool [OPTIONS] <DEST> <SOURCE>..."),
    ] {
        assert_eq!(given(&declaration, words, env), wanted, "{words:?} {env:?}");
    }
}

#[test]
fn own_letters_go_before_those_of_help_and_version() {
    let mut declaration = declare(&["-h, --host=NAME  who", "-V, --verify  it"]);
    declaration.version = Some("1.2".to_string());
    assert_eq!(given(&declaration, &["-h", "x", "-V"], &[]), "host='x' verify=true");
    assert_eq!(given(&declaration, &["--help"], &[]), "print Usage: tool [OPTIONS]");
    assert_eq!(given(&declaration, &["--version"], &[]), "print tool 1.2");
}

#[test]
fn what_needs_and_excludes_each_other() {
    let declaration = declare(&[
        "--user=NAME  who [needs: --token]",
        "--token=TEXT  what [env: TOKEN]",
        "--anonymous  nobody [conflicts: --user, --token]",
        "--file=FILE  from [required] [conflicts: --stdin]",
        "--stdin  from there",
    ]);
    let all = |words: &[&str], env: &[(&str, &str)]| given(&declaration, words, env);
    assert_eq!(
        all(&["--stdin", "--user", "me"], &[]),
        "wrong: the argument '--user <NAME>' cannot be used without '--token <TEXT>'"
    );
    assert_eq!(
        all(&["--stdin", "--user", "me"], &[("TOKEN", "t")]),
        "user='me' token='t' anonymous=false file=() stdin=true"
    );
    // What is said on the command line goes before the environment.
    assert_eq!(
        all(&["--stdin", "--anonymous"], &[("TOKEN", "t")]),
        "user=() token=() anonymous=true file=() stdin=true"
    );
    assert_eq!(
        all(&["--stdin", "--anonymous", "--token=t"], &[]),
        "wrong: the argument '--token <TEXT>' cannot be used with '--anonymous'"
    );
    assert_eq!(all(&[], &[]), "wrong: the following required arguments were not provided: --file <FILE>");
    assert_eq!(
        all(&["--stdin", "--file", "x"], &[]),
        "wrong: the argument '--file <FILE>' cannot be used with '--stdin'"
    );
}

#[test]
fn options_of_the_script_stand_on_both_sides_of_a_command() {
    let mut remote = declare(&["--all  of them"]);
    remote.commands = vec![("add".to_string(), declare(&["NAME", "[URL]"])), ("rm".to_string(), declare(&["NAME"]))];
    let mut declaration = declare(&["-v, --verbose...", "--dir=DIR  [required] [env: DIR]", "-n, --dry-run"]);
    declaration.commands = vec![("remote".to_string(), remote), ("status".to_string(), Declaration::default())];
    let all = |words: &[&str], env: &[(&str, &str)]| given(&declaration, words, env);
    assert_eq!(
        all(&["-v", "remote", "-vn", "add", "-v", "x", "--dir", "d", "--all"], &[]),
        "remote add verbose=3 dir='d' dry_run=true all=true name='x' url=()"
    );
    assert_eq!(all(&["status"], &[("DIR", "e")]), "status verbose=0 dir='e' dry_run=false");
    assert_eq!(all(&["status"], &[]), "wrong: the following required arguments were not provided: --dir <DIR>");
    assert_eq!(
        all(&["--dir", "a", "status", "--dir", "b"], &[]),
        "wrong: the argument '--dir <DIR>' cannot be used multiple times"
    );
    assert!(
        all(&["--dir", "a"], &[]).starts_with("wrong: 'tool' requires a subcommand"),
        "{}",
        all(&["--dir", "a"], &[])
    );
    assert!(all(&["--dir", "a", "stats"], &[]).contains("unrecognized subcommand 'stats'"));
    assert_eq!(all(&["remote", "add", "--help"], &[]), "print Usage: tool remote add [OPTIONS] <NAME> [URL]");
    let words = ["status".to_string()];
    let Answer::Wrong { text, .. } = read(&declaration, "tool", &words, &|_| None, Width::Columns(80)) else {
        panic!()
    };
    assert!(text.contains("Usage: tool status [OPTIONS]"), "{text}");
    declaration.command_is_optional = true;
    assert_eq!(given(&declaration, &["--dir", "a"], &[]), "verbose=0 dir='a' dry_run=false");
}

#[test]
fn the_help_does_not_show_what_the_environment_has() {
    let declaration = declare(&["--token=TEXT  what [secret] [env: TOKEN]", "--jobs=N  [default: 4] [env: JOBS]"]);
    let variable = |_: &str| Some(Variable { text: Some("s3cret".to_string()), is_secret: false });
    let words = ["--help".to_string()];
    let Answer::Print(text) = read(&declaration, "tool", &words, &variable, Width::Columns(80)) else { panic!() };
    assert!(!text.contains("s3cret") && text.contains("[default: 4] [env: JOBS]"), "{text}");
}

#[test]
fn the_help_is_as_wide_as_it_may_be() {
    let declaration =
        declare(&["--a=B  one two three four five six seven eight nine ten eleven twelve thirteen fourteen"]);
    for columns in [40, 80, 120] {
        let words = ["--help".to_string()];
        let answer = read(&declaration, "tool", &words, &|_| None, Width::Columns(columns));
        let Answer::Print(text) = answer else { panic!() };
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(widest <= columns && widest > columns / 2, "{columns}: {text}");
    }
}

/// A number that is always the same for the same seed.
fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    ((*state >> 33) as usize) % below
}

/// Clap checks what it is given with assertions in debug builds: whatever passes ours must pass those.
#[test]
fn no_declaration_that_passes_makes_clap_panic() {
    const HEADS: &[&str] = &[
        "-a",
        "-b, --bee",
        "--bee=N",
        "-h, --host=H",
        "-V",
        "--version",
        "A",
        "[A]",
        "A...",
        "[A...]",
        "B",
        "[B]",
        "B...",
        "-- C...",
        "[-- C...]",
        "-- C",
        "--all...",
        "--item=X...",
        "-1",
        "--2fa=CODE",
        "--bee-all",
        "D",
    ];
    const PROPERTIES: &[&str] = &[
        "[int]",
        "[default: 4]",
        "[default: x]",
        "[values: 4, x]",
        "[env: HOME]",
        "[required]",
        "[hidden]",
        "[needs: -a]",
        "[conflicts: --bee]",
        "[conflicts: A]",
        "[name: version]",
        "[name: help]",
        "[needs: --item]",
    ];
    const WORDS: &[&str] =
        &["-a", "-h", "--bee", "4", "x", "--", "--help", "-V", "run", "--item=3", "--all", "-1", "", "-"];
    let mut state = 7;
    let mut passed = 0;
    for round in 0..20_000 {
        let level = |state: &mut u64, inherited: &[&Item], commands: Vec<(String, Declaration)>| {
            let mut items = Vec::new();
            for _ in 0..random(state, 5) {
                let mut line = HEADS[random(state, HEADS.len())].to_string();
                for _ in 0..random(state, 3) {
                    line = format!("{line}  {}", PROPERTIES[random(state, PROPERTIES.len())]);
                }
                items.extend(item(&line, TYPES));
            }
            let version = (random(state, 3) == 0 && inherited.is_empty()).then(|| "1".to_string());
            let declaration = Declaration {
                items,
                version,
                commands,
                command_is_optional: random(state, 2) == 0,
                ..Declaration::default()
            };
            check(&declaration, inherited).is_ok().then_some(declaration)
        };
        let has_commands = random(&mut state, 3) == 0;
        let empty = if has_commands { vec![("run".to_string(), Declaration::default())] } else { Vec::new() };
        let Some(mut declaration) = level(&mut state, &[], empty) else { continue };
        if has_commands {
            let inherited: Vec<&Item> = declaration.items.iter().collect();
            let Some(below) = level(&mut state, &inherited, Vec::new()) else { continue };
            declaration.commands = vec![("run".to_string(), below)];
        }
        passed += 1;
        command(&declaration, "tool", Width::Columns(80)).debug_assert();
        let words: Vec<String> =
            (0..random(&mut state, 5)).map(|_| WORDS[random(&mut state, WORDS.len())].to_string()).collect();
        let variable = |_: &str| (round % 3 == 0).then(|| Variable { text: Some("4".to_string()), is_secret: false });
        read(&declaration, "tool", &words, &variable, Width::Columns(80));
    }
    assert!(passed > 2000, "only {passed} declarations passed");
}
