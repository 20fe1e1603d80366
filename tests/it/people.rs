//! What people see and are asked at a terminal; what there is without one is in `tests/scripts/people`.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use procscript::script::{QuestionKind, Runtime};

use crate::support::leaks::{self, Guard};
use crate::support::pty::{Terminal, signal_of};
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::{procscript_bin, testkid};

/// What makes a screen of the script in `scratch`, with these flags in front of it.
fn command(scratch: &Scratch, flags: &[&str], script: &str) -> Command {
    scratch.write("script.rhai", script);
    let mut command = Command::new(procscript_bin());
    let path = format!("{}:/bin:/usr/bin", testkid().parent().expect("it is in a directory").display());
    command.args(flags).arg("script.rhai").current_dir(scratch.path()).env_clear();
    command.env("PATH", path).env("TERM", "xterm").env("LANG", "C.UTF-8");
    command
}

fn at_terminal(scratch: &Scratch, script: &str) -> Terminal {
    Terminal::start(command(scratch, &[], script), [true; 3])
}

/// The rows that a screen of 80 columns has in the end.
fn screen(shown: &str) -> Vec<String> {
    let (mut rows, mut row, mut column) = (vec![Vec::<char>::new()], 0, 0);
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        match c {
            '\n' => row += 1,
            '\r' => column = 0,
            '\u{1b}' => {
                let sequence: String = rest.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
                // What has ended it is gone: of ours only these two take a number or none.
                match sequence.strip_prefix('[') {
                    Some("") => {
                        rows.truncate(row + 1);
                        rows[row].truncate(column);
                    }
                    Some(number) => row -= number.parse::<usize>().unwrap_or(0),
                    None => {}
                }
            }
            c => {
                let line = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        rows.resize(rows.len().max(row + 1), Vec::new());
    }
    let rows = rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_string());
    rows.filter(|row| !row.is_empty()).collect()
}

#[test]
fn questions_are_answered_line_by_line() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = r#"
        let name = ask("Name?", #{validate: |text| if text.len() > 2 { true } else { "too short" }});
        print("<" + name + ">");
        print(ask("Colour?", #{fallback: "blue"}));
        print(confirm("Sure?"));
        print(confirm("Really?", #{fallback: true}));
        print(select("Stage?", ["staging", "production"]));
        print(multi_select("Parts?", ["web", "api", "worker"]));
        print("<" + cmd("testkid", "cat").stdin_inherit().read() + ">");
    "#;
    let mut terminal = at_terminal(&scratch, script);
    terminal.expect("Name? ").type_text("x\r").expect("too short").expect("Name? ");
    // All at once: what is typed ahead stays for those who are meant.
    terminal.type_text("Ada\r\rmaybe\ry\r\r7\rprod\r1, wo\rfor the child\r\x04");
    for text in ["<Ada>", "Colour? [blue] ", "blue\r\n", "Sure? [y/n] ", "type y or n", "true", "[Y/n] ", "true"] {
        terminal.expect(text);
    }
    terminal.expect("1) staging\r\n").expect("2) production\r\n").expect("numbers 1 to 2").expect("production");
    terminal.expect("3) worker").expect("[\"web\", \"worker\"]").expect("<for the child>");
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn the_end_of_input_is_an_error_and_no_answer() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script =
        r#"try { ask("Name?", #{fallback: "x"}) } catch (e) { print(e.kind + ": " + e.message); } ask("Again?")"#;
    let mut terminal = at_terminal(&scratch, script);
    terminal.expect("Name? [x] ").type_text("\x04");
    terminal.expect("unanswered: nobody answered `Name?`: the input has ended\r\n");
    terminal.expect("Again? ").type_text("\x04").expect("error: nobody answered `Again?`: the input has ended");
    assert_eq!(terminal.ended().code(), Some(1));
}

#[test]
fn ctrl_c_ends_a_question_at_once_and_clean_up_runs() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    for question in ["ask(\"Name?\")", "password(\"Name?\")"] {
        let mut terminal = at_terminal(
            &scratch,
            &format!(
                "defer {{ print(\"deferred\"); }} try {{ {question}; }} catch {{ print(\"caught\"); }} print(\"on\");"
            ),
        );
        terminal.expect("Name? ");
        let started = Instant::now();
        terminal.type_text("\x03").expect("deferred");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert_eq!(signal_of(terminal.ended()), Some(2));
        assert!(!terminal.shown.contains("caught") && !terminal.shown.contains("on\r"), "{}", terminal.shown);
        assert!(terminal.echoes(), "{question} leaves a terminal that does not echo");
    }
}

#[test]
fn a_password_is_not_shown_and_a_secret() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = r#"
        let token = password("Token:");
        print("got " + token.reveal());
        print(token.len);
        cmd("testkid", "exit", "3", token).run();
    "#;
    let mut terminal = at_terminal(&scratch, script);
    terminal.expect("Token: ");
    assert!(!terminal.echoes());
    // Too short for a secret.
    terminal.type_text("abc\r").expect("at least 4 characters").expect("Token: ");
    terminal.type_text("hunter22\r").expect("got ***").expect("8").expect("exit 3 ***` exited with code 3");
    assert_eq!(terminal.ended().code(), Some(3));
    assert!(!terminal.shown.contains("hunter22"), "{}", terminal.shown);
    assert!(terminal.echoes());
}

#[test]
fn a_password_gives_the_terminal_back_whatever_ends_it() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    for (signal, name) in [(15, "TERM"), (1, "HUP"), (3, "QUIT")] {
        let mut terminal = at_terminal(&scratch, "password(\"Token:\");");
        terminal.expect("Token: ");
        let kill = Command::new("kill").args([format!("-{name}"), terminal.pid().to_string()]).status();
        assert!(kill.expect("kill is everywhere").success());
        assert_eq!(signal_of(terminal.ended()), Some(signal), "{name}");
        assert!(terminal.echoes(), "{name}");
    }
    let mut terminal = at_terminal(&scratch, "with timeout(\"50ms\") { password(\"Token:\"); }");
    terminal.expect("timed out");
    assert_eq!(terminal.ended().code(), Some(124));
    assert!(terminal.echoes());
}

#[test]
fn data_can_be_piped_into_a_script_that_asks() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = r#"let sure = confirm("Go?"); print(cmd("testkid", "cat").stdin_inherit().read() + " " + sure);"#;
    scratch.write("data", "piped");
    let mut command = command(&scratch, &[], script);
    command.stdin(std::fs::File::open(scratch.path().join("data")).expect("it was just written"));
    command.stdout(Stdio::piped());
    let mut terminal = Terminal::start(command, [false, false, true]);
    terminal.expect("Go? [y/n] ").type_text("y\r");
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(terminal.output(), "piped true\n");
    // Standard error is elsewhere, too: the question is seen all the same.
    let mut command = self::command(&scratch, &[], "print(confirm(\"Go?\"));");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut terminal = Terminal::start(command, [false; 3]);
    terminal.expect("Go? [y/n] ").type_text("n\r");
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(terminal.output(), "false\n");
}

