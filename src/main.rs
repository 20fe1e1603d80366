//! The `procscript` program; see [`procscript::cli`].

fn main() -> ! {
    procscript::cli::main()
}
