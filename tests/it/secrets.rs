//! Secrets are in nothing that is shown, whatever fails, in no spelling. What else they do is in
//! `tests/scripts/secrets`.

use std::sync::{Arc, Mutex, PoisonError};

use procscript::script::rhai::Dynamic;
use procscript::script::{Failure, Runtime, Session};

use crate::support::leaks::{self, Guard};
use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::{procscript_bin, testkid};

/// Texts that are hard to find again.
const VALUES: &[&str] = &[
    "s3cret-token",
    "it's \"quoted\" $HOME \\ `x`",
    "first line\nsecond line, and more\n\tthird",
    "a.*b+(c|d)[e]^f$ {2}?",
    "ключ-πρβ-🔑",
    "bidi\u{202e}and\u{1b}[31mred",
    "pa/ss:w?rd&x=y%z+~",
];

/// Ways to fail with a secret at hand: `t` is it, `b64` and `url` are encodings of it, as secret as it is.
const FAILURES: &[&str] = &[
    // In the arguments.
    r#"cmd("no-such-program-x", t).run()"#,
    r#"cmd(t, "x").run()"#,
    r#"cmd("/no/such/" + t).run()"#,
    r#"cmd("testkid", "exit", "3", t).run()"#,
    r#"cmd("testkid", ["exit", "3", "--token=" + t]).run()"#,
    r#"$`testkid exit 3 --token=${t} ${[t, b64, url]}`.run()"#,
    r#"$`testkid signal-self KILL ${t}`.run()"#,
    r#"sh$`exit 3; echo ${t}`.run()"#,
    r#"sh("exit 3 # " + t).run()"#,
    r#"cmd("testkid", "x").dir(t).run()"#,
    r#"cmd("testkid", "exit", "3", t).name("named " + t.reveal()).run()"#,
    r#"$`testkid echo x > ${"/no/such/dir/" + t}`.run()"#,
    r#"cmd("testkid", "echo", t).output().stages[7]"#,
    // Repeated by the command.
    r#"cmd("testkid", "err", t, "--", "err", b64, "--", "err", url, "--", "exit", "3").output()"#,
    r#"sh("printenv T; printenv T >&2; exit 3").env("T", t).output()"#,
    r#"sh("printenv T; printenv T >&2; exit 3").secret_env("T", t.reveal()).output()"#,
    r#"cmd("testkid", "tee-err", "--", "exit", "3").stdin(t).output()"#,
    r#"cmd("testkid", "echo", t).json()"#,
    r#"cmd("testkid", "echo", "{\"a\": 1 \"" + t).json()"#,
    r#"cmd("testkid", "echo", t, "--", "exit", "3").lines().to_array()"#,
    r#"cmd("testkid", "echo", t, "--", "bytes", "\\xff").read()"#,
    r#"cmd("testkid", "echo", t).limit(3).read()"#,
    r#"cmd("testkid", "echo", t).max_line("3").lines().to_array()"#,
    // Of several.
    r#"($`testkid echo ${t}` | $`testkid cat -- exit 3 -- ${b64}` | $`testkid cat`).stdout_null().run()"#,
    r#"($`testkid cat ${t}` | cmd("no-such-program-x", url)).run()"#,
    r#"cmd("testkid", "cat").stdin(cmd("testkid", "exit", "3", t)).run()"#,
    // In time.
    r#"cmd("testkid", "err", t, "--", "forever", b64).timeout("50ms").output()"#,
    r#"with timeout("50ms") { $`testkid forever ${t}`.run() }"#,
    r#"wait_for(#{path: "/no/such/" + t.reveal(), timeout: "1ms"})"#,
    // Later, and beside other failures.
    r#"{ cmd("testkid", "exit", "3", t).start(); } sleep("100ms")"#,
    r#"cmd("testkid", "forever", t).start().suspend().x"#,
    r#"{ defer { cmd("testkid", "exit", "3", t).run(); } throw "x " + t.reveal() }"#,
    r#"{ defer { throw t.reveal() } } 1"#,
    r#"retry(2, || cmd("testkid", "exit", "3", t).run())"#,
    // Without a command.
    r#"throw t"#,
    r#"throw "with " + t.reveal()"#,
    r#"throw #{a: t, b: [t.reveal()], c: b64.reveal()}"#,
    r#"throw #{message: t}"#,
    r#"throw #{message: url.reveal()}"#,
    r#"throw [t, t.reveal()]"#,
    r#"fail(t)"#,
    r#"fail("no " + t)"#,
    r#"secret_of(t)"#,
    r#"#{a: 1}[t.reveal()]"#,
    r#"#{a: 1}[t]"#,
    r#"call(t.reveal(), 1)"#,
    r#"Fn(t.reveal()).call(1)"#,
    r#"parse_int(t.reveal())"#,
    r#"env(t.reveal())"#,
    r#"eval("let x = ; // " + t.reveal())"#,
    r#"t.no_such_property"#,
    r#"t.no_such_method(t)"#,
    r#"split_args("'" + t.reveal()); throw t"#,
    r#"sleep(t.reveal())"#,
    r#"cmd("x").timeout(t.reveal())"#,
    r#"cmd("x").encoding(t.reveal())"#,
    r#"cmd("x").ok_signals([t.reveal()])"#,
    r#"retry(1, #{"on2": t}, || 1)"#,
    r#"retry(1, #{on: t}, || 1)"#,
    r#"cmd("testkid", "echo").lines().matching("(" + t.reveal())"#,
    r#"let x = 5; x[t.reveal()]"#,
    r#"import "x" + t.reveal()"#,
    r#"exit(t)"#,
    r#"cmd("x", `a ${t}`).run()"#,
    r#"cmd("x").stdin(`a ${t}`).run()"#,
];

