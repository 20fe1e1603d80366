//! Which file a name runs.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use procscript::process::{Context, ErrorKind, Expression};

use super::{fails, soon};
use crate::support::leaks::{self, Guard};
use crate::support::scratch::Scratch;
use crate::support::testkid;
use crate::support::users::as_ordinary_user;

/// A program that says who it is.
fn tool(scratch: &Scratch, path: &str) -> PathBuf {
    let file = scratch.write(path, format!("#!{}\n", testkid().display()));
    // `testkid FILE` would take the file for a verb; a link with a verb in front is not possible.
    std::fs::write(&file, format!("#!/bin/sh\necho {path}\n")).expect("ours");
    mode(&file, 0o755);
    file
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
}

/// `tool`, with a search path of directories below the scratch.
fn search(scratch: &Scratch, dirs: &[&str]) -> Expression {
    let dirs = dirs.iter().map(|dir| scratch.path().join(dir));
    Expression::new("tool").env("PATH", std::env::join_paths(dirs).expect("plain names"))
}

fn read(expression: Expression) -> String {
    expression.read().expect("it succeeds")
}

#[test]
fn the_order_of_the_path_decides() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    tool(&scratch, "one/tool");
    tool(&scratch, "two/tool");
    for _ in 0..10 {
        assert_eq!(read(search(&scratch, &["one", "two"])), "one/tool");
        assert_eq!(read(search(&scratch, &["two", "one", "two"])), "two/tool");
        assert_eq!(read(search(&scratch, &["missing", "two"])), "two/tool");
    }
}

#[test]
fn what_cannot_be_run_is_passed_over() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    tool(&scratch, "good/tool");
    std::fs::create_dir_all(scratch.path().join("dir/tool")).expect("ours");
    mode(&scratch.write("plain/tool", "#!/bin/sh\necho wrong\n"), 0o644);
    std::fs::create_dir(scratch.path().join("fifo")).expect("ours");
    Expression::new("mkfifo").arg(scratch.path().join("fifo/tool")).run().expect("mkfifo");
    for (dir, target) in [("dangling", "nowhere"), ("loop", "tool"), ("todir", "/tmp")] {
        std::fs::create_dir(scratch.path().join(dir)).expect("ours");
        symlink(target, scratch.path().join(dir).join("tool")).expect("ours");
    }
    std::os::unix::net::UnixListener::bind({
        std::fs::create_dir(scratch.path().join("socket")).expect("ours");
        scratch.path().join("socket/tool")
    })
    .expect("a socket");
    let shadows = ["dir", "plain", "fifo", "dangling", "loop", "todir", "socket", "good/tool", "missing"];
    for shadow in shadows {
        assert_eq!(soon(|| read(search(&scratch, &[shadow, "good"]))), "good/tool", "{shadow}");
        let kind = if shadow == "plain" { ErrorKind::NotExecutable } else { ErrorKind::NotFound };
        soon(|| fails(kind, search(&scratch, &[shadow]).run()));
    }
    let all = [&shadows[..], &["good"]].concat();
    assert_eq!(soon(|| read(search(&scratch, &all))), "good/tool");
    std::fs::create_dir(scratch.path().join("link")).expect("ours");
    symlink("../good/tool", scratch.path().join("link/tool")).expect("ours");
    assert_eq!(read(search(&scratch, &["link"])), "good/tool");
}

