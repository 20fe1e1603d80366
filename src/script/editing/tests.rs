use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Candidate, Completions};
use crate::script::{Runtime, Session};

fn session_in(dir: &Path, path: &str) -> Session {
    let runtime = Runtime::builder().context(|context| context.with_dir(dir).with_env("PATH", path));
    Session::new(runtime.build().expect("a runtime"))
}

fn session() -> Session {
    Session::new(Runtime::builder().build().expect("a runtime"))
}

/// Completes at the `|`, and gives the texts that the candidates make.
fn complete(session: &Session, text: &str) -> Vec<String> {
    let (before, after) = text.split_once('¦').expect("a cursor");
    let found = session.complete(&format!("{before}{after}"), before.len());
    found.candidates.iter().map(|candidate| format!("{}{}", &before[..found.start], candidate.text)).collect()
}

#[track_caller]
fn has(session: &Session, text: &str, wanted: &str) {
    let found = complete(session, text);
    assert!(found.iter().any(|found| found == wanted), "{text}: {found:?} has no {wanted}");
}

#[track_caller]
fn has_not(session: &Session, text: &str, unwanted: &str) {
    let found = complete(session, text);
    assert!(!found.iter().any(|found| found == unwanted), "{text}: {found:?} has {unwanted}");
}

#[test]
fn members_by_the_type_left_of_the_dot() {
    let mut session = session();
    let entry = r#"
        let command = cmd("git"); let text = "x"; let numbers = [1, 2]; let place = path("a");
        let config = #{ host: "h", deep: #{ inner: [#{ leaf: 1 }], "not a name": 2 } };
        let failure = (); try { throw "x" } catch (e) { failure = e; }
        fn twice(n) { n * 2 }
    "#;
    session.eval(entry).expect("it runs");
    for (text, wanted) in [
        ("command.lin¦", "command.lines()"),
        ("text.to_up¦", "text.to_upper()"),
        ("numbers.pu¦", "numbers.push("),
        ("config.ho¦", "config.host"),
        ("config.ke¦", "config.keys()"),
        ("config.deep.in¦", "config.deep.inner"),
        ("config.deep.inner[0].le¦", "config.deep.inner[0].leaf"),
        ("config[\"deep\"].in¦", "config[\"deep\"].inner"),
        ("failure.mess¦", "failure.message"),
        // Literals.
        ("\"abc\".con¦", "\"abc\".contains("),
        ("[1].jo¦", "[1].join("),
        ("#{ a: 1 }.ke¦", "#{ a: 1 }.keys()"),
        ("$`git diff`.li¦", "$`git diff`.lines()"),
        ("sh$`a`.li¦", "sh$`a`.lines()"),
        ("(cmd(\"a\") | cmd(\"b\")).li¦", "(cmd(\"a\") | cmd(\"b\")).lines()"),
        ("1.ab¦", "1.abs()"),
        ("1.¦", "1.abs()"),
        ("let x = -1.¦", "let x = -1.abs()"),
        ("1.5.ro¦", "1.5.round()"),
        ("(1).ab¦", "(1).abs()"),
        ("('a').to_up¦", "('a').to_upper()"),
        ("(\"a\").to_up¦", "(\"a\").to_upper()"),
        // What operators give.
        ("(1 + 2).ab¦", "(1 + 2).abs()"),
        ("(1+2).ab¦", "(1+2).abs()"),
        ("(1 - -2 * 3 ** 2).ab¦", "(1 - -2 * 3 ** 2).abs()"),
        ("(1 + 2.0).ro¦", "(1 + 2.0).round()"),
        ("(-(1 + 2)).ab¦", "(-(1 + 2)).abs()"),
        ("(\"a\" + 1).to_up¦", "(\"a\" + 1).to_upper()"),
        ("(path(\"a\") / \"b\").par¦", "(path(\"a\") / \"b\").parent"),
        ("([1] + [2]).jo¦", "([1] + [2]).join("),
        ("(env(\"A\") ?? \"b\").to_up¦", "(env(\"A\") ?? \"b\").to_upper()"),
        ("let n = 1 + 2; n.ab¦", "let n = 1 + 2; n.abs()"),
        ("(numbers[0] + numbers[1]).ab¦", "(numbers[0] + numbers[1]).abs()"),
        // What the documentation says that calls give.
        ("cmd(\"git\", [f(1), (2)]).dir(\"x\").out¦", "cmd(\"git\", [f(1), (2)]).dir(\"x\").output()"),
        ("cmd(\"git\").output().sta¦", "cmd(\"git\").output().status"),
        ("cmd(\"git\").output().status.suc¦", "cmd(\"git\").output().status.success"),
        ("cmd(\"git\").read().spl¦", "cmd(\"git\").read().split("),
        ("path(\"a\").par¦", "path(\"a\").parent"),
        // What the entry itself says.
        ("let c = cmd(\"x\"); c.li¦", "let c = cmd(\"x\"); c.lines()"),
        ("for line in cmd(\"x\").lines() { line.con¦", "for line in cmd(\"x\").lines() { line.contains("),
        ("try { f() } catch (e) { e.mess¦", "try { f() } catch (e) { e.message"),
        ("let p = $`a` | $`b`; print(`${p.li¦", "let p = $`a` | $`b`; print(`${p.lines()"),
        ("$`a ${command.na¦", "$`a ${command.name("),
        ("command\n    .li¦", "command\n    .lines()"),
    ] {
        has(&session, text, wanted);
    }
    has_not(&session, "text.out¦", "text.output()");
    // A comparison is neither of its operands.
    for text in ["(1 == 2).ab¦", "(1 < 2 && 3 > 4).ab¦", "(1 in [1]).ab¦", "(1 + nothing).ab¦", "(1..2).ab¦"] {
        has_not(&session, text, &text.replace('¦', "s()"));
    }
    has_not(&session, "numbers.out¦", "numbers.output()");
    has_not(&session, "config.deep.¦", "config.deep.not a name");
    // Nothing is known, and nothing is run.
    for text in ["twice(2).¦", "nothing.¦", "config.nope.¦", "1 .¦", "}.¦", ").¦", ".¦", "a + command.read().x.¦"]
    {
        let _ = complete(&session, text);
    }
    assert!(complete(&session, "twice(2).¦").is_empty());
    assert!(complete(&session, "\"a\" + zzz.¦").is_empty());
}

