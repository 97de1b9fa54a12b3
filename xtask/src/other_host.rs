//! The engine on a host of another architecture: its kernels and the golden vectors, under QEMU's emulation of a process.

use crate::{process, repo, setup};
use anyhow::Result;
use std::iter::once;

/// Needs no C compiler, unlike the target with GNU's library.
pub(crate) const TARGET: &str = "aarch64-unknown-linux-musl";
/// Runs a program of that target.
pub(crate) const EMULATOR: &str = "qemu-aarch64-static";

/// Runs the engine's tests there.
///
/// # Errors
/// Something that they need cannot be installed, or one fails.
pub(crate) fn check() -> Result<()> {
    setup::targets(once(TARGET))?;
    setup::emulators(once(EMULATOR))?;
    let mut test = process::cargo();
    test.args(["test", "-p", "flow-infer", "--quiet", "--features", "std"])
        .args(["--target", TARGET, "--lib", "--tests"])
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", EMULATOR)
        .current_dir(repo::root());
    process::run(&mut test)
}
