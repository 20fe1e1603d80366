//! The modules that come with the program, imported as `import "std/git" as git;`.
//!
//! They are source text in the binary, compiled when they are first imported and never before.

/// Every module below `stdlib/`, by the name that it is imported under.
pub(crate) const MODULES: &[(&str, &str)] =
    &[("std/git", include_str!("../../stdlib/git.rhai")), ("std/log", include_str!("../../stdlib/log.rhai"))];

pub(crate) fn source(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| *module == name).map(|(_, source)| *source)
}