/// Everything that anybody was shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn add(&self, text: impl std::fmt::Display) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_str(&format!("{text}\n"));
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn runtime(secret: &str, shown: &Shown) -> Runtime {
    let path = testkid().parent().expect("it is in a directory").to_path_buf();
    let (out, err, caught) = (shown.clone(), shown.clone(), shown.clone());
    Runtime::builder()
        .env("PATH", format!("{}:/bin:/usr/bin", path.display()))
        .env("TOKEN", secret)
        .env("B64", base64(secret))
        .env("URL", percent(secret))
        .stdout(move |bytes| out.add(String::from_utf8_lossy(bytes)))
        .stderr(move |bytes| err.add(String::from_utf8_lossy(bytes)))
        .register(|engine| {
            engine.register_fn("keep", move |value: Dynamic| caught.add(format!("{value:?}\n{value}")));
        })
        .build()
        .expect("it can be built")
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<bool> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let letter = |bits: &[bool]| {
        let value = (0..6).fold(0, |value, index| value << 1 | usize::from(bits.get(index) == Some(&true)));
        char::from(LETTERS[value])
    };
    let letters: String = bits.chunks(6).map(letter).collect();
    format!("{letters}{}", "=".repeat((4 - letters.len() % 4) % 4))
}

fn percent(text: &str) -> String {
    let code = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(code).collect()
}

/// What must not be seen. Parts are as bad as the whole.
fn spellings(secret: &str) -> Vec<String> {
    let code = base64(secret);
    let longest_word = secret.split(|c: char| !c.is_alphanumeric()).max_by_key(|word| word.len());
    let mut all = vec![secret.to_string(), code.trim_end_matches('=').to_string(), percent(secret)];
    all.push(secret.replace('\'', r"'\''"));
    all.push(format!("{secret:?}").trim_matches('"').to_string());
    // Words that these tests themselves say are none.
    all.extend(longest_word.filter(|word| word.len() > 4).map(str::to_string));
    all
}

fn look(shown: &str, secret: &str, what: &str) {
    for spelling in spellings(secret) {
        assert!(!shown.contains(&spelling), "{what}\nshows {spelling:?}:\n{shown}");
    }
}

fn everything_of(failure: &Failure) -> String {
    let mut all = format!("{}\n{}\n{failure}\n{failure:?}\n", failure.render(), failure.to_json());
    if let Some(error) = failure.command_error() {
        all += &format!("{error}\n{error:?}\n{:?}\n{:?}\n", error.command(), error.argv());
        all += &format!("{:?}\n{:?}\n{:?}\n{:?}\n", error.help(), error.program(), error.dir(), error.stages());
        for captured in [error.stdout(), error.stderr()].into_iter().flatten() {
            all += &String::from_utf8_lossy(captured);
        }
    }
    all
}

