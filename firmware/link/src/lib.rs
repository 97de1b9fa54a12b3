//! What a board's build script tells the linker.
//!
//! Every board has the same wishes: its own `memory.x` found first, the runtime's `link.x` as the
//! layout, `defmt.x` to number the log messages, and a link that fails, with the number of bytes
//! that are missing, where RAM is too small. They are written here once, so that a board's build
//! script is one line and a new board cannot forget one of them.

use std::env;

/// Names a folder whose `memory.x` counts instead of the board's: what would fit another part?
const MEMORY: &str = "FLOWGATE_MEMORY";

/// Links this package's binaries with its own `memory.x`, the runtime's script and defmt's.
///
/// # Panics
/// Outside a build script, where Cargo names no package folder and no target.
pub fn board() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("called from a build script");
    println!("cargo:rerun-if-env-changed={MEMORY}");
    let memory = env::var(MEMORY).unwrap_or(folder);
    println!("cargo:rustc-link-search={memory}");
    println!("cargo:rerun-if-changed={memory}/memory.x");
    // Sections would otherwise be aligned to pages that no microcontroller has.
    println!("cargo:rustc-link-arg=--nmagic");
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=-Tdefmt.x");
    // riscv-rt has a section of its own for the stack: all RAM that is left.
    if env::var("TARGET").is_ok_and(|target| target.starts_with("thumb")) {
        let scripts = env!("CARGO_MANIFEST_DIR");
        println!("cargo:rustc-link-search={scripts}");
        println!("cargo:rerun-if-changed={scripts}/stack.x");
        println!("cargo:rustc-link-arg=-Tstack.x");
    }
}
