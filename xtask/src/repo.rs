//! Where things are in this repository.

use crate::process;
use anyhow::{Context, Result};
use flow_train_host::data::sample;
use std::path::{Path, PathBuf};

/// The repository's root, known when xtask is built.
pub(crate) fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The firmware workspace.
pub(crate) fn firmware() -> PathBuf {
    root().join("firmware")
}

/// The target folder of the workspace in `folder`.
///
/// # Errors
/// Cargo does not tell.
pub(crate) fn target_folder(folder: &Path) -> Result<PathBuf> {
    let text = process::stdout(
        process::cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(folder),
    )?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let folder = metadata["target_directory"].as_str();
    Ok(PathBuf::from(
        folder.context("cargo metadata names no target folder")?,
    ))
}

/// The model that the boards carry in flash.
pub(crate) fn device_model() -> PathBuf {
    let [_, decides_best] = committed_models();
    decides_best
}

/// The committed models: the paper's failure made visible, and the one that decides.
pub(crate) fn committed_models() -> [PathBuf; 2] {
    ["fashion-tiny.flow", "fashion-bottleneck.flow"]
        .map(|name| firmware().join("models").join(name))
}

/// The images that the gate has compiled in, a folder of PGM files.
pub(crate) fn compiled_in_images() -> PathBuf {
    firmware().join("app/images")
}

/// The committed samples: garments, then digits.
pub(crate) fn samples() -> [PathBuf; 2] {
    let folder = root().join("tests/data");
    [sample::FASHION_MNIST_FILE, sample::MNIST_FILE].map(|name| folder.join(name))
}

/// A gate that reads frames: grey scenes that are brighter to the right.
pub(crate) fn frames_model() -> PathBuf {
    root().join("flow-infer/tests/data/parts.flow")
}

/// A gate of windows of two channels.
pub(crate) fn windows_model() -> PathBuf {
    root().join("flow-infer/tests/data/motion.flow")
}

/// A gate of two measurements.
pub(crate) fn vectors_model() -> PathBuf {
    root().join("flow-infer/tests/data/pump.flow")
}
