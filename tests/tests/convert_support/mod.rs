//! What the tests of converted checkpoints share.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod files;
pub(crate) mod npz;

use flow_tests::fixtures::data_directory;
use flow_train_host::convert::flows_ood::{ArchHint, parse_image};
use std::path::PathBuf;

/// A file among the fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    data_directory().join("flows_ood").join(name)
}

/// Content of a fixture.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let path = fixture(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A hint as a user would give it; empty texts say nothing.
pub(crate) fn hint(class: &str, image: &str) -> ArchHint {
    ArchHint {
        class: (!class.is_empty()).then(|| class.parse().unwrap()),
        image: (!image.is_empty()).then(|| parse_image(image).unwrap()),
        ..ArchHint::default()
    }
}
