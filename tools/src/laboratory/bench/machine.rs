//! What a comparison runs on: the processor, its cores, a place for files.

use anyhow::{Context, Result};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// The processor's name, where the system says it.
pub(super) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|l| l.starts_with("model name"));
    let name = line.and_then(|l| l.split(':').nth(1));
    name.map_or(std::env::consts::ARCH, str::trim).to_owned()
}

/// A directory that goes when the command ends.
pub(super) struct Temporary(pub(super) PathBuf);

impl Temporary {
    pub(super) fn new() -> Result<Self> {
        let name = format!("flowgate-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).with_context(|| one_line(&path).to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Makes a directory.
pub(super) fn directory(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| one_line(path).to_string())
}
