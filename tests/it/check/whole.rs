//! Whole programs: files, modules, hostile texts, and that nothing is run.

use std::path::{Path, PathBuf};

use procscript::process::cmd;

use super::{Problem, Run, Scratch, brief, check, found, leaks, procscript_bin, project_dir, runtime};

/// Every script of the repository, down to those in tests; what the formatter is tested with is none.
fn scripts(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != "format" && !name.to_string_lossy().starts_with('.') {
            scripts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rhai") && !is_definitions(&path) {
            found.push(path);
        }
    }
}

/// Declarations for readers and editors, which nobody runs.
fn is_definitions(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".d.rhai")
}

#[test]
fn no_script_of_the_repository_is_accused() {
    let _shared = leaks::shared();
    let mut paths = Vec::new();
    scripts(&project_dir(), &mut paths);
    assert!(paths.len() > 90, "{} scripts", paths.len());
    let mut accused = Vec::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a script");
        // Those that are about mistakes expect to be refused.
        let expects_refusal = source.contains("//-- status 2\n") && source.contains("// error: ");
        for problem in runtime().check_file(&path).expect("it is readable") {
            // Some modules are made when the test is run.
            let is_made = problem.code() == "missing-module" && source.contains("//@ create ");
            if problem.code() != "program-not-found" && !expects_refusal && !is_made {
                accused.push(problem.render());
            }
        }
    }
    assert!(accused.is_empty(), "\n{}", accused.join("\n"));
}

#[test]
fn places_are_those_of_the_text() {
    for (source, expected) in [
        ("print(1);\r\n\r\nfrob();\r\n", "unknown-function@3:1"),
        ("\u{feff}frob();", "unknown-function@1:1"),
        ("#!/usr/bin/env procscript\nfrob();", "unknown-function@2:1"),
        ("/* ä日本 */ frob();", "unknown-function@1:11"),
        ("print(\"日本\"); frob();", "unknown-function@1:14"),
        ("print(\"a\\0b\\0\"); frob();", "unknown-function@1:18"),
        ("$`echo 日本 ${frob()}`.run();", "unknown-function@1:13"),
        ("\t\tfrob();", "unknown-function@1:3"),
        ("print(1);\nfrob()", "unknown-function@2:1"),
        ("// ä\n$`ä;`", "template@2:4"),
    ] {
        assert_eq!(found(source), [expected], "{source:?}");
    }
    let problems = check("print(1);\r\nfrob(); //日本\r\n");
    assert_eq!(problems[0].place().and_then(|place| place.text.as_deref()), Some("frob(); //日本"));
    assert_eq!(problems[0].place().map(|place| place.file.as_str()), Some("test.rhai"));
}

#[test]
fn all_problems_are_told_by_place() {
    let run = Run::new().script("frob();\ncmd(\"a\");\nprint(x);\nlet y = 1 == \"1\";\n").run();
    run.status(2).stdout("");
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    let places: Vec<_> = text.lines().map(str::trim).filter(|line| line.starts_with("-->")).collect();
    let expected = ["1:1", "2:1", "3:7", "4:11"].map(|place| format!("--> script.rhai:{place}"));
    assert_eq!(places, expected);
    // Many are not all told, and warnings are not told.
    let many: String = (0..50).map(|n| format!("f{n}();\n")).collect();
    let run = Run::new().script(&many).run();
    run.status(2).stderr_contains("f19").stderr_lacks("f20").stderr_contains("and 30 more");
    Run::new().script("exit(0); print(1);").run().success().stderr("");
}

#[test]
fn a_failure_carries_what_was_found() {
    let _shared = leaks::shared();
    let failure = runtime().load("test", "exit(0);\nfrob();\nx").expect_err("it has mistakes");
    let briefs: Vec<_> = failure.problems().iter().map(brief).collect();
    assert_eq!(briefs, ["unknown-function@2:1", "undefined-variable@3:1"]);
    assert_eq!(failure.message(), failure.problems()[0].message());
    assert_eq!(failure.place(), failure.problems()[0].place());
}

