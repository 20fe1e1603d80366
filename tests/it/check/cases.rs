//! Each kind of problem: where it is found, and where it is not.

use super::{check, expect, expect_help};

#[test]
fn variables() {
    expect(&[
        ("let x = 1; x + y", &["undefined-variable@1:16"]),
        ("x = 1;", &["undefined-variable@1:1"]),
        ("{ let x = 1; } x", &["undefined-variable@1:16"]),
        ("if true { let x = 1; x } else { x }", &["undefined-variable@1:33"]),
        ("for x in [1] { x } x", &["undefined-variable@1:20"]),
        ("for (x, i) in [1] { x + i } i", &["undefined-variable@1:29"]),
        ("try { 1 } catch (e) { e } e", &["undefined-variable@1:27"]),
        ("try { let x = 1; } catch { x }", &["undefined-variable@1:28"]),
        ("let x = x;", &["undefined-variable@1:9"]),
        ("switch 1 { 1 => { let x = 2; x } _ => x }", &["undefined-variable@1:39"]),
        ("while x { let x = 1; }", &["undefined-variable@1:7"]),
        ("do { let x = true; } while x;", &["undefined-variable@1:28"]),
        ("`a ${b} ${`c ${d}`}`", &["undefined-variable@1:6", "undefined-variable@1:16"]),
        ("$`echo ${a} ${ $`echo ${b}` }`.run()", &["undefined-variable@1:10", "undefined-variable@1:25"]),
        (
            "let m = #{a: b}; m.c = d; m[e] = [f]",
            &[
                "undefined-variable@1:14",
                "undefined-variable@1:24",
                "undefined-variable@1:29",
                "undefined-variable@1:35",
            ],
        ),
        ("let f = |a| a + b;", &["undefined-variable@1:17"]),
        ("let f = |a| |b| a + b + c;", &["undefined-variable@1:25"]),
        ("let f = || { let x = 1; || x + y };", &["undefined-variable@1:32"]),
        ("let x = 1; let f = |a| { let g = |b| a + b + x; g.call(1) }; f.call(1)", &[]),
        // Two closures that read the same are one function to the interpreter.
        ("{ let x = 1; let f = || x; }\nlet g = || x;", &["undefined-variable@2:12"]),
        ("fn f(a) { a + x } let x = 1;", &["undefined-variable@1:15"]),
        ("const X = 1; fn f() { X + global::X + global::Y }", &["undefined-variable@1:23", "undefined-variable@1:47"]),
        ("let x = 1; fn f() { global::x }", &["undefined-variable@1:29"]),
        ("const X = 1; { const Y = 2; } fn f() { || global::X }", &[]),
        ("fn f() { this.x + this }", &[]),
        ("fn f() { defer { this.x = 1; print(this); } this }", &["undefined-variable@1:18", "undefined-variable@1:36"]),
        ("fn f() { let x = this; defer { print(x); let g = || this; } }", &[]),
        ("fn f() { f } fn g() { [1].map(f) } let h = g;", &[]),
        ("let h = later; fn later() {}", &[]),
        ("let h = || later; fn later() {}", &["undefined-variable@1:12"]),
        ("let x = 1; let x = x + 1; x", &[]),
        ("eval(\"let z = 1;\"); z", &[]),
        ("let f = Fn(\"g\"); is_def_var(\"x\"); fn g() {}", &[]),
        ("export let a = 1; export b;", &["undefined-variable@1:26"]),
        ("loop { let x = 1; break x; } x", &["undefined-variable@1:30"]),
    ]);
    expect_help(&[
        ("let target = 1; targte", "did you mean `target`?"),
        ("fn f(first) { frist }", "did you mean `first`?"),
        ("let x = 1; fn f() { x }", "functions do not see script variables: pass it, or make it `const`"),
        ("const MAX = 1; fn f() { MAX }", "global::MAX"),
        ("const MAX = 1; fn f() { global::MAXX }", "did you mean `global::MAX`?"),
        ("let x = 1; fn f() { global::x }", "const x"),
        ("let x = None;", "`()`"),
        ("print(qqq?.name)", "let qqq = ();"),
        ("print(qqq ?? 1)", "let qqq = ();"),
        ("let name = (); nmae?.x", "did you mean `name`?"),
        ("let x = True;", "`true`"),
        ("let x = [1].map(parse_int);", "|x| parse_int(x)"),
    ]);
}

