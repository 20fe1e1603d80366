//! Descriptors of ours as streams, and extra ones.

use std::fs::File;
use std::io::{Read, Seek, Write, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use procscript::process::{Error, ErrorKind, Execution, Expression, FdTarget, OutputStream};

use super::{fails, forked, kid, kid_with, read};
use crate::support::leaks::Guard;
use crate::support::scratch::Scratch;

#[test]
fn our_descriptors_as_streams() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let input = File::open(scratch.write("in", "one\n")).expect("it is there");
    let output = File::create(scratch.path().join("out")).expect("a file");
    let command = kid("cat -- err two").stdin_fd(input.as_raw_fd());
    let command = command.stdout_fd(output.as_raw_fd()).stderr_fd(output.as_raw_fd());
    let (from, to) = (input.as_raw_fd(), output.as_raw_fd());
    assert!(command.to_string().ends_with(&format!("<&{from} >&{to} 2>&{to}")), "{command}");
    command.run().expect("it succeeds");
    assert_eq!(scratch.read("out"), "one\ntwo\n");
    // Ours are still open, and the position is shared.
    command.run().expect("it succeeds");
    assert_eq!(scratch.read("out"), "one\ntwo\ntwo\n");
    (&input).rewind().expect("a file");
    command.run().expect("it succeeds");
    assert_eq!(scratch.read("out"), "one\ntwo\ntwo\none\ntwo\n");
    drop(input);
    let error = fails(ErrorKind::InvalidArgument, command.run());
    assert_eq!(error.message(), format!("descriptor {from} is not open in this process"));
    assert_eq!(error.errno_name(), Some("EBADF"));
}

#[test]
fn files_are_closed_with_the_last_clone() {
    let _guard = Guard::new();
    let (mut reader, writer) = pipe().expect("a pipe");
    let file = File::from(OwnedFd::from(writer));
    let command = kid("echo a").stdout_file(file);
    let clone = command.clone();
    command.run().expect("it succeeds");
    drop(command);
    clone.run().expect("it is still open");
    // A start that fails does not close it either.
    fails(ErrorKind::BadDirectory, clone.clone().dir("/no/such/directory").run());
    fails(ErrorKind::NotFound, Expression::new("no-such-program-x").pipe(clone.clone()).run());
    clone.clone().run().expect("it is still open");
    drop(clone);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("the end, as nobody else holds it");
    assert_eq!(text, "a\na\na\n");
    // The same for an extra descriptor, and for one in two places.
    let (mut reader, writer) = pipe().expect("a pipe");
    let second = File::from(OwnedFd::from(writer.try_clone().expect("a duplicate")));
    let command = kid("write-fd 7 a -- echo b -- err c").fd(7, writer).stdout_file(second).stderr_to_stdout();
    command.run().expect("it succeeds");
    command.run().expect("it succeeds");
    fails(ErrorKind::BadDirectory, command.dir("/no/such/directory").run());
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("the end");
    assert_eq!(text, "a\nb\nc\na\nb\nc\n");
}

#[test]
fn two_runs_share_the_position_of_an_open_file() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let command = kid("cat").stdin_file(File::open(scratch.write("in", "text")).expect("it is there"));
    assert_eq!((read(&command), read(&command)), ("text".to_string(), String::new()));
}

#[test]
fn extra_descriptors_lead_where_they_were_sent() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let input = scratch.write("in", "from a file\n");
    let (output, log) = (scratch.write("out", "something long\n"), scratch.write("log", "old\n"));
    let command = kid("read-fd 3 -- write-fd 4 x -- write-fd 5 y -- fds").fd(3, FdTarget::read(&input));
    let command = command.fd(4, FdTarget::write(&output)).fd(5, FdTarget::append(&log));
    assert_eq!(read(&command), "from a file\n0 1 2 3 4 5");
    assert_eq!(read(&command), "from a file\n0 1 2 3 4 5");
    assert_eq!((scratch.read("out"), scratch.read("log")), ("x\n".to_string(), "old\ny\ny\n".to_string()));
    // A path is a file to read.
    assert_eq!(read(&kid("read-fd 8").fd(8, input.as_path())), "from a file");
    fails(ErrorKind::ReadFailed, kid("fds").fd(3, FdTarget::read("/no/such/file")).run());
    fails(ErrorKind::WriteFailed, kid("fds").fd(3, FdTarget::write("/no/such/file")).run());
    let error = fails(ErrorKind::InvalidArgument, kid("fds").stdin_path(&input).fd(3, FdTarget::write(&input)).run());
    assert!(error.message().contains("both read and written"), "{error}");
    assert_eq!(scratch.read("in"), "from a file\n");
}

#[test]
fn of_the_same_number_the_last_one_holds() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let input = scratch.write("in", "text\n");
    let command =
        kid("read-fd 3 -- fds").fd(3, FdTarget::write(scratch.path().join("out"))).fd(3, FdTarget::read(&input));
    assert!(command.to_string().ends_with(&format!("fds 3< {}", input.display())), "{command}");
    assert_eq!(read(&command), "text\n0 1 2 3");
    assert_eq!(scratch.listing(), ["in"], "the other one is not opened");
}

#[test]
fn any_number_will_do() {
    // Whatever number std, or we, use for our own purposes between fork and exec.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let out = FdTarget::write(scratch.path().join("out"));
    for number in (3..40).chain([255, 256, 1000]) {
        let command = kid(&format!("write-fd {number} x -- fds")).fd(number, out.clone());
        assert_eq!(read(&command), format!("0 1 2 {number}"));
        assert_eq!(scratch.read("out"), "x\n");
    }
    let many = (3..40).fold(kid("fds -- read-fd 3 -- read-fd 39"), |c, n| c.fd(n, FdTarget::read(file(&scratch, n))));
    let numbers: Vec<String> = (0..40).map(|number: i32| number.to_string()).collect();
    assert_eq!(read(&many), format!("{}\n3\n39", numbers.join(" ")));
}

