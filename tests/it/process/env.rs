//! The environment and the directory of a child.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use procscript::process::{Context, ErrorKind, Expression};

use super::isolation::in_all_hosts;
use super::{fails, kid, kid_with};
use crate::support::leaks::{self, Guard};
use crate::support::scratch::Scratch;
use crate::support::users::as_ordinary_user;

fn read(expression: Expression) -> String {
    expression.read().expect("it succeeds")
}

#[test]
fn variables_are_inherited_set_removed_and_cleared() {
    let _guard = Guard::new();
    let show = || kid("env HOME A B");
    let home = read(kid("env HOME"));
    in_all_hosts(|host| {
        assert_eq!(read(kid("env HOME")), home, "{host}");
        assert_eq!(read(show().env("A", "1").env("HOME", "/new")), "HOME=/new\nA=1\nB unset");
        assert_eq!(read(show().env("A", "1").env_remove("A").env_remove("HOME")), "HOME unset\nA unset\nB unset");
        assert_eq!(
            read(show().env_remove("A").env("A", "2").env("A", "3").env_remove("HOME")),
            "HOME unset\nA=3\nB unset"
        );
        assert_eq!(read(kid("env").env_clear()), "");
        assert_eq!(read(kid("env").env("A", "lost").env_clear().env("B", "2").env("C", "")), "B=2\nC=");
        assert_eq!(read(kid("env").env_clear().env("B", "2").env_remove("B")), "");
        assert_eq!(read(show().env("A", " x=y \n'\"").env_clear()), "HOME unset\nA unset\nB unset");
        assert_eq!(read(kid("env A").env("A", "x=y z")), "A=x=y z");
    });
}

#[test]
fn names_and_values_may_be_any_bytes() {
    let _shared = leaks::shared();
    let odd = OsStr::from_bytes(b"\xff\xc3");
    assert_eq!(read(kid("env A").env("A", odd)), r"A=\xff\xc3");
    assert_eq!(read(kid("env").env_clear().env(odd, "x")), r"\xff\xc3=x");
    // Two spellings are two variables on Unix; odd names are names.
    assert_eq!(read(kid("env a A").env("a", "1").env("A", "2")), "a=1\nA=2");
    assert_eq!(read(kid("env").env_clear().env("a-b.c d", "1").env("BASH_FUNC_x%%", "() { :; }")).lines().count(), 2);
}

#[test]
fn secret_values_reach_the_child_and_nobody_else() {
    let _guard = Guard::new();
    let secret = kid("env T").secret_env("T", "s3cret");
    assert_eq!(read(secret.clone()), "T=s3cret");
    assert!(!format!("{secret} {secret:?} {secret:#?}").contains("s3cret"));
    // What is set last holds, in whichever way.
    assert_eq!(read(secret.clone().env("T", "plain")), "T=plain");
    assert_eq!(read(secret.clone().env_remove("T")), "T unset");
    assert_eq!(read(kid("env T").env("T", "plain").secret_env("T", "s3cret")), "T=s3cret");
    assert_eq!(read(secret.pipe(kid("cat")).secret_env("T", "outer")), "T=s3cret");
    for value in ["s3cret\0".to_string(), "s3cret".repeat(1_000_000)] {
        let error = kid("env T").secret_env("T", value).run().expect_err("it cannot be passed");
        assert!(!format!("{error} {error:?} {:?}", error.help()).contains("s3cret"), "{error}");
    }
}

#[test]
fn names_that_the_system_would_misread_are_refused() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let command = || kid_with("touch", [scratch.path().join("marker")]);
    for name in ["", "=", "A=", "A=B", "=A", "A\0", "0A", "7"] {
        let error = fails(ErrorKind::InvalidArgument, command().env(name, "x").run());
        assert!(error.message().contains("environment"), "{error}");
        fails(ErrorKind::InvalidArgument, command().pipe(kid("cat").env(name, "x")).run());
    }
    fails(ErrorKind::InvalidArgument, command().env("A", "va\0lue").run());
    fails(ErrorKind::InvalidArgument, command().env_remove("A=B").run());
    fails(ErrorKind::InvalidArgument, command().within(&Context::new().with_env("A=B", "x")).run());
    assert!(scratch.listing().is_empty(), "it was started");
}

