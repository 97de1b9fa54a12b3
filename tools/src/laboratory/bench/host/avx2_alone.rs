//! The same program again, on a processor that has AVX2 and nothing after it.
//!
//! A library that is loaded first answers every question after the processor's features, ours as
//! ONNX Runtime's and PyTorch's: all sides choose as they would on such a processor, with nothing
//! said to any of them.

use super::super::machine::Temporary;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, exit};

const SOURCE: &str = include_str!("../../../../bench/avx2_alone.c");
/// Says that the library has been loaded.
const MARK: &str = "FLOWGATE_BENCH_AVX2_ALONE";

/// Returns where the processor has AVX2 alone; elsewhere it ends with what the same program says
/// when it believes so.
pub(super) fn ensure() -> Result<()> {
    if is_so()? {
        return Ok(());
    }
    if std::env::var_os(MARK).is_some() {
        bail!("--avx2: this processor or its kernel cannot hide AVX-512 (CPUID faulting)");
    }
    let place = Temporary::new()?;
    let library = build(&place.0)?;
    let mut command = Command::new(std::env::current_exe().context("this program")?);
    command.args(std::env::args_os().skip(1));
    let status = command
        .env("LD_PRELOAD", library)
        .env(MARK, "1")
        .status()
        .context("this program")?;
    drop(place);
    exit(status.code().unwrap_or(1));
}

/// Whether the best of this processor's kernels is the one for AVX2.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn is_so() -> Result<bool> {
    use std::arch::is_x86_feature_detected as has;
    if !has!("avx2") {
        bail!("--avx2: this processor has no AVX2");
    }
    Ok(!has!("avx512f") && !has!("avxvnni"))
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn is_so() -> Result<bool> {
    bail!("--avx2: only on x86-64 under Linux")
}

/// Builds the library.
fn build(directory: &Path) -> Result<std::path::PathBuf> {
    let (source, library) = (
        directory.join("avx2_alone.c"),
        directory.join("avx2_alone.so"),
    );
    std::fs::write(&source, SOURCE).context("avx2_alone.c")?;
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-o"]);
    let built = compiler.arg(&library).arg(&source).output();
    let built = built.context("--avx2: a C compiler, cc, builds what hides AVX-512")?;
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr);
        bail!("cc: {}", text.trim().lines().next().unwrap_or("failed"));
    }
    Ok(library)
}
