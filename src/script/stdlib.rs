//! The modules that come with the program, imported as `import "std/git" as git;`.
//!
//! They are source text in the binary, compiled when they are first imported and never before.

/// Every module below `stdlib/`, by the name that it is imported under.
pub(crate) const MODULES: &[(&str, &str)] = &[
    ("std/archive", include_str!("../../stdlib/archive.rhai")),
    ("std/assert", include_str!("../../stdlib/assert.rhai")),
    ("std/curl", include_str!("../../stdlib/curl.rhai")),
    ("std/git", include_str!("../../stdlib/git.rhai")),
    ("std/http", include_str!("../../stdlib/http.rhai")),
    ("std/log", include_str!("../../stdlib/log.rhai")),
    ("std/release", include_str!("../../stdlib/release.rhai")),
    ("std/repository", include_str!("../../stdlib/repository.rhai")),
    ("std/semver", include_str!("../../stdlib/semver.rhai")),
    ("std/table", include_str!("../../stdlib/table.rhai")),
    ("std/tree", include_str!("../../stdlib/tree.rhai")),
];

pub(crate) fn source(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| *module == name).map(|(_, source)| *source)
}