#[test]
fn the_working_directory_is_never_searched() {
    // Anybody may have put a `git` there.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    tool(&scratch, "tool");
    tool(&scratch, "sub/tool");
    let here = Context::new().with_dir(scratch.path());
    for path in ["", ":", ".", "::", "./", "sub", "./sub", "../work", "sub:.", ".:/nowhere", "/nowhere"] {
        let command = Expression::new("tool").env("PATH", path).dir(scratch.path());
        let error = fails(ErrorKind::NotFound, command.clone().within(&here).run());
        assert!(error.message().contains("command not found: `tool`"), "{error}");
        fails(ErrorKind::NotFound, command.run());
        fails(ErrorKind::NotFound, here.clone().with_env("PATH", path).which("tool"));
    }
    // Nor is there anything else to search for a child whose path is empty, whatever ours is.
    for name in ["true", "echo", "sh"] {
        Context::new().which(name).expect("it is in our path");
        let error = fails(ErrorKind::NotFound, Expression::new(name).env("PATH", "").run());
        assert!(error.help().is_some_and(|help| help.contains("names no directory")), "{error:?}");
    }
    // With a real directory behind them, that one counts.
    let bin = scratch.path().join("bin");
    tool(&scratch, "bin/tool");
    for path in [format!(":{}", bin.display()), format!(".:sub:{}", bin.display()), format!("{}:", bin.display())] {
        let command = Expression::new("tool").env("PATH", path).dir(scratch.path()).within(&here);
        assert_eq!(read(command), "bin/tool");
    }
}

#[test]
fn the_childs_path_decides_and_ours_where_it_has_none() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = tool(&scratch, "only/tool");
    assert_eq!(read(search(&scratch, &["only"])), "only/tool");
    fails(ErrorKind::NotFound, Expression::new("tool").run());
    fails(ErrorKind::NotFound, Expression::new("true").env("PATH", "/nowhere").run());
    Expression::new("true").env_remove("PATH").run().expect("ours is used");
    Expression::new("true").env_clear().run().expect("ours is used");
    Expression::new("true").env_clear().env("A", "b").run().expect("ours is used");
    let context = Context::new().with_env("PATH", scratch.path().join("only"));
    assert_eq!(read(Expression::new("tool").within(&context)), "only/tool");
    assert_eq!(context.which("tool").expect("it is there"), file);
    fails(ErrorKind::NotFound, context.which("true"));
}

#[test]
fn which_tells_the_file_that_would_be_run() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let (one, two) = (tool(&scratch, "one/tool"), tool(&scratch, "two/tool"));
    let plain = scratch.write("plain/tool", "#!/bin/sh\n");
    mode(&plain, 0o644);
    std::fs::create_dir_all(scratch.path().join("dir/tool")).expect("ours");
    symlink("../two/tool", scratch.path().join("one/link")).expect("ours");
    let context = |dirs: &[&str]| {
        let dirs = dirs.iter().map(|dir| scratch.path().join(dir));
        let path = std::env::join_paths(dirs).expect("plain names");
        Context::new().with_dir(scratch.path()).with_env("PATH", path)
    };
    let found = |dirs: &[&str], name: &str| context(dirs).which(name).expect("it is there");
    assert_eq!(found(&["one", "two"], "tool"), one);
    assert_eq!(found(&["two", "one"], "tool"), two);
    assert_eq!(found(&["plain", "dir", "missing", "two"], "tool"), two);
    // The link, and not what it leads to: the program may ask for its name.
    assert_eq!(found(&["one"], "link"), scratch.path().join("one/link"));
    // One that is a path is not searched, and counts from the directory of the context.
    assert_eq!(found(&["one"], "two/tool"), two);
    assert_eq!(found(&["one"], two.to_str().expect("text")), two);
    // It is what a command with the same surroundings runs.
    for (dirs, name) in [(&["dir", "two", "one"][..], "tool"), (&["one"], "two/tool"), (&["one"], "link")] {
        let file = context(dirs).which(name).expect("it is there");
        let shown = Expression::new(&file).read().expect("it runs");
        assert_eq!(read(Expression::new(name).within(&context(dirs))), shown);
    }
    for (kind, name) in [
        (ErrorKind::NotFound, "deploy"),
        (ErrorKind::NotFound, "two/deploy"),
        (ErrorKind::NotExecutable, "dir/tool"),
        (ErrorKind::NotExecutable, "plain/tool"),
        (ErrorKind::InvalidArgument, ""),
    ] {
        let asked = fails(kind, context(&["one"]).which(name));
        let tried = fails(kind, Expression::new(name).within(&context(&["one"])).run());
        assert_eq!(asked.message(), tried.message());
    }
    fails(ErrorKind::NotExecutable, context(&["plain"]).which("tool"));
}

