//! How the program is linked and entered; the library has no build of its own.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(bare_start, static_unwinder)");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    // What an empty script costs is mostly what happens before `main` (GOTCHAS.md). Elsewhere linkers, loaders and
    // start-up code have rules of their own.
    if !(is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64"))
    {
        return;
    }
    // At a fixed address, the tables of functions need no relocation at every start.
    println!("cargo:rustc-link-arg-bin=procscript=-no-pie");
    // What std does before `main`, we do as far as it is needed (`own_process`).
    println!("cargo:rustc-cfg=bare_start");
    // The code that unwinds the stack is one library less to load. The compiler brings it along, with few exceptions.
    let compiler = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    if compiler.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_absolute()) {
        println!("cargo:rustc-cfg=static_unwinder");
    }
    // What a start runs lies side by side, and not all over ten megabytes of code (scripts/text_order.rhai).
    println!("cargo:rerun-if-changed=scripts/text_order.ld");
    // Asked at run time: another copy of the repository may have compiled this, into the same target directory.
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let order = Path::new(&root).join("scripts/text_order.ld");
    if is("PROFILE", "release") && has_usual_linker() && order.exists() {
        println!("cargo:rustc-link-arg-bin=procscript=-Wl,-T,{}", order.display());
    }
}

/// Whether the linker is the one that comes with the compiler, or the system's: others may not know such files.
fn has_usual_linker() -> bool {
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    std::env::var_os("RUSTC_LINKER").is_none() && !flags.contains("fuse-ld") && !flags.contains("linker")
}
