//! The closure form: a body that talks to the command while it runs.

use std::num::{IntErrorKind, ParseIntError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use procscript::process::{Error, ErrorKind, Execution, Expression, OutputStream, Scope, Teardown};

use super::{await_strays, fails, kid, kill_strays, millis, soon, unique_sleep, within};
use crate::support::leaks::Guard;
use crate::support::procs;
use crate::support::scratch::Scratch;

/// Reads the line by which a command says that it is ready.
fn await_ready(process: &Execution) -> Result<(), Error> {
    let line = process.stdout().lines()?.next().expect("a line")?;
    assert_eq!(line, "ready");
    Ok(())
}

#[test]
fn body_and_command_run_at_the_same_time() {
    // Each answer comes before the next question is asked.
    let _guard = Guard::new();
    let talk = |process: &Execution| {
        let mut lines = process.stdout().lines()?;
        let mut answers = Vec::new();
        for word in ["one", "two", "three"] {
            process.write(format!("{word}\n").as_bytes())?;
            answers.push(lines.next().expect("an answer")?);
        }
        Ok::<_, Error>((process.pids(), answers))
    };
    let (output, (pids, answers)) = soon(|| kid("cat-upper").run_with(talk)).expect("it succeeds");
    assert_eq!(answers, ["ONE", "TWO", "THREE"]);
    assert_eq!((output.success(), output.stages[0].pid), (true, pids[0]));
}

#[test]
fn a_failing_body_tears_the_command_down() {
    // Its error is given on as it is, of whatever type.
    #[derive(Debug)]
    enum Mine {
        Enough,
        Theirs(Error),
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Self {
            Self::Theirs(error)
        }
    }
    let _guard = Guard::new();
    let sleep = unique_sleep(41);
    for line in
        [format!("grandchild {sleep} -- echo ready -- {sleep}"), format!("ignore TERM -- echo ready -- {sleep}")]
    {
        let command = kid(&line).grace(millis(200));
        let result = soon(|| {
            command.run_with(|process| -> Result<(), Mine> {
                await_ready(process)?;
                Err(Mine::Enough)
            })
        });
        assert!(matches!(result, Err(Mine::Enough)), "{result:?}");
        kill_strays(&sleep, 0);
    }
    let result = kid("exit 3").run_with(|_| Ok::<_, Mine>("value"));
    assert!(matches!(&result, Err(Mine::Theirs(error)) if error.kind() == ErrorKind::ExitStatus), "{result:?}");
}

#[test]
fn a_panicking_body_leaves_nothing() {
    let _guard = Guard::new();
    let sleep = unique_sleep(42);
    let command = kid(&format!("grandchild {sleep} -- echo ready -- {sleep}"));
    let body = |process: &Execution| -> Result<(), Error> {
        await_ready(process)?;
        panic!("on purpose")
    };
    let result = soon(|| catch_unwind(AssertUnwindSafe(|| command.run_with(body))));
    assert!(result.is_err_and(|panic| panic.downcast_ref::<&str>() == Some(&"on purpose")));
    kill_strays(&sleep, 0);
}

#[test]
fn a_body_that_goes_ends_the_command_whoever_has_a_handle() {
    let _guard = Guard::new();
    let sleep = unique_sleep(46);
    let command = kid(&format!("grandchild {sleep} -- echo ready -- {sleep}"));
    for panics in [true, false] {
        let kept = Mutex::new(None);
        let body = |process: &Execution| -> Result<(), Error> {
            *kept.lock().expect("no panic yet") = Some(process.clone());
            await_ready(process)?;
            if panics {
                panic!("on purpose");
            }
            Err(Error::invalid_argument("on purpose"))
        };
        let result = soon(|| catch_unwind(AssertUnwindSafe(|| command.run_with(body))));
        assert!(if panics { result.is_err() } else { result.is_ok_and(|result| result.is_err()) });
        kill_strays(&sleep, 0);
        let kept = kept.into_inner().expect("it was not held").expect("a handle");
        assert!(!kept.is_running(), "panics: {panics}");
        let output = kept.wait().expect("ended on purpose");
        assert_eq!(output.status.signal(), Some(libc::SIGTERM));
    }
}

#[test]
fn who_is_ended_is_given_the_end_of_its_input() {
    // It does not hear the signal, and works until there is nothing more to read: whoever ends it waits for that, and
    // writes no more. Without the end both would wait until the grace is over, and it would be killed.
    let _guard = Guard::new();
    let long = Duration::from_secs(30);
    type End<'a> = &'a dyn Fn(&Expression, &dyn Fn(&Execution));
    let kept = Mutex::new(None);
    let keep = |execution: &Execution| *kept.lock().expect("no panic") = Some(execution.clone());
    let ends: [(&str, End); 5] = [
        ("a body that fails", &|command, ready| {
            let result = command.run_with(|process| -> Result<(), Error> {
                ready(process);
                keep(process);
                Err(Error::invalid_argument("mine"))
            });
            assert_eq!(fails(ErrorKind::InvalidArgument, result).message(), "mine");
        }),
        ("a body that panics", &|command, ready| {
            let body = |process: &Execution| -> Result<(), Error> {
                ready(process);
                keep(process);
                panic!("on purpose")
            };
            assert!(catch_unwind(AssertUnwindSafe(|| command.run_with(body))).is_err());
        }),
        ("terminate", &|command, ready| {
            let execution = command.start().expect("it starts");
            ready(&execution);
            execution.terminate();
            keep(&execution);
        }),
        ("teardown", &|command, ready| {
            let execution = command.start().expect("it starts");
            ready(&execution);
            execution.teardown(&Teardown::kill().after(libc::SIGTERM, Scope::Tree, long));
            keep(&execution);
        }),
        ("drop", &|command, ready| {
            let execution = command.start().expect("it starts");
            ready(&execution);
        }),
    ];
    for (how, end) in ends {
        let listing_after = |first: &str| {
            let scratch = Scratch::new();
            let file = |name: &str| scratch.path().join(name);
            let command = kid(first).arg(file("ready")).args(["--", "cat", "--", "touch"]).arg(file("done"));
            let ready = |execution: &Execution| {
                assert!(procs::until(super::SOON, || file("ready").exists(), |exists| *exists), "{how}");
                execution.write(b"something\n").expect("it reads");
            };
            soon(|| end(&command.stdin_piped().stdout_piped().grace(long), &ready));
            if let Some(kept) = kept.lock().expect("no panic").take() {
                let error = fails(ErrorKind::WriteFailed, kept.write(b"late"));
                assert_eq!(error.errno_name(), Some("EPIPE"), "{how}");
            }
            scratch.listing()
        };
        assert_eq!(listing_after("ignore TERM -- touch"), ["done", "ready"], "{how}");
        // The signal comes first: half of the input is not taken for the whole.
        assert_eq!(listing_after("touch"), ["ready"], "{how}");
    }
}

#[test]
fn a_writer_and_readers_beside_a_failing_body_are_set_free() {
    // At whatever moment: nobody waits for ever, and the error is that of the body.
    let _guard = Guard::new();
    for round in 0..20_u64 {
        let threads = Mutex::new(Vec::new());
        let command = kid("tee-err").stderr_piped().grace(millis(300));
        let result = soon(|| {
            command.run_with(|process| -> Result<(), Error> {
                let (writer, out, err) = (process.clone(), process.stdout(), process.stderr());
                let count =
                    |stream: OutputStream| stream.chunks().map_or(0, |pieces| pieces.filter(Result::is_ok).count());
                *threads.lock().expect("no panic") = vec![
                    std::thread::spawn(move || while writer.write(&[b'x'; 10_000]).is_ok() {}),
                    std::thread::spawn(move || _ = count(out)),
                    std::thread::spawn(move || _ = count(err)),
                ];
                std::thread::sleep(millis(round * 3));
                Err(Error::invalid_argument("mine"))
            })
        });
        assert_eq!(fails(ErrorKind::InvalidArgument, result).message(), "mine");
        for thread in threads.into_inner().expect("no panic") {
            soon(|| thread.join()).expect("no panic");
        }
    }
}

#[test]
fn lines_that_the_body_returns_are_whole() {
    // Nobody can read them while the end of the command is waited for, and the pipe is full long before.
    let _guard = Guard::new();
    let (_, lines) = soon(|| kid("lines 300000").run_with(|process| process.stdout().lines())).expect("it succeeds");
    assert_eq!(lines.map(|line| line.expect("good")).last().as_deref(), Some("line-299999"));
    let begun = |process: &Execution| {
        let mut lines = process.stdout().lines()?;
        assert_eq!(lines.next().transpose()?.as_deref(), Some("line-0"));
        Ok::<_, Error>(lines)
    };
    let (_, lines) = soon(|| kid("lines 300000").run_with(begun)).expect("it succeeds");
    assert_eq!(lines.count(), 299_999);
    // What is too much is an error and no endless wait.
    let endless = kid("lines 2000000000").limit(1_000_000);
    soon(|| fails(ErrorKind::OutputLimit, endless.run_with(|process| process.stdout().lines())));
}

#[test]
fn a_handle_that_outlives_the_body_is_of_an_ended_command() {
    let _guard = Guard::new();
    let (_, kept) = kid("cat").run_with(|process| Ok::<_, Error>(process.clone())).expect("it succeeds");
    assert!(!kept.is_running());
    fails(ErrorKind::Misuse, kept.write(b"late"));
    fails(ErrorKind::Misuse, kept.stdout().lines());
    assert!(kept.wait().expect("the same answer").success());
}

#[test]
fn both_outputs_can_be_read_at_the_same_time() {
    // Whoever reads one to its end before the other hangs here: each is more than a pipe holds.
    let _guard = Guard::new();
    const SIZE: usize = 3_000_000;
    let count = |stream: procscript::process::OutputStream| -> Result<usize, Error> {
        stream.chunks()?.try_fold(0, |sum, piece| Ok(sum + piece?.len()))
    };
    let body = |process: &Execution| {
        std::thread::scope(|scope| {
            let errors = scope.spawn(|| count(process.stderr()));
            Ok::<_, Error>((count(process.stdout())?, errors.join().expect("no panic")?))
        })
    };
    let command = kid(&format!("flood-both {SIZE}")).stderr_piped();
    let (_, counts) = within(millis(20_000), || command.run_with(body)).expect("it succeeds");
    assert_eq!(counts, (SIZE, SIZE));
}

#[test]
fn a_long_conversation_goes_through_small_pipes() {
    // 16 MiB there and back: the writer is slowed by the reader, and nothing is lost or reordered.
    let _guard = Guard::new();
    let data: Vec<u8> = (0..16_u32 << 20).map(|n| (n % 251) as u8).collect();
    let body = |process: &Execution| {
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let written = process.write(&data);
                process.finish_input();
                written
            });
            let mut back = Vec::with_capacity(data.len());
            for piece in process.stdout().chunks()? {
                back.extend_from_slice(&piece?);
            }
            writer.join().expect("no panic")?;
            Ok::<_, Error>(back)
        })
    };
    let (_, back) = within(millis(30_000), || kid("cat").run_with(body)).expect("it succeeds");
    assert!(back == data);
}

