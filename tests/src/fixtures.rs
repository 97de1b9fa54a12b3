//! The committed images and checkpoints, by name.

use flow_train_host::convert::flows_ood::{ArchHint, convert_file};
use flow_train_host::data::{Dataset, load};
use flow_train_host::model::Model;
use std::path::{Path, PathBuf};

/// The folder of committed data.
pub fn data_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// 500 test images of `fashion-mnist` or `mnist`.
///
/// # Panics
/// If there are none of that name.
pub fn sample_images(of: &str) -> Dataset {
    let path = data_directory().join(format!("{of}-sample-images.idx3.gz"));
    load(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// A checkpoint of the paper's reference code, converted; `class` where its tensors do not tell, else empty.
///
/// # Panics
/// If it cannot be converted.
pub fn checkpoint(file: &str, class: &str) -> Model {
    let path = data_directory().join("flows_ood").join(file);
    let class = (!class.is_empty()).then(|| class.parse().expect("a class of the reference code"));
    let hint = ArchHint {
        class,
        ..ArchHint::default()
    };
    let converted = convert_file(&path, &hint);
    converted
        .unwrap_or_else(|error| panic!("{file}: {error}"))
        .0
}
