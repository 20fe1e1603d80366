//! The script tests: every folder of `tests/scripts` is a topic and has its `#[test]` here.

use crate::support::leaks;
use crate::support::topic::scripts_dir;

/// One test for each folder, which has the same name.
macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        $(
            #[test]
            fn $topic() {
                crate::support::topic::run_topic(stringify!($topic));
            }
        )*
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
    };
}

topics! { arguments, blocks, broken, closure, codes, command, costs, env, errors, execution, files, formats, globs, input, json, language, lines, lists, modules, options, parallel, paths, patterns, people, pipeline, pitfalls, quantities, redirect, run, secrets, service, stdlib, streams, system, teardown, tee, temp, template }

#[test]
fn every_folder_has_its_test() {
    let _shared = leaks::shared();
    let entries = std::fs::read_dir(scripts_dir()).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let missing = names.filter(|name| !TOPICS.contains(&name.as_str())).collect::<Vec<_>>();
    assert!(missing.is_empty(), "add to `topics!` in tests/it/scripts.rs: {}", missing.join(", "));
}
