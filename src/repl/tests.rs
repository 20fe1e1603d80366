//! The conversation with a reader that has its entries from a list: without a terminal.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use super::reader::{History, Settings};
use super::*;
use crate::script::RuntimeBuilder;

/// What the reader gives next, perhaps after a look at the session.
type Step = Box<dyn FnOnce(&Session) -> io::Result<Input>>;

struct Scripted {
    steps: VecDeque<Step>,
    history: History,
    settings: Settings,
    is_typed: bool,
    /// What was there when each entry was asked for.
    prompts: Rc<RefCell<Vec<String>>>,
    idle: Rc<Cell<bool>>,
}

impl LineReader for Scripted {
    fn read(&mut self, prompt: &str, session: &Session) -> io::Result<Input> {
        assert!(self.idle.get(), "signals have to know that nothing runs");
        self.prompts.borrow_mut().push(prompt.to_string());
        let input = self.steps.pop_front().map_or(Ok(Input::End), |step| step(session));
        if let Ok(Input::Entry(entry)) = &input {
            self.history.add(entry);
        }
        input
    }

    fn history(&mut self) -> &mut History {
        &mut self.history
    }

    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn is_typed(&self) -> bool {
        self.is_typed
    }
}

/// Signals that tests send.
#[derive(Default)]
struct Sent {
    idle: Rc<Cell<bool>>,
    is_told_to_stop: Cell<bool>,
}

impl Signals for Sent {
    fn set_idle(&self, is_idle: bool) {
        self.idle.set(is_idle);
    }

    fn is_told_to_stop(&self) -> bool {
        self.is_told_to_stop.get()
    }

    fn interrupt_with(&self, _: Interrupter) {}

    fn before_death(&self, _: Box<dyn Fn() + Send + Sync>) {}

    fn when_continued(&self, _: Box<dyn Fn() + Send + Sync>) {}
}

/// A conversation to be held.
struct Talk {
    steps: VecDeque<Step>,
    is_typed: bool,
    options: Options,
    signals: Sent,
    builder: RuntimeBuilder,
    /// What is shown: of the conversation with `2:` in front of what goes to standard error, and what scripts print.
    shown: Arc<Mutex<String>>,
    /// How many texts can be written before the terminal is gone.
    writes: Cell<usize>,
    prompts: Rc<RefCell<Vec<String>>>,
}

impl Talk {
    fn new() -> Self {
        let shown = Arc::<Mutex<String>>::default();
        let (out, err) = (shown.clone(), shown.clone());
        let put = |to: &Mutex<String>, bytes: &[u8]| {
            to.lock().expect("nobody panics").push_str(&String::from_utf8_lossy(bytes));
        };
        let builder = Runtime::builder().stdout(move |bytes| put(&out, bytes)).stderr(move |bytes| put(&err, bytes));
        Self {
            steps: VecDeque::new(),
            is_typed: true,
            options: Options { file: None, has_rc: false },
            signals: Sent::default(),
            builder,
            shown,
            writes: Cell::new(usize::MAX),
            prompts: Rc::default(),
        }
    }

    fn entries(mut self, entries: &[&str]) -> Self {
        for entry in entries {
            let entry = entry.to_string();
            self = self.step(move |_| Ok(Input::Entry(entry)));
        }
        self
    }

    fn step(mut self, step: impl FnOnce(&Session) -> io::Result<Input> + 'static) -> Self {
        self.steps.push_back(Box::new(step));
        self
    }

    /// Holds it, and gives how it ended and what was shown.
    fn hold(self) -> (Result<Ending, Failure>, String) {
        let mut reader = Scripted {
            steps: self.steps,
            history: History::in_memory(),
            settings: Settings::default(),
            is_typed: self.is_typed,
            prompts: self.prompts.clone(),
            idle: self.signals.idle.clone(),
        };
        let session = Session::new(self.builder.build().expect("a runtime"));
        let shown = self.shown.clone();
        let write = move |fd: i32, text: &str| {
            let left = self.writes.get();
            self.writes.set(left.saturating_sub(1));
            if left == 0 {
                return Err(io::Error::from(io::ErrorKind::BrokenPipe));
            }
            let mark = if fd == 2 { "2:" } else { "" };
            shown.lock().expect("nobody panics").push_str(&format!("{mark}{text}"));
            Ok(())
        };
        let ending = Conversation::new(&mut reader, session, None, &self.signals, &write).hold(&self.options);
        let shown = self.shown.lock().expect("nobody panics").clone();
        (ending, shown)
    }