#[test]
fn functions() {
    expect(&[
        ("frobnicate()", &["unknown-function@1:1"]),
        ("let x = 1; x.frobnicate()", &["unknown-function@1:14"]),
        ("cmd(\"a\").tiemout(\"1s\").run()", &["unknown-function@1:10"]),
        ("fn f(a) { a } f(); f(1); f(1, 2)", &["wrong-argument-count@1:15", "wrong-argument-count@1:26"]),
        ("let x = \"\"; x.len(1)", &["wrong-argument-count@1:15"]),
        ("fn f() { g() } fn g() { h() }", &["unknown-function@1:25"]),
        ("let f = || h();", &["unknown-function@1:12"]),
        ("`${h()}`; $`echo ${h()}`.run()", &["unknown-function@1:4", "unknown-function@1:20"]),
        ("let f = |x| x; f(1)", &["unknown-function@1:16"]),
        ("let m = #{f: |x| x}; m.f(1)", &[]),
        ("let m = #{}; m.f = |x| x; m.f(1); m[\"g\"] = |x| x; m.g(1)", &[]),
        ("let f = |x| x; f.call(1); let g = f.curry(1); call(f, 1)", &[]),
        ("fn f() { this } let x = 1; x.f()", &[]),
        ("fn string.shout() { this } \"a\".shout()", &[]),
        ("type_of(1); print(1); debug(1); is_def_fn(\"f\", 0)", &[]),
    ]);
    expect_help(&[
        ("prnt(1)", "did you mean `print`?"),
        ("fn deploy() {} depoly()", "did you mean `deploy`?"),
        ("let f = |x| x; f(1)", "f.call(…)"),
        ("println(1)", "print(…)"),
        ("exec(\"ls\")", "cmd("),
        ("system(\"ls\")", "sh("),
        ("\"a\".length()", "`len`"),
        ("\"a\".toUpperCase()", "`to_upper`"),
        ("[1].forEach(|x| x)", "for_each"),
        ("chdir(\"a\")", ".dir("),
        ("getenv(\"a\")", "env("),
        ("cmd(\"a\").background()", "`start`"),
    ]);
}

#[test]
fn modules() {
    expect(&[
        ("import \"std/git\" as git; git::branch()", &[]),
        (
            "import \"std/git\" as git; git::brnch(); git::branch(1); git::X",
            &["unknown-function@1:31", "wrong-argument-count@1:45", "undefined-variable@1:61"],
        ),
        ("git::branch()", &["undefined-module@1:1"]),
        ("git::X", &["undefined-module@1:1"]),
        ("{ import \"std/git\" as git; git::branch(); } git::branch()", &["undefined-module@1:45"]),
        ("import \"std/git\" as git; fn f() { git::branch() } let g = || git::branch();", &[]),
        ("fn f() { import \"std/git\" as git; git::branch() }", &[]),
        ("fn f() { import \"std/git\" as git; [1].map(|x| git::branch()) }", &[]),
        ("import \"std/gti\" as git; git::whatever()", &["missing-module@1:1"]),
        ("import \"no/such\" as m; m::whatever(); m::X; x.f()", &["missing-module@1:1", "undefined-variable@1:45"]),
        ("let p = \"std/git\"; import p as m; m::anything(1); m::ANYTHING; p.anything()", &[]),
        ("import std/git as git;", &["undefined-variable@1:8", "undefined-variable@1:12"]),
    ]);
    expect_help(&[
        ("import \"std/gti\" as git;", "did you mean \"std/git\"?"),
        ("git::branch()", "import \"std/git\" as git;"),
        ("import \"std/git\" as git; gti::branch()", "did you mean `git`?"),
        ("import \"std/git\" as git; git::brnch()", "did you mean `git::branch`?"),
        ("import std/git as git;", "import \"std/git\" as git;"),
    ]);
}

