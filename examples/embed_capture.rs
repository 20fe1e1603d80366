//! Evaluates scripts inside of a Rust program, which receives everything that they print.
//!
//! Run it with `cargo run --example embed_capture`. It shows
//! - a runtime whose output goes to the program: what the script prints, and what its commands
//!   write to the standard output that they inherit, in the right order;
//! - the value of a script as a Rust value;
//! - a failure: as data, and rendered as the runner would show it.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use procscript::script::{Failure, Runtime};

fn main() -> Result<(), Box<dyn Error>> {
    let captured = Captured::default();
    let (out, err) = (captured.clone(), captured.clone());
    let runtime = Runtime::builder()
        .args(["Ada"])
        .env("GREETING", "Good morning")
        .stdout(move |bytes| out.add(bytes))
        .stderr(move |bytes| err.add(bytes))
        .build()?;

    let length: i64 = runtime.eval(
        r#"
        print(`${env("GREETING")}, ${args()[0]}`);
        cmd("echo", "a command says this").run();
        eprint("and this is a message");
        $`echo ${"one argument"}`.read().len
        "#,
    )?;
    println!("The script gave {length} and wrote:");
    println!("{}", indented(&captured.text()));

    match runtime.eval::<()>("let disk = \"sda\";\nsh(\"echo no space left >&2; exit 3\").output();") {
        Ok(()) => println!("The second script came to its end"),
        Err(failure) => show(&failure),
    }
    Ok(())
}

fn show(failure: &Failure) {
    println!("The second script failed: {failure}");
    if let Some(error) = failure.command_error() {
        let kind = error.kind().name();
        let code = error.status().and_then(|status| status.code());
        println!("As data: kind {kind}, code {code:?}");
    }
    println!("As the runner shows it:");
    println!("{}", indented(&failure.render()));
}

/// Bytes that several threads may add to: commands write while the script prints.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