    /// What is shown until the end of input.
    fn shown(self) -> String {
        let (ending, shown) = self.hold();
        assert!(matches!(ending, Ok(Ending::Exited(0))), "{ending:?}: {shown}");
        shown
    }
}

#[test]
fn values_and_mistakes_and_what_is_printed() {
    let talk = Talk::new().entries(&["let x = 20;", "x + 1", "print(\"printed\")", "  ", "nope", "_ * 2"]);
    let prompts = talk.prompts.clone();
    let shown = talk.shown();
    assert!(shown.starts_with("21\nprinted\n2:error: there is no variable `nope`"), "{shown}");
    assert!(shown.ends_with("\n42\n"), "{shown}");
    assert_eq!(*prompts.borrow(), vec![PROMPT; 7]);
}

#[test]
fn how_it_ends() {
    let ended = |talk: Talk| talk.hold().0;
    assert!(matches!(ended(Talk::new().entries(&["exit(3)", "1"])), Ok(Ending::Exited(3))));
    assert!(matches!(ended(Talk::new().entries(&[":q", "1"])), Ok(Ending::Exited(0))));
    // Somebody who types has seen what was wrong; nobody has, who has written the entries into a file.
    assert!(matches!(ended(Talk::new().entries(&["nope"])), Ok(Ending::Exited(0))));
    let piped = |entries: &[&str]| ended(Talk { is_typed: false, ..Talk::new() }.entries(entries));
    assert!(matches!(piped(&["nope"]), Ok(Ending::Exited(1))));
    assert!(matches!(piped(&["nope", "1"]), Ok(Ending::Exited(0))));
    assert!(matches!(piped(&[":nope"]), Ok(Ending::Exited(1))));
    // Where nothing can be read or written it cannot go on.
    let unread = Talk::new().step(|_| Err(io::Error::from(io::ErrorKind::WouldBlock)));
    let failure = ended(unread).expect_err("nothing can be read");
    assert!(failure.message().starts_with("cannot read from the terminal: "), "{failure}");
    let unwritten = Talk { writes: Cell::new(1), ..Talk::new() }.entries(&["1", "2", "exit(4)"]);
    let failure = ended(unwritten).expect_err("nothing can be written");
    assert!(matches!(failure.kind(), FailureKind::Output(_)), "{failure}");
}

#[test]
fn twenty_eight_a_panic_costs_the_entry() {
    let mut talk = Talk::new();
    talk.builder = talk.builder.register(|engine| {
        engine.register_fn("broken", || -> i64 { panic!("this is broken") });
    });
    let shown =
        talk.entries(&["let kept = 1; fn twice(n) { 2 * n }", "let lost = broken();", "twice(kept)", "lost"]).shown();
    assert!(shown.contains("2:error: ") && shown.contains("this is broken"), "{shown}");
    assert!(shown.contains("\n2\n2:error: there is no variable `lost`"), "{shown}");
}

/// An entry that would never end, and somebody who ends it once it runs.
fn interrupted(talk: Talk) -> Talk {
    let shown = talk.shown.clone();
    talk.step(move |session| {
        let interrupter = session.interrupter();
        std::thread::spawn(move || {
            let end = Instant::now() + Duration::from_secs(20);
            while !shown.lock().expect("nobody panics").contains("ready") && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            interrupter.interrupt();
        });
        Ok(Input::Entry("print(\"ready\"); loop {}".to_string()))
    })
}