/// The problems of `main.rhai`, with the names of their files.
fn in_files(dir: &Scratch) -> Vec<String> {
    let problems = runtime().check_file(dir.path().join("main.rhai")).expect("it is there");
    let name = |problem: &Problem| {
        let file = problem.place().map(|place| place.file.clone()).unwrap_or_default();
        Path::new(&file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    problems.iter().map(|problem| format!("{}:{}", name(problem), brief(problem))).collect()
}

#[test]
fn modules_are_checked_once_and_in_their_own_file() {
    let _shared = leaks::shared();
    let dir = Scratch::new();
    let main = "import \"a\" as a;\nimport \"b\" as b;\na::f(1);\nb::g();\nfrob();\n";
    dir.write("main.rhai", main);
    dir.write("a.rhai", "import \"shared\" as s;\nfn f() { s::h() }\n");
    dir.write("b.rhai", "import \"shared\" as s;\nfn g() { s::hh() }\n");
    dir.write("shared.rhai", "fn h() { 1 }\nlet x = undefined_thing;\n");
    // What a module with mistakes provides is not known: its importers are not accused because of it.
    assert_eq!(in_files(&dir), ["main.rhai:unknown-function@5:1", "shared.rhai:undefined-variable@2:9"]);
    dir.write("shared.rhai", "fn h() { 1 }\n");
    assert_eq!(
        in_files(&dir),
        ["main.rhai:wrong-argument-count@3:4", "main.rhai:unknown-function@5:1", "b.rhai:unknown-function@2:13"]
    );
    dir.write("b.rhai", "import \"shared\" as s;\nexport const X = 1;\nprivate fn hidden() {}\nfn g() { s::h() }\n");
    dir.write("main.rhai", format!("{main}b::X; b::Y; b::hidden(); b::s::h();"));
    assert_eq!(
        in_files(&dir),
        [
            "main.rhai:wrong-argument-count@3:4",
            "main.rhai:unknown-function@5:1",
            "main.rhai:undefined-variable@6:10",
            "main.rhai:unknown-function@6:16",
        ]
    );
    dir.write("shared.rhai", "fn h() {");
    assert!(in_files(&dir).contains(&"shared.rhai:syntax@1:9".to_string()));
    // A comment allows in its own file only.
    dir.write("main.rhai", "import \"shared\" as s; // procscript: allow(unknown-function)\n");
    dir.write("shared.rhai", "frob();\nfrob(); // procscript: allow(unknown-function)\n");
    assert_eq!(in_files(&dir), ["shared.rhai:unknown-function@1:1"]);
}

#[test]
fn a_module_that_was_mended_is_read_again() {
    let _shared = leaks::shared();
    let dir = Scratch::new();
    let main = dir.write("main.rhai", "import \"m\" as m; m::f()");
    let runtime = runtime();
    for (source, count) in [("fn f() { 1 }", 0), ("fn g() { 1 }", 1), ("fn f() { exit(1); 2 }", 1), ("fn f() { 1 }", 0)]
    {
        dir.write("m.rhai", source);
        assert_eq!(runtime.check_file(&main).expect("it is there").len(), count, "{source}");
    }
    // A warning is told each time.
    dir.write("m.rhai", "fn f() { exit(1); 2 }");
    for _ in 0..2 {
        assert_eq!(runtime.check_file(&main).expect("it is there").len(), 1);
        runtime.load_file(&main).expect("it has no error");
    }
}

#[test]
fn what_maps_of_modules_hold_may_be_methods() {
    let _shared = leaks::shared();
    let dir = Scratch::new();
    dir.write("main.rhai", "import \"a\" as a; let o = a::make(); o.greet(1); o.other(1);");
    dir.write("a.rhai", "import \"b\" as b; fn make() { b::make() }");
    dir.write("b.rhai", "fn make() { #{greet: |x| x} }");
    assert_eq!(in_files(&dir), ["main.rhai:unknown-function@1:51"]);
}

#[test]
fn what_cannot_be_imported_is_told_at_the_import() {
    let _shared = leaks::shared();
    let dir = Scratch::new();
    dir.write("main.rhai", "print(1);\nimport \"a\" as a;\nimport \"missing\" as m;\nimport \"bytes\" as b;");
    dir.write("a.rhai", "fn f() { 1 }\nimport \"b\" as b;");
    dir.write("b.rhai", "import \"a\" as a;");
    dir.write("bytes.rhai", b"fn f() {}\n\xff");
    let all = in_files(&dir);
    let expected = ["main.rhai:missing-module@3:1", "b.rhai:import-circle@1:1", "bytes.rhai:missing-module@2:1"];
    assert_eq!(all, expected);
    dir.write("main.rhai", "import \"main\" as me;");
    assert_eq!(in_files(&dir), ["main.rhai:import-circle@1:1"]);
}

#[test]
fn checking_runs_nothing() {
    let _shared = leaks::shared();
    let dir = Scratch::new();
    let touch = format!("cmd(\"touch\", \"{}\").run();", dir.path().join("ran").display());
    dir.write("main.rhai", format!("import \"a\" as a;\n{touch}\nprint(1); eval(`{touch}`); exit(3);\nx"));
    dir.write("a.rhai", format!("{touch}\nconst X = cmd(\"touch\", \"ran\").run();\nprint(2);"));
    assert_eq!(in_files(&dir).len(), 1);
    assert!(!dir.path().join("ran").exists());
    // The runner does not either, when there is a problem.
    let run = Run::new().file("m.rhai", "print(\"ran\");").script("import \"m\" as m; print(\"ran\"); frob();").run();
    run.status(2).stdout("");
}

#[test]
fn what_the_host_has_is_known() {
    use procscript::script::rhai::Module;
    let _shared = leaks::shared();
    let runtime = procscript::script::Runtime::builder()
        .register(|engine| {
            let mut module = Module::new();
            module.set_var("VERSION", 3_i64);
            module.set_native_fn("twice", |x: i64| Ok(2 * x));
            engine.register_static_module("host", module.into());
            let mut global = Module::new();
            global.set_var("TARGET", "web");
            engine.register_global_module(global.into());
            engine.register_fn("read", |x: i64| x);
        })
        .build()
        .expect("it builds");
    let check = |source: &str| runtime.check("test", source).expect("it can be checked");
    assert_eq!(check("host::twice(host::VERSION); print(TARGET); 1.read() == 2; fn f() { TARGET }"), []);
    assert_eq!(check("guest::twice(1); TRAGET; twice(1)").len(), 3);
    assert_eq!(runtime.eval::<i64>("host::twice(host::VERSION)").expect("it runs"), 6);
}

#[test]
fn a_session_knows_what_was_before() {
    let _shared = leaks::shared();
    let mut session = procscript::script::Session::new(runtime());
    session.eval("let x = 1; fn f(a) { a }").expect("it runs");
    session.eval("const y = f(x); let g = || x + y;").expect("it runs");
    session.eval("g.call() + f(y)").expect("it runs");
    let failure = session.eval("f(z); f()").expect_err("it has mistakes");
    assert_eq!(
        failure.problems().iter().map(brief).collect::<Vec<_>>(),
        ["undefined-variable@1:3", "wrong-argument-count@1:7",]
    );
    session.eval("cmd(\"true\")").expect("a session shows it");
}

#[test]
fn hostile_texts_are_refused_in_an_orderly_way() {
    let lines = "\n".repeat(100_000);
    let problems = check(&lines);
    assert_eq!(problems.iter().map(brief).collect::<Vec<_>>(), ["syntax@65536:1"]);
    assert!(problems[0].message().contains("65535"), "{problems:?}");
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("if true {", "}"), ("|| ", ""), ("-", ""), ("`${", "}`")]
    {
        let problems = check(&format!("let x = {}1{};", open.repeat(20_000), close.repeat(20_000)));
        assert!(problems.iter().any(|problem| problem.code() == "syntax"), "{open} {problems:?}");
        // As deep as may be, everything is still looked at.
        check(&format!("let x = {}frob(){};", open.repeat(60), close.repeat(60)));
    }
    assert_eq!(found(&format!("{}frob()", "\n".repeat(65_000))), ["unknown-function@65001:1"]);
    for text in
        ["", " ", "\0", "\u{feff}", "\u{feff}\u{feff}", "#!", "//", "\u{202e}", "}", "`", "$", "$`", "'", "\"\\"]
    {
        check(text);
    }
    // Thousands of problems, in one line and in many.
    assert_eq!(found(&"frob();".repeat(3000)).len(), 3000);
    assert_eq!(found(&(0..5000).map(|n| format!("f{n}(v{n});\n")).collect::<String>()).len(), 10_000);
    assert_eq!(found(&"$`a;b`;".repeat(3000)).len(), 100);
}

#[test]
fn time_grows_with_the_text() {
    let source = |parts: usize| -> String {
        let part = |n: usize| {
            format!(
                "let a{n} = \"x\\0\" + {n};\nif a{n}.len() > {n} {{\n    for x in [1, 2] {{ print(`${{x}} ${{a{n}}}`); }}\n}}\n\
                 let c{n} = $`echo ${{a{n}}} --n={n}`.read(); // procscript: allow(unused-command)\n\
                 let f{n} = |x| x + {n};\n"
            )
        };
        (0..parts).map(part).collect()
    };
    let _shared = leaks::shared();
    let dir = Scratch::new();
    // Of the processor, as a program of its own: the time on the clock is that of everything else on the machine, too.
    let seconds = |parts: usize| {
        let file = dir.write("main.rhai", source(parts));
        let check = cmd(procscript_bin(), ["check".into(), file.into_os_string()]).stdout_null();
        check.run().expect("it finds nothing").usage().user.as_secs_f64()
    };
    // The parser looks for names among all others; what is quadratic is sixteen times as slow. Other work on the
    // machine may make one try slow, and not all of them.
    let grows_slowly = |_: &u32| seconds(2000) < 12.0 * seconds(500);
    assert!((0..5).any(|attempt| grows_slowly(&attempt)), "it is quadratic");
}
