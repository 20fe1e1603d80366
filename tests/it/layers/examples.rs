//! The layer test on small trees: each rule is broken once, and each way round it is tried.

use super::check;

#[track_caller]
fn one_problem(path: &str, source: &str, wanted: &str) {
    let problems = check(&[(path.to_string(), source.to_string())]);
    assert_eq!(problems.len(), 1, "{path}: {source}\n{problems:#?}");
    assert!(problems[0].contains(wanted), "`{wanted}` is not in: {}", problems[0]);
}

#[track_caller]
fn fine(path: &str, source: &str) {
    let problems = check(&[(path.to_string(), source.to_string())]);
    assert!(problems.is_empty(), "{path}: {source}\n{problems:#?}");
}

#[test]
fn arrows_that_point_down_are_fine() {
    fine("process/lines.rs", "use crate::text::{Decoder, LineSplitter};\nuse super::error::Error;");
    fine("script/mod.rs", "use rhai::Engine; use crate::{process::Command, text};");
    fine("repl/meta.rs", "use crate::script::Session; use rustyline::Editor;");
    fine("cli/mod.rs", "use crate::repl; use clap::Parser; fn f() { crate::process::x::<u8>(); }");
    fine("main.rs", "use procscript::cli;");
    fine("lib.rs", "pub mod process; pub use process::Error; use crate::cli::main;");
    fine("process/os/unix.rs", "#[cfg(target_os = \"linux\")] use libc::pid_t; unsafe fn f() {}");
    fine("process/os/mod.rs", "#[cfg(unix)] mod unix;");
}

#[test]
fn text_imports_nothing_of_ours() {
    one_problem("text/decode.rs", "use crate::process::Error;", "`text` may not import `process::Error`");
    one_problem("text.rs", "use super::process;", "`text` may not import `process`");
}

#[test]
fn process_does_not_import_script() {
    one_problem("process/mod.rs", "\n\nfn f() { super::script::run() }", "src/process/mod.rs:3: ");
    one_problem("process/start.rs", "use super::super::script::Session;", "`script::Session`");
    one_problem("process/start.rs", "use crate::{text::{self, Decoder as D}, cli::args};", "`cli::args`");
    one_problem("process/start.rs", "use crate::process::{error::{Error, Kind}, super::repl};", "`repl`");
}

#[test]
fn repl_does_not_import_cli_and_script_neither() {
    one_problem("repl/show.rs", "use crate::cli::exit;", "`repl` may not import `cli::exit`");
    one_problem("script/report.rs", "use crate::repl::show;", "`script` may not import `repl::show`");
}

#[test]
fn super_in_an_inner_module_is_one_deeper() {
    fine("process/start.rs", "mod tests { use super::super::Command; }");
    fine("text/mod.rs", "mod tests { use super::*; }");
    one_problem("text/mod.rs", "mod tests { use super::super::script; }", "`script`");
    one_problem("text/mod.rs", "mod tests { fn f() {} }\nuse super::script;", "mod.rs:2: ");
}

#[test]
fn imports_through_the_root_are_named() {
    one_problem("process/start.rs", "use crate::Error;", "goes through the root");
    one_problem("process/start.rs", "use crate::*;", "goes through the root");
    one_problem("process/mod.rs", "use super::*;", "goes through the root");
}

#[test]
fn foreign_crates_stay_in_their_layer() {
    one_problem("process/error/mod.rs", "use rhai::EvalAltResult;", "`rhai` belongs to `script`");
    one_problem("cli/mod.rs", "fn f(e: &rhai::Engine) {}", "`rhai` belongs to `script`");
    one_problem("lib.rs", "pub use rhai;", "`rhai` belongs to `script`");
    one_problem("lib.rs", "extern crate libc;", "`libc` belongs to `process`");
    one_problem("cli/mod.rs", "use rustyline::Editor;", "`rustyline` belongs to `repl`");
    one_problem("repl/mod.rs", "#[clap(short)] struct A;", "`clap` belongs to `arguments` and `cli`");
    one_problem("script/api/run.rs", "use shared_child::SharedChild;", "`shared_child` belongs");
    one_problem("script/api/run.rs", "use std::io;\nfn f() { os_pipe::pipe(); }", "run.rs:2: ");
    one_problem("main.rs", "fn main() { libc::exit(0) }", "`libc` belongs to `process`");
    fine("cli/mod.rs", "fn f(clap: u8) -> u8 { self.rhai + clap }");
}

#[test]
fn only_os_is_unsafe_or_knows_the_system() {
    one_problem("process/start.rs", "fn f() { unsafe { g() } }", "`unsafe` belongs to process/os");
    one_problem("process/start.rs", "#[cfg(unix)]\nfn f() {}", "`cfg(unix)`");
    one_problem("cli/signals.rs", "fn f() { if cfg!(windows) {} }", "`cfg(windows)`");
    one_problem("script/mod.rs", "#[cfg(all(test, not(target_os = \"linux\")))] mod t {}", "`cfg(target_os)`");
    one_problem("text/mod.rs", "#[cfg_attr(unix, inline)] fn f() {}", "`cfg(unix)`");
    fine("process/start.rs", "#![deny(unsafe_code)] #[cfg(test)] mod tests {} fn unix() { windows() }");
}

#[test]
fn every_file_belongs_to_a_layer() {
    one_problem("utils.rs", "", "`utils` is not a layer");
    one_problem("helper/mod.rs", "", "`helper` is not a layer");
}

#[test]
fn comments_and_strings_do_not_count() {
    fine(
        "text/mod.rs",
        r###"//! See crate::process. unsafe!
        /// [`crate::script::Session`], rhai::Engine
        /* crate::cli /* libc::x */ #[cfg(unix)] */
        fn f<'a>(c: &'a str) { g("use crate::repl;", r#"unsafe "crate::cli" "#, '"', b'\'', "\"unsafe"); }
        "###,
    );
    one_problem("text/mod.rs", "fn f() { g('\"', '\\'', \"x\"); crate::cli::x() }", "`cli::x`");
}
