//! Gives scripts a function and a type of the host program, beside the ones that are there.
//!
//! Run it with `cargo run --example embed_function`. The script below reads lines from a command and
//! hands them to the host's own `Stock`, whose errors it can catch like those of a command.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use procscript::script::Runtime;
use procscript::script::rhai::{Engine, EvalAltResult};

const SCRIPT: &str = r#"
    let stock = open_stock("cellar");
    for line in cmd("printf", "%s\n", "apples 3", "pears 4", "apples 5").lines() {
        let parts = line.split(" ");
        stock.add(parts[0], parse_int(parts[1]));
    }
    try {
        stock.take("pears", 6);
    } catch (problem) {
        print(`no pears: ${problem}`);
    }
    print(`${stock}: ${stock.total} pieces`);
    shout("done")
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::builder().register(register).build()?;
    let last: String = runtime.eval(SCRIPT)?;
    runtime.flush()?;
    println!("the script's value: {last}");
    Ok(())
}

fn register(engine: &mut Engine) {
    engine.register_fn("shout", |text: &str| text.to_uppercase() + "!");

    engine.register_type_with_name::<Stock>("Stock");
    engine.register_fn("open_stock", |name: &str| Stock::new(name));
    engine.register_fn("to_string", |stock: &mut Stock| stock.name.to_string());
    engine.register_get("total", |stock: &mut Stock| stock.total());
    engine.register_fn("add", |stock: &mut Stock, what: &str, count: i64| stock.change(what, count));
    // A text becomes an error of the script, raised where it called.
    engine.register_fn("take", |stock: &mut Stock, what: &str, count: i64| -> Result<(), Box<EvalAltResult>> {
        match stock.count(what) {
            there if there < count => Err(format!("only {there} {what}").into()),
            _ => {
                stock.change(what, -count);
                Ok(())
            }
        }
    });
}

/// A script copies values freely, so what has a state of its own is shared inside.
#[derive(Clone)]
struct Stock {
    name: Arc<str>,
    pieces: Arc<Mutex<BTreeMap<String, i64>>>,
}

impl Stock {
    fn new(name: &str) -> Self {
        Self { name: name.into(), pieces: Arc::default() }
    }

    fn change(&self, what: &str, by: i64) {
        *self.pieces.lock().unwrap_or_else(PoisonError::into_inner).entry(what.to_string()).or_default() += by;
    }

    fn count(&self, what: &str) -> i64 {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied().unwrap_or_default()
    }

    fn total(&self) -> i64 {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}