#[test]
fn commands_that_are_never_run() {
    expect(&[
        ("cmd(\"make\"); 1", &["unused-command@1:1"]),
        ("cmd(\"make\")", &["unused-command@1:1"]),
        ("$`make`", &["unused-command@1:1"]),
        ("$`a` | $`b`; 1", &["unused-command@1:1"]),
        ("sh(\"a\").dir(\"/\").env(\"A\", \"b\"); pipe($`a`, $`b`); 1", &["unused-command@1:1", "unused-command@1:33"]),
        ("if true { cmd(\"a\") } else { cmd(\"b\"); } 1", &["unused-command@1:11", "unused-command@1:29"]),
        ("for x in [1] { cmd(\"a\") }", &["unused-command@1:16"]),
        ("while true { if true { $`a` } }", &["unused-command@1:24"]),
        ("switch 1 { 1 => cmd(\"a\"), _ => { cmd(\"b\") } } 1", &["unused-command@1:17", "unused-command@1:34"]),
        ("fn f() { cmd(\"a\"); cmd(\"b\") }", &["unused-command@1:10"]),
        ("let f = || { cmd(\"a\"); cmd(\"b\") };", &["unused-command@1:14"]),
        ("fn f() { if true { cmd(\"a\") } else { cmd(\"b\") } }", &[]),
        ("let c = cmd(\"a\"); let d = if true { cmd(\"b\") } else { $`c` }; [$`d`]; (|| $`e`).call().run()", &[]),
        ("cmd(\"a\").run(); $`a`.lines().count(); ($`a` | $`b`).test(); run(cmd(\"a\")); return cmd(\"a\");", &[]),
        // To build it may be what is tried.
        ("try { cmd(\"a\").timeout(1) } catch (e) { print(e) }", &[]),
    ]);
}

#[test]
fn commands_as_conditions() {
    expect(&[
        ("if cmd(\"a\") { 1 }", &["command-as-condition@1:4"]),
        ("while $`a` { 1 }", &["command-as-condition@1:7"]),
        ("do { 1 } while $`a`.dir(\"x\");", &["command-as-condition@1:16"]),
        ("let x = $`a` && true || cmd(\"b\");", &["command-as-condition@1:9", "command-as-condition@1:25"]),
        ("let x = !cmd(\"a\");", &["command-as-condition@1:10"]),
        ("if $`a`.test() && !$`b`.test() { 1 }", &[]),
        ("let c = cmd(\"a\"); if c.test() { 1 }", &[]),
    ]);
}

#[test]
fn comparisons_that_are_decided() {
    expect(&[
        ("1 == \"1\"", &["decided-comparison@1:3"]),
        ("\"10\" > 9", &["decided-comparison@1:6"]),
        ("1.5 != `a`", &["decided-comparison@1:5"]),
        ("true == 1", &["decided-comparison@1:6"]),
        ("[1] == 1; #{} == []", &["decided-comparison@1:5", "decided-comparison@1:15"]),
        ("let c = cmd(\"a\"); c.read() == 0", &["decided-comparison@1:28"]),
        ("let c = cmd(\"a\"); c.code() == \"0\"", &["decided-comparison@1:28"]),
        ("let c = cmd(\"a\"); 0 == c.timeout(\"1s\").read()", &["decided-comparison@1:21"]),
        ("read(\"a\", [\"b\"]) == 0; $`a`.test() == \"true\"", &["decided-comparison@1:18", "decided-comparison@1:36"]),
        (
            "args().len() > \"0\"; \"a\".to_upper() == 'a'.to_int()",
            &["decided-comparison@1:14", "decided-comparison@1:36"],
        ),
        ("if $`a`.read() == 1 { 2 }", &["decided-comparison@1:16"]),
        ("let x = args(); x == (); 1 == (); () == \"\"", &[]),
        ("1 == 1.0; 'a' == \"a\"; \"a\" < \"b\"; [1] == [2]; true == false", &[]),
        ("let c = cmd(\"a\"); c.read() == \"0\"; c.code() == 0; c.read().len() == 0; c.json() == 0", &[]),
        ("let c = cmd(\"a\"); c.run().code == 0; c.lines().first() == 0; parse_int(c.read()) == 0", &[]),
        // A function of the script may give anything.
        ("fn code() { \"0\" } let c = cmd(\"a\"); c.code() == \"0\"; code() == \"0\"", &[]),
        ("let m = #{read: || 5}; m.read() == 5; $`a`.read() == 5", &["decided-comparison@1:51"]),
        ("fn len(x) { \"0\" } len(1) == \"0\"", &[]),
    ]);
}