#[test]
fn names_words_and_modules() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("own.rhai"), "fn deploy(where, when) {} private fn hidden() {}").expect("a file");
    let mut session = session_in(dir.path(), "/nonexistent");
    session.eval("let target = 1; fn twice(n) { n }").expect("it runs");
    for (text, wanted) in [
        ("tar¦", "target"),
        ("tw¦", "twice("),
        ("let local = 1; print(loc¦", "let local = 1; print(local"),
        ("sle¦", "sleep("),
        ("whi¦", "while"),
        ("whi¦", "which("),
        ("def¦", "defer"),
        ("import \"std/g¦", "import \"std/git"),
        ("import \"ow¦", "import \"own"),
        ("import \"std/git\" as git; git::bra¦", "import \"std/git\" as git; git::branch()"),
        ("import \"std/git\" as vcs; vcs::bra¦", "import \"std/git\" as vcs; vcs::branch()"),
        ("import \"own\" as own; own::de¦", "import \"own\" as own; own::deploy("),
        ("import \"own\" as own; ow¦", "import \"own\" as own; own::"),
        ("`a ${tar¦", "`a ${target"),
    ] {
        has(&session, text, wanted);
    }
    session.eval("import \"own\" as mine; import \"std/git\" as vcs;").expect("it runs");
    has(&session, "mine::de¦", "mine::deploy(");
    has(&session, "vcs::bra¦", "vcs::branch()");
    has(&session, "min¦", "mine::");
    has_not(&session, "import \"own\" as own; own::¦", "import \"own\" as own; own::hidden()");
    for text in ["// tar¦", "/* tar¦", "'t¦", "let tar¦", "fn tw¦", "twice(1)¦", "12¦"] {
        assert_eq!(complete(&session, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn programs_files_and_variables() {
    let dir = tempfile::tempdir().expect("a directory");
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    for (name, mode) in [("gizmo", 0o755), ("gitless", 0o755), ("giraffe.txt", 0o644)] {
        std::fs::write(bin.join(name), "#!/bin/sh\n").expect("a file");
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(mode)).expect("it is ours");
    }
    for name in ["two words.txt", "it's.txt", "say \"hi\"", "back\\slash", "new\nline", ".hidden", "plain.txt"] {
        std::fs::write(dir.path().join(name), "").expect("a file");
    }
    std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"not\xffutf8")), "").expect("a file");
    std::os::unix::fs::symlink(&bin, dir.path().join("link")).expect("a link");
    let session = session_in(dir.path(), bin.to_str().expect("it is text"));
    for (text, wanted) in [
        ("cmd(\"gi¦", "cmd(\"gizmo"),
        ("cmd([\"giz¦", "cmd([\"gizmo"),
        ("read(\"giz¦", "read(\"gizmo"),
        ("which(\"giz¦", "which(\"gizmo"),
        ("$`giz¦", "$`gizmo"),
        ("$`ls | giz¦", "$`ls | gizmo"),
        ("$`ls > plain.txt | giz¦", "$`ls > plain.txt | gizmo"),
        ("cmd(\"bin/gi¦", "cmd(\"bin/gizmo"),
        ("cmd(\"x\", \"pl¦", "cmd(\"x\", \"plain.txt"),
        ("let f = \"two¦", "let f = \"two words.txt"),
        ("let f = \"say¦", "let f = \"say \\\"hi\\\""),
        ("let f = \"say \\\"h¦", "let f = \"say \\\"hi\\\""),
        ("let f = \"back¦", "let f = \"back\\\\slash"),
        ("let f = \"b¦", "let f = \"bin/"),
        ("let f = \"li¦", "let f = \"link/"),
        ("let f = \"./b¦", "let f = \"./bin/"),
        ("let f = \".h¦", "let f = \".hidden"),
        ("let f = `pl¦", "let f = `plain.txt"),
        ("$`cat pl¦", "$`cat plain.txt"),
        ("$`cat two¦", "$`cat two\\ words.txt"),
        ("$`cat two\\ w¦", "$`cat two\\ words.txt"),
        ("$`cat 'two¦", "$`cat 'two words.txt'"),
        ("$`cat \"two w¦", "$`cat \"two words.txt\""),
        ("$`cat it¦", "$`cat it\\'s.txt"),
        ("$`cat > pl¦", "$`cat > plain.txt"),
        ("$`cat 2>pl¦", "$`cat 2>plain.txt"),
        ("env(\"PAT¦", "env(\"PATH"),
        ("cmd(\"a\").env_remove(\"PAT¦", "cmd(\"a\").env_remove(\"PATH"),
    ] {
        has(&session, text, wanted);
    }
    has_not(&session, "cmd(\"gi¦", "cmd(\"giraffe.txt");
    has_not(&session, "let f = \"¦", "let f = \".hidden");
    assert!(complete(&session, "let f = \"not¦").is_empty());
    assert!(complete(&session, "let f = \"new¦").is_empty());
    assert!(complete(&session, "let f = \"missing/x¦").is_empty());
    assert!(complete(&session, "let f = \"plain.txt/x¦").is_empty());
    assert!(complete(&session, "$`cat ${f}pl¦").is_empty());
    assert_eq!(session.complete_path("two w").candidates[0].text, "two words.txt");
}