#[test]
fn an_entry_is_interrupted_and_the_session_is_not() {
    let shown = interrupted(Talk::new().entries(&["let kept = 7;"])).entries(&["kept"]).shown();
    // Behind the `^C` of the terminal.
    assert_eq!(shown, "ready\n2:\nerror: interrupted\n7\n");
    // Unless a signal has come that ends the session.
    let talk = Talk::new();
    talk.signals.is_told_to_stop.set(true);
    let (ending, shown) = interrupted(talk).entries(&["1"]).hold();
    assert!(matches!(ending.expect_err("it is over").kind(), FailureKind::Interrupted));
    assert_eq!(shown, "ready\n");
}

#[test]
fn keys_at_the_prompt() {
    let interrupted = |has_dropped| move |_: &Session| Ok(Input::Interrupted { has_dropped });
    let talk = Talk::new().step(interrupted(true)).step(interrupted(false)).step(interrupted(false));
    assert_eq!(talk.entries(&["1"]).shown(), "(Ctrl-D leaves)\n1\n");
}

#[test]
fn the_end_of_input_is_asked_about_while_commands_run() {
    let end = |_: &Session| Ok(Input::End);
    let start = "let job = cmd(\"sleep\", [\"60\"]).start();";
    let asked = "a command is still running (:jobs); Ctrl-D again ends the session with it all\n";
    assert_eq!(Talk::new().entries(&[start]).step(end).shown(), asked);
    // Any entry is an answer.
    let shown = Talk::new().entries(&[start]).step(end).entries(&["1"]).step(end).shown();
    assert_eq!(shown, format!("{asked}1\n{asked}"));
    // Nobody is asked who is not there.
    let talk = Talk { is_typed: false, ..Talk::new() };
    assert_eq!(talk.entries(&[start]).shown(), "");
}

#[test]
fn what_has_ended_is_told_before_the_next_prompt() {
    let talk = Talk::new().entries(&["let job = cmd(\"false\").start();"]);
    let shown = talk.step(|session| {
        let end = Instant::now() + Duration::from_secs(20);
        while !session.jobs().is_empty() {
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Input::Entry("1".to_string()))
    });
    let shown = shown.shown();
    // Before the first or the second, and once.
    assert_eq!(shown.matches("[ended] exit 1 · false · ").count(), 1, "{shown}");
    assert!(shown.contains("1\n"), "{shown}");
}

#[test]
fn commands_reach_the_reader() {
    let mut talk = Talk::new().entries(&[
        "\"first\";",
        ":set edit vi",
        ":set hints off",
        ":set rows 1",
        "[1,2,3].map(|n| #{n: n})",
    ]);
    talk = talk.entries(&[":set", ":history FIRST", ":set rows none", ":set edit", "!"]);
    let shown = talk.shown();
    let settings = "edit vi\ncolor off\nhints off\nrows 1\n";
    let table = "n\n-\n1\n… 2 more\n(:all shows everything)\n";
    assert!(shown.starts_with(&format!("{table}{settings}\"first\";\n:history FIRST\n")), "{shown}");
    assert!(shown.contains("2:error: `:set rows` is followed by a number of at least 1\n"), "{shown}");
    assert!(shown.contains("2:error: `:set edit` is followed by emacs or vi\n"), "{shown}");
    assert!(shown.ends_with("2:error: `!` is followed by a line for /bin/sh: !ls -l\n"), "{shown}");
}

#[test]
fn the_files_that_come_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("procscript");
    std::fs::create_dir(&config).expect("it can be made");
    std::fs::write(config.join("rc.rhai"), "let greeting = \"hello\";\nlet broken = ;\n").expect("it can be written");
    let file = dir.path().join("lib.rhai");
    std::fs::write(&file, "fn three() { 3 }\n").expect("it can be written");
    let mut talk = Talk::new();
    let home = dir.path().to_path_buf();
    talk.builder = talk.builder.context(move |context| context.with_env("XDG_CONFIG_HOME", &home));
    talk.options = Options { file: Some(file), has_rc: true };
    let shown = talk.entries(&["three()"]).shown();
    assert!(shown.contains("rc.rhai:2:14") && shown.ends_with("\n3\n"), "{shown}");
}