#[test]
fn switches_that_never_take_a_case() {
    expect(&[
        ("switch $`id -u`.read() { 0 => 1, _ => 2 }", &["decided-comparison@1:1"]),
        ("let x = switch args()[0] { \"a\" => 1, 2 => { 3 } _ => 4 };", &["decided-comparison@1:9"]),
        ("switch env(\"X\") { \"a\" | 5 => 1 }", &["decided-comparison@1:1"]),
        ("switch \"a\".len() { \"1\" => 1 }", &["decided-comparison@1:1"]),
        ("switch 1 { true => 1 }", &["decided-comparison@1:1"]),
        ("fn f() { return switch path(\"a\") { `b` => 1 }; }", &["decided-comparison@1:17"]),
        (
            "switch cmd(\"a\", [\"{\"]).read() { /* 1 => */ \"1 => {\" => #{ a: 1 }, 2 => 3 }",
            &["decided-comparison@1:1"],
        ),
        ("switch $`id -u`.read() { \"0\" => 1, _ => 2 }", &[]),
        ("switch args()[0] { \"a\" | \"b\" if args().len() == 2 => { switch 1 { 2 => 3 } } _ => 1 }", &[]),
        ("let x = args()[0]; switch x { 1 => 2 }", &[]),
        ("switch args().len() { 1 => \"a\", 7 => [1, \"x\"], 2..5 => \"b\", _ => #{ b: true } }", &[]),
        ("switch 1.5 { 1 => 2, 1.5 => 3, -1 => 4, 0x10 => 5 }", &[]),
        ("fn path(x) { x } switch path(\"a\") { \"b\" => 1 }", &[]),
        ("switch \"a\" { () => 1, [1] => 2, #{ a: 1 } => 3 }", &[]),
    ]);
    expect_help(&[("switch args()[0] { 1 => 2 }", "parse_int"), ("switch path(\"a\") { \"a\" => 2 }", "to_string")]);
}

#[test]
fn exit_codes() {
    expect(&[
        ("exit(256)", &["exit-code@1:1"]),
        ("exit(-1)", &["exit-code@1:1"]),
        ("fn f() { exit(1000) }", &["exit-code@1:10"]),
        ("exit(0); ", &[]),
        ("if true { exit(255) } let n = 256; exit(n)", &[]),
        ("fn exit(code) { code } exit(256)", &[]),
    ]);
}