#[test]
fn nobody_is_asked_where_nobody_sits() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = "print(ask(\"Name?\", #{fallback: \"x\"})); confirm(\"Go?\");";
    let mut ci = command(&scratch, &[], script);
    ci.env("CI", "true");
    let mut terminal = Terminal::start(ci, [true; 3]);
    terminal
        .expect("x\r\n")
        .expect("error: nobody answered `Go?`: this is a CI system")
        .expect("help: run the script with --yes");
    assert_eq!(terminal.ended().code(), Some(1));

    let yes = command(&scratch, &["--yes"], &format!("{script} print(\"went\");"));
    let mut terminal = Terminal::start(yes, [true; 3]);
    terminal.expect("x\r\n").expect("went");
    assert_eq!(terminal.ended().code(), Some(0));
    assert!(!terminal.shown.contains("Go?"), "{}", terminal.shown);

    // In the background: the terminal is another group's.
    let mut shell = Command::new("sh");
    scratch.write("script.rhai", script);
    shell.args(["-mc", "\"$0\" script.rhai & wait $!; echo done $?"]).arg(procscript_bin());
    shell.current_dir(scratch.path()).env_remove("CI");
    let mut terminal = Terminal::start(shell, [true; 3]);
    terminal.expect("nobody answered `Go?`: this process runs in the background").expect("done 1");
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn a_host_answers_or_nobody_does() {
    let _shared = leaks::shared();
    let runtime = Runtime::builder()
        .prompts(|question| match question.kind {
            QuestionKind::Confirm => Some("y".to_string()),
            QuestionKind::One => question.choices.last().cloned(),
            QuestionKind::Password => Some("s3cret-token".to_string()),
            QuestionKind::Text => Some(question.text.to_uppercase()),
            _ => None,
        })
        .build()
        .unwrap();
    let answers: String = runtime
        .eval(r#"[confirm("a"), select("b", [1, 2]), password("c"), ask("d"), ask("e", #{fallback: 1})].to_string()"#)
        .unwrap();
    assert_eq!(answers.replace('\u{fe00}', ""), r#"[true, 2, ***, "D", "E"]"#);
    let failure = runtime.eval::<()>(r#"multi_select("Which?", [1]);"#).unwrap_err();
    assert_eq!(failure.message(), "nobody answered `Which?`: the program that runs the script did not");
    let failure = runtime.eval::<()>(r#"ask("x", #{validate: |x| "never " + x});"#).unwrap_err();
    assert_eq!(failure.message(), "the answer to `x` cannot be used: never X");

    let hosted = Runtime::builder().stderr(|_| {}).build().unwrap();
    let failure = hosted.eval::<()>(r#"confirm("Go?");"#).unwrap_err();
    assert_eq!(failure.message(), "nobody answered `Go?`: the program that runs the script does not say who answers");
    assert!(hosted.eval::<bool>(r#"confirm("Go?", #{fallback: true})"#).unwrap());
    let kind = hosted.eval::<String>(r#"attempt(|| ask("Go?")).error.kind"#).unwrap();
    assert_eq!(kind, "unanswered");
}

#[test]
fn a_bar_stands_below_everything_and_leaves_nothing() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = r#"
        let bar = progress(3, #{label: "copy"});
        print("printed");
        eprint("told");
        cmd("testkid", "echo", "of a command").run();
        bar.advance();
        cmd("testkid", ["err", "of another"]).read();
        sleep("150ms");
        bar.advance(2);
        sleep("150ms");
        bar.finish("copied");
        print("end");
    "#;
    let mut terminal = at_terminal(&scratch, script);
    assert_eq!(terminal.ended().code(), Some(0));
    let shown = terminal.everything();
    assert!(shown.contains("copy ██████████░░░░░░░░░░░░░░░░░░░░  33% 1/3"), "{shown}");
    let rows = screen(&shown);
    let [printed, told, one, other, finished, end] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!([printed, told, one, other, end], ["printed", "told", "of a command", "of another", "end"]);
    assert!(finished.starts_with("copied ("), "{finished}");
}

#[test]
fn a_bar_goes_on_every_way_out() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    for (end, code, rows) in [
        ("{ let bar = progress(3); sleep(\"150ms\"); } print(\"end\");", 0, &["end"][..]),
        ("let bar = spinner(\"x\"); sleep(\"150ms\"); throw \"no\";", 1, &["error: no"]),
        ("let bar = spinner(\"x\"); sleep(\"150ms\"); exit(4);", 4, &[]),
        ("let bar = spinner(\"x\"); let f = || bar.label(\"y\"); f.call(); sleep(\"150ms\"); exit(5);", 5, &[]),
        ("let bar = spinner(\"x\"); with timeout(\"150ms\") { loop {} }", 124, &["error: the block"]),
    ] {
        let mut terminal = at_terminal(&scratch, end);
        assert_eq!(terminal.ended().code(), Some(code), "{end}");
        let shown = terminal.everything();
        let left = screen(&shown);
        assert_eq!(left.is_empty(), rows.is_empty(), "{end}: {left:?}");
        for (row, expected) in left.iter().zip(rows) {
            assert!(row.starts_with(expected), "{end}: {left:?}");
        }
        assert!(shown.contains('⠋') || shown.contains("0/3"), "{end}: {shown}");
    }
    let mut terminal = at_terminal(&scratch, "let bar = spinner(\"working\"); sleep(\"1m\");");
    terminal.expect("working");
    terminal.type_text("\x03");
    assert_eq!(signal_of(terminal.ended()), Some(2));
    let left = screen(&terminal.everything());
    assert!(left.iter().all(|row| row.replace("^C", "").is_empty()), "{left:?}");
}

#[test]
fn progress_degrades() {
    let script = "let bar = progress(2, #{label: \"copy\"}); bar.advance(2); bar.finish(\"copied\"); print(\"end\");";
    let lines = "copy: 0/2 (0%)\ncopy: 2/2 (100%)\ncopied (";
    // Without a terminal.
    Run::new().script(script).run().success().stdout("end\n").stderr_contains(lines);
    Run::new().flag("--quiet").script(script).run().success().stdout("end\n").stderr("");
    Run::new().env("PROCSCRIPT_QUIET", "1").script(script).run().success().stderr("");
    // Nobody listens.
    let closed = Run::program("sh").args(["-c", "\"$0\" -e \"$1\" 2>&-"]);
    closed.arg(procscript_bin()).arg(script).run().success().stdout("end\n");
    let full = Run::program("sh").args(["-c", "\"$0\" -e \"$1\" 2>/dev/full"]);
    full.arg(procscript_bin()).arg(script).run().success().stdout("end\n");

    let _guard = Guard::new();
    let scratch = Scratch::new();
    for (name, value) in [("CI", "true"), ("TERM", "dumb"), ("TERM", "")] {
        let mut plain = command(&scratch, &[], script);
        plain.env(name, value);
        let mut terminal = Terminal::start(plain, [true; 3]);
        assert_eq!(terminal.ended().code(), Some(0));
        let shown = terminal.everything();
        assert!(!shown.contains('\u{1b}') && shown.contains("copy: 2/2 (100%)\r\n"), "{name}={value}: {shown}");
    }
    let mut terminal = Terminal::start(command(&scratch, &["-q"], script), [true; 3]);
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(terminal.everything(), "end\r\n");
}

#[test]
fn colours_are_for_terminals() {
    let script = r#"
        import "std/log" as log;
        print(style("out", "red"));
        eprint(style("err", "red", "stderr"));
        log::warn("careful");
    "#;
    let colours = "\u{1b}[31mout\u{1b}[0m\r\n\u{1b}[31merr\u{1b}[0m\r\n\u{1b}[33mwarn\u{1b}[0m: careful\r\n";
    let plain = "out\r\nerr\r\nwarn: careful\r\n";
    let _guard = Guard::new();
    let scratch = Scratch::new();
    for (flags, variable, expected) in [
        (&[][..], None, colours),
        (&["--color", "never"], None, plain),
        (&["--color=always"], Some(("NO_COLOR", "1")), colours),
        (&[], Some(("NO_COLOR", "1")), plain),
        (&[], Some(("TERM", "dumb")), plain),
        (&[], Some(("PROCSCRIPT_COLOR", "never")), plain),
    ] {
        let mut command = command(&scratch, flags, script);
        command.envs(variable);
        let mut terminal = Terminal::start(command, [true; 3]);
        assert_eq!(terminal.ended().code(), Some(0));
        assert_eq!(terminal.everything(), expected, "{flags:?} {variable:?}");
    }
    // Standard output goes to a file: what has not said that it is for standard error stays plain everywhere.
    let mut half = command(&scratch, &[], "print(style(\"a\", \"red\")); eprint(style(\"b\", \"red\"));");
    half.stdout(Stdio::piped());
    let mut terminal = Terminal::start(half, [true, false, true]);
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!((terminal.everything().as_str(), terminal.output().as_str()), ("b\r\n", "a\n"));
}

#[test]
fn colours_can_be_forced() {
    let script = "print(style(\"x\", \"bold\"));";
    Run::new().script(script).run().success().stdout("x\n");
    let forced = "\u{1b}[1mx\u{1b}[0m\n";
    for run in [
        Run::new().flag("--color").flag("always"),
        Run::new().env("CLICOLOR_FORCE", "1"),
        Run::new().env("PROCSCRIPT_COLOR", "always").env("NO_COLOR", "1"),
    ] {
        let outcome = run.script(script).run();
        assert_eq!(String::from_utf8_lossy(&outcome.success().stdout), forced);
    }
    Run::new().flag("--color").flag("sometimes").script(script).run().status(2).stderr_contains("always, never");
}

#[test]
fn a_table_fits_the_terminal() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let script = r#"let long = ""; long.pad(100, "x"); print(table([["a", long, "z"]]));"#;
    let mut terminal = at_terminal(&scratch, script);
    assert_eq!(terminal.ended().code(), Some(0));
    let shown = terminal.everything();
    assert_eq!(shown, format!("a  {}…  z\r\n", "x".repeat(73)));
}

#[test]
fn verbose_shows_commands_that_can_be_pasted() {
    let script = r#"
        let token = secret("s3cret-token");
        print("first");
        cmd("testkid", ["echo", "two words", token]).stdout_null().run();
        ($`testkid echo a` | $`testkid cat`).stdout_path("out file").run();
        import "std/log" as log;
        log::detail("detail");
    "#;
    let expected =
        "+ testkid echo 'two words' *** > /dev/null\n+ { testkid echo a | testkid cat; } > 'out file'\ndebug: detail\n";
    let run = || Run::new().script(script).allow_file("out file");
    run().flag("-v").run().success().stdout("first\n").stderr(expected);
    run().env("PROCSCRIPT_VERBOSE", "true").run().success().stderr(expected);
    run().env("PROCSCRIPT_VERBOSE", "no").run().success().stderr("");
}

#[test]
fn messages_have_levels() {
    let script = r#"
        import "std/log" as log;
        log::detail("d"); log::info("i"); log::warn("w"); log::error("e"); log::step("s");
    "#;
    let run = || Run::new().script(script);
    run().run().success().stderr("info: i\nwarn: w\nerror: e\n==> s\n");
    run().flag("-q").run().success().stderr("warn: w\nerror: e\n");
    run().flag("-v").run().success().stderr("debug: d\ninfo: i\nwarn: w\nerror: e\n==> s\n");
    run().env("PROCSCRIPT_LOG", "error").run().success().stderr("error: e\n");
    // What is typed goes before the environment.
    run().env("PROCSCRIPT_LOG", "error").flag("-v").run().success().stderr_contains("debug: d\n");
}

#[test]
fn the_options_stand_in_front_of_the_script() {
    let script = "print(args()); print(confirm(\"?\", #{fallback: false}));";
    Run::new().flag("-yq").script(script).arg("-y").run().success().stdout("[\"-y\"]\ntrue\n");
    Run::new().script(script).arg("--yes").run().success().stdout("[\"--yes\"]\nfalse\n");
}