#[test]
fn what_a_template_word_gets_can_be_run() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["a b", "q'uote", "d\"q", "dol$lar", "tick`s", "st*r", "semi;colon", "pa(ren)", "~home", "#hash", "ü"]
    {
        std::fs::write(dir.path().join(name), "").expect("a file");
    }
    let mut session = session_in(dir.path(), "/usr/bin:/bin");
    for start in ["$`printf %s ", "$`printf %s '", "$`printf %s \""] {
        let found = session.complete(start, start.len());
        assert_eq!(found.candidates.len(), 11, "{found:?}");
        for candidate in found.candidates {
            let entry = format!("{}{}`.read()", &start[..found.start], candidate.text);
            let Ok(crate::script::Ending::Finished(value)) = session.eval(&entry) else { panic!("{entry} fails") };
            assert_eq!(value.to_string(), candidate.label, "{entry}");
        }
    }
}

#[test]
fn a_large_directory_takes_no_time() {
    let dir = tempfile::tempdir().expect("a directory");
    for number in 0..2000 {
        std::fs::write(dir.path().join(format!("file{number:05}")), "").expect("a file");
    }
    let session = session_in(dir.path(), "/nonexistent");
    let Completions { start, candidates, more, common } = session.complete("\"fi", 3);
    assert_eq!((start, candidates.len(), more), (1, 500, 1500));
    assert_eq!(candidates[0].text, "file00000");
    // And not "file00", with which only those begin that are told.
    assert_eq!(common, "file0");
}

#[test]
fn what_all_have_in_common() {
    let of = |texts: &[&str]| Completions::of(0, texts.iter().copied().map(Candidate::plain).collect());
    assert_eq!(of(&["übung", "über", "übel"]).common, "üb");
    assert_eq!(of(&[]).common, "");
    let partly = of(&["gizmo"]).partly_seen();
    assert_eq!(
        (partly.candidates.len(), partly.more, partly.common.as_str()),
        (1, 1, ""),
        "another may begin otherwise"
    );
}

#[test]
fn any_text_can_be_asked_about() {
    let mut random = crate::script::scan::tests::Random(42);
    let mut session = session();
    session.eval("let m = #{ a: [1] };").expect("it runs");
    let fragments = [
        "$`", "`", "${", "}", "{", "(", ")", "[", "]", "\"", "'", "\\", ".", "m", "cmd", "::", "|", ">", "let ", "=",
        ";", " ", "\n", "//", "/*", "#{", "a", "0", "1", "ü", "sh$`", "import ", "catch", "for ", " in ", ",", "#\"",
        "!",
    ];
    for _ in 0..600 {
        let text = random.text(&fragments, 14);
        for cursor in [text.len(), random.below(text.len() + 1)] {
            let found = session.complete(&text, cursor);
            assert!(text.is_char_boundary(found.start.min(text.len())), "{text:?}");
            session.signature_at(&text, cursor);
        }
        session.needs_more(&text);
        let mut end = 0;
        for (range, class) in session.highlight(&text) {
            assert!(end <= range.start && range.start < range.end, "{text:?}: {range:?} {class:?}");
            assert!(text.get(range.clone()).is_some(), "{text:?}: {range:?}");
            end = range.end;
        }
        for at in 0..text.len() {
            if let Some(partner) = super::Classifier::partner(&text, at) {
                assert!(partner < text.len(), "{text:?} {at}");
            }
        }
    }
}