#[test]
fn declarations_of_arguments() {
    expect(&[
        ("let opt = cli(#{});", &[]),
        (
            "print(1); const T = \"a, b\"; let o = cli(#{about: `x ${T}`, args: [\"--a=B [values: \" + T + \"]\"]}); o.a",
            &[],
        ),
        ("if cli(#{args: [\"--all\"]}).all { 1 } for x in [1] { x }", &[]),
        ("switch cli(#{commands: #{a: #{}}}).command { \"a\" => 1 }", &[]),
        ("cli(#{abuot: \"x\"});", &["cli-declaration@1:7"]),
        ("cli(#{about: 1});", &["cli-declaration@1:14"]),
        ("cli(1);", &["cli-declaration@1:5"]),
        ("cli(#{args: [\"--a\",\n\"--a\"]});", &["cli-declaration@2:1"]),
        ("cli(#{args: [\"--a=B  [defualt: 1]\"]});", &["cli-declaration@1:14"]),
        ("cli(#{commands: #{run: #{args: [\"--a\", 1]}}});", &["cli-declaration@1:40"]),
        ("cli(#{args: [\"--a\"], commands: #{run: #{args: [\"--a\"]}}});", &["cli-declaration@1:48"]),
        ("cli(#{commands: #{\"-x\": #{}}});", &["cli-declaration@1:19"]),
        ("let x = \"a\"; cli(#{about: x});", &["cli-declaration@1:27"]),
        ("const X = args()[0]; cli(#{about: X});", &["cli-declaration@1:35"]),
        ("const X = \"a\"; let X = args()[0]; cli(#{about: X});", &["cli-declaration@1:48"]),
        ("cli(#{about: env(\"X\")});", &["cli-declaration@1:14"]),
        ("if true { cli(#{}); }", &["cli-declaration@1:11"]),
        ("fn f() { cli(#{}) } f();", &["cli-declaration@1:10"]),
        ("let f = || cli(#{}); f.call();", &["cli-declaration@1:12"]),
        ("print(cli(#{}));", &["cli-declaration@1:7"]),
        ("let x = true && cli(#{}).a;", &["cli-declaration@1:17"]),
        ("defer { cli(#{}); }", &["cli-declaration@1:9"]),
        ("cli(#{}); cli(#{});", &["cli-declaration@1:11"]),
        ("cli();", &["wrong-argument-count@1:1"]),
        ("fn cli(x) { x } cli(args()); if true { cli(1) }", &[]),
        ("fn cli(x, y) { x } cli(1, 2); cli(args());", &["cli-declaration@1:35"]),
        ("let m = #{cli: |x| x}; m.cli(1);", &[]),
    ]);
    expect_help(&[
        ("cli(#{abuot: \"x\"});", "did you mean `about`?"),
        ("cli(#{flags: []});", "lines of `args`"),
        ("cli(#{args: [\"--a=B  [defualt: 1]\"]});", "did you mean `default`?"),
        ("cli(#{commands: #{a: #{version: \"1\"}}});", "beside `commands`"),
        ("if true { cli(#{}); }", "let opt = cli("),
    ]);
}

#[test]
fn unreachable_code() {
    expect(&[
        ("fn f() { return 1; print(2); print(3); }", &["unreachable-code@1:20"]),
        ("for x in [1] { break; print(2) }", &["unreachable-code@1:23"]),
        ("for x in [1] { continue; x += 1; }", &["unreachable-code@1:26"]),
        ("exit(1); let x = 2;", &["unreachable-code@1:10"]),
        ("if true { fail(\"x\"); $`a`.run() }", &["unreachable-code@1:22"]),
        ("throw 1; fn f() {} print(1)", &["unreachable-code@1:20"]),
        ("let f = || { throw 1; 2 };", &["unreachable-code@1:23"]),
        ("if true { return 1; } print(1)", &[]),
        ("fn f() { if true { return 1 } 2 } fn g() {} exit(1)", &[]),
        ("loop { if true { break; } else { continue; } }", &[]),
        ("fn fail(x) { x } fail(1); print(1)", &[]),
        ("let x = args() ?? exit(1); print(x)", &[]),
    ]);
    let problems = check("exit(0); print(1);");
    assert!(problems.iter().all(|problem| problem.severity() == super::Severity::Warning), "{problems:?}");
}

#[test]
fn closures_that_share_a_loop_variable() {
    expect(&[
        ("let jobs = []; for h in [1] { jobs.push(|| h); }", &["shared-loop-variable@1:41"]),
        ("let jobs = []; for (h, i) in [1] { jobs.push(|| i); }", &["shared-loop-variable@1:46"]),
        ("let m = #{}; for h in [\"a\"] { m[h] = || h; }", &["shared-loop-variable@1:38"]),
        ("let m = #{a: 1}; for h in [1] { m.a = |x| x + h; }", &["shared-loop-variable@1:39"]),
        ("let jobs = []; for h in [1] { if h > 0 { jobs.push(#{run: || h}); } }", &["shared-loop-variable@1:59"]),
        ("let jobs = []; for h in [1] { jobs += || h; }", &["shared-loop-variable@1:39"]),
        ("let jobs = []; for h in [1] { let h = h; jobs.push(|| h); }", &[]),
        ("let jobs = []; for h in [1] { let mine = h; jobs.push(|| mine); }", &[]),
        ("let jobs = []; for h in [1] { jobs.push(|x| x); }", &[]),
        ("let n = 1; let jobs = []; for h in [1] { jobs.push(|| n); }", &[]),
        ("for h in [1] { print([2].map(|x| x + h)); let f = || h; f.call(); }", &[]),
        ("let all = []; for h in [1] { all.push([2].map(|x| x + h)); }", &[]),
        ("let jobs = []; let h = 0; while h < 3 { jobs.push(|| h); h += 1; }", &[]),
    ]);
}

