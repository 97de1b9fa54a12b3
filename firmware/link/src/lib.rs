//! What a board's build script tells the linker.
//!
//! Every board has the same three wishes: its own `memory.x` found first, the runtime's `link.x`
//! as the layout, and `defmt.x` to number the log messages. They are written here once, so that a
//! board's build script is one line and a new board cannot forget one of them.

use std::env;

/// Links this package's binaries with its own `memory.x`, the runtime's script and defmt's.
///
/// # Panics
/// Outside a build script, where Cargo names no package folder.
pub fn board() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("called from a build script");
    println!("cargo:rustc-link-search={folder}");
    println!("cargo:rerun-if-changed={folder}/memory.x");
    // Sections would otherwise be aligned to pages that no microcontroller has.
    println!("cargo:rustc-link-arg=--nmagic");
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=-Tdefmt.x");
}