#[test]
fn a_path_is_a_file_and_never_searched() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    tool(&scratch, "tool");
    tool(&scratch, "sub/tool");
    let here = Context::new().with_dir(scratch.path());
    let read = |expression: Expression| read(expression.within(&here));
    assert_eq!(read(Expression::from_path("tool")), "tool");
    assert_eq!(read(Expression::new("./tool")), "tool");
    assert_eq!(read(Expression::new("sub/tool")), "sub/tool");
    assert_eq!(read(Expression::new("sub/../tool")), "tool");
    fails(ErrorKind::NotFound, Expression::from_path("true").within(&here).run());
    fails(ErrorKind::NotFound, Expression::from_path("true").dir("/bin").within(&here).run());
    let below = Context::new().with_dir(scratch.path().join("sub"));
    assert_eq!(self::read(Expression::new("../tool").within(&below)), "tool");
    // A relative program counts from the context's directory, not from the child's.
    let inside = Expression::new("./tool").dir(scratch.path().join("sub"));
    assert_eq!(read(inside), "tool");
    std::fs::remove_file(scratch.path().join("tool")).expect("ours");
    let inside = Expression::new("./tool").dir(scratch.path().join("sub"));
    fails(ErrorKind::NotFound, inside.within(&here).run());
}

#[test]
fn links_on_the_way_to_a_program_are_not_resolved() {
    // One file with many names asks for the one that it was called by.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    symlink(testkid(), scratch.path().join("link")).expect("ours");
    std::fs::create_dir(scratch.path().join("sub")).expect("ours");
    symlink("..", scratch.path().join("sub/back")).expect("ours");
    let here = Context::new().with_dir(scratch.path());
    for (name, file) in [("./link", "link"), ("sub/back/link", "sub/back/link")] {
        for dir in [None, Some("sub"), Some("/")] {
            let command = Expression::new(name).args(["arg0", "--", "dir"]).within(&here);
            let command = dir.map_or(command.clone(), |dir| command.dir(dir));
            let output = command.output().expect("it succeeds");
            let dir = scratch.path().join(dir.unwrap_or(""));
            let expected = format!("{name}\n{}\n", dir.canonicalize().expect("it is there").display());
            assert_eq!(String::from_utf8_lossy(&output.stdout.clone().expect("captured")), expected);
            assert_eq!(output.program(), Some(scratch.path().join(file).as_path()));
        }
    }
}

#[test]
fn the_name_is_what_the_program_sees() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let path = scratch.bin();
    let kid = || Expression::new("testkid").arg("arg0").env("PATH", &path);
    assert_eq!(read(kid()), "testkid");
    assert_eq!(read(kid().arg0("other")), "other");
    assert_eq!(read(kid().arg0("")), "");
    let file = path.join("testkid");
    assert_eq!(read(Expression::new(&file).arg("arg0")), file.display().to_string());
}