#[test]
fn thousands_of_single_bytes_keep_their_order() {
    // Each arrives by itself, as soon as it is there: nothing waits for a buffer to fill up.
    let _guard = Guard::new();
    let body = |process: &Execution| {
        let mut pieces = process.stdout().chunks()?;
        for n in 0..2048_u32 {
            let byte = (n % 256) as u8;
            process.write(&[byte])?;
            assert_eq!(pieces.next().expect("an answer")?, [byte], "byte {n}");
        }
        Ok::<_, Error>(())
    };
    within(millis(30_000), || kid("cat").run_with(body)).expect("it succeeds");
}

#[test]
fn time_limits_and_redirections_hold_in_it() {
    let _guard = Guard::new();
    let wait = |process: &Execution| -> Result<Option<String>, Error> { process.stdout().lines()?.next().transpose() };
    let sleep = unique_sleep(43);
    let slow = kid(&format!("grandchild {sleep} -- {sleep}")).timeout(millis(300)).grace(millis(200));
    soon(|| fails(ErrorKind::TimedOut, slow.run_with(wait)));
    assert_eq!(await_strays(&sleep, 0), 0);
    // Streams that the expression sent elsewhere are not the body's.
    let elsewhere = kid("echo out -- err err").stdout_capture().stderr_capture().stdin_null();
    let (output, kind) = elsewhere
        .run_with(|process| {
            fails(ErrorKind::Misuse, process.write(b"x"));
            Ok::<_, Error>(fails(ErrorKind::Misuse, wait(process)).kind())
        })
        .expect("it succeeds");
    assert_eq!((output.stdout.as_deref(), kind), (Some(&b"out\n"[..]), ErrorKind::Misuse));
}