#[test]
fn results_that_nobody_uses() {
    expect(&[
        ("let t = \" a\"; t.trim(); t", &["unused-value@1:17"]),
        ("let t = [\" a\"]; t[0].replace(\"a\", \"b\"); t", &["unused-value@1:22"]),
        ("fn f(t) { t.trim(); t } f(1)", &["unused-value@1:13"]),
        ("let t = \" a\"; let u = t.trim(); t = t.trim(); print(t.trim() + u)", &[]),
        ("fn f(t) { t.trim() } f(1); fn trim(x) { print(x) } let t = 1; t.trim();", &[]),
        ("let a = [2]; a.push(1); a.sort(); a.retain(|x| x > 1); a", &[]),
    ]);
}

#[test]
fn values_for_a_shell() {
    let begin = "let v = 1; ";
    let cases: &[(&str, &[&str])] = &[
        ("sh(`echo ${v}`).run()", &["shell-text@1:15"]),
        ("sh(\"echo \" + v).run()", &["shell-text@1:15"]),
        ("cmd(\"sh\", \"-c\", `echo ${v}`).run()", &["shell-text@1:28"]),
        ("cmd(\"bash\", [\"-c\", \"echo \" + v + \"x\"]).run()", &["shell-text@1:31"]),
        ("cmd([\"su\", \"me\", \"-c\", `echo ${v}`]).run()", &["shell-text@1:35"]),
        ("$`sh -c 'echo ${v}'`.run()", &["shell-text@1:28"]),
        ("$`ssh host rm ${v}`.run()", &["remote-text@1:28"]),
        ("cmd(\"ssh\", \"host\", `rm ${v}`).run()", &["remote-text@1:31"]),
        ("sh(\"echo\").run(); sh(v).run(); sh(\"a\" + \"b\").run(); sh(`echo ${v - 1} ${[v].len} ${2}`).run()", &[]),
        ("sh(`echo ${quote_args([v])}`).run(); $`ssh ${v} rm ${quote_args([v])}`.run()", &[]),
        ("sh$`echo ${v}`.run(); $`sh -c ${v} x`.run(); $`sh script ${v}`.run()", &[]),
        ("cmd(\"sh\", \"-c\", \"echo $1\", \"sh\", v).run(); cmd(\"sh\", \"-c\", v).run()", &[]),
        ("cmd(\"echo\", \"-c\", `echo ${v}`).run(); cmd(\"ssh\", `me@${v}`, \"ls\").run()", &[]),
    ];
    for (code, expected) in cases {
        expect(&[(&format!("{begin}{code}"), expected)]);
    }
    expect(&[("let v = 1;\n// procscript: allow(shell-text)\nsh(`echo ${v}`).run()", &[])]);
}

#[test]
fn escapes_between_backquotes() {
    expect(&[
        ("print(`a\\n`)", &["literal-escape@1:7"]),
        ("let x = 1; eprint(`${x}\\t`)", &["literal-escape@1:19"]),
        ("print(\"a\\n\"); print(`a\n`); print(`a` + \"\\n\"); cmd(\"printf\", `a\\n`).run()", &[]),
        ("print(\"a\\\\n\")", &[]),
    ]);
}

