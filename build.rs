//! How the program is linked; the library has no build of its own.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    // At a fixed address, the tables of functions need no relocation at every start: this is a third of what an empty
    // script costs (GOTCHAS.md). Elsewhere linkers and loaders have rules of their own.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("CARGO_CFG_TARGET_ARCH", "x86_64")
    {
        println!("cargo:rustc-link-arg-bin=procscript=-no-pie");
    }
}