const BEGIN: &str = r#"let t = secret(env("TOKEN")); let b64 = secret(env("B64")); let url = secret(env("URL"));"#;

/// Only the secret itself is known, and not its encodings.
const BEGIN_WITH_ONE: &str = r#"let t = secret(env("TOKEN")); let b64 = "" + secret("xxxx"); let url = b64;
    b64 = env("B64"); url = env("URL");"#;

#[test]
fn nothing_that_fails_shows_them() {
    let _guard = Guard::new();
    for secret in VALUES {
        for failure in FAILURES {
            let shown = Shown::default();
            let runtime = runtime(secret, &shown);
            let what = format!("{secret:?}: {failure}");
            let error = match runtime.load("test", &format!("{BEGIN}\n{failure}")) {
                Ok(script) => runtime.run(&script).map(|_| ()).expect_err(&what),
                // The check has found it.
                Err(error) => error,
            };
            look(&everything_of(&error), secret, &what);
            look(&shown.take(), secret, &what);
        }
    }
}

#[test]
fn nothing_that_is_caught_shows_them() {
    let _guard = Guard::new();
    let fields = "for field in [\"kind\", \"message\", \"help\", \"command\", \"argv\", \"program\", \"dir\", \"stdout\", \
                  \"stderr\", \"stages\", \"cause\"] { try { keep(e[field]) } catch {} }";
    let fields = fields.replace("e[field]", "get_of(e, field)");
    for secret in &VALUES[..2] {
        for failure in FAILURES.iter().filter(|failure| !failure.contains("throw") && !failure.contains("defer")) {
            let shown = Shown::default();
            let runtime = runtime(secret, &shown);
            let get = r#"fn get_of(e, field) { switch field {
                "message" => e.message, "help" => e.help, "command" => e.command, "argv" => e.argv,
                "program" => e.program, "dir" => e.dir, "stdout" => e.stdout, "stderr" => e.stderr,
                "stages" => e.stages, "cause" => if e.cause != () { [e.cause.message, e.cause.argv] } } }"#;
            let body = format!(
                "{get}\n{BEGIN}\nlet r = attempt(|| {{ {failure} }});\n\
                 if !r.ok {{ let e = r.error; print(e); eprint(`${{e}}`); keep(`${{e}}`); {fields} }}\n\
                 try {{ {failure} }} catch (e) {{ print(e); eprint(`${{e}}`); keep(`${{e}}`); {fields} }}"
            );
            let what = format!("{secret:?}: {failure}");
            if let Err(error) = runtime.load("test", &body).and_then(|script| runtime.run(&script)) {
                look(&everything_of(&error), secret, &what);
            }
            look(&shown.take(), secret, &what);
        }
    }
}