#[test]
fn contexts_are_under_the_commands_settings() {
    let _shared = leaks::shared();
    let context = Context::new().with_env("A", "context").with_env("B", "context").without_env("HOME").with_dir("/");
    let show = || kid("env A B HOME").within(&context);
    assert_eq!(read(show()), "A=context\nB=context\nHOME unset");
    assert_eq!(read(show().env("A", "own").env_remove("B")), "A=own\nB unset\nHOME unset");
    assert_eq!(read(show().env_clear()), "A unset\nB unset\nHOME unset");
    assert_eq!(read(kid("echo").pipe(kid("env A")).within(&context)), "A=context");
    assert_eq!(read(kid("dir").within(&context)), "/");
    assert_eq!(read(kid("dir").dir("tmp").within(&context)), "/tmp");
    assert_eq!(context.env("A").as_deref(), Some(OsStr::new("context")));
}

#[test]
fn the_directory_is_the_childs_alone() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let here = std::env::current_dir().expect("it exists");
    assert_eq!(read(kid("dir")), here.display().to_string());
    assert_eq!(read(kid("dir").dir("/")), "/");
    assert_eq!(read(kid("dir").dir(scratch.path())), scratch.path().display().to_string());
    assert_eq!(read(kid("dir").dir("/").dir(scratch.path())), scratch.path().display().to_string());
    assert_eq!(std::env::current_dir().expect("it exists"), here, "ours never changes");
    let odd = scratch.path().join(OsStr::from_bytes(b"d\xff \n"));
    std::fs::create_dir(&odd).expect("ours");
    assert!(read(kid("dir").dir(&odd)).ends_with(r"/d\xff \x0a"));
}

#[test]
fn a_directory_that_cannot_be_entered_is_not_a_missing_program() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = scratch.write("file", "");
    let missing = scratch.path().join("missing");
    for (dir, errno) in [(&missing, libc::ENOENT), (&file, libc::ENOTDIR), (&file.join("x"), libc::ENOTDIR)] {
        let error = fails(ErrorKind::BadDirectory, kid("exit 0").dir(dir).run());
        assert_eq!(error.errno(), Some(errno));
        assert!(error.message().contains(&*dir.to_string_lossy()), "{error}");
        let by_context = kid("exit 0").within(&Context::new().with_dir(dir));
        fails(ErrorKind::BadDirectory, by_context.run());
        fails(ErrorKind::BadDirectory, kid("cat").pipe(kid("exit 0").dir(dir)).run());
    }
}

#[test]
fn a_directory_that_is_closed_to_the_user_cannot_be_entered() {
    // Root enters everything, so that an ordinary user has to try.
    let _guard = Guard::new();
    let open = tempfile::Builder::new().prefix("procscript-public-").tempdir().expect("a directory");
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
    mode(open.path(), 0o755);
    let closed = open.path().join("closed");
    std::fs::create_dir(&closed).expect("ours");
    // To be listed, and not to be entered.
    mode(&closed, 0o644);
    let dir = closed.display();
    for command in ["cmd(\"true\")", "cmd(\"true\").nice(0)", "(cmd(\"true\") | cmd(\"cat\"))"] {
        let script = format!(
            "try {{ {command}.dir(\"{dir}\").run(); }} catch (e) {{ print(`${{e.kind}} ${{e.errno_name}} ${{e.message}}`); }}"
        );
        let said = as_ordinary_user(&script).expect("it catches the error");
        let expected = format!("bad_directory EACCES cannot enter the directory `{dir}`: Permission denied");
        // Of a pipeline it also says the stage.
        assert!(said.starts_with(&expected), "{command}: {said}");
    }
    mode(&closed, 0o755);
    let said = as_ordinary_user(&format!("print(cmd(\"pwd\").dir(\"{dir}\").read());")).expect("it may enter now");
    assert_eq!(said, closed.canonicalize().expect("it is there").display().to_string());
}
