//! Tells the linker what memory the machine has.

use std::{env, fs, path::PathBuf};

fn main() {
    let has = |feature: &str| env::var(format!("CARGO_FEATURE_{feature}")).is_ok();
    let (flash, ram) = if has("STM32F407") {
        // A netduinoplus2 is the same.
        ("0x08000000, LENGTH = 1M", "0x20000000, LENGTH = 128K")
    } else if has("NRF52840") {
        ("0x00000000, LENGTH = 1M", "0x20000000, LENGTH = 256K")
    } else {
        ("0x00000000, LENGTH = 4M", "0x20000000, LENGTH = 128K")
    };
    let text = format!("MEMORY {{ FLASH : ORIGIN = {flash}\n RAM : ORIGIN = {ram} }}\n");
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = fs::write(folder.join("memory.x"), text) {
        println!("cargo:warning=memory.x: {error}");
    }
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rerun-if-changed=build.rs");
}
