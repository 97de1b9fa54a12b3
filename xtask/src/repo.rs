//! Where things are in this repository.

use flow_train_host::data::sample;
use std::path::PathBuf;

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

/// The model that the boards carry in flash.
pub(crate) fn device_model() -> PathBuf {
    let [first, _] = committed_models();
    first
}

/// The committed models.
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