#[test]
fn signatures_of_the_call_that_is_being_written() {
    let mut session = session();
    session.eval("fn twice(n) { n } fn twice(n, m) { m } let c = cmd(\"x\");").expect("it runs");
    for (text, wanted) in [
        ("twice(", "twice(n)"),
        ("twice(1, ", "twice(n, m)"),
        ("print(twice(1, [2, 3], ", "twice(n, m)"),
        ("sleep(", "sleep(duration: String | Duration | int | float)"),
        ("c.dir(", "Command.dir("),
        ("cmd(\"a\").timeout(", "Command.timeout("),
        ("`${sleep(", "sleep(duration: String | Duration | int | float)"),
        ("sleep(\"", "sleep(duration: String | Duration | int | float)"),
    ] {
        let found = session.signature_at(text, text.len()).unwrap_or_default();
        assert!(found.starts_with(wanted), "{text}: {found}");
    }
    for text in ["", "sleep", "nothing(", "(1, ", "if (", "sleep(1)", "fn sleep(", "sleep(`${"] {
        let found = session.signature_at(text, text.len());
        assert!(found.as_deref().unwrap_or_default().is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn classes_of_what_is_typed() {
    let session = session();
    let parts = |text: &str| -> Vec<String> {
        session.highlight(text).into_iter().map(|(range, class)| format!("{class:?} {}", &text[range])).collect()
    };
    assert_eq!(
        parts("let x = cmd(\"sh\", \"-c\"); // done"),
        ["Keyword let", "Function cmd", "Program \"sh\"", "String \"-c\"", "Comment // done"]
    );
    assert_eq!(parts("cmd(\"no-such-program\")"), ["Function cmd", "MissingProgram \"no-such-program\""]);
    assert_eq!(
        parts("$`ls ${1} | no-such-program x`"),
        [
            "Template $`",
            "Program ls",
            "Template  ",
            "Slot ${",
            "Number 1",
            "Slot }",
            "Template  | ",
            "MissingProgram no-such-program",
            "Template  x`"
        ]
    );
    // What is being typed is not missing yet.
    assert_eq!(parts("$`no-such-pro"), ["Template $`no-such-pro"]);
    assert_eq!(parts("`a ${\"b ${c}\"} d"), ["String `a ", "Slot ${", "String \"b ${c}\"", "Slot }", "String  d"]);
    assert_eq!(parts("`a ${if 1"), ["String `a ", "Slot ${", "Keyword if", "Number 1"]);
    assert_eq!(parts("x /* a /* b"), ["Comment /* a /* b"]);
    assert_eq!(parts("m.if.len(let"), ["Function len", "Keyword let"]);
    let partner = |text: &str, at| super::Classifier::partner(text, at);
    assert_eq!(partner("f(\")\", [1])", 1), Some(10));
    assert_eq!(partner("f(\")\", [1])", 10), Some(1));
    assert_eq!(partner("f(\")\", [1])", 3), None);
    assert_eq!(partner("$`a ${f(1)}`", 7), Some(9));
    assert_eq!(partner("#{ a: (1", 0), None);
}

#[test]
fn entries_that_end_too_early() {
    let session = session();
    for entry in [
        "{",
        "(",
        "[1,",
        "let x =",
        "if c",
        "fn f(",
        "x.",
        "\"abc\\",
        "`a",
        "$`a",
        "$`a ${",
        "/* a",
        "1 +",
        "if x {",
        "switch x {",
        "a |",
        "let x = #{ a: 1,",
        "#\"raw",
        "fn f(a)",
        "sh$`a",
        "defer {",
        "try { 1 }",
        "import",
        "with dir(\"x\")",
    ] {
        assert!(session.needs_more(entry), "{entry:?}");
    }
    for entry in [
        "",
        "1",
        "x",
        "foo)",
        "1 2",
        "}",
        "\"abc",
        "'ab",
        "let let",
        "f(1,,",
        "x;",
        "try { 1 } catch { 2 }",
        "$`a`",
        "// x",
        "sh$`a`.read()",
        "cmd(\"x\")\n",
    ] {
        assert!(!session.needs_more(entry), "{entry:?}");
    }
}