#[test]
fn what_was_written_is_answered_on_both_streams() {
    // Each question is asked when both answers to the one before have come.
    let _guard = Guard::new();
    let talk = |process: &Execution| {
        let (mut lines, mut errors) = (process.stdout().lines()?, process.stderr().lines()?);
        for word in ["one", "two", "three"] {
            process.write(format!("{word}\n").as_bytes())?;
            assert_eq!(lines.next().expect("an answer")?, word);
            assert_eq!(errors.next().expect("an answer")?, word);
        }
        process.finish_input();
        Ok::<_, Error>((lines.count(), errors.count()))
    };
    let (_, more) = soon(|| kid("tee-err").stderr_piped().run_with(talk)).expect("it succeeds");
    assert_eq!(more, (0, 0));
    // A shell that is told what to do, and to end.
    let collect =
        |stream: procscript::process::OutputStream| -> Result<Vec<String>, Error> { stream.lines()?.collect() };
    let dictate = |process: &Execution| {
        std::thread::scope(|scope| {
            let errors = scope.spawn(|| collect(process.stderr()));
            process.write(b"echo hello stdout\necho >&2 hello stderr\n")?;
            process.write(b"exit 7\n")?;
            Ok::<_, Error>((collect(process.stdout())?, errors.join().expect("no panic")?))
        })
    };
    let shell = Expression::new("sh").stderr_piped().ok_codes([7]);
    let (output, said) = soon(|| shell.run_with(dictate)).expect("it succeeds");
    assert_eq!(said, (vec!["hello stdout".to_string()], vec!["hello stderr".to_string()]));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn output_becomes_a_value_of_any_type() {
    // What reads it has errors of its own, which are given on as they are.
    #[derive(Debug)]
    enum Mine {
        NoNumber(ParseIntError),
        Theirs(Error),
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Self {
            Self::Theirs(error)
        }
    }
    let _guard = Guard::new();
    let numbers = |process: &Execution| -> Result<Vec<u8>, Mine> {
        process.stdout().lines()?.map(|line| line?.parse().map_err(Mine::NoNumber)).collect()
    };
    let read = |line: &str| soon(|| kid(line).grace(millis(200)).run_with(numbers)).map(|(_, value)| value);
    assert_eq!(read("echo 1 -- echo 20").expect("two numbers"), [1, 20]);
    assert!(
        matches!(read("echo 1 -- echo x -- forever"), Err(Mine::NoNumber(error)) if error.kind() == &IntErrorKind::InvalidDigit)
    );
    assert!(matches!(read("echo 1 -- exit 3"), Err(Mine::Theirs(error)) if error.kind() == ErrorKind::ExitStatus));
}