/// The encodings are found although nobody has said that they are secret.
#[test]
fn encodings_are_as_secret() {
    let _guard = Guard::new();
    for secret in VALUES {
        let shown = Shown::default();
        let runtime = runtime(secret, &shown);
        let script = r#"
            print(b64); print(url); print("x" + b64); print([b64, url]); eprint(#{a: url}); debug(b64);
            print(t.reveal()); print([t.reveal()]); print(#{a: t.reveal()}.to_json()); print(#{a: t}.to_json());
            print(quote_args([t])); print(quote_args([t.reveal() + "\n'"])); print($`x ${t}`); print($`x ${"\n" + t}`);
            print(sh$`x ${t}`); print(sh$`x ${"\n'" + t}`);
            cmd("testkid", "err", "user:" + t.reveal(), "--", "err", b64, "--", "err", url, "--", "exit", "3").output()"#;
        let script = runtime.load("test", &format!("{BEGIN_WITH_ONE}\n{script}")).expect("it is right");
        let error = runtime.run(&script).expect_err("it fails");
        look(&everything_of(&error), secret, secret);
        let shown = shown.take();
        look(&shown, secret, secret);
        assert!(shown.starts_with("***\n"), "{shown}");
    }
}

#[test]
fn the_session_shows_the_mask() {
    let _shared = leaks::shared();
    let secret = VALUES[0];
    let mut session = Session::new(runtime(secret, &Shown::default()));
    session.eval(BEGIN).expect("it is right");
    for entry in ["t", "[t]", "#{a: t}", "t.reveal()", "[\"x\" + t.reveal()]", "cmd(\"x\", t)", "b64.reveal()"] {
        let procscript::script::Ending::Finished(value) = session.eval(entry).expect(entry) else { panic!("{entry}") };
        let text = session.show(&value).expect("it is something");
        assert!(text.contains("***"), "{text}");
        look(&text, secret, entry);
    }
    // What is typed is shown by the terminal, but not once more.
    let error = session.eval(&format!("let x = \"{secret}\"; nope")).expect_err("a mistake");
    look(&error.render(), secret, "an entry");
    assert!(error.render().contains("\"************\""), "{}", error.render());
}

#[test]
fn a_session_at_a_terminal_shows_the_mask() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let mut terminal = Terminal::run(&procscript_bin(), scratch.path(), &[]);
    terminal.expect("> ").type_text("let t = secret(\"s3\" + \"cret-token\");\r").expect("> ");
    terminal.type_text("t\r").expect("\n***").expect("> ");
    terminal.type_text("t.reveal()\r").expect("\n\"***\"").expect("> ");
    terminal.type_text("throw \"no \" + t.reveal()\r").expect("error: no ***");
    terminal.type_text("exit(3)\r");
    assert_eq!(terminal.ended().code(), Some(3));
}

#[test]
fn the_runner_shows_the_mask() {
    let run = |script: &str| Run::new().env("TOKEN", "s3cret-token").script(script);
    let begin = "let t = secret(env(\"TOKEN\"));\n";
    let outcome = run(&format!("{begin}print(t.reveal()); eprint(t); $`testkid exit 7 ${{t}}`.run();")).run();
    outcome.status(7).stdout("***\n").stderr_contains("***\nerror: `testkid exit 7 ***` exited with code 7");
    outcome.stderr_lacks("s3cret");
    let outcome = run("throw secret(\"s3cret-\" + \"token\")").run();
    outcome.status(1).stderr_contains("error: ***\n");
    // The line of the source is as wide as before: a caret stands under it.
    let outcome = run("let t = secret(\"s3cret\"); throw t").run();
    outcome.status(1).stderr_contains("let t = secret(\"******\"); throw t\n  |                           ^");
}

/// What children write to what they inherit is theirs, and so is what a script reads from them.
#[test]
fn children_get_the_real_text() {
    let _guard = Guard::new();
    for secret in VALUES {
        let shown = Shown::default();
        let runtime = runtime(secret, &shown);
        let script = r#"
            fn check(text) { if text != env("TOKEN") { throw "got something else: " + text.len() } }
            check(cmd("printenv", "T").env("T", t).read());
            check(cmd("printenv", "T").secret_env("T", t).read());
            check(cmd("printenv", "T").secret_env(#{T: t.reveal()}).read());
            check($`cat`.stdin(t).read());
            check($`printf %s ${t}`.read());
            check(cmd("printf", "%s", t).read());
            check(sh$`printf %s ${t}`.read());
            check($`cat`.run(|p| { p.write(t); p.finish(); p.lines().join("\n") }).value);
            with secret_env("T", t) { check($`printenv T`.read()); check(env("T").reveal()); }
            let output = $`printf %s ${t}`.output();
            check(output.stdout); check(`${output}`);
            $`printf %s ${t}`.run();"#;
        let script = runtime.load("test", &format!("{BEGIN}{script}")).expect("it is right");
        runtime.run(&script).unwrap_or_else(|failure| panic!("{secret:?}: {}", failure.render()));
        assert_eq!(shown.take().trim_end(), *secret, "inherited output is not ours");
    }
}

/// Runtimes know nothing of each other.
#[test]
fn secrets_belong_to_their_runtime() {
    let _shared = leaks::shared();
    let shown = Shown::default();
    let (one, other) = (runtime("s3cret-token", &shown), runtime("s3cret-token", &shown));
    one.eval::<()>("secret(env(\"TOKEN\")); print(env(\"TOKEN\"))").expect("it is right");
    other.eval::<()>("print(env(\"TOKEN\"))").expect("it is right");
    assert_eq!(shown.take(), "***\n\ns3cret-token\n\n");
    assert_eq!(one.mask("a s3cret-token"), "a ***");
    assert_eq!(other.mask("a s3cret-token"), "a s3cret-token");
}
