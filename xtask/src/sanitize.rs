//! `cargo xtask sanitize`: the kernels' tests with every load and store checked.
//!
//! The compiler's address sanitizer comes with the stable toolchain of 64-bit Linux, behind an option
//! that only `RUSTC_BOOTSTRAP` opens; nothing that is shipped is built so.

use crate::{process, repo};
use anyhow::Result;
use clap::Args;

/// Run the kernels' tests under the address sanitizer: all kernels that this processor has.
///
/// Example: cargo xtask sanitize
#[derive(Args)]
pub(crate) struct Sanitize {}

impl Sanitize {
    /// # Errors
    /// A test failed, or read or wrote outside its memory.
    pub(crate) fn run(&self) -> Result<()> {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let mut tests = process::cargo();
        tests
            .args(["test", "-p", "flow-infer", "--features", "std", "--lib"])
            .args(["--quiet", "--target", &target])
            .args(["--target-dir", "target/sanitize", "kernels"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zsanitizer=address")
            .current_dir(repo::root());
        process::run(&mut tests)
    }
}