#[test]
fn slots_in_double_quotes() {
    expect(&[
        ("let name = 1; print(\"deploy ${name}\")", &["literal-slot@1:21"]),
        ("let name = 1; print(#{a: [name, \"${ name }\"]})", &["literal-slot@1:33"]),
        ("fn f(a) { \"x ${b} ${a}\" }", &["literal-slot@1:11"]),
        ("let name = 1; run(\"echo\", [name, \"--x=${name}\"])", &["literal-slot@1:34"]),
        // Not the name of a variable, or not there yet.
        ("print(\"deploy ${name}\"); { let name = 1; } print(\"${name}\")", &[]),
        ("let name = 1; print(#\"${name}\"#); print(`${name}`); print(\"$name ${name\")", &[]),
        // A shell has slots of its own.
        ("let name = 1; sh(\"echo ${name}\").run(); cmd(\"bash\", \"-c\", \"echo ${name}\").run()", &[]),
        ("let name = 1; cmd(\"bash\", [\"-c\", \"echo ${name}\"]).run()", &[]),
    ]);
    expect_help(&[("let name = 1; print(\"${name}\")", "use backquotes: `…${name}…`")]);
}

#[test]
fn closures_that_use_what_has_their_method() {
    expect(&[
        ("let l = [1]; let m = l.map(|x| l.len()); m", &["captured-receiver@1:32"]),
        ("let l = [1]; let m = l.filter(|x| x).map(|x| l); m", &["captured-receiver@1:46"]),
        ("let l = #{a: [1], b: 2}; let m = |y| l.a.map(|x| x + y + l.b); m", &["captured-receiver@1:58"]),
        ("let l = [[1]]; let m = l[0].map(|x| l); m", &["captured-receiver@1:37"]),
        ("let l = []; l.push(|| l);", &["captured-receiver@1:23"]),
        ("let m = #{}; m.f = || m;", &["captured-receiver@1:23"]),
        ("fn f(l) { l.map(|x| [1].map(|y| l)) }", &["captured-receiver@1:33"]),
        ("let l = [1]; let copy = l; let m = l.map(|x| copy.len()); m", &[]),
        ("let l = [1]; let m = [1].map(|x| l.len()); m", &[]),
        ("let l = [1]; let m = l.map(|l| l + 1); m", &[]),
        // The value in the brackets is there before the variable is locked.
        ("let l = [1]; let k = [0]; let m = l[k.filter(|x| l.len() > 0)[0]]; m", &[]),
        ("let l = [1]; parallel(l, |x| l.len());", &[]),
    ]);
    expect_help(&[("let l = [1]; l.map(|x| l.len())", "let copy = l;")]);
}

#[test]
fn programs_that_are_not_installed() {
    let names = |source: &str| -> Vec<String> {
        let found = check(source).into_iter().filter(|problem| problem.code() == "program-not-found");
        found.map(|problem| problem.message().to_string()).collect()
    };
    for source in [
        "cmd(\"no-such-program-x\").run()",
        "cmd([\"no-such-program-x\", \"a\"]).run()",
        "$`no-such-program-x a`.run()",
        "$`env | no-such-program-x ${1}`.run()",
        "fn f() { cmd(\"no-such-program-x\", \"a\").read() }",
    ] {
        assert_eq!(names(source), ["`no-such-program-x` is not installed here"], "{source}");
    }
    for source in [
        "cmd(\"env\").run(); $`env | env`.run()",
        "cmd(\"./no-such-program-x\").run(); $`/no/such a`.run()",
        "let p = \"no-such-program-x\"; cmd(p).run(); $`${p}`.run(); $`no-${p}`.run()",
        "if which(\"no-such-program-x\") != () { cmd(\"no-such-program-x\").run() }",
        "cmd(\"no-such-program-x\").env(\"PATH\", \"/opt\").run()",
        "cmd(\"no-such-program-x\").env(#{PATH: \"/opt\"}).run()",
        "cmd(\"no-such-program-x\").env_clear().run()",
    ] {
        assert!(names(source).is_empty(), "{source}");
    }
}

