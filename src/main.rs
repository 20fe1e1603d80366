//! The `procscript` program; see [`procscript::cli`].

/// Knows what scripts hold, so that their memory can be bounded.
#[global_allocator]
static ALLOCATOR: procscript::process::CountingAllocator = procscript::process::CountingAllocator;

fn main() -> ! {
    procscript::cli::main()
}