#[test]
fn a_missing_program_is_told_with_where_it_was_looked_for() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    tool(&scratch, "dir/deploy");
    let search = |name: &str| Expression::new(name).env("PATH", scratch.path().join("dir"));
    let error = fails(ErrorKind::NotFound, search("deplyo").run());
    assert_eq!((error.errno(), error.errno_name()), (Some(libc::ENOENT), Some("ENOENT")));
    let help = error.help().expect("a help");
    assert!(help.contains("did you mean `deploy`?") && help.contains("work/dir"), "{help}");
    assert!(fails(ErrorKind::NotFound, search("xyzzy").run()).help().expect("a help").contains("searched"));
    // What cannot be run is no proposal, however near its name is.
    mode(&scratch.write("dir/deplyx", "text"), 0o644);
    std::fs::create_dir(scratch.path().join("dir/deplya")).expect("ours");
    let help = fails(ErrorKind::NotFound, search("deplyo").run()).help().expect("a help").to_string();
    assert!(help.contains("did you mean `deploy`?"), "{help}");
    let nowhere = Expression::new("tool").env("PATH", "");
    assert!(fails(ErrorKind::NotFound, nowhere.run()).help().expect("a help").contains("names no directory"));
    for name in ["", "a\0b"] {
        fails(ErrorKind::InvalidArgument, Expression::new(name).run());
        fails(ErrorKind::InvalidArgument, Expression::from_path(name).run());
    }
    let many: Vec<_> = (0..4000).map(|n| format!("/nowhere/{n}")).collect();
    Expression::new("true").env("PATH", format!("{}:/bin:/usr/bin", many.join(":"))).run().expect("found at the end");
}

#[test]
fn every_directory_is_searched_and_shown_once() {
    let _guard = Guard::new();
    let help = |path: &str| {
        let error = fails(ErrorKind::NotFound, Expression::new("xyzzy-x").env("PATH", path).run());
        error.help().expect("a help").to_string()
    };
    assert_eq!(help("/no/a:/no/b:/no/a:/no/b/:relative::/no/a"), "searched /no/a:/no/b");
    assert_eq!(help("/no/a:/no/b:/no/c:/no/d:/no/a"), "searched /no/a:/no/b:/no/c:/no/d");
    assert_eq!(help("/no/a:/no/b:/no/c:/no/d:/no/e"), "searched /no/a:/no/b:/no/c:/no/d and 1 more directory of PATH");
    let many: Vec<_> = (0..4000).map(|n| format!("/no/{}", n % 1000)).collect();
    assert_eq!(help(&many.join(":")), "searched /no/0:/no/1:/no/2:/no/3 and 996 more directories of PATH");
}

#[test]
fn a_directory_that_may_not_be_entered_is_named() {
    let _shared = leaks::shared();
    let scratch = tempfile::Builder::new().prefix("procscript-closed-").tempdir().expect("a directory");
    mode(scratch.path(), 0o755);
    let closed = scratch.path().join("closed");
    std::fs::create_dir_all(closed.join("sub")).expect("ours");
    let file = closed.join("sub/tool");
    std::fs::write(&file, "#!/bin/sh\n").expect("ours");
    mode(&file, 0o755);
    symlink(&file, scratch.path().join("link")).expect("ours");
    // Readable, and not to be entered.
    mode(&closed, 0o644);
    let show = |path: &Path| {
        let report = "print(`${e.kind} ${e.errno_name} ${e.message}; ${e.help}`)";
        format!("try {{ cmd(\"{}\").run() }} catch (e) {{ {report} }}", path.display())
    };
    let text = as_ordinary_user(&show(&file)).expect("it succeeds");
    let behind_link = as_ordinary_user(&show(&scratch.path().join("link"))).expect("it succeeds");
    mode(&closed, 0o755);
    assert!(text.starts_with("not_executable EACCES permission denied: cannot run `"), "{text}");
    assert!(text.contains(&format!("the directory `{}` may not be entered", closed.display())), "{text}");
    assert!(text.contains("search permission") && !text.contains("chmod +x"), "{text}");
    assert!(
        behind_link.starts_with("not_executable EACCES") && behind_link.contains("a directory on the way"),
        "{behind_link}"
    );
}

#[test]
fn a_path_is_itself_when_it_can_be_run() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let file = tool(&scratch, "sub/tool");
    mode(&scratch.write("plain", "text"), 0o644);
    let here = Context::new().with_dir(scratch.path());
    assert_eq!(here.which_file("sub/tool").expect("it is there"), file);
    fails(ErrorKind::NotExecutable, here.which_file("plain"));
    // Not searched in `PATH`.
    fails(ErrorKind::NotFound, here.which_file("sh"));
}