#[test]
fn comments_allow() {
    expect(&[
        ("cmd(\"a\"); // procscript: allow(unused-command)\ncmd(\"b\");", &["unused-command@2:1"]),
        ("// procscript: allow(unused-command)\ncmd(\"a\");\ncmd(\"b\");", &["unused-command@3:1"]),
        ("//procscript:allow( unused-command , unknown-function ) as it is\ncmd(f());", &[]),
        ("// procscript: allow(unused-command)\n\n// and why\n// procscript: allow(unknown-function)\ncmd(f());", &[]),
        ("cmd(f()); // procscript: allow(unused-command)", &["unknown-function@1:5"]),
        ("print(\"// procscript: allow(unknown-function)\"); f()", &["unknown-function@1:50"]),
        ("f(); /* procscript: allow(unknown-function) */", &["unknown-function@1:1"]),
        ("// procscript: allow(unused-comand)\n1", &["unknown-allow@1:1"]),
        ("// procscript: allow(syntax, template)\n1", &["unknown-allow@1:1", "unknown-allow@1:1"]),
        ("1 // procscript: ignore", &["unknown-allow@1:3"]),
        ("// procscript: allow(unused-command", &["unknown-allow@1:1"]),
        ("// procscript: allow(unused-command)", &[]),
        ("let x = ; // procscript: allow(syntax)", &["syntax@1:9"]),
    ]);
    expect_help(&[
        ("// procscript: allow(unused-comand)", "did you mean `unused-command`?"),
        ("// procscript: allow(xyz)", "the codes are undefined-variable, "),
        ("// procscript: allow(syntax)", "has no meaning"),
        ("// procscript: off", "// procscript: allow(code)"),
    ]);
}

#[test]
fn streams_that_are_never_read() {
    expect(&[
        ("cmd(\"a\").lines(); 1", &["unused-stream@1:1"]),
        ("for x in [1] { $`a`.lines().map(|line| line) }", &["unused-stream@1:16"]),
        ("lines(\"a\", [\"b\"])", &["unused-stream@1:1"]),
        ("cmd(\"a\").start(); 1", &["unused-execution@1:1"]),
        ("cmd(\"a\").name(\"x\").start();", &["unused-execution@1:1"]),
        ("service(cmd(\"a\"), #{port: 80}); 1", &["unused-execution@1:1"]),
        ("cmd(\"a\").detach().name(\"x\").start(); let p = cmd(\"a\").start(); p", &[]),
        ("cmd(\"a\").start().wait(); fn f() { cmd(\"a\").start() } f()", &[]),
        ("cmd(\"a\").detach();", &["unused-command@1:1"]),
        ("let l = $`a`.lines(); $`a`.lines().to_array(); for x in $`a`.chunks() { print(x) }", &[]),
    ]);
}

#[test]
fn blocks_of_our_own() {
    expect(&[
        ("let x = 1; defer { x + y }", &["undefined-variable@1:24"]),
        ("let x = 1; defer { print(x); } x", &[]),
        ("defer { cmd(\"a\") }", &["unused-command@1:9"]),
        ("let c = cmd(\"a\"); defer { c.frob() }", &["unknown-function@1:29"]),
        ("fn f(a) { defer { a.len(1) } a }", &["wrong-argument-count@1:21"]),
        ("with dir(x) { y }", &["undefined-variable@1:10", "undefined-variable@1:15"]),
        ("let d = \"/\"; with dir(d), timeout(\"1s\") { let x = d; x } x", &["undefined-variable@1:58"]),
        ("with dir(\"/\") { cmd(\"a\") } 1", &["unused-command@1:17"]),
        ("let c = with dir(\"/\") { cmd(\"a\") };", &[]),
        ("with dirr(\"/\") { 1 }", &["syntax@1:10"]),
        ("sh$`a && ${x} | b`.run()", &["undefined-variable@1:12"]),
        ("sh$`a \"${1}\"`.run()", &["template@1:8"]),
        ("sh$`a`", &["unused-command@1:1"]),
        ("try { 1 } catch (e) { e.kind } e", &["undefined-variable@1:32"]),
    ]);
    assert!(check("sh$`no-such-program-x`.run()").is_empty());
}