fn file(scratch: &Scratch, number: i32) -> std::path::PathBuf {
    scratch.write(&format!("in-{number}"), format!("{number}\n"))
}

#[test]
fn numbers_may_overlap_and_swap() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let open = |name: &str| File::open(scratch.write(name, format!("{name}\n"))).expect("it is there");
    let files = [open("a"), open("b"), open("c")];
    let [a, b, c] = [0, 1, 2].map(|index: usize| files[index].as_raw_fd());
    let show = |first, second, third| {
        files.iter().for_each(|mut file| file.rewind().expect("a file"));
        let command = kid(&format!("read-fd {a} -- read-fd {b} -- read-fd {c} -- fds"));
        read(&command.fd(a, first).fd(b, second).fd(c, third))
    };
    let fds = format!("0 1 2 {a} {b} {c}");
    assert_eq!(show(a, b, c), format!("a\nb\nc\n{fds}"));
    assert_eq!(show(b, a, c), format!("b\na\nc\n{fds}"));
    assert_eq!(show(b, c, a), format!("b\nc\na\n{fds}"));
    assert_eq!(show(c, a, b), format!("c\na\nb\n{fds}"));
}

#[test]
fn a_failed_start_writes_nothing_into_them() {
    // std's pipe for errors has a small number; with that number taken, its report would go into the file.
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let program = scratch.write("no-format", "echo\n");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let out = scratch.path().join("out");
    let command = (3..40).fold(Expression::from_path(&program), |c, n| c.fd(n, FdTarget::append(&out)));
    fails(ErrorKind::BadFormat, command.run());
    fails(ErrorKind::BadDirectory, command.clone().dir("/no/such").run());
    fails(ErrorKind::BadFormat, forked(command).uid(nobody()).run());
    assert_eq!(scratch.read("out"), "");
}

/// Somebody whom we may become.
#[allow(unsafe_code)]
fn nobody() -> u32 {
    // SAFETY: only asks.
    unsafe { libc::geteuid() }
}

#[test]
fn stages_share_what_the_pipeline_was_given() {
    let _guard = Guard::new();
    let scratch = Scratch::new();
    let stage = |text: &str| kid(&format!("cat -- write-fd 3 {text}"));
    let line = stage("first").pipe(stage("second")).fd(3, FdTarget::write(scratch.path().join("log")));
    line.run().expect("it succeeds");
    let mut lines: Vec<String> = scratch.read("log").lines().map(str::to_string).collect();
    lines.sort();
    assert_eq!(lines, ["first", "second"]);
    // A stage with a number of its own keeps it.
    let own = kid("cat -- write-fd 3 own").fd(3, FdTarget::write(scratch.path().join("own")));
    let line = own.pipe(stage("outer")).fd(3, FdTarget::write(scratch.path().join("log")));
    line.run().expect("it succeeds");
    assert_eq!((scratch.read("own"), scratch.read("log")), ("own\n".to_string(), "outer\n".to_string()));
    assert!(line.to_string().starts_with("{ ") && line.to_string().contains("; } 3> "), "{line}");
}

#[test]
fn a_conversation_through_pipes() {
    let _guard = Guard::new();
    let (reader, mut ours) = pipe().expect("a pipe");
    let (mut answers, writer) = pipe().expect("a pipe");
    let command = kid_with("read-fd", ["3", "--", "write-fd", "4", "done"]).fd(3, reader).fd(4, writer);
    let execution = command.clone().stdout_capture().start().expect("it starts");
    drop(command);
    ours.write_all(b"hello").expect("it reads");
    drop(ours);
    let mut answer = String::new();
    answers.read_to_string(&mut answer).expect("the end");
    assert_eq!(answer, "done\n");
    assert_eq!(execution.wait().expect("it succeeds").stdout.as_deref(), Some(&b"hello"[..]));
}

#[test]
fn three_streams_are_read_at_once() {
    // Each is more than a pipe holds, and none can end before the others are read.
    const SIZE: usize = 1_000_000;
    let _guard = Guard::new();
    let (mut reader, writer) = pipe().expect("a pipe");
    let text = "x".repeat(SIZE);
    let command = kid_with("tee-err", ["--", "write-fd", "5"]).arg(&text[..100_000]).args(["--", "tee-err"]);
    let third = std::thread::spawn(move || {
        let mut all = String::new();
        reader.read_to_string(&mut all).map(|_| all.len())
    });
    let body = |process: &Execution| {
        std::thread::scope(|scope| {
            let count = |stream: OutputStream| -> Result<usize, Error> {
                stream.chunks()?.try_fold(0, |sum, piece| Ok(sum + piece?.len()))
            };
            let errors = scope.spawn(move || count(process.stderr()));
            let output = scope.spawn(move || count(process.stdout()));
            process.write(text.as_bytes())?;
            process.finish_input();
            Ok::<_, Error>((output.join().expect("no panic")?, errors.join().expect("no panic")?))
        })
    };
    let (_, counts) = command.fd(5, writer).stderr_piped().run_with(body).expect("it succeeds");
    assert_eq!(counts, (SIZE, SIZE));
    // The expression, which held the writing end, is gone.
    assert_eq!(third.join().expect("no panic").expect("the end"), 100_001);
}
