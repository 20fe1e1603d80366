//! The `procscript` program; see [`procscript::cli`].

#![cfg_attr(all(bare_start, not(test)), no_main)]

/// Knows what scripts hold, so that their memory can be bounded.
#[global_allocator]
static ALLOCATOR: procscript::process::CountingAllocator = procscript::process::CountingAllocator;

#[cfg(not(all(bare_start, not(test))))]
fn main() -> ! {
    procscript::cli::main()
}

/// Entered by the C library, without what std does first (`build.rs`).
#[cfg(all(bare_start, not(test)))]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    procscript::cli::main()
}

#[cfg(static_unwinder)]
#[link(name = "libgcc_eh.a", kind = "static", modifiers = "+verbatim,-bundle")]
unsafe extern "C" {}
